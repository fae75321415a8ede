//! Memory-mapped files.
#![allow(unsafe_code)] // Mapping is unsafe: another program could cut the file short.

use crate::{Error, Result, memory};
use memmap2::{Advice, Mmap, MmapMut};
use rustix::fs::{FallocateFlags, MemfdFlags, fallocate, memfd_create};
use rustix::io::Errno;
use rustix::process::geteuid;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// The bytes of a whole file, on whole pages.
#[derive(Debug)]
pub enum Whole {
    /// Mapped: pages that are not looked at are not read.
    Mapped(Mmap),
    /// Read into memory, because somebody else could cut the file short, and looking at what is missing then would kill
    /// the process.
    Read(Mmap),
}

impl Whole {
    /// The bytes, wherever they are.
    pub fn into_bytes(self) -> Mmap {
        match self {
            Whole::Mapped(bytes) | Whole::Read(bytes) => bytes,
        }
    }
}

/// Maps a whole file to read, or reads it if others may write to it.
pub fn read(path: &Path) -> Result<Mmap> {
    let file = File::open(path).map_err(Error::io("open", path))?;
    whole(&file).map(Whole::into_bytes).map_err(Error::io("map", path))
}

/// Maps a whole file to read. One that others may write to is read instead, unless it is larger than what may be in memory
/// as a matrix.
///
/// # Errors
/// When it cannot be mapped or read.
pub fn whole(file: &File) -> io::Result<Whole> {
    let metadata = file.metadata()?;
    let length = metadata.len();
    if length > 0 && !is_ours(&metadata) && length <= memory::shares().matrix() {
        let mut bytes = MmapMut::map_anon(length as usize)?;
        file.read_exact_at(&mut bytes, 0)?;
        return bytes.make_read_only().map(Whole::Read);
    }
    // SAFETY: the bytes are only read. No other user can truncate the file, and programs of this user write files of a
    // session under a temporary name, rename them when they are complete and never change them afterwards; a file that was
    // too large to be read is the exception, and a fault in it ends a program whose decisions are on disk.
    unsafe { Mmap::map(file) }.map(Whole::Mapped)
}

/// Whether only this user, and root, can write to a file, or it has no name by which others could find it.
fn is_ours(metadata: &fs::Metadata) -> bool {
    let owner = metadata.uid() == geteuid().as_raw() || metadata.uid() == 0;
    metadata.nlink() == 0 || owner && metadata.mode() & 0o022 == 0
}

/// A zeroed area of this many bytes in a memory file, which other processes can be lent.
///
/// # Errors
/// When the system has no memory files.
pub fn lendable(bytes: u64) -> io::Result<(MmapMut, File)> {
    let file = File::from(memfd_create("chaffinch", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
    file.set_len(bytes)?;
    // SAFETY: the file was just created by this process and has no name; who is lent it opens it to read, and it is sealed
    // against changes and truncation before.
    let map = unsafe { MmapMut::map_mut(&file) }?;
    // The products of large matrices read it from end to end; systems that cannot do this are only slower.
    let _ = map.advise(Advice::HugePage);
    Ok((map, file))
}

/// A zeroed scratch area of this many bytes in an unlinked file, which disappears with the process however that ends.
pub fn scratch(folder: &Path, bytes: u64) -> Result<(MmapMut, File)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let path = folder.join(format!("scratch-{}-{number}.tmp", std::process::id()));
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path);
    let file = file.map_err(Error::io("create", &path))?;
    let sized = reserve(&file, bytes).map_err(Error::io("write", &path));
    fs::remove_file(&path).map_err(Error::io("remove", &path))?;
    sized?;
    // SAFETY: the file was just created by this process and has no name, so that no other program can access it.
    let map = unsafe { MmapMut::map_mut(&file) }.map_err(Error::io("map", &path))?;
    Ok((map, file))
}

/// Makes a file this long, with its blocks on the disk: on a disk that is full, writing into a map of a hollow file would
/// kill the process.
fn reserve(file: &File, bytes: u64) -> io::Result<()> {
    match fallocate(file, FallocateFlags::empty(), 0, bytes) {
        // Some file systems cannot promise blocks.
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => file.set_len(bytes),
        reserved => Ok(reserved?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_others_may_shorten_is_read_and_not_mapped() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("file");
        for (mode, mapped) in [(0o600, true), (0o644, true), (0o664, false), (0o602, false), (0o666, false)] {
            fs::write(&path, [7; 10_000]).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let bytes = whole(&File::open(&path).unwrap()).unwrap();
            assert_eq!(matches!(bytes, Whole::Mapped(_)), mapped, "{mode:o}");
            let bytes = bytes.into_bytes();
            if !mapped {
                // As another program would; a mapped page of it would now be a fatal signal.
                File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
            }
            assert_eq!((bytes.len(), bytes[9_999], bytes.as_ptr() as usize % 4096), (10_000, 7, 0));
            fs::remove_file(&path).unwrap();
        }
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(read(&path).unwrap().is_empty());
    }

    #[test]
    fn a_memory_file_is_mapped() {
        let (_map, file) = lendable(4096).unwrap();
        assert!(matches!(whole(&file).unwrap(), Whole::Mapped(_)));
    }
}
