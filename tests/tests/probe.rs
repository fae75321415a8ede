//! What cleaning buys: `chaffinch probe` through the program itself.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::pictures;
use chaffinch_tests::sandbox::{Sandbox, json};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// A scanned dataset with the splits train and test, of whose training samples every fourth has a wrong label.
fn scanned() -> Sandbox {
    let sandbox = Sandbox::new();
    let data = sandbox.data();
    let whole = sandbox.path().join("whole");
    pictures::dataset(&whole, 3, 40, 32);
    let mut classes: Vec<String> = fs::read_dir(&whole)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    classes.sort();
    for (number, class) in classes.iter().enumerate() {
        let mut files: Vec<_> =
            fs::read_dir(whole.join(class)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for (row, file) in files.iter().enumerate() {
            let split = if row % 4 == 3 { "test" } else { "train" };
            let wrong = split == "train" && row % 4 == 1;
            let given = &classes[(number + usize::from(wrong)) % classes.len()];
            let folder = data.join(split).join(given);
            fs::create_dir_all(&folder).unwrap();
            fs::copy(file, folder.join(format!("{class}-{row:02}.png"))).unwrap();
        }
    }
    sandbox.ok(sandbox.scan_args());
    sandbox
}

fn probe(sandbox: &Sandbox, more: &[&str]) -> Value {
    let session = sandbox.session();
    let args = [&["probe", session.to_str().unwrap(), "--format", "json"], more].concat();
    json(&sandbox.ok(args))
}

fn row<'a>(report: &'a Value, labels: &str) -> Option<&'a Value> {
    report["rows"].as_array().unwrap().iter().find(|row| row["labels"] == labels)
}

/// Decides truthfully about all wrong labels, by a table of another reviewer's decisions.
fn decide(sandbox: &Sandbox) -> usize {
    let mut table = String::from("image_path,user_action,new_label\n");
    let mut count = 0;
    let data = sandbox.data();
    for class in fs::read_dir(data.join("train")).unwrap() {
        let class = class.unwrap().file_name().into_string().unwrap();
        for file in fs::read_dir(data.join("train").join(&class)).unwrap() {
            let file = file.unwrap().file_name().into_string().unwrap();
            let own = file.rsplit_once('-').unwrap().0.to_owned();
            if own != class {
                table += &format!("train/{class}/{file},relabel,{own}\n");
                count += 1;
            }
        }
    }
    let path = sandbox.path().join("decisions.csv");
    fs::write(&path, table).unwrap();
    let session = sandbox.session();
    sandbox.ok(["import", "csv", path.to_str().unwrap(), "--session", session.to_str().unwrap()]);
    count
}

#[test]
fn decisions_that_are_right_make_a_better_probe() {
    let sandbox = scanned();
    let before = probe(&sandbox, &[]);
    assert_eq!((&before["against"], &before["trusted"]), (&Value::from("test"), &Value::from(30)));
    let given = row(&before, "given").unwrap();
    assert_eq!((&given["trained"], &given["gain"]), (&Value::from(90), &Value::Null));
    assert!(row(&before, "decided").is_none(), "nothing is decided");
    assert!(row(&before, "selected").unwrap()["left_out"].as_u64().unwrap() > 0);
    let wrong = decide(&sandbox);
    let after = probe(&sandbox, &["--curve", "3"]);
    let decided = row(&after, "decided").unwrap();
    assert_eq!(decided["changed"], wrong);
    assert!(decided["accuracy"].as_f64() >= row(&after, "given").unwrap()["accuracy"].as_f64(), "{after}");
    let curve = after["curve"].as_array().unwrap();
    assert_eq!(curve.len(), 4);
    assert_eq!((&curve[0]["accuracy"], &curve[3]["accuracy"]), (&given["accuracy"], &decided["accuracy"]));
    assert_eq!(curve[3]["decisions"], wrong);
    // The same bytes every time.
    assert_eq!(after, probe(&sandbox, &["--curve", "3"]));
}

#[test]
fn weights_and_predictions_are_written_and_read_again() {
    let sandbox = scanned();
    let at = |name: &str| sandbox.path().join(name).to_str().unwrap().to_owned();
    let (weights, csv, npy, parquet) = (at("w.safetensors"), at("p.csv"), at("p.npy"), at("p.parquet"));
    probe(&sandbox, &["--weights", &weights, "--predictions", &csv]);
    probe(&sandbox, &["--predictions", &npy, "--with", "accepted"]);
    probe(&sandbox, &["--predictions", &parquet, "--kind", "sigmoid"]);
    assert!(fs::metadata(&weights).unwrap().len() > 1_000);
    let text = fs::read_to_string(&csv).unwrap();
    assert_eq!(text.lines().count(), 121);
    assert!(text.starts_with("path,"), "{text}");
    // Probabilities of a probe are probabilities from elsewhere.
    for file in [&csv, &parquet] {
        let mut args = sandbox.scan_args();
        args.extend(["--pred-probs".to_owned(), file.clone()]);
        sandbox.ok(args);
    }
    let session = sandbox.session();
    let again = sandbox.run(["probe", session.to_str().unwrap(), "--predictions", &csv]);
    assert!(again.code == 2 && again.stderr.contains("--force"), "{}", again.stderr);
    let odd = sandbox.run(["probe", session.to_str().unwrap(), "--predictions", &at("p.txt")]);
    assert!(odd.code == 2 && odd.stderr.contains(".parquet"), "{}", odd.stderr);
    let with = sandbox.run(["probe", session.to_str().unwrap(), "--weights", &at("x"), "--with", "decided"]);
    assert!(with.code == 2 && with.stderr.contains("nothing is decided yet"), "{}", with.stderr);
    assert!(!Path::new(&at("x")).exists());
}

#[test]
fn without_a_trusted_split_folds_take_turns_which_is_said() {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 3, 20, 32);
    sandbox.ok(sandbox.scan_args());
    let session = sandbox.session();
    let ran = sandbox.ok(["probe", session.to_str().unwrap()]);
    assert!(ran.stderr.contains("no split is trusted"), "{}", ran.stderr);
    assert!(ran.stdout.starts_with("60 trusted samples in five folds"), "{}", ran.stdout);
    let missing = sandbox.run(["probe", session.to_str().unwrap(), "--against", "val"]);
    assert!(missing.code == 2 && missing.stderr.contains("has a label"), "{}", missing.stderr);
}
