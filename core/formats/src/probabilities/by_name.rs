//! Probabilities and labels from tables that name their rows, joined by these names, as a scan joins them to a dataset.

use super::class_columns::{self, cleaned};
use super::given::{Scaled, read_for};
use super::models::Models;
use crate::arrays;
use crate::headings::{is_id, is_index};
use crate::row_names::{self, Samples, SideColumn};
use crate::row_splits::{RowSplits, is_worth_reading};
use crate::rows_of::RowsOf;
use crate::{Error, Result};
use chaffinch_data::class_names;
use chaffinch_data::class_numbers::ClassNumbers;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::manifest::{ExtraColumn, Manifest, NewSample};
use chaffinch_data::row_order::{RowOrders, Told};
use chaffinch_protocol::display::{counted, excerpt, excerpt_path, safe_path};
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
    file: PathBuf,
    rows: Manifest,
    by_path: bool,
}

/// What rows without paths are called, as no other file calls them.
fn numbered(labels: &Path, rows: usize) -> Vec<String> {
    let file = safe_path(labels.file_name().map_or(labels, Path::new));
    (1..=rows).map(|row| format!("row {row} of {file}")).collect()
}

/// Rows of these names and splits as samples beside their file.
fn named(labels: &Path, names: Vec<String>, splits: Option<&RowSplits>) -> Result<Manifest> {
    let split = |row: usize| splits.map(|splits| splits.of(row)).unwrap_or_default();
    let sample = |(row, name): (usize, String)| NewSample {
        path: PathBuf::from(name),
        label: None,
        split: split(row),
    };
    let labels = std::path::absolute(labels).map_err(Error::io("find", labels))?;
    Ok(Manifest::new(labels.parent().unwrap_or(Path::new("/")), names.into_iter().enumerate().map(sample)))
}

