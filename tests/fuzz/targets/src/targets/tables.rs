//! Manifests: CSV and TSV tables, JSON Lines and JSON, and the tables that are joined to a dataset.

use super::dataset::{self, Case};
use crate::fixtures::{Named, folder, named};
use crate::stage::{Stage, play};
use crate::{Target, input};
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_formats::dataset::open;

/// The target.
pub const TARGET: Target = Target {
    name: "tables",
    reads: "manifests as CSV, TSV, JSON Lines and JSON, tables of labels that are joined, and patterns over paths",
    run,
    seeds,
};

pub(super) const CASES: &[Case] = &[
    (Stage { files: csv, varied: "t.csv" }, "t.csv"),
    (Stage { files: tsv, varied: "t.tsv" }, "t.tsv"),
    (Stage { files: manifests, varied: "lines.jsonl" }, "lines.jsonl"),
    (Stage { files: manifests, varied: "records.json" }, "records.json"),
    (Stage { files: manifests, varied: "columns.json" }, "columns.json"),
];

/// Beside the cases: a joined table, and a pattern.
const OTHERS: &[Stage] =
    &[Stage { files: joined, varied: "labels.csv" }, Stage { files: joined, varied: "pattern" }];

fn run(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let number = usize::from(*first) % (CASES.len() + OTHERS.len());
    if number < CASES.len() {
        return dataset::run(TARGET.name, CASES, &input(number, rest));
    }
    play("tables-joined", OTHERS, &input(number - CASES.len(), rest), |other, folder| {
        let options = match other {
            0 => DatasetOptions { labels: Some(folder.join("labels.csv")), ..DatasetOptions::default() },
            _ => {
                let Ok(pattern) = std::str::from_utf8(rest) else { return };
                DatasetOptions { label_pattern: Some(pattern.to_owned()), ..DatasetOptions::default() }
            }
        };
        let _ = open(&folder.join("data"), &options);
    });
}

fn seeds() -> Vec<Vec<u8>> {
    let mut all = dataset::seeds(CASES);
    all.push(input(CASES.len(), b"path,label,split\na.png,cat,train\nb.png,dog,test\n"));
    all.push(input(CASES.len() + 1, br"(?<split>\w+)/(?<label>[^/]+)\.png$"));
    all.push(input(0, b"\xef\xbb\xbffilename;class;x\r\na.png;\"a;b\";1,5\r\nsub/b.png;caf\xc3\xa9;\r\n"));
    all.push(input(0, b"image|target\na.png|cat|dog\n"));
    all.push(input(2, br#"{"image":"a.png","labels":["cat","dog"],"split":"validation","n":1e3}"#));
    all
}

fn csv() -> Vec<Named> {
    named(&[
        ("t.csv", b"path,label,split,x\na.png,cat,train,1\nsub/b.png,\"do\"\"g\",test,\n"),
        ("a.png", b"a"),
        ("sub/b.png", b"b"),
    ])
}

fn tsv() -> Vec<Named> {
    named(&[("t.tsv", b"path\tlabels\na.png\tcat;dog\nsub/b.png\t\n"), ("a.png", b"a"), ("sub/b.png", b"b")])
}

fn manifests() -> Vec<Named> {
    folder("formats/fixtures/datasets/manifests")
}

fn joined() -> Vec<Named> {
    named(&[
        ("labels.csv", b"path,label\na.png,cat\n"),
        ("pattern", b""),
        ("data/a.png", b"a"),
        ("data/sub/b.png", b"b"),
    ])
}
