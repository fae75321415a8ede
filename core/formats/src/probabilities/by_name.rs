//! Probabilities and labels from tables that name their rows, joined by these names, as a scan joins them to a dataset.

use super::given::{Scaled, read_for};
use super::models::Models;
use crate::arrays;
use crate::headings::is_index;
use crate::joiner::RowsOf;
use crate::row_names::{self, Samples, SideColumn};
use crate::{Error, Result};
use chaffinch_data::class_names;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::manifest::{ExtraColumn, Manifest, NewSample};
use chaffinch_data::row_order::{RowOrders, Told};
use chaffinch_data::uses::ProbabilityFiles;
use chaffinch_protocol::display::{counted, excerpt_path, safe_path};
use chaffinch_protocol::sample::{SampleId, Split};
use chaffinch_review::label_quality::{BindError, Binding, Numbers, Values};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What the rows of matrices are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    /// They add up to 1.
    Distributions,
    /// They add up to anything, and are taken as they are.
    Free,
}

/// The rows of the file with the labels, by their names.
pub(super) struct Named {
    rows: Manifest,
    by_path: bool,
}

impl Named {
    /// Reads the names of a file's rows, in a column of paths, an index or columns of ids; `None` if it has none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn read(labels: &Path) -> Result<Option<Named>> {
        let names = arrays::row_names(labels)?;
        let ids: Vec<ExtraColumn> = arrays::id_columns(labels)?
            .into_iter()
            .map(|SideColumn { heading, cells }| ExtraColumn { name: heading, values: cells })
            .collect();
        let by_path = names.is_some();
        // Rows without paths are called as no other file calls them.
        let file = safe_path(labels.file_name().map_or(labels, Path::new));
        let numbered = || {
            let rows = ids.first().map(|column| column.values.len());
            rows.map(|rows| (1..=rows).map(|row| format!("row {row} of {file}")).collect())
        };
        let Some(names) = names.or_else(numbered) else { return Ok(None) };
        let sample = |name: String| NewSample { path: PathBuf::from(name), label: None, split: Split::None };
        let labels = std::path::absolute(labels).map_err(Error::io("find", labels))?;
        let root = labels.parent().unwrap_or(Path::new("/"));
        let ids = ids.into_iter().filter(|column| column.values.len() == names.len()).collect();
        let rows = Manifest::new(root, names.into_iter().map(sample)).with_extra(ids);
        Ok(Some(Named { rows, by_path }))
    }

    /// Whether they are named by paths or by an index of names.
    pub(super) fn by_path(&self) -> bool {
        self.by_path
    }

    /// Whether one of these files has a column of ids by which its rows are joined to these: one that puts them in another
    /// order, or that is no index, which would be left out.
    ///
    /// # Errors
    /// When one cannot be read, or its ids may be numbers of rows.
    pub(super) fn join(&self, files: &[PathBuf]) -> Result<bool> {
        let in_order = |samples: &Samples| (0_u32..).zip(samples).all(|(row, id)| *id == Some(SampleId(row)));
        let mut any = false;
        for file in files {
            let joint = self.joint(file)?;
            any |= joint.is_some_and(|(heading, samples)| !in_order(&samples) || !is_index(&heading));
        }
        Ok(any)
    }

    /// The row of these that each row of another file is about by its ids, and the heading of these.
    fn joint(&self, file: &Path) -> Result<Option<(String, Samples)>> {
        let side = arrays::id_columns(file)?;
        let joint = row_names::joint(&side, &self.rows, "a column path in both files");
        let joint = joint.map_err(|why| Error::format(file, why))?;
        Ok(joint.map(|joint| (side[joint.at].heading.clone(), joint.samples)))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The row of another file for each of these.
    ///
    /// # Errors
    /// When one has none, or may have several.
    fn every(&self, rows: &RowsOf, file: &Path) -> Result<Vec<usize>> {
        let lacking = self.rows.ids().filter(|id| rows.rows[id.index()].is_none());
        let lacking: Vec<_> = lacking.collect();
        if let Some(first) = lacking.first() {
            let message = format!(
                "it has no row for {} of {} with a label, such as {}",
                lacking.len(),
                counted(self.len() as u64, "row", "rows"),
                excerpt_path(self.rows.path(*first))
            );
            return Err(Error::format(file, message));
        }
        Ok(rows.rows.iter().flatten().map(|&row| row as usize).collect())
    }

    /// The row of another file for each of these rows, by the names of its own; `None` if it has none.
    ///
    /// # Errors
    /// When it cannot be read, or does not name each of these rows.
    pub(super) fn order_of(&self, file: &Path) -> Result<Option<Vec<usize>>> {
        let names = if self.by_path { arrays::row_names(file)? } else { None };
        let rows = match names {
            Some(names) => RowsOf::named(file, &names, &self.rows, &FileMetadata::default())?,
            None => {
                let Some((_, samples)) = self.joint(file)? else { return Ok(None) };
                let ids = vec![String::new(); samples.len()];
                RowsOf::joined(file, &ids, &samples, &self.rows)?
            }
        };
        self.every(&rows, file).map(Some)
    }

    /// The values of another file in the order of these rows, by the names of its own, if it has any.
    ///
    /// # Errors
    /// As of [`Named::order_of`].
    pub(super) fn ordered(&self, file: &Path, values: Values) -> Result<Values> {
        let Some(rows) = self.order_of(file)? else { return Ok(values) };
        Ok(match values {
            Values::Numbers(all) => Values::Numbers(rows.into_iter().map(|row| all[row]).collect()),
            Values::Flags(all) => Values::Flags(rows.into_iter().map(|row| all[row]).collect()),
            Values::Names(all) => Values::Names(rows.into_iter().map(|row| all[row].clone()).collect()),
        })
    }

    /// Reads matrices, and puts their rows in the order of these. `said` are the classes that labels name. Also returns what
    /// there is to say of them.
    ///
    /// # Errors
    /// When a file cannot be read, a class has no column, or a row has none in a file.
    pub(super) fn models(
        &self,
        files: &[PathBuf],
        said: &dyn Fn() -> Result<Vec<String>>,
        classes: Option<(&Path, &[String])>,
        rows_are: Rows,
    ) -> Result<(Models, Vec<String>)> {
        let wanted = match classes {
            Some((_, names)) => names.iter().map(|name| class_names::clean(name).into_owned()).collect(),
            None => said()?,
        };
        let path = |(path, _): (&Path, _)| path.to_path_buf();
        let named = ProbabilityFiles { files: files.to_vec(), classes: classes.map(path), ids: None };
        let (mut numbers, mut remarks) = (Vec::new(), Vec::new());
        for model in read_for(&named, &self.rows, &wanted, &RowOrders::default())? {
            let rows = model.rows_of(&self.rows, &FileMetadata::default(), &mut Told::default())?;
            remarks.extend(model.found(&rows));
            let (mut rounded, mut others) = (0, 0);
            let mut all = Vec::with_capacity(self.len() * wanted.len());
            for row in self.every(&rows, model.file())? {
                match model.row(row).filter(|_| rows_are == Rows::Distributions) {
                    Some(row) => {
                        rounded += u64::from(row.scaled == Some(Scaled::Rounded));
                        others += u64::from(row.scaled == Some(Scaled::Others));
                        all.extend(row.probabilities);
                    }
                    // What is wrong with it is found where all matrices are checked.
                    None => all.extend(model.as_written(row)),
                }
            }
            remarks.extend(model.others().filter(|_| rows_are == Rows::Free));
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
pub(super) fn classes_of(labels: &Values) -> Vec<String> {
    let all: BTreeSet<String> = match labels {
        Values::Names(names) => names.iter().map(|name| class_names::clean(name).into_owned()).collect(),
        Values::Numbers(numbers) => numbers.iter().map(i64::to_string).collect(),
        Values::Flags(_) => BTreeSet::new(),
    };
    all.into_iter().collect()
}
