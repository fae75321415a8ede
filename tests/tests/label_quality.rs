//! `chaffinch label-quality` compared with the reference figures, through the program itself.
//!
//! The data is not in the repository (see [`chaffinch_tests::artefacts::shared_data`]), so the tests that need it are
//! ignored unless requested.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a failed step fails the test; figures are its result"
)]

use chaffinch_tests::artefacts::{program, shared_data, shared_reference};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

/// A row of a reference table by column.
type Row = BTreeMap<String, String>;

fn reference(file: &str) -> Vec<Row> {
    let path = shared_reference(file);
    csv::Reader::from_path(path).unwrap().deserialize().map(|row| row.unwrap()).collect()
}

/// The folder of one model's probabilities.
fn model(row: &Row) -> PathBuf {
    shared_data(&format!("label-quality/{}-{}", row["dataset"], row["model"]))
}

fn run(row: &Row, more: &[&str]) -> Value {
    let folder = model(row);
    let truth = ["true_labels.npy", "is_error.npy"].map(|name| folder.join(name));
    let truth = truth.iter().find(|path| path.is_file()).unwrap();
    let output = Command::new(program())
        .arg("label-quality")
        .args(["--pred-probs".as_ref(), folder.join("pred_probs.npy").as_os_str()])
        .args(["--labels".as_ref(), folder.join("labels.npy").as_os_str()])
        .args(["--classes".as_ref(), folder.join("classes.txt").as_os_str()])
        .args(["--truth".as_ref(), truth.as_os_str()])
        .args(more)
        .args(["--format", "json"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Counts must be equal, and figures of the order within 1e-6.
fn same_figures(ours: &Value, row: &Row) {
    for key in ["n", "n_errors"] {
        assert_eq!(ours[key].to_string(), row[key], "{row:?}");
    }
    for key in ["auroc", "auprc", "lift_at_n_errors", "lift_at_100"] {
        let (a, b) = (ours[key].as_f64().unwrap(), row[key].parse::<f64>().unwrap());
        assert!((a - b).abs() < 1e-6, "{key}: {a} {row:?}");
    }
}

#[test]
#[ignore = "needs probabilities of several models beside the repository: cargo test --release -p chaffinch-tests --test label_quality -- --ignored"]
fn scores_order_errors_as_the_reference_does() {
    let mut compared = 0;
    for row in reference("label-quality-metrics.csv") {
        // Rows of several models joined have a test of their own.
        if row["model"].starts_with("ens:") {
            continue;
        }
        let mut more = vec!["--method", row["method"].as_str()];
        if row["adjusted"] == "True" {
            more.push("--adjusted");
        }
        let ours = run(&row, &more);
        assert_eq!(ours["method"], row["method"]);
        same_figures(&ours, &row);
        compared += 1;
    }
    eprintln!("{compared} rows of figures compared");
    assert_eq!(compared, 40);
}

/// The models of the reference's ensembles.
const JOINED: [&str; 5] = ["resnet18", "resnet50d", "efficientnet", "twins", "swin"];

#[test]
#[ignore = "needs probabilities of several models beside the repository: cargo test --release -p chaffinch-tests --test label_quality -- --ignored"]
fn ensembles_of_models_order_errors_as_the_reference_does() {
    let mut compared = 0;
    for row in reference("label-quality-metrics.csv") {
        let Some(ensemble) = row["model"].strip_prefix("ens:") else { continue };
        let folder = |model: &str| shared_data(&format!("label-quality/{}-{model}", row["dataset"]));
        let first = folder(JOINED[0]);
        let mut command = Command::new(program());
        command.args(["label-quality", "--method", &row["method"], "--ensemble", ensemble]);
        for model in JOINED {
            command.arg("--pred-probs").arg(folder(model).join("pred_probs.npy"));
        }
        for (flag, name) in [("labels", "labels.npy"), ("classes", "classes.txt"), ("truth", "is_error.npy")]
        {
            command.arg(format!("--{flag}")).arg(first.join(name));
        }
        command.args(["--filter", "predicted_neq_given"]);
        if row["adjusted"] == "True" {
            command.arg("--adjusted");
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let ours: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(ours["ensemble"]["name"], ensemble);
        if ensemble.ends_with("_ll") {
            assert_eq!(ours["ensemble"]["exponent"], 10.0);
        }
        same_figures(&ours, &row);
        compared += 1;
    }
    eprintln!("{compared} rows of ensembles compared");
    assert_eq!(compared, 30);
}

#[test]
#[ignore = "needs probabilities of several models beside the repository: cargo test --release -p chaffinch-tests --test label_quality -- --ignored"]
fn filters_flag_exactly_what_the_reference_flags() {
    let mut by_model: BTreeMap<PathBuf, Vec<Row>> = BTreeMap::new();
    for row in reference("label-issue-filters.csv") {
        by_model.entry(model(&row)).or_default().push(row);
    }
    let mut compared = 0;
    for rows in by_model.values() {
        let ours = run(&rows[0], &[]);
        for row in rows {
            let filter = &ours["filters"][&row["filter_by"]];
            let number = |key: &str| row[key].parse::<f64>().unwrap();
            let exact = filter["flagged"].as_f64() == Some(number("n_flagged"))
                && ["precision", "recall", "f1"]
                    .into_iter()
                    .all(|key| (filter[key].as_f64().unwrap() - number(key)).abs() < 1e-12);
            assert!(exact, "{filter} {row:?}");
            compared += 1;
        }
    }
    eprintln!("{compared} rows of filters compared");
    assert_eq!(compared, 56);
}

#[test]
fn scores_and_issues_are_written_beside_the_report() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    std::fs::write(path("p.csv"), "cat,dog\n.9,.1\n.2,.8\n.1,.9\n.3,.7\n").unwrap();
    std::fs::write(path("l.csv"), "label\ncat\ncat\ndog\ndog\n").unwrap();
    let run = |more: &[&str]| {
        let output = Command::new(program())
            .current_dir(place.path())
            .args(["label-quality", "--pred-probs", "p.csv", "--labels", "l.csv"])
            .args(more)
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let by = ["--filter", "predicted_neq_given"];
    let (code, out, _) =
        run(&[&by[..], &["--scores", "s.txt", "--issues", "i.txt", "--format", "csv"]].concat());
    assert_eq!(code, Some(0));
    assert!(
        out.starts_with("row,label,suggested_label,score,issue\n0,cat,cat,0.9,0\n1,cat,dog,0.2,1\n"),
        "{out}"
    );
    assert_eq!(std::fs::read_to_string(path("s.txt")).unwrap(), "0.9\n0.2\n0.9\n0.7\n");
    assert_eq!(std::fs::read_to_string(path("i.txt")).unwrap(), "1\n");
    run(&[&by[..], &["--issues", "i.csv"]].concat());
    assert_eq!(
        std::fs::read_to_string(path("i.csv")).unwrap(),
        "row,label,suggested_label,score,issue\n1,cat,dog,0.2,1\n"
    );
    let (code, _, error) = run(&["--method", "confidence_weighted_entropy", "--adjusted"]);
    assert!(code == Some(2) && error.contains("--adjusted cannot be used with"), "{error}");
    let (code, _, error) = run(&["--ensemble", "avg_scores"]);
    assert!(code == Some(2) && error.contains("pass --pred-probs once for each"), "{error}");
    let (code, _, error) = run(&["--pred-probs", "p.csv", "--ensemble", "median"]);
    assert!(
        code == Some(2) && error.contains("unknown ensemble 'median' (expected one of avg_pred_probs,"),
        "{error}"
    );
    let (code, out, _) = run(&["--pred-probs", "p.csv"]);
    assert!(code == Some(0) && out.contains("\"avg_scores_acc\""), "{out}");
    let (code, _, error) = run(&["--filter", "prune_by_noise"]);
    assert!(code == Some(2) && error.contains("unknown filter 'prune_by_noise'"), "{error}");
}

/// Ten rows of three classes that need not add up to 1. The fourth lacks the owl, the seventh has a dog for a cat.
const SEVERAL: &str = "cat,dog,owl\n.9,.8,.1\n.2,.9,.1\n.1,.1,.1\n.9,.1,.9\n.8,.2,.3\n.1,.7,.2\n.85,.15,.05\n.05,.95,.9\n.3,.2,.8\n.9,.9,.2\n";
const SETS: &str = "labels\ncat|dog\ndog\n\"\"\ncat\ncat\ndog\ndog\ndog|owl\nowl\ncat|dog\n";

/// Runs the command in a folder with these files, and `--pred-probs p.csv`.
fn several(place: &tempfile::TempDir, more: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(program())
        .current_dir(place.path())
        .args(["label-quality", "--pred-probs", "p.csv"])
        .args(more)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn with_several(files: &[(&str, &str)]) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    for (name, text) in [("p.csv", SEVERAL), ("l.csv", SETS)].iter().chain(files) {
        std::fs::write(place.path().join(name), text).unwrap();
    }
    place
}

#[test]
fn rows_with_several_labels_are_scored_as_the_reference_scores_them() {
    let place = with_several(&[("truth.csv", "is_error\n0\n0\n0\n1\n0\n0\n1\n0\n0\n0\n")]);
    let several = |more: &[&str]| {
        let all = [&["--labels", "l.csv", "--multi-label", "--truth", "truth.csv"], more].concat();
        let (code, out, error) = several(&place, &all);
        assert_eq!(code, Some(0), "{error}");
        serde_json::from_str::<Value>(&out).unwrap()
    };
    let numbers = |name: &str| -> Vec<f64> {
        let text = std::fs::read_to_string(place.path().join(name)).unwrap();
        let words = text.split([',', '\n']).filter_map(|word| word.parse().ok());
        words.collect()
    };
    let close = |ours: Vec<f64>, theirs: &[f64]| {
        let same = ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(same, "{ours:?} {theirs:?}");
    };
    // What cleanlab 2.9.0 says.
    let report = several(&["--scores", "s.txt", "--class-scores", "c.csv"]);
    close(numbers("s.txt"), &[0.82, 0.82, 0.9, 0.26, 0.72, 0.724, 0.182, 0.91, 0.72, 0.82]);
    let by_class = [
        [0.9, 0.8, 0.9],
        [0.8, 0.9, 0.9],
        [0.9, 0.9, 0.9],
        [0.9, 0.9, 0.1],
        [0.8, 0.8, 0.7],
        [0.9, 0.7, 0.8],
        [0.15, 0.15, 0.95],
        [0.95, 0.95, 0.9],
        [0.7, 0.8, 0.8],
        [0.9, 0.9, 0.8],
    ];
    close(numbers("c.csv"), by_class.as_flattened());
    assert_eq!(report["multi_label"], true);
    assert_eq!(
        (report["n"].as_u64(), report["n_unlabeled"].as_u64(), report["auroc"].as_f64()),
        (Some(10), Some(1), Some(1.0))
    );
    for (filter, figures) in report["filters"].as_object().unwrap() {
        let pairs = match filter.as_str() {
            "predicted_neq_given" => 3,
            // Our own is about pairs alone.
            "follows_quality" => continue,
            _ => 2,
        };
        assert_eq!(
            (figures["flagged"].as_u64(), figures["flagged_classes"].as_u64()),
            (Some(2), Some(pairs)),
            "{filter}"
        );
        assert_eq!(figures["f1"], 1.0, "{filter}");
    }
    let cat = &report["classes"][0];
    assert_eq!(
        (&cat["class"], cat["n"].as_u64(), cat["add"].as_u64()),
        (&Value::from("cat"), Some(4), Some(0))
    );
    several(&["--adjusted", "--aggregation", "softmin", "--temperature", ".2", "--scores", "s.txt"]);
    close(
        numbers("s.txt"),
        &[
            0.827352636,
            0.872837015,
            0.862666962,
            0.228400011,
            0.713752079,
            0.794145283,
            0.256943719,
            0.890243698,
            0.72796931,
            0.826211075,
        ],
    );
}

#[test]
fn an_issue_of_several_labels_says_what_to_change() {
    let flags = "path,owl,dog,cat\na,0,1,1\nb,0,1,0\nc,0,0,0\nd,0,0,1\ne,0,0,1\nf,0,1,0\ng,0,1,0\nh,1,1,0\ni,1,0,0\nj,0,1,1\n";
    let lines: String = SETS
        .lines()
        .skip(1)
        .map(|line| {
            let labels: Vec<&str> =
                line.trim_matches('"').split('|').filter(|label| !label.is_empty()).collect();
            format!("{{\"labels\": {labels:?}}}\n")
        })
        .collect();
    let place = with_several(&[("flags.csv", flags), ("lines.jsonl", &lines)]);
    let expected = "row,labels,add,remove,score,issue\n3,cat,owl,,0.26,1\n6,dog,cat,dog,0.182,1\n";
    for (labels, said) in [
        (&["--labels", "l.csv", "--multi-label"][..], None),
        (
            &["--labels", "flags.csv"],
            Some("flags.csv has columns of 0 and 1: 'owl', 'dog', 'cat': each row may have several labels"),
        ),
        (&["--labels", "lines.jsonl"], Some("lines.jsonl has lists of labels")),
    ] {
        let more = ["--filter", "predicted_neq_given", "--issues", "i.csv", "--format", "csv"];
        let (code, out, error) = several(&place, &[labels, &more[..]].concat());
        assert_eq!(code, Some(0), "{error}");
        assert_eq!(error.contains(said.unwrap_or("several labels")), said.is_some(), "{error}");
        let rounded =
            |text: &str| text.replace("0.25999999999999995", "0.26").replace("0.18199999999999997", "0.182");
        assert_eq!(rounded(&std::fs::read_to_string(place.path().join("i.csv")).unwrap()), expected);
        assert_eq!((out.lines().count(), out.lines().nth(3)), (11, Some("2,,,,0.9,0")), "{out}");
    }
    // By default, what cleanlab flags by default: one class each.
    let (_, out, _) = several(&place, &["--labels", "l.csv", "--multi-label", "--format", "csv"]);
    let issues: Vec<&str> = out.lines().filter(|line| line.ends_with(",1")).map(|line| &line[..9]).collect();
    assert_eq!(issues, ["3,cat,owl", "6,dog,,do"]);
}

#[test]
fn options_of_one_label_and_of_several_are_told_apart() {
    let place = with_several(&[
        ("one.csv", "label\ncat\ndog\nowl\ncat\ncat\ndog\ndog\ndog\nowl\ncat\n"),
        ("bad.csv", "labels\ncat|dgo\ndog\ndog\ncat\ncat\ndog\ndog\ndog\nowl\ncat\n"),
    ]);
    let refused = |more: &[&str], why: &str| {
        let (code, _, error) = several(&place, more);
        assert!(code == Some(2) && error.contains(why), "{more:?}: {error}");
    };
    refused(&["--labels", "l.csv"], "if a row may have several labels, pass --multi-label");
    refused(
        &["--labels", "one.csv", "--alpha", ".5"],
        "--alpha is for rows with several labels, and those of one.csv have one each",
    );
    let several_labels = ["--labels", "l.csv", "--multi-label"];
    refused(
        &[&several_labels[..], &["--temperature", ".5"]].concat(),
        "--temperature needs --aggregation softmin",
    );
    refused(&[&several_labels[..], &["--alpha", "2"]].concat(), "expected a number from 0 to 1");
    refused(
        &[&several_labels[..], &["--aggregation", "softmin", "--alpha", ".5"]].concat(),
        "--alpha is for exponential_moving_average",
    );
    refused(
        &[&several_labels[..], &["--adjusted", "--method", "confidence_weighted_entropy"]].concat(),
        "--adjusted cannot be used with",
    );
    refused(
        &[&several_labels[..], &["--pred-probs", "p.csv", "--ensemble", "avg_scores_acc"]].concat(),
        "with several labels, use avg_pred_probs or avg_scores",
    );
    refused(
        &["--labels", "bad.csv", "--multi-label"],
        "row 0 has the label 'dgo', which is not a class (classes: 'cat', 'dog', 'owl')",
    );
    // Two of the same are as one.
    let scores = |more: &[&str]| {
        let (code, out, error) = several(&place, &[&several_labels[..], more, &["--format", "csv"]].concat());
        assert_eq!(code, Some(0), "{error}");
        out
    };
    assert_eq!(scores(&["--pred-probs", "p.csv", "--ensemble", "avg_pred_probs"]), scores(&[]));
    // A file with one label a row is read as such, unless the flag says otherwise.
    let (code, out, _) = several(&place, &["--labels", "one.csv", "--multi-label", "--format", "csv"]);
    assert!(code == Some(0) && out.starts_with("row,labels,add,remove,score,issue\n0,cat,"), "{out}");
}
