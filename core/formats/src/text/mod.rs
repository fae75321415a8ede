//! Text files of other programs: which encoding they are in, and what stands between their fields.

mod delimiter;
mod encoding;
mod fields;
pub(crate) mod json_keys;
pub(crate) mod json_numbers;
pub(crate) mod json_parts;
mod letters;
mod quotes;
mod sheet;
mod truth;

pub(crate) use encoding::{Cells, Document, encoder, windows_or_latin};
pub(crate) use fields::{field_of, replaced};
pub(crate) use letters::{composed, spellings};
pub(crate) use sheet::{Sheet, file_names, is_missing};
pub(crate) use truth::truth;

use crate::{Error, Result};
use csv::ByteRecord;
use std::path::Path;

/// A table as it lies in a file, split into records of bytes.
pub(crate) struct TableText {
    document: Document,
    /// Where the first record begins.
    start: usize,
    /// The byte between fields.
    pub(crate) delimiter: u8,
    /// Whether lines end with a carriage return and a line feed.
    pub(crate) crlf: bool,
}

impl TableText {
    /// Reads a file; `usual` is what its extension says of the delimiter.
    ///
    /// # Errors
    /// When the file cannot be read, or is not text.
    pub(crate) fn read(path: &Path, usual: u8) -> Result<TableText> {
        let document = Document::read(path)?;
        let text = document.text();
        let (start, named) = delimiter::named(text);
        let delimiter = named.unwrap_or_else(|| delimiter::detect(&text[start..], usual));
        let first = memchr::memchr(b'\n', text);
        let crlf = first.is_some_and(|end| end > 0 && text[end - 1] == b'\r');
        if let Some(line) = quotes::left_open(text, start, delimiter) {
            let message = format!(
                "line {line} opens a quotation mark that is never closed; close it, or write it twice"
            );
            return Err(Error::format(path, message));
        }
        Ok(TableText { document, start, delimiter, crlf })
    }

    /// The file as text.
    pub(crate) fn document(&self) -> &Document {
        &self.document
    }

    /// Where the first record begins in the text; positions of records count from there.
    pub(crate) fn start(&self) -> usize {
        self.start
    }

    /// The line in the file on which a record of [`TableText::reader`] begins, counted from 1.
    pub(crate) fn line(&self, record: &ByteRecord) -> u64 {
        let Some(position) = record.position() else { return 0 };
        // The reader leaves the end of a line, and blank ones, to the record after it, and does not know of a line before
        // the header.
        let before = u64::from(self.start > 0);
        let rest = self.document.text().get(self.start + position.byte() as usize..).unwrap_or_default();
        let blank = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
        position.line() + before + blank.filter(|byte| **byte == b'\n').count() as u64
    }

    /// The records; the first one is no header to the reader.
    pub(crate) fn reader(&self) -> csv::Reader<&[u8]> {
        let text = &self.document.text()[self.start..];
        csv::ReaderBuilder::new()
            .delimiter(self.delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(text)
    }

    /// Decides how cells are decoded, from all of them but the paths.
    ///
    /// # Errors
    /// When the table mixes encodings, naming the lines.
    pub(crate) fn cells(&self, path: &Path, is_path: impl Fn(&ByteRecord, usize) -> bool) -> Result<Cells> {
        encoding::cells(path, self, is_path)
    }
}

/// `1` for `1.0`, as programs write whole numbers of a column with gaps. What is no number is for the caller to see.
pub(crate) fn as_whole(cell: &str) -> &str {
    cell.strip_suffix(".0").unwrap_or(cell)
}

/// What the delimiter is called in a sentence.
pub(crate) fn delimiter_words(delimiter: u8) -> &'static str {
    match delimiter {
        b';' => "semicolons",
        b'\t' => "tabs",
        b'|' => "vertical bars",
        b',' => "commas",
        _ => "another sign",
    }
}

/// An error of the CSV reader, with the file and the line.
pub(crate) fn broken(path: &Path, error: csv::Error) -> Error {
    let line = error.position().map(|position| format!("line {}: ", position.line())).unwrap_or_default();
    match error.into_kind() {
        csv::ErrorKind::Io(source) => Error::io("read", path)(source),
        kind => Error::format(path, format!("{line}the table cannot be read ({kind:?})")),
    }
}
