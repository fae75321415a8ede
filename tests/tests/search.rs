//! Search by meaning on the command line: texts, samples and pictures from outside.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::sandbox::{Sandbox, json};
use chaffinch_tests::{npy, pictures};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn searched(sandbox: &Sandbox, data: &Path, more: &[&str]) -> Vec<Value> {
    let mut args = vec!["search", data.to_str().unwrap(), "--format", "json", "--offline"];
    args.extend(more);
    json(&sandbox.ok(args)).as_array().unwrap().clone()
}

fn paths(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["path"].as_str().unwrap()).collect()
}

fn refused(sandbox: &Sandbox, args: &[&str]) -> String {
    let ran = sandbox.run(args);
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    ran.stderr
}

#[test]
fn the_name_of_a_class_finds_its_pictures() {
    let (sandbox, data) = Sandbox::with_demo();
    let rows = searched(&sandbox, &data, &["cat"]);
    let classes: BTreeSet<&str> = rows.iter().map(|row| row["label"].as_str().unwrap()).collect();
    let similarities: Vec<f64> = rows.iter().filter_map(|row| row["similarity"].as_f64()).collect();
    assert!(similarities.len() > 50 && similarities.is_sorted_by(|a, b| a >= b), "{similarities:?}");
    assert!(
        rows[similarities.len()..].iter().all(|row| row["similarity"].is_null()),
        "unreadable files are last"
    );
    assert_eq!(paths(&rows).iter().collect::<BTreeSet<_>>().len(), rows.len(), "each sample has one row");
    let mut right = 0;
    for class in &classes {
        let best = searched(&sandbox, &data, &[class, "--top", "5"]);
        right += best.iter().filter(|row| row["label"] == *class).count();
    }
    // A few labels of the set are wrong on purpose.
    assert!(right * 10 >= classes.len() * 5 * 8, "{right} of {} best hits", classes.len() * 5);
}

#[test]
fn parts_count_in_any_order_and_a_list_is_the_same_every_time() {
    let (sandbox, data) = Sandbox::with_demo();
    let like = "like:cat/001.jpg";
    let written = format!("2*{like} + a photo in the snow - 0.5*\"a dog, indoors\"");
    let other = format!("a photo in the snow - 0.5*\"a dog, indoors\" + 2*{like}");
    let rows = searched(&sandbox, &data, &[&written]);
    assert_eq!(rows, searched(&sandbox, &data, &[&other]));
    assert_eq!(rows, searched(&sandbox, &data, &[&written]));
    let filtered = searched(&sandbox, &data, &[&written, "--filter", "class:dog"]);
    let expected: Vec<&Value> = rows.iter().filter(|row| row["label"] == "dog").collect();
    assert_eq!(
        paths(&filtered),
        expected.iter().map(|row| row["path"].as_str().unwrap()).collect::<Vec<_>>()
    );
    let suspects = searched(&sandbox, &data, &[&written, "--suspects"]);
    assert!(!suspects.is_empty() && suspects.len() < rows.len());
}

#[test]
fn a_sample_and_a_copy_of_its_file_are_like_itself() {
    let (sandbox, data) = Sandbox::with_demo();
    let copy = sandbox.path().join("a copy + more.jpg");
    fs::copy(data.join("cat/001.jpg"), &copy).unwrap();
    let whole = data.join("cat/001.jpg");
    let mut lists = Vec::new();
    for named in ["cat/001.jpg", whole.to_str().unwrap(), copy.to_str().unwrap()] {
        let rows = searched(&sandbox, &data, &["--like", named, "--top", "20"]);
        assert_eq!(rows[0]["path"], "cat/001.jpg", "{named}");
        assert!(rows[0]["similarity"].as_f64().unwrap() > 0.9999, "{named}");
        lists.push(paths(&rows).iter().map(|path| (*path).to_owned()).collect::<Vec<_>>());
    }
    assert_eq!(lists[0], lists[1]);
    assert_eq!(lists[0], lists[2], "the image tower gives a file the vector of the sample");
}

#[test]
fn what_cannot_be_searched_for_is_said() {
    let (sandbox, data) = Sandbox::with_demo();
    let data = data.to_str().unwrap();
    assert!(refused(&sandbox, &["search", data, "cat + "]).contains("a part is missing here"));
    assert!(
        refused(&sandbox, &["search", data, "like:no/such.jpg"])
            .contains("no sample has the path 'no/such.jpg'")
    );
    let text = sandbox.path().join("text.jpg");
    fs::write(&text, "no picture").unwrap();
    let error = refused(&sandbox, &["search", data, "--like", text.to_str().unwrap()]);
    assert!(error.contains("text.jpg"), "{error}");
}

#[test]
fn vectors_from_elsewhere_are_searched_by_samples_and_not_by_texts() {
    let sandbox = Sandbox::new();
    let count = pictures::dataset(&sandbox.data(), 2, 10, 32).len();
    let file = sandbox.path().join("own.npy");
    let vector = |index: usize| [(index % 10) as f32, 1.0, if index < 10 { 5.0 } else { -5.0 }];
    npy::write(&file, &(0..count).map(vector).collect::<Vec<_>>());
    let mut args = sandbox.scan_args();
    args.extend(["--embeddings".to_owned(), file.to_str().unwrap().to_owned()]);
    sandbox.ok(args);
    let session = sandbox.session();
    let session = session.to_str().unwrap();
    let error = refused(&sandbox, &["search", session, "a cat"]);
    assert!(error.contains("--text-embeddings"), "{error}");
    let rows = searched(&sandbox, Path::new(session), &["like:airplane/0000.png", "--top", "10"]);
    assert!(rows.iter().all(|row| row["label"] == "airplane"), "{rows:?}");
    let picture = sandbox.data().join("../one.png");
    pictures::picture(0, 1, 32).save(&picture).unwrap();
    let error = refused(&sandbox, &["search", session, "--like", picture.to_str().unwrap()]);
    assert!(error.contains("computed elsewhere"), "{error}");
    let error = refused(&sandbox, &["explain", session, "airplane/0000.png"]);
    assert!(error.contains("there is nothing to explain; --model NAME"), "{error}");
}
