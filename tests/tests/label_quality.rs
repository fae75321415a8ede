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
