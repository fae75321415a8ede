//! Datasets whose pictures lie in other files. What the tools that wrote them read from them is in `expected.json`:
//! `scripts/fixtures/make_packed_fixtures.py`.

use super::testing::column;
use super::{DatasetOptions, Opened, open};
use arrow_array::builder::{BinaryBuilder, ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_ipc::writer::FileWriter;
use chaffinch_compute::image::decode::decode;
use chaffinch_protocol::RemarkKind;
use chaffinch_protocol::sample::SampleId;
use parquet::arrow::ArrowWriter;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/packed").join(name)
}

fn read(path: &Path) -> Opened {
    let opened = open(path, &DatasetOptions::default()).unwrap_or_else(|error| panic!("{error}"));
    let ledger = &opened.ledger;
    assert_eq!(ledger.found, opened.manifest.len() as u64 + ledger.left_out, "{ledger:?}");
    opened
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A row of `expected.json`.
type Row = (String, String, String, BTreeMap<String, String>);

fn rows(opened: &Opened, decoded: bool) -> Vec<Row> {
    let manifest = &opened.manifest;
    let row = |id: SampleId| {
        let bytes = manifest.source(id).read().unwrap();
        let sha = if decoded { hex(decode(&bytes).unwrap().image.as_raw()) } else { hex(&bytes) };
        let extra = manifest.extra().iter().map(|one| (one.name.clone(), one.values[id.index()].clone()));
        let (label, split) = (manifest.label_name(id).to_owned(), manifest.split_as_written(id).to_owned());
        (sha, label, split, extra.collect())
    };
    manifest.ids().map(row).collect()
}

#[test]
fn what_other_tools_wrote_is_read_as_they_read_it() {
    let text = fs::read_to_string(fixture("expected.json")).unwrap();
    let expected: BTreeMap<String, Vec<Value>> = serde_json::from_str(&text).unwrap();
    assert!(expected.len() >= 7);
    for (name, wanted) in expected {
        let opened = read(&fixture(&name));
        let records = name == "cifar" || name == "mnist";
        let wanted = wanted.iter().map(|row| {
            let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
            let extra = row["extra"].as_object().unwrap().iter();
            let extra = extra.map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned()));
            (text("sha256"), text("label"), text("split"), extra.collect())
        });
        assert_eq!(rows(&opened, records), wanted.collect::<Vec<Row>>(), "{name}");
    }
}

#[test]
fn names_are_those_of_the_tools() {
    let names = |name: &str| -> Vec<String> {
        let manifest = read(&fixture(name)).manifest;
        manifest.ids().map(|id| manifest.path(id).display().to_string()).collect()
    };
    assert_eq!(names("plain.parquet"), ["a/1.png", "a/2.png", "b/1.png"]);
    assert_eq!(names("folders.tar")[..2], ["train/cat/1.png", "train/dog/1.png"]);
    assert_eq!(names("wds")[0], "0001.png");
    assert_eq!(names("parquet"), ["5.png", "6.png", "1.png", "2.png", "3.png", "4.png"]);
}

#[test]
fn a_null_and_minus_one_are_no_label() {
    let manifest = read(&fixture("parquet")).manifest;
    assert_eq!(manifest.classes(), ["cat", "dog"]);
    assert_eq!(manifest.ids().filter(|&id| manifest.label(id).is_none()).count(), 2);
}

/// A copy of a fixture's file that ends after a share of its bytes.
fn cut(name: &str, share: f64) -> (TempDir, PathBuf) {
    let temp = tempfile::tempdir().unwrap();
    let bytes = fs::read(fixture(name)).unwrap();
    let path = temp.path().join(Path::new(name).file_name().unwrap());
    fs::write(&path, &bytes[..(bytes.len() as f64 * share) as usize]).unwrap();
    (temp, path)
}

