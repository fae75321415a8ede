//! `chaffinch select` through the program itself: compared with the reference figures, and in a session.
//!
//! The reference's data is not in the repository (see [`chaffinch_tests::artefacts::shared_data`]), so that test is
//! ignored unless requested.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a failed step fails the test; figures are its result"
)]

use chaffinch_tests::artefacts::shared_data;
use chaffinch_tests::pictures;
use chaffinch_tests::sandbox::{Ran, Sandbox, json, table};
use serde_json::Value;
use std::fs;

/// Selected samples, precision and recall by mixture, consistency and both, of scikit-learn 1.2.2 with the published
/// code's steps on ResNet-18's out-of-sample probabilities. Its seeds differ by up to 8 samples.
const REFERENCE: [(&str, [(u64, f64, f64); 3]); 4] = [
    ("worst", [(29_436, 0.9012, 0.8873), (30_443, 0.9147, 0.9314), (27_699, 0.9419, 0.8727)]),
    ("aggregate", [(37_910, 0.9964, 0.8303), (44_268, 0.9869, 0.9603), (37_910, 0.9964, 0.8303)]),
    ("synthetic", [(35_080, 0.9981, 0.8748), (37_713, 0.9982, 0.9405), (34_755, 0.9990, 0.8674)]),
    ("roman", [(1_960, 0.9510, 0.7580), (2_320, 0.9319, 0.8792), (1_942, 0.9511, 0.7511)]),
];

#[test]
#[ignore = "needs ResNet-18's probabilities beside the repository: cargo test --release -p chaffinch-tests --test select -- --ignored"]
fn selections_are_those_of_the_reference() {
    let sandbox = Sandbox::new();
    for (dataset, rows) in REFERENCE {
        let folder = shared_data(&format!("label-quality/{dataset}-resnet18"));
        let truth = ["true_labels.npy", "is_error.npy"].map(|name| folder.join(name));
        let truth = truth.iter().find(|path| path.is_file()).unwrap();
        let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        let report = json(&sandbox.ok([
            "select",
            "--pred-probs",
            &at("pred_probs.npy"),
            "--labels",
            &at("labels.npy"),
            "--truth",
            truth.to_str().unwrap(),
            "--theta-gmm",
            ".5",
            "--theta-cons",
            ".8",
            "--format",
            "json",
        ]));
        for (criterion, (n, precision, recall)) in ["gmm", "consistency", "intersection"].iter().zip(rows) {
            let ours = &report[criterion];
            let slack = if *criterion == "consistency" { 0 } else { 15 };
            assert!(ours["n"].as_u64().unwrap().abs_diff(n) <= slack, "{dataset} {criterion}: {ours}");
            for (key, value) in [("precision", precision), ("recall", recall)] {
                let off = (ours[key].as_f64().unwrap() - value).abs();
                assert!(off <= 0.0005, "{dataset} {criterion} {key}: {ours}");
            }
            eprintln!("{dataset} {criterion}: {ours}");
        }
    }
}

/// Twenty samples of two classes, 3 and 13 with the wrong label.
fn files(sandbox: &Sandbox) {
    let mut probabilities = String::from("cat,dog\n");
    let mut labels = String::from("label\n");
    for sample in 0..20 {
        let dog = (sample >= 10) != (sample % 10 == 3);
        let p = if dog { 0.08 } else { 0.9 } + 0.003 * f64::from(sample % 10);
        probabilities += &format!("{p:.4},{:.4}\n", 1.0 - p);
        labels += if sample >= 10 { "dog\n" } else { "cat\n" };
    }
    fs::write(sandbox.path().join("p.csv"), probabilities).unwrap();
    fs::write(sandbox.path().join("l.csv"), labels).unwrap();
}

fn select(sandbox: &Sandbox, more: &[&str]) -> Ran {
    sandbox.run([&["select", "--pred-probs", "p.csv", "--labels", "l.csv"], more].concat())
}

