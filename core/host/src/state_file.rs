//! What is remembered between runs, such as pins and what was set aside: JSON in a file of the user's state folder, which
//! several programs may change at once.

use chaffinch_data::{Error, Result, atomic};
use serde::Serialize;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long another program may hold the lock; a change takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is tried again.
const AGAIN: Duration = Duration::from_millis(5);

/// Held from reading a file to its replacement, so that no change of another program is lost.
pub(crate) struct Locked<'a> {
    file: &'a Path,
    /// Of the other threads of this program, also where a file system cannot lock.
    _threads: MutexGuard<'static, ()>,
    _lock: File,
}

/// Locks a file that is about to change; its folder is created. The lock is a file beside it, since the file itself is
/// replaced.
///
/// # Errors
/// When the folder cannot be written to, or another program keeps the lock.
pub(crate) fn lock(file: &Path) -> Result<Locked<'_>> {
    static THREADS: Mutex<()> = Mutex::new(());
    let threads = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    }
    let path = beside(file);
    let lock = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
    let lock = lock.map_err(Error::io("open", &path))?;
    let started = Instant::now();
    while let Err(TryLockError::WouldBlock) = lock.try_lock() {
        if started.elapsed() > PATIENCE {
            let seconds = PATIENCE.as_secs();
            return Err(Error::format(
                file,
                format!(
                    "another program has kept it locked for {seconds} s; stop that program, or try again"
                ),
            ));
        }
        thread::sleep(AGAIN);
    }
    // A file system that cannot lock says so at once; there, the last writer counts.
    Ok(Locked { file, _threads: threads, _lock: lock })
}

impl Locked<'_> {
    /// Replaces the file as a whole.
    ///
    /// # Errors
    /// When that cannot be done.
    pub(crate) fn store(self, all: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string_pretty(all).map_err(|error| Error::Invalid(error.to_string()))?;
        atomic::write(self.file, |out| out.write_all(text.as_bytes()))
    }
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    file.with_file_name(name)
}

/// Writes 80 times, from eight threads at once.
#[cfg(test)]
pub(crate) fn at_once(write: impl Fn(usize) + Sync) {
    thread::scope(|scope| {
        for first in (0..80).step_by(10) {
            let write = &write;
            scope.spawn(move || (first..first + 10).for_each(write));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_locked_until_it_is_replaced() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("state/pins.json");
        let locked = lock(&file).unwrap();
        // As another program sees it.
        let other = File::open(beside(&file)).unwrap();
        assert!(matches!(other.try_lock(), Err(TryLockError::WouldBlock)));
        locked.store(&["one"]).unwrap();
        other.try_lock().unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "[\n  \"one\"\n]");
    }
}