#[test]
fn cut_files_are_errors_or_said_and_never_a_panic() {
    for name in ["plain.parquet", "folders.tar", "disk/train/data-00000-of-00001.arrow"] {
        for step in 0..20 {
            let (_temp, path) = cut(name, f64::from(step) / 20.0);
            let Ok(opened) = open(&path, &DatasetOptions::default()) else { continue };
            let said = opened.ledger.count(RemarkKind::FilesMissing) > 0;
            let whole = opened.manifest.ids().all(|id| opened.manifest.source(id).read().is_ok());
            assert!(said || whole, "{name} {step}: {:?}", opened.ledger);
        }
    }
    let (_temp, path) = cut("plain.parquet", 0.9);
    let error = open(&path, &DatasetOptions::default()).unwrap_err().to_string();
    assert!(error.contains("not a whole Parquet file"), "{error}");
    let (_temp, path) = cut("folders.tar", 0.2);
    let opened = read(&path);
    let said = opened.ledger.remarks.iter().find(|remark| remark.kind == RemarkKind::FilesMissing);
    assert!(
        said.is_some_and(|said| said.text.contains("folders.tar is cut or damaged")),
        "{:?}",
        opened.ledger
    );
}

#[test]
fn a_damaged_file_is_an_error_or_unreadable_samples() {
    for name in ["plain.parquet", "disk/train/data-00000-of-00001.arrow", "folders.tar"] {
        let bytes = fs::read(fixture(name)).unwrap();
        for at in (0..bytes.len()).step_by(37) {
            let temp = tempfile::tempdir().unwrap();
            let path = temp.path().join(Path::new(name).file_name().unwrap());
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x5a;
            fs::write(&path, bytes).unwrap();
            if let Ok(opened) = open(&path, &DatasetOptions::default()) {
                opened.manifest.ids().for_each(|id| drop(opened.manifest.source(id).read()));
            }
        }
    }
}

fn tar(members: &[(&str, &[u8])]) -> (TempDir, PathBuf) {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("t.tar");
    let mut archive = tar::Builder::new(fs::File::create(&path).unwrap());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        // As hostile archives have them, which the library would refuse to write.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        archive.append(&header, *bytes).unwrap();
    }
    archive.finish().unwrap();
    (temp, path)
}

