//! The commands of the detector guide work as written, and so does its example.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed step fails the test; figures are its result"
)]

use chaffinch_tests::artefacts::{profile_dir, program, root};
use chaffinch_tests::recipe::{checkout, copy};
use chaffinch_tests::sandbox::{Ran, Sandbox, json, table};
use chaffinch_tests::{digest, pictures, tools};
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// The dataset in the guide, a placeholder for the reader's own.
const READERS_DATASET: &str = "/data/pets";

/// The blocks of a Markdown text that are marked as this language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut block: Option<String> = None;
    for line in text.lines() {
        match (&mut block, line.trim_start()) {
            (None, fence) if fence.strip_prefix("```") == Some(language) => block = Some(String::new()),
            (Some(_), "```") => blocks.push(block.take().unwrap()),
            (Some(lines), _) => {
                lines.push_str(line.strip_prefix("$ ").unwrap_or(line));
                lines.push('\n');
            }
            _ => {}
        }
    }
    blocks
}

fn guide() -> String {
    fs::read_to_string(root().join("docs/detectors.md")).expect("the guide is docs/detectors.md")
}

/// A shell in a sandbox that also has the user's Rust, and `chaffinch` in `PATH`.
fn shell(sandbox: &Sandbox, folder: &Path, script: &str) -> Ran {
    println!("{script}");
    let mut command = Command::new("bash");
    command.args(["-c", &format!("set -euo pipefail\n{script}")]).current_dir(folder);
    command.env_clear().envs(sandbox.environment());
    for (name, usual) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
        let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        command.env(name, std::env::var_os(name).unwrap_or_else(|| home.join(usual).into_os_string()));
    }
    let mut path = OsString::from(program().parent().unwrap());
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    command.env("PATH", path);
    // What is tested is that the commands work; optimizing what they build takes most of the time.
    command.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0");
    let started = Instant::now();
    let ran = Ran::from(command.output().unwrap());
    println!("{}\n{}\n{:?}", ran.stdout, ran.stderr, started.elapsed());
    assert_eq!(ran.code, 0, "the guide's commands failed:\n{}\n{}", ran.stdout, ran.stderr);
    ran
}

/// How many pictures of the sandbox's dataset this detector scored.
fn scored(sandbox: &Sandbox, target: &Path, detector: &str) -> usize {
    let path = target.to_str().unwrap();
    let ran = sandbox.ok(["rank", path, "--by", detector, "--all", "--top", "0", "--format", "csv"]);
    table(&ran.stdout).iter().filter(|row| !row["score"].is_empty()).count()
}

#[test]
fn a_detector_can_be_made_anywhere() {
    let commands: Vec<String> =
        blocks(&guide(), "sh").into_iter().filter(|block| block.contains("--path ~/")).collect();
    let [script] = &commands[..] else {
        panic!("exactly one block of the guide must create a detector with --path ~/…")
    };
    for word in ["plugins new", "cargo build", "plugins check", "chaffinch scan", READERS_DATASET] {
        assert!(script.contains(word), "that block of the guide does not contain '{word}'");
    }
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 4, 12, 48);
    let script = script.replace(READERS_DATASET, sandbox.data().to_str().unwrap());
    shell(&sandbox, sandbox.path(), &script);

    let made = sandbox.path().join("home/detectors/low-contrast");
    let files: Vec<PathBuf> =
        digest::files(&made).into_keys().filter(|path| !path.starts_with("target")).collect();
    println!("{files:?}");
    let written = ["Cargo.toml", "src/lib.rs"].map(PathBuf::from);
    assert!(written.iter().all(|path| files.contains(path)), "{files:?}");
    let source = fs::read_to_string(made.join("src/lib.rs")).unwrap();
    assert!(!source.contains("unsafe"));
    let libraries = made.join("target/release");
    let list = json(&sandbox.ok(["plugins", "list", "--json", "--plugins", libraries.to_str().unwrap()]));
    let entry = list["detectors"].as_array().unwrap().iter().find(|entry| entry["name"] == "low-contrast");
    assert!(
        entry.is_some_and(|entry| entry["library"]
            .as_str()
            .unwrap()
            .ends_with("libchaffinch_low_contrast.so"))
    );
    assert_eq!(scored(&sandbox, &sandbox.data(), "low-contrast"), 48);

    // The example of the guide instead of the template.
    let example =
        blocks(&guide(), "rust").into_iter().find(|block| block.contains("export_detector!")).unwrap();
    let lines =
        example.lines().filter(|line| !line.trim().is_empty() && !line.trim().starts_with("//")).count();
    println!("the example has {lines} lines");
    assert!(lines <= 20, "{lines} lines");
    shell(&sandbox, sandbox.path(), "chaffinch plugins new dark --path ~/detectors");
    let dark = sandbox.path().join("home/detectors/dark");
    fs::write(dark.join("src/lib.rs"), example).unwrap();
    let script = format!(
        "cargo build --release\nchaffinch plugins check target/release/libchaffinch_dark.so\n\
         chaffinch scan '{}' --plugins target/release",
        sandbox.data().display()
    );
    shell(&sandbox, &dark, &script);
    assert_eq!(scored(&sandbox, &sandbox.data(), "dark"), 48);
}

