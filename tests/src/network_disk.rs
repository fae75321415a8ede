//! A disk that several machines share over a network: a folder mounted more than once by sshfs, whose mounts know nothing of each
//! other. A lock is seen by its own mount only, and what one writes another sees later, as on NFS without locks.

use crate::tools::{installed, said};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where Debian and others install the server's side.
const SERVERS: [&str; 3] =
    ["/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/lib/ssh/sftp-server"];

/// A folder that is mounted in several places.
#[derive(Debug)]
pub struct NetworkDisk {
    place: PathBuf,
    mounts: Vec<PathBuf>,
}

impl NetworkDisk {
    /// Makes the disk in a folder. `None`, which is said, where nothing can be mounted.
    ///
    /// # Panics
    /// With `CI` set, without sshfs.
    pub fn new(place: &Path) -> Option<NetworkDisk> {
        if !installed(&["sshfs", "fusermount3"], "sshfs") {
            return None;
        }
        let server = SERVERS.into_iter().find(|server| Path::new(server).is_file());
        let fuse = fs::OpenOptions::new().read(true).write(true).open("/dev/fuse");
        let (Some(server), Ok(_)) = (server, fuse) else {
            said("a server of files and /dev/fuse", "openssh-sftp-server");
            return None;
        };
        fs::create_dir(place.join("disk")).unwrap();
        // Instead of a connection to another machine.
        let connection = place.join("connection");
        fs::write(&connection, format!("#!/bin/sh\nexec {server}\n")).unwrap();
        fs::set_permissions(&connection, Permissions::from_mode(0o755)).unwrap();
        let mut disk = NetworkDisk { place: place.to_path_buf(), mounts: Vec::new() };
        if let Err(why) = disk.try_mount(&place.join("probe")) {
            said(&format!("the right to mount ({})", why.trim()), "fuse3");
            return None;
        }
        Some(disk)
    }

    /// Mounts it on an empty folder, as one more machine would.
    ///
    /// # Panics
    /// When it cannot be mounted once more.
    pub fn mount(&mut self, at: &Path) {
        self.try_mount(at).unwrap();
    }

    fn try_mount(&mut self, at: &Path) -> Result<(), String> {
        fs::create_dir_all(at).unwrap();
        let connection = format!("ssh_command={}", self.place.join("connection").display());
        let disk = format!("machine:{}", self.place.join("disk").display());
        let mounted = Command::new("sshfs")
            .args(["-o", &connection, &disk])
            .arg(at)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        if !mounted.status.success() {
            return Err(String::from_utf8_lossy(&mounted.stderr).into_owned());
        }
        self.mounts.push(at.to_path_buf());
        Ok(())
    }
}

impl Drop for NetworkDisk {
    fn drop(&mut self) {
        for at in &self.mounts {
            let _ = Command::new("fusermount3").args(["-u", "-z"]).arg(at).status();
        }
    }
}
