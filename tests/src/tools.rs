//! Programs that some tests need in addition to Rust: tmux, an SSH server.

use std::env;
use std::io::{Write, stderr};
use std::path::PathBuf;

/// The path of a program: in `PATH`, or where servers are installed.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Whether these programs are installed. If one is not, the calling test should return: a line says so even though
/// the test passes, and with `CI` set it fails instead.
///
/// # Panics
///
/// With `CI` set, if a program is missing.
pub fn installed(programs: &[&str], packages: &str) -> bool {
    let missing: Vec<&str> = programs.iter().copied().filter(|program| find(program).is_none()).collect();
    if missing.is_empty() {
        return true;
    }
    let missing = missing.join(" and ");
    let current = std::thread::current();
    let test = current.name().unwrap_or("a test");
    assert!(env::var_os("CI").is_none(), "{test} needs {missing} (install {packages})");
    said(&missing, packages)
}

/// Says that the calling test needs something that is optional even with `CI` set, and is not there. Returns false.
pub fn said(missing: &str, packages: &str) -> bool {
    let current = std::thread::current();
    let test = current.name().unwrap_or("a test");
    // Bypasses the output capture of passing tests.
    let _ = writeln!(stderr(), "NOT RUN: {test} needs {missing} (install {packages})");
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_where_a_shell_finds_them() {
        assert!(find("sh").is_some_and(|path| path.is_absolute()));
        assert_eq!(find("no-such-program"), None);
        assert!(installed(&["sh"], "dash"));
    }
}
