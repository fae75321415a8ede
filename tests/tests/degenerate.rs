//! Datasets that leave a method nothing to work with: each detector gives a result or says why there is none.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed step fails the test; figures are its result"
)]

use chaffinch_tests::artefacts::default_detectors;
use chaffinch_tests::pictures::{self, encoded, picture};
use chaffinch_tests::sandbox::{Sandbox, number, report};
use image::ImageFormat;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Scans, checks what always holds, and returns why detectors have no result.
fn scanned(what: &str, sandbox: &Sandbox, samples: u64) -> BTreeMap<String, String> {
    let ran = sandbox.run(sandbox.scan_args());
    let found = report(&ran);
    assert_eq!(number(&found, "samples"), samples, "{what}");
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let failed: BTreeMap<String, String> =
        found["failed"].as_array().unwrap().iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect();
    let done: Vec<String> =
        found["detectors"].as_array().unwrap().iter().map(|detector| text(&detector["name"])).collect();
    for name in default_detectors() {
        assert!(
            done.contains(&name) != failed.contains_key(&name),
            "{what}: {name} has one outcome: {failed:?}"
        );
    }
    for (name, reason) in &failed {
        println!("{what}: {name}: {reason}");
        assert!(reason.len() > 20 && !reason.contains("panic"), "{what}: {name}: {reason}");
    }
    // A detector without a result in one run has none in the next, and the others keep theirs.
    let again = report(&sandbox.run(sandbox.scan_args()));
    assert_eq!(again["failed"], found["failed"], "{what}");
    for row in sandbox.rank(1_000) {
        let score: f64 = row["score"].parse().unwrap();
        assert!((0.0..=1.0).contains(&score), "{what}: {row:?}");
        assert!(!row["reason"].is_empty(), "{what}: {row:?}");
    }
    failed
}

fn write(folder: &Path, name: &str, class: usize, number: u64) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join(name), encoded(&picture(class, number, 32), ImageFormat::Png)).unwrap();
}

#[test]
fn one_class_is_no_question_of_labels() {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 1, 12, 32);
    let failed = scanned("one class", &sandbox, 12);
    assert!(failed["label-quality"].contains("at least two classes"), "{failed:?}");
    assert!(!failed.contains_key("duplicates") && !failed.contains_key("image-quality"));
}

#[test]
fn empty_classes_and_lone_samples_take_nothing_from_the_others() {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 3, 20, 32);
    fs::create_dir_all(sandbox.data().join("ghost")).unwrap();
    write(&sandbox.data().join("lone"), "only.png", 5, 3);
    let failed = scanned("an empty class and one of one sample", &sandbox, 61);
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn pictures_without_labels_are_judged_by_what_needs_none() {
    let sandbox = Sandbox::new();
    (0..15).for_each(|number| write(&sandbox.data(), &format!("{number}.png"), number as usize % 3, number));
    let failed = scanned("no labels", &sandbox, 15);
    assert!(failed.contains_key("label-quality") && failed.contains_key("neighbor-labels"), "{failed:?}");
    for name in ["duplicates", "image-quality", "neighbor-outliers", "leaks"] {
        assert!(!failed.contains_key(name), "{failed:?}");
    }
}

#[test]
fn the_same_picture_everywhere_has_no_direction_to_differ_in() {
    let sandbox = Sandbox::new();
    let same = picture(2, 7, 32);
    for class in ["a", "b", "c"] {
        fs::create_dir_all(sandbox.data().join(class)).unwrap();
        // Files of different bytes with the same pixels.
        for (number, format) in
            [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::Tiff].into_iter().enumerate()
        {
            for copy in 0..4 {
                let name = format!("{number}-{copy}.{}", format.extensions_str()[0]);
                fs::write(sandbox.data().join(class).join(name), encoded(&same, format)).unwrap();
            }
        }
    }
    let failed = scanned("constant embeddings", &sandbox, 36);
    assert!(!failed.contains_key("duplicates"), "{failed:?}");
    let kept = 36 - sandbox.rank(1_000).iter().filter(|row| row["detectors"].contains("duplicates")).count();
    assert!(kept <= 1, "{kept} of 36 copies are kept");
}

#[test]
fn next_to_nothing_is_still_a_dataset() {
    for samples in [1_u64, 2] {
        let sandbox = Sandbox::new();
        (0..samples).for_each(|n| write(&sandbox.data().join(format!("class-{n}")), "x.png", n as usize, n));
        let failed = scanned("next to nothing", &sandbox, samples);
        assert!(!failed.contains_key("image-quality"), "{failed:?}");
    }
}
