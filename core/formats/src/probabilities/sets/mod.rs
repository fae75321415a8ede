//! Labels of samples that may have several, read from files and matched to the columns of probabilities.

mod cells;
mod source;

use super::by_name::{self, Named, Rows};
use super::class_columns;
use super::models::Models;
use super::{class_order, joined, words};
use crate::arrays;
use crate::text::as_whole;
use crate::{Error, Result};
use chaffinch_data::class_names;
use chaffinch_protocol::display::{counted, excerpt, safe_path};
use chaffinch_review::label_quality::{BindError, Binding, Reading, SetInput, Values};
use source::{Purpose, Source};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Names to list in a message.
const LISTED: usize = 8;

/// Probabilities and labels of the same samples, which may have several labels.
#[derive(Debug)]
pub struct ReadSets {
    /// What the files hold.
    pub input: SetInput,
    /// What there is to say of the files, a sentence each.
    pub remarks: Vec<String>,
}

/// Why the labels of a file are several for each sample: what cannot be read as one label each. `None` where they may be one
/// each, also where they have signs in them that separate labels elsewhere.
///
/// # Errors
/// When the file cannot be read.
pub fn has_several_labels(labels: &Path) -> Result<Option<String>> {
    source::recognized(labels)
}

/// Whether the labels of a file have signs in them that may separate several.
pub fn may_have_several_labels(labels: &Path) -> bool {
    let several = |cell: &String| cells::labels_in(cell, &|_| false).len() > 1;
    matches!(Source::read(labels, Purpose::Labels), Ok(Source::Cells(cells)) if cells.iter().any(several))
}

/// Reads and checks files as [`super::read`] does, but for labels and rows: a sample has any number of labels (a list or
/// separated texts in a column of labels, a column of 0 and 1 for each class, a matrix of 0 and 1), and the probabilities in a
/// row add up to anything. The ground truth is the true labels in one of these forms, or whether each sample's labels
/// are wrong.
///
/// # Errors
/// With the file's path: when it cannot be read, columns and classes cannot be matched by name, a label is not a class,
/// lengths differ, or a number is not a probability.
pub fn read_sets(
    probabilities: &[PathBuf],
    labels: &Path,
    classes: Option<&Path>,
    truth: Option<&Path>,
) -> Result<ReadSets> {
    let listed = class_order(probabilities, classes, &[])?;
    let classes = listed.as_ref().map(|(path, names)| (path.as_path(), names.as_slice()));
    let given = Source::read(labels, Purpose::Labels)?;
    let rows_named = Named::read(labels)?.filter(|named| named.len() == given.rows());
    let said = || classes_of(labels, &given, probabilities);
    let labeled = (labels, rows_named.as_ref(), given.rows());
    let (Models { numbers, binding, rows }, mut remarks) =
        joined(probabilities, labeled, &said, classes, Rows::Free)?;
    let first = probabilities.first().map(|path| safe_path(path)).unwrap_or_default();
    let same_length = |path: &Path, len: usize| {
        if len == rows {
            return Ok(());
        }
        let message = format!("it has {}, but {first} has {rows}", counted(len as u64, "row", "rows"));
        Err(Error::format(path, message))
    };
    same_length(labels, given.rows())?;
    let Sets { flags, left_out } = bound(labels, given, &binding)?;
    remarks.extend(left_out);
    let errors = truth.map(|path| {
        let source = Source::read(path, Purpose::Truth)?;
        let order = rows_named.as_ref().map(|named| named.order_of(path)).transpose()?.flatten();
        let source = match order {
            Some(order) => source.ordered(&order),
            None => source,
        };
        same_length(path, source.rows())?;
        if let Source::Errors(errors) = source {
            return Ok::<_, Error>(errors);
        }
        let truth = bound(path, source, &binding)?.flags;
        let width = binding.names().len();
        Ok(truth.chunks(width).zip(flags.chunks(width)).map(|(truth, given)| truth != given).collect())
    });
    let errors: Option<Vec<bool>> = errors.transpose()?;
    let names = binding.names().to_vec();
    let input = SetInput::new(numbers, names.clone(), flags, errors)
        .map_err(|(model, error)| Error::format(&probabilities[model], words(&error, &names)))?;
    Ok(ReadSets { input, remarks })
}

/// The classes that labels name, or all of `probabilities` where they are numbers of these.
fn classes_of(labels: &Path, given: &Source, probabilities: &[PathBuf]) -> Result<Vec<String>> {
    let headings = by_name::headings(probabilities)?.unwrap_or_default();
    let is_class = |text: &str| class_columns::is_called(&headings, text);
    let all: BTreeSet<String> = match given {
        Source::Errors(_) => return Err(no_labels(labels)),
        Source::Grid(_) => return Err(Error::format(labels, unnamed())),
        Source::Columns(all) => {
            // Other columns of 0 and 1 are left out, if some are classes.
            let any = all.iter().any(|(name, _)| is_class(name));
            let named = all.iter().filter(|(name, _)| !any || is_class(name));
            named.map(|(name, _)| class_names::clean(name).into_owned()).collect()
        }
        Source::Cells(cells) => {
            let mut rows: Vec<Vec<String>> =
                cells.iter().map(|cell| cells::labels_in(cell, &is_class)).collect();
            cells::without_none(&mut rows, &is_class);
            let mut labels = rows.iter().flatten();
            if labels.all(|label| as_whole(label).parse::<u64>().is_ok())
                && let Some(all) = by_name::numbered_classes(probabilities)?
            {
                return Ok(all);
            }
            rows.iter().flatten().map(|label| class_names::clean(label).into_owned()).collect()
        }
    };
    Ok(all.into_iter().collect())
}

