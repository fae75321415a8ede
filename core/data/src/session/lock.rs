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
}

impl Lock {
    pub(super) fn take(dir: &Path) -> Result<Lock> {
        let path = dir.join(FILE);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = file.map_err(Error::io("open", &path))?;
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
            Err(TryLockError::Error(error)) if unsupported(&error) => {}
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path)(error)),
        }
        let holder = format!("process {} on {}\n", std::process::id(), host());
        let written =
            file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(holder.as_bytes()));
        written.map_err(Error::io("write", &path))?;
        Ok(Lock { _file: file })
    }
}

fn unsupported(error: &io::Error) -> bool {
    let codes = [rustix::io::Errno::NOLCK, rustix::io::Errno::NOSYS, rustix::io::Errno::OPNOTSUPP];
    error.kind() == io::ErrorKind::Unsupported
        || error.raw_os_error().is_some_and(|code| codes.iter().any(|known| known.raw_os_error() == code))
}

fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "this machine".to_owned(),
        name => name.to_owned(),
    }
}
