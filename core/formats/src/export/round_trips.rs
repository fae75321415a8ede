//! Every format of datasets goes out in every format that is read again, and comes back as it was. A format of datasets
//! or of exports that is in no list here fails.

use super::testing::{cleaned, exporting};
use super::*;
use crate::dataset::{self, examples as made};
use crate::import::{Importer, Target as Imported};
use chaffinch_compute::content::ContentHash;
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::journal::Journal;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::decision::{Choice, Decision};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Exports that `scan` reads as the same dataset.
const READ_AGAIN: &[&str] =
    &["cleaned", "cleaned-table", "parquet", "hf", "webdataset", "fiftyone", "coco", "cvat"];
/// Tables of samples, which keep what was decided beside what the dataset says.
const TABLES: &[&str] = &["csv", "jsonl", "label-studio", "embedding-atlas"];
/// Exports that `import` reads, or that are lists for people and other programs.
const LISTS: &[&str] = &[
    // One a line.
    "manifest",
    "final-manifest",
    "removal-list",
    "relabel-map",
    "indices",
    "leak-report",
    "multi-label",
    "cleaning-summary",
    "cleanlab",
    "cleanvision",
    "tensorboard",
];
/// Exports that are several others.
const SEVERAL: &[&str] = &["versions", "all"];

#[test]
fn every_export_is_read_again_or_a_list() {
    let known: BTreeSet<&str> = [READ_AGAIN, TABLES, LISTS, SEVERAL].concat().into_iter().collect();
    let all: BTreeSet<&str> = FORMATS.iter().map(|format| format.name).collect();
    assert_eq!(known, all);
}

type Row = (String, String);

/// Label and split by the bytes of the picture.
fn rows(manifest: &Manifest) -> BTreeMap<Vec<u8>, Row> {
    let row = |id| (manifest.label_name(id).to_owned(), manifest.split(id).name().to_owned());
    manifest.ids().map(|id| (manifest.source(id).read().unwrap(), row(id))).collect()
}

#[test]
fn every_dataset_comes_back_from_every_export() {
    for format in dataset::FORMATS {
        let temp = tempfile::tempdir().unwrap();
        let path = made::example(format.name, temp.path()).unwrap_or_else(|| {
            panic!("there is no example of {}: add one to dataset/examples.rs", format.name)
        });
        let Some(path) = path else { continue };
        let manifest = dataset::open(&path, &DatasetOptions::default())
            .unwrap_or_else(|error| panic!("{}: {error}", format.name))
            .manifest;
        let before = rows(&manifest);
        assert_eq!(before.len(), manifest.len(), "{}", format.name);
        assert!(before.values().any(|(label, _)| !label.is_empty()), "{}", format.name);
        let manifest = Arc::new(manifest);
        let mut journal = Journal::open(&temp.path().join("decisions"), "anna").unwrap();
        journal.bind(&manifest, None);
        let decisions = journal.snapshot();
        let stop = AtomicBool::new(false);
        for name in READ_AGAIN.iter().chain(TABLES) {
            let told = format!("{} as {name}", format.name);
            let export_format = Format::find(name).unwrap();
            let output = temp.path().join(format!("out-{name}")).join(export_format.file_name);
            let request = Request { output: output.clone(), copy: CopyMode::Copy, ..Request::default() };
            let packed = manifest.packing().is_some();
            if packed && matches!(*name, "cleaned-table" | "csv" | "jsonl" | "label-studio") {
                // Paths into other files are not files.
                continue;
            }
            let written = exporting(&manifest, &decisions, |export| {
                export_format.write(export, &request, &Job::new(&stop, &|_, _| {})).unwrap()
            });
            assert_eq!((&written.left_out, &written.warning), (&Vec::new(), &None), "{told}");
            let root =
                (export_format.target == Target::File && !packed).then(|| manifest.root().to_path_buf());
            let options = DatasetOptions { root, ..DatasetOptions::default() };
            let read = dataset::open(&output, &options).unwrap_or_else(|error| panic!("{told}: {error}"));
            let mut after = rows(&read.manifest);
            let mut expected = before.clone();
            if *name == "label-studio" {
                // Undecided tasks have no annotation, and so no label.
                after.values_mut().chain(expected.values_mut()).for_each(|row| row.0.clear());
            }
            assert_eq!(after, expected, "{told}");
        }
    }
}

