//! A cleaned copy of the dataset, as folders of classes.

use super::Export;
use crate::job::Job;
use crate::sample::{SampleId, Split};
use crate::{Error, Result, display};
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// How files come into the copy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CopyMode {
    /// As hard links, which take no space; as symbolic links where the file system has no others.
    #[default]
    Link,
    /// As symbolic links to the dataset.
    Symlink,
    /// As files of their own.
    Copy,
}

/// What a cleaned copy holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CleanReport {
    /// Files in it.
    pub written: u64,
    /// Samples left out by decision.
    pub removed: u64,
    /// Files under another class than before.
    pub relabelled: u64,
    /// Files that had to be given another name, since the class had one of that name already.
    pub renamed: u64,
    /// Samples whose file cannot be read, with the reason.
    pub missing: Vec<String>,
}

/// The class folder of samples without a label.
const UNLABELLED: &str = "_unlabeled";

impl Export<'_> {
    /// Makes a copy of the dataset under `target`: `SPLIT/CLASS/FILE`, or `CLASS/FILE` for samples without a
    /// split. What was decided to be removed is left out, relabelled samples stand under their new class, and
    /// those that are kept, unsure or undecided stay. The copy is made beside `target` and renamed when it is
    /// whole.
    ///
    /// # Errors
    /// When `target` holds anything already, lies inside the dataset, cannot be written, or the job is stopped;
    /// nothing is left behind then. A sample whose file is missing is no error.
    pub fn cleaned(&self, target: &Path, mode: CopyMode, job: &Job<'_>) -> Result<CleanReport> {
        self.outside(target)?;
        match fs::read_dir(target) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    let message = format!("{} is not empty; choose a new folder", target.display());
                    return Err(Error::Invalid(message));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io("list", target)(error)),
        }
        let absolute = std::path::absolute(target).map_err(Error::io("find", target))?;
        let mut name = OsString::from(".");
        name.push(absolute.file_name().unwrap_or_default());
        name.push(format!(".{}.new", std::process::id()));
        let half = absolute.with_file_name(name);
        fs::create_dir_all(&half).map_err(Error::io("create", &half))?;
        let done = self.fill(&half, mode, job).and_then(|report| {
            fs::rename(&half, &absolute).map_err(Error::io("write", target))?;
            Ok(report)
        });
        if done.is_err() {
            let _ = fs::remove_dir_all(&half);
        }
        done
    }

    fn fill(&self, folder: &Path, mode: CopyMode, job: &Job<'_>) -> Result<CleanReport> {
        let manifest = self.source.manifest;
        let mut report = CleanReport::default();
        let mut folders: HashSet<PathBuf> = HashSet::new();
        for id in manifest.ids() {
            if id.0 % 256 == 0 {
                job.checkpoint()?;
                job.progress(u64::from(id.0), manifest.len() as u64);
            }
            if self.removed(id) {
                report.removed += 1;
                continue;
            }
            let place = folder.join(self.folder(id));
            if folders.insert(place.clone()) {
                fs::create_dir_all(&place).map_err(Error::io("create", &place))?;
            }
            let source = manifest.full_path(id);
            // The real file: a link to a link would break with it.
            let real = fs::canonicalize(&source).and_then(|real| match fs::metadata(&real)?.is_file() {
                true => Ok(real),
                false => Err(io::Error::other("it is no file")),
            });
            match real {
                Ok(real) => {
                    let name = source.file_name().unwrap_or_default();
                    report.renamed += u64::from(put(&real, &place, name, mode)?);
                    report.written += 1;
                    report.relabelled += u64::from(self.label(id) != manifest.label_name(id));
                }
                Err(error) => report.missing.push(format!("{}: {error}", display::safe_path(&source))),
            }
        }
        job.progress(manifest.len() as u64, manifest.len() as u64);
        Ok(report)
    }

    /// The folder of a sample within the copy.
    fn folder(&self, id: SampleId) -> PathBuf {
        let class = match self.label(id) {
            "" => UNLABELLED.to_owned(),
            label => plain(label),
        };
        match self.source.manifest.split(id) {
            Split::None => PathBuf::from(class),
            split => Path::new(split.name()).join(class),
        }
    }
}

/// A class's name as that of one folder, which cannot lead anywhere else.
fn plain(label: &str) -> String {
    let name: String = label.chars().map(|c| if c == '/' || c == '\0' { '_' } else { c }).collect();
    match name.as_str() {
        "." | ".." => name.replace('.', "_"),
        _ => name,
    }
}

/// Puts a file under its name, or the first free one after it; true in the second case.
fn put(source: &Path, folder: &Path, name: &OsStr, mode: CopyMode) -> Result<bool> {
    let mut number = 1_u32;
    loop {
        let target = match number {
            1 => folder.join(name),
            number => folder.join(numbered(name, number)),
        };
        match place(source, &target, mode) {
            Ok(()) => return Ok(number > 1),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(Error::io("write", &target)(error)),
        }
    }
}

fn place(source: &Path, target: &Path, mode: CopyMode) -> io::Result<()> {
    match mode {
        CopyMode::Symlink => symlink(source, target),
        CopyMode::Link => match fs::hard_link(source, target) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists && may_be_linked(&error) => {
                symlink(source, target)
            }
            other => other,
        },
        CopyMode::Copy => {
            let mut out = fs::OpenOptions::new().write(true).create_new(true).open(target)?;
            io::copy(&mut fs::File::open(source)?, &mut out).map(drop)
        }
    }
}

/// Whether a hard link failed because there can be none, so that a symbolic one may do.
fn may_be_linked(error: &io::Error) -> bool {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, TooManyLinks, Unsupported};
    matches!(error.kind(), CrossesDevices | PermissionDenied | TooManyLinks | Unsupported)
}

/// `cat.jpg` as `cat-2.jpg`.
fn numbered(name: &OsStr, number: u32) -> OsString {
    let path = Path::new(name);
    let mut out = path.file_stem().unwrap_or_default().to_owned();
    out.push(format!("-{number}"));
    if let Some(extension) = path.extension() {
        out.push(".");
        out.push(extension);
    }
    out
}
