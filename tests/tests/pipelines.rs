//! What programs read, and what they can rely on: progress as JSON, results that can be made again.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::pictures::dataset;
use chaffinch_tests::sandbox::{Ran, Sandbox};
use chaffinch_tests::schema;
use serde_json::Value;
use std::fs;

/// The lines on stderr, each of which must be as the schema says, and the last of which must give the exit status.
fn lines(ran: &Ran) -> Vec<Value> {
    let read = |line: &str| {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("'{line}' is not JSON: {error}"))
    };
    let lines: Vec<Value> = ran.stderr.lines().map(read).collect();
    lines.iter().for_each(|line| schema::check(line, "progress"));
    let ends = lines.iter().filter(|line| line["type"] == "end").count();
    assert_eq!(ends, 1, "{}", ran.stderr);
    assert_eq!(lines.last().unwrap()["status"], ran.code, "{}", ran.stderr);
    lines
}

fn of<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["type"] == kind).collect()
}

#[test]
fn progress_is_json_that_its_schema_describes() {
    let sandbox = Sandbox::new();
    dataset(&sandbox.data(), 3, 20, 32);
    let broken = sandbox.data().join("airplane/br\u{1b}oken.png");
    fs::write(broken, "no picture").unwrap();
    let mut args = sandbox.scan_args();
    args.extend(["--progress".to_owned(), "json".to_owned(), "-v".to_owned()]);
    let ran = sandbox.run(&args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let scan = lines(&ran);
    let progress = of(&scan, "progress");
    let (first, last) = (progress[0], progress[progress.len() - 1]);
    assert_eq!(first["step"], 1);
    assert_eq!(last["step"], last["steps"], "{last}");
    let stages: Vec<&str> = progress.iter().map(|line| line["stage"].as_str().unwrap()).collect();
    assert!(stages.contains(&"embed"), "{stages:?}");
    assert!(!ran.raw.contains(&0x1b));

    let session = sandbox.session();
    let output = sandbox.path().join("clean");
    let (session, output) = (session.to_str().unwrap(), output.to_str().unwrap());
    let export = ["export", session, "--format", "cleaned", "--output", output, "--progress", "json"];
    assert!(!of(&lines(&sandbox.run(export)), "progress").is_empty());
    // The same again fails, because the folder is there.
    let again = lines(&sandbox.run(export));
    assert_eq!(of(&again, "error").len(), 1, "{again:?}");
    assert!(of(&again, "error")[0]["text"].as_str().unwrap().contains("clean"), "{again:?}");
}

#[test]
fn a_result_is_replayed_to_the_byte_and_every_difference_is_named() {
    let sandbox = Sandbox::new();
    dataset(&sandbox.data(), 3, 20, 32);
    sandbox.scan();
    let session = sandbox.session();
    let session = session.to_str().unwrap();
    let ran = sandbox.plain([session], "T\ngo 1\nremove\ngo 2\nkeep\nq\n");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let file = sandbox.path().join("result.json");
    let file = file.to_str().unwrap();
    sandbox.ok(["scan", sandbox.data().to_str().unwrap(), "--session", session]);
    sandbox.ok(["replay", session, "--record", file]);
    let again = sandbox.run(["replay", session, "--record", file]);
    assert_eq!(again.code, 2, "nothing is overwritten");

    // In a temporary folder of its own, in which nothing may be left.
    let temp = sandbox.path().join("temp");
    fs::create_dir(&temp).unwrap();
    let mut command = sandbox.command(["replay", file, "--quiet"]);
    let same = Ran::from(command.env("TMPDIR", &temp).output().unwrap());
    assert_eq!(same.code, 0, "{}{}", same.stdout, same.stderr);
    assert!(same.stdout.contains("the same to the byte: 60 samples"), "{}", same.stdout);
    // What is gone when it ends is not to be opened.
    let loud = sandbox.run(["replay", file]);
    assert!(loud.code == 0 && !loud.stderr.contains("chaffinch-replay-"), "{}", loud.stderr);
    assert_eq!(fs::read_dir(&temp).unwrap().count(), 0, "the session of a replay is removed");

    // The same pictures elsewhere are the same result.
    let moved = sandbox.path().join("moved");
    fs::rename(sandbox.data(), &moved).unwrap();
    let gone = sandbox.run(["replay", file, "--quiet"]);
    assert_eq!(gone.code, 2, "{}", gone.stdout);
    let moved = moved.to_str().unwrap();
    let same = sandbox.run(["replay", file, "--quiet", "--dataset", moved]);
    assert_eq!(same.code, 0, "{}{}", same.stdout, same.stderr);

    let first = fs::read_dir(format!("{moved}/airplane")).unwrap().next().unwrap().unwrap().path();
    let name = first.file_name().unwrap().to_str().unwrap().to_owned();
    fs::copy(fs::read_dir(format!("{moved}/bird")).unwrap().next().unwrap().unwrap().path(), first).unwrap();
    let other = sandbox.run(["replay", file, "--quiet", "--dataset", moved]);
    assert_eq!(other.code, 1, "{}{}", other.stdout, other.stderr);
    let named = format!("contents, labels or splits of samples changed; changed: airplane/{name}");
    assert!(other.stdout.contains(&named), "{}", other.stdout);
    assert!(other.stdout.contains("duplicates: other results"), "{}", other.stdout);

    fs::write(sandbox.path().join("other.json"), "{}").unwrap();
    let no = sandbox.run(["replay", sandbox.path().join("other.json").to_str().unwrap()]);
    assert!(no.stderr.contains("is not a manifest of chaffinch replay --record"), "{}", no.stderr);
}

/// A session with a recorded result.
fn recorded() -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    dataset(&sandbox.data(), 3, 20, 32);
    sandbox.scan();
    let file = sandbox.path().join("result.json").to_str().unwrap().to_owned();
    sandbox.ok(["replay", sandbox.session().to_str().unwrap(), "--record", &file]);
    (sandbox, file)
}

