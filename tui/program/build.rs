//! Embeds the demo set and the contract crate as tables of all their files, regenerated whenever one changes, and the
//! commit.
#![allow(clippy::print_stdout, reason = "build scripts talk to cargo on stdout")]

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    commit();
    contract()?;
    demo()
}

/// The crate that detectors in Rust depend on, so that the program can write a copy of it.
fn contract() -> io::Result<()> {
    let root =
        Path::new(&env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("../../core/plugin");
    println!("cargo::rerun-if-changed={}", root.display());
    let (mut files, mut open) = (Vec::new(), vec![root.join("src")]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() { open.push(path) } else { files.push(path) }
        }
    }
    table(&root, files, "contract.rs")
}

/// Empty outside a repository, such as in a source archive.
fn commit() {
    let git = |args: &[&str]| {
        let ran = Command::new("git").args(args).stderr(Stdio::null()).output().ok()?;
        let text = ran.status.success().then_some(ran.stdout)?;
        Some(String::from_utf8_lossy(&text).trim().to_owned())
    };
    // It grows with every commit and every change of branch.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]).filter(|log| Path::new(log).exists()) {
        println!("cargo::rerun-if-changed={log}");
    }
    let commit = git(&["rev-parse", "--short=10", "HEAD"]).unwrap_or_default();
    println!("cargo::rustc-env=CHAFFINCH_COMMIT={commit}");
}

fn demo() -> io::Result<()> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("../../demo");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    for class in fs::read_dir(root.join("images"))? {
        for file in fs::read_dir(class?.path())? {
            files.push(file?.path());
        }
    }
    files.push(root.join("truth.csv"));
    table(&root, files, "demo.rs")
}

/// Writes a table of files and their contents.
fn table(root: &Path, mut files: Vec<PathBuf>, to: &str) -> io::Result<()> {
    files.sort_unstable();
    let mut table = String::from("&[\n");
    for file in &files {
        let name = file.strip_prefix(root).unwrap_or(file);
        writeln!(table, "    ({name:?}, include_bytes!({file:?}) as &[u8]),").map_err(io::Error::other)?;
    }
    table.push_str("]\n");
    let out = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?);
    fs::write(out.join(to), table)
}
