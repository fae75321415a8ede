//! Findings about a dataset as a whole, through the program.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::pictures::dataset;
use chaffinch_tests::sandbox::Sandbox;
use chaffinch_tests::schema;
use serde_json::Value;
use std::fs;

/// A scanned dataset with a test set of one class only, larger pictures in it, and a name with a control character.
fn scanned() -> Sandbox {
    let sandbox = Sandbox::new();
    let (train, test) = (sandbox.data().join("train"), sandbox.data().join("test"));
    let pictures = dataset(&train, 3, 30, 32);
    let first = pictures.iter().map(|path| train.join(path)).find(|path| path.is_file()).unwrap();
    let class = first.parent().unwrap().file_name().unwrap();
    fs::create_dir_all(test.join(class)).unwrap();
    for number in 0..25 {
        let from = first.parent().unwrap();
        let from = fs::read_dir(from).unwrap().nth(number).unwrap().unwrap().path();
        fs::copy(from, test.join(class).join(format!("{number}\u{1b}[31m.png"))).unwrap();
    }
    sandbox.scan();
    sandbox
}

#[test]
fn the_command_says_the_same_as_a_table_and_as_json_whatever_the_threads() {
    let sandbox = scanned();
    let session = sandbox.session();
    let session = session.to_str().unwrap();
    let text = sandbox.ok(["dataset", session, "--format", "json"]).stdout;
    let found: Value = serde_json::from_str(&text).unwrap();
    schema::check(&found, "dataset");
    let findings = found["findings"].as_array().unwrap();
    let drift = findings.iter().find(|one| one["kind"] == "split_drift").unwrap();
    assert!(drift["score"].as_f64().unwrap() < 0.5, "{drift}");
    let scores: Vec<f64> = findings.iter().map(|one| one["score"].as_f64().unwrap()).collect();
    assert!(scores.is_sorted(), "{scores:?}");
    assert!(!text.contains('\u{1b}') && !text.contains("\\u001b"), "no name reaches the terminal as it is");
    let one =
        sandbox.command(["dataset", session, "--format", "json"]).env("RAYON_NUM_THREADS", "1").output();
    assert_eq!(String::from_utf8(one.unwrap().stdout).unwrap(), text);
    let table = sandbox.ok(["dataset", session]).stdout;
    for one in findings {
        assert!(table.contains(one["severity"].as_str().unwrap()), "{table}");
    }
    assert!(table.contains("Not looked for: metadata columns, because"), "{table}");
}
