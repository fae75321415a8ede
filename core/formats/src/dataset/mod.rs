//! Dataset formats, opened as a [`Manifest`].
//!
//! # How to add a format
//!
//! One file and two lines. The help of `scan`, the message about an unknown format, and the table in
//! `docs/command-line.md` are generated from [`FORMATS`].
//!
//! 1. Write `dataset/NAME.rs` with `pub(super) const FORMAT: Format`, as in `table.rs`: `detect` looks only at the name
//!    and the file type, `read` builds the manifest and reads no image. Names of classes that come from bytes go through
//!    [`chaffinch_data::class_names::of_bytes`]; their spellings are compared here, for all formats.
//! 2. Add `mod NAME;` below.
//! 3. Add `NAME::FORMAT,` to [`FORMATS`]; the first one whose `detect` matches reads the dataset.
//! 4. `CHAFFINCH_UPDATE=1 cargo test -p chaffinch --lib` writes the table in `docs/command-line.md`.

mod choice;
mod classes;
mod folders;
mod joined;
mod label_pattern;
mod missing;
mod names;
mod table;

pub(crate) use folders::{BesideTable, Edit, is_known_column, paths_say, split_named};

use crate::{Error, Result};
use chaffinch_data::dataset::{DatasetOptions, IMAGE_EXTENSIONS};
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::Ledger;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

/// An opened dataset.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The samples.
    pub manifest: Manifest,
    /// How it was read: what was left out, guessed or is doubtful.
    pub ledger: Ledger,
}

/// All formats, in the order they are tried.
pub const FORMATS: &[Format] = &[
    // The first that detects a path reads it.
    folders::FORMAT,
    table::FORMAT,
];

/// A dataset format.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// Its name in error messages: `a folder`.
    pub name: &'static str,
    /// Its name in help texts: `a folder of images`.
    pub summary: &'static str,
    /// What it may contain, for the manual.
    pub details: &'static str,
    /// Whether an absolute path is in this format, by its name and file type.
    detect: fn(&Path, &Metadata) -> bool,
    /// Reads the dataset. Nothing is decoded and no image is read.
    read: fn(&Path, &DatasetOptions) -> Result<Opened>,
}

/// Opens a dataset in one of [`FORMATS`]. Nothing is decoded and no image is read. In the ledger, the files found are the
/// samples and those that were left out.
///
/// # Errors
/// When the path does not exist, the dataset is empty, a table is malformed, or none of its files exists.
pub fn open(path: &Path, options: &DatasetOptions) -> Result<Opened> {
    let (full, opened) = list(path, options)?;
    if full.is_dir() { Ok(opened) } else { missing::settle(opened, &full, options) }
}

/// The same without looking for the files of a table, and the absolute path.
pub(crate) fn list(path: &Path, options: &DatasetOptions) -> Result<(PathBuf, Opened)> {
    let full = std::path::absolute(path).map_err(Error::io("find", path))?;
    let metadata = fs::metadata(&full).map_err(Error::io("open", path))?;
    let Some(format) = FORMATS.iter().find(|format| (format.detect)(&full, &metadata)) else {
        let names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
        let advice = match extension(&full).as_deref() {
            Some("xlsx" | "xls" | "xlsm" | "ods" | "numbers") => "; save the spreadsheet as CSV",
            Some("parquet" | "arrow" | "feather" | "json" | "jsonl" | "ndjson" | "xml") => {
                "; write the paths and labels to a CSV table"
            }
            Some("zip" | "tar" | "gz" | "tgz" | "7z" | "rar") => "; unpack the archive",
            Some("txt" | "lst" | "dat") => "; give the table a header line and call it .csv",
            _ if is_image(&full) => "; open the folder that it is in",
            _ => "",
        };
        let message = format!("unknown dataset format: expected {}{advice}", names.join(" or "));
        return Err(Error::Dataset { path: full, message });
    };
    let mut opened = (format.read)(&full, &joined::without_labels(options))?;
    if let Some(file) = &options.labels {
        opened = joined::join(opened, file, options)?;
    } else if let Some(pattern) = &options.label_pattern {
        opened = label_pattern::take(opened, pattern)?;
    }
    opened.manifest = opened.manifest.with_ground(options.ground);
    if opened.manifest.len() >= u32::MAX as usize {
        return Err(Error::Dataset {
            path: full,
            message: "it has more than 4,294,967,294 images, which is the maximum".into(),
        });
    }
    // Whatever the format, classes are compared in one spelling.
    Ok((full, classes::clean(opened, options.keep_null_labels, options.labels.is_some())))
}

/// The extension in lower case.
fn extension(path: &Path) -> Option<String> {
    path.extension().and_then(OsStr::to_str).map(str::to_ascii_lowercase)
}

/// Whether a file has an image extension.
fn is_image(path: &Path) -> bool {
    extension(path).is_some_and(|extension| IMAGE_EXTENSIONS.contains(&extension.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_dataset_says_so() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("data.parquet");
        let missing = open(&file, &DatasetOptions::default()).unwrap_err().to_string();
        assert!(missing.starts_with("cannot open ") && missing.contains("data.parquet"), "{missing}");
        fs::write(&file, b"PAR1").unwrap();
        let strange = open(&file, &DatasetOptions::default()).unwrap_err().to_string();
        assert!(strange.contains("expected a folder or a .csv or .tsv table"), "{strange}");
        let empty = open(temp.path(), &DatasetOptions::default()).unwrap_err().to_string();
        assert!(empty.contains("no image files"), "{empty}");
    }
}
