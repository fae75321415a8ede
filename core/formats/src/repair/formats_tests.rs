//! Repair of every format whose labels are in files: only what a plan lists changes, as a copy and in place, and everything
//! comes back.

use super::format_cases::cases;
use super::testing::{files, plan, rows, visible, whole, write};
use super::*;
use chaffinch_data::output::CopyMode;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

#[test]
fn only_what_is_listed_changes_in_files_of_every_format() {
    for case in cases() {
        let temp = tempfile::tempdir().unwrap();
        let data = temp.path().join("data");
        write(&data, &case.files);
        let opened = if case.opened.is_empty() { data.clone() } else { data.join(case.opened) };
        let before = files(&data);
        let mut expected = visible(&data);
        for (file, old, new) in &case.edits {
            if *new == "GONE" {
                expected.remove(Path::new(file));
                continue;
            }
            if *old == "MOVED" {
                let bytes = expected.remove(Path::new(file)).unwrap();
                expected.insert(new.into(), bytes);
                continue;
            }
            let text = String::from_utf8(expected[Path::new(file)].clone()).unwrap();
            assert_eq!(text.matches(old).count(), 1, "{file}: {old}");
            expected.insert(file.into(), text.replace(old, new).into_bytes());
        }
        // In a folder, the picture goes; a file of annotations only stops naming it.
        if case.opened.is_empty() {
            expected.remove(Path::new(case.wishes[0].0));
        }
        let shown = case.files.last().unwrap().0;
        let plan = plan(&opened, &case.wishes);
        let copy = temp.path().join("copy");
        whole(|job| apply_to(&plan, &copy, CopyMode::Copy, job))
            .unwrap_or_else(|error| panic!("{shown}: {error}"));
        assert_eq!(rows(&copy.join(case.opened)), case.rows, "{shown}");
        assert_eq!(files(&data), before, "{shown}");
        whole(|job| apply_in_place(&plan, job)).unwrap_or_else(|error| panic!("{shown}: {error}"));
        assert_eq!(rows(&opened), case.rows, "{shown}");
        let text = |all: &std::collections::BTreeMap<std::path::PathBuf, Vec<u8>>| -> Vec<(std::path::PathBuf, String)> {
            all.iter().map(|(path, bytes)| (path.clone(), String::from_utf8_lossy(bytes).into_owned())).collect()
        };
        assert_eq!(text(&visible(&data)), text(&expected), "{shown}");
        whole(|job| rollback(&found(&opened)[0], job)).unwrap();
        assert_eq!(files(&data), before, "{shown}");
    }
}

/// Formats that cannot be changed.
const REFUSED: &[&str] = &[
    // One a line.
    "Arrow files",
    "the binary files of CIFAR or MNIST",
];

/// In every format, files afterwards are files before without what was removed and with what was relabeled; or the format is
/// refused with what to do instead.
#[test]
fn every_format_is_changed_or_refused_by_name() {
    for format in crate::dataset::FORMATS {
        let temp = tempfile::tempdir().unwrap();
        let made = crate::dataset::examples::example(format.name, temp.path());
        let Some(opened) = made.unwrap_or_else(|| panic!("there is no example of {}", format.name)) else {
            continue;
        };
        let folder = temp.path().join("data");
        let before = files(&folder);
        let of = |dataset: &Path| -> BTreeMap<Vec<u8>, (String, String)> {
            let read = super::testing::manifest(dataset);
            let row = |id| (read.label_name(id).to_owned(), read.split(id).name().to_owned());
            read.ids().map(|id| (read.source(id).read().unwrap(), row(id))).collect()
        };
        let old = super::testing::manifest(&opened);
        let labeled: Vec<_> = old.ids().filter(|&id| old.label(id).is_some()).collect();
        let (first, last) = (labeled[0], *labeled.last().unwrap());
        let other = old.classes().iter().find(|class| **class != old.label_name(first)).unwrap().clone();
        let mut plan = plan(&opened, &[]);
        plan.changes = [first, last].map(|id| super::testing::change(&old, id)).into();
        plan.changes[0].to_label = Some(other.clone());
        plan.changes[1].remove = true;
        let mut expected = of(&opened);
        expected.get_mut(&old.source(first).read().unwrap()).unwrap().0 = other;
        expected.remove(&old.source(last).read().unwrap());
        let copy = temp.path().join("copy");
        match whole(|job| apply_to(&plan, &copy, CopyMode::Copy, job)) {
            Err(error) => {
                assert!(error.to_string().contains("export --format"), "{}: {error}", format.name);
                assert!(REFUSED.contains(&format.name), "{error}");
                let error = whole(|job| apply_in_place(&plan, job)).unwrap_err().to_string();
                assert!(error.contains("export --format"), "{error}");
            }
            Ok(_) => {
                let at = if opened.is_dir() { copy } else { copy.join(opened.file_name().unwrap()) };
                assert_eq!(of(&at), expected, "{}", format.name);
                whole(|job| apply_in_place(&plan, job)).unwrap();
                assert_eq!(of(&opened), expected, "{}", format.name);
                whole(|job| rollback(&found(&opened)[0], job)).unwrap();
            }
        }
        assert_eq!(files(&folder), before, "{}", format.name);
    }
}

