//! What the folder of a session may hold: files and folders. Whoever can put a link there would make the program read,
//! write and remove files elsewhere; a pipe would make it wait forever, and a device has no end.

use super::MARK;
use crate::{Error, Result, atomic, regular_file};
use std::fs::{self, FileType, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

/// What a session calls its own files and folders.
pub(crate) const OWN: [&str; 31] = [
    "costs.json",
    super::DECISIONS,
    "detectors",
    "earlier",
    "embeddings",
    "imported",
    super::MAPS,
    "measures",
    "models",
    "previous",
    "removed",
    super::ROWS,
    "probabilities.safetensors",
    "loaded.json",
    "samples.arrow",
    "rank.arrow",
    "unreadable.arrow",
    "index.shard",
    "index.unfinished",
    "depths.unfinished",
    "settings.toml",
    "shard.toml",
    super::prompts::FILE,
    super::VIEWS,
    super::carry_over::DECLINED,
    // Of earlier versions.
    "view.json",
    "ledger.json",
    "reading.json",
    BY_HAND,
    super::lock::FILE,
    MARK,
];

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

/// Whether a folder is a session, usable or not: anything but a folder may be in the place of `session.toml`, and opening the
/// session reports what is wrong with it.
pub fn is_session(dir: &Path) -> bool {
    fs::symlink_metadata(dir.join(MARK)).is_ok_and(|metadata| !metadata.is_dir())
}

/// Whether an entry of a folder may be left behind by a program that was killed while creating a session, or is all that
/// was saved of one whose folder was removed while it was open.
pub(super) fn is_remnant(entry: &fs::DirEntry) -> bool {
    let name = entry.file_name();
    let is_journal = |file: io::Result<fs::DirEntry>| {
        file.is_ok_and(|file| file.path().extension().is_some_and(|extension| extension == "jsonl"))
    };
    let journals = || fs::read_dir(entry.path()).is_ok_and(|mut files| files.all(is_journal));
    name == super::lock::FILE || atomic::is_new(&name, MARK) || name == super::DECISIONS && journals()
}

/// Checks everything that a session calls its own, except journals: a bad one is a matter of its reviewer alone.
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
    match regular_file::open(OpenOptions::new().read(true), path) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
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
