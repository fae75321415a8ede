//! Whatever files of annotation tools stand around pictures, whole or broken: every file is a sample or is left out with a
//! reason, every entry becomes a row, and what is refused is named.

use super::testing::tree;
use super::{DatasetOptions, open};
use chaffinch_data::dataset::LabelFiles;
use chaffinch_protocol::RemarkKind;
use proptest::prelude::*;

const PICTURES: [&str; 8] = [
    "images/train/1.jpg",
    "images/train/2.jpg",
    "train2017/1.jpg",
    "val2017/3.png",
    "data/4.jpg",
    "data/sub/5.JPG",
    "cat/6.jpg",
    "dog/7.jpg",
];

/// The places of files, with what they may hold.
const FILES: [(&str, &str); 14] = [
    (
        "annotations/instances_train2017.json",
        r#"{"images": [{"id": 1, "file_name": "1.jpg"}, {"id": 2, "file_name": "9.jpg"}, {"id": 3, "file_name": "1.jpg"}],
            "annotations": [{"image_id": 1, "category_id": 1}, {"image_id": 5, "category_id": 2}, {"image_id": 2, "category_id": 1}],
            "categories": [{"id": 1, "name": "cat"}]}"#,
    ),
    (
        "annotations/instances_val2017.json",
        r#"{"images": [{"id": "a", "file_name": "3.png"}], "annotations": [{"image_id": "a", "category_id": 7}], "categories": []}"#,
    ),
    (
        "labels.json",
        r#"{"classes": ["cat", "dog"], "labels": {"4": 1, "sub/5": [0, 1], "gone": null, "x": 7}}"#,
    ),
    (
        "samples.json",
        r#"{"samples": [{"filepath": "data/4.jpg", "tags": ["test"], "ground_truth": {"_cls": "Classification", "label": "cow"}},
            {"filepath": "data/4.jpg", "tags": []}]}"#,
    ),
    (
        "annotations.xml",
        r#"<annotations><image name="train/1.jpg" subset="val"><tag label="pig"/></image><image name="2.jpg"><box label="a"/><box
            label="b"/></image></annotations>"#,
    ),
    ("labels/train/1.txt", "0 0.5 0.5 0.1 0.1\n3 0.5 0.5 0.1 0.1\n"),
    ("labels/train/2.txt", "1 0.5 0.5 0.1 0.1\nnothing\n"),
    ("data.yaml", "train: images/train\nval: data\nnames:\n  0: cat\n  1: dog\n"),
    ("classes.txt", "cat\ndog\n"),
    ("val2017_synset_labels.txt", "n01\nn02\nn03\n"),
    ("data/metadata.csv", "file_name,label\n4.jpg,owl\nsub/5.JPG,cat|dog\n4.jpg,owl\n"),
    ("data/metadata.jsonl", "{\"file_name\": \"4.jpg\", \"label\": [\"owl\", \"cat\"]}\n"),
    ("images/_classes.csv", "filename,cat,dog\ntrain/1.jpg,1,0\ntrain/2.jpg,1,1\n"),
    ("LOC_val_solution.csv", "ImageId,PredictionString\n3,n02 1 1 1 1\nz,n01 1 1 1 1\n"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn folders_with_files_of_tools(
        pictures in prop::sample::subsequence(PICTURES.to_vec(), 1..PICTURES.len()),
        files in prop::sample::subsequence(FILES.to_vec(), 0..5),
        cut in prop::option::weighted(0.3, (0..5_usize, 0.0..1.0_f64)),
        changed in prop::option::weighted(0.3, (0..5_usize, 0.0..1.0_f64, prop::sample::select(b"{}[]\",:<>&\0 9-e/|\n".to_vec()))),
    ) {
        let mut texts: Vec<(&str, String)> =
            files.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
        if let Some((at, share)) = cut && let Some((_, text)) = texts.get_mut(at) {
            text.truncate((text.len() as f64 * share) as usize);
        }
        if let Some((at, share, sign)) = changed && let Some((_, text)) = texts.get_mut(at) && !text.is_empty() {
            let place = (text.len() as f64 * share) as usize;
            text.replace_range(place..=place, &char::from(sign).to_string());
        }
        let all: Vec<(&str, &str)> = pictures.iter().map(|name| (*name, "x"))
            .chain(texts.iter().map(|(name, text)| (*name, text.as_str())))
            .collect();
        let temp = tree(&all);
        for label_files in [LabelFiles::Optional, LabelFiles::Ignore, LabelFiles::Auto] {
            let options = DatasetOptions { label_files, ..DatasetOptions::default() };
            let opened = match open(temp.path(), &options) {
                Ok(opened) => opened,
                Err(error) => {
                    let text = error.to_string();
                    // A table with a name of its own may be refused whatever is said of labels.
                    let named = files.iter().any(|(name, _)| text.contains(name));
                    let table = text.contains("metadata") || text.contains("_classes");
                    prop_assert!(named && (label_files == LabelFiles::Auto || table), "{text}");
                    continue;
                }
            };
            let ledger = &opened.ledger;
            prop_assert_eq!(ledger.found, all.len() as u64, "{:#?}", ledger);
            prop_assert_eq!(opened.manifest.len() as u64 + ledger.left_out, ledger.found);
            let reasons = [RemarkKind::UnsupportedPictures, RemarkKind::MachineMade, RemarkKind::OtherFiles];
            let explained: u64 = reasons.into_iter().map(|kind| ledger.count(kind)).sum();
            prop_assert_eq!(explained, ledger.left_out, "{:#?}", ledger);
            prop_assert_eq!(opened.manifest.len(), pictures.len());
            let again = open(temp.path(), &options).unwrap();
            prop_assert_eq!(&again.ledger, ledger);
        }
        // By its own name, each entry of a file is a row or is left out, or the file is refused by name.
        for (name, _) in &files {
            match open(&temp.path().join(name), &DatasetOptions::default()) {
                Ok(opened) => {
                    prop_assert_eq!(opened.manifest.len() as u64 + opened.ledger.left_out, opened.ledger.found);
                }
                Err(error) => prop_assert!(error.to_string().contains(name), "{}", error),
            }
        }
    }
}
