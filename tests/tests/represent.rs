//! Samples that stand for many: `chaffinch represent` through the program itself.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::pictures;
use chaffinch_tests::sandbox::{Sandbox, json};
use serde_json::Value;
use std::collections::BTreeSet;

fn chosen(sandbox: &Sandbox, more: &[&str]) -> Vec<Value> {
    let session = sandbox.session();
    let args = [&["represent", session.to_str().unwrap(), "--format", "json"], more].concat();
    json(&sandbox.ok(args)).as_array().unwrap().clone()
}

#[test]
fn choices_cover_more_and_more() {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 3, 12, 32);
    sandbox.ok(sandbox.scan_args());
    for method in ["facility-location", "k-center"] {
        let rows = chosen(&sandbox, &["--count", "6", "--method", method]);
        assert_eq!(rows.len(), 6);
        let means: Vec<f64> = rows.iter().map(|row| row["mean"].as_f64().unwrap()).collect();
        assert!(means.is_sorted(), "{means:?}");
        let covers: u64 = rows.iter().map(|row| row["covers"].as_u64().unwrap()).sum();
        assert_eq!(covers, 36);
        // The first ones are the choice of fewer.
        let few = chosen(&sandbox, &["--count", "3", "--method", method]);
        let paths = |rows: &[Value]| rows.iter().map(|row| row["path"].clone()).collect::<Vec<_>>();
        assert_eq!(paths(&few), paths(&rows)[..3]);
    }
    let rows = chosen(&sandbox, &["--count", "2", "--by-class"]);
    let labels: BTreeSet<&str> = rows.iter().map(|row| row["label"].as_str().unwrap()).collect();
    assert_eq!((rows.len(), labels.len()), (6, 3));
    let session = sandbox.session();
    let ran = sandbox.ok(["represent", session.to_str().unwrap(), "--format", "csv"]);
    assert!(ran.stdout.starts_with("path,label,covers,mean,least\n"), "{}", ran.stdout);
    assert!(ran.stderr.contains("of the coverage that as many samples can have"), "{}", ran.stderr);
    let none = sandbox.run(["represent", session.to_str().unwrap(), "--filter", "path:nowhere"]);
    assert!(none.code == 2 && none.stderr.contains("no sample"), "{}", none.stderr);
}
