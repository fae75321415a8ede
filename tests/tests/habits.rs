//! Commands named in the documentation, the justfile and the workflow exist, and every crate says how to run its tests.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::artefacts::{cargo, root};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Files with commands for people and machines.
const TELLING: [&str; 6] = [
    ".github/workflows/ci.yml",
    "CONTRIBUTING.md",
    "README.md",
    "docs/benchmarks.md",
    "docs/contributing.md",
    "justfile",
];

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Packages of the workspace with their manifests, and the names of their targets by kind.
fn workspace() -> (BTreeMap<String, PathBuf>, BTreeSet<(String, String)>) {
    let output = cargo().args(["metadata", "--format-version", "1", "--no-deps"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let all: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let packages = all["packages"].as_array().unwrap();
    let manifests =
        packages.iter().map(|package| (text(&package["name"]), text(&package["manifest_path"]).into()));
    let targets = packages.iter().flat_map(|package| package["targets"].as_array().unwrap());
    let kinds = targets.map(|target| (text(&target["kind"][0]), text(&target["name"])));
    (manifests.collect(), kinds.collect())
}

/// The parts that `.ci/run` has.
fn parts() -> Vec<String> {
    let output = Command::new(root().join(".ci/run")).arg("--list").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// The words of a text that could be parts of commands; an empty one where a command ends.
fn words(text: &str) -> Vec<&str> {
    let marks = |c: char| matches!(c, '`' | ',' | ';' | ':' | '(' | ')' | '.' | '"' | '*');
    let mut all = Vec::new();
    for word in text.split_whitespace() {
        let plain = word.trim_start_matches('`').trim_end_matches(marks);
        all.push(plain);
        if word.ends_with(marks) {
            all.push("");
        }
    }
    all
}

#[test]
fn commands_name_what_exists() {
    let (packages, targets) = workspace();
    let parts = parts();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for file in TELLING {
        let text = read(file);
        let words = words(&text);
        for pair in words.windows(2) {
            let (flag, name) = (pair[0], pair[1]);
            let is_name = name.starts_with(|c: char| c.is_ascii_lowercase());
            let target = |kind: &str| targets.contains(&(kind.to_owned(), name.to_owned()));
            let right = match flag {
                "-p" if name.starts_with("chaffinch") || name.starts_with("bad-") => {
                    packages.contains_key(name)
                        || name == "chaffinch-faded"
                        || name == "chaffinch-low-contrast"
                }
                // `chaffinch leaks` has an option of that name.
                "--test" if is_name && name != "test" && !name.contains('/') => target("test"),
                "--bin" if is_name => target("bin"),
                ".ci/run" if is_name => parts.iter().any(|part| part == name),
                _ => continue,
            };
            seen += 1;
            if !right {
                wrong.push(format!("{file}: {flag} {name}"));
            }
        }
        for word in words.iter().filter(|word| word.starts_with("scripts/") || **word == ".ci/run") {
            seen += 1;
            if !root().join(word).exists() {
                wrong.push(format!("{file}: {word}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(seen > 30, "{seen} commands were found");
}

/// The lines of the justfile that are run, by recipe.
fn recipes() -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut current = String::new();
    for line in read("justfile").lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        match line.strip_prefix("    ") {
            Some(command) => all.get_mut(&current).unwrap().push(command.to_owned()),
            None => {
                current = line.trim_end_matches(':').to_owned();
                all.insert(current.clone(), Vec::new());
            }
        }
    }
    all
}

#[test]
fn recipes_are_complete_and_run_parts_that_exist() {
    let (recipes, parts) = (recipes(), parts());
    for name in ["fast", "all", "data", "snapshots", "docs", "figures"] {
        assert!(recipes.get(name).is_some_and(|commands| !commands.is_empty()), "there is no recipe {name}");
    }
    for command in recipes.values().flatten() {
        let mut words = command.split(' ').skip_while(|word| word.contains('='));
        match words.next().unwrap() {
            ".ci/run" => assert!(words.all(|word| parts.iter().any(|part| part == word)), "{command}"),
            "cargo" | "git" | "@just" => {}
            other => panic!("{other} is not available everywhere"),
        }
    }
}

#[test]
fn the_workflow_runs_every_part_and_nothing_else() {
    let text = read(".github/workflows/ci.yml");
    let matrix =
        text.lines().find_map(|line| line.trim().strip_prefix("part: [")?.strip_suffix(']')).unwrap();
    let mut named: Vec<&str> = matrix.split(", ").collect();
    // The toolchain comes before each part; the data exists only next to some checkouts.
    named.extend(["toolchain", "data"]);
    named.sort_unstable();
    let mut parts = parts();
    parts.sort_unstable();
    assert_eq!(named, parts);
    for line in text.lines().filter_map(|line| line.trim().strip_prefix("- run: ")) {
        assert!(line.starts_with(".ci/run "), "{line}");
    }
}

#[test]
fn every_crate_says_how_to_run_its_tests() {
    let (packages, _) = workspace();
    for (name, manifest) in packages.iter().filter(|(name, _)| !name.starts_with("bad-")) {
        let folder = manifest.parent().unwrap();
        let said = ["src/lib.rs", "README.md"].into_iter().any(|file| {
            let text = fs::read_to_string(folder.join(file)).unwrap_or_default();
            let command = |line: &str| {
                let words = words(line);
                line.contains("cargo test --release")
                    && words.windows(2).any(|pair| pair[0] == "-p" && pair[1] == name)
            };
            text.lines().any(command)
        });
        assert!(
            said,
            "{}: its lib.rs must say how to run its tests: cargo test --release -p {name}",
            folder.display()
        );
    }
}

#[test]
fn links_between_the_pages_lead_somewhere() {
    for file in ["README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/contributing.md"] {
        let text = read(file);
        let folder = Path::new(file).parent().unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap();
            if !path.is_empty() && !path.starts_with("http") {
                assert!(root().join(folder).join(path).exists(), "{file} links to {link}");
            }
        }
    }
}

/// Third-party packages with their features, as selected by these arguments of `cargo tree`.
fn features(args: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let tree = ["tree", "--offline", "--prefix", "none", "--no-dedupe", "--format", "{p}|{f}"];
    let output = cargo().args(tree).args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.contains(root().to_str().unwrap())) {
        if let Some((package, features)) = line.split_once('|') {
            all.entry(package.to_owned()).or_default().insert(features.to_owned());
        }
    }
    all
}

/// With other features, cargo would build them and everything that depends on them again for the tests.
#[test]
fn tests_have_dependencies_as_the_program_has_them() {
    let program = features(&["--package", "chaffinch", "--edges", "normal,build"]);
    let tests = features(&["--workspace", "--edges", "normal,build,dev"]);
    assert!(program.len() > 100, "{} packages", program.len());
    for (package, features) in &program {
        assert_eq!(Some(features), tests.get(package), "features of {package} for the program and for tests");
    }
}