#[test]
fn a_changed_threshold_is_named_with_where_it_comes_from() {
    let (sandbox, file) = recorded();
    let folder = sandbox.path().join("config/chaffinch");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.toml"), "[detectors.duplicates]\nthreshold = 0.001\n").unwrap();
    let ran = sandbox.run(["replay", &file, "--quiet"]);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    let first = ran.stdout.lines().next().unwrap();
    assert!(first.starts_with("setting detectors.duplicates.threshold: "), "{}", ran.stdout);
    assert!(first.contains("now 0.001 (from ") && first.contains("config.toml)"), "{}", ran.stdout);
}

#[test]
fn a_changed_program_version_is_named() {
    let (sandbox, file) = recorded();
    let mut record: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    record["program"] = "chaffinch 0.0.1".into();
    record["in_force"]["detectors.duplicates.version"] = "0.0.2".into();
    fs::write(&file, record.to_string()).unwrap();
    let ran = sandbox.run(["replay", &file, "--quiet"]);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout.contains("program: chaffinch 0.0.1 recorded it, this is chaffinch "),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("detector duplicates: version 0.0.2, now "), "{}", ran.stdout);
    assert!(ran.stdout.contains("not the same: 2 differences"), "{}", ran.stdout);
}

#[test]
fn a_replay_says_everything_in_lines_of_json() {
    let (sandbox, file) = recorded();
    let ran = sandbox.run(["replay", &file, "--progress", "json"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let all = lines(&ran);
    let stages: Vec<&str> = of(&all, "progress").iter().map(|line| line["stage"].as_str().unwrap()).collect();
    assert!(stages.contains(&"embed"), "{stages:?}");
    // A scan that fails is told in lines as well, and the failure of the replay after it.
    let gone = lines(&sandbox.run(["replay", &file, "--progress", "json", "--dataset", "/nowhere"]));
    assert_eq!(of(&gone, "warning").len(), 1, "{gone:?}");
    let errors = of(&gone, "error");
    assert!(errors[0]["text"].as_str().unwrap().contains("the scan failed"), "{gone:?}");
}

#[test]
fn what_is_wrong_with_a_command_line_is_json_too() {
    let sandbox = Sandbox::new();
    for words in [
        &["scan", "--progress", "json"][..],
        &["--progress=json", "scan", "/data", "--no-such-option"],
        &["scan", "/data", "--progress", "json", "--ensemble", "best"],
        &["no-such-command", "--progress", "json"],
        &["--progress", "json"],
    ] {
        let ran = sandbox.run(words);
        assert_eq!(ran.code, 2, "{words:?}: {}", ran.stderr);
        let all = lines(&ran);
        assert_eq!(of(&all, "error").len(), 1, "{words:?}: {all:?}");
        assert!(!of(&all, "error")[0]["text"].as_str().unwrap().contains("Usage"), "{all:?}");
    }
    // Help is not an error, and behind `--` are names of files.
    assert!(sandbox.ok(["scan", "--help", "--progress", "json"]).stdout.contains("Usage"));
    let ran = sandbox.run(["scan", "--no-such-option", "--", "--progress", "json"]);
    assert!(ran.stderr.contains("Usage"), "{}", ran.stderr);
}
