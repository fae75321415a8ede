//! What the folder of a session may hold: files and folders. Whoever can put a link there would make the program read,
//! write and remove files elsewhere; a pipe would make it wait forever, and a device has no end.

use super::catalog::OWN;
use crate::{Error, Result};
use rustix::fs::OFlags;
use std::fs::{self, File, FileType, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

/// Most bytes of a settings file.
const MOST: u64 = 16 << 20;

/// The ends of the names of files that are short,
const SHORT: [&str; 2] = [".toml", ".json"];

/// but for this one, which names samples.
const LONG: &str = "ledger.json";

/// The file that a person writes.
const BY_HAND: &str = "chaffinch.toml";

/// How deep the folders of a session go; deeper ones are not ours.
const DEEPEST: usize = 8;

/// Checks all that a session calls its own. Journals are not checked here: one that is no file closes only its own
/// reviewer's door.
///
/// # Errors
/// When something is neither a file nor a folder, or a folder cannot be listed.
pub(super) fn check(dir: &Path) -> Result<()> {
    for name in OWN {
        let path = dir.join(name);
        // What people write by hand they may keep elsewhere: it is only read.
        let look = if name == BY_HAND { fs::metadata(&path) } else { fs::symlink_metadata(&path) };
        match look {
            Ok(metadata)
                if metadata.len() > MOST && SHORT.iter().any(|end| name.ends_with(end)) && name != LONG =>
            {
                return Err(too_long(&path));
            }
            Ok(metadata) => check_entry(&path, metadata.file_type(), name == super::DECISIONS, 1)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io("read", &path)(error)),
        }
    }
    Ok(())
}

fn check_entry(path: &Path, kind: FileType, holds_journals: bool, depth: usize) -> Result<()> {
    if kind.is_file() {
        return Ok(());
    }
    if !kind.is_dir() {
        return Err(refused(path, kind));
    }
    if depth == DEEPEST || holds_journals {
        return Ok(());
    }
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        // Whoever may not look into a folder reads nothing from it either.
        Err(error) if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::NotFound) => {
            return Ok(());
        }
        Err(error) => return Err(Error::io("list", path)(error)),
    };
    for entry in entries {
        let entry = entry.map_err(Error::io("list", path))?;
        let below = entry.path();
        match entry.file_type() {
            Ok(kind) => check_entry(&below, kind, false, depth + 1)?,
            // Another program just replaced it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io("read", &below)(error)),
        }
    }
    Ok(())
}

fn refused(path: &Path, kind: FileType) -> Error {
    let message = if kind.is_symlink() {
        "this is a symbolic link, and a session follows none inside its folder; put the file itself there, or the whole \
         session elsewhere with --session"
    } else if kind.is_fifo() {
        "this is a pipe, not a file of a session; remove it"
    } else {
        "this is not a file of a session but a device or a socket; remove it"
    };
    Error::format(path, message)
}

fn too_long(path: &Path) -> Error {
    Error::format(path, "this file is too long to be one of a session; remove it")
}

/// Reads a settings file of a session.
///
/// # Errors
/// When it is not a regular file, is too long for one, is not UTF-8 or cannot be read.
pub(super) fn text(path: &Path) -> Result<String> {
    match open(path) {
        Ok(file) => {
            let mut text = String::new();
            file.take(MOST + 1).read_to_string(&mut text).map_err(Error::io("read", path))?;
            match text.len() as u64 > MOST {
                true => Err(too_long(path)),
                false => Ok(text),
            }
        }
        Err(error) => match fs::symlink_metadata(path) {
            Ok(metadata) if !metadata.is_file() && !metadata.is_dir() => {
                Err(refused(path, metadata.file_type()))
            }
            _ => Err(Error::io("read", path)(error)),
        },
    }
}

/// Opens a regular file to read, without waiting for the other end of a pipe.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("it is not a regular file")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_files_and_folders_belong_to_a_session() {
        let temp = tempfile::tempdir().unwrap();
        let (dir, elsewhere) = (temp.path().join("session"), temp.path().join("elsewhere"));
        fs::create_dir_all(dir.join("detectors")).unwrap();
        fs::create_dir_all(dir.join("decisions")).unwrap();
        fs::create_dir(&elsewhere).unwrap();
        fs::write(dir.join("session.toml"), "format = 1\n").unwrap();
        symlink(&elsewhere, dir.join("of-someone-else")).unwrap();
        symlink("/dev/zero", dir.join("decisions/anna.jsonl")).unwrap();
        check(&dir).unwrap();
        for name in OWN
            .into_iter()
            .filter(|name| !dir.join(name).exists() && *name != BY_HAND)
            .chain(["detectors/x.arrow", "detectors/a"])
        {
            for target in [&elsewhere, Path::new("/dev/zero"), Path::new("nowhere")] {
                symlink(target, dir.join(name)).unwrap();
                let error = check(&dir).unwrap_err().to_string();
                assert!(error.contains(name) && error.contains("symbolic link"), "{error}");
                fs::remove_file(dir.join(name)).unwrap();
            }
            let mode = rustix::fs::Mode::from_raw_mode(0o600);
            rustix::fs::mknodat(rustix::fs::CWD, dir.join(name), rustix::fs::FileType::Fifo, mode, 0)
                .unwrap();
            assert!(check(&dir).unwrap_err().to_string().contains("pipe"), "{name}");
            fs::remove_file(dir.join(name)).unwrap();
        }
        symlink(dir.join("session.toml"), dir.join(BY_HAND)).unwrap();
        check(&dir).unwrap();
        File::create(dir.join("costs.json")).unwrap().set_len(1 << 40).unwrap();
        assert!(check(&dir).unwrap_err().to_string().contains("too long"));
    }

    #[test]
    fn settings_are_read_from_short_regular_files() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("session.toml");
        assert!(matches!(text(&path), Err(Error::Io { .. })));
        fs::write(&path, "format = 1\n").unwrap();
        assert_eq!(text(&path).unwrap(), "format = 1\n");
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        assert!(text(&path).unwrap_err().to_string().contains("too long"));
        fs::remove_file(&path).unwrap();
        symlink("/dev/zero", &path).unwrap();
        assert!(text(&path).unwrap_err().to_string().contains("symbolic link"));
    }
}
