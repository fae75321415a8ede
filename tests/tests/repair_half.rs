//! A dataset in which a plan was begun and not finished: every command says so, none writes from it, and `rollback` finds it
//! whatever kind of dataset it is. And the words of `plan`, `apply` and `rollback` about what is there already.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::digest::files as tree;
use chaffinch_tests::pictures;
use chaffinch_tests::sandbox::Sandbox;
use std::fs;
use std::path::{Path, PathBuf};

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A scanned dataset, with a plan that removes one picture and relabels another.
fn planned(sandbox: &Sandbox, dataset: &Path, paths: [&str; 2]) -> PathBuf {
    let session = sandbox.session();
    sandbox.ok(["scan", text(dataset), "--session", text(&session), "--detectors", "duplicates"]);
    let table = sandbox.path().join("decisions.csv");
    let [removed, relabeled] = paths;
    let rows = format!(
        "image_path,user_action,new_label,reviewer\n{removed},remove,,anna\n{relabeled},relabel,truck,anna\n"
    );
    fs::write(&table, rows).unwrap();
    sandbox.ok(["import", "csv", text(&table), "--session", text(&session)]);
    let plan = sandbox.path().join("plan.json");
    sandbox.ok(["plan", text(&session), "--output", text(&plan)]);
    plan
}

/// The folder dataset of the sandbox, and a plan.
fn folder(sandbox: &Sandbox) -> PathBuf {
    let paths = pictures::dataset(&sandbox.data(), 3, 4, 32);
    planned(sandbox, &sandbox.data(), [text(&paths[0]), text(&paths[5])])
}

fn rollback_folder(dataset: &Path) -> Option<PathBuf> {
    let begin = format!(".{}.chaffinch-rollback-", dataset.file_name().unwrap().to_str().unwrap());
    let entries = fs::read_dir(dataset.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    entries.into_iter().find(|path| path.file_name().unwrap().to_string_lossy().starts_with(&begin))
}

/// Makes an applied plan look as if it had been killed when it had taken all but one file and placed none.
fn half(dataset: &Path) {
    let folder = rollback_folder(dataset).unwrap();
    let journal: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.join("journal.json")).unwrap()).unwrap();
    for placed in journal["placed"].as_array().unwrap() {
        let held = match (placed["from"]["kept"].as_u64(), placed["from"]["new"].as_u64()) {
            (Some(number), _) => folder.join(format!("kept/{number}")),
            (_, Some(number)) => folder.join(format!("new/{number}")),
            _ => panic!("{placed}"),
        };
        fs::rename(placed["to"].as_str().unwrap(), held).unwrap();
    }
    let taken = journal["taken"].as_array().unwrap();
    if taken.len() > 1 {
        let last = taken.len() - 1;
        fs::rename(folder.join(format!("kept/{last}")), taken[last].as_str().unwrap()).unwrap();
    }
    fs::remove_file(folder.join("done")).unwrap();
    fs::remove_file(folder.join("placing")).unwrap();
}

