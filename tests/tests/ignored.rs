//! Tests that need data outside the repository are ignored and say which command runs them; no test
//! passes because its data is missing.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::artefacts::root;
use std::fs;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// Every Rust file of the workspace.
fn sources() -> Vec<PathBuf> {
    let walk = ["core", "plugins", "tui", "tests"].map(|folder| WalkDir::new(root().join(folder)));
    let files = walk.into_iter().flatten().map(|entry| entry.unwrap().into_path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// The name of the package a file belongs to.
fn package(file: &Path) -> String {
    let manifest = file.ancestors().map(|folder| folder.join("Cargo.toml")).find(|path| path.is_file());
    let text = fs::read_to_string(manifest.unwrap()).unwrap();
    let name = text.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    name.unwrap().to_owned()
}

#[test]
fn the_command_that_runs_an_ignored_test_names_where_it_is() {
    let mut count = 0;
    for path in sources() {
        let text = fs::read_to_string(&path).unwrap();
        for line in text.lines().filter(|line| line.trim_start().starts_with("#[ignore")) {
            let reason = line.split_once(" = \"").and_then(|(_, rest)| rest.strip_suffix("\"]"));
            let reason = reason.unwrap_or_else(|| panic!("{}: {line} gives no reason", path.display()));
            let Some(needs) = reason.strip_prefix("needs ") else { continue };
            count += 1;
            let (_, command) = needs.split_once(": cargo test --release ").unwrap_or_else(|| {
                panic!("{}: '{reason}' does not end with the command that runs it", path.display())
            });
            let words: Vec<&str> = command.split(' ').collect();
            let after = |flag: &str| {
                words.iter().position(|word| *word == flag).and_then(|at| words.get(at + 1)).copied()
            };
            assert_eq!(after("-p"), Some(package(&path).as_str()), "{}: {reason}", path.display());
            if let Some(test) = after("--test") {
                assert_eq!(path.file_stem().unwrap(), test, "{}: {reason}", path.display());
            }
            assert!(words.contains(&"--ignored"), "{}: {reason}", path.display());
        }
    }
    assert!(count >= 10, "{count} tests that need data were found");
}

/// Only the helpers below know where data outside the repository is, and they fail if it is missing.
#[test]
fn data_outside_the_repository_has_one_door() {
    let doors = ["tests/src/artefacts.rs", "tests/src/paintings.rs", "tests/tests/ignored.rs"];
    let knows = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        text.lines().any(|line| line.contains("CHAFFINCH_SHARED") && !line.trim_start().starts_with("//"))
    };
    let found: Vec<PathBuf> = sources().into_iter().filter(knows).collect();
    let inside: Vec<&str> =
        found.iter().map(|path| path.strip_prefix(root()).unwrap().to_str().unwrap()).collect();
    assert!(inside.iter().all(|path| doors.contains(path)), "{inside:?}");
}
