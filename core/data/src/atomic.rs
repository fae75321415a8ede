//! Atomic file replacement: readers see either the old file or the new one, never half of one.

use crate::{Error, Result};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

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

/// Writes a file of a new name: like [`write`], but what already has that name stays, and false is returned. Of programs that
/// write one name at once, also on machines whose locks do not see each other, one succeeds.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write_new(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<bool> {
    let new = beside(path);
    let linked = fill_new(&new, fill).and_then(|()| match fs::hard_link(&new, path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        // A file system without links: whoever made the name first is asked for, which leaves a moment between.
        Err(error) if no_links(&error) => match path.try_exists()? {
            true => Ok(false),
            false => fs::rename(&new, path).map(|()| true),
        },
        Err(error) => Err(error),
    });
    // Renamed, it is not there any more.
    let _ = fs::remove_file(&new);
    linked.map_err(Error::io("write", path))
}

fn no_links(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let codes = [Errno::PERM, Errno::NOSYS, Errno::OPNOTSUPP, Errno::INVAL, Errno::MLINK];
    error.kind() == io::ErrorKind::Unsupported
        || codes.iter().any(|code| error.raw_os_error() == Some(code.raw_os_error()))
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
    name.push(format!(".{}.new", token()));
    path.with_file_name(name)
}

/// Digits that no other program has, on whichever machine: process numbers of two machines that share a disk may be equal.
fn token() -> u64 {
    static TOKEN: OnceLock<u64> = OnceLock::new();
    *TOKEN.get_or_init(|| {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&fs::read("/proc/sys/kernel/random/boot_id").unwrap_or_default());
        hasher.update(&std::process::id().to_le_bytes());
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        hasher.update(&now.as_nanos().to_le_bytes());
        let [a, b, c, d, e, f, g, h, ..] = *hasher.finalize().as_bytes();
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    })
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

/// Removes what [`write_new`] of programs that were killed left behind in a folder that others write to: what is older than a
/// day.
pub(crate) fn sweep_old(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let old = || {
            let changed = entry.metadata().and_then(|about| about.modified()).ok()?;
            changed.elapsed().ok().filter(|age| *age > DAY)
        };
        if is_left_behind(&entry.file_name()) && old().is_some() {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether this is the name of a temporary file of [`write`]: `.NAME.DIGITS.new`.
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
    fn a_new_file_never_takes_the_place_of_another() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("file");
        let new = |bytes: &'static [u8]| write_new(&path, |out| out.write_all(bytes)).unwrap();
        assert_eq!((new(b"first"), new(b"second")), (true, false));
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn only_old_leftovers_go_where_others_write() {
        let temp = tempfile::tempdir().unwrap();
        let at = |name: &str| temp.path().join(name);
        for name in [".a.1.new", ".a.2.new", "a.1.new"] {
            fs::write(at(name), name).unwrap();
        }
        let old = SystemTime::now() - 2 * DAY;
        for name in [".a.2.new", "a.1.new"] {
            File::options().write(true).open(at(name)).unwrap().set_modified(old).unwrap();
        }
        sweep_old(temp.path());
        assert_eq!([".a.1.new", ".a.2.new", "a.1.new"].map(|name| at(name).exists()), [true, false, true]);
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
