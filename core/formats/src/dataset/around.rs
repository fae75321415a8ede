//! The files around the pictures of a folder, as formats look at them whose labels are in other files.

use super::json::{Outer, Shape};
use super::{DatasetOptions, IMAGE_EXTENSIONS, extension};
use chaffinch_data::manifest::NewSample;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// How many files with unknown names are looked into.
const OPENED: usize = 64;

/// A folder with its pictures and other files.
pub(super) struct Around<'a> {
    /// The folder, absolute.
    pub(super) root: &'a Path,
    /// Files that are not pictures and may hold labels, relative and in byte order.
    pub(super) others: &'a [PathBuf],
    /// The pictures in byte order.
    pub(super) samples: &'a [NewSample],
    pub(super) options: &'a DatasetOptions,
}

impl Around<'_> {
    /// The JSON files that are objects and do not stand beside a picture of their name, with their shapes: those with
    /// telling names, and some of the others.
    pub(super) fn objects(&self) -> Vec<(&Path, Shape)> {
        let json = |path: &&PathBuf| extension(path).as_deref() == Some("json");
        let all: Vec<&Path> = self.others.iter().filter(json).map(PathBuf::as_path).collect();
        let (told, mut rest): (Vec<&Path>, Vec<&Path>) = all.into_iter().partition(|path| is_telling(path));
        if rest.len() > OPENED {
            let stems: HashSet<&[u8]> =
                self.samples.iter().filter_map(|sample| Some(sample.path.file_stem()?.as_bytes())).collect();
            rest.retain(|path| path.file_stem().is_none_or(|stem| !stems.contains(stem.as_bytes())));
            rest.truncate(OPENED);
        }
        let shaped = told.into_iter().chain(rest).filter_map(|path| {
            let shape = Shape::of_file(&self.root.join(path))?;
            (shape.outer == Outer::Object).then_some((path, shape))
        });
        let mut shaped: Vec<(&Path, Shape)> = shaped.collect();
        shaped.sort_by(|(a, _), (b, _)| a.as_os_str().as_bytes().cmp(b.as_os_str().as_bytes()));
        shaped
    }

    /// The other files that `is` accepts by their name in lower case.
    pub(super) fn called(&self, is: impl Fn(&str) -> bool) -> impl Iterator<Item = &Path> {
        let named = move |path: &&Path| {
            let name = path.file_name().and_then(OsStr::to_str);
            name.is_some_and(|name| is(&name.to_ascii_lowercase()))
        };
        self.others.iter().map(PathBuf::as_path).filter(named)
    }

    /// The row of the picture at an absolute path. A path without the extension of a picture may stand for one with it.
    pub(super) fn picture(&self, path: &Path) -> Option<usize> {
        let wanted = path.strip_prefix(self.root).ok()?.as_os_str().as_bytes();
        if let Ok(row) = self.samples.binary_search_by(|sample| bytes(sample).cmp(wanted)) {
            return Some(row);
        }
        let mut start = wanted.to_vec();
        start.push(b'.');
        let from = self.samples.partition_point(|sample| bytes(sample) < start.as_slice());
        let extended = self.samples[from..].iter().take(2 * IMAGE_EXTENSIONS.len());
        extended
            .take_while(|sample| bytes(sample).starts_with(&start))
            .position(|sample| {
                let rest = &bytes(sample)[start.len()..];
                rest.iter().all(u8::is_ascii_alphanumeric)
            })
            .map(|at| from + at)
    }
}

fn bytes(sample: &NewSample) -> &[u8] {
    sample.path.as_os_str().as_bytes()
}

/// Whether a JSON file is called like one that holds labels.
fn is_telling(path: &Path) -> bool {
    let lower = |name: Option<&OsStr>| {
        name.map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default()
    };
    let (name, folder) = (lower(path.file_name()), lower(path.parent().and_then(Path::file_name)));
    ["labels.json", "samples.json", "annotations.json", "coco.json", "instances.json"]
        .contains(&name.as_str())
        || name.starts_with("instances")
        || name.starts_with("_annotations")
        || name.contains("coco")
        || (folder == "annotations" && !name.contains(".jpg") && !name.contains(".png"))
}
