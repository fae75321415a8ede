//! Files of labels as they are rewritten: each dataset that opens is copied with a plan carried out.

use super::annotations::{cvat, fiftyone, fiftyone_classes, label_studio};
use super::archives::shards as tar;
use super::labels::{imagefolder, yolo};
use super::parquet::shards as parquet;
use crate::Target;
use crate::fixtures::{Named, folder, named};
use crate::input;
use crate::stage::{Stage, play, seeds as of_stages};
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::job::Job;
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::output::CopyMode;
use chaffinch_formats::dataset::open;
use chaffinch_formats::repair::apply_to;
use chaffinch_protocol::sample::{SampleId, Split};
use chaffinch_review::repair::{Change, Counts, PathText, Plan, Policies, VERSION};
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// The target.
pub const TARGET: Target = Target {
    name: "repair",
    reads: "files of labels, tables, tar and Parquet files, to rewrite them with a plan carried out",
    run,
    seeds,
};

/// A dataset, and what of it is opened.
const CASES: &[(Stage, &str)] = &[
    (Stage { files: coco, varied: "instances.json" }, "instances.json"),
    (Stage { files: fiftyone, varied: "samples.json" }, ""),
    (Stage { files: fiftyone_classes, varied: "labels.json" }, ""),
    (Stage { files: label_studio, varied: "export.json" }, "export.json"),
    (Stage { files: label_studio, varied: "min.json" }, "min.json"),
    (Stage { files: label_studio, varied: "rows.csv" }, "rows.csv"),
    (Stage { files: cvat, varied: "annotations.xml" }, "annotations.xml"),
    (Stage { files: lines, varied: "lines.jsonl" }, "lines.jsonl"),
    (Stage { files: lines, varied: "records.json" }, "records.json"),
    (Stage { files: csv, varied: "t.csv" }, "t.csv"),
    (Stage { files: imagefolder, varied: "validation/metadata.csv" }, ""),
    (Stage { files: imagefolder, varied: "test/metadata.jsonl" }, ""),
    (Stage { files: imagefolder, varied: "train/metadata.parquet" }, ""),
    (Stage { files: yolo, varied: "data.yaml" }, ""),
    (Stage { files: yolo, varied: "labels/a.txt" }, ""),
    (Stage { files: tar, varied: "train-000000.tar" }, ""),
    (Stage { files: parquet, varied: "train-00000-of-00001.parquet" }, ""),
    (Stage { files: flat, varied: "labels.csv" }, ""),
];

fn run(bytes: &[u8]) {
    let stages: Vec<Stage> = CASES.iter().map(|case| case.0).collect();
    play(TARGET.name, &stages, bytes, |number, folder| {
        let below = CASES[number].1;
        let dataset = if below.is_empty() { folder.to_path_buf() } else { folder.join(below) };
        let Ok(opened) = open(&dataset, &DatasetOptions::default()) else { return };
        let copies = tempfile::Builder::new().prefix("chaffinch-fuzz-").tempdir().unwrap();
        let plan = plan(&dataset, &opened.manifest);
        let stop = AtomicBool::new(false);
        // A copy is read again and compared before it is one; what cannot be rewritten is refused.
        if let Err(error) =
            apply_to(&plan, &copies.path().join("copy"), CopyMode::Copy, &Job::new(&stop, &|_, _| ()))
        {
            drop(error.to_string());
        }
    });
}

/// The first sample gets another label, the second goes, the third gets another split.
fn plan(dataset: &Path, manifest: &Manifest) -> Plan {
    let change = |id: SampleId| {
        let bytes = manifest.source(id).read().ok()?;
        let label = manifest.label_name(id).to_owned();
        let change = Change {
            path: PathText::new(manifest.path(id)),
            row: id.0,
            repeated: manifest.rows_of_path(id).len() > 1,
            hash: ContentHash::of(&bytes),
            split: manifest.split(id),
            remove: id.0 == 1,
            to_label: (id.0 == 0).then(|| if label == "cow" { "dog".into() } else { "cow".into() }),
            to_split: (id.0 == 2).then_some(Split::Test),
            label,
            why: String::new(),
        };
        Some(change)
    };
    Plan {
        version: VERSION,
        dataset: PathText::new(dataset),
        reading: DatasetOptions::default(),
        samples: manifest.len() as u64,
        policies: Policies::default(),
        changes: manifest.ids().take(3).filter_map(change).collect(),
        conflicts: Vec::new(),
        counts: Counts::default(),
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let stages: Vec<Stage> = CASES.iter().map(|case| case.0).collect();
    let mut all = of_stages(&stages);
    all.push(input(9, b"path\tlabel\r\n\"a.png\"\t\"c\"\"at\"\r\nb.png\tdog"));
    all
}

const COCO: &[u8] = br#"{"info": {"year": 2017.0}, "images": [{"id": 10, "file_name": "a.png", "width": 2, "height": 2, "x": 1e-3},
  {"id": 20, "file_name": "b.png"}, {"id": 30, "file_name": "c.png"}],
 "annotations": [{"id": 1, "image_id": 10, "category_id": 7, "bbox": [0,0,1.50,1]}, {"id": 2, "image_id": 20, "category_id": 7},
  {"id": 3, "image_id": 30, "category_id": 9}],
 "categories": [{"id": 7, "name": "cat"}, {"id": 9, "name": "dog"}]}"#;

fn pictures(mut files: Vec<Named>) -> Vec<Named> {
    for name in ["a.png", "b.png", "c.png"] {
        files.push((name.into(), name.as_bytes().to_vec()));
    }
    files
}

fn coco() -> Vec<Named> {
    pictures(named(&[("instances.json", COCO)]))
}

fn lines() -> Vec<Named> {
    folder("formats/fixtures/datasets/manifests")
}

fn csv() -> Vec<Named> {
    pictures(named(&[(
        "t.csv",
        b"path,label,split,x\na.png,cat,train,1\nb.png,\"do\"\"g\",test,\nc.png,,val,\n",
    )]))
}

fn flat() -> Vec<Named> {
    pictures(named(&[("labels.csv", b"id,breed\na,cat\nb,dog\nc,cat\n")]))
}