#[test]
fn selected_samples_are_written_with_their_labels() {
    let sandbox = Sandbox::new();
    files(&sandbox);
    let ran = select(&sandbox, &["--format", "json", "-o", "clean.csv"]);
    let report: Value = json(&ran);
    assert_eq!(
        report["intersection"]["n"],
        report["classes"]["cat"]["selected"].as_u64().unwrap()
            + report["classes"]["dog"]["selected"].as_u64().unwrap()
    );
    assert_eq!(report["intersection"]["precision"], Value::Null);
    let rows = table(&fs::read_to_string(sandbox.path().join("clean.csv")).unwrap());
    assert_eq!(rows.len() as u64, report["intersection"]["n"].as_u64().unwrap());
    assert!(rows.iter().all(|row| row["row"] != "3" && row["row"] != "13"));
    assert!(rows.iter().all(|row| (row["label"] == "dog") == (row["row"].parse::<u32>().unwrap() >= 10)));
    // A second time only with --force, and as plain numbers.
    let again = select(&sandbox, &["-o", "clean.csv"]);
    assert!(again.code == 2 && again.stderr.contains("clean.csv already exists"), "{}", again.stderr);
    assert_eq!(select(&sandbox, &["-o", "clean.csv", "--force"]).code, 0);
    assert_eq!(select(&sandbox, &["-o", "clean.txt"]).code, 0);
    let numbers: Vec<String> = rows.iter().map(|row| row["row"].clone()).collect();
    assert_eq!(
        fs::read_to_string(sandbox.path().join("clean.txt")).unwrap().lines().collect::<Vec<_>>(),
        numbers
    );
    // Two sources that agree are like one.
    let two = json(&select(&sandbox, &["--pred-probs", "./p.csv", "--format", "json"]));
    assert_eq!(two["intersection"], report["intersection"]);
    assert_eq!(two["sources"].as_object().unwrap().len(), 2);
}

#[test]
fn what_cannot_be_selected_from_is_said_or_has_a_defined_result() {
    let sandbox = Sandbox::new();
    files(&sandbox);
    let write = |name: &str, text: &str| fs::write(sandbox.path().join(name), text).unwrap();
    let error = |p: &str, l: &str, more: &[&str], words: &str| {
        let ran = sandbox.run([&["select", "--pred-probs", p, "--labels", l], more].concat());
        assert!(ran.code == 2 && ran.stderr.contains(words), "{p} {l}: {} {}", ran.code, ran.stderr);
    };
    write("two.csv", "cat,dog\n.9,.1\n.2,.8\n");
    write("nan.csv", "cat,dog\n.9,.1\nnan,.8\n");
    write("sums.csv", "cat,dog\n.9,.1\n.2,.1\n");
    write("both.csv", "label\ncat\ndog\n");
    write("cats.csv", "label\ncat\ncat\n");
    write("cow.csv", "label\ncat\ncow\n");
    error("nan.csv", "both.csv", &[], "nan.csv: row 1, class 0 ('cat'): NaN is not a probability");
    error("sums.csv", "both.csv", &[], "sums.csv: row 1 sums to 0.300000, not to 1");
    error("two.csv", "cow.csv", &[], "row 1 has the label 'cow', which is not a class");
    error("two.csv", "l.csv", &[], "it has 20 rows");
    error(
        "two.csv",
        "both.csv",
        &["--theta-cons", "1.5"],
        "--theta-cons is 1.5, but must be between 0 and 1",
    );
    error("two.csv", "both.csv", &["--theta-gmm", "nan"], "--theta-gmm is NaN");
    let ran = sandbox.run(["select"]);
    assert!(ran.code == 2 && ran.stderr.contains("<SESSION>"), "{}", ran.stderr);
    // One class only, and one sample in each: the mixture has nothing to divide, consistency decides.
    let of = |p: &str, l: &str| {
        json(&sandbox.ok(["select", "--pred-probs", p, "--labels", l, "--format", "json"]))
    };
    let one = of("two.csv", "cats.csv");
    assert_eq!((&one["consistency"]["n"], &one["classes"]["dog"]["n"]), (&1.into(), &0.into()));
    let single = of("two.csv", "both.csv");
    assert_eq!((&single["gmm"]["n"], &single["intersection"]["n"]), (&2.into(), &2.into()));
    // A class with nothing clean is not left empty.
    write("wrong.csv", "cat,dog\n.9,.1\n.95,.05\n.8,.2\n.99,.01\n");
    write("half.csv", "label\ncat\ncat\ndog\ndog\n");
    let ran = sandbox.ok([
        "select",
        "--pred-probs",
        "wrong.csv",
        "--labels",
        "half.csv",
        "--format",
        "json",
        "-o",
        "s.txt",
    ]);
    let report = json(&ran);
    assert_eq!(report["classes"]["dog"]["filled"], true);
    assert!(ran.stderr.contains("no sample of dog was selected"), "{}", ran.stderr);
    // Of the two dogs the likelier one.
    assert!(fs::read_to_string(sandbox.path().join("s.txt")).unwrap().lines().any(|row| row == "2"));
}

