//! Locks a session for one program at a time.

use crate::{Error, Result};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// The lock's file.
pub(super) const FILE: &str = "lock";

/// What a holder that is about to release the lock adds to its name.
const ENDING: &str = ", which is ending";

/// How long a lock is waited for whose holder is ending.
const PATIENCE: Duration = Duration::from_secs(10);

/// A session locked by this process; released on drop, and by the system however the process ends.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    /// Why there is no real lock.
    remark: Option<String>,
}

impl Lock {
    pub(super) fn take(dir: &Path) -> Result<Lock> {
        let path = dir.join(FILE);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(Error::io("open", &path))?;
        let mut remark = None;
        match try_lock(&file, &path) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = match holder(&path).as_str() {
                    "" => "another program".to_owned(),
                    holder => chaffinch_protocol::display::safe_text(holder).into_owned(),
                };
                return Err(Error::SessionInUse { path: dir.to_path_buf(), holder });
            }
            // Some network file systems do not support locks. The journal still detects a second writer.
            Err(TryLockError::Error(error)) if unsupported(&error) => {
                remark = Some(format!(
                    "its file system cannot lock files ({error}), so do not use this session from two programs at once"
                ));
            }
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path)(error)),
        }
        sign(&file, "");
        Ok(Lock { file, remark })
    }

    /// Tells those who want the lock that it will soon be free.
    pub(super) fn ends(&self) {
        sign(&self.file, ENDING);
    }

    /// Why there is no real lock, in one sentence.
    pub(super) fn remark(&self) -> Option<&str> {
        self.remark.as_deref()
    }
}

/// Locks the file, and waits for a holder that is ending: someone who just quit may go on at once.
fn try_lock(file: &File, path: &Path) -> std::result::Result<(), TryLockError> {
    let limit = Instant::now() + PATIENCE;
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if holder(path).ends_with(ENDING) && Instant::now() < limit => {
                std::thread::sleep(Duration::from_millis(10));
            }
            result => return result,
        }
    }
}

/// Writes our name into the file. It is locked whether or not there is room for that.
fn sign(mut file: &File, suffix: &str) {
    let name = format!("process {} on {}{suffix}\n", std::process::id(), host());
    let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(name.as_bytes()));
}

/// Who holds the lock, as they wrote it.
fn holder(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

/// ENOTSUPP, which the kernel's file systems for network shares return although it is not meant for programs.
const NOTSUPP: i32 = 524;

/// Whether the file system cannot lock at all, as opposed to a lock that someone holds. Network and user-space file
/// systems report that in many ways.
fn unsupported(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let codes = [
        Errno::NOLCK,
        Errno::NOSYS,
        Errno::OPNOTSUPP,
        Errno::NOTSUP,
        Errno::INVAL,
        Errno::BADF,
        Errno::NOTTY,
        Errno::PROTONOSUPPORT,
    ];
    error.kind() == io::ErrorKind::Unsupported
        || error
            .raw_os_error()
            .is_some_and(|code| code == NOTSUPP || codes.iter().any(|known| known.raw_os_error() == code))
}

fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "this machine".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_without_locks_is_told_from_a_held_lock() {
        for code in [9, 22, 25, 37, 38, 93, 95, 524] {
            assert!(unsupported(&io::Error::from_raw_os_error(code)), "{code}");
        }
        // EPERM, ENOENT, EIO, EAGAIN, EACCES, ENOSPC, EROFS.
        for code in [1, 2, 5, 11, 13, 28, 30] {
            assert!(!unsupported(&io::Error::from_raw_os_error(code)), "{code}");
        }
    }
}
