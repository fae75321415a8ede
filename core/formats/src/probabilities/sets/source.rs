//! Where a file has the labels of samples that may have several.

use super::cells::listed;
use crate::arrays::labels::{FLAGS, LABELS};
use crate::arrays::text_table::TextTable;
use crate::arrays::{self, FlagGrid};
use crate::dataset::ALL_LABELS;
use crate::dataset::flags::{are_flags, is_clear, is_set};
use crate::headings::{is_id, is_unnamed, names_samples};
use crate::{Error, Result};
use chaffinch_protocol::display::{excerpt, safe_path};
use chaffinch_review::label_quality::Values;
use std::path::Path;

/// Names of columns of several labels, beside those of one.
const PLURALS: [&str; 6] = ["given_labels", "true_labels", "clean_labels", "classes", "tags", "categories"];
/// Those of the truth, which stand beside the others in some tables.
const TRUE: [&str; 4] = ["true_label", "true_labels", "clean_label", "clean_labels"];
/// Names to list in a message.
const LISTED: usize = 8;

/// Labels as a file has them.
#[derive(Debug)]
pub(super) enum Source {
    /// A 0 or a 1 for each class, in the order of the classes.
    Grid(FlagGrid),
    /// The same in columns with headings.
    Columns(Vec<(String, Vec<bool>)>),
    /// One cell for each sample, with any number of labels.
    Cells(Vec<String>),
    /// Whether each sample has wrong labels.
    Errors(Vec<bool>),
}

/// What the file is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Labels,
    Truth,
}

impl Source {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, or has no labels.
    pub(super) fn read(path: &Path, purpose: Purpose) -> Result<Source> {
        if let Some(grid) = arrays::flags(path)? {
            return Ok(Source::Grid(grid));
        }
        let Some(table) = TextTable::read(path)? else {
            return Ok(match arrays::column(path)? {
                Values::Flags(flags) => Source::Errors(flags),
                Values::Numbers(all) => Source::Cells(all.iter().map(i64::to_string).collect()),
                Values::Names(all) => Source::Cells(all),
            });
        };
        in_table(path, table, purpose)
    }

    /// Number of rows.
    pub(super) fn rows(&self) -> usize {
        match self {
            Source::Grid(grid) => grid.rows,
            Source::Columns(all) => all.first().map_or(0, |(_, flags)| flags.len()),
            Source::Cells(cells) => cells.len(),
            Source::Errors(flags) => flags.len(),
        }
    }

    /// The rows in another order.
    pub(super) fn ordered(self, order: &[usize]) -> Source {
        let flags = |all: Vec<bool>| order.iter().map(|&row| all[row]).collect();
        match self {
            Source::Grid(FlagGrid { set, cols, .. }) => {
                let rows = order.iter().flat_map(|&row| &set[row * cols..(row + 1) * cols]);
                Source::Grid(FlagGrid { set: rows.copied().collect(), rows: order.len(), cols })
            }
            Source::Columns(all) => {
                Source::Columns(all.into_iter().map(|(name, column)| (name, flags(column))).collect())
            }
            Source::Cells(cells) => Source::Cells(order.iter().map(|&row| cells[row].clone()).collect()),
            Source::Errors(all) => Source::Errors(flags(all)),
        }
    }
}

fn in_table(path: &Path, table: TextTable, purpose: Purpose) -> Result<Source> {
    let flagged = named(&table, &FLAGS).filter(|_| purpose == Purpose::Truth);
    if let Some(column) = flagged {
        let flag = |cell: &String| match cell.to_lowercase().as_str() {
            "true" | "1" | "yes" => Some(true),
            "false" | "0" | "no" => Some(false),
            _ => None,
        };
        let flags: Option<Vec<bool>> = table.columns[column].iter().map(flag).collect();
        return flags.map(Source::Errors).ok_or_else(|| {
            let name = excerpt(&table.headings[column]);
            Error::format(path, format!("column '{name}' has other cells than 0 and 1"))
        });
    }
    if let Some(cells) = cells(&table, purpose) {
        return Ok(Source::Cells(cells));
    }
    let columns = flag_columns(&table);
    if columns.len() > 1 {
        let column = |index: usize| {
            let set = table.columns[index].iter().map(|cell| is_set(cell)).collect();
            (table.headings[index].clone(), set)
        };
        return Ok(Source::Columns(columns.into_iter().map(column).collect()));
    }
    match table.headings.as_slice() {
        // A single column needs no name, and pandas writes its index before it.
        [_] if table.headed => Ok(Source::Cells(table.columns[0].clone())),
        [first] => Ok(Source::Cells(std::iter::once(first).chain(&table.columns[0]).cloned().collect())),
        [index, _] if is_unnamed(index) => Ok(Source::Cells(table.columns[1].clone())),
        all => {
            let seen: Vec<String> =
                all.iter().take(LISTED).map(|name| format!("'{}'", excerpt(name))).collect();
            let more = if all.len() > LISTED { ", …" } else { "" };
            let message = format!(
                "it needs a column 'labels' with a list of labels for each row, or a column of 0 and 1 for each class; it has {}{more}",
                seen.join(", ")
            );
            Err(Error::format(path, message))
        }
    }
}

