//! Columns of a table by their names: which is meant where several would do.

use crate::text::{TableText, broken, line};
use crate::{Error, Result};
use chaffinch_protocol::display::safe_text;
use csv::ByteRecord;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Rows whose files are looked for.
const TRIED: usize = 20;

/// The columns with one of the usual names, in the order of these names.
pub(super) fn named(headings: &[String], usual: &[&str]) -> Vec<usize> {
    let of = |name: &&str| {
        let name = (*name).to_owned();
        (0..headings.len()).filter(move |&column| headings[column].eq_ignore_ascii_case(&name))
    };
    usual.iter().flat_map(of).collect()
}

/// The columns of exactly this name; if there is none, those that differ in case.
pub(super) fn asked(headings: &[String], name: &str) -> Vec<usize> {
    let exact: Vec<usize> = (0..headings.len()).filter(|&column| headings[column] == name).collect();
    if exact.is_empty() { named(headings, &[name]) } else { exact }
}

/// Says which columns there are.
pub(super) fn among(headings: &[String]) -> String {
    let names: Vec<String> = headings.iter().map(|name| format!("'{}'", safe_text(name))).collect();
    match names.len() {
        1 => format!("the only column is {}", names[0]),
        _ => format!("the columns are {}", names.join(", ")),
    }
}

/// A table whose columns are to be chosen.
pub(super) struct Choices<'a> {
    pub(super) file: &'a Path,
    pub(super) table: &'a TableText,
    pub(super) headings: &'a [String],
}

/// Where two columns do not divide the rows alike.
struct Difference {
    column: usize,
    line: u64,
}

impl Choices<'_> {
    /// The column of paths: of several, the one whose files exist below the root. `chosen` gets a sentence if there was a
    /// choice.
    ///
    /// # Errors
    /// If the files of several exist, and they differ.
    pub(super) fn path(&self, candidates: &[usize], root: &Path, chosen: &mut Vec<String>) -> Result<usize> {
        let first = candidates.first().copied().unwrap_or_default();
        if candidates.len() < 2 {
            return Ok(first);
        }
        let mut exists = vec![false; candidates.len()];
        let mut same = true;
        let mut reader = self.table.reader();
        let mut record = ByteRecord::new();
        let read = |error| broken(self.file, error);
        reader.read_byte_record(&mut record).map_err(read)?;
        for _ in 0..TRIED {
            if !reader.read_byte_record(&mut record).map_err(read)? {
                break;
            }
            for (exists, &column) in exists.iter_mut().zip(candidates) {
                let Some(cell) = record.get(column).filter(|cell| !cell.is_empty() && !cell.contains(&0))
                else {
                    continue;
                };
                same &= Some(cell) == record.get(first);
                *exists |= root.join(OsStr::from_bytes(cell)).is_file();
            }
        }
        let there: Vec<usize> = candidates
            .iter()
            .zip(&exists)
            .filter(|(_, exists)| **exists)
            .map(|(&column, _)| column)
            .collect();
        match there.as_slice() {
            // That none of the files exists is said when they are looked for.
            _ if same => Ok(first),
            [] => Ok(first),
            [one] => {
                let rest: Vec<usize> = candidates.iter().copied().filter(|column| column != one).collect();
                chosen.push(format!(
                    "the paths were taken from the column {}, not from {}, whose files do not exist",
                    self.names(&[*one]),
                    self.names(&rest)
                ));
                Ok(*one)
            }
            several => Err(self.ambiguous(several, "path", "and name different files")),
        }
    }

    /// The column of labels or splits: of several that divide the rows alike, the first.
    ///
    /// # Errors
    /// If they do not divide the rows alike.
    pub(super) fn one(
        &self,
        candidates: &[usize],
        what: &str,
        chosen: &mut Vec<String>,
    ) -> Result<Option<usize>> {
        let Some((&first, others)) = candidates.split_first() else { return Ok(None) };
        if others.is_empty() {
            return Ok(Some(first));
        }
        if let Some(Difference { column, line }) = self.difference(first, others)? {
            let how = format!("and differ: see line {line}");
            return Err(self.ambiguous(&[first, column], what, &how));
        }
        let divide = if others.len() == 1 { "divides" } else { "divide" };
        chosen.push(format!(
            "the {what}s were taken from the column {}, not from {}, which {divide} the images alike; --{what}-column \
             chooses",
            self.names(&[first]),
            self.names(others)
        ));
        Ok(Some(first))
    }

    fn ambiguous(&self, columns: &[usize], what: &str, how: &str) -> Error {
        let names = self.names(columns);
        Error::format(
            self.file,
            format!("the columns {names} may both hold the {what}s, {how}; choose one with --{what}-column"),
        )
    }

    /// The first line in which a column and another one do not stand for each other.
    fn difference(&self, first: usize, others: &[usize]) -> Result<Option<Difference>> {
        let mut there: Vec<HashMap<Vec<u8>, Vec<u8>>> = vec![HashMap::new(); others.len()];
        let mut back = there.clone();
        let mut reader = self.table.reader();
        let mut record = ByteRecord::new();
        let mut is_header = true;
        while reader.read_byte_record(&mut record).map_err(|error| broken(self.file, error))? {
            if std::mem::take(&mut is_header) {
                continue;
            }
            for (place, &column) in others.iter().enumerate() {
                let (Some(one), Some(other)) = (record.get(first), record.get(column)) else { continue };
                let (one, other) = (one.trim_ascii().to_vec(), other.trim_ascii().to_vec());
                let known = there[place].entry(one.clone()).or_insert_with(|| other.clone()) == &other;
                let again = back[place].entry(other).or_insert_with(|| one.clone()) == &one;
                if !known || !again {
                    return Ok(Some(Difference { column, line: line(&record) }));
                }
            }
        }
        Ok(None)
    }

    /// `'a', 'b' and 'c'`.
    fn names(&self, columns: &[usize]) -> String {
        let name = |&column: &usize| {
            let name = &self.headings[column];
            let again = self.headings.iter().filter(|heading| *heading == name).count() > 1;
            let place = if again { format!(" (column {})", column + 1) } else { String::new() };
            format!("'{}'{place}", safe_text(name))
        };
        let all: Vec<String> = columns.iter().map(name).collect();
        match all.as_slice() {
            [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            _ => all.concat(),
        }
    }
}
