//! Rows of a table that name one picture: what is decided about each goes out by a key of its own, and comes back.

use super::testing::exporting;
use super::*;
use crate::import::{Importer, Target};
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::journal::Journal;
use chaffinch_data::manifest::{ExtraColumn, Manifest, NewSample};
use chaffinch_protocol::sample::{SampleId, Split};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The path, the label, and what is decided.
fn rows() -> [(&'static str, &'static str, Option<Choice>); 6] {
    let relabel = |label: &str| Some(Choice::Relabel(label.to_owned()));
    [
        ("a.jpg", "cat", relabel("dog")),
        ("a.jpg", "cat", relabel("owl")),
        ("b.jpg", "cat", relabel("dog")),
        ("b.jpg", "cat", relabel("dog")),
        ("a.jpg", "dog", Some(Choice::Keep)),
        ("c.jpg", "dog", relabel("cat")),
    ]
}

/// What formats write for these rows, with ids of their own or without.
fn written(formats: &[&str], ids: Option<[&str; 6]>) -> (tempfile::TempDir, Arc<Manifest>) {
    let temp = tempfile::tempdir().unwrap();
    let sample = |(path, label, _): (&str, &str, _)| NewSample {
        path: path.into(),
        label: Some(label.to_owned()),
        split: Split::None,
    };
    let extra = ids.map(|ids| ExtraColumn { name: "id".into(), values: ids.map(str::to_owned).into() });
    let manifest = Manifest::new(temp.path().join("data"), rows().map(sample));
    let manifest = Arc::new(manifest.with_extra(extra.into_iter().collect()));
    let mut journal = Journal::open(&temp.path().join("decisions"), "anna").unwrap();
    journal.bind(&manifest, None);
    for (row, (_, _, choice)) in (0..).zip(rows()) {
        journal.decide(&[SampleId(row)], choice.map(Into::into)).unwrap();
    }
    let stop = AtomicBool::new(false);
    exporting(&manifest, &journal.snapshot(), |export| {
        for format in formats {
            let request = Request { output: temp.path().join(format), ..Request::default() };
            Format::find(format).unwrap().write(export, &request, &Job::new(&stop, &|_, _| {})).unwrap();
        }
    });
    (temp, manifest)
}

#[test]
fn a_map_of_new_labels_tells_rows_of_one_path_apart() {
    let (temp, _) = written(&["relabel-map", "versions"], None);
    let map = |file: &Path| -> Value { serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap() };
    assert_eq!(
        map(&temp.path().join("relabel-map")),
        json!({"a.jpg#1": "dog", "a.jpg#2": "owl", "b.jpg": "dog", "c.jpg": "cat"})
    );
    let all = map(&temp.path().join("versions/made_relabel_map_v1.json"));
    assert_eq!(
        all,
        json!({"a.jpg#1": "dog", "a.jpg#2": "owl", "b.jpg#1": "dog", "b.jpg#2": "dog", "c.jpg": "cat"})
    );
}

#[test]
fn a_manifest_of_rows_of_one_path_is_imported_as_it_was_decided() {
    let decided: BTreeMap<u32, Option<Choice>> = (0..).zip(rows().map(|(_, _, choice)| choice)).collect();
    // Ids that are not different are none.
    for ids in [None, Some(["1", "2", "3", "4", "5", "6"]), Some(["1", "1", "2", "2", "1", "3"])] {
        let (temp, manifest) = written(&["manifest"], ids);
        let file = temp.path().join("manifest.csv");
        fs::rename(temp.path().join("manifest"), &file).unwrap();
        let file_metadata = FileMetadata::default();
        let target = Target::new(&manifest, &file_metadata, BTreeSet::new(), false);
        let outcome = Importer::find("csv").unwrap().read(&[file], &target, None).unwrap();
        let owl = "1 row relabels to 'owl', which is not a class of the dataset: line 3 of manifest.csv";
        assert_eq!(outcome.warnings, [owl]);
        let said = &outcome.said[&Some("anna".to_owned())];
        let found: BTreeMap<u32, Option<Choice>> =
            said.iter().map(|(id, said)| (id.0, said.choice.clone())).collect();
        assert_eq!(found, decided, "{ids:?}");
    }
}