/// The column with one of these names, in any case; the first name counts.
fn named(table: &TextTable, names: &[&str]) -> Option<usize> {
    let of = |name: &&str| table.headings.iter().position(|own| own.trim().eq_ignore_ascii_case(name));
    names.iter().find_map(of)
}

/// The cells of the column of labels.
fn cells(table: &TextTable, purpose: Purpose) -> Option<Vec<String>> {
    let truth = if purpose == Purpose::Truth { &TRUE[..] } else { &[] };
    let names: Vec<&str> = truth.iter().chain(&LABELS).chain(&PLURALS).copied().collect();
    let label = named(table, &names);
    // Where a sample has several labels, they are in a column of their own beside its label.
    match (label, named(table, &[ALL_LABELS])) {
        (Some(label), Some(all)) => {
            let both = table.columns[label].iter().zip(&table.columns[all]);
            Some(both.map(|(one, all)| if all.is_empty() { one } else { all }.clone()).collect())
        }
        (label, all) => Some(table.columns[label.or(all)?].clone()),
    }
}

/// Columns that have nothing but 0 and 1, and do not name the rows. Those of classes that no sample has, or all have, have
/// only one of them.
fn flag_columns(table: &TextTable) -> Vec<usize> {
    let flags = |cells: &Vec<String>| {
        cells.iter().all(|cell| is_set(cell) || is_clear(cell)) && cells.iter().any(|cell| !cell.is_empty())
    };
    let all: Vec<usize> = (0..table.headings.len())
        .filter(|&column| flags(&table.columns[column]))
        .filter(|&column| !is_id(&table.headings[column]) && !names_samples(&table.headings[column]))
        .collect();
    let varied = |column: &usize| are_flags(table.columns[*column].iter().map(String::as_str));
    // One that varies may be anything, such as whether a sample is held out.
    if all.iter().filter(|column| varied(column)).count() > 1 { all } else { Vec::new() }
}

/// How a file says that samples have several labels, if it cannot be read otherwise: lists, columns of 0 and 1, a matrix.
///
/// # Errors
/// When it cannot be read.
pub(super) fn recognized(path: &Path) -> Result<Option<String>> {
    // A single column is one label each.
    if arrays::dimensions(path)?.is_some_and(|all| all.len() == 2 && all[1] > 1) {
        return Ok(Some(format!("{} is a matrix", safe_path(path))));
    }
    // What is wrong with a table of one label a row is said where it is read.
    let table = match TextTable::read(path) {
        Ok(Some(table)) => table,
        Ok(None) | Err(Error::Format { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let file = safe_path(path);
    if let Some(cells) = cells(&table, Purpose::Labels) {
        if let Some(cell) = cells.iter().find(|cell| listed(cell).is_some()) {
            return Ok(Some(format!("{file} has lists of labels, such as {}", excerpt(cell))));
        }
        let all = named(&table, &[ALL_LABELS])
            .filter(|&all| table.columns[all].iter().any(|cell| !cell.is_empty()));
        return Ok(all.map(|_| format!("{file} has a column {ALL_LABELS}")));
    }
    if named(&table, &FLAGS).is_some() {
        return Ok(None);
    }
    let columns = flag_columns(&table);
    let names: Vec<String> = columns
        .iter()
        .take(LISTED)
        .map(|&column| format!("'{}'", excerpt(&table.headings[column])))
        .collect();
    let more = if columns.len() > LISTED { ", …" } else { "" };
    Ok((!columns.is_empty()).then(|| format!("{file} has columns of 0 and 1: {}{more}", names.join(", "))))
}
