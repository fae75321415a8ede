use super::*;
use crate::manifest::NewSample;
use chaffinch_plugin::Dimensions;
use proptest::prelude::*;
use std::ffi::OsStr;

fn file_metadata(count: usize) -> FileMetadata {
    let mut file_metadata = FileMetadata::default();
    for row in 0..count {
        file_metadata.hashes.push(ContentHash::of(&row.to_le_bytes()));
        file_metadata.dimensions.push(Dimensions { width: row as u32, height: 2, bytes: 1 << 40 });
        file_metadata.modified.push(-5 + row as i64);
        file_metadata.phash.push(u64::MAX - row as u64);
        file_metadata.dhash.push(row as u64);
    }
    file_metadata
}

fn same(a: &Manifest, b: &Manifest) {
    assert_eq!(a.root(), b.root());
    assert_eq!(a.classes(), b.classes());
    assert_eq!(a.labels(), b.labels());
    assert_eq!(a.splits(), b.splits());
    assert_eq!(a.extra(), b.extra());
    assert_eq!(a.table(), b.table());
    for id in a.ids() {
        assert_eq!(a.label_as_written(id), b.label_as_written(id));
        assert_eq!(a.split_as_written(id), b.split_as_written(id));
    }
    assert!(a.ids().zip(b.ids()).all(|(x, y)| a.path(x) == b.path(y)));
}

#[test]
fn an_empty_dataset_can_be_kept() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("samples.arrow");
    save_samples(&path, &Manifest::new("/data", []), &FileMetadata::default()).unwrap();
    let (manifest, file_metadata) = load_samples(&path).unwrap();
    assert!(manifest.is_empty() && file_metadata.is_empty());
}

#[test]
fn what_was_written_comes_back() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("samples.arrow");
    let row = |label: &str| NewSample {
        path: "x.jpg".into(),
        label: (!label.is_empty()).then(|| label.into()),
        split: Split::Test,
    };
    let mut splits = crate::as_written::TextsBuilder::default();
    ["holdout", "", "TEST"].into_iter().for_each(|split| splits.push(split));
    let table = TableForm {
        columns: vec!["path".into(), " class".into()],
        path: 0,
        label: Some(1),
        split: None,
        flags: vec![0],
        delimiter: b';',
        encoding: "windows-1252".into(),
        mark: false,
        crlf: true,
        paths_as_bytes: true,
    };
    let manifest = Manifest::new("/data", [row("cat "), row(""), row("nan")])
        .with_written_splits(splits.finish())
        .with_table(table)
        .renamed(&[Some("cat".into()), None]);
    assert_eq!(manifest.split_as_written(SampleId(2)), "TEST");
    save_samples(&path, &manifest, &file_metadata(3)).unwrap();
    same(&manifest, &load_samples(&path).unwrap().0);
}

#[test]
fn a_damaged_file_is_an_error_that_names_it() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("samples.arrow");
    let row =
        |n: u32| NewSample { path: format!("{n}.jpg").into(), label: Some("a".into()), split: Split::Test };
    save_samples(&path, &Manifest::new("/data", (0..20).map(row)), &file_metadata(20)).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for cut in [0, 5, 9, 100, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let error = load_samples(&path).unwrap_err().to_string();
        assert!(error.contains("samples.arrow") && error.contains("scan again"), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_kept_comes_back(
        rows in prop::collection::vec((prop::collection::vec(1_u8.., 0..9), prop::option::of("[a-c]{0,2}"), 0_u8..4, "\\PC{0,3}"), 0..20),
        root in prop::collection::vec(1_u8.., 1..9),
    ) {
        let samples = rows.iter().map(|(path, label, split, _)| NewSample {
            path: OsStr::from_bytes(path).into(),
            label: label.clone(),
            split: Split::from_code(*split),
        });
        let values = rows.iter().map(|row| row.3.clone()).collect();
        let manifest = Manifest::new(OsStr::from_bytes(&root), samples)
            .with_extra(vec![ExtraColumn { name: "path".into(), values }])
            .with_typed(["path".to_owned()])
            .with_class_numbers(ClassNumbers::of_ids([(3, "b"), (1, "a")]));
        let mut file_metadata = file_metadata(rows.len());
        if !rows.is_empty() {
            file_metadata.unreadable.insert(SampleId(0), "the file is cut short".into());
        }
        let temp = tempfile::tempdir().unwrap();
        let (one, two) = (temp.path().join("1"), temp.path().join("2"));
        save_samples(&one, &manifest, &file_metadata).unwrap();
        let (back, known) = load_samples(&one).unwrap();
        same(&manifest, &back);
        prop_assert!(back.is_typed("path") && back.typed().count() == 1);
        prop_assert_eq!(back.class_numbers(), manifest.class_numbers());
        prop_assert_eq!(&file_metadata, &known);
        save_samples(&two, &back, &known).unwrap();
        prop_assert_eq!(std::fs::read(&one).unwrap(), std::fs::read(&two).unwrap());
    }
}