fn no_labels(path: &Path) -> Error {
    Error::format(path, BindError::FlagsForLabels.to_string())
}

fn unnamed() -> &'static str {
    "its columns have no names, but those of probabilities have; pass --classes FILE with the class names in the order of its columns"
}

/// Which classes each sample has, row by row.
struct Sets {
    flags: Vec<bool>,
    /// What there is to say of columns that are no class.
    left_out: Option<String>,
}

/// Matches labels to the columns of probabilities.
fn bound(path: &Path, source: Source, binding: &Binding) -> Result<Sets> {
    let width = binding.names().len();
    let refused = |error: BindError| Error::format(path, error.to_string());
    match source {
        Source::Errors(_) => Err(no_labels(path)),
        Source::Grid(grid) => {
            if grid.cols != width {
                let columns = counted(grid.cols as u64, "column", "columns");
                let classes = counted(width as u64, "class", "classes");
                return Err(Error::format(path, format!("it has {columns} for {classes} of probabilities")));
            }
            let places = Values::Numbers((0..width as i64).collect());
            let (columns, _) = binding.labels(&places).map_err(|error| match error {
                BindError::NumbersForNames(_) => Error::format(path, unnamed()),
                error => refused(error),
            })?;
            let mut flags = vec![false; grid.set.len()];
            for (row, from) in flags.chunks_exact_mut(width).zip(grid.set.chunks_exact(width)) {
                columns.iter().zip(from).for_each(|(&column, set)| row[column as usize] = *set);
            }
            Ok(Sets { flags, left_out: None })
        }
        Source::Columns(all) => in_columns(path, &all, binding),
        Source::Cells(cells) => {
            let known: BTreeSet<&str> = binding.names().iter().map(String::as_str).collect();
            // A number is a place in the list of classes.
            let is_class = |text: &str| {
                known.contains(&*class_names::clean(text)) || text.parse::<usize>().is_ok_and(|at| at < width)
            };
            let mut rows: Vec<Vec<String>> =
                cells.iter().map(|cell| cells::labels_in(cell, &is_class)).collect();
            if let Some(flags) = cells::flags(&rows, width) {
                let grid = arrays::FlagGrid { set: flags, rows: rows.len(), cols: width };
                return bound(path, Source::Grid(grid), binding);
            }
            cells::without_none(&mut rows, &is_class);
            in_rows(rows, binding).map(|flags| Sets { flags, left_out: None }).map_err(refused)
        }
    }
}

/// Columns of 0 and 1, by their headings.
fn in_columns(path: &Path, all: &[(String, Vec<bool>)], binding: &Binding) -> Result<Sets> {
    let width = binding.names().len();
    let headings = Values::Names(all.iter().map(|(name, _)| name.clone()).collect());
    let (columns, _) = binding
        .columns(&headings, Reading::Either)
        .map_err(|error| Error::format(path, format!("in its header, {error}")))?;
    let lacking = (0..width as u32).find(|class| !columns.contains(&Some(*class)));
    if let Some(class) = lacking {
        let names: Vec<String> =
            all.iter().take(LISTED).map(|(name, _)| format!("'{}'", excerpt(name))).collect();
        let message = format!(
            "the class '{}' has no column of labels (columns of 0 and 1: {}{})",
            excerpt(&binding.names()[class as usize]),
            names.join(", "),
            if all.len() > LISTED { ", …" } else { "" }
        );
        return Err(Error::format(path, message));
    }
    let rows = all.first().map_or(0, |(_, column)| column.len());
    let mut flags = vec![false; rows * width];
    let mut others: Vec<String> = Vec::new();
    for ((name, column), class) in all.iter().zip(columns) {
        let Some(class) = class else {
            others.push(format!("'{}'", excerpt(name)));
            continue;
        };
        let cells = flags[class as usize..].iter_mut().step_by(width);
        cells.zip(column).for_each(|(cell, set)| *cell |= *set);
    }
    let said = |others: &[String]| {
        let columns = counted(
            others.len() as u64,
            "column of 0 and 1 is not a class",
            "columns of 0 and 1 are not classes",
        );
        let more = if others.len() > LISTED { ", …" } else { "" };
        let names = others[..others.len().min(LISTED)].join(", ");
        format!("{columns} of probabilities in {} and left out: {names}{more}", safe_path(path))
    };
    Ok(Sets { flags, left_out: (!others.is_empty()).then(|| said(&others)) })
}

/// Lists of labels.
fn in_rows(rows: Vec<Vec<String>>, binding: &Binding) -> std::result::Result<Vec<bool>, BindError> {
    let width = binding.names().len();
    let mut flags = vec![false; rows.len() * width];
    let row_of: Vec<usize> =
        rows.iter().enumerate().flat_map(|(row, all)| all.iter().map(move |_| row)).collect();
    let labels = Values::Names(rows.into_iter().flatten().collect());
    let (columns, _) = binding.labels(&labels).map_err(|error| match error {
        BindError::NoClass { row, label, hint, classes } => {
            BindError::NoClass { row: row_of[row], label, hint, classes }
        }
        BindError::NameOrPlace { row, label, place } => {
            BindError::NameOrPlace { row: row_of[row], label, place }
        }
        error => error,
    })?;
    columns.into_iter().zip(row_of).for_each(|(column, row)| flags[row * width + column as usize] = true);
    Ok(flags)
}

#[cfg(test)]
mod tests;
