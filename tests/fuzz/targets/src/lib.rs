//! Every reader of bytes from outside as a function over bytes, for fuzzers and for tests that replay mutations.
//!
//! A [`Target`] groups related readers; the first byte of an input selects one, the rest is what it reads. A target
//! must return for any input: a panic, a hang or a huge allocation is a fault of the reader. `tests/fuzz` runs each under
//! libFuzzer (`scripts/fuzz`), and `tests/tests/fuzzed.rs` replays seeds, kept inputs and mutations of both without it.
//!
//! Its tests alone: `cargo test --release -p chaffinch-fuzz`.
//!
//! # How to add a target
//!
//! 1. Write `targets/NAME.rs` with `pub const TARGET: Target`, as in `targets/listing.rs`.
//! 2. Add `pub mod NAME;` and `NAME::TARGET` in `targets/mod.rs`.
//! 3. Add `fuzz_targets/NAME.rs` and its `[[bin]]` in `tests/fuzz/Cargo.toml`; a test compares both with the list.
#![allow(clippy::unwrap_used, reason = "a scratch folder that cannot be written fails the run")]

mod fixtures;
pub mod mutate;
mod stage;
pub mod targets;

use std::fs;
use std::path::{Path, PathBuf};

/// A group of readers.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name of its file, its binary and its corpus.
    pub name: &'static str,
    /// What it reads, for people.
    pub reads: &'static str,
    /// Reads an input.
    pub run: fn(&[u8]),
    /// Valid inputs to start from.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

impl Target {
    /// Prepares a fuzzer's process. Decoders of other people that panic are caught by ours, so only a panic that reaches
    /// the target counts. With `CHAFFINCH_FUZZ_SEEDS`, seeds are written to that folder instead, and the process ends.
    pub fn begin(&self) {
        std::panic::set_hook(Box::new(|_| {}));
        if let Some(folder) = std::env::var_os("CHAFFINCH_FUZZ_SEEDS") {
            self.write_seeds(Path::new(&folder));
            std::process::exit(0);
        }
        // The reason is shown for the panic that ends the process, on a second run of the kept input.
        if std::env::var_os("CHAFFINCH_FUZZ_SAY").is_some() {
            let _ = std::panic::take_hook();
        }
    }

    /// Inputs that once failed or reached something new, in the order of their names.
    pub fn kept(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../kept").join(self.name);
        let Ok(entries) = fs::read_dir(&folder) else { return Vec::new() };
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    }

    fn write_seeds(&self, folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        for (number, seed) in (self.seeds)().iter().enumerate() {
            fs::write(folder.join(format!("seed-{number:03}")), seed).unwrap();
        }
        for (path, bytes) in self.kept() {
            fs::write(folder.join(path.file_name().unwrap()), bytes).unwrap();
        }
    }
}

/// An input for the reader of this number.
fn input(kind: usize, bytes: &[u8]) -> Vec<u8> {
    [&[u8::try_from(kind).unwrap()], bytes].concat()
}

/// The reader's number among so many, and its bytes; `None` without any.
fn chosen(bytes: &[u8], kinds: usize) -> Option<(usize, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    Some((usize::from(*first) % kinds, rest))
}
