//! The table of crates in `docs/architecture.md`, checked against `cargo metadata`.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::artefacts::{cargo, root};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use walkdir::WalkDir;

/// One row of the table: the folder of a crate and which crates of ours it may use.
struct Row {
    folder: String,
    may_use: BTreeSet<String>,
    /// Without the detectors, which stand there as `detectors`.
    used_by: BTreeSet<String>,
}

/// The table under the heading "Crates", by package name.
fn table() -> BTreeMap<String, Row> {
    let text = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let section = text.split("\n## Crates\n").nth(1).expect("docs/architecture.md has a section 'Crates'");
    let section = section.split("\n## ").next().unwrap();
    let mut rows = BTreeMap::new();
    for line in section.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, folder, purpose, may_use, used_by] = cells[..] else {
            panic!("expected five cells: {line}")
        };
        assert!(purpose.len() > 20, "the table must say what {name} is for");
        let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        let row = Row {
            folder: names(folder).concat(),
            may_use: names(may_use).into_iter().map(package).collect(),
            used_by: names(used_by).into_iter().map(package).collect(),
        };
        assert!(rows.insert(names(name).concat(), row).is_none(), "{name} is in the table twice");
    }
    rows
}

/// The package that the table calls by its short name.
fn package(name: String) -> String {
    match name.as_str() {
        "detectors" => name,
        "program" => "chaffinch".into(),
        _ => format!("chaffinch-{name}"),
    }
}

/// Folder and direct dependencies among our own crates (without dev-dependencies) of every package that is not a detector
/// or a bad library for tests, and which packages use each.
fn crates() -> BTreeMap<String, Row> {
    let output = cargo().args(["metadata", "--format-version", "1", "--no-deps"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut crates = BTreeMap::new();
    let mut users: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in metadata["packages"].as_array().unwrap() {
        let manifest = package["manifest_path"].as_str().unwrap();
        let folder = std::path::Path::new(manifest).parent().unwrap().strip_prefix(root()).unwrap();
        if folder.starts_with("tests") {
            continue;
        }
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let used: BTreeSet<String> = dependencies
            .filter(|dependency| dependency["kind"] != "dev")
            .map(|dependency| dependency["name"].as_str().unwrap().to_owned())
            .filter(|name| name.starts_with("chaffinch"))
            .collect();
        let detector = folder.starts_with("plugins");
        let name = package["name"].as_str().unwrap().to_owned();
        let user = if detector { "detectors" } else { &name };
        for used in &used {
            users.entry(used.clone()).or_default().insert(user.to_owned());
        }
        if !detector {
            let folder = folder.to_str().unwrap().to_owned();
            crates.insert(name, Row { folder, may_use: used, used_by: BTreeSet::new() });
        }
    }
    for (name, row) in &mut crates {
        row.used_by = users.remove(name).unwrap_or_default();
    }
    crates
}

#[test]
fn every_crate_uses_what_the_table_allows_and_nothing_else() {
    let (table, crates) = (table(), crates());
    assert_eq!(
        table.keys().collect::<Vec<_>>(),
        crates.keys().collect::<Vec<_>>(),
        "the table in docs/architecture.md lists every crate once"
    );
    for (name, found) in &crates {
        let row = &table[name];
        assert_eq!(row.folder, found.folder, "{name} is in another folder");
        assert_eq!(
            found.may_use, row.may_use,
            "{name}: its dependencies (left) differ from the table (right)"
        );
        assert_eq!(
            found.used_by, row.used_by,
            "{name}: what uses it (left) is not what the table says (right)"
        );
    }
}

#[test]
fn no_crate_is_above_itself() {
    let crates = crates();
    for name in crates.keys() {
        let mut open: Vec<&String> = crates[name].may_use.iter().collect();
        let mut seen = BTreeSet::new();
        while let Some(next) = open.pop() {
            assert_ne!(next, name, "{name} depends on itself through others");
            if seen.insert(next) {
                open.extend(crates.get(next).into_iter().flat_map(|row| &row.may_use));
            }
        }
    }
}

/// The interface computes nothing: from `chaffinch-compute` it may only use the image code.
#[test]
fn the_screen_takes_pictures_from_compute_and_nothing_else() {
    let folder = root().join(&table()["chaffinch-screen"].folder).join("src");
    let mut files = 0;
    for entry in WalkDir::new(folder).into_iter().map(|entry| entry.unwrap()) {
        if entry.path().extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        files += 1;
        let text = fs::read_to_string(entry.path()).unwrap();
        for (place, _) in text.match_indices("chaffinch_compute") {
            let rest = &text[place + "chaffinch_compute".len()..];
            assert!(
                rest.starts_with("::image"),
                "{}: {}",
                entry.path().display(),
                &rest[..rest.len().min(40)]
            );
        }
    }
    assert!(files > 40, "the interface has moved; fix the path in this test");
}
