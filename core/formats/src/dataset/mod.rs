//! Datasets as people keep them, opened as a [`Manifest`].

mod folders;
mod names;
mod table;

use crate::{Error, Result};
use chaffinch_data::dataset::{DatasetOptions, IMAGE_EXTENSIONS};
use chaffinch_data::manifest::Manifest;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

/// An opened dataset.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The samples.
    pub manifest: Manifest,
    /// What a person should know of how it was read, one sentence each.
    pub notes: Vec<String>,
}

/// Opens a dataset: a folder (of class folders, of split folders with class folders, or flat), or a CSV or TSV
/// table with a heading. Nothing is decoded and no image is read.
///
/// # Errors
/// When there is nothing there, nothing in it, or a table does not say what it should.
pub fn open(path: &Path, options: &DatasetOptions) -> Result<Opened> {
    let full = std::path::absolute(path).map_err(Error::io("find", path))?;
    let metadata = fs::metadata(&full).map_err(Error::io("open", path))?;
    let opened = if metadata.is_dir() {
        folders::open(&full, options)?
    } else {
        match extension(&full).as_deref() {
            Some("csv") => table::open(&full, b',', options)?,
            Some("tsv" | "tab") => table::open(&full, b'\t', options)?,
            _ => {
                let message = "this is neither a folder nor a .csv or .tsv table; give one of these";
                return Err(Error::Dataset { path: full, message: message.into() });
            }
        }
    };
    if opened.manifest.len() >= u32::MAX as usize {
        return Err(Error::Dataset { path: full, message: "it has more than 4,294,967,294 images".into() });
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

/// `1 file`, `12 files`.
fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
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
