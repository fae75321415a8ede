//! Libraries that are broken, hostile or wrong, each with its own error, while the others continue.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed step fails the test; figures are its result"
)]

use chaffinch_host::{PluginError, PluginFolder, Registry, Workers};
use chaffinch_plugin::abi::ABI_VERSION;
use chaffinch_tests::artefacts::{default_detectors, first_party, fixture, program};
use chaffinch_tests::sandbox::{Sandbox, json, number, report};
use chaffinch_tests::{digest, pictures, process};
use rustix::process::Signal;
use serde_json::Value;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A folder for plugins in a sandbox, with a good one in it.
struct Plugins {
    sandbox: Sandbox,
}

impl Plugins {
    fn new() -> Plugins {
        let plugins = Plugins { sandbox: Sandbox::new() };
        fs::create_dir(plugins.folder()).unwrap();
        mode(&plugins.folder(), 0o755);
        plugins.put("witness");
        plugins
    }

    fn folder(&self) -> PathBuf {
        self.sandbox.path().join("plugins")
    }

    /// Puts a fixture into the folder.
    fn put(&self, name: &str) -> PathBuf {
        let library = fixture(name);
        self.write(library.file_name().unwrap().to_str().unwrap(), &fs::read(&library).unwrap())
    }

    /// Puts any bytes into the folder.
    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder().join(name);
        fs::write(&path, bytes).unwrap();
        mode(&path, 0o755);
        path
    }

    /// The host must refuse this file for this reason, with these words, and continue with the good one; and so must
    /// the program, in its list.
    fn refused(&self, file: &Path, reason: impl Fn(&PluginError) -> bool, words: &[&str]) {
        let registry = load(&self.folder());
        let names: Vec<&str> = registry.detectors().iter().map(|d| d.info().name()).collect();
        assert_eq!(names, ["witness"], "{:?}", registry.refused());
        let [refused] = registry.refused() else { panic!("expected one refusal: {:?}", registry.refused()) };
        println!("{}", refused.error);
        assert_eq!(refused.path, file);
        assert!(reason(&refused.error), "unexpected error {:?}", refused.error);
        let text = refused.error.to_string();
        words.iter().for_each(|word| assert!(text.contains(word), "no '{word}' in: {text}"));

        let ran =
            self.sandbox.run(["plugins", "list", "--json", "--plugins", self.folder().to_str().unwrap()]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let list = json(&ran);
        assert!(mentions(&list, &["witness"]), "{list}");
        first_party().iter().for_each(|name| assert!(mentions(&list, &[name]), "{name} is not in {list}"));
        let name = file.file_name().unwrap().to_str().unwrap();
        let both =
            |value: &Value| mentions(value, &[name]) && words.iter().all(|word| mentions(value, &[word]));
        assert!(objects(&list).into_iter().any(both), "{name} with {words:?} is not in {list}");
        assert!(!ran.raw.contains(&0x1b), "an escape sequence in {}", ran.stdout);
    }
}

/// What is in a folder, with workers of the program under test.
fn load(folder: &Path) -> Registry {
    Registry::load_with(&[PluginFolder::named(folder)], Workers::of(program()))
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// All objects in a JSON value.
fn objects(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(values) => values.iter().flat_map(objects).collect(),
        Value::Object(map) => std::iter::once(value).chain(map.values().flat_map(objects)).collect(),
        _ => Vec::new(),
    }
}

/// Whether all words are somewhere in the strings of a JSON value.
fn mentions(value: &Value, words: &[&str]) -> bool {
    fn strings<'a>(value: &'a Value, out: &mut Vec<&'a str>) {
        match value {
            Value::String(text) => out.push(text),
            Value::Array(values) => values.iter().for_each(|value| strings(value, out)),
            Value::Object(map) => map.values().for_each(|value| strings(value, out)),
            _ => {}
        }
    }
    let mut all = Vec::new();
    strings(value, &mut all);
    words.iter().all(|word| all.iter().any(|text| text.contains(word)))
}

#[test]
fn another_abi_is_refused_and_both_are_named() {
    let plugins = Plugins::new();
    let file = plugins.put("abi");
    plugins.refused(
        &file,
        |e| matches!(e, PluginError::AbiMismatch { theirs: 99, ours: ABI_VERSION, .. }),
        &["ABI 99", &format!("ABI {ABI_VERSION}")],
    );
}

#[test]
fn broken_tables_are_refused() {
    for (name, words) in [
        ("null-table", "no detectors"),
        ("no-detectors", "no detectors"),
        ("no-function", "no function"),
        ("odd-name", "is not a valid detector name"),
    ] {
        let plugins = Plugins::new();
        let file = plugins.put(name);
        plugins.refused(&file, |e| matches!(e, PluginError::BadTable { .. }), &[words]);
    }
}

