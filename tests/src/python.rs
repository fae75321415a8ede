//! Python and its packages, which some tests need in addition to Rust.

use crate::tools;
use std::path::PathBuf;
use std::process::Command;

/// Whether the interpreter has NumPy. If not, the test says so, and fails in CI.
pub fn numpy() -> bool {
    has("numpy", "python3-numpy")
}

/// Whether the interpreter has a module. If not, the test says so; only where it comes as a package of the system does it
/// fail in CI.
pub fn has(module: &str, package: &str) -> bool {
    let found = Command::new("python3").args(["-c", &format!("import {module}")]).output();
    if found.is_ok_and(|output| output.status.success()) {
        return true;
    }
    match package.starts_with("python3-numpy") {
        true => tools::installed(&[&format!("python3 with {module}")], package),
        false => tools::said(&format!("python3 with {module}"), package),
    }
}

/// Runs a script with these arguments.
///
/// # Panics
///
/// When it fails.
pub fn run(script: &str, arguments: &[&PathBuf]) {
    let output = Command::new("python3").args(["-c", script]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
