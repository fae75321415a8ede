//! Listed samples as rows of a table and of CSV.

use super::args::Format;
use super::listing::Entry;
use super::output::{Align, Table};
use anyhow::Result;
use std::io::Write;

/// Default number of rows in a table.
const TABLE_ROWS: usize = 20;

/// How many of all samples are listed: what was asked for, where 0 is all, or what fits.
pub(super) fn shown(top: Option<usize>, format: Format, all: usize) -> usize {
    match (top, format) {
        (Some(0), _) | (None, Format::Csv | Format::Json) => all,
        (None, Format::Table) => TABLE_ROWS,
        (Some(top), _) => top,
    }
}

/// Where a column stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum In {
    Both,
    Csv,
    /// In a table only where no other number takes its place.
    BothUnlessCrowded,
}

type Column = (&'static str, &'static str, Align, In, fn(&Entry, &str) -> String);

/// Names (the second in a table, where room is short), alignments, places, and texts, in which several names are separated.
const COLUMNS: [Column; 9] = [
    ("rank", "rank", Align::Right, In::Both, |entry, _| entry.rank.to_string()),
    ("path", "path", Align::Left, In::Both, |entry, _| entry.path.clone()),
    ("label", "label", Align::Left, In::Both, |entry, _| entry.label.clone()),
    ("suggested_label", "suggested", Align::Left, In::Both, |entry, _| entry.suggested_label.clone()),
    ("score", "score", Align::Right, In::BothUnlessCrowded, |entry, _| number(entry.score)),
    ("detectors", "detectors", Align::Left, In::Both, |entry, separator| entry.detectors.join(separator)),
    ("split", "split", Align::Left, In::Csv, |entry, _| entry.split.to_owned()),
    ("decision", "decision", Align::Left, In::Both, |entry, _| entry.decision.clone()),
    ("reason", "reason", Align::Left, In::BothUnlessCrowded, |entry, _| entry.reason.clone()),
];

/// A number of a row; empty where there is none.
fn number(value: Option<f32>) -> String {
    value.map_or_else(String::new, |value| format!("{value:.4}"))
}

/// A line of columns, with one more after the first.
fn line<T>(columns: &[&Column], extra: Option<T>, text: impl Fn(&Column) -> T) -> Vec<T> {
    let mut all: Vec<T> = columns.iter().map(|column| text(column)).collect();
    if let Some(extra) = extra {
        all.insert(1, extra);
    }
    all
}

/// Samples, each with the number that only this list has, if any.
pub(super) trait Rows: Iterator<Item = (Entry, Option<f32>)> {}

impl<I: Iterator<Item = (Entry, Option<f32>)>> Rows for I {}

/// A table for people; `extra` is the name of the additional number.
pub(super) fn table(rows: impl Rows, extra: Option<&'static str>) -> Table {
    let columns = COLUMNS.iter().filter(|(.., place, _)| match place {
        In::Both => true,
        In::Csv => false,
        In::BothUnlessCrowded => extra.is_none(),
    });
    let columns: Vec<&Column> = columns.collect();
    let head = extra.map(|name| (name, Align::Right));
    let mut table = Table::new(&line(&columns, head, |(_, short, align, ..)| (*short, *align)));
    for (entry, more) in rows {
        table.row(line(&columns, extra.map(|_| number(more)), |(.., text)| text(&entry, ",")));
    }
    table
}

/// CSV with all columns.
pub(super) fn csv(out: &mut dyn Write, rows: impl Rows, extra: Option<&'static str>) -> Result<()> {
    let columns: Vec<&Column> = COLUMNS.iter().collect();
    let mut table = csv::Writer::from_writer(out);
    table.write_record(line(&columns, extra, |(name, ..)| *name))?;
    for (entry, more) in rows {
        table.write_record(line(&columns, extra.map(|_| number(more)), |(.., text)| text(&entry, ";")))?;
    }
    table.flush()?;
    Ok(())
}