#[test]
fn a_name_can_be_taken_once() {
    let plugins = Plugins::new();
    // Sorts after the witness by its file name or before it: the first in order has the name.
    let file = plugins.write("libz_second.so", &fs::read(fixture("duplicate-name")).unwrap());
    plugins.refused(
        &file,
        |e| matches!(e, PluginError::DuplicateName { .. }),
        &["witness", "libbad_witness.so"],
    );
}

#[test]
fn the_same_library_twice_is_one_detector() {
    let plugins = Plugins::new();
    plugins.write("libz_copy.so", &fs::read(fixture("witness")).unwrap());
    let registry = load(&plugins.folder());
    assert_eq!((registry.detectors().len(), registry.refused().len()), (1, 0), "{:?}", registry.refused());
}

#[test]
fn what_is_no_library_is_refused_before_it_is_mapped() {
    let good = fs::read(fixture("witness")).unwrap();
    let mut other_machine = good.clone();
    // e_machine of the ELF header: SPARC V9.
    other_machine[18..20].copy_from_slice(&43_u16.to_le_bytes());
    let mut program = good.clone();
    // e_type: an executable.
    program[16..18].copy_from_slice(&2_u16.to_le_bytes());
    let mut no_sections = good.clone();
    no_sections[40..48].copy_from_slice(&u64::MAX.to_le_bytes());
    let cases: [(&str, &[u8]); 8] = [
        ("text.so", b"This is a letter.\n"),
        ("empty.so", b""),
        ("head.so", &good[..64]),
        ("half.so", &good[..good.len() / 2]),
        ("almost.so", &good[..good.len() - 1]),
        ("machine.so", &other_machine),
        ("program.so", &program),
        ("sections.so", &no_sections),
    ];
    for (name, bytes) in cases {
        let plugins = Plugins::new();
        let file = plugins.write(name, bytes);
        plugins.refused(
            &file,
            |e| matches!(e, PluginError::NotALibrary { .. }),
            &["is not a usable library"],
        );
    }
}

#[test]
fn a_library_without_our_symbol_is_refused() {
    // The C library that this very test runs on.
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let library =
        maps.lines().filter_map(|line| line.split_whitespace().nth(5)).find(|path| path.contains("/libc"));
    let plugins = Plugins::new();
    let file = plugins.write("libelse.so", &fs::read(library.expect("a C library is mapped")).unwrap());
    plugins.refused(&file, |e| matches!(e, PluginError::NoSymbol { .. }), &["CHAFFINCH_PLUGIN"]);
}

#[test]
fn what_others_may_write_to_is_refused() {
    let plugins = Plugins::new();
    let file = plugins.put("error");
    mode(&file, 0o777);
    plugins.refused(
        &file,
        |e| matches!(e, PluginError::Writable { mode: 0o777, .. }),
        &["is writable by others"],
    );

    // A whole folder: nothing in it is loaded.
    mode(&plugins.folder(), 0o777);
    let registry = load(&plugins.folder());
    assert_eq!(registry.detectors().len(), 0);
    assert!(matches!(registry.refused()[0].error, PluginError::Writable { .. }), "{:?}", registry.refused());
    // In a sticky one, like /tmp, nobody can replace what is ours, and each file is checked by itself.
    mode(&plugins.folder(), 0o1777);
    let registry = load(&plugins.folder());
    assert_eq!((registry.detectors().len(), registry.refused().len()), (1, 1), "{:?}", registry.refused());
    // Whoever can write to a folder above it can put another one in its place.
    mode(&plugins.folder(), 0o755);
    mode(plugins.sandbox.path(), 0o777);
    let registry = load(&plugins.folder());
    assert_eq!(registry.detectors().len(), 0);
    let error = &registry.refused()[0].error;
    assert!(matches!(error, PluginError::Writable { path, .. } if path == plugins.sandbox.path()), "{error}");
    mode(plugins.sandbox.path(), 0o755);
}

#[test]
fn a_folder_that_does_not_exist_is_named() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path().join("nowhere");
    let registry = load(&folder);
    assert!(matches!(registry.refused()[0].error, PluginError::Unreadable { .. }));
    assert!(registry.refused()[0].error.to_string().contains("nowhere"));
}

#[test]
fn many_threads_may_load_at_once() {
    let plugins = Plugins::new();
    ["panic", "error", "lengths", "range"].iter().for_each(|name| {
        plugins.put(name);
    });
    std::thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| {
                let registry = load(&plugins.folder());
                assert_eq!(registry.detectors().len(), 5);
            });
        }
    });
}

