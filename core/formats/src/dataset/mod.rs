//! Datasets as people keep them, opened as a [`Manifest`].
//!
//! # How to add a format
//!
//! One file and two lines. What `scan` says it takes, the message about what is none, and the table in
//! `docs/command-line.md` are made from [`FORMATS`].
//!
//! 1. Write `dataset/NAME.rs` with `pub(super) const FORMAT: Format`, as in `table.rs`: `detect` looks at the name
//!    and the kind of file only, `read` makes the manifest and reads no image.
//! 2. Add `mod NAME;` below.
//! 3. Add `NAME::FORMAT,` to [`FORMATS`]; the first that detects its own reads it.
//! 4. `CHAFFINCH_UPDATE=1 cargo test -p chaffinch --lib cli` writes the table in `docs/command-line.md`.

mod folders;
mod names;
mod table;

use crate::{Error, Result};
use chaffinch_data::dataset::{DatasetOptions, IMAGE_EXTENSIONS};
use chaffinch_data::manifest::Manifest;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::path::Path;

/// An opened dataset.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The samples.
    pub manifest: Manifest,
    /// What a person should know of how it was read, one sentence each.
    pub notes: Vec<String>,
}

/// All formats, in the order in which they are tried.
pub const FORMATS: &[Format] = &[folders::FORMAT, table::FORMAT];

/// A form in which datasets are kept.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// What it is, as an error has it: `a folder`.
    pub name: &'static str,
    /// The same as a help text has it: `a folder of images`.
    pub summary: &'static str,
    /// What may be in it, for the manual.
    pub details: &'static str,
    /// Whether a path, made absolute, is one by its name and kind.
    detect: fn(&Path, &Metadata) -> bool,
    /// Reads what was detected. Nothing is decoded and no image is read.
    read: fn(&Path, &DatasetOptions) -> Result<Opened>,
}

/// Opens a dataset in one of [`FORMATS`]. Nothing is decoded and no image is read.
///
/// # Errors
/// When there is nothing there, nothing in it, or a table does not say what it should.
pub fn open(path: &Path, options: &DatasetOptions) -> Result<Opened> {
    let full = std::path::absolute(path).map_err(Error::io("find", path))?;
    let metadata = fs::metadata(&full).map_err(Error::io("open", path))?;
    let Some(format) = FORMATS.iter().find(|format| (format.detect)(&full, &metadata)) else {
        let names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
        let message = format!("unknown dataset format: expected {}", names.join(" or "));
        return Err(Error::Dataset { path: full, message });
    };
    let opened = (format.read)(&full, options)?;
    if opened.manifest.len() >= u32::MAX as usize {
        return Err(Error::Dataset {
            path: full,
            message: "it has more than 4,294,967,294 images, which is the maximum".into(),
        });
    }
    Ok(opened)
}

/// The extension in lower case.
fn extension(path: &Path) -> Option<String> {
    path.extension().and_then(OsStr::to_str).map(str::to_ascii_lowercase)
}

/// Whether a file is called like an image.
fn is_image(path: &Path) -> bool {
    extension(path).is_some_and(|extension| IMAGE_EXTENSIONS.contains(&extension.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_dataset_says_so() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("data.parquet");
        let missing = open(&file, &DatasetOptions::default()).unwrap_err().to_string();
        assert!(missing.starts_with("cannot open ") && missing.contains("data.parquet"), "{missing}");
        fs::write(&file, b"PAR1").unwrap();
        let strange = open(&file, &DatasetOptions::default()).unwrap_err().to_string();
        assert!(strange.contains("neither a folder nor a .csv or .tsv table"), "{strange}");
        let empty = open(place.path(), &DatasetOptions::default()).unwrap_err().to_string();
        assert!(empty.contains("no image files"), "{empty}");
    }
}