#[test]
fn a_cleaned_copy_of_a_cleaned_copy_is_the_same() {
    for format in dataset::FORMATS {
        let temp = tempfile::tempdir().unwrap();
        let Some(Some(path)) = made::example(format.name, temp.path()) else { continue };
        let mut manifest = Arc::new(dataset::open(&path, &DatasetOptions::default()).unwrap().manifest);
        let mut copies: Vec<BTreeMap<PathBuf, Vec<u8>>> = Vec::new();
        for number in 0..2 {
            let mut journal =
                Journal::open(&temp.path().join(format!("decisions-{number}")), "anna").unwrap();
            journal.bind(&manifest, None);
            let copy = temp.path().join(format!("copy-{number}"));
            exporting(&manifest, &journal.snapshot(), |export| cleaned(export, &copy));
            let walk = walkdir::WalkDir::new(&copy).into_iter().map(|entry| entry.unwrap());
            let files = walk.filter(|entry| entry.file_type().is_file());
            let read = |entry: walkdir::DirEntry| {
                (entry.path().strip_prefix(&copy).unwrap().to_path_buf(), fs::read(entry.path()).unwrap())
            };
            copies.push(files.map(read).collect());
            manifest = Arc::new(dataset::open(&copy, &DatasetOptions::default()).unwrap().manifest);
        }
        assert!(copies[0] == copies[1], "{}", format.name);
    }
}

#[test]
fn columns_and_tags_come_back_from_fiftyone() {
    let temp = tempfile::tempdir().unwrap();
    let rows = [
        r#"{"path": "1.jpg", "label": "cat", "weight": 1.5, "weather": "rain, cold", "ok": true, "box": [1, 2], "meta.source": "cam", "tags": "night,old", "score": "A", "rare": "x"}"#,
        r#"{"path": "2.jpg", "label": "dog", "weight": 2.5, "weather": "", "ok": false, "box": [3, 4], "meta.source": "web", "tags": "", "score": "B"}"#,
    ];
    fs::write(temp.path().join("a.jsonl"), rows.join("\n")).unwrap();
    for name in ["1.jpg", "2.jpg"] {
        fs::write(temp.path().join(name), name).unwrap();
    }
    let open = |path: &Path| Arc::new(dataset::open(path, &DatasetOptions::default()).unwrap().manifest);
    let manifest = open(&temp.path().join("a.jsonl"));
    let mut journal = Journal::open(&temp.path().join("decisions"), "anna").unwrap();
    journal.bind(&manifest, None);
    let tagged = Decision { tags: vec!["blurry".into(), "night".into()], ..Decision::from(Choice::Keep) };
    journal.decide(&[SampleId(0)], Some(tagged)).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let output = elsewhere.path().join("out");
    let request = Request { output: output.clone(), copy: CopyMode::Copy, ..Request::default() };
    let stop = AtomicBool::new(false);
    let written = exporting(&manifest, &journal.snapshot(), |export| {
        Format::find("fiftyone").unwrap().write(export, &request, &Job::new(&stop, &|_, _| {})).unwrap()
    });
    assert_eq!(written.renamed.len(), 2, "{:?}", written.renamed);
    let read = open(&output);
    let columns: BTreeMap<&str, Vec<&str>> = (read.extra().iter())
        .map(|column| (column.name.as_str(), column.values.iter().map(String::as_str).collect()))
        .collect();
    let expected = [
        ("box", ["[1,2]", "[3,4]"]),
        ("field_score", ["A", "B"]),
        ("meta_source", ["cam", "web"]),
        ("ok", ["true", "false"]),
        ("rare", ["x", ""]),
        ("tags", ["keep,blurry,night,old", ""]),
        ("weather", ["rain, cold", ""]),
        ("weight", ["1.5", "2.5"]),
    ];
    let of = |name: &str| columns.get(name).cloned().unwrap_or_default();
    expected.iter().for_each(|(name, values)| assert_eq!(of(name), values, "{name}: {columns:?}"));
    assert!(read.is_typed("weight") && read.is_typed("ok") && !read.is_typed("weather"));
    // The tags are a reviewer's again where the dataset has its samples.
    let hashes = manifest.ids().map(|id| ContentHash::of(&manifest.source(id).read().unwrap())).collect();
    let known = FileMetadata { hashes, ..FileMetadata::default() };
    let target = Imported::new(&manifest, &known, BTreeSet::new(), false);
    let outcome =
        Importer::find("fiftyone").unwrap().read(&[output.join("samples.json")], &target, None).unwrap();
    let said: Vec<_> = outcome.said.values().flatten().collect();
    assert_eq!(said.len(), 1, "{:?} {:?}", outcome.warnings, outcome.notes);
    assert_eq!(
        (said[0].0, &said[0].1.tags[1..]),
        (SampleId(0), &["blurry", "night", "old"].map(String::from)[..])
    );
}
