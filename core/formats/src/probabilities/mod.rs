//! Class probabilities and labels of the same samples, read from files and matched to classes by name.

mod by_name;
mod class_columns;
mod given;
mod models;
mod readings;
mod sets;

pub use given::{GivenModel, Joined, join, read_given};
pub use sets::{ReadSets, has_several_labels, may_have_several_labels, read_sets};

use crate::arrays;
use crate::{Error, Result};
use by_name::{Named, Rows, classes_of, headings, numbered_classes};
use chaffinch_protocol::display::{counted, excerpt, safe_path};
use chaffinch_review::label_quality::{BindError, Binding, Input, InputError, Reading, Values};
use models::Models;
use std::path::{Path, PathBuf};

/// Probabilities and labels of the same samples.
#[derive(Debug)]
pub struct Read {
    /// What the files hold.
    pub input: Input,
    /// What there is to say of the files, a sentence each.
    pub remarks: Vec<String>,
}

/// Reads and checks files: one matrix of probabilities per model (npy, Parquet, safetensors, or CSV with class names as
/// header), labels (the same or lines; names, or places in the list of classes), class names in the order of places,
/// and the ground truth: either the true labels or whether each label is an error. Tables that name their rows in a column of
/// paths are joined by these names; all others have their rows in the same order.
///
/// # Errors
/// With the file's path: when it cannot be read, columns and classes cannot be matched by name, a label is not a class,
/// lengths differ, or a row is not a distribution.
pub fn read(
    probabilities: &[PathBuf],
    labels: &Path,
    classes: Option<&Path>,
    truth: Option<&Path>,
) -> Result<Read> {
    let given = arrays::column(labels)?;
    let named = if matches!(given, Values::Names(_)) { classes_of(&given) } else { Vec::new() };
    let listed = class_order(probabilities, classes, &named)?;
    let classes = listed.as_ref().map(|(path, names)| (path.as_path(), names.as_slice()));
    let rows_named = Named::read(labels)?.filter(|named| named.len() == given.len());
    let said = || match given {
        Values::Flags(_) => Err(Error::format(labels, BindError::FlagsForLabels.to_string())),
        Values::Numbers(_) if headings(probabilities)?.is_none() => match numbered_classes(probabilities)? {
            Some(all) => Ok(all),
            None => Ok(classes_of(&given)),
        },
        _ => Ok(classes_of(&given)),
    };
    let labeled = (labels, rows_named.as_ref(), given.len());
    let (Models { numbers, binding, rows }, remarks) =
        joined(probabilities, labeled, &said, classes, Rows::Distributions)?;
    let first = probabilities.first().map(|path| safe_path(path)).unwrap_or_default();
    let same_length = |path: &Path, len: usize| {
        if len == rows {
            return Ok(());
        }
        Err(Error::format(
            path,
            format!("it has {}, but {first} has {rows}", counted(len as u64, "row", "rows")),
        ))
    };
    same_length(labels, given.len())?;
    let (bound, reading) =
        binding.labels(&given).map_err(|error| Error::format(labels, error.to_string()))?;
    let errors = truth.map(|path| {
        let values = arrays::column(path)?;
        let values = match &rows_named {
            Some(named) => named.ordered(path, values)?,
            None => values,
        };
        same_length(path, values.len())?;
        wrong_labels(&binding, &values, &bound, reading)
            .map_err(|error| Error::format(path, error.to_string()))
    });
    let errors = errors.transpose()?;
    // Labels are valid here, so any remaining error is in the matrix.
    let names = binding.names().to_vec();
    let input = Input::new(numbers, binding, bound, errors)
        .map_err(|(model, error)| Error::format(&probabilities[model], words(&error, &names)))?;
    Ok(Read { input, remarks })
}

/// The class names in the order of labels that are numbers, and the file that has them: the one that was given, or one of
/// probabilities that lists them. `named` are classes that labels name.
fn class_order(
    probabilities: &[PathBuf],
    given: Option<&Path>,
    named: &[String],
) -> Result<Option<(PathBuf, Vec<String>)>> {
    match given {
        Some(path) => Ok(Some((path.to_path_buf(), arrays::names(path, named)?))),
        None => by_name::class_list(probabilities),
    }
}

/// Reads matrices, joined to the labels by the names of rows, if these have any. `labels` has so many rows.
fn joined(
    probabilities: &[PathBuf],
    (labels, rows_named, rows): (&Path, Option<&Named>, usize),
    said: &dyn Fn() -> Result<Vec<String>>,
    classes: Option<(&Path, &[String])>,
    rows_are: Rows,
) -> Result<(Models, Vec<String>)> {
    // An array keeps its rows in the order of the labels that it was computed for, more often than a table does.
    let unheard = if rows_named.is_none() { by_name::names_in_arrays(probabilities, labels)? } else { None };
    let are_named = unheard.is_none() && by_name::are_named(probabilities)?;
    let by_id = match rows_named {
        Some(named) if !are_named => named.join(probabilities)?,
        _ => false,
    };
    if !are_named && !by_id {
        let order = classes.map(|(_, names)| names);
        let wanted = match order {
            Some(names) => Some(names.to_vec()),
            // What is wrong with labels is said where they are matched to columns.
            None => said().ok(),
        };
        if let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty())
            && by_name::are_called_otherwise(probabilities, &wanted, order)?
        {
            return Named::in_order(labels, rows)?.models(probabilities, said, classes, rows_are);
        }
        let in_order = rows_named.and_then(|named| named.in_same_order(probabilities));
        return Ok((Models::read(probabilities, classes)?, unheard.or(in_order).into_iter().collect()));
    }
    let Some(named) = rows_named.filter(|named| by_id || named.by_path()) else {
        let file = probabilities.first().map(|path| safe_path(path)).unwrap_or_default();
        let message = format!(
            "it does not name its rows, but {file} does; give a table with the same column of paths beside the labels"
        );
        return Err(Error::format(labels, message));
    };
    named.models(probabilities, said, classes, rows_are)
}

/// What is wrong with a matrix, with the names of its columns.
fn words(error: &InputError, names: &[String]) -> String {
    match error {
        InputError::Probability { sample, class, value } => {
            let name = excerpt(&names[*class]);
            format!("row {sample}, class {class} ('{name}'): {value} is not a probability")
        }
        // As a few decimals leave it.
        InputError::Sum { sum, .. } if (sum - 1.0).abs() <= 0.05 => {
            format!("{error}; its numbers look rounded: write more decimals, or divide each row by its sum")
        }
        error => error.to_string(),
    }
}

/// Whether each label is an error. If the true class has no column, any label is wrong.
fn wrong_labels(
    binding: &Binding,
    truth: &Values,
    labels: &[u32],
    reading: Reading,
) -> std::result::Result<Vec<bool>, BindError> {
    if let Values::Flags(flags) = truth {
        return Ok(flags.clone());
    }
    let (classes, _) = binding.columns(truth, reading)?;
    Ok(classes.into_iter().zip(labels).map(|(class, &label)| class != Some(label)).collect())
}

#[cfg(test)]
mod tests;
