//! Checks a library before it is mapped. A half-copied file kills the process inside `dlopen`, and a folder writable by
//! others would let them run code as the user.

use super::PluginError;
use object::read::elf::{ElfFile64, FileHeader, ProgramHeader};
use object::{Endianness, Object, ObjectSymbol, elf};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Refuses a file or folder that anyone but the user and root can write to.
pub(super) fn check_owner(path: &Path) -> Result<(), PluginError> {
    let meta = fs::metadata(path).map_err(|reason| PluginError::Unreadable { path: path.into(), reason })?;
    check_mode(path, &meta)?;
    if !trusted().contains(&meta.uid()) {
        return Err(PluginError::Foreign { path: path.into(), owner: meta.uid() });
    }
    Ok(())
}

/// Refuses what [`check_owner`] refuses, and what others can put something else in the place of: whoever can write to a
/// folder above it can, wherever links lead.
pub(super) fn check_place(path: &Path) -> Result<(), PluginError> {
    check_owner(path)?;
    let unreadable = |reason| PluginError::Unreadable { path: path.into(), reason };
    let real = fs::canonicalize(path).map_err(unreadable)?;
    for folder in real.ancestors().skip(1) {
        check_mode(folder, &fs::metadata(folder).map_err(unreadable)?)?;
    }
    Ok(())
}

/// Refuses what everyone can write to. In a sticky folder, such as the system's temporary one, nobody can replace what
/// belongs to somebody else, and what is in it is checked by itself.
fn check_mode(path: &Path, meta: &fs::Metadata) -> Result<(), PluginError> {
    if meta.mode() & 0o002 != 0 && !(meta.is_dir() && meta.mode() & 0o1000 != 0) {
        return Err(PluginError::Writable { path: path.into(), mode: meta.mode() & 0o7777 });
    }
    Ok(())
}

/// Whose files are trusted: the user's, root's, and those of whoever the program belongs to, who could change it as well.
fn trusted() -> [u32; 3] {
    let user = rustix::process::geteuid().as_raw();
    let program = fs::metadata("/proc/self/exe").map_or(user, |meta| meta.uid());
    [user, 0, program]
}

/// Refuses anything but a complete shared library for this machine that contains our symbol. Returns the digest of its
/// bytes.
pub(super) fn check_library(path: &Path) -> Result<String, PluginError> {
    let bytes = fs::read(path).map_err(|reason| PluginError::Unreadable { path: path.into(), reason })?;
    let wrong = |reason: &str| PluginError::NotALibrary { path: path.into(), reason: reason.into() };
    if bytes.len() < 64 || bytes[..4] != elf::ELFMAG {
        return Err(wrong("it is not an ELF file"));
    }
    let file = ElfFile64::<Endianness>::parse(&*bytes).map_err(|error| wrong(&error.to_string()))?;
    let endian = file.endian();
    let header = file.elf_header();
    if header.e_type(endian) != elf::ET_DYN {
        return Err(wrong("it is not a shared library"));
    }
    let machine = if cfg!(target_arch = "x86_64") {
        elf::EM_X86_64
    } else if cfg!(target_arch = "aarch64") {
        elf::EM_AARCH64
    } else {
        header.e_machine(endian)
    };
    if header.e_machine(endian) != machine {
        return Err(wrong("it was built for another processor architecture"));
    }
    let size = bytes.len() as u64;
    let cut_short = || wrong("the file is truncated; copy it again");
    let table = u64::from(header.e_shnum(endian)) * u64::from(header.e_shentsize(endian));
    if header.e_shoff(endian).checked_add(table).is_none_or(|end| end > size) {
        return Err(cut_short());
    }
    for segment in file.elf_program_headers() {
        let end = segment.p_offset(endian).checked_add(segment.p_filesz(endian));
        if end.is_none_or(|end| end > size) {
            return Err(cut_short());
        }
    }
    let symbol = chaffinch_plugin::abi::SYMBOL;
    if !file.dynamic_symbols().any(|s| s.is_definition() && s.name() == Ok(symbol)) {
        return Err(PluginError::NoSymbol { path: path.into() });
    }
    Ok(blake3::hash(&bytes).to_hex().to_string())
}
