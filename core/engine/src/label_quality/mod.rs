//! Label quality from given probabilities: files in, columns bound to classes by name, scores and filters out.
//!
//! The methods themselves are in `chaffinch-confident`, which detectors use as well.

mod bind;
mod read;
mod report;

pub use bind::{BindError, Binding};
pub use read::{Grid, Numbers, Values};
pub use report::{FilterFigures, Report};

use crate::{Error, Result};
use chaffinch_confident::{Filter, Method, Problem, Real, Table, filter, scores, suggested};
use std::collections::BTreeMap;
use std::path::Path;

/// How far from one a row may sum: what half precision leaves over.
pub const SUM_TOLERANCE: f64 = 2e-3;

/// Probabilities and labels of the same samples, with class names.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    numbers: Numbers,
    binding: Binding,
    labels: Vec<u32>,
    errors: Option<Vec<bool>>,
}

/// What is asked of [`Input::judge`].
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// How labels are scored.
    pub method: Method,
    /// Whether probabilities are first made comparable between classes.
    pub adjusted: bool,
    /// Filters to apply.
    pub filters: Vec<Filter>,
}

/// What was found, sample by sample in input order.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// 0 = the label is surely wrong, 1 = surely right.
    pub scores: Vec<f64>,
    /// The most likely class.
    pub suggested: Vec<u32>,
    /// By filter whether the label is wrong in its eyes.
    pub flagged: BTreeMap<&'static str, Vec<bool>>,
}

impl Input {
    /// Reads and checks files: a matrix of probabilities (npy, or CSV with class names as heading), labels (npy or
    /// lines; names, or numbers from 0), class names in the order of label numbers, and the truth, which is the
    /// true labels or whether each label is an error.
    ///
    /// # Errors
    /// With the file's path: when it cannot be read, columns and classes cannot be bound by name, a label is no
    /// class, lengths differ, or a row is no distribution.
    pub fn read(
        probabilities: &Path,
        labels: &Path,
        classes: Option<&Path>,
        truth: Option<&Path>,
    ) -> Result<Input> {
        let Grid { numbers, rows, cols, names } = read::grid(probabilities)?;
        let classes_named = classes.map(read::names).transpose()?;
        let binding = Binding::new(cols, names.as_deref(), classes_named.as_deref())
            .map_err(|error| Error::format(classes.unwrap_or(probabilities), error.to_string()))?;
        let given = read::column(labels)?;
        let same_length = |path: &Path, len: usize| {
            if len == rows {
                return Ok(());
            }
            let what = format!("it has {len} rows, {} has {rows}", probabilities.display());
            Err(Error::format(path, what))
        };
        same_length(labels, given.len())?;
        let bound = binding.labels(&given).map_err(|error| Error::format(labels, error.to_string()))?;
        let errors = truth.map(|path| {
            let values = read::column(path)?;
            same_length(path, values.len())?;
            wrong_labels(&binding, &values, &bound).map_err(|error| Error::format(path, error.to_string()))
        });
        let input = Input { numbers, binding, labels: bound, errors: errors.transpose()? };
        input.check().map_err(|problem| {
            // Labels are right here: what is left is in the matrix.
            Error::format(probabilities, problem.to_string())
        })?;
        Ok(input)
    }

    fn check(&self) -> std::result::Result<(), Problem> {
        match &self.numbers {
            Numbers::Single(data) => self.table(data)?.check_sums(SUM_TOLERANCE),
            Numbers::Double(data) => self.table(data)?.check_sums(SUM_TOLERANCE),
        }
    }

    fn table<'a, T: Real>(&'a self, data: &'a [T]) -> std::result::Result<Table<'a, T>, Problem> {
        Table::new(data, self.binding.names().len(), &self.labels)
    }

    /// Class names by column.
    pub fn classes(&self) -> &[String] {
        self.binding.names()
    }

    /// The given label of each sample, as a column.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Whether each label is an error, where the truth was given.
    pub fn errors(&self) -> Option<&[bool]> {
        self.errors.as_deref()
    }

    /// Scores labels and applies filters.
    ///
    /// # Errors
    /// When the probabilities do not allow it: all labels alike.
    pub fn judge(&self, question: &Question) -> std::result::Result<Judged, Problem> {
        match &self.numbers {
            Numbers::Single(data) => judge(&self.table(data)?, question),
            Numbers::Double(data) => judge(&self.table(data)?, question),
        }
    }
}

fn judge<T: Real>(table: &Table<'_, T>, question: &Question) -> std::result::Result<Judged, Problem> {
    let flags = question.filters.iter().map(|&by| Ok((by.name(), filter(table, by)?)));
    Ok(Judged {
        scores: scores(table, question.method, question.adjusted),
        suggested: suggested(table),
        flagged: flags.collect::<std::result::Result<_, Problem>>()?,
    })
}

/// Whether each label is an error. A true class that has no column makes any label wrong.
fn wrong_labels(
    binding: &Binding,
    truth: &Values,
    labels: &[u32],
) -> std::result::Result<Vec<bool>, BindError> {
    if let Values::Flags(flags) = truth {
        return Ok(flags.clone());
    }
    let classes = binding.columns(truth)?;
    Ok(classes.into_iter().zip(labels).map(|(class, &label)| class != Some(label)).collect())
}

#[cfg(test)]
mod tests;
