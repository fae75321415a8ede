//! Locks a session for one program at a time.

use crate::{Error, Result};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, Write};
use std::path::Path;

/// The lock's file.
pub(super) const FILE: &str = "lock";

/// A session locked by this process; released on drop, and by the system however the process ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
    /// Why there is no real lock.
    remark: Option<String>,
}

impl Lock {
    pub(super) fn take(dir: &Path) -> Result<Lock> {
        let path = dir.join(FILE);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = file.map_err(Error::io("open", &path))?;
        let mut remark = None;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = fs::read_to_string(&path).unwrap_or_default();
                let holder = match holder.trim() {
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
        let holder = format!("process {} on {}\n", std::process::id(), host());
        // It is locked whether or not there is room for our name in it.
        let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(holder.as_bytes()));
        Ok(Lock { _file: file, remark })
    }

    /// Why there is no real lock, in one sentence.
    pub(super) fn remark(&self) -> Option<&str> {
        self.remark.as_deref()
    }
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
