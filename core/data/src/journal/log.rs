//! Atomic appends to a file.

use crate::{Error, Result, atomic};
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What a journal needs from its file.
pub(super) trait Storage: Send {
    /// The file, for messages.
    fn path(&self) -> &Path;
    /// Its current length, 0 if it does not exist.
    fn len(&mut self) -> io::Result<u64>;
    /// Truncates it.
    fn cut(&mut self, len: u64) -> io::Result<()>;
    /// Appends to it.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Syncs it to disk.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file that only grows by complete entries.
pub(super) struct Log {
    storage: Box<dyn Storage>,
    /// The length of the complete lines.
    sound: u64,
    /// The expected length of the file; more than `sound` if a torn line must still be truncated.
    len: u64,
    /// Whether the last line lacks its newline.
    open_end: bool,
}

impl Log {
    pub(super) fn new(storage: Box<dyn Storage>, sound: u64, len: u64, open_end: bool) -> Log {
        Log { storage, sound, len, open_end }
    }

    /// Appends one line, given without newline, and syncs it.
    pub(super) fn append(&mut self, line: &str) -> Result<()> {
        let found = self.attempt(|storage| storage.len())?;
        if found != self.len {
            let message = "another program has written to it since it was read; reopen the session";
            return Err(Error::format(self.storage.path(), message));
        }
        if self.len > self.sound {
            let sound = self.sound;
            self.attempt(|storage| storage.cut(sound))?;
            self.len = sound;
        }
        let bytes = if self.open_end { format!("\n{line}\n") } else { format!("{line}\n") };
        match self.attempt(|storage| storage.write(bytes.as_bytes()).and_then(|()| storage.sync())) {
            Ok(()) => {
                self.sound += bytes.len() as u64;
                self.len = self.sound;
                self.open_end = false;
                Ok(())
            }
            Err(error) => {
                // If truncating fails too, the next entry tries again.
                let _ = self.storage.cut(self.sound).and_then(|()| self.storage.sync());
                self.len = self.storage.len().unwrap_or(self.sound);
                Err(error)
            }
        }
    }

    fn attempt<T>(&mut self, what: impl FnOnce(&mut dyn Storage) -> io::Result<T>) -> Result<T> {
        what(self.storage.as_mut()).map_err(Error::io("write", self.storage.path()))
    }
}

/// A file on disk, created on the first write.
pub(super) struct Disk {
    path: PathBuf,
    file: Option<File>,
}

impl Disk {
    pub(super) fn new(path: PathBuf) -> Disk {
        Disk { path, file: None }
    }

    fn open(&mut self) -> io::Result<&mut File> {
        if self.file.is_none() {
            let folder = self.path.parent().unwrap_or(Path::new("."));
            std::fs::create_dir_all(folder)?;
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(&self.path)?;
            // The directory entry must be on disk too.
            atomic::sync_folder(folder).map_err(io::Error::other)?;
            self.file = Some(file);
        }
        self.file.as_mut().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Storage for Disk {
    fn path(&self) -> &Path {
        &self.path
    }

    fn len(&mut self) -> io::Result<u64> {
        Ok(self.open()?.metadata()?.len())
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.open()?.set_len(len)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = self.open()?;
        file.seek(SeekFrom::End(0))?;
        file.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.open()?.sync_data()
    }
}
