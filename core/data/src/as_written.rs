//! How the author wrote a dataset, as far as the manifest does not say it, so that an export can write it back.

use crate::columns::Column;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The value for "no label" in columns.
pub const NO_LABEL: u32 = u32::MAX;

/// One text per sample, stored as a number into the list of different texts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Texts {
    /// For each sample an index into `texts`, or [`NO_LABEL`] where nothing was written.
    pub(crate) codes: Column<u32>,
    /// The different texts.
    pub(crate) texts: Vec<String>,
}

impl Texts {
    /// The text of a row; empty if nothing was written.
    pub fn get(&self, row: usize) -> &str {
        let code = self.codes.get(row).copied().unwrap_or(NO_LABEL);
        self.texts.get(code as usize).map_or("", String::as_str)
    }

    /// The different texts, in the order in which they first occur.
    pub fn different(&self) -> &[String] {
        &self.texts
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }
}

/// Collects [`Texts`] row by row.
#[derive(Debug, Default)]
pub struct TextsBuilder {
    codes: Vec<u32>,
    texts: Vec<String>,
    known: HashMap<String, u32>,
}

impl TextsBuilder {
    /// Adds a row; empty if nothing was written.
    pub fn push(&mut self, text: &str) {
        if text.is_empty() {
            self.codes.push(NO_LABEL);
            return;
        }
        let code = match self.known.get(text) {
            Some(&code) => code,
            None => {
                let code = self.texts.len() as u32;
                self.known.insert(text.to_owned(), code);
                self.texts.push(text.to_owned());
                code
            }
        };
        self.codes.push(code);
    }

    /// The texts of all rows.
    pub fn finish(self) -> Texts {
        Texts { codes: self.codes.into(), texts: self.texts }
    }
}

/// What a table looked like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableForm {
    /// The headings of all columns in order.
    pub columns: Vec<String>,
    /// The column of paths.
    pub path: usize,
    /// The column of labels.
    pub label: Option<usize>,
    /// The column of splits.
    pub split: Option<usize>,
    /// The columns of 0 and 1, one for each class, if these say the labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<usize>,
    /// The byte between fields.
    pub delimiter: u8,
    /// The name of its encoding in the Encoding Standard of WHATWG: `UTF-8`, `windows-1252`, `UTF-16LE`.
    pub encoding: String,
    /// Whether it begins with a byte order mark.
    pub mark: bool,
    /// Whether lines end with a carriage return and a line feed.
    pub crlf: bool,
    /// Whether paths are bytes, whatever the encoding of the rest.
    pub paths_as_bytes: bool,
}

impl TableForm {
    /// The columns that are none of paths, labels or splits, in the order in which a manifest keeps them.
    pub fn kept(&self) -> impl Iterator<Item = usize> + '_ {
        let is_kept =
            |column: &usize| *column != self.path && ![self.label, self.split].contains(&Some(*column));
        (0..self.columns.len()).filter(is_kept)
    }
}

/// A file beside the pictures of a folder from which labels, splits or other columns were read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableBeside {
    /// Its path relative to the root, as bytes.
    path: Vec<u8>,
    /// The heading of its column of labels, if labels were read from it.
    pub label: Option<String>,
}

impl TableBeside {
    /// A table at this path below the root, whose labels are in the column `label`.
    pub fn new(path: &Path, label: Option<String>) -> TableBeside {
        TableBeside { path: path.as_os_str().as_bytes().to_vec(), label }
    }

    /// Its path relative to the root.
    pub fn path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.path))
    }
}