#[test]
fn check_says_what_is_wrong_and_fails() {
    let plugins = Plugins::new();
    let check = |path: &Path| plugins.sandbox.run(["plugins", "check", path.to_str().unwrap()]);
    let good = check(&plugins.folder().join("libbad_witness.so"));
    assert_eq!(good.code, 0, "{}{}", good.stdout, good.stderr);
    for (name, words) in [
        ("abi", "ABI 99"),
        ("panic", "planted panic"),
        ("nan", "NaN"),
        ("lengths", "scores for"),
        ("unknown-sample", "names sample"),
        ("error", "never works on Saturdays"),
    ] {
        let ran = check(&plugins.put(name));
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert_eq!(ran.code, 2, "{name}: {said}");
        assert!(said.contains(words), "{name}: no '{words}' in: {said}");
    }
}

/// Every detector that misbehaves during a run, and the expected error.
const AT_WORK: [(&str, &str); 10] = [
    ("panic", "planted panic, with 0 numbers"),
    ("panic-pixels", "planted panic at an image"),
    ("nan", "NaN"),
    ("range", "1.5"),
    ("lengths", "scores for"),
    ("unknown-sample", "names sample"),
    ("unknown-class", "suggests class"),
    ("error", "never works on Saturdays"),
    ("undeclared", "no-such-parameter"),
    ("unknown-status", "status 77"),
];

#[test]
fn a_scan_names_those_that_fail_and_keeps_the_scores_of_the_others() {
    let plugins = Plugins::new();
    pictures::dataset(&plugins.sandbox.data(), 10, 8, 32);
    let scan = |session: &str| {
        let session = plugins.sandbox.path().join(session);
        let mut args = plugins.sandbox.scan_args();
        args[3] = session.to_str().unwrap().to_owned();
        args.extend(["--plugins".to_owned(), plugins.folder().to_str().unwrap().to_owned()]);
        let ran = plugins.sandbox.ok(args);
        assert!(!ran.raw.contains(&0x1b), "an escape sequence in the output of a scan without a terminal");
        (report(&ran), session)
    };
    let (alone, alone_session) = scan("alone");
    assert_eq!(alone["failed"], Value::Array(Vec::new()), "{alone}");

    AT_WORK.iter().for_each(|(name, _)| {
        plugins.put(name);
    });
    let (together, together_session) = scan("together");
    let failed: Vec<(String, String)> = serde_json::from_value(together["failed"].clone()).unwrap();
    for (name, words) in AT_WORK {
        let reason = failed.iter().find(|(about, _)| about == name);
        let (_, reason) =
            reason.unwrap_or_else(|| panic!("{name} is not among those that failed: {failed:?}"));
        println!("{name}: {reason}");
        assert!(reason.contains(words), "{name}: no '{words}' in: {reason}");
    }
    assert_eq!(failed.len(), AT_WORK.len(), "{failed:?}");

    let ran = |report: &Value| -> Vec<String> {
        let detectors = report["detectors"].as_array().unwrap().iter();
        detectors.map(|d| format!("{} {} {}", d["name"], d["scored"], d["flagged"])).collect()
    };
    assert_eq!(ran(&alone), ran(&together));
    // The host also reports unreadable files: the witness makes it two more.
    assert_eq!(ran(&alone).len(), default_detectors().len() + 2, "{:?}", ran(&alone));
    // Bit for bit: the same result files, and none of the bad ones.
    let results = |session: &Path| digest::files(&session.join("detectors"));
    assert!(!results(&alone_session).is_empty());
    assert_eq!(results(&alone_session), results(&together_session));
    assert_eq!(number(&together, "samples"), 80);
}

#[test]
fn a_detector_that_takes_too_long_can_be_stopped() {
    let plugins = Plugins::new();
    plugins.put("slow");
    pictures::dataset(&plugins.sandbox.data(), 4, 5, 32);
    let mut args = plugins.sandbox.scan_args();
    args.extend(["--plugins".to_owned(), plugins.folder().to_str().unwrap().to_owned()]);
    args.extend(["--detectors".to_owned(), "slow,witness".to_owned()]);
    let mut child = plugins.sandbox.command(&args).stdout(std::process::Stdio::null()).spawn().unwrap();
    // The witness is done when its results are there; the slow one is then at work or about to be.
    let results = plugins.sandbox.session().join("detectors");
    let at_work = || fs::read_dir(&results).is_ok_and(|entries| entries.count() > 0);
    let waited = process::wait_for(Duration::from_secs(20), at_work);
    println!("results of the other after {waited:?}");
    std::thread::sleep(Duration::from_millis(500));
    assert!(child.try_wait().unwrap().is_none(), "the scan ended before the slow detector did");
    let asked = Instant::now();
    process::signal(child.id(), Signal::INT);
    let ended = process::wait_for(Duration::from_secs(10), || child.try_wait().unwrap().is_some());
    println!("stopped {:?} after it was asked", asked.elapsed());
    if ended.is_err() {
        let _ = child.kill();
        panic!("an interrupt did not stop a slow detector");
    }
}
