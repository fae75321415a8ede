//! The dependencies between crates and the project's rules, checked with cargo metadata and the sources.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed step fails the test; figures are its result"
)]

use chaffinch_tests::artefacts::{cargo, first_party, root};
use chaffinch_tests::tokens::{named, production, tokens};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use walkdir::WalkDir;

/// What a detector may depend on besides the contract: mathematics without files, threads or devices.
const MATHS: [&str; 13] = [
    "pulp",
    "linfa",
    "linfa-clustering",
    "linfa-linear",
    "linfa-logistic",
    "linfa-reduction",
    "linfa-svm",
    "linfa-trees",
    "matrixmultiply",
    "ndarray",
    "num-traits",
    "rand_xoshiro",
    "rustfft",
];

/// The folders of the engine, which knows detectors only by loading them.
const ENGINE: [&str; 7] = [
    "core/compute/src",
    "core/data/src",
    "core/engine/src",
    "core/formats/src",
    "core/host/src",
    "core/protocol/src",
    "core/review/src",
];

/// Our own mathematics that detectors share with the program, each a crate without dependencies of ours.
const OUR_MATHS: [&str; 3] = ["chaffinch-confident", "chaffinch-selection", "chaffinch-likeness"];

/// Files that may use `unsafe`, each because it is a boundary: to plugins, to a mapped file.
const UNSAFE: [&str; 31] = [
    "core/clip/src/device/cuda.rs", // The driver's version, its pool's memory, and what ends before it.
    "core/clip/src/device/locked.rs", // Fresh memory of the host and the device.
    "core/clip/src/ops/half/card.rs", // Launches of kernels.
    "core/clip/src/tiles/amx.rs",   // Instructions without compiler intrinsics.
    "core/clip/src/weights.rs",
    "core/data/src/columns/file.rs",
    "core/host/src/library.rs",
    "core/host/src/exported.rs",
    "core/compute/src/linear.rs",      // The matrix product takes raw pointers.
    "core/compute/src/free_memory.rs", // Asks the C library to give memory back.
    "core/compute/src/mapped.rs",
    "core/compute/tests/memory.rs", // An allocator that counts.
    "core/plugin/src/abi.rs",
    "core/plugin/src/export.rs",
    "core/plugin/src/host/table.rs",
    "core/plugin/src/host/table/said.rs",
    "core/plugin/src/detector/report.rs",
    "core/plugin/src/testing/exported.rs",
    "core/plugin/src/detector/view.rs",
    "core/plugin/src/detector/view/columns.rs",
    "core/plugin/src/detector/view/computed.rs",
    "core/plugin/src/detector/view/pixels.rs",
    "core/plugin/tests/raw_table.rs",
    "tests/bad/abi/src/lib.rs",
    "tests/bad/constructor/src/lib.rs",
    "tests/bad/nan/src/lib.rs",
    "tests/bad/no-detectors/src/lib.rs",
    "tests/bad/no-function/src/lib.rs",
    "tests/bad/null-table/src/lib.rs",
    "tests/bad/unknown-status/src/lib.rs",
    "tests/tests/architecture.rs", // Contains the words it looks for.
];

