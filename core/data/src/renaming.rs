//! Whether files may be renamed, before any of them is.

use rustix::fs::Access;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// Folders with this bit, such as `/tmp`, let only the owner of a file rename it.
const STICKY: u32 = 0o1000;

/// Why no name in a folder can be made or removed; `None` if nothing speaks against it.
///
/// # Errors
/// When it cannot be looked at.
pub fn obstacle_of_folder(folder: &Path) -> io::Result<Option<&'static str>> {
    if is_fixed(folder)? {
        return Ok(Some("is immutable or append-only (lsattr)"));
    }
    match rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => Ok(None),
        Err(rustix::io::Errno::ROFS) => Ok(Some("is on a read-only file system")),
        Err(rustix::io::Errno::ACCESS | rustix::io::Errno::PERM) => Ok(Some("may not be written to")),
        Err(error) => Err(error.into()),
    }
}

/// Why a file cannot be renamed, wherever to; `None` if nothing speaks against it but perhaps its folder.
///
/// # Errors
/// When it cannot be looked at.
pub fn obstacle_of_file(file: &Path) -> io::Result<Option<&'static str>> {
    if is_fixed(file)? {
        return Ok(Some("is immutable or append-only (lsattr)"));
    }
    let Some(folder) = file.parent() else { return Ok(None) };
    let (above, own) = (fs::metadata(folder)?, fs::symlink_metadata(file)?);
    let user = rustix::process::geteuid();
    let ours = user.is_root() || [above.uid(), own.uid()].contains(&user.as_raw());
    let sticky = above.permissions().mode() & STICKY != 0;
    Ok((sticky && !ours).then_some("is another user's, in a folder that lets only owners move their files"))
}

/// Whether its name and contents are fixed by an attribute, where the file system has such.
#[cfg(target_os = "linux")]
fn is_fixed(path: &Path) -> io::Result<bool> {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags};
    match rustix::fs::statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::BASIC_STATS) {
        Ok(found) => {
            Ok(found.stx_attributes.intersects(StatxAttributes::IMMUTABLE | StatxAttributes::APPEND))
        }
        // A kernel or a sandbox without it.
        Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn is_fixed(_: &Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn what_is_ours_may_be_renamed_and_what_is_not_there_is_an_error() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("a");
        fs::write(&file, "a").unwrap();
        // A folder like /tmp, with a file of our own in it.
        fs::set_permissions(temp.path(), fs::Permissions::from_mode(0o1777)).unwrap();
        assert_eq!(obstacle_of_folder(temp.path()).unwrap(), None);
        assert_eq!(obstacle_of_file(&file).unwrap(), None);
        assert!(obstacle_of_folder(&temp.path().join("gone")).is_err());
        assert!(obstacle_of_file(&temp.path().join("gone")).is_err());
    }

    /// Takes the right to change names in a folder away, and gives it back: by its mode, or for root by its attribute.
    fn lock(folder: &Path, locked: bool) -> bool {
        if !rustix::process::geteuid().is_root() {
            let mode = if locked { 0o555 } else { 0o755 };
            return fs::set_permissions(folder, fs::Permissions::from_mode(mode)).is_ok();
        }
        let flag = if locked { "+i" } else { "-i" };
        let status = std::process::Command::new("chattr")
            .arg(flag)
            .arg(folder)
            .stderr(std::process::Stdio::null())
            .status();
        status.is_ok_and(|status| status.success())
    }

    #[test]
    fn a_folder_that_may_not_be_written_to_is_one() {
        let temp = tempfile::tempdir().unwrap();
        if !lock(temp.path(), true) {
            assert!(std::env::var_os("CI").is_none(), "chattr is needed to test this as root");
            let _ = writeln!(
                io::stderr(),
                "NOT RUN: folders that may not be written to, because chattr does not work here"
            );
            return;
        }
        let found = obstacle_of_folder(temp.path());
        assert!(lock(temp.path(), false));
        assert!(found.unwrap().is_some());
        assert_eq!(obstacle_of_folder(temp.path()).unwrap(), None);
    }
}
