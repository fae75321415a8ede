//! The file of a journal: what is under its path, and whether that is the file which is held open.

use crate::{atomic, regular_file};
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Longer files are not journals.
const MOST: u64 = 2 << 30;

/// What tells whether a file is still the same with the same content, without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Look {
    /// Device and inode; zeros if there is no file.
    place: (u64, u64),
    /// Its length in bytes.
    pub(super) len: u64,
    /// When its content was last changed, in seconds and nanoseconds.
    modified: (i64, i64),
}

impl Look {
    fn of(metadata: &Metadata) -> Look {
        Look {
            place: (metadata.dev(), metadata.ino()),
            len: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }

    /// Of something that only has a length.
    #[cfg(test)]
    pub(super) fn of_len(len: u64) -> Look {
        Look { len, ..Look::default() }
    }
}

/// What a journal needs from its file.
pub(super) trait Storage: Send {
    /// The file, for messages.
    fn path(&self) -> &Path;
    /// What is under the path now.
    fn look(&mut self) -> io::Result<Look>;
    /// Reads what is under the path; nothing if there is no file.
    fn read(&mut self) -> io::Result<(Vec<u8>, Look)>;
    /// Holds the file under the path open for writing, in place of an earlier one, and creates it if it is missing.
    fn hold(&mut self) -> io::Result<()>;
    /// Whether the file that is held open is the one under the path.
    fn holds(&mut self) -> io::Result<bool>;
    /// Where its session's folder is now, if that was moved away.
    fn moved(&self) -> Option<PathBuf>;
    /// Truncates it.
    fn cut(&mut self, len: u64) -> io::Result<()>;
    /// Appends to it.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Syncs it to disk.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file on disk, created on the first write.
pub(super) struct Disk {
    path: PathBuf,
    file: Option<File>,
    /// The folder of the session, by which it is found where it was moved to.
    session: Option<File>,
}

impl Disk {
    pub(super) fn new(path: PathBuf) -> Disk {
        let mut disk = Disk { path, file: None, session: None };
        disk.hold_session();
        disk
    }

    fn hold_session(&mut self) {
        self.session = self.folder().parent().and_then(|session| File::open(session).ok());
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    fn file(&mut self) -> io::Result<&mut File> {
        self.file.as_mut().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Storage for Disk {
    fn path(&self) -> &Path {
        &self.path
    }

    fn look(&mut self) -> io::Result<Look> {
        match fs::symlink_metadata(&self.path) {
            Ok(metadata) => Ok(Look::of(&metadata)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Look::default()),
            Err(error) => Err(error),
        }
    }

    fn read(&mut self) -> io::Result<(Vec<u8>, Look)> {
        read(&self.path)
    }

    fn hold(&mut self) -> io::Result<()> {
        if self.holds()? {
            return Ok(());
        }
        self.file = None;
        let folder = self.folder();
        let is_new = !folder.is_dir();
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = regular_file::open(&mut options, &self.path)?;
        if file.metadata()?.len() == 0 {
            // Whatever the umask takes away or leaves.
            file.set_permissions(Permissions::from_mode(0o600))?;
        }
        // The folder's entry must be on disk too.
        atomic::sync_folder(folder).map_err(io::Error::other)?;
        if let Some(above) = folder.parent().filter(|above| is_new && !above.as_os_str().is_empty()) {
            atomic::sync_folder(above).map_err(io::Error::other)?;
        }
        self.file = Some(file);
        if is_new {
            self.hold_session();
        }
        Ok(())
    }

    fn holds(&mut self) -> io::Result<bool> {
        let there = self.look()?;
        match &self.file {
            Some(file) => Ok(Look::of(&file.metadata()?).place == there.place),
            None => Ok(false),
        }
    }

    fn moved(&self) -> Option<PathBuf> {
        let session = self.folder().parent()?;
        let held = self.session.as_ref()?;
        if session.exists() || held.metadata().ok()?.nlink() == 0 {
            return None;
        }
        fs::read_link(format!("/proc/self/fd/{}", held.as_raw_fd())).ok()
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.file()?.set_len(len)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = self.file()?;
        file.seek(SeekFrom::End(0))?;
        file.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file()?.sync_data()
    }
}

/// The bytes of a journal; empty if there is none.
///
/// # Errors
/// When it cannot be read, is not a regular file, or is longer than any journal.
pub(crate) fn contents(path: &Path) -> io::Result<Vec<u8>> {
    read(path).map(|(bytes, _)| bytes)
}

/// Reads a file that is expected to be a journal; nothing if there is none.
///
/// # Errors
/// When it cannot be read, is not a regular file, or is longer than any journal.
pub(super) fn read(path: &Path) -> io::Result<(Vec<u8>, Look)> {
    let file = match regular_file::open(OpenOptions::new().read(true), path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), Look::default())),
        file => file?,
    };
    if file.metadata()?.len() > MOST {
        return Err(io::Error::other("it is too long for a journal"));
    }
    let mut bytes = Vec::new();
    (&file).take(MOST).read_to_end(&mut bytes)?;
    // What was written meanwhile is part of it; what is written from now on shows in the length.
    let look = Look { len: bytes.len() as u64, ..Look::of(&file.metadata()?) };
    Ok((bytes, look))
}
