//! Putting files into a new folder that is there as a whole or not at all.

use crate::{Error, Result};
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

/// The class folder of samples without a label.
const UNLABELLED: &str = "_unlabeled";

/// Makes a folder beside `target`, lets `fill` fill it, and renames it when it is whole.
///
/// # Errors
/// When `target` holds anything already, it cannot be written, or `fill` fails; nothing is left behind then.
pub(crate) fn whole_folder<T>(target: &Path, fill: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
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
    let done = fill(&half).and_then(|report| {
        fs::rename(&half, &absolute).map_err(Error::io("write", target))?;
        Ok(report)
    });
    if done.is_err() {
        let _ = fs::remove_dir_all(&half);
    }
    done
}

/// The folder of a class: its name as that of one folder, which cannot lead anywhere else.
pub(crate) fn class_folder(label: &str) -> String {
    if label.is_empty() { UNLABELLED.to_owned() } else { plain(label) }
}

/// A class's name as that of one folder, which cannot lead anywhere else.
fn plain(label: &str) -> String {
    let name: String = label.chars().map(|c| if c == '/' || c == '\0' { '_' } else { c }).collect();
    match name.as_str() {
        "." | ".." => name.replace('.', "_"),
        _ => name,
    }
}

/// Puts a file under its name, or the first free one after it; the path it has now.
pub(crate) fn put(source: &Path, folder: &Path, name: &OsStr, mode: CopyMode) -> Result<PathBuf> {
    let mut number = 1_u32;
    loop {
        let target = match number {
            1 => folder.join(name),
            number => folder.join(numbered(name, number)),
        };
        match place(source, &target, mode) {
            Ok(()) => return Ok(target),
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
