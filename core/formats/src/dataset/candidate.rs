//! A path that may be a dataset, as formats look at it to tell whether it is theirs.

use crate::{Error, Result};
use chaffinch_data::packing::is_address;
use std::cell::OnceCell;
use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// How deep folders are listed: the dataset, its parts, and what is in these.
const DEPTH: usize = 3;
/// How many entries are listed at most. What a format is known by is never behind more files than that.
const ENTRIES: usize = 50_000;

/// A path that may be a dataset.
pub struct Candidate {
    path: PathBuf,
    /// `None` if it is the address of a bucket.
    metadata: Option<Metadata>,
    listing: OnceCell<Vec<PathBuf>>,
}

impl Candidate {
    /// Looks at a path.
    ///
    /// # Errors
    /// When it does not exist or cannot be looked at.
    pub(super) fn new(path: &Path) -> Result<Candidate> {
        if is_address(path) {
            return Ok(Candidate { path: path.to_path_buf(), metadata: None, listing: OnceCell::new() });
        }
        let full = std::path::absolute(path).map_err(Error::io("find", path))?;
        let metadata = fs::metadata(&full).map_err(Error::io("open", path))?;
        Ok(Candidate { path: full, metadata: Some(metadata), listing: OnceCell::new() })
    }

    /// The absolute path, or the address.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn is_dir(&self) -> bool {
        self.metadata.as_ref().is_some_and(Metadata::is_dir)
    }

    /// Whether it is the address of a bucket.
    pub(super) fn is_address(&self) -> bool {
        self.metadata.is_none()
    }

    /// Whether it is a file with one of these extensions, which are in lower case.
    pub(super) fn has_extension(&self, extensions: &[&str]) -> bool {
        self.metadata.as_ref().is_some_and(Metadata::is_file)
            && super::extension(&self.path).is_some_and(|own| extensions.contains(&own.as_str()))
    }

    /// The files in a folder and in the two levels of folders below it, relative to it and in byte order; none if it is
    /// a file. Hidden ones are not among them. Of more than 50,000, those that come first.
    pub(super) fn files(&self) -> &[PathBuf] {
        self.listing.get_or_init(|| if self.is_dir() { list(&self.path) } else { Vec::new() })
    }

    /// The listed files in the folder itself.
    pub(super) fn own_files(&self) -> impl Iterator<Item = &Path> {
        self.files().iter().map(PathBuf::as_path).filter(|path| path.components().count() == 1)
    }

    /// The listed files of this name, in lower case, wherever they are.
    pub(super) fn called(&self, name: &str) -> impl Iterator<Item = &Path> {
        let is = move |path: &&Path| {
            path.file_name().and_then(OsStr::to_str).is_some_and(|own| own.eq_ignore_ascii_case(name))
        };
        self.files().iter().map(PathBuf::as_path).filter(is)
    }

    /// The listed files with this extension, which is in lower case.
    pub(super) fn with_extension<'a>(&'a self, wanted: &'a str) -> impl Iterator<Item = &'a Path> {
        let files = self.files().iter().map(PathBuf::as_path);
        files.filter(move |path| super::extension(path).as_deref() == Some(wanted))
    }

    /// The beginning of the file, or of a listed one; empty if it cannot be read.
    pub(super) fn head(&self, file: &Path, bytes: u64) -> Vec<u8> {
        let mut head = Vec::new();
        if let Ok(file) = File::open(self.path.join(file)) {
            let _ = file.take(bytes).read_to_end(&mut head);
        }
        head
    }
}

fn list(root: &Path) -> Vec<PathBuf> {
    let visible =
        |entry: &walkdir::DirEntry| entry.depth() == 0 || !entry.file_name().as_bytes().starts_with(b".");
    let entries = WalkDir::new(root).follow_links(true).max_depth(DEPTH).sort_by_file_name();
    let files = entries
        .into_iter()
        .filter_entry(visible)
        .filter_map(std::result::Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .take(ENTRIES);
    files.filter_map(|entry| entry.path().strip_prefix(root).ok().map(Path::to_path_buf)).collect()
}