#[test]
fn labels_from_a_table_elsewhere_change_there() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    write(&data, &[("a/1.jpg", "one"), ("a/2.jpg", "two"), ("b/3.jpg", "three"), ("b/4.jpg", "four")]);
    let labels = temp.path().join("my labels.csv");
    let table = "id;name;class;note\r\n7;3.jpg;dog;\"a;b\"\r\n8;1.jpg;cat;\r\n9;2.jpg; cat ;1e-3\r\n";
    fs::write(&labels, table).unwrap();
    let reading = chaffinch_data::dataset::DatasetOptions {
        labels: Some(labels.clone()),
        key: Some("name".into()),
        ..Default::default()
    };
    let read = |folder: &Path, labels: &Path| -> Vec<String> {
        let reading =
            chaffinch_data::dataset::DatasetOptions { labels: Some(labels.into()), ..reading.clone() };
        let read = crate::dataset::open(folder, &reading).unwrap().manifest;
        read.ids().map(|id| format!("{} {}", read.path(id).display(), read.label_name(id))).collect()
    };
    let old = crate::dataset::open(&data, &reading).unwrap().manifest;
    let mut plan = plan(&data, &[]);
    plan.reading = reading.clone();
    plan.changes = old.ids().take(3).map(|id| super::testing::change(&old, id)).collect();
    plan.changes[0].remove = true;
    plan.changes[1].to_label = Some("cow".into());
    plan.changes[2].to_label = Some("big; dog".into());
    let before = files(temp.path());
    let after = ["a/2.jpg cow", "b/3.jpg big; dog", "b/4.jpg "];
    let expected = "id;name;class;note\r\n7;3.jpg;\"big; dog\";\"a;b\"\r\n9;2.jpg;cow;1e-3\r\n";
    let copy = temp.path().join("copy");
    let copied = whole(|job| apply_to(&plan, &copy, CopyMode::Copy, job)).unwrap();
    assert_eq!(copied.labels.as_deref(), Some(Path::new("my labels.csv")));
    assert_eq!(read(&copy, &copy.join("my labels.csv")), after);
    assert_eq!(fs::read_to_string(copy.join("my labels.csv")).unwrap(), expected);
    fs::remove_dir_all(&copy).unwrap();
    assert_eq!(files(temp.path()), before);
    whole(|job| apply_in_place(&plan, job)).unwrap();
    assert_eq!(read(&data, &labels), after);
    assert_eq!(fs::read_to_string(&labels).unwrap(), expected);
    whole(|job| rollback(&found(&data)[0], job)).unwrap();
    assert_eq!(files(temp.path()), before);
    // A picture that the table does not name has no place for a label.
    plan.changes = vec![super::testing::change(&old, old.ids().last().unwrap())];
    plan.changes[0].to_label = Some("cow".into());
    let error = whole(|job| apply_in_place(&plan, job)).unwrap_err().to_string();
    assert!(error.contains("b/4.jpg has no row in"), "{error}");
}

/// A table of numbers stays one.
#[test]
fn numbers_of_classes_in_a_table_elsewhere_are_written_as_numbers() {
    let readme = "---\ndataset_info:\n  features:\n  - name: label\n    dtype:\n      class_label:\n        names:\n          '0': b\n          \
                  '1': a\n---\n";
    for stated in [("class_to_idx.json", r#"{"b": 0, "a": 1}"#), ("README.md", readme)] {
        numbers_stay(stated);
    }
}

fn numbers_stay(stated: (&str, &str)) {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    write(&data, &[("a/1.jpg", "one"), ("b/2.jpg", "two"), stated]);
    let labels = temp.path().join("labels.csv");
    fs::write(&labels, "path,label\na/1.jpg,1\nb/2.jpg,0\n").unwrap();
    let reading =
        chaffinch_data::dataset::DatasetOptions { labels: Some(labels.clone()), ..Default::default() };
    let old = crate::dataset::open(&data, &reading).unwrap().manifest;
    assert_eq!(old.ids().map(|id| old.label_name(id)).collect::<Vec<_>>(), ["a", "b"]);
    let mut plan = plan(&data, &[]);
    plan.reading = reading;
    plan.changes = old.ids().take(1).map(|id| super::testing::change(&old, id)).collect();
    plan.changes[0].to_label = Some("b".into());
    whole(|job| apply_in_place(&plan, job)).unwrap();
    assert_eq!(fs::read_to_string(&labels).unwrap(), "path,label\na/1.jpg,0\nb/2.jpg,0\n");
    whole(|job| rollback(&found(&data)[0], job)).unwrap();
    plan.changes[0].to_label = Some("cow".into());
    let error = whole(|job| apply_in_place(&plan, job)).unwrap_err().to_string();
    assert!(error.contains("none is known for 'cow'"), "{error}");
}
