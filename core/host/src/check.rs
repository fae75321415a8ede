//! Checks a library before it is mapped: a half-copied file kills the process inside `dlopen`.

use super::PluginError;
use object::read::elf::{ElfFile64, FileHeader, ProgramHeader};
use object::{Endianness, Object, ObjectSymbol, elf};
use std::fs;
use std::path::Path;

/// Refuses anything but a complete shared library for this machine that contains our symbol. Returns the digest of its
/// bytes.
pub(super) fn check_library(path: &Path) -> Result<String, PluginError> {
    let bytes = fs::read(path).map_err(|reason| PluginError::Unreadable { path: path.into(), reason })?;
    let wrong = |reason: &str| PluginError::NotALibrary { path: path.into(), reason: reason.into() };
    if bytes.len() < 64 || bytes[..4] != elf::ELFMAG {
        return Err(wrong(
            "it is not an ELF file; a program is given by its folder, in which detector.toml is",
        ));
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

/// Whether a library belongs to the build of this program: those that ship with it carry their name and its version.
pub(super) fn same_build(path: &Path) -> bool {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let Some(name) = stem.strip_prefix("lib").filter(|name| name.starts_with("chaffinch_")) else {
        return false;
    };
    let build = format!("{} {}", name.replace('_', "-"), env!("CARGO_PKG_VERSION"));
    fs::read(path).is_ok_and(|bytes| memchr::memmem::find(&bytes, build.as_bytes()).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_of_this_build_says_so_by_its_name_and_version() {
        let temp = tempfile::tempdir().unwrap();
        let build = format!("\0chaffinch-odd-one {}\0", env!("CARGO_PKG_VERSION"));
        let of = |name: &str, bytes: &str| {
            let path = temp.path().join(name);
            fs::write(&path, bytes).unwrap();
            same_build(&path)
        };
        assert!(of("libchaffinch_odd_one.so", &build));
        assert!(!of("libchaffinch_odd_one.so", "\0chaffinch-odd-one 0.0.0\0"));
        assert!(!of("libchaffinch_other.so", &build));
        assert!(!of("libodd.so", &build));
    }
}
