//! A polluted copy, scanned and evaluated, as by a user.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::digest;
use chaffinch_tests::pictures;
use chaffinch_tests::sandbox::{Sandbox, json};
use std::fs;

#[test]
fn planted_faults_are_listed_and_evaluated() {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 5, 20, 32);
    let before = digest::untouched(&sandbox.data());
    let strangers = sandbox.path().join("strangers");
    pictures::dataset(&strangers, 2, 3, 64);
    let data = sandbox.data();
    let polluted = |name: &str, seed: &str| {
        let output = sandbox.path().join(name);
        let mut words =
            vec!["pollute", data.to_str().unwrap(), "--output", output.to_str().unwrap(), "--json"];
        words.extend([
            "--seed",
            seed,
            "--symmetric",
            "0.1",
            "--copies",
            "3",
            "--reencoded",
            "2",
            "--truncated",
            "2",
        ]);
        words.extend(["--foreign", "4", "--foreign-from", strangers.to_str().unwrap()]);
        let report = json(&sandbox.ok(words));
        assert_eq!(report["samples"], 109);
        assert_eq!(report["planted"]["label"], 10);
        output
    };
    let first = polluted("first", "5");
    let list = |folder: &std::path::Path| fs::read_to_string(folder.join("planted.csv")).unwrap();
    assert_eq!(list(&first), list(&polluted("again", "5")));
    assert_ne!(list(&first), list(&polluted("other", "6")));
    assert_eq!(list(&first).lines().count(), 1 + 10 + 3 + 2 + 2 + 4);
    assert!(digest::untouched(&sandbox.data()) == before, "the dataset was changed");

    let session = sandbox.path().join("polluted-session");
    let (data, session) = (first.join("data"), session.to_str().unwrap());
    sandbox.ok(["scan", data.to_str().unwrap(), "--session", session, "--detectors", "duplicates"]);
    let truth = first.join("truth.csv");
    let evaluation =
        json(&sandbox.ok(["evaluate", session, "--truth", truth.to_str().unwrap(), "--format", "json"]));
    assert_eq!(evaluation["n"], 109, "{evaluation}");
    assert_eq!(evaluation["n_errors"], 21, "{evaluation}");

    // The truth names the kind of each fault.
    assert_eq!(evaluation["kinds"]["copy"], 3, "{evaluation}");
    // Two equal files do not show which one is the copy, so not all flagged ones are the planted ones.
    let copies = &evaluation["detectors"]["duplicates"]["by_kind"]["copy"];
    assert_eq!(copies["errors"], 3, "{copies}");
    assert!(copies["auroc"].as_f64().is_some_and(|area| area > 0.5), "{copies}");
    assert_eq!(evaluation["resamples"], 1000);
    let own = evaluation["ensemble"]["auroc"].as_f64().unwrap();
    let interval = &evaluation["ensemble"]["intervals"]["auroc"];
    let (low, high) = (interval[0].as_f64().unwrap(), interval[1].as_f64().unwrap());
    assert!(low < own && own < high, "{low} {own} {high}");
    assert!(evaluation["ensemble"]["precision_at"]["10"].is_number(), "{evaluation}");

    // Curves.
    let picture = sandbox.path().join("curves.svg");
    let words = ["evaluate", session, "--truth", truth.to_str().unwrap(), "--plot=duplicates,ensemble"];
    let ran = sandbox.ok(words.into_iter().chain(["--svg", picture.to_str().unwrap(), "--bootstrap", "20"]));
    assert!(ran.stdout.contains("\na  duplicates: precision "), "{}", ran.stdout);
    assert!(ran.stdout.contains("\n*  ensemble: precision "), "{}", ran.stdout);
    assert!(fs::read_to_string(&picture).unwrap().matches("<polyline ").count() >= 3, "all are drawn");
    let inside = data.join("curves.svg");
    let words = ["evaluate", session, "--truth", truth.to_str().unwrap(), "--svg", inside.to_str().unwrap()];
    let refused = sandbox.run(words);
    assert!(refused.code == 2 && refused.stderr.contains("inside the dataset"), "{}", refused.stderr);

    let refused = sandbox.run(["evaluate", session, "--reviewed"]);
    assert!(refused.code == 2 && refused.stderr.contains("no decisions yet"), "{}", refused.stderr);
}

#[test]
fn rows_of_one_path_get_labels_of_their_own() {
    let sandbox = Sandbox::new();
    for number in 0..2_u64 {
        let file = sandbox.data().join(format!("{number}.png"));
        pictures::picture(number as usize, number, 32).save(file).unwrap();
    }
    let table = sandbox.data().join("t.csv");
    fs::write(&table, "path,label\n0.png,cat\n0.png,dog\n0.png,dog\n1.png,dog\n").unwrap();
    let labels = sandbox.path().join("labels.csv");
    let planted = |name: &str, text: &str| {
        fs::write(&labels, text).unwrap();
        let output = sandbox.path().join(name);
        let paths = [&table, &output, &labels].map(|path| path.to_str().unwrap());
        sandbox.ok(["pollute", paths[0], "--output", paths[1], "--labels", paths[2]]);
        let list = fs::read_to_string(output.join("planted.csv")).unwrap();
        let mut rows: Vec<String> = chaffinch_tests::sandbox::table(&list)
            .iter()
            .map(|row| format!("{} {} {}", row["source"], row["true_label"], row["label"]))
            .collect();
        rows.sort();
        rows
    };
    let expected = ["0.png#1 cat dog", "0.png#3 dog cat"];
    assert_eq!(planted("turn", "path,label\n0.png,dog\n0.png,dog\n0.png,cat\n1.png,dog\n"), expected);
    assert_eq!(planted("keys", "path,label\n0.png#3,cat\n0.png#1,dog\n"), expected);
    let all = planted("all", "path,label\n0.png,dog\n1.png,cat\n");
    assert_eq!(all, ["0.png#1 cat dog", "1.png dog cat"]);
    fs::write(&labels, "path,label\n0.png,dog\n0.png,cat\n").unwrap();
    let output = sandbox.path().join("vague");
    let paths = [&table, &output, &labels].map(|path| path.to_str().unwrap());
    let ran = sandbox.run(["pollute", paths[0], "--output", paths[1], "--labels", paths[2]]);
    assert!(ran.stderr.contains("2 rows are about 0.png, which has 3 rows in the dataset"), "{}", ran.stderr);
}
