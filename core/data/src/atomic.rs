//! Atomic file replacement: readers see either the old file or the new one, never half of one.

use crate::{Error, Result};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

/// Writes a file under a temporary name in the same folder, syncs it and renames it. On failure, `path` keeps its old
/// content, and no temporary file is left behind.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> Result<()> {
    let new = beside(path);
    let done = fill_new(&new, fill).and_then(|()| fs::rename(&new, path));
    if let Err(source) = done {
        let _ = fs::remove_file(&new);
        return Err(Error::io("write", path)(source));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    sync_folder(folder)
}

fn fill_new(new: &Path, fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let _ = fs::remove_file(new);
    let file = OpenOptions::new().write(true).create_new(true).open(new)?;
    let mut out = BufWriter::with_capacity(1 << 18, file);
    fill(&mut out)?;
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

/// Syncs a folder: names that were made or removed in it.
///
/// # Errors
/// When it cannot be synced.
pub fn sync_folder(folder: &Path) -> Result<()> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    match synced {
        // Some network file systems do not support this and sync on their own.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        other => other.map_err(Error::io("sync", folder)),
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.new", std::process::id()));
    path.with_file_name(name)
}

/// Whether `name` is the temporary file that [`write`] uses for a file called `of`: a program killed at that moment
/// leaves it behind.
pub(crate) fn is_new(name: &OsStr, of: &str) -> bool {
    let middle =
        name.to_str().and_then(|name| name.strip_prefix('.')?.strip_prefix(of)?.strip_suffix(".new"));
    middle
        .and_then(|middle| middle.strip_prefix('.'))
        .is_some_and(|pid| !pid.is_empty() && pid.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Removes what [`write`] of programs that were killed left behind in a folder and those directly in it. Only for a folder that
/// no other program writes to.
pub(crate) fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let below = || fs::read_dir(entry.path()).into_iter().flatten().flatten();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let inside = is_folder.then(below).into_iter().flatten();
        for file in std::iter::once(&entry).map(fs::DirEntry::path).chain(inside.map(|file| file.path())) {
            if file.file_name().is_some_and(is_left_behind) {
                // What cannot be removed is in no one's way.
                let _ = fs::remove_file(file);
            }
        }
    }
}

/// Whether this is the name of a temporary file of [`write`]: `.NAME.PID.new`.
fn is_left_behind(name: &OsStr) -> bool {
    let middle = name.to_str().and_then(|name| name.strip_prefix('.')?.strip_suffix(".new"));
    middle.and_then(|middle| middle.rsplit_once('.')).is_some_and(|(name, pid)| {
        !name.is_empty() && !pid.is_empty() && pid.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("file");
        write(&path, |out| out.write_all(b"old")).unwrap();
        let error = write(&path, |out| {
            out.write_all(b"half")?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        });
        assert!(error.unwrap_err().to_string().starts_with("cannot write "));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_killed_programs_left_is_swept_and_nothing_else() {
        let temp = tempfile::tempdir().unwrap();
        fs::create_dir(temp.path().join("detectors")).unwrap();
        let swept = [".session.toml.123.new", "detectors/.duplicates.arrow.4.new"];
        let stay = ["session.toml", ".hidden", ".a.new", "a.1.new", ".a.b1.new", "detectors/x.arrow"];
        for name in swept.iter().chain(&stay) {
            fs::write(temp.path().join(name), name).unwrap();
        }
        sweep(temp.path());
        let there = |name: &&str| temp.path().join(name).exists();
        assert_eq!(
            (swept.iter().filter(|name| there(name)).count(), stay.iter().filter(|name| there(name)).count()),
            (0, 6)
        );
    }
}
