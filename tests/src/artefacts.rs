//! The program and the libraries, built by cargo in the same target folder and profile as the running test.
//!
//! A test of one package has no path to another package's program, and `cargo test` does not build a library that
//! is not a dependency, so cargo is asked to build both here. If everything is fresh, that takes a moment.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The folder of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The folder of the profile this test or program was built with: `target/release` or another.
pub fn profile_dir() -> PathBuf {
    let test = env::current_exe().unwrap();
    let folder = test.parent().expect("a program is in a folder");
    // A test is in target/PROFILE/deps, a program one level up.
    let folder = if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder };
    folder.to_path_buf()
}

/// A folder for data kept between runs, inside cargo's target folder.
pub fn keep_dir(name: &str) -> PathBuf {
    let folder = profile_dir().parent().unwrap().join("tmp").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A cargo command with the target folder of this test, and without the variables that the outer cargo set for it.
pub fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let own = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
        if own.iter().any(|start| text.starts_with(start)) || text == "LD_LIBRARY_PATH" {
            command.env_remove(&name);
        }
    }
    command.current_dir(root()).env("CARGO_TARGET_DIR", profile_dir().parent().unwrap());
    command
}

/// The name cargo knows this test's profile by.
pub fn profile_name() -> String {
    match profile_dir().file_name().and_then(|name| name.to_str()).unwrap() {
        "debug" => "dev".into(),
        other => other.into(),
    }
}

/// Has cargo build these packages. With `CHAFFINCH_TESTS_AS_BUILT` set, the target folder is used
/// unchanged, for runs while something else builds there; a missing file fails in any case.
fn build(packages: &[String]) {
    if env::var_os("CHAFFINCH_TESTS_AS_BUILT").is_some() {
        println!("not built again: {packages:?}");
        return;
    }
    let mut command = cargo();
    command.args(["build", "--profile", &profile_name()]);
    packages.iter().for_each(|package| {
        command.args(["--package", package]);
    });
    let output = command.output().expect("cargo can be started");
    assert!(
        output.status.success(),
        "cargo build {packages:?}:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The program and its detectors, built once per test process.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let detectors = first_party().into_iter().map(|name| format!("chaffinch-{name}"));
        build(&std::iter::once("chaffinch".to_owned()).chain(detectors).collect::<Vec<_>>());
        let path = profile_dir().join("chaffinch");
        assert!(path.is_file(), "cargo built no program at {}", path.display());
        path
    })
}

/// The fixtures in `tests/bad`, by the names of their folders.
pub fn fixture_names() -> Vec<String> {
    let folder = root().join("tests/bad");
    let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<String> = entries
        .filter(|path| path.join("Cargo.toml").is_file())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort_unstable();
    names
}

/// The library of one fixture of `tests/bad`. All of them are built once per test process.
pub fn fixture(name: &str) -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let packages: Vec<String> = fixture_names().iter().map(|name| format!("bad-{name}")).collect();
        build(&packages);
    });
    let path = profile_dir().join(format!("libbad_{}.so", name.replace('-', "_")));
    assert!(path.is_file(), "cargo built no library at {}", path.display());
    path
}

/// The first-party detectors: the folders in `plugins/`.
pub fn first_party() -> Vec<String> {
    let entries = std::fs::read_dir(root().join("plugins")).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<String> = entries
        .filter(|path| path.join("Cargo.toml").is_file())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort_unstable();
    names
}

/// The detectors in these libraries that run by default, by name.
pub fn default_detectors() -> Vec<String> {
    let mut names = first_party();
    // Each library is named after its detector, and one contains a second.
    names.push("neighbor-labels".into());
    names.retain(|name| name != "clean-selection");
    names.sort_unstable();
    names
}

/// A path in the folder of data outside the repository: `CHAFFINCH_SHARED`, or `shared` beside the repository.
/// Tests that need it are ignored unless requested, so a missing path is a failure.
fn shared(part: &str, name: &str) -> PathBuf {
    let folder = env::var_os("CHAFFINCH_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from);
    let path = folder.join(part).join(name);
    assert!(
        path.exists(),
        "{} is missing: set CHAFFINCH_SHARED to the folder that holds data/ and reference/",
        path.display()
    );
    path
}

/// A file or folder of a dataset that is too large for the repository, or not ours to redistribute.
pub fn shared_data(name: &str) -> PathBuf {
    shared("data", name)
}

/// A file of reference figures from other tools on [`shared_data`].
pub fn shared_reference(name: &str) -> PathBuf {
    shared("reference", name)
}
