//! What reading a dataset leaves out, guesses or cannot read is said, through the program as by a script.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::pictures::{self, encoded, picture};
use chaffinch_tests::sandbox::{Ran, Sandbox, number, report};
use image::ImageFormat;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Detectors that need no model, so that these tests are quick.
const QUICK: [&str; 4] = ["--detectors", "duplicates,image-quality", "--device", "cpu"];

fn scan(sandbox: &Sandbox, dataset: &Path, more: &[&str]) -> Ran {
    let session = sandbox.session();
    let words = ["scan", dataset.to_str().unwrap(), "--session", session.to_str().unwrap()];
    sandbox.run(words.into_iter().chain(QUICK).chain(more.iter().copied()))
}

fn write(folder: &Path, path: &str, class: usize, number: u64) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, encoded(&picture(class, number, 32), ImageFormat::Jpeg)).unwrap();
}

fn remarks(report: &Value) -> Vec<(String, u64, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = report["reading"]["remarks"].as_array().unwrap().iter();
    all.map(|remark| (text(&remark["kind"]), number(remark, "count"), text(&remark["text"]))).collect()
}

#[test]
fn pictures_that_are_not_read_are_said_everywhere() {
    let sandbox = Sandbox::new();
    let data = sandbox.data();
    pictures::dataset(&data, 2, 4, 32);
    for name in ["IMG_1.HEIC", "IMG_2.HEIC", "IMG_3.HEIC"] {
        fs::write(data.join("airplane").join(name), b"ftypheic").unwrap();
    }
    let said = "3 .HEIC files were left out";
    let ran = scan(&sandbox, &data, &["--json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
    let found = report(&ran);
    assert_eq!((number(&found["reading"], "found"), number(&found["reading"], "left_out")), (11, 3));
    assert_eq!(number(&found, "samples"), 8);
    let (kind, count, text) = &remarks(&found)[0];
    assert_eq!((kind.as_str(), *count), ("unsupported-pictures", 3));
    assert!(text.starts_with(said), "{text}");
    assert!(
        found["detectors"].as_array().unwrap().iter().all(|detector| !detector.to_string().contains("heic"))
    );

    let ran = scan(&sandbox, &data, &[]);
    assert!(ran.stdout.contains("3 files left out"), "{}", ran.stdout);
    assert!(ran.stdout.contains("not checked: 3 pictures left out"), "{}", ran.stdout);

    // A session tells it again, without reading the dataset.
    let session = sandbox.session();
    let session = session.to_str().unwrap();
    let ran = sandbox.ok(["rank", session, "--format", "json"]);
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
    serde_json::from_str::<Value>(&ran.stdout).unwrap();
    let ran = sandbox.ok(["open", session, "--plain", "--session", session]);
    assert!(ran.stdout.contains(said), "{}", ran.stdout);
}

#[test]
fn a_leak_report_never_clears_what_it_could_not_compare() {
    let sandbox = Sandbox::new();
    let (train, test) = (sandbox.path().join("a"), sandbox.path().join("b"));
    (0..3).for_each(|number| write(&train, &format!("cat/{number}.jpg"), 3, number));
    (0..3).for_each(|number| write(&test, &format!("cat/{number}.jpg"), 5, number));
    let run = || {
        let out = sandbox.path().join("leaks.csv");
        let words = ["leaks", "--train", train.to_str().unwrap(), "--test", test.to_str().unwrap()];
        let ran =
            sandbox.ok(words.into_iter().chain(["--output", out.to_str().unwrap(), "--format", "json"]));
        let counts: Value = serde_json::from_str(&ran.stdout).unwrap();
        let summary = fs::read_to_string(sandbox.path().join("leaks_summary.txt")).unwrap();
        (counts, fs::read_to_string(out).unwrap(), summary, ran.stderr)
    };
    assert!(run().1.contains("no_leaks_found"));
    fs::write(train.join("cat/4.heic"), b"x").unwrap();
    let (counts, rows, summary, stderr) = run();
    assert_eq!((&counts["status"], &counts["train_unknown"]), (&"unknown".into(), &1.into()));
    assert!(rows.ends_with("unknown,3,3,1,0\n") && !rows.contains("no_leaks_found"), "{rows}");
    assert!(summary.contains(".heic file was left out"), "{summary}");
    assert!(stderr.contains("training set: 1 .heic file was left out"), "{stderr}");
    fs::remove_file(train.join("cat/4.heic")).unwrap();
    fs::write(test.join("cat/0.jpg"), b"no picture").unwrap();
    let (counts, rows, _, _) = run();
    assert_eq!(counts["test_unknown"], 1);
    assert!(rows.ends_with("unknown,3,3,0,1\n"), "{rows}");
}

#[test]
fn tables_whose_files_are_missing() {
    let sandbox = Sandbox::new();
    let data = sandbox.data();
    (0..4).for_each(|number| write(&data, &format!("images/{number}.jpg"), number as usize, number));
    let table = |name: &str, start: &str| {
        let rows: String = (0..4).map(|number| format!("{start}{number}.jpg,{}\n", number % 2)).collect();
        let path = data.join(name);
        fs::write(&path, format!("path,label\n{rows}")).unwrap();
        path
    };
    // All missing: an error that names the first and the way out.
    let ran = scan(&sandbox, &table("gone.csv", "pictures/"), &[]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("none of its 4 files exists"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("pictures/0.jpg") && ran.stderr.contains("images/0.jpg exists"),
        "{}",
        ran.stderr
    );
    // Backslashes are read as what they stand for.
    let (windows, unix) = (table("windows.csv", "images\\"), table("unix.csv", "images/"));
    let ran = scan(&sandbox, &windows, &["--json"]);
    let found = report(&ran);
    assert_eq!((number(&found, "samples"), number(&found, "unreadable")), (4, 0), "{}", ran.stderr);
    assert!(ran.stderr.contains("4 paths have backslashes"), "{}", ran.stderr);
    let out = sandbox.path().join("leaks.csv");
    let words = ["leaks", "--train", windows.to_str().unwrap(), "--test", unix.to_str().unwrap()];
    sandbox.ok(words.into_iter().chain(["--output", out.to_str().unwrap()]));
    assert_eq!(fs::read_to_string(&out).unwrap().lines().count(), 5);
    // Half missing: a warning, and nothing that calls them broken.
    let other = Sandbox::new();
    let path = table("half.csv", "images/");
    fs::write(&path, fs::read_to_string(&path).unwrap() + "images/8.jpg,0\nimages/9.jpg,1\n").unwrap();
    let ran = scan(&other, &path, &["--json"]);
    let found = report(&ran);
    assert!(
        remarks(&found)[0].2.starts_with("2 of 6 files are missing; the first is images/8.jpg"),
        "{found}"
    );
    let session = other.session();
    let ran = other.ok(["rank", session.to_str().unwrap(), "--by", "unreadable", "--format", "json"]);
    assert!(
        ran.stdout.contains("the file is missing") && !ran.stdout.contains("as a picture"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_fault_of_the_whole_dataset_is_said() {
    let sandbox = Sandbox::new();
    for number in 0..12_u32 {
        let path = sandbox.data().join("cat");
        fs::create_dir_all(&path).unwrap();
        let black = image::RgbImage::from_fn(32, 32, |x, y| image::Rgb([((x * y + number) % 4) as u8; 3]));
        black.save(path.join(format!("{number}.png"))).unwrap();
    }
    let ran = scan(&sandbox, &sandbox.data(), &["--json"]);
    let faults: Vec<String> = remarks(&report(&ran))
        .into_iter()
        .filter(|(kind, _, _)| kind == "dataset-fault")
        .map(|(_, _, text)| text)
        .collect();
    assert!(
        faults.iter().any(|text| text.contains("12 of 12 pictures (100 %) have the fault 'dark'")),
        "{faults:?}"
    );
    assert!(ran.stderr.contains("12 of 12 pictures"), "{}", ran.stderr);
}

#[test]
fn folders_are_read_as_people_lay_them_out() {
    let layouts: [(&[&str], &[&str], &str); 3] = [
        (
            &["train/cat/0.jpg", "train/dog/1.jpg", "test/cat/2.jpg", "test/dog/3.jpg", "unlabeled/4.jpg"],
            &["cat", "dog"],
            "unlabeled",
        ),
        (
            &[
                "seg_train/seg_train/sea/0.jpg",
                "seg_train/seg_train/forest/1.jpg",
                "seg_test/seg_test/sea/2.jpg",
                "seg_test/seg_test/forest/3.jpg",
                "seg_pred/seg_pred/4.jpg",
            ],
            &["forest", "sea"],
            "seg_train as train",
        ),
        (&["bus/0.jpg", "car/1.jpg", "train/2.jpg"], &["bus", "car", "train"], "train is named like a split"),
    ];
    for (files, classes, said) in layouts {
        let sandbox = Sandbox::new();
        for (number, file) in files.iter().enumerate() {
            write(&sandbox.data(), file, number, number as u64);
        }
        let ran = scan(&sandbox, &sandbox.data(), &["--json"]);
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
        let session = sandbox.session();
        let rows = sandbox.ok(["rank", session.to_str().unwrap(), "--all", "--format", "csv"]).stdout;
        let rows = chaffinch_tests::sandbox::table(&rows);
        let labels: std::collections::BTreeSet<&str> =
            rows.iter().map(|row| row["label"].as_str()).filter(|label| !label.is_empty()).collect();
        assert_eq!(labels.into_iter().collect::<Vec<_>>(), classes, "{files:?}");
    }
}

#[test]
fn label_files_beside_pictures_are_read_or_refused() {
    let sandbox = Sandbox::new();
    (0..4).for_each(|number| write(&sandbox.data(), &format!("train/{number}.jpg"), number as usize, number));
    let metadata = "file_name,label\n0.jpg,cat\n1.jpg,dog\n2.jpg,cat\n3.jpg,dog\n";
    fs::write(sandbox.data().join("train/metadata.csv"), metadata).unwrap();
    let ran = scan(&sandbox, &sandbox.data(), &[]);
    assert!(ran.stdout.contains("4 images in 2 classes"), "{}{}", ran.stdout, ran.stderr);
    let other = Sandbox::new();
    write(&other.data(), "data/0.jpg", 1, 1);
    fs::write(other.data().join("labels.json"), "{}").unwrap();
    let ran = scan(&other, &other.data(), &[]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("labels.json: this looks like"), "{}", ran.stderr);
    // Whoever knows that may go on, and the session remembers it.
    let ran = scan(&other, &other.data(), &["--label-files", "ignore"]);
    assert!(ran.code == 0 && ran.stderr.contains("labels.json"), "{}", ran.stderr);
    let ran = scan(&other, &other.data(), &[]);
    assert!(ran.code == 0 && ran.stderr.contains("label files ignored"), "{}", ran.stderr);
    // Leaks are found without labels.
    let out = other.path().join("leaks.csv");
    let (train, test) = (other.data(), sandbox.data());
    let words = ["leaks", "--train", train.to_str().unwrap(), "--test", test.to_str().unwrap()];
    other.ok(words.into_iter().chain(["--output", out.to_str().unwrap()]));
}

#[test]
fn classes_that_vanished_are_said() {
    let sandbox = Sandbox::new();
    (0..4).for_each(|number| write(&sandbox.data(), &format!("c{}/{number}.jpg", number % 2), 1, number));
    for folder in ["none", "phone"] {
        fs::create_dir_all(sandbox.data().join(folder)).unwrap();
    }
    fs::write(sandbox.data().join("phone/IMG_1.HEIC"), b"x").unwrap();
    let ran = scan(&sandbox, &sandbox.data(), &["--json"]);
    let texts: Vec<String> = remarks(&report(&ran)).into_iter().map(|(_, _, text)| text).collect();
    let has = |said: &str| texts.iter().any(|text| text.contains(said));
    assert!(has("1 folder beside the classes and splits is empty: none"), "{texts:?}");
    assert!(has("1 class has no sample, because all of its files were left out: phone"), "{texts:?}");
}
