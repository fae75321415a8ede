//! What detectors found stays with the pictures that it is about when files are renamed, replaced or exchanged, whether they run
//! again or not.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::pictures;
use chaffinch_tests::sandbox::{Ran, Sandbox};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// What each detector but one says of each picture, by the contents of its file.
fn said(sandbox: &Sandbox, but: &str) -> BTreeMap<Vec<u8>, BTreeMap<String, Value>> {
    let output = sandbox.path().join("said.jsonl");
    let (session, file) = (sandbox.session(), output.to_str().unwrap().to_owned());
    let words = ["export", session.to_str().unwrap(), "--format", "jsonl", "--output", &file, "--force"];
    sandbox.ok(words);
    let line = |line: &str| {
        let row: BTreeMap<String, Value> = serde_json::from_str(line).unwrap();
        let bytes = fs::read(sandbox.data().join(row["path"].as_str().unwrap())).unwrap();
        let of_detector = |name: &String| name.ends_with("_score") && !name.starts_with(but);
        let scores = row.into_iter().filter(|(name, score)| of_detector(name) && !score.is_null());
        (bytes, scores.collect())
    };
    fs::read_to_string(output).unwrap().lines().map(line).collect()
}

fn scanned() -> Sandbox {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 2, 8, 32);
    sandbox.ok(sandbox.scan_args());
    sandbox
}

/// The first file of a class in the order of names.
fn first(folder: &Path) -> std::path::PathBuf {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files[0].clone()
}

fn scan_only(sandbox: &Sandbox, detector: &str) -> Ran {
    let mut args = sandbox.scan_args();
    args.extend(["--detectors".to_owned(), detector.to_owned()]);
    sandbox.ok(args)
}

#[test]
fn scores_follow_pictures_whose_detectors_do_not_run() {
    let sandbox = scanned();
    let before = said(&sandbox, "duplicates");
    assert!(before.values().all(|scores| scores.len() > 3), "{before:?}");
    let classes: Vec<_> = fs::read_dir(sandbox.data()).unwrap().map(|entry| entry.unwrap().path()).collect();
    // Renamed to the end, which moves every other row; another one is replaced at its path, as many files as before.
    let renamed = first(&classes[0]);
    fs::rename(&renamed, renamed.with_file_name("zzz.png")).unwrap();
    let replaced = first(&classes[1]);
    let old = fs::read(&replaced).unwrap();
    let strange = sandbox.path().join("strange");
    pictures::dataset(&strange, 1, 1, 48);
    let new = walkdir::WalkDir::new(&strange).into_iter().flatten().find(|entry| entry.file_type().is_file());
    let new = fs::read(new.unwrap().path()).unwrap();
    fs::write(&replaced, &new).unwrap();
    let ran = scan_only(&sandbox, "duplicates");
    assert!(
        ran.stderr.contains("image-quality") && ran.stderr.contains("have no results since"),
        "{}",
        ran.stderr
    );
    let session = sandbox.session();
    let ranked = sandbox.ok(["rank", session.to_str().unwrap()]);
    assert!(
        ranked.stderr.contains("image-quality") && ranked.stderr.contains("have no results since"),
        "{}",
        ranked.stderr
    );
    let after = said(&sandbox, "duplicates");
    for (bytes, scores) in &before {
        match *bytes == old {
            true => assert!(!after.contains_key(bytes)),
            false => assert_eq!(after.get(bytes), Some(scores)),
        }
    }
    let of_new = &after[&new];
    assert!(
        of_new.keys().all(|name| name.starts_with("unreadable")),
        "nothing else looked at it: {of_new:?}"
    );
    // All of them together are what a session of its own finds.
    scan_only(&sandbox, "default");
    let all = said(&sandbox, "none");
    let fresh = Sandbox::new();
    for file in walkdir::WalkDir::new(sandbox.data())
        .into_iter()
        .flatten()
        .filter(|entry| entry.file_type().is_file())
    {
        let to = fresh.data().join(file.path().strip_prefix(sandbox.data()).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(file.path(), to).unwrap();
    }
    fresh.ok(fresh.scan_args());
    assert_eq!(all, said(&fresh, "none"));
}

#[test]
fn another_label_is_another_sample() {
    let sandbox = scanned();
    let before = said(&sandbox, "duplicates");
    let classes: Vec<_> = fs::read_dir(sandbox.data()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let moved = first(&classes[0]);
    let bytes = fs::read(&moved).unwrap();
    fs::rename(&moved, classes[1].join("zzz.png")).unwrap();
    scan_only(&sandbox, "duplicates");
    let after = said(&sandbox, "duplicates");
    for (other, scores) in &after {
        match *other == bytes {
            true => assert!(scores.keys().all(|name| name.starts_with("unreadable")), "{scores:?}"),
            false => assert_eq!(before.get(other), Some(scores)),
        }
    }
}

#[test]
fn scores_of_a_disabled_detector_follow_pictures_too() {
    let sandbox = scanned();
    let of_quality = |sandbox: &Sandbox| -> BTreeMap<Vec<u8>, Value> {
        let all = said(sandbox, "none").into_iter();
        all.filter_map(|(bytes, mut scores)| Some((bytes, scores.remove("image-quality_score")?))).collect()
    };
    let before = of_quality(&sandbox);
    assert_eq!(before.len(), 16);
    let session = sandbox.session();
    let plugins = |verb: &str| sandbox.ok(["plugins", verb, session.to_str().unwrap(), "image-quality"]);
    plugins("disable");
    let classes: Vec<_> = fs::read_dir(sandbox.data()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let renamed = first(&classes[0]);
    fs::rename(&renamed, renamed.with_file_name("zzz.png")).unwrap();
    sandbox.ok(sandbox.scan_args());
    plugins("enable");
    assert_eq!(of_quality(&sandbox), before);
}

#[test]
fn a_sample_that_was_kept_with_another_label_is_said() {
    let sandbox = scanned();
    let classes: Vec<_> = fs::read_dir(sandbox.data()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let moved = first(&classes[0]);
    let session = sandbox.session();
    let ran =
        sandbox.plain([session.to_str().unwrap()], &format!("toggle-all\n{}quit\n", "keep\n".repeat(16)));
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    fs::rename(&moved, classes[1].join("zzz.png")).unwrap();
    let ran = sandbox.ok(sandbox.scan_args());
    let name = |folder: &Path| folder.file_name().unwrap().to_str().unwrap().to_owned();
    let (was, is) = (name(&classes[0]), name(&classes[1]));
    let words = format!(
        "1 sample was decided as keep with another label than it has now, which was not looked at: {is}/zzz.png ('{is}', was '{was}')"
    );
    assert!(ran.stderr.contains(&words), "{}", ran.stderr);
    assert!(!sandbox.ok(sandbox.scan_args()).stderr.contains("another label than"));
}
