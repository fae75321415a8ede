//! What `export` wrote in other programs' formats is scanned, decided about at random, planned and applied: files afterwards
//! are files before without removed ones, relabeled ones with their new label, and everything else is untouched.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::digest::files as tree;
use chaffinch_tests::pictures;
use chaffinch_tests::random::Random;
use chaffinch_tests::sandbox::{Sandbox, json, table};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Each format with what is opened of its folder.
const FORMATS: [(&str, &str); 8] = [
    ("cleaned", ""),
    ("hf", ""),
    ("coco", ""),
    ("coco", "annotations/instances_train.json"),
    ("fiftyone", ""),
    ("cvat", ""),
    ("webdataset", ""),
    ("parquet", "samples.parquet"),
];

/// Path, label and split of all samples, as a scan reads them.
fn samples(sandbox: &Sandbox, dataset: &Path, name: &str) -> BTreeMap<String, (String, String)> {
    let session = sandbox.path().join(name);
    let out = sandbox.path().join(format!("{name}.csv"));
    sandbox.ok(["scan", text(dataset), "--session", text(&session), "--detectors", "duplicates"]);
    sandbox.ok(["export", text(&session), "--format", "csv", "--output", text(&out), "--force"]);
    let rows = table(&fs::read_to_string(out).unwrap());
    rows.into_iter().map(|row| (row["path"].clone(), (row["label"].clone(), row["split"].clone()))).collect()
}

/// Whether a value is another one without some of its parts, and with other texts and numbers: nothing is new but what lists
/// of classes may get.
fn only_less(old: &Value, new: &Value, changed: &mut usize) -> bool {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            new.iter().all(|(key, value)| old.get(key).is_some_and(|old| only_less(old, value, changed)))
        }
        (Value::Array(old), Value::Array(new)) => {
            // Each one left is one of the old ones, in their order.
            let mut rest = old.iter();
            new.iter().all(|value| {
                rest.by_ref().any(|old| old["id"] == value["id"] && old["filepath"] == value["filepath"]) || {
                    *changed += 1;
                    true
                }
            })
        }
        (old, new) => {
            *changed += usize::from(old != new);
            true
        }
    }
}

#[test]
fn every_format_has_the_changes_of_a_random_plan_and_nothing_else() {
    let sandbox = Sandbox::new();
    let data = sandbox.data();
    for split in ["train", "test"] {
        pictures::dataset(&data.join(split), 3, 5, 32);
    }
    let session = sandbox.session();
    sandbox.ok(["scan", text(&data), "--session", text(&session), "--detectors", "duplicates"]);
    let mut random = Random::new(7);
    for (number, (format, opened)) in FORMATS.into_iter().enumerate() {
        let told = format!("{format} {opened}");
        let place = sandbox.path().join(format!("made-{number}"));
        let output = if format == "parquet" { place.join(opened) } else { place.clone() };
        sandbox.ok([
            "export",
            text(&session),
            "--format",
            format,
            "--output",
            text(&output),
            "--copy",
            "copy",
        ]);
        let dataset = if opened.is_empty() { place.clone() } else { place.join(opened) };
        let before = tree(&place);
        let old = samples(&sandbox, &dataset, &format!("old-{number}"));
        assert!(old.len() >= 15, "{told}: {old:?}");
        let mut expected = old.clone();
        let mut decisions = "image_path,user_action,new_label,reviewer\n".to_owned();
        for (path, (label, _)) in &old {
            let label = if label == "bird" { "airplane" } else { "bird" };
            match random.between(0.0, 4.0) as u32 {
                0 => {
                    decisions += &format!("{path},remove,,anna\n");
                    expected.remove(path);
                }
                1 => {
                    decisions += &format!("{path},relabel,{label},anna\n");
                    expected.get_mut(path).unwrap().0 = label.to_owned();
                }
                2 => decisions += &format!("{path},keep,,anna\n"),
                _ => {}
            }
        }
        let file = sandbox.path().join("decisions.csv");
        fs::write(&file, decisions).unwrap();
        let own = sandbox.path().join(format!("old-{number}"));
        sandbox.ok(["import", "csv", text(&file), "--session", text(&own)]);
        let plan = sandbox.path().join(format!("plan-{number}.json"));
        let listed = json(&sandbox.ok(["plan", text(&own), "--output", text(&plan), "--format", "json"]));
        let changes = listed["changes"].as_array().unwrap();
        let removed: BTreeSet<&str> = changes
            .iter()
            .filter(|one| one["remove"] == true)
            .map(|one| one["path"].as_str().unwrap())
            .collect();
        assert_eq!(old.len() - expected.len(), removed.len(), "{told}");
        assert!(changes.len() > removed.len() && !removed.is_empty(), "{told}");

        let copy = sandbox.path().join(format!("copy-{number}"));
        sandbox.ok(["apply", text(&plan), "--output", text(&copy), "--copy", "copy"]);
        assert_eq!(tree(&place), before, "{told}");
        let copied = if opened.is_empty() {
            copy.clone()
        } else {
            let inside = copy.join(opened);
            if inside.exists() { inside } else { copy.join(Path::new(opened).file_name().unwrap()) }
        };
        let labels = |all: &BTreeMap<String, (String, String)>| -> Vec<(String, String)> {
            let mut all: Vec<_> = all.values().cloned().collect();
            all.sort();
            all
        };
        let now = samples(&sandbox, &copied, &format!("new-{number}"));
        // In class folders, relabeled pictures move.
        match format {
            "cleaned" | "hf" => assert_eq!(labels(&now), labels(&expected), "{told}"),
            _ => assert_eq!(now, expected, "{told}"),
        }
        let pictures = |all: &BTreeMap<PathBuf, String>| -> BTreeSet<String> {
            let is = |path: &Path| path.extension().is_some_and(|name| name == "png" || name == "jpg");
            all.iter().filter(|(path, _)| is(path)).map(|(_, digest)| digest.clone()).collect()
        };
        // A table names pictures that lie elsewhere; its copy has them beside it.
        let known: BTreeSet<String> = pictures(&before).union(&pictures(&tree(&data))).cloned().collect();
        assert!(pictures(&tree(&copy)).is_subset(&known), "{told}");

        sandbox.ok(["apply", text(&plan), "--in-place", "--yes"]);
        let after = tree(&place);
        for (path, digest) in &tree(&copy) {
            if let Some(own) = after.get(path) {
                assert_eq!(own, digest, "{told}: {}", path.display());
            }
        }
        for (path, digest) in &after {
            let annotations = path.extension().is_some_and(|name| name == "json");
            if annotations && before.get(path).is_some_and(|old| old != digest) {
                let new: Value = serde_json::from_slice(&fs::read(place.join(path)).unwrap()).unwrap();
                sandbox.ok(["rollback", text(&plan)]);
                let old: Value = serde_json::from_slice(&fs::read(place.join(path)).unwrap()).unwrap();
                let mut changed = 0;
                assert!(only_less(&old, &new, &mut changed), "{told}");
                assert!(changed <= changes.len(), "{told}: {changed}");
                sandbox.ok(["apply", text(&plan), "--in-place", "--yes"]);
            }
        }
        sandbox.ok(["rollback", text(&plan)]);
        assert_eq!(tree(&place), before, "{told}");
    }
}
