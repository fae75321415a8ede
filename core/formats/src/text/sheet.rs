//! A whole table with a header, read cell by cell.

use super::{Cells, TableText, broken, truth};
use crate::same_headings;
use crate::{Error, Result};
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::display::{counted, excerpt};
use csv::ByteRecord;
use std::borrow::Cow;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Columns that a message lists.
const LISTED: usize = 30;

/// A table in memory.
pub(crate) struct Sheet {
    path: PathBuf,
    /// The columns' names, without blanks at their ends.
    pub(crate) headings: Vec<String>,
    records: Vec<ByteRecord>,
    /// The line of each.
    lines: Vec<u64>,
    cells: Cells,
    delimiter: u8,
}

impl Sheet {
    /// Reads a table. The delimiter is that of the extension or found in the text.
    ///
    /// # Errors
    /// When the file cannot be read, is empty, or a row has another number of fields than the header.
    pub(crate) fn read(path: &Path) -> Result<Sheet> {
        let tabs = path.extension().is_some_and(|extension| {
            extension.eq_ignore_ascii_case("tsv") || extension.eq_ignore_ascii_case("tab")
        });
        let table = TableText::read(path, if tabs { b'\t' } else { b',' })?;
        // Bytes of paths are what they are on the disk and say nothing of the encoding; here they are the text that
        // another program wrote.
        let cells = table.cells(path, |_, _| false).or_else(|_| table.cells(path, |_, _| true))?;
        let mut reader = table.reader();
        let mut record = ByteRecord::new();
        if !reader.read_byte_record(&mut record).map_err(|error| broken(path, error))? {
            return Err(Error::format(path, "it is empty; expected a table with a header line"));
        }
        let headings: Vec<String> = record.iter().map(|cell| cells.text(cell).trim().to_owned()).collect();
        let (mut records, mut lines) = (Vec::new(), Vec::new());
        while reader.read_byte_record(&mut record).map_err(|error| broken(path, error))? {
            if record.len() != headings.len() {
                let (has, expected) = (counted(record.len() as u64, "field", "fields"), headings.len());
                let message = format!(
                    "line {} has {has}, but the header has {expected}; is the file cut?",
                    table.line(&record)
                );
                return Err(Error::format(path, message));
            }
            records.push(record.clone());
            lines.push(table.line(&record));
        }
        let delimiter = table.delimiter;
        Ok(Sheet { path: path.to_path_buf(), headings, records, lines, cells, delimiter })
    }

