//! A path that may be a dataset, as formats look at it to tell whether it is theirs.

use super::packed::clean_name;
use crate::{Error, Result};
use chaffinch_data::packing::{Bucket, Chosen, Object, Written, is_address};
use chaffinch_protocol::display::{counted, safe_path};
use chaffinch_protocol::{Ledger, RemarkKind};
use std::cell::OnceCell;
use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// How deep folders are listed: the dataset, its parts, and what is in these.
const DEPTH: usize = 3;
/// How deep the files of a pattern with `**` are looked for.
const DEPTH_OF_PATTERNS: usize = 16;
/// Names of missing files to show.
const NAMED: usize = 5;
/// How many entries are listed at most. What a format is known by is never behind more files than that.
const ENTRIES: usize = 50_000;

/// A path that may be a dataset.
pub struct Candidate {
    path: PathBuf,
    place: Place,
    listing: OnceCell<Vec<PathBuf>>,
}

/// Where a dataset is.
enum Place {
    /// On a disk.
    Disk(Metadata),
    /// In a bucket: the objects with its prefix, or the object that it is.
    Bucket { objects: Vec<Object>, whole: bool },
    /// In files that a pattern chooses, in a folder or a bucket.
    Chosen { root: PathBuf, pattern: String, chosen: Chosen },
}

impl Candidate {
    /// Looks at a path.
    ///
    /// # Errors
    /// When it does not exist or cannot be looked at, or a pattern chooses nothing.
    pub(super) fn new(path: &Path) -> Result<Candidate> {
        let listing = OnceCell::new();
        if let Some(written) = Written::of(path) {
            return Candidate::chosen(path, &written);
        }
        if is_address(path) {
            let objects = Bucket::of(path).map_err(Error::io("open", path))?;
            let whole = match super::extension(path) {
                Some(_) => objects.itself().map_err(Error::io("list", path))?,
                None => None,
            };
            let place = match whole {
                Some(object) => Place::Bucket { objects: vec![object], whole: true },
                None => Place::Bucket {
                    objects: objects.list(&mut |_| true).map_err(Error::io("list", path))?,
                    whole: false,
                },
            };
            return Ok(Candidate { path: path.to_path_buf(), place, listing });
        }
        let full = std::path::absolute(path).map_err(Error::io("find", path))?;
        let metadata = fs::metadata(&full).map_err(Error::io("open", path))?;
        Ok(Candidate { path: full, place: Place::Disk(metadata), listing })
    }

    fn chosen(path: &Path, written: &Written) -> Result<Candidate> {
        let refused = |message: String| Error::Dataset { path: path.to_path_buf(), message };
        let pattern = written.read().map_err(|error| refused(error.to_string()))?;
        let folder = written.folder();
        let (root, chosen) =
            if is_address(folder) {
                let bucket = Bucket::of(folder).map_err(Error::io("open", folder))?;
                let objects = bucket.list(&mut |_| true).map_err(Error::io("list", folder))?;
                (folder.to_path_buf(), pattern.choose(objects.iter().map(|object| object.name.as_str())))
            } else {
                let root = std::path::absolute(folder).map_err(Error::io("find", folder))?;
                let named = pattern.names().filter(|name| root.join(name).is_file()).map(str::to_owned);
                let mut all: Vec<String> = named.collect();
                if let Some(depth) = pattern.depth() {
                    let walk = WalkDir::new(&root).follow_links(true).max_depth(depth.min(DEPTH_OF_PATTERNS));
                    let files = walk.into_iter().filter_map(std::result::Result::ok);
                    let files = files.filter(|entry| entry.file_type().is_file());
                    all.extend(files.filter_map(|entry| {
                        Some(entry.path().strip_prefix(&root).ok()?.to_str()?.to_owned())
                    }));
                }
                (root, pattern.choose(all.iter().map(String::as_str)))
            };
        if chosen.found.is_empty() {
            return Err(refused(format!(
                "the pattern chooses no file in {}; check it, and quote it for the shell",
                safe_path(&root)
            )));
        }
        let path = written.below(&root);
        let place = Place::Chosen { root, pattern: safe_path(&path), chosen };
        Ok(Candidate { path, place, listing: OnceCell::new() })
    }

    /// The absolute path, the address, or the pattern.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The folder that its files are in: the path, unless that is a pattern.
    pub(super) fn root(&self) -> &Path {
        match &self.place {
            Place::Chosen { root, .. } => root,
            _ => &self.path,
        }
    }

    /// Whether it has several files.
    pub(super) fn is_dir(&self) -> bool {
        match &self.place {
            Place::Disk(metadata) => metadata.is_dir(),
            Place::Bucket { whole, .. } => !whole,
            Place::Chosen { .. } => true,
        }
    }

    /// Whether it is the address of a bucket.
    pub(super) fn is_address(&self) -> bool {
        matches!(self.place, Place::Bucket { .. })
    }

    /// Whether it is neither a file nor a folder on a disk, so that only some formats can read it.
    pub(super) fn is_elsewhere(&self) -> bool {
        !matches!(self.place, Place::Disk(_))
    }

    /// The objects, if it is the address of a bucket.
    pub(super) fn objects(&self) -> &[Object] {
        match &self.place {
            Place::Bucket { objects, .. } => objects,
            _ => &[],
        }
    }

    /// Whether it is a pattern that chooses some of several numbers: `shard-{000..049}.tar`.
    pub(super) fn chooses_names(&self) -> bool {
        matches!(&self.place, Place::Chosen { pattern, .. } if pattern.contains(['{', '[']))
    }

    /// Says which files of a pattern are missing.
    pub(super) fn tell_missing(&self, ledger: &mut Ledger) {
        let Place::Chosen { pattern, chosen, .. } = &self.place else { return };
        let missing = &chosen.missing;
        let names: Vec<String> = missing.iter().take(NAMED).map(|name| safe_path(Path::new(name))).collect();
        let more = if missing.len() > NAMED { ", …" } else { "" };
        let files = missing.len() as u64;
        let are = counted(files, "file is", "files are");
        let text = format!("{are} missing from {pattern}: {}{more}", names.join(", "));
        ledger.add(RemarkKind::FilesMissing, files, text);
    }

    /// Whether it is a file with one of these extensions, which are in lower case.
    pub(super) fn has_extension(&self, extensions: &[&str]) -> bool {
        let is_file = match &self.place {
            Place::Disk(metadata) => metadata.is_file(),
            Place::Bucket { whole, .. } => *whole,
            Place::Chosen { .. } => false,
        };
        is_file && super::extension(&self.path).is_some_and(|own| extensions.contains(&own.as_str()))
    }

    /// The files in a folder and in the two levels of folders below it, relative to it and in byte order; none if it is
    /// a file. Hidden ones are not among them. Of more than 50,000, those that come first. In a bucket, all of them; of a
    /// pattern, those that it chooses.
    pub(super) fn files(&self) -> &[PathBuf] {
        self.listing.get_or_init(|| match &self.place {
            Place::Disk(metadata) if metadata.is_dir() => list(&self.path),
            Place::Disk(_) | Place::Bucket { whole: true, .. } => Vec::new(),
            // A key that begins with a slash, or has an empty part, is not a path below the prefix.
            Place::Bucket { objects, .. } => {
                let names = objects.iter().map(|object| object.name.as_str());
                names
                    .filter(|name| clean_name(name.as_bytes()).as_os_str() == *name)
                    .map(PathBuf::from)
                    .collect()
            }
            Place::Chosen { chosen, .. } => chosen.found.iter().map(PathBuf::from).collect(),
        })
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
