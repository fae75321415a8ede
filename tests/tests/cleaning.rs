//! From clusters and tagged manifests of other programs to the files of a cleaning, through the program.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::pictures;
use chaffinch_tests::sandbox::{Sandbox, table};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A training set and a validation set, scanned, with the clusters of another program: one leaks with one label, one with
/// two, and one has two labels in training alone.
fn clustered() -> Sandbox {
    let sandbox = Sandbox::new();
    let files =
        ["train/cat/a", "val/cat/b", "train/cat/c", "val/dog/d", "train/cat/e", "train/dog/f", "val/dog/g"];
    for (number, name) in (0_u64..).zip(files) {
        let path = sandbox.data().join(format!("{name}.png"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        pictures::picture(number as usize, number, 32).save(path).unwrap();
    }
    let image = |name: &str| {
        let label = name.split('/').nth(1).unwrap();
        format!("{{\"path\": \"/far/{name}.png\", \"label\": \"{label}\"}}")
    };
    let clusters: Vec<String> = files[..6]
        .chunks(2)
        .zip(1..)
        .map(|(two, id)| {
            format!("{{\"cluster_id\": {id}, \"images\": [{}, {}]}}", image(two[0]), image(two[1]))
        })
        .collect();
    let file = sandbox.path().join("clusters.json");
    fs::write(&file, format!("{{\"clusters\": [{}]}}", clusters.join(", "))).unwrap();
    let session = sandbox.session();
    sandbox.ok(["scan", text(&sandbox.data()), "--session", text(&session), "--detectors", "duplicates"]);
    sandbox.ok(["import", "visual-layer", text(&file), "--session", text(&session)]);
    sandbox
}

fn export(sandbox: &Sandbox, format: &str, name: &str) -> String {
    let target = sandbox.path().join(name);
    sandbox.ok(["export", text(&sandbox.session()), "--format", format, "--output", text(&target)]);
    if target.is_file() { fs::read_to_string(target).unwrap() } else { String::new() }
}

/// What a reviewer said, as rows of a manifest.
fn review(sandbox: &Sandbox, reviewer: &str, rows: &[[&str; 4]]) {
    let mut text_of = "image_path,user_tags,user_action,new_label,reviewer,review_date\n".to_owned();
    for [path, tags, action, label] in rows {
        text_of += &format!("{path},\"{tags}\",{action},{label},{reviewer},2026-01-02T03:04:05Z\n");
    }
    let file = sandbox.path().join(format!("{reviewer}.csv"));
    fs::write(&file, text_of).unwrap();
    sandbox.ok(["import", "csv", text(&file), "--session", text(&sandbox.session())]);
}

#[test]
fn clusters_leak_between_training_and_held_out_pictures_only() {
    let sandbox = clustered();
    let leaks = export(&sandbox, "leak-report", "leaks.csv");
    assert!(leaks.starts_with(
        "cluster_id,leak_type,train_image_path,train_image_id,train_label,val_image_path,val_image_id,val_label,\
         labels_in_cluster,recommended_action,priority\n"
    ));
    let rows: Vec<Vec<String>> = table(&leaks)
        .iter()
        .map(|row| {
            [
                "leak_type",
                "train_image_path",
                "val_image_path",
                "labels_in_cluster",
                "recommended_action",
                "priority",
            ]
            .map(|name| row[name].clone())
            .to_vec()
        })
        .collect();
    assert_eq!(
        rows,
        [
            ["same_label", "train/cat/a.png", "val/cat/b.png", "cat", "REMOVE_VAL", "MEDIUM"],
            ["different_labels", "train/cat/c.png", "val/dog/d.png", "cat,dog", "REVIEW_MANUAL", "HIGH"],
        ]
    );
    let several = export(&sandbox, "multi-label", "several.csv");
    let clusters: BTreeMap<String, Vec<String>> =
        table(&several).into_iter().fold(BTreeMap::new(), |mut all, row| {
            all.entry(row["cluster_id"].clone()).or_insert_with(Vec::new).push(row["image_path"].clone());
            all
        });
    let members: Vec<Vec<String>> = clusters.into_values().collect();
    assert_eq!(members, [["train/cat/c.png", "val/dog/d.png"], ["train/cat/e.png", "train/dog/f.png"]]);
    let first = &table(&several)[0];
    assert_eq!(
        [
            "current_label",
            "all_labels_in_cluster",
            "num_different_labels",
            "split",
            "recommended_action",
            "user_tags"
        ]
        .map(|name| first[name].as_str()),
        ["cat", "cat,dog", "2", "train", "MANUAL_REVIEW", "ambiguous_class,needs_review"]
    );
    export(&sandbox, "versions", "work");
    let removed = fs::read_to_string(sandbox.path().join("work/data_removal_list_v1.txt")).unwrap();
    assert_eq!(removed, "val/cat/b.png\nval/dog/d.png\n");
}

#[test]
fn a_cleaning_is_written_in_versions_and_decisions_win() {
    let sandbox = clustered();
    review(
        &sandbox,
        "anna",
        &[
            ["val/cat/b.png", "outlier_valid", "keep", ""],
            ["train/cat/e.png", "mislabel_confirmed,duplicate_near", "relabel", "dog"],
            ["train/cat/a.png", "", "remove", ""],
        ],
    );
    let work = sandbox.path().join("work");
    export(&sandbox, "versions", "work");
    let names = || {
        let mut all: Vec<String> = fs::read_dir(&work)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        all.sort();
        all
    };
    let first = [
        "data_cleaning_summary_v1.txt",
        "data_final_cleaning_manifest_v1.csv",
        "data_leaks_report_v1.csv",
        "data_multi_label_clusters_v1.csv",
        "data_relabel_map_v1.json",
        "data_removal_list_v1.txt",
        "data_selected_indices_v1.txt",
        "data_tagged_manifest_v1.csv",
    ];
    assert_eq!(names(), first);
    let read = |name: &str| fs::read_to_string(work.join(name)).unwrap();
    // What anna keeps stays, whatever a leak says; the other leak goes.
    assert_eq!(read("data_removal_list_v1.txt"), "train/cat/a.png\nval/dog/d.png\n");
    assert_eq!(read("data_relabel_map_v1.json"), "{\n  \"train/cat/e.png\": \"dog\"\n}\n");
    let header = "image_id,image_path,dataset,split,original_label,vl_flag_type,vl_confidence,vl_suggested_label,vl_reason,\
                  user_tags,user_action,new_label,reviewer,review_date,notes";
    let last = read("data_final_cleaning_manifest_v1.csv");
    assert_eq!(last.lines().next(), Some(header));
    let rows: BTreeMap<String, (String, String)> = table(&last)
        .into_iter()
        .map(|row| (row["image_path"].clone(), (row["user_tags"].clone(), row["user_action"].clone())))
        .collect();
    let of = |path: &str| (rows[path].0.as_str(), rows[path].1.as_str());
    assert_eq!(of("val/cat/b.png"), ("outlier_valid,train_test_leak", "keep"));
    assert_eq!(of("val/dog/d.png"), ("train_test_leak", "remove"));
    assert_eq!(of("train/cat/e.png"), ("mislabel_confirmed,duplicate_near", "relabel"));
    // The manifest before it says nothing that people did not.
    let tagged = read("data_tagged_manifest_v1.csv");
    assert!(tagged.starts_with(header) && !tagged.contains("train_test_leak"), "{tagged}");
    // Rows 0 (a) and 5 (d) go.
    assert_eq!(read("data_selected_indices_v1.txt").lines().count(), 5);
    let summary = read("data_cleaning_summary_v1.txt");
    for line in [
        "Images: 7",
        "Reviewed: 3",
        "Not reviewed: 4",
        "Removed: 2, 1 of them as leaks that were not reviewed",
        "Relabeled: 1",
        "Images after cleaning: 5",
        "Leaks: 2 (1 with one label, 1 with several)",
        "Clusters with several labels: 2",
        "  train_test_leak: 2",
    ] {
        assert!(summary.lines().any(|own| own == line), "{line}\n{summary}");
    }
    let before: Vec<String> = first.iter().map(|name| read(name)).collect();
    review(&sandbox, "bob", &[["val/dog/g.png", "ambiguous_class", "remove", ""]]);
    export(&sandbox, "versions", "work");
    assert_eq!(names().len(), 16);
    assert_eq!(first.map(&read).to_vec(), before);
    assert_eq!(read("data_removal_list_v2.txt"), "train/cat/a.png\nval/dog/d.png\nval/dog/g.png\n");
}

#[test]
fn reviewers_that_differ_in_one_row_have_one_conflict() {
    let sandbox = clustered();
    let rows = [
        ["val/cat/b.png", "", "keep", ""],
        ["train/cat/e.png", "", "remove", ""],
        ["val/dog/g.png", "", "keep", ""],
    ];
    review(&sandbox, "anna", &rows);
    let mut others = rows;
    others[1] = ["train/cat/e.png", "", "relabel", "dog"];
    review(&sandbox, "bob", &others);
    let session = sandbox.session();
    let listed =
        sandbox.ok(["rank", text(&session), "--all", "--filter", "is:disputed", "--format", "csv"]).stdout;
    let listed = table(&listed);
    assert_eq!(listed.iter().map(|row| row["path"].as_str()).collect::<Vec<_>>(), ["train/cat/e.png"]);
}

/// The classes of a benchmark are numbers, and stay numbers.
#[test]
fn a_map_of_classes_that_are_numbers_has_numbers() {
    let sandbox = Sandbox::new();
    let mut rows = "image_id,image_path,split,label\n".to_owned();
    for number in 0..3_u64 {
        let name = format!("n{number}.png");
        pictures::picture(number as usize, number, 32).save(sandbox.data().join(&name)).unwrap();
        rows += &format!("{},{name},train,{}\n", 900 + number, 150 + number);
    }
    let dataset = sandbox.data().join("t.csv");
    fs::write(&dataset, rows).unwrap();
    sandbox.ok(["scan", text(&dataset), "--session", text(&sandbox.session()), "--detectors", "duplicates"]);
    review(&sandbox, "anna", &[["n0.png", "", "relabel", "152.0"], ["n1.png", "", "remove", ""]]);
    export(&sandbox, "versions", "work");
    let read = |name: &str| fs::read_to_string(sandbox.path().join("work").join(name)).unwrap();
    assert_eq!(read("data_relabel_map_v1.json"), "{\n  \"900\": 152\n}\n");
    assert_eq!(read("data_removal_list_v1.txt"), "901\n");
    assert_eq!(read("data_selected_indices_v1.txt"), "0\n2\n");
}

#[test]
fn a_copy_takes_nothing_along_that_lies_outside_and_is_no_picture() {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 2, 4, 32);
    let secret = sandbox.path().join("secret");
    fs::create_dir(&secret).unwrap();
    fs::write(secret.join("key"), "the key of someone").unwrap();
    fs::copy(sandbox.data().join("airplane/0000.png"), secret.join("picture.png")).unwrap();
    let link = |to: &str, name: &str| {
        std::os::unix::fs::symlink(secret.join(to), sandbox.data().join(name)).unwrap();
    };
    link("key", "airplane/link.jpg");
    link("key", "README");
    // A picture that is kept elsewhere is part of the dataset.
    link("picture.png", "airplane/elsewhere.png");
    sandbox.scan();
    let (session, output) = (sandbox.session(), sandbox.path().join("copy"));
    let args =
        ["export", session.to_str().unwrap(), "--format", "cleaned", "--output", output.to_str().unwrap()];
    let ran = sandbox.ok(args);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains("2 left out"), "{said}");
    assert_eq!(said.matches("it is not a picture and lies outside of the dataset").count(), 2, "{said}");
    let files = chaffinch_tests::digest::files(&output);
    let key = blake3::hash(b"the key of someone").to_hex().to_string();
    assert!(!files.values().any(|digest| *digest == key), "{files:?}");
    assert_eq!(files.len(), 9, "{files:?}");
}