#[test]
fn a_half_changed_dataset_is_said_by_all_and_written_from_by_none() {
    let sandbox = Sandbox::new();
    let plan = folder(&sandbox);
    let (data, session) = (sandbox.data(), sandbox.session());
    let before = tree(&data);
    sandbox.ok(["apply", text(&plan), "--in-place", "--yes"]);
    let after = tree(&data);
    half(&data);
    let now = tree(&data);
    assert!(now != before && now != after);
    let at = |name: &str| sandbox.path().join(name);
    let (csv, clean, other) = (at("out.csv"), at("clean"), at("other.json"));
    let (copy, report, fresh) = (at("copy"), at("report.html"), at("fresh"));
    for words in [
        vec!["scan", text(&data), "--session", text(&session), "--detectors", "duplicates"],
        vec!["scan", text(&data), "--session", text(&fresh), "--detectors", "duplicates"],
        vec!["plan", text(&session), "--output", text(&other)],
        vec!["export", text(&session), "--format", "manifest", "--output", text(&csv)],
        vec!["export", text(&session), "--format", "cleaned", "--output", text(&clean)],
        vec!["apply", text(&plan), "--output", text(&copy)],
    ] {
        let ran = sandbox.run(&words);
        assert_eq!(ran.code, 2, "{words:?}\n{}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("it is half changed"), "{words:?}\n{}", ran.stderr);
        assert!(ran.stderr.contains("apply that plan again"), "{words:?}\n{}", ran.stderr);
        assert!(ran.stderr.contains("chaffinch rollback "), "{words:?}\n{}", ran.stderr);
    }
    assert!([&csv, &clean, &other, &copy].iter().all(|path| !path.exists()));
    for words in [
        vec!["rank", text(&session), "--all"],
        vec!["report", text(&session), "--output", text(&report)],
        vec!["conflicts", text(&session)],
    ] {
        let ran = sandbox.ok(&words);
        assert!(ran.stderr.contains("it is half changed"), "{words:?}\n{}", ran.stderr);
    }
    let opened = sandbox.plain([text(&session)], "quit\n");
    assert!(opened.stderr.contains("it is half changed"), "{}", opened.stderr);
    assert_eq!(tree(&data), now);

    // What is said to do does it, either way.
    sandbox.ok(["apply", text(&plan), "--in-place", "--yes"]);
    assert_eq!(tree(&data), after);
    half(&data);
    let back = sandbox.ok(["rollback", text(&data)]);
    assert!(back.stdout.contains("restored as it was before"), "{}", back.stdout);
    assert_eq!(tree(&data), before);
    let ran = sandbox.ok(["rank", text(&session), "--all"]);
    assert!(!ran.stderr.contains("half changed"), "{}", ran.stderr);
}

#[test]
fn a_dataset_that_is_a_file_of_any_kind_is_rolled_back_by_its_name() {
    for name in ["rows.jsonl", "rows.csv", "rows.json"] {
        let sandbox = Sandbox::new();
        let data = sandbox.data();
        let paths = pictures::dataset(&data, 3, 4, 32);
        let row = |path: &PathBuf| (text(path).to_owned(), text(path.parent().unwrap()).to_owned());
        let rows: Vec<(String, String)> = paths.iter().map(row).collect();
        let object =
            |(path, label): &(String, String)| format!("{{\"path\": \"{path}\", \"label\": \"{label}\"}}");
        let objects: Vec<String> = rows.iter().map(object).collect();
        let written = match name.rsplit_once('.').unwrap().1 {
            "csv" => rows
                .iter()
                .fold("path,label\n".to_owned(), |all, (path, label)| all + &format!("{path},{label}\n")),
            "jsonl" => objects.join("\n") + "\n",
            _ => format!("[{}]\n", objects.join(",\n")),
        };
        let dataset = data.join(name);
        fs::write(&dataset, written).unwrap();
        let plan = planned(&sandbox, &dataset, [text(&paths[0]), text(&paths[5])]);
        let before = tree(&data);
        sandbox.ok(["apply", text(&plan), "--in-place", "--yes"]);
        let back = sandbox.ok(["rollback", text(&dataset)]);
        assert!(back.stdout.contains("restored: "), "{name}: {}", back.stdout);
        assert_eq!(tree(&data), before, "{name}");
        // Also when the file itself is among what was taken.
        sandbox.ok(["apply", text(&plan), "--in-place", "--yes"]);
        half(&dataset);
        assert!(!dataset.exists(), "{name}");
        sandbox.ok(["rollback", text(&dataset)]);
        assert_eq!(tree(&data), before, "{name}");
        let none = sandbox.run(["rollback", text(&dataset)]);
        assert_eq!(none.code, 2, "{name}");
        assert!(none.stderr.contains("nothing was applied to "), "{name}: {}", none.stderr);
    }
}

#[test]
fn a_rollback_says_what_it_did_and_takes_leftovers_away() {
    let sandbox = Sandbox::new();
    let plan = folder(&sandbox);
    let data = sandbox.data();
    let before = tree(&data);
    sandbox.ok(["apply", text(&plan), "--in-place", "--yes"]);
    let back = sandbox.ok(["rollback", text(&plan)]).stdout;
    assert!(back.contains("restored: 1 removed file was put back, 1 moved file was moved back"), "{back}");
    assert!(!back.contains("0 "), "{back}");
    // Killed before its first step.
    let left = sandbox.path().join(".data.chaffinch-rollback-0123456789ab");
    fs::create_dir_all(left.join("kept")).unwrap();
    let ran = sandbox.ok(["rollback", text(&data)]);
    assert!(ran.stderr.contains(text(&left)) && ran.stderr.contains("it was removed"), "{}", ran.stderr);
    assert!(!left.exists());
    assert_eq!(tree(&data), before);
}

#[test]
fn a_plan_is_not_replaced_unless_that_is_asked_for() {
    let sandbox = Sandbox::new();
    let plan = folder(&sandbox);
    let session = sandbox.session();
    let before = fs::read(&plan).unwrap();
    let again = ["plan", text(&session), "--copies", "keep-older", "--output", text(&plan)];
    let ran = sandbox.run(again);
    assert!(ran.code == 2 && ran.stderr.contains("already exists"), "{}", ran.stderr);
    assert!(ran.stderr.contains("--force"), "{}", ran.stderr);
    assert_eq!(fs::read(&plan).unwrap(), before);
    sandbox.ok([&again[..], &["--force"]].concat());
    assert_ne!(fs::read(&plan).unwrap(), before);
    // A folder that is not there is no place for a file, whatever is written.
    let nowhere = sandbox.path().join("nowhere");
    for words in [["plan", "x.json"], ["report", "x.html"]] {
        let output = nowhere.join(words[1]);
        let ran = sandbox.run([words[0], text(&session), "--output", text(&output)]);
        assert_eq!(ran.code, 2, "{words:?}\n{}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(text(&nowhere)) && !nowhere.exists(), "{words:?}\n{}", ran.stderr);
    }
}

#[test]
fn a_picture_that_the_plan_is_not_about_does_not_matter() {
    let sandbox = Sandbox::new();
    let plan = folder(&sandbox);
    let data = sandbox.data();
    let first = fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path()).min().unwrap();
    let picture = pictures::encoded(&pictures::picture(0, 4711, 32), image::ImageFormat::Png);
    fs::write(first.join("0-first-of-all.png"), picture).unwrap();
    let copy = sandbox.path().join("copy");
    sandbox.ok(["apply", text(&plan), "--output", text(&copy)]);
    sandbox.ok(["apply", text(&plan), "--in-place", "--yes"]);
    assert_eq!(tree(&data), tree(&copy));
}

#[test]
fn where_to_apply_a_plan_is_asked_with_both_answers() {
    let sandbox = Sandbox::new();
    let ran = sandbox.run(["apply", "plan.json"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("--output <DIR>") && ran.stderr.contains("--in-place"), "{}", ran.stderr);
    let both = sandbox.run(["apply", "plan.json", "--output", "copy", "--in-place"]);
    assert!(both.code == 2 && both.stderr.contains("cannot be used with"), "{}", both.stderr);
}