/// A package in `cargo metadata`.
struct Package {
    id: String,
    name: String,
    license: String,
    manifest: PathBuf,
    kinds: Vec<String>,
    /// Names and kinds (`normal`, `build`, `dev`) of what its manifest names.
    dependencies: Vec<(String, String)>,
    /// IDs of what it is built with, without dev-dependencies.
    built_with: Vec<String>,
    ours: bool,
    /// Whether cargo builds it by default.
    plain: bool,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Every package of the build for this machine, by identity. The JSON is read as it is: a crate that knows its
/// types would switch on features of crates that the program shares, and have them built twice.
fn packages() -> &'static BTreeMap<String, Package> {
    static PACKAGES: OnceLock<BTreeMap<String, Package>> = OnceLock::new();
    PACKAGES.get_or_init(|| {
        let version = Command::new("rustc").arg("-vV").output().unwrap();
        let version = String::from_utf8(version.stdout).unwrap();
        let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
        let mut command = cargo();
        command.args(["metadata", "--format-version", "1", "--filter-platform", host]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let all: Value = serde_json::from_slice(&output.stdout).unwrap();
        let members: BTreeSet<String> = list(&all["workspace_members"]).map(text).collect();
        let plain: BTreeSet<String> = list(&all["workspace_default_members"]).map(text).collect();
        let counts = |edge: &&Value| list(&edge["dep_kinds"]).any(|kind| kind["kind"] != "dev");
        let edges: BTreeMap<String, Vec<String>> = list(&all["resolve"]["nodes"])
            .map(|node| {
                (text(&node["id"]), list(&node["deps"]).filter(counts).map(|d| text(&d["pkg"])).collect())
            })
            .collect();
        let read = |package: &Value| {
            let id = text(&package["id"]);
            let kind = |value: &Value| value.as_str().unwrap_or("normal").to_owned();
            let package = Package {
                name: text(&package["name"]),
                license: text(&package["license"]),
                manifest: text(&package["manifest_path"]).into(),
                kinds: list(&package["targets"])
                    .flat_map(|target| list(&target["crate_types"]))
                    .map(text)
                    .collect(),
                dependencies: list(&package["dependencies"])
                    .map(|d| (text(&d["name"]), kind(&d["kind"])))
                    .collect(),
                built_with: edges.get(&id).cloned().unwrap_or_default(),
                ours: members.contains(&id),
                plain: plain.contains(&id),
                id: id.clone(),
            };
            (id, package)
        };
        list(&all["packages"]).map(read).filter(|(id, _)| edges.contains_key(id)).collect()
    })
}

fn ours() -> Vec<&'static Package> {
    packages().values().filter(|package| package.ours).collect()
}

fn package(name: &str) -> &'static Package {
    ours().into_iter().find(|package| package.name == name).unwrap_or_else(|| panic!("no package {name}"))
}

/// The folder of a package, relative to the workspace.
fn folder(package: &Package) -> PathBuf {
    package.manifest.parent().unwrap().strip_prefix(root()).unwrap().to_path_buf()
}

/// Names of the direct dependencies, without those of tests.
fn direct(package: &Package) -> BTreeSet<&str> {
    package.dependencies.iter().filter(|(_, kind)| kind != "dev").map(|(name, _)| name.as_str()).collect()
}

/// Names of everything a package is built with, itself left out and without what only its tests need.
fn all(package: &Package) -> BTreeSet<&'static str> {
    let mut seen = BTreeSet::new();
    let mut open = vec![&packages()[&package.id]];
    while let Some(package) = open.pop() {
        for id in &package.built_with {
            if seen.insert(id) {
                open.push(&packages()[id]);
            }
        }
    }
    seen.into_iter().map(|id| packages()[id].name.as_str()).collect()
}

fn none_of(package: &Package, banned: &[&str]) {
    for name in all(package) {
        let bad = banned.iter().any(|banned| name == *banned || name.starts_with(&format!("{banned}-")));
        assert!(!bad, "{} is built with {name}, which it must not know", package.name);
    }
}

/// All Rust files of the workspace with their text, by path relative to it.
fn sources() -> BTreeMap<PathBuf, String> {
    let mut all = BTreeMap::new();
    for place in ["core", "plugins", "tui", "tests"] {
        // Build outputs are not sources.
        let walk = WalkDir::new(root().join(place)).into_iter();
        let walk = walk.filter_entry(|entry| entry.file_name() != "target");
        for entry in walk.map(|entry| entry.unwrap()) {
            if entry.path().extension().is_some_and(|extension| extension == "rs") {
                let name = entry.path().strip_prefix(root()).unwrap().to_path_buf();
                all.insert(name, fs::read_to_string(entry.path()).unwrap());
            }
        }
    }
    assert!(all.len() > 40, "the sources have moved; fix the path in this test");
    all
}

#[test]
fn the_contract_depends_on_nothing() {
    let contract = package("chaffinch-plugin");
    assert_eq!(contract.dependencies, Vec::new());
}

