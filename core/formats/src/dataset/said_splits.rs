//! The splits that a table beside a dataset says: by the same rules as in a table of paths.

use super::choice;
use super::names_of_parts::split_named;
use super::split_columns::{SPLIT_NAMES, are_splits, flag, flag_columns, of_flags};
use crate::tally::Tally;
use chaffinch_protocol::display::{counted, excerpt, safe_path};
use chaffinch_protocol::sample::Split;
use chaffinch_protocol::{Ledger, RemarkKind};
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// A cell by its row and its column.
pub(crate) type Cell<'t> = dyn Fn(usize, usize) -> Cow<'t, str> + 't;

/// Which columns of a table say splits.
#[derive(Default)]
pub(crate) struct SaidSplits {
    /// One of names.
    pub(super) column: Option<usize>,
    /// Whether its heading does not say so.
    is_guessed: bool,
    /// Those of 0 and 1, each with what it says where it is set.
    flags: Vec<(Split, usize)>,
}

impl SaidSplits {
    /// A column that was chosen.
    pub(super) fn asked(column: usize) -> SaidSplits {
        SaidSplits { column: Some(column), ..SaidSplits::default() }
    }

    /// Those of a table with so many rows, but for columns that say something else.
    pub(crate) fn of(headings: &[String], rows: usize, cell: &Cell<'_>, but: &[Option<usize>]) -> SaidSplits {
        let free = |column: &usize| !but.contains(&Some(*column));
        if let Some(usual) = choice::named(headings, &SPLIT_NAMES).into_iter().find(free) {
            return SaidSplits::asked(usual);
        }
        let columns = || (0..headings.len()).filter(free);
        let cells = |column: usize| (0..rows).map(move |row| cell(row, column));
        let flags = flag_columns(columns(), |column| headings[column].clone(), cells);
        let holds = |&column: &usize| {
            let cells: Vec<Cow<'_, str>> = (0..rows).map(|row| cell(row, column)).collect();
            are_splits(&headings[column], cells.iter().map(AsRef::as_ref))
        };
        let column = if flags.is_empty() { columns().find(holds) } else { None };
        SaidSplits { column, is_guessed: true, flags }
    }

    /// Whether there are any.
    pub(crate) fn says_any(&self) -> bool {
        self.column.is_some() || !self.flags.is_empty()
    }

    /// What a row says, and in which words.
    pub(crate) fn said(&self, row: usize, cell: &Cell<'_>) -> (Split, String) {
        if let Some(column) = self.column {
            let text = cell(row, column);
            return (split_named(text.trim()).unwrap_or_default(), text.into_owned());
        }
        let split = self.flagged(row, cell).unwrap_or_default();
        (split, if split == Split::None { String::new() } else { split.name().to_owned() })
    }

    /// What the columns of 0 and 1 say of a row; `None` if they contradict each other.
    fn flagged(&self, row: usize, cell: &Cell<'_>) -> Option<Split> {
        let set = |(split, column): &(Split, usize)| (*split, flag(&cell(row, *column)) == Some(true));
        let flags: Vec<(Split, bool)> = self.flags.iter().map(set).collect();
        if flags.is_empty() { Some(Split::None) } else { of_flags(&flags) }
    }

    /// Says which columns of the table `shown` with so many rows they are, if no heading says it, and in how many rows they
    /// contradict each other.
    pub(super) fn tell(
        &self,
        headings: &[String],
        rows: usize,
        cell: &Cell<'_>,
        shown: &str,
        ledger: &mut Ledger,
    ) {
        let columns: Vec<String> = match (self.column, self.is_guessed) {
            (Some(column), true) => vec![headings[column].clone()],
            _ => self.flags.iter().map(|(_, column)| headings[*column].clone()).collect(),
        };
        if columns.is_empty() {
            return;
        }
        let (noun, was) = if columns.len() == 1 { ("column", "was") } else { ("columns", "were") };
        let text = format!(
            "the {noun} {} of {shown} {was} taken for the splits; --split-column chooses another column",
            choice::quoted_names(&columns)
        );
        ledger.add(RemarkKind::LayoutGuessed, rows as u64, text);
        let count = |wanted: Option<Split>| match self.column {
            Some(_) => 0,
            None => (0..rows).filter(|&row| self.flagged(row, cell) == wanted).count() as u64,
        };
        tell_contradictory(count(None), Some(shown), &columns, ledger);
        tell_in_none(count(Some(Split::None)), Some(shown), &columns, ledger);
    }
}

/// Says how many rows are in two splits by columns of 0 and 1; `table` is named where it is not the dataset itself.
pub(super) fn tell_contradictory(count: u64, table: Option<&str>, columns: &[String], ledger: &mut Ledger) {
    let of = table.map_or_else(String::new, |table| format!(" of {table}"));
    let (is, counts) = if count == 1 { ("is", "counts") } else { ("are", "count") };
    let rows = counted(count, "row", "rows");
    let columns = choice::quoted_names(columns);
    let text = format!("{rows}{of} {is} in two splits by the columns {columns}, and {counts} as having none");
    ledger.add(RemarkKind::LayoutDoubtful, count, text);
}

/// Says how many rows are in no split by columns of 0 and 1.
pub(super) fn tell_in_none(count: u64, table: Option<&str>, columns: &[String], ledger: &mut Ledger) {
    let of = table.map_or_else(String::new, |table| format!(" of {table}"));
    let is = if count == 1 { "is" } else { "are" };
    let rows = counted(count, "row", "rows");
    let columns = choice::quoted_names(columns);
    let text = format!("{rows}{of} {is} in no split by the columns {columns}, none of which is set there");
    ledger.add(RemarkKind::LayoutGuessed, count, text);
}

/// Rows that say another split than the dataset does, whose own is taken.
#[derive(Default)]
pub(super) struct OtherSplits(Tally<(PathBuf, String)>);

impl OtherSplits {
    /// Adds what a row says of a picture.
    pub(super) fn add(&mut self, picture: &Path, text: &str) {
        self.0.add(|| (picture.to_path_buf(), text.to_owned()));
    }

    /// Says how many there are in the table `shown`.
    pub(super) fn tell(&self, shown: &str, ledger: &mut Ledger) {
        let Some((count, (picture, text))) = self.0.told() else { return };
        let rows = counted(count, "row of", "rows of");
        let verb = if count == 1 { "gives" } else { "give" };
        let text = format!(
            "{rows} {shown} {verb} another split than the folders, which were taken: {} ('{}')",
            safe_path(picture),
            excerpt(text)
        );
        ledger.add(RemarkKind::LayoutDoubtful, count, text);
    }
}
