//! Probabilities and labels from tables that name their rows, joined by these names, as a scan joins them to a dataset.

use super::given::{Scaled, read_for};
use super::models::Models;
use crate::arrays;
use crate::joiner::RowsOf;
use crate::{Error, Result};
use chaffinch_data::class_names;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::manifest::{Manifest, NewSample};
use chaffinch_data::uses::ProbabilityFiles;
use chaffinch_protocol::display::{counted, excerpt_path, safe_path};
use chaffinch_protocol::sample::Split;
use chaffinch_review::label_quality::{BindError, Binding, Numbers, Values};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The rows of the file with the labels, by their names.
pub(super) struct Named(Manifest);

impl Named {
    /// Reads the names; `None` if the file has none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn read(labels: &Path) -> Result<Option<Named>> {
        let Some(names) = arrays::row_names(labels)? else { return Ok(None) };
        let sample = |name: String| NewSample { path: PathBuf::from(name), label: None, split: Split::None };
        let labels = std::path::absolute(labels).map_err(Error::io("find", labels))?;
        let root = labels.parent().unwrap_or(Path::new("/"));
        Ok(Some(Named(Manifest::new(root, names.into_iter().map(sample)))))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The row of another file for each of these.
    ///
    /// # Errors
    /// When one has none, or may have several.
    fn every(&self, rows: &RowsOf, file: &Path) -> Result<Vec<usize>> {
        let lacking = self.0.ids().filter(|id| rows.rows[id.index()].is_none());
        let lacking: Vec<_> = lacking.collect();
        if let Some(first) = lacking.first() {
            let message = format!(
                "it has no row for {} of {} with a label, such as {}",
                lacking.len(),
                counted(self.len() as u64, "row", "rows"),
                excerpt_path(self.0.path(*first))
            );
            return Err(Error::format(file, message));
        }
        Ok(rows.rows.iter().flatten().map(|&row| row as usize).collect())
    }

    /// The values of another file in the order of these rows, by the names of its own, if it has any.
    ///
    /// # Errors
    /// When it cannot be read, or does not name each of these rows.
    pub(super) fn ordered(&self, file: &Path, values: Values) -> Result<Values> {
        let Some(names) = arrays::row_names(file)? else { return Ok(values) };
        let rows = RowsOf::named(file, &names, &self.0, &FileMetadata::default())?;
        let rows = self.every(&rows, file)?;
        Ok(match values {
            Values::Numbers(all) => Values::Numbers(rows.into_iter().map(|row| all[row]).collect()),
            Values::Flags(all) => Values::Flags(rows.into_iter().map(|row| all[row]).collect()),
            Values::Names(all) => Values::Names(rows.into_iter().map(|row| all[row].clone()).collect()),
        })
    }

    /// Reads matrices, and puts their rows in the order of these. Also returns what there is to say of them.
    ///
    /// # Errors
    /// When a file cannot be read, a class has no column, or a row has none in a file.
    pub(super) fn models(
        &self,
        files: &[PathBuf],
        given: &Values,
        classes: Option<(&Path, &[String])>,
    ) -> Result<(Models, Vec<String>)> {
        let wanted = match classes {
            Some((_, names)) => names.iter().map(|name| class_names::clean(name).into_owned()).collect(),
            None => classes_of(given),
        };
        let path = |(path, _): (&Path, _)| path.to_path_buf();
        let named = ProbabilityFiles { files: files.to_vec(), classes: classes.map(path), ids: None };
        let (mut numbers, mut remarks) = (Vec::new(), Vec::new());
        for model in read_for(&named, &self.0, &wanted)? {
            let rows = model.rows_of(&self.0, &FileMetadata::default())?;
            remarks.extend(model.found(&rows));
            let (mut rounded, mut others) = (0, 0);
            let mut all = Vec::with_capacity(self.len() * wanted.len());
            for row in self.every(&rows, model.file())? {
                match model.row(row) {
                    Some(row) => {
                        rounded += u64::from(row.scaled == Some(Scaled::Rounded));
                        others += u64::from(row.scaled == Some(Scaled::Others));
                        all.extend(row.probabilities);
                    }
                    // What is wrong with it is found where all matrices are checked.
                    None => all.extend(model.as_written(row)),
                }
            }
            remarks.extend(model.rounded(rounded).into_iter().chain(model.without_others(others)));
            numbers.push(Numbers::Double(all.into()));
        }
        let binding = Binding::new(wanted.len(), Some(&wanted), classes.map(|(_, names)| names));
        let binding = binding.map_err(|error: BindError| {
            let file = classes.map(|(path, _)| path).or(files.first().map(PathBuf::as_path));
            Error::format(file.unwrap_or(Path::new("")), error.to_string())
        })?;
        Ok((Models { numbers, binding, rows: self.len() }, remarks))
    }
}

/// Whether the rows of matrices have names.
///
/// # Errors
/// When a file cannot be read, or names them where another one does not.
pub(super) fn are_named(files: &[PathBuf]) -> Result<bool> {
    let mut named: Option<&PathBuf> = None;
    let mut bare: Option<&PathBuf> = None;
    for file in files {
        let has = arrays::row_names(file)?.is_some();
        let first = if has { &mut named } else { &mut bare };
        first.get_or_insert(file);
    }
    match (named, bare) {
        (Some(named), Some(bare)) => {
            let message = format!(
                "its rows have no names, but those of {} have; add the same column of paths to it",
                safe_path(named)
            );
            Err(Error::format(bare, message))
        }
        (named, _) => Ok(named.is_some()),
    }
}

/// The classes that labels name.
fn classes_of(labels: &Values) -> Vec<String> {
    let all: BTreeSet<String> = match labels {
        Values::Names(names) => names.iter().map(|name| class_names::clean(name).into_owned()).collect(),
        Values::Numbers(numbers) => numbers.iter().map(i64::to_string).collect(),
        Values::Flags(_) => BTreeSet::new(),
    };
    all.into_iter().collect()
}