/// Every block that makes a detector in another language is followed to the letter, in an empty folder.
#[test]
fn detectors_in_python_c_and_prompts_can_be_made_anywhere() {
    if !tools::installed(&["python3", "cc"], "python3 gcc") {
        return;
    }
    let of = |language: &str| {
        let made = |block: &String| block.contains(&format!("--language {language}\n"));
        let commands: Vec<String> = blocks(&guide(), "sh").into_iter().filter(made).collect();
        let [script] = &commands[..] else { panic!("exactly one block must make a detector in {language}") };
        script.clone()
    };
    for (language, name) in [("python", "odd-shapes"), ("c", "too-dark"), ("prompt", "screenshots")] {
        let sandbox = Sandbox::new();
        pictures::dataset(&sandbox.data(), 4, 12, 48);
        let folder = sandbox.path().join("empty");
        fs::create_dir(&folder).unwrap();
        let script = of(language).replace(READERS_DATASET, sandbox.data().to_str().unwrap());
        let ran = shell(&sandbox, &folder, &script);
        assert!(ran.stdout.contains(".png"), "{language}: no ranking: {}", ran.stdout);
        assert_eq!(scored(&sandbox, &sandbox.data(), name), 48, "{language}");
    }
}

/// The crates that work on no pixel and no number of a picture: most of the code, and none of the time of a scan.
const UNHURRIED: [&str; 7] = [
    "chaffinch",
    "chaffinch-engine",
    "chaffinch-formats",
    "chaffinch-protocol",
    "chaffinch-report",
    "chaffinch-review",
    "chaffinch-screen",
];

/// A copy of the checkout and of what is already built, so that only what the guide changes is compiled; but in another
/// folder our own crates are others to cargo, so those that may be slow are built without optimization.
fn built_checkout(folder: &Path) {
    checkout(folder);
    let settings: Vec<String> =
        UNHURRIED.iter().map(|name| format!("[profile.release.package.{name}]\nopt-level = 0\n")).collect();
    fs::create_dir_all(folder.join(".cargo")).unwrap();
    fs::write(folder.join(".cargo/config.toml"), settings.concat()).unwrap();
    let release = folder.join("target/release");
    for part in ["deps", "build", ".fingerprint"] {
        let from = profile_dir().join(part);
        fs::create_dir_all(release.join(part)).unwrap();
        for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
            let name = entry.file_name().to_string_lossy().into_owned();
            let ours = ["chaffinch", "bad_", "bad-"].iter().any(|part| name.contains(part));
            // Programs and detectors are linked anew.
            let library = [".rlib", ".rmeta", ".d"].iter().any(|end| name.ends_with(end));
            let is_dir = entry.file_type().unwrap().is_dir();
            if !ours || library || is_dir {
                let to = release.join(part).join(&name);
                let place: fn(&Path, &Path) = if ours { copy } else { link };
                if is_dir { tree(&entry.path(), &to, place) } else { place(&entry.path(), &to) }
            }
        }
    }
}

/// Other people's crates are not compiled again, so nothing is written through the link.
fn link(from: &Path, to: &Path) {
    if fs::hard_link(from, to).is_err() {
        copy(from, to);
    }
}

fn tree(from: &Path, to: &Path, place: fn(&Path, &Path)) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => tree(&entry.path(), &to, place),
            kind if kind.is_symlink() => symlink(fs::read_link(entry.path()).unwrap(), to).unwrap(),
            _ => place(&entry.path(), &to),
        }
    }
}

#[test]
fn a_detector_can_be_made_in_a_checkout() {
    let commands: Vec<String> = blocks(&guide(), "sh")
        .into_iter()
        .filter(|block| block.contains("cargo run --release -- plugins new"))
        .collect();
    let [script] = &commands[..] else {
        panic!("exactly one block of the guide must create a detector in a checkout")
    };
    program();
    let sandbox = Sandbox::new();
    // On the same file system as the target folder, where hard links are possible.
    let target = profile_dir().parent().unwrap().join("tmp");
    fs::create_dir_all(&target).unwrap();
    let place = tempfile::Builder::new().prefix("guide-").tempdir_in(&target).unwrap();
    built_checkout(place.path());
    let before = digest::files(&place.path().join("core"));
    let ran = shell(&sandbox, place.path(), script);
    assert!(ran.stdout.contains("low-contrast"), "the list does not show the new detector");
    let made = digest::files(&place.path().join("plugins/low-contrast"));
    assert_eq!(
        made.keys().map(PathBuf::as_path).collect::<Vec<_>>(),
        ["Cargo.toml", "src/lib.rs"].map(Path::new)
    );
    assert_eq!(digest::files(&place.path().join("core")), before, "something else was edited");

    pictures::dataset(&sandbox.data(), 4, 12, 48);
    let built = place.path().join("target/release/chaffinch");
    let session = sandbox.session();
    let mut command = Command::new(built);
    command.args([
        "scan",
        sandbox.data().to_str().unwrap(),
        "--session",
        session.to_str().unwrap(),
        "--json",
    ]);
    let ran = Ran::from(command.env_clear().envs(sandbox.environment()).output().unwrap());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(scored(&sandbox, &session, "low-contrast"), 48);
}

#[test]
fn the_documents_list_every_detector() {
    let sandbox = Sandbox::new();
    let list = json(&sandbox.ok(["plugins", "list", "--json"]));
    let loaded = list["detectors"].as_array().unwrap().iter();
    let mut names: Vec<String> = loaded.map(|detector| detector["name"].as_str().unwrap().into()).collect();
    // Built into the host.
    names.extend(["conversion", "damaged", "unreadable", "unsupported-format"].map(String::from));
    let page = fs::read_to_string(root().join("docs/what-is-found.md")).unwrap();
    let table = page.split("| detector | finds | how |").nth(1).expect("the page has a table of detectors");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with("| `"));
    let mut listed: Vec<String> = rows.map(|row| row.split('`').nth(1).unwrap().to_owned()).collect();
    names.sort_unstable();
    listed.sort_unstable();
    assert_eq!(listed, names, "the table in docs/what-is-found.md is not the list of detectors");
}