#[test]
fn detectors_depend_on_the_contract_and_mathematics_only() {
    let names = first_party();
    assert!(names.len() >= 4, "{names:?}");
    for name in &names {
        let detector = package(&format!("chaffinch-{name}"));
        assert_eq!(
            folder(detector),
            Path::new("plugins").join(name),
            "a detector's package is called like its folder"
        );
        let direct = direct(detector);
        assert!(direct.contains("chaffinch-plugin"), "{name} does not depend on the contract");
        for dependency in direct {
            let allowed = dependency == "chaffinch-plugin"
                || MATHS.contains(&dependency)
                || OUR_MATHS.contains(&dependency);
            assert!(
                allowed,
                "{name} depends on {dependency}, which is neither the contract nor listed mathematics"
            );
        }
        let banned =
            ["candle", "cudarc", "ratatui", "crossterm", "libloading", "serde", "tokio", "image", "kmedoids"];
        none_of(detector, &banned);
        none_of(detector, &["chaffinch-compute", "chaffinch-protocol", "chaffinch-data", "chaffinch-host"]);
        assert!(detector.kinds.iter().any(|kind| kind == "cdylib"), "{name} is not a shared library");
    }
}

#[test]
fn our_mathematics_knows_nothing_of_ours() {
    for name in OUR_MATHS {
        let all = all(package(name));
        let known: Vec<&&str> = all.iter().filter(|name| name.starts_with("chaffinch")).collect();
        assert_eq!(known, Vec::<&&str>::new(), "{name} is mathematics and nothing else");
        none_of(package(name), &["candle", "libloading", "rayon", "serde", "image", "ratatui"]);
    }
}

#[test]
fn detectors_open_no_files_and_print_nothing() {
    for (path, text) in sources().iter().filter(|(path, _)| path.starts_with("plugins")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        if name == "tests.rs"
            || name.ends_with("_tests.rs")
            || path.components().any(|c| c.as_os_str() == "tests" || c.as_os_str() == "examples")
        {
            continue;
        }
        let found = reaching_out(text);
        assert!(found.is_empty(), "{}: {}", path.display(), found.join(", "));
    }
}

/// Uses of files, processes and output in a source, with lines. Imports are expanded, so `use std::{fs, io}` counts.
fn reaching_out(text: &str) -> Vec<String> {
    const MODULES: [&str; 5] = ["env", "fs", "net", "os", "process"];
    const WORDS: [&str; 9] =
        ["println", "eprintln", "print", "eprint", "dbg", "set_hook", "no_mangle", "stdout", "stderr"];
    let code = production(&tokens(text));
    let all = named(&code);
    // `use std as other` and `use std::*` would hide what follows.
    let outside = |path: &[String]| match path {
        [std, rest @ ..] if std == "std" => {
            rest.first().is_none_or(|module| module == "*" || MODULES.contains(&module.as_str()))
        }
        _ => false,
    };
    let paths = all.iter().filter(|named| outside(&named.path));
    let paths = paths.map(|named| format!("{} in line {}", named.path.join("::"), named.line));
    let words = code.iter().filter(|token| WORDS.contains(&token.text.as_str()));
    paths.chain(words.map(|token| format!("{} in line {}", token.text, token.line))).collect()
}

