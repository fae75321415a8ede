//! Decisions belong to contents: what becomes of them when files change, go, and come back.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::pictures;
use chaffinch_tests::sandbox::{Ran, Sandbox, report};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

/// Decides about samples in the order of their paths, one line for each: `x`, `keep`, `relabel CLASS` or `show`.
fn decide(sandbox: &Sandbox, choices: &[&str]) {
    let session = sandbox.session();
    let mut lines = "toggle-all\nsort-path\n".to_owned();
    for (row, choice) in choices.iter().enumerate() {
        lines += &format!("go {}\n{choice}\n", row + 1);
    }
    let mut command = sandbox.command(["open", session.to_str().unwrap(), "--plain"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
}

/// What an export wrote to a file, and its messages.
fn export(sandbox: &Sandbox, format: &str) -> (String, String) {
    let out = sandbox.path().join("out.txt");
    let session = sandbox.session();
    let args = ["export", session.to_str().unwrap(), "--format", format, "--force", "--output"];
    let ran = sandbox.ok(args.into_iter().chain([out.to_str().unwrap()]));
    (fs::read_to_string(out).unwrap(), ran.stderr)
}

/// Two classes of four pictures each: `c00/000.png` and so on, in the order of their paths.
fn scanned() -> (Sandbox, Vec<PathBuf>) {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 2, 4, 32);
    let walk = walkdir::WalkDir::new(sandbox.data()).sort_by_file_name().into_iter().map(Result::unwrap);
    let files: Vec<PathBuf> =
        walk.filter(|entry| entry.file_type().is_file()).map(|it| it.into_path()).collect();
    assert_eq!(files.len(), 8);
    sandbox.scan();
    (sandbox, files)
}

/// The counts of remarks on reading, by kind.
fn remarks(report: &Value, kind: &str) -> Vec<(u64, String)> {
    let all = report["reading"]["remarks"].as_array().unwrap().iter();
    let of_kind = all.filter(|remark| remark["kind"] == kind);
    of_kind.map(|it| (it["count"].as_u64().unwrap(), it["text"].as_str().unwrap().to_owned())).collect()
}

#[test]
fn what_was_decided_about_a_file_is_not_done_to_another() {
    let (sandbox, files) = scanned();
    let names: Vec<String> = files
        .iter()
        .map(|path| path.strip_prefix(sandbox.data()).unwrap().to_str().unwrap().to_owned())
        .collect();
    decide(&sandbox, &["x", "x", "relabel automobile", "keep", "show"]);
    assert_eq!(export(&sandbox, "removal-list").0, format!("{}\n{}\n", names[0], names[1]));

    // The first becomes another picture, the third one is touched only, the fourth goes.
    let before = fs::read(&files[0]).unwrap();
    fs::copy(&files[7], &files[0]).unwrap();
    let third = fs::read(&files[2]).unwrap();
    fs::write(&files[2], third).unwrap();
    fs::remove_file(&files[3]).unwrap();
    let (list, said) = export(&sandbox, "removal-list");
    assert_eq!(list, format!("{}\n", names[1]));
    assert!(said.contains(&format!("1 decided file has changed since: {} (remove)", names[0])), "{said}");
    assert!(said.contains(&format!("1 decided file is gone: {} (keep)", names[3])), "{said}");
    assert!(export(&sandbox, "relabel-map").0.contains(&names[2]));
    let (table, _) = export(&sandbox, "cleaned-table");
    assert!(table.contains(&names[0]) && !table.contains(&names[1]), "{table}");

    // A new scan says it, too, in words and as data.
    let ran = sandbox.ok(sandbox.scan_args());
    let changed = remarks(&report(&ran), "decisions-changed");
    assert_eq!((changed.len(), changed[0].0), (1, 1));
    assert!(changed[0].1.contains(&format!("{} (remove)", names[0])) && ran.stderr.contains(&changed[0].1));
    assert!(remarks(&report(&ran), "decisions-gone")[0].1.contains(&format!("{} (keep)", names[3])));
    assert_eq!(export(&sandbox, "removal-list").0, format!("{}\n", names[1]));

    // Once its content is back, so is the decision.
    fs::write(&files[0], before).unwrap();
    let again = sandbox.scan();
    assert_eq!(remarks(&again, "decisions-changed"), []);
    assert_eq!(export(&sandbox, "removal-list").0, format!("{}\n{}\n", names[0], names[1]));
}

#[test]
fn deleting_a_removed_copy_does_not_remove_the_other() {
    let (sandbox, files) = scanned();
    // A copy under another name, which comes after the first.
    let copy = files[0].with_file_name("zz.png");
    fs::copy(&files[0], &copy).unwrap();
    sandbox.scan();
    decide(&sandbox, &["x"]);
    assert_eq!(export(&sandbox, "removal-list").0.lines().count(), 1);
    fs::remove_file(&files[0]).unwrap();
    let report = sandbox.scan();
    assert_eq!(export(&sandbox, "removal-list").0, "", "the copy that is left");
    assert_eq!(remarks(&report, "decisions-gone"), [], "it was to be removed and is");
}
