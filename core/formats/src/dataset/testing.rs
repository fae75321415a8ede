//! What tests of dataset formats share: small folders, and what was read from them.

use super::{DatasetOptions, Opened, open};
use crate::Result;
use chaffinch_data::dataset::LabelFiles;
use chaffinch_protocol::RemarkKind;
use chaffinch_protocol::display::safe_path;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// A folder with these files, each with its content.
pub(super) fn tree(files: &[(&str, &str)]) -> TempDir {
    let temp = tempfile::tempdir().unwrap();
    for (file, text) in files {
        let path = temp.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    temp
}

/// Opens a file or folder below a folder, with the usual options.
pub(super) fn read(temp: &TempDir, below: &str) -> Result<Opened> {
    open(&temp.path().join(below), &DatasetOptions::default())
}

/// Opens a folder, and checks that samples and files left out are all files, each with a remark.
pub(super) fn read_folder(folder: &Path) -> Opened {
    let opened = open(folder, &DatasetOptions::default()).unwrap();
    let walk = walkdir::WalkDir::new(folder).into_iter().map(|entry| entry.unwrap());
    let files = walk.filter(|entry| !entry.file_type().is_dir()).count() as u64;
    let ledger = &opened.ledger;
    assert_eq!(ledger.found, files, "{ledger:#?}");
    assert_eq!(opened.manifest.len() as u64 + ledger.left_out, files, "{ledger:#?}");
    let reasons = [RemarkKind::UnsupportedPictures, RemarkKind::MachineMade, RemarkKind::OtherFiles];
    let explained: u64 = reasons.into_iter().map(|kind| ledger.count(kind)).sum();
    assert_eq!(explained, ledger.left_out, "{ledger:#?}");
    opened
}

/// The error of a dataset that is refused, with and without its labels being needed: none without.
pub(super) fn refused(temp: &TempDir, below: &str) -> String {
    let path = temp.path().join(below);
    if path.is_dir() {
        let options = DatasetOptions { label_files: LabelFiles::Optional, ..DatasetOptions::default() };
        open(&path, &options).unwrap();
    }
    open(&path, &DatasetOptions::default()).unwrap_err().to_string()
}

/// `path label split` of each sample, `-` for none.
pub(super) fn rows(opened: &Opened) -> Vec<String> {
    let manifest = &opened.manifest;
    let or_none = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
    let row = |id| {
        let path = safe_path(manifest.path(id));
        format!("{path} {} {}", or_none(manifest.label_name(id)), or_none(manifest.split(id).name()))
    };
    manifest.ids().map(row).collect()
}

/// The values of an extra column; empty if there is none.
pub(super) fn column(opened: &Opened, name: &str) -> Vec<String> {
    let found = opened.manifest.extra().iter().find(|column| column.name == name);
    found.map(|column| column.values.clone()).unwrap_or_default()
}

/// Whether a remark of this kind has this text in it.
pub(super) fn says(opened: &Opened, kind: RemarkKind, text: &str) -> bool {
    opened.ledger.remarks.iter().any(|remark| remark.kind == kind && remark.text.contains(text))
}