#[test]
fn no_way_of_writing_an_import_hides_files() {
    for text in [
        "use std::fs;",
        "use std::{fs, io};",
        "use std::{io::{self, Read}, fs::{self, File}};",
        "use std as other;",
        "use std::*;",
        "fn f() { std::process::exit(1) }",
        "fn f() { println!() }",
        "#[unsafe(no_mangle)] fn f() {}",
    ] {
        assert_eq!(reaching_out(text).len(), 1 + usize::from(text.contains("File")), "{text}");
    }
    for text in
        ["// use std::fs;", "use std::fmt;", "#[cfg(test)] use std::fs;", "fn f() -> &str { \"std::fs\" }"]
    {
        assert_eq!(reaching_out(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn the_engine_knows_no_screen_and_no_model_code() {
    none_of(
        package("chaffinch-engine"),
        &["ratatui", "crossterm", "candle", "tokenizers", "cudarc", "chaffinch-clip"],
    );
}

#[test]
fn the_models_know_no_screen_and_are_chosen_only_in_the_program() {
    none_of(package("chaffinch-clip"), &["ratatui", "crossterm", "clap"]);
    // The fuzz targets read what models are made of.
    let choose =
        |other: &&Package| direct(other).contains("chaffinch-clip") && other.name != "chaffinch-fuzz";
    for other in ours().into_iter().filter(choose) {
        assert_eq!(other.name, "chaffinch", "only the program chooses the models");
    }
}

#[test]
fn plain_cargo_builds_every_detector_with_the_program() {
    let plain: BTreeSet<&str> =
        ours().iter().filter(|package| package.plain).map(|p| p.name.as_str()).collect();
    let mut due: BTreeSet<String> = first_party().iter().map(|name| format!("chaffinch-{name}")).collect();
    due.insert("chaffinch".into());
    assert_eq!(plain, due.iter().map(String::as_str).collect());
}

#[test]
fn nobody_links_detectors() {
    let detectors: Vec<String> = first_party().iter().map(|name| format!("chaffinch-{name}")).collect();
    for other in ours() {
        let linked: Vec<&String> = detectors.iter().filter(|d| direct(other).contains(d.as_str())).collect();
        assert_eq!(linked, Vec::<&String>::new(), "{} links a detector", other.name);
    }
}

#[test]
fn the_engine_names_no_detector() {
    let names = first_party();
    for (path, text) in
        sources().iter().filter(|(path, _)| ENGINE.iter().any(|folder| path.starts_with(folder)))
    {
        if path.ends_with("tests.rs") {
            continue;
        }
        for token in production(&tokens(text)) {
            let named = names.iter().find(|name| token.text == format!("\"\"{name}\""));
            assert_eq!(named, None, "{}:{}", path.display(), token.line);
        }
    }
}

#[test]
fn names_and_licenses_are_ours() {
    for package in ours() {
        let reserved = ["core", "std", "alloc", "proc_macro", "test"];
        assert!(
            !reserved.contains(&package.name.as_str()),
            "a package named {} shadows Rust's own",
            package.name
        );
        assert_eq!(package.license, "MIT OR Apache-2.0", "{}", package.name);
        let manifest = fs::read_to_string(&package.manifest).unwrap();
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "{} does not take the workspace's lints",
            package.name
        );
    }
    for file in ["LICENSE-MIT", "LICENSE-APACHE"] {
        assert!(root().join(file).is_file(), "{file} is missing");
    }
}

#[test]
fn no_dependency_has_a_license_that_forces_its_own() {
    for package in packages().values() {
        let license = &package.license;
        let choices: Vec<&str> = license.split(" OR ").flat_map(|part| part.split('/')).collect();
        let copyleft = |choice: &&str| choice.contains("GPL") && !choice.contains("LGPL");
        assert!(license.is_empty() || !choices.iter().all(copyleft), "{} is {license}", package.name);
        assert_ne!(package.name, "kmedoids", "FasterPAM is written here; that crate is GPL-3.0");
    }
}

#[test]
fn panics_can_be_caught_in_a_release() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("panic = \"unwind\"") && !manifest.contains("\"abort\""));
}

#[test]
fn files_stay_short() {
    let mut longest = (0, PathBuf::new());
    let mut long = Vec::new();
    for (path, text) in sources() {
        let lines = text.lines().count();
        if lines > 800 {
            long.push(format!("{}: {lines} lines", path.display()));
        }
        longest = longest.max((lines, path));
    }
    println!("longest file: {} with {} lines", longest.1.display(), longest.0);
    assert_eq!(long, Vec::<String>::new(), "files of more than 800 lines");
}

#[test]
fn unsafe_code_stays_at_the_borders() {
    let lifting = |text: &String| text.contains("allow(unsafe_code") || text.contains("expect(unsafe_code");
    let found: BTreeSet<String> = sources()
        .iter()
        .filter(|(_, text)| lifting(text))
        .map(|(path, _)| path.to_str().unwrap().to_owned())
        // Detectors that misbehave on purpose, in processes of their own.
        .filter(|path| !path.starts_with("tests/bad/"))
        .collect();
    let new: Vec<&String> = found.iter().filter(|path| !UNSAFE.contains(&path.as_str())).collect();
    assert_eq!(
        new,
        Vec::<&String>::new(),
        "unsafe code outside the borders; if it is one, name it in this test"
    );
}

#[test]
fn detectors_have_documentation_with_the_same_headings() {
    for name in first_party() {
        let folder = root().join("plugins").join(&name).join("src");
        // One file for each detector of the library; a small one has its documentation in its source.
        let mut texts: Vec<PathBuf> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
            .collect();
        if texts.is_empty() {
            texts.push(folder.join("lib.rs"));
        }
        for path in texts {
            let text = fs::read_to_string(&path).unwrap();
            for heading in ["What it finds", "Why it matters", "Score", "Blind spots"] {
                assert!(text.contains(heading), "{} has no section '{heading}'", path.display());
            }
        }
    }
}
