//! Earlier results of other programs.

use super::pets::samples;
use crate::Target;
use crate::fixtures::folder;
use crate::stage::put;
use crate::{chosen, input};
use chaffinch_formats::import::{IMPORTERS, Target as Samples};
use std::collections::BTreeSet;
use tempfile::TempDir;

/// The target.
pub const TARGET: Target = Target {
    name: "imports",
    reads: "results of cleanlab, CleanVision, fastdup, FiftyOne, Visual Layer, imagededup, and CSV tables of scores",
    run,
    seeds,
};

/// Every program with the names of its files.
const FILES: &[(&str, &str)] = &[
    ("cleanlab", "issues.csv"),
    ("cleanvision", "issues.csv"),
    ("fastdup", "similarity.csv"),
    ("fastdup", "outliers.csv"),
    ("fastdup", "atrain_stats.csv"),
    ("fastdup", "connected_components.csv"),
    ("fiftyone", "samples.json"),
    ("visual-layer", "a.csv"),
    ("visual-layer", "b.json"),
    ("imagededup", "duplicates.json"),
    ("csv", "scores.csv"),
];

thread_local! {
    static FOLDER: TempDir = tempfile::Builder::new().prefix("chaffinch-fuzz-").tempdir().unwrap();
}

fn run(bytes: &[u8]) {
    let Some((number, bytes)) = chosen(bytes, FILES.len()) else { return };
    let (program, name) = FILES[number];
    let file = FOLDER.with(|folder| folder.path().join(name));
    put(&file, bytes);
    let (manifest, metadata) = samples();
    let target = Samples::new(&manifest, &metadata, BTreeSet::new(), false);
    let importer = IMPORTERS.iter().find(|importer| importer.name == program).unwrap();
    let Ok(outcome) = importer.read(&[file], &target, None) else { return };
    for imported in &outcome.imports {
        let bound = imported.bind(&manifest, &metadata).result;
        assert!(bound.scores().iter().all(|score| score.is_nan() || (0.0..=1.0).contains(score)));
        manifest.ids().for_each(|id| drop(bound.issue(id)));
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for program in ["cleanlab", "cleanvision", "fastdup", "fastdup-api", "imagededup"] {
        for (name, bytes) in folder(&format!("formats/fixtures/import/{program}")) {
            let own = program.strip_suffix("-api").unwrap_or(program);
            let exact = FILES.iter().position(|(known, file)| *known == own && *file == name);
            let number = exact.or_else(|| FILES.iter().position(|(known, _)| *known == own)).unwrap();
            all.push(input(number, &bytes));
        }
    }
    let texts: [(usize, &[u8]); 6] = [
        (6, br#"{"samples":[{"filepath":"bird/0.png","tags":["odd"],"mistakenness":0.5,"uniqueness":0.1}]}"#),
        (7, b"image_path,issue_type,confidence,reason\nbird/0.png,mislabel,0.9,x\n"),
        (8, br#"[{"image_path":"bird/0.png","issue_type":"dark","confidence":1}]"#),
        (8, br#"{"clusters":[{"cluster_id":1,"images":[{"path":"bird/0.png","label":"a"},{"path":"cat/0.png"}]}]}"#),
        (9, br#"{"bird/0.png":[["bird/1.png",3]],"bird/1.png":[]}"#),
        (10, b"path,score,is_bad,decision,reviewer\nbird/0.png,0.5,True,keep,anna\n"),
    ];
    all.extend(texts.map(|(number, text)| input(number, text)));
    all
}