impl Named {
    /// Reads the names of a file's rows, in a column of paths, an index or columns of ids; `None` if it has none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn read(labels: &Path) -> Result<Option<Named>> {
        let names = arrays::row_names(labels)?;
        let beside = arrays::columns(labels, |heading| is_id(heading) || is_worth_reading(heading))?;
        let splits = names.as_ref().and_then(|names| RowSplits::beside(&beside, names.len()));
        let ids: Vec<ExtraColumn> = (beside.into_iter())
            .filter(|column| is_id(&column.heading))
            .map(|SideColumn { heading, cells }| ExtraColumn { name: heading, values: cells })
            .collect();
        let by_path = names.is_some();
        let without = || ids.first().map(|column| numbered(labels, column.values.len()));
        let Some(names) = names.or_else(without) else { return Ok(None) };
        let ids = ids.into_iter().filter(|column| column.values.len() == names.len()).collect();
        let rows = named(labels, names, splits.as_ref())?.with_extra(ids);
        Ok(Some(Named { file: labels.to_path_buf(), rows, by_path }))
    }

    /// So many rows without names, which are those of other files in the same order.
    ///
    /// # Errors
    /// When the folder of the file is unknown.
    pub(super) fn in_order(labels: &Path, rows: usize) -> Result<Named> {
        let rows = named(labels, numbered(labels, rows), None)?;
        Ok(Named { file: labels.to_path_buf(), rows, by_path: false })
    }

    /// What there is to say of files that do not name their rows, as these are named.
    pub(super) fn in_same_order(&self, files: &[PathBuf]) -> Option<String> {
        let file = files.first().filter(|_| self.by_path)?;
        Some(format!(
            "{} names its rows, and {} does not: its rows were taken in the same order; add the same column of names to it to be \
             sure",
            safe_path(&self.file),
            safe_path(file)
        ))
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
    /// When one has none, or may have several, or one of another split.
    fn every(&self, rows: &RowsOf, splits: Option<&RowSplits>, file: &Path) -> Result<Vec<usize>> {
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
        // Whole paths are those of one split below its folder.
        let of_other = |(id, row): (SampleId, &Option<u32>)| {
            let (row, own) = ((*row)? as usize, self.rows.split(id));
            let said = splits?.of(row);
            (own != Split::None && said != Split::None && own != said).then_some((id, row, own, said))
        };
        if let Some((id, row, own, said)) = self.rows.ids().zip(&rows.rows).find_map(of_other) {
            let message = format!(
                "row {} is about {} in {}, and {} has it in {}",
                row + 1,
                excerpt_path(self.rows.path(id)),
                said.name(),
                safe_path(&self.file),
                own.name()
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
        let mut splits = None;
        let rows = match names {
            Some(names) => {
                splits = arrays::row_splits(file, names.len())?;
                RowsOf::named(file, (&names, splits.as_ref()), &self.rows, &FileMetadata::default())?
            }
            None => {
                let Some((_, samples)) = self.joint(file)? else { return Ok(None) };
                let ids = vec![String::new(); samples.len()];
                RowsOf::joined(file, &ids, &samples, &self.rows)?
            }
        };
        self.every(&rows, splits.as_ref(), file).map(Some)
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
        if classes.is_none() {
            refuse_numbers(files, &wanted, &self.file)?;
        }
        let (mut numbers, mut remarks) = (Vec::new(), Vec::new());
        for model in read_for((files, None), &self.rows, &wanted, classes, &RowOrders::default())? {
            if model.by_place() && model.len() != self.len() {
                let (rows, own) = (counted(model.len() as u64, "row", "rows"), self.len());
                let message = format!("it has {rows}, but {} has {own}", safe_path(&self.file));
                return Err(Error::format(model.file(), message));
            }
            let rows = model.rows_of(&self.rows, &FileMetadata::default(), &mut Told::default())?;
            remarks.extend(model.found(&rows, &self.rows));
            let (mut rounded, mut others) = (0, 0);
            let mut all = Vec::with_capacity(self.len() * wanted.len());
            for row in self.every(&rows, model.splits(), model.file())? {
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

/// What there is to say of arrays with names of rows beside them, where `labels` has none, if all of these files are arrays.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn names_in_arrays(files: &[PathBuf], labels: &Path) -> Result<Option<String>> {
    let mut said = None;
    for file in files {
        if !arrays::is_array(file) {
            return Ok(None);
        }
        let ids = || -> Result<Option<String>> {
            let columns = arrays::id_columns(file)?.into_iter();
            let mut columns = columns.filter(|column| !row_names::counts_up(&column.cells));
            Ok(columns.next().map(|column| format!("'{}'", excerpt(&column.heading))))
        };
        let named = match arrays::row_names(file)? {
            Some(_) => Some("paths".to_owned()),
            None => ids()?,
        };
        said = said.or(named.map(|names| {
            let (file, labels) = (safe_path(file), safe_path(labels));
            format!("{file} names its rows by {names}, which {labels} does not have: its rows were taken in the same order")
        }));
    }
    Ok(said)
}

/// The headings of the first of these files that has some.
///
/// # Errors
/// When one cannot be read.
pub(super) fn headings(files: &[PathBuf]) -> Result<Option<Vec<String>>> {
    files.iter().find_map(|file| arrays::headings(file).transpose()).transpose()
}

/// The class names in the order of numbers that a file lists beside its columns, and that file.
///
/// # Errors
/// When one cannot be read.
pub(super) fn class_list(files: &[PathBuf]) -> Result<Option<(PathBuf, Vec<String>)>> {
    let list =
        |file: &PathBuf| Some(arrays::class_list(file).transpose()?.map(|names| (file.clone(), names)));
    files.iter().find_map(list).transpose()
}

/// The classes of columns that have numbers or no names, where labels that are numbers are of these.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn numbered_classes(files: &[PathBuf]) -> Result<Option<Vec<String>>> {
    if let Some(headings) = headings(files)? {
        return Ok(class_columns::numbered(&headings));
    }
    let Some(first) = files.first() else { return Ok(None) };
    let columns = arrays::bare_columns(first)?;
    Ok(columns.map(|columns| (0..columns).map(|column| column.to_string()).collect()))
}

/// Whether the columns of these classes are found only by what stands around their names, or by their numbers in an order that
/// was given, as a scan finds them.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn are_called_otherwise(
    files: &[PathBuf],
    wanted: &[String],
    order: Option<&[String]>,
) -> Result<bool> {
    let exact = |headings: &[String]| {
        let names: BTreeSet<String> = headings.iter().map(|name| cleaned(name)).collect();
        wanted.iter().all(|class| names.contains(&cleaned(class)))
    };
    for file in files {
        let headings = arrays::headings(file)?.unwrap_or_default();
        class_columns::refuse_ambiguous(&headings, wanted).map_err(|why| Error::format(file, why))?;
        let found =
            arrays::headings(file)?.filter(|headings| !exact(headings)).is_some_and(|headings| match order {
                Some(_) => class_columns::find(&headings, wanted, order, &ClassNumbers::default()).is_ok(),
                None => class_columns::called(&headings, wanted).is_some(),
            });
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Refuses labels that are all numbers where the columns have other names, and nothing says which number is which class.
fn refuse_numbers(files: &[PathBuf], wanted: &[String], labels: &Path) -> Result<()> {
    let are_numbers = !wanted.is_empty() && wanted.iter().all(|name| name.parse::<i64>().is_ok());
    let Some(headings) = headings(files)?.filter(|_| are_numbers) else { return Ok(()) };
    if class_columns::find(&headings, wanted, None, &ClassNumbers::default()).is_ok()
        || class_columns::numbered(&headings).is_some()
    {
        return Ok(());
    }
    let names: Vec<String> = headings.into_iter().filter(|heading| !is_id(heading)).collect();
    Err(Error::format(labels, BindError::NumbersForNames(class_columns::listed(&names)).to_string()))
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
