//! Vectors in half precision find the same samples as those in single precision, so those of a GPU and a CPU are interchangeable.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed step fails the test; figures are its result"
)]

use chaffinch_compute::content::ContentHash;
use chaffinch_compute::image::decode::Rendering;
use chaffinch_data::store::kept;
use chaffinch_tests::artefacts::shared_data;
use chaffinch_tests::npy;
use chaffinch_tests::planted::cifar10;
use chaffinch_tests::sandbox::{Sandbox, json, table};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Samples that the model has not seen in training.
const HELD_OUT: std::ops::Range<usize> = 40_000..50_000;
/// Wrong labels among them.
const WRONG: usize = 887;
/// Length of the bundled model's vectors.
const DIM: usize = 128;
const DETECTORS: [&str; 2] = ["label-quality", "neighbor-outliers"];

/// A precision: its name, the digits of a number after the first one, the exponent of the smallest step, and the least share of the
/// most suspect samples that stay. Devices use half precision; bf16 shows what a coarser one would do.
type Precision = (&'static str, i32, i32, f64);
const PRECISIONS: [Precision; 2] = [("f16", 10, -24, 0.99), ("bf16", 7, -133, 0.95)];
/// How far the AUROC may move.
const AUROC: f64 = 0.001;

/// A unit vector as a device with that precision returns it: rounded, and of unit length again.
fn rounded(row: &[f32; DIM], (_, digits, least, _): Precision) -> [f32; DIM] {
    let row = row.map(|x| {
        if x == 0.0 {
            return x;
        }
        let step = 2.0_f32.powi((x.abs().log2().floor() as i32 - digits).max(least));
        (x / step).round_ties_even() * step
    });
    let length = row.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
    row.map(|x| (f64::from(x) / length) as f32)
}

/// The AUROC of each detector, and the samples that it suspects most.
fn judged(sandbox: &Sandbox, session: &str, truth: &str) -> [(f64, BTreeSet<String>); 2] {
    let evaluate = ["evaluate", session, "--truth", truth, "--format", "json", "--bootstrap", "0"];
    let figures = json(&sandbox.ok(evaluate));
    DETECTORS.map(|detector| {
        let top = WRONG.to_string();
        let rank = ["rank", session, "--by", detector, "--all", "--top", &top, "--format", "csv"];
        let first: BTreeSet<String> =
            table(&sandbox.ok(rank).stdout).into_iter().map(|row| row["path"].clone()).collect();
        assert_eq!(first.len(), WRONG);
        (figures["detectors"][detector]["auroc"].as_f64().unwrap(), first)
    })
}

#[test]
#[ignore = "needs CIFAR-10 beside the repository: cargo test --release -p chaffinch-tests --test rounded -- --ignored"]
fn vectors_in_half_precision_find_the_same_samples() {
    let (train, _) = cifar10();
    let root = train.parent().unwrap();
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
    let data = at("data.csv");
    let scan = |session: &str, more: &[&str]| {
        let args = ["scan", &data, "--root", root.to_str().unwrap(), "--session", session, "--quiet"];
        sandbox.ok([&args[..], &["--detectors", &DETECTORS.join(",")], more].concat());
    };
    scan(&at("model"), &["--model", "bundled-small", "--device", "cpu"]);
    let hashes: Vec<ContentHash> = rows[HELD_OUT]
        .iter()
        .map(|row| ContentHash::of(&fs::read(root.join(&row["path"])).unwrap()))
        .collect();
    let store = Path::new(&at("model")).join("embeddings");
    // A model has a folder; there are files beside it.
    let models: Vec<PathBuf> =
        store.read_dir().unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    let [model] = &models[..] else { panic!("{models:?}") };
    let model = model.file_name().unwrap().to_str().unwrap();
    let found = kept(&store, Rendering::default(), (model, DIM), &hashes).unwrap();
    let exact: Vec<[f32; DIM]> =
        found.as_slice().chunks_exact(DIM).map(|row| row.try_into().unwrap()).collect();
    let judge = |name: &str, rows: &[[f32; DIM]]| {
        let (file, session) = (at(&format!("{name}.npy")), at(name));
        npy::write(Path::new(&file), rows);
        scan(&session, &["--embeddings", &file]);
        judged(&sandbox, &session, &at("truth.csv"))
    };
    let expected = judge("exact", &exact);
    for precision @ (name, _, _, least) in PRECISIONS {
        let less: Vec<[f32; DIM]> = exact.iter().map(|row| rounded(row, precision)).collect();
        let moved = exact.iter().flatten().zip(less.iter().flatten()).filter(|(a, b)| a != b).count();
        assert!(moved > exact.len() * DIM / 2, "{moved} numbers moved");
        let found = judge(name, &less);
        for (detector, (before, after)) in DETECTORS.iter().zip(expected.iter().zip(&found)) {
            let same = before.1.intersection(&after.1).count() as f64 / WRONG as f64;
            println!(
                "{detector} in {name}: {:.2} % of the first {WRONG} are the same, AUROC {:.5} and {:.5}",
                100.0 * same,
                before.0,
                after.0
            );
            assert!(same >= least, "{detector} in {name}: {same}");
            assert!((before.0 - after.0).abs() <= AUROC, "{detector} in {name}: {} {}", before.0, after.0);
        }
    }
}
