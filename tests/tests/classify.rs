//! Names from any vocabulary: `chaffinch classify` through the program itself.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::sandbox::{Sandbox, json};
use serde_json::Value;
use std::fs;
use std::path::Path;

fn classified(sandbox: &Sandbox, data: &Path, more: &[&str]) -> Vec<Value> {
    let mut args = vec!["classify", data.to_str().unwrap(), "--format", "json", "--offline"];
    args.extend(more);
    json(&sandbox.ok(args)).as_array().unwrap().clone()
}

#[test]
fn most_samples_show_their_label() {
    let (sandbox, data) = Sandbox::with_demo();
    let rows = classified(&sandbox, &data, &[]);
    let right = rows.iter().filter(|row| row["names"][0]["name"] == row["label"]).count();
    // A tenth of the labels are wrong on purpose, and one in ten names would be right by chance.
    assert!(right * 2 > rows.len(), "{right} of {}", rows.len());
    for row in &rows {
        let names: Vec<f64> =
            row["names"].as_array().unwrap().iter().map(|one| one["probability"].as_f64().unwrap()).collect();
        assert!(names.is_sorted_by(|a, b| a >= b) && names.iter().sum::<f64>() < 1.0 + 1e-5, "{row}");
        assert!((row["fits"].as_f64().unwrap() - 1.0).abs() < 1e-4, "nothing else can be said: {row}");
    }
    assert_eq!(rows, classified(&sandbox, &data, &[]));
    assert!(classified(&sandbox, &data, &["--unfit"]).is_empty());
    let one = classified(&sandbox, &data, &["--names", "1", "--top", "3", "--filter", "class:cat"]);
    assert_eq!(one.len(), 3);
    assert!(one.iter().all(|row| row["label"] == "cat" && row["names"].as_array().unwrap().len() == 1));
}

#[test]
fn csv_has_the_columns_of_label_tools() {
    let (sandbox, data) = Sandbox::with_demo();
    let names = sandbox.path().join("names.txt");
    fs::write(&names, "# things\nsubmarine\n\ntoaster\n").unwrap();
    let args = ["classify", data.to_str().unwrap(), "--offline", "--vocabulary", names.to_str().unwrap()];
    let text = sandbox.ok([&args[..], &["--format", "csv"]].concat()).stdout;
    assert!(
        text.starts_with(
            "label_1,probability_1,label_2,probability_2,label_3,probability_3,label_4,probability_4,label_5,\
             probability_5,fname,original_lazy_label\n"
        ),
        "{text}"
    );
    let row: Vec<&str> = text.lines().nth(1).unwrap().split(',').collect();
    assert_eq!((row.len(), row[1].len()), (12, 5), "three decimals: {row:?}");
    assert_eq!(sandbox.ok(args).stdout.lines().next().unwrap().split_whitespace().next(), Some("path"));
}

#[test]
fn what_cannot_be_classified_is_said() {
    let (sandbox, data) = Sandbox::with_demo();
    let data = data.to_str().unwrap();
    let empty = sandbox.path().join("empty.txt");
    fs::write(&empty, "# nothing\n").unwrap();
    let refused = |more: &[&str], what: &str| {
        let ran = sandbox.run([&["classify", data, "--offline"], more].concat());
        assert!(ran.code == 2 && ran.stderr.contains(what), "{}{}", ran.stdout, ran.stderr);
    };
    refused(&["--vocabulary", empty.to_str().unwrap()], "it has no names");
    refused(&["--vocabulary", "nowhere.txt"], "nowhere.txt");
    refused(&["--names", "0"], "--names is 0");
    refused(&["--temperature", "0"], "--temperature is 0");
    refused(&["--filter", "colour:red"], "colour");
}
