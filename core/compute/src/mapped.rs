//! Memory-mapped files.
#![allow(unsafe_code)] // Mapping is unsafe: another program could cut the file short.

use crate::{Error, Result};
use memmap2::{Advice, Mmap, MmapMut};
use rustix::fs::{MemfdFlags, memfd_create};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Maps a whole file to read.
pub fn read(path: &Path) -> Result<Mmap> {
    let file = File::open(path).map_err(Error::io("open", path))?;
    // SAFETY: files of the store are written under a temporary name, renamed when they are complete, and never modified
    // or truncated afterwards; no other program should touch the folder.
    unsafe { Mmap::map(&file) }.map_err(Error::io("map", path))
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
    let sized = file.set_len(bytes).map_err(Error::io("write", &path));
    fs::remove_file(&path).map_err(Error::io("remove", &path))?;
    sized?;
    // SAFETY: the file was just created by this process and has no name, so that no other program can access it.
    let map = unsafe { MmapMut::map_mut(&file) }.map_err(Error::io("map", &path))?;
    Ok((map, file))
}
