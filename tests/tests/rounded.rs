//! Vectors in half precision find the same samples as those in single precision: a GPU's and a CPU's are interchangeable.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed step fails the test; figures are its result"
)]

use chaffinch_compute::content::ContentHash;
use chaffinch_tests::artefacts::shared_data;
use chaffinch_tests::npy;
use chaffinch_tests::planted::unpacked;
use chaffinch_tests::sandbox::{Sandbox, json, table};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Samples that the model has not seen in training.
const HELD_OUT: std::ops::Range<usize> = 40_000..50_000;
/// Wrong labels among them.
const WRONG: usize = 887;
/// Length of the bundled model's vectors.
const DIM: usize = 128;

/// The vectors of a session by content, as its chunks have them.
fn vectors(session: &Path) -> BTreeMap<ContentHash, Vec<f32>> {
    let mut found = BTreeMap::new();
    for model in session.join("embeddings").read_dir().unwrap() {
        for chunk in model.unwrap().path().read_dir().unwrap() {
            let path = chunk.unwrap().path();
            if path.extension().is_none_or(|ending| ending != "safetensors") {
                continue;
            }
            let bytes = fs::read(path).unwrap();
            let start = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
            let head: Value = serde_json::from_slice(&bytes[8..start]).unwrap();
            let part = |name: &str| {
                let at = |end: usize| start + head[name]["data_offsets"][end].as_u64().unwrap() as usize;
                &bytes[at(0)..at(1)]
            };
            let rows = part("embeddings").chunks_exact(4 * DIM);
            for (hash, row) in part("hashes").chunks_exact(32).zip(rows) {
                let row =
                    row.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect();
                found.insert(ContentHash(hash.try_into().unwrap()), row);
            }
        }
    }
    found
}

/// Rounded to eleven significant bits, as half precision has them, and of unit length again. Numbers this small have fewer there:
/// a multiple of 2^-24.
fn rounded(row: &[f32]) -> Vec<f32> {
    let half = |x: f32| {
        let step = 2.0_f32.powi((x.abs().log2().floor() as i32 - 10).max(-24));
        (x / step).round_ties_even() * step
    };
    let row: Vec<f32> = row.iter().map(|&x| if x == 0.0 { x } else { half(x) }).collect();
    let length = row.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
    row.iter().map(|x| (f64::from(*x) / length) as f32).collect()
}

#[test]
#[ignore = "needs CIFAR-10 beside the repository: cargo test --release -p chaffinch-tests --test rounded -- --ignored"]
fn vectors_in_half_precision_find_the_same_samples() {
    let archive = shared_data("cifar10-jpeg.tar.xz");
    let root = unpacked(&archive, "cifar10/train", "cifar10-train").parent().unwrap().to_path_buf();
    let text = fs::read_to_string(shared_data("cifar10-train-labels.csv")).unwrap();
    let rows = table(&text);
    let names: BTreeMap<&str, &str> =
        rows.iter().map(|row| (row["clean_label"].as_str(), row["class_name"].as_str())).collect();
    let (mut data, mut truth) = (String::from("path,label\n"), String::from("path,label\n"));
    for row in &rows[HELD_OUT] {
        data += &format!("{},{}\n", row["path"], names[row["aggre_label"].as_str()]);
        truth += &format!("{},{}\n", row["path"], row["class_name"]);
    }
    let sandbox = Sandbox::new();
    let at = |name: &str| sandbox.path().join(name).to_str().unwrap().to_owned();
    fs::write(at("data.csv"), data).unwrap();
    fs::write(at("truth.csv"), truth).unwrap();
    let (data, root_text) = (at("data.csv"), root.to_str().unwrap());
    let scan = |session: &str, more: &[&str]| {
        let detectors = ["--detectors", "label-quality,neighbor-outliers", "--json"];
        let args = ["scan", &data, "--root", root_text, "--session", session];
        sandbox.ok([&args[..], &detectors, more].concat());
    };
    scan(&at("model"), &["--model", "bundled-small", "--device", "cpu"]);
    let found = vectors(Path::new(&at("model")));
    let of = |row: &BTreeMap<String, String>| {
        &found[&ContentHash::of(&fs::read(root.join(&row["path"])).unwrap())]
    };
    let exact: Vec<[f32; DIM]> =
        rows[HELD_OUT].iter().map(|row| of(row).as_slice().try_into().unwrap()).collect();
    let half: Vec<[f32; DIM]> = exact.iter().map(|row| rounded(row).try_into().unwrap()).collect();
    let moved = exact.iter().flatten().zip(half.iter().flatten()).filter(|(a, b)| a != b).count();
    assert!(moved > exact.len() * DIM / 2, "{moved} numbers moved");
    let mut judged = Vec::new();
    for (name, rows) in [("exact", &exact), ("half", &half)] {
        let file = at(&format!("{name}.npy"));
        npy::write(Path::new(&file), rows);
        let session = at(name);
        scan(&session, &["--embeddings", &file]);
        let truth = at("truth.csv");
        let evaluate = ["evaluate", &session, "--truth", &truth, "--format", "json", "--bootstrap", "0"];
        let figures = json(&sandbox.ok(evaluate));
        let first = |by: &str| -> BTreeSet<String> {
            let top = WRONG.to_string();
            let args = ["rank", &session, "--by", by, "--all", "--top", &top, "--format", "csv"];
            table(&sandbox.ok(args).stdout).into_iter().map(|row| row["path"].clone()).collect()
        };
        let of = |by: &str| (figures["detectors"][by]["auroc"].as_f64().unwrap(), first(by));
        judged.push(["label-quality", "neighbor-outliers"].map(of));
    }
    for (at, name) in ["label-quality", "neighbor-outliers"].into_iter().enumerate() {
        let [(exact, before), (half, after)] = [&judged[0][at], &judged[1][at]];
        assert_eq!((before.len(), after.len()), (WRONG, WRONG));
        let same = before.intersection(after).count() as f64 / WRONG as f64;
        println!(
            "{name}: {:.2} % of the first {WRONG} are the same, AUROC {exact:.4} and {half:.4}",
            100.0 * same
        );
        assert!(same >= 0.99, "{name}: {same}");
        assert!((exact - half).abs() <= 0.001, "{name}: {exact} and {half}");
    }
}