    /// One of rows of texts that were read in another way.
    pub(crate) fn of<'r>(
        path: &Path,
        headings: &[String],
        rows: impl Iterator<Item = &'r [String]>,
    ) -> Sheet {
        let headings = headings.iter().map(|heading| heading.trim().to_owned()).collect();
        let records: Vec<ByteRecord> = rows.map(|cells| cells.iter().collect()).collect();
        let lines = (1..).take(records.len()).collect();
        Sheet { path: path.to_path_buf(), headings, records, lines, cells: Cells::of_text(), delimiter: b',' }
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The byte between cells.
    pub(crate) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// Number of rows below the header.
    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// The column of this name; if there is none, one that differs in case.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        let exact = self.headings.iter().position(|heading| heading == name);
        exact.or_else(|| self.headings.iter().position(|heading| heading.eq_ignore_ascii_case(name)))
    }

    /// The first column that has one of these names.
    pub(crate) fn any_column(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.column(name))
    }

    /// The column of this name, or of this number where several share their heading.
    ///
    /// # Errors
    /// When there is none, with those that there are.
    pub(crate) fn required(&self, name: &str) -> Result<usize> {
        let found = self.column(name).or_else(|| same_headings::by_number(&self.headings, name));
        found.ok_or_else(|| self.without(&format!("'{}'", excerpt(name))))
    }

    /// A column, which must not share its heading with one that differs. `asked` is what the user calls it, `option` what
    /// chooses another.
    ///
    /// # Errors
    /// When it does.
    pub(crate) fn sole(&self, column: usize, asked: Option<&str>, option: &str) -> Result<usize> {
        let how = (asked, Some(option));
        same_headings::refuse_differing(&self.path, &self.headings, column, how, |other| {
            Ok((0..self.len()).any(|row| self.text(row, column) != self.text(row, other)))
        })?;
        Ok(column)
    }

    /// The error of a table that lacks a column.
    pub(crate) fn without(&self, what: &str) -> Error {
        let mut names: Vec<String> =
            self.headings.iter().take(LISTED).map(|name| format!("'{}'", excerpt(name))).collect();
        if self.headings.len() > LISTED {
            names.push(format!("and {} more", self.headings.len() - LISTED));
        }
        Error::format(&self.path, format!("there is no column {what}; the columns are {}", names.join(", ")))
    }

    /// The line of a row, counted from 1.
    pub(crate) fn line(&self, row: usize) -> u64 {
        self.lines[row]
    }

    /// A cell as it is in the file.
    pub(crate) fn bytes(&self, row: usize, column: usize) -> &[u8] {
        self.records[row].get(column).unwrap_or_default()
    }

    /// A cell that names a file of the dataset, of which `known` are the names: what is not UTF-8 are the bytes of such a name, or
    /// text in the encoding of the table.
    pub(crate) fn file_name(&self, row: usize, column: usize, known: &HashSet<&[u8]>) -> Vec<u8> {
        let bytes = self.bytes(row, column);
        let last = bytes.rsplit(|byte| matches!(byte, b'/' | b'\\')).next().unwrap_or_default();
        match std::str::from_utf8(bytes) {
            Err(_) if known.contains(last) => bytes.to_vec(),
            _ => self.text(row, column).as_bytes().to_vec(),
        }
    }

    /// A cell as text, without blanks at its ends.
    pub(crate) fn text(&self, row: usize, column: usize) -> Cow<'_, str> {
        match self.cells.text(self.bytes(row, column)) {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        }
    }

    /// A cell as text, empty if there is no such column.
    pub(crate) fn text_of(&self, row: usize, column: Option<usize>) -> String {
        column.map_or_else(String::new, |column| self.text(row, column).into_owned())
    }

    /// A number; `None` where none was written.
    ///
    /// # Errors
    /// When a cell is something else, with its line.
    pub(crate) fn number(&self, row: usize, column: usize) -> Result<Option<f32>> {
        let text = self.text(row, column);
        if is_missing(&text) {
            return Ok(None);
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Some(number as f32)),
            _ => Err(self.odd_cell(row, column, "a number")),
        }
    }

    /// A flag; `None` where none was written.
    ///
    /// # Errors
    /// When a cell is something else, with its line.
    pub(crate) fn flag(&self, row: usize, column: usize) -> Result<Option<bool>> {
        let text = self.text(row, column);
        if is_missing(&text) {
            return Ok(None);
        }
        truth(&text).map(Some).ok_or_else(|| self.odd_cell(row, column, "True or False"))
    }

    /// The error of a cell that is not what its column has to hold.
    pub(crate) fn odd_cell(&self, row: usize, column: usize, expected: &str) -> Error {
        let (line, name) = (self.line(row), excerpt(&self.headings[column]));
        let cell = self.text(row, column);
        Error::format(
            &self.path,
            format!("line {line}, column '{name}': '{}' is not {expected}", excerpt(&cell)),
        )
    }
}

/// Whether a cell means that there is no value, as programs write it.
pub(crate) fn is_missing(text: &str) -> bool {
    text.is_empty() || ["nan", "na", "<na>", "none", "null"].contains(&text.to_ascii_lowercase().as_str())
}

/// The names of a dataset's files without their folders.
pub(crate) fn file_names(manifest: &Manifest) -> HashSet<&[u8]> {
    manifest.ids().filter_map(|id| manifest.path(id).file_name()).map(OsStr::as_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn read(text: &str) -> Result<Sheet> {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("t.csv");
        fs::write(&file, text).unwrap();
        Sheet::read(&file)
    }

    #[test]
    fn cells_are_what_their_columns_hold() {
        let sheet = read("Path,is_x,x\n a.png ,True,0.5\nb.png,,nan\nc.png,0,inf\n").unwrap();
        assert_eq!((sheet.column("path"), sheet.len(), sheet.line(1)), (Some(0), 3, 3));
        assert_eq!(sheet.text(0, 0), "a.png");
        assert_eq!((sheet.flag(0, 1).unwrap(), sheet.flag(1, 1).unwrap()), (Some(true), None));
        assert_eq!((sheet.number(0, 2).unwrap(), sheet.number(1, 2).unwrap()), (Some(0.5), None));
        let error = sheet.number(2, 2).unwrap_err().to_string();
        assert!(error.contains("line 4, column 'x': 'inf' is not a number"), "{error}");
        let error = sheet.required("y").unwrap_err().to_string();
        assert!(error.contains("there is no column 'y'; the columns are 'Path', 'is_x', 'x'"), "{error}");
    }

    #[test]
    fn a_file_that_is_cut_is_an_error_with_its_line() {
        let error = read("path,a,b\n1.png,2,3\n2.png,2").err().unwrap().to_string();
        assert!(error.contains("line 3 has 2 fields, but the header has 3; is the file cut?"), "{error}");
        assert!(read("").err().unwrap().to_string().contains("it is empty"));
    }
}
