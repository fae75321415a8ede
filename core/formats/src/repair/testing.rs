//! What tests of repair share: small datasets, plans about them, and what is in a folder.

use super::parquet_header::PageAt;
use super::parquet_pages::Pages;
use crate::dataset;
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::job::Job;
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::sample::{SampleId, Split};
use chaffinch_review::repair::{Change, Counts, PathText, Plan, Policies, VERSION};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

/// What is done to a sample.
#[derive(Debug, Clone)]
pub(super) enum Do {
    Remove,
    Label(&'static str),
    Split(Split),
    Both(&'static str, Split),
}

pub(super) fn write(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

pub(super) fn manifest(dataset: &Path) -> Manifest {
    dataset::open(dataset, &DatasetOptions::default()).unwrap().manifest
}

/// A sample in a plan, with nothing that changes yet.
pub(super) fn change(manifest: &Manifest, id: SampleId) -> Change {
    Change {
        path: PathText::new(manifest.path(id)),
        row: id.0,
        repeated: false,
        hash: ContentHash::of(&manifest.source(id).read().unwrap()),
        label: manifest.label_name(id).to_owned(),
        split: manifest.split(id),
        remove: false,
        to_label: None,
        to_split: None,
        why: String::new(),
    }
}

/// A plan about the samples with these paths.
pub(super) fn plan(dataset: &Path, wishes: &[(&str, Do)]) -> Plan {
    let manifest = manifest(dataset);
    let mut changes: Vec<Change> = Vec::new();
    for (path, wish) in wishes {
        let id = manifest.ids().find(|&id| manifest.path(id) == Path::new(path)).expect(path);
        let (to_label, to_split) = match wish {
            Do::Remove => (None, None),
            Do::Label(label) => (Some((*label).to_owned()), None),
            Do::Split(split) => (None, Some(*split)),
            Do::Both(label, split) => (Some((*label).to_owned()), Some(*split)),
        };
        changes.push(Change {
            remove: matches!(wish, Do::Remove),
            to_label,
            to_split,
            ..change(&manifest, id)
        });
    }
    changes.sort_by_key(|change| change.row);
    Plan {
        version: VERSION,
        dataset: PathText::new(dataset),
        reading: DatasetOptions::default(),
        samples: manifest.len() as u64,
        policies: Policies::default(),
        changes,
        conflicts: Vec::new(),
        counts: Counts::default(),
    }
}

/// Runs something to its end.
pub(super) fn whole<T>(run: impl FnOnce(&Job<'_>) -> T) -> T {
    run(&Job::new(&AtomicBool::new(false), &|_, _| {}))
}

/// Runs something and stops it after so many reports of progress.
pub(super) fn stopped_after<T>(steps: usize, run: impl FnOnce(&Job<'_>) -> T) -> T {
    let stop = AtomicBool::new(steps == 0);
    let left = std::sync::atomic::AtomicUsize::new(steps);
    let progress = |_, _| {
        if left.fetch_sub(1, Ordering::Relaxed) <= 1 {
            stop.store(true, Ordering::Relaxed);
        }
    };
    run(&Job::new(&stop, &progress))
}

/// All files of a folder with their bytes and times.
pub(super) fn files(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    let walk = walkdir::WalkDir::new(folder).into_iter().map(|entry| entry.unwrap());
    walk.filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let path = entry.path().strip_prefix(folder).unwrap().to_path_buf();
            let modified = entry.metadata().unwrap().modified().unwrap();
            (path, (fs::read(entry.path()).unwrap(), modified))
        })
        .collect()
}

/// The same without times.
pub(super) fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    files(folder).into_iter().map(|(path, (bytes, _))| (path, bytes)).collect()
}

/// The same without what a rollback needs, which is beside a dataset that is a file.
pub(super) fn visible(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = contents(folder);
    all.retain(|path, _| !path.to_string_lossy().starts_with('.'));
    all
}

/// Samples as `path label split`.
pub(super) fn rows(dataset: &Path) -> Vec<String> {
    let read = manifest(dataset);
    let row = |id| {
        format!("{} {} {}", read.path(id).display(), read.label_name(id), read.split(id))
            .trim_end()
            .to_owned()
    };
    read.ids().map(row).collect()
}

/// All pages in a range of a file.
pub(super) fn pages(file: &File, start: u64, len: u64) -> io::Result<Vec<PageAt>> {
    let mut pages = Pages::new(file, start, len)?;
    let mut all = Vec::new();
    while let Some(page) = pages.next()? {
        pages.pass(&page);
        all.push(page);
    }
    Ok(all)
}