#[test]
fn lists_of_labels_are_several() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("lists.parquet");
    let (mut labels, mut pictures) = (ListBuilder::new(StringBuilder::new()), BinaryBuilder::new());
    for all in [&["cat"][..], &["cat", "dog"], &[], &["dog"]] {
        all.iter().for_each(|label| labels.values().append_value(label));
        labels.append(true);
        pictures.append_value(format!("{all:?}"));
    }
    let columns: [(&str, ArrayRef); 2] =
        [("image", Arc::new(pictures.finish())), ("labels", Arc::new(labels.finish()))];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(fs::File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let arrow = temp.path().join("lists.feather");
    let mut writer = FileWriter::try_new(fs::File::create(&arrow).unwrap(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    for path in [path, arrow] {
        let opened = read(&path);
        let manifest = &opened.manifest;
        let labels: Vec<&str> = manifest.ids().map(|id| manifest.label_name(id)).collect();
        assert_eq!(labels, ["cat", "", "", "dog"], "{}", path.display());
        assert_eq!(column(&opened, "all_labels"), ["", "cat|dog", "", ""]);
    }
}

#[test]
fn numbers_that_have_names_beside_them_are_told() {
    let sample = |name: &str, number: &str| -> [(String, Vec<u8>); 3] {
        let json = format!("{{\"species\": \"{}\"}}", if number == "3" { "cat" } else { "dog" });
        [("png", "x"), ("cls", number), ("json", json.as_str())]
            .map(|(kind, text)| (format!("{name}.{kind}"), text.as_bytes().to_vec()))
    };
    let said = |numbers: [&str; 3]| {
        let members: Vec<_> =
            numbers.iter().zip(["a", "b", "c"]).flat_map(|(number, name)| sample(name, number)).collect();
        let members: Vec<(&str, &[u8])> =
            members.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        let (_temp, path) = tar(&members);
        let opened = read(&path);
        let options = DatasetOptions { label_column: Some("species".into()), ..DatasetOptions::default() };
        let named = open(&path, &options).unwrap();
        assert_eq!(named.manifest.classes(), ["cat", "dog"]);
        opened.ledger.remarks.iter().any(|remark| remark.text.contains("--label-column 'species' takes them"))
    };
    assert!(said(["3", "5", "3"]));
    // One name for two numbers is not their name.
    assert!(!said(["3", "5", "7"]));
}

#[test]
fn of_two_members_of_one_name_the_last_counts_and_names_stay_inside() {
    let members: [(&str, &[u8]); 5] = [
        ("a/1.png", b"old"),
        ("a/1.png", b"new"),
        ("../../b/2.png", b"x"),
        ("/c/3.png", b"y"),
        ("a/.4.png", b"z"),
    ];
    let (_temp, path) = tar(&members);
    let opened = read(&path);
    let manifest = &opened.manifest;
    let found: Vec<_> =
        manifest.ids().map(|id| (manifest.path(id), manifest.source(id).read().unwrap())).collect();
    assert_eq!(found, [(Path::new("a/1.png"), b"new".to_vec()), (Path::new("c/3.png"), b"y".to_vec())]);
    assert_eq!(opened.ledger.left_out, 3, "{:?}", opened.ledger);
}

#[test]
fn what_cannot_be_read_in_place_is_refused_by_name() {
    let temp = tempfile::tempdir().unwrap();
    let error = |name: &str, bytes: &[u8]| {
        let path = temp.path().join(name);
        fs::write(&path, bytes).unwrap();
        let error = open(&path, &DatasetOptions::default()).unwrap_err().to_string();
        fs::remove_file(path).unwrap();
        error
    };
    assert!(error("a.tar", &[0x1f, 0x8b, 8, 0]).contains("compressed with gzip"));
    assert!(error("a.tar", b"").contains("it is empty"));
    assert!(error("a.tar", b"no tar file at all").contains("not a tar file"));
    assert!(error("a.parquet", b"PAR1").contains("not a whole Parquet file"));
    assert!(error("a.arrow", b"ARROW1\0\0").contains("it is empty"));
    let folder = temp.path().join("cifar");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("data_batch_1"), b"\x80\x02").unwrap();
    let pickled = open(&folder, &DatasetOptions::default()).unwrap_err().to_string();
    assert!(pickled.contains("data_batch_1") && pickled.contains("pickled"), "{pickled}");
    let (_temp, path) = tar(&[("notes.txt", b"no pictures")]);
    let none = open(&path, &DatasetOptions::default()).unwrap_err().to_string();
    assert!(none.contains("contain no pictures"), "{none}");
}

#[test]
fn wrong_numbers_of_labels_are_refused() {
    let temp = tempfile::tempdir().unwrap();
    for name in ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"] {
        fs::copy(fixture("mnist").join(name), temp.path().join(name)).unwrap();
    }
    fs::write(temp.path().join("train-labels-idx1-ubyte"), [0, 0, 8, 1, 0, 0, 0, 1, 7]).unwrap();
    let error = open(temp.path(), &DatasetOptions::default()).unwrap_err().to_string();
    assert!(error.contains("it has 1 label for 3 pictures"), "{error}");
}

#[test]
fn a_number_that_the_names_do_not_reach_is_said_once() {
    let temp = tempfile::tempdir().unwrap();
    let record = |label: u8| [vec![label], vec![label; 3072]].concat();
    fs::write(temp.path().join("data_batch_1.bin"), [record(0), record(1), record(7)].concat()).unwrap();
    fs::write(temp.path().join("batches.meta.txt"), "cat\ndog\n").unwrap();
    let opened = read(temp.path());
    let said = opened.ledger.remarks.iter().filter(|remark| remark.kind == RemarkKind::ClassesDoubtful);
    let said: Vec<&str> = said.map(|remark| remark.text.as_str()).collect();
    assert_eq!(
        said,
        ["1 sample has the number of a class without a name, since batches.meta.txt names 2 classes: '7'"]
    );
    // Without names, all of them are numbers.
    fs::remove_file(temp.path().join("batches.meta.txt")).unwrap();
    assert_eq!(read(temp.path()).ledger.count(RemarkKind::ClassesDoubtful), 0);
}