#[test]
fn a_scanned_session_is_selected_from() {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 3, 12, 32);
    sandbox.scan();
    let session = sandbox.session();
    let session = session.to_str().unwrap();
    let report = json(&sandbox.ok(["select", session, "--format", "json", "-o", "clean.csv"]));
    let names: Vec<&String> = report["sources"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["regression", "zero-shot"]);
    assert_eq!(report["n"], 36);
    let n = report["intersection"]["n"].as_u64().unwrap();
    assert!(
        ["regression", "zero-shot"]
            .iter()
            .all(|name| report["sources"][name]["intersection"]["n"].as_u64().unwrap() > 0)
    );
    let text = fs::read_to_string(sandbox.path().join("clean.csv")).unwrap();
    let rows = table(&text);
    assert_eq!(rows.len() as u64, n);
    assert!(rows.iter().all(|row| row["path"].starts_with(&row["label"])), "{text}");
    // The same bytes with any number of threads.
    for threads in ["1", "3"] {
        let mut command = sandbox.command(["select", session, "-o", "again.csv", "--force"]);
        assert!(command.env("RAYON_NUM_THREADS", threads).status().unwrap().success());
        assert_eq!(fs::read_to_string(sandbox.path().join("again.csv")).unwrap(), text);
    }
    // One source alone, judged out of sample, with the other way of joining prompts.
    let more = ["--sources", "regression", "--out-of-sample", "--format", "json"];
    let alone = json(&sandbox.ok([&["select", session][..], &more].concat()));
    assert_eq!(alone["sources"].as_object().unwrap().len(), 1);
    sandbox.ok([
        "select",
        session,
        "--sources",
        "zero-shot",
        "--pooling",
        "sum",
        "--prompts",
        "cifar10-described",
    ]);
    let inside = sandbox.data().join("clean.csv");
    let ran = sandbox.run(["select", session, "-o", inside.to_str().unwrap()]);
    assert!(ran.code == 2 && ran.stderr.contains("is inside the dataset"), "{}", ran.stderr);
}

/// Rules side by side, and a rule that has nothing to learn from yet.
#[test]
fn ensembles_are_chosen_and_compared() {
    let sandbox = Sandbox::new();
    let paths = pictures::dataset(&sandbox.data(), 2, 10, 32);
    sandbox.scan();
    let truth: Vec<String> = paths
        .iter()
        .enumerate()
        .map(|(n, path)| {
            format!(
                "{},{}",
                path.strip_prefix(sandbox.data()).unwrap_or(path).display(),
                u8::from(n % 5 == 0)
            )
        })
        .collect();
    fs::write(sandbox.path().join("truth.csv"), format!("path,is_error\n{}\n", truth.join("\n"))).unwrap();
    let session = sandbox.session();
    let session = session.to_str().unwrap();
    let ran = sandbox.ok(["evaluate", session, "--truth", "truth.csv", "--ensembles", "--format", "json"]);
    let report = json(&ran);
    let names: Vec<&str> = report["ensembles"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "2-of-n",
            "3-of-n",
            "and",
            "average",
            "consensus",
            "majority",
            "mean-rank",
            "or",
            "precision",
            "recall",
            "weighted"
        ]
    );
    assert!(
        ran.stderr.contains("stacking is left out: stacking is trained on decisions and needs 20"),
        "{}",
        ran.stderr
    );
    let flagged = |name: &str| report["ensembles"][name]["flagged"].as_u64().unwrap();
    assert!(flagged("and") <= flagged("3-of-n") && flagged("3-of-n") <= flagged("2-of-n"));
    assert!(
        flagged("2-of-n") <= flagged("precision")
            && flagged("precision") <= flagged("or")
            && flagged("or") <= flagged("recall")
    );
    let by = |rule: &str| sandbox.run(["rank", session, "--ensemble", rule, "--top", "0", "--format", "csv"]);
    assert_eq!(table(&by("2-of-n").stdout).len() as u64, flagged("2-of-n"));
    let stacking = by("stacking");
    assert!(
        stacking.code == 0 && stacking.stderr.contains("Until then, the rule 'or' is used"),
        "{}",
        stacking.stderr
    );
    assert_eq!(stacking.stdout, by("or").stdout);
    let wrong = by("most");
    assert!(wrong.code == 2 && wrong.stderr.contains("unknown rule"), "{}", wrong.stderr);
    // A scan with a rule counts its suspects.
    let mut args = sandbox.scan_args();
    args.extend(["--ensemble".into(), "precision".into()]);
    let report = chaffinch_tests::sandbox::report(&sandbox.ok(args));
    assert_eq!(report["suspects"].as_u64().unwrap(), flagged("precision"));
}
