//! An embedding store that sessions share: what one of them embedded is embedded by none again, also while both scan.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::pictures;
use chaffinch_tests::sandbox::{Sandbox, number, report};
use image::ImageFormat;
use std::fs;
use std::path::Path;
use std::process::Stdio;

const MODEL: [&str; 2] = ["--model", "bundled-small"];

fn args<'a>(data: &'a Path, session: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
    let text = |path: &'a Path| path.to_str().unwrap();
    let mut args = vec!["scan", text(data), "--session", text(session), "--json"];
    args.extend(MODEL);
    args.extend(more);
    args
}

fn chunks(folder: &Path) -> usize {
    let files = walkdir::WalkDir::new(folder).into_iter().flatten();
    files
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| name.ends_with(".safetensors")))
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| name.starts_with("chunk-")))
        .count()
}

fn rank(sandbox: &Sandbox, session: &Path) -> String {
    let session = session.to_str().unwrap();
    sandbox
        .ok(["rank", session, "--all", "--top", "0", "--format", "json"])
        .stdout
        .replace(session, "SESSION")
}

#[test]
fn a_store_is_filled_by_one_session_and_read_by_others() {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 3, 20, 32);
    let (store, one, two) =
        (sandbox.path().join("store"), sandbox.path().join("one"), sandbox.path().join("two"));
    let named = ["--store", store.to_str().unwrap()];
    let first = report(&sandbox.ok(args(&sandbox.data(), &one, &named)));
    assert!(number(&first, "embedded") > 0);
    assert!(chunks(&store) > 0 && chunks(&one) == 0, "vectors are in the store alone");
    let second = report(&sandbox.ok(args(&sandbox.data(), &two, &named)));
    assert_eq!(number(&second, "embedded"), 0, "{second}");
    assert_eq!(rank(&sandbox, &one), rank(&sandbox, &two));
    // As with a store of its own.
    let own = sandbox.path().join("own");
    sandbox.ok(args(&sandbox.data(), &own, &[]));
    assert_eq!(rank(&sandbox, &own), rank(&sandbox, &one));
    // A session goes on with its store without being told, and brings along what it had.
    let new = pictures::encoded(&pictures::picture(1, 999, 32), ImageFormat::Png);
    fs::write(sandbox.data().join("new.png"), new).unwrap();
    assert_eq!(number(&report(&sandbox.ok(args(&sandbox.data(), &one, &[]))), "embedded"), 1);
    let moved = report(&sandbox.ok(args(&sandbox.data(), &own, &named)));
    assert_eq!(number(&moved, "embedded"), 0, "{moved}");
    // It can be searched, which reads the vectors.
    let found = sandbox.ok(["search", two.to_str().unwrap(), "a photo of a cat", "--top", "3"]);
    assert!(found.stdout.lines().count() > 1, "{}", found.stdout);
    // A store that is gone is not made anew in silence.
    fs::rename(&store, sandbox.path().join("elsewhere")).unwrap();
    let gone = sandbox.run(args(&sandbox.data(), &two, &[]));
    assert!(gone.stderr.contains("the embedding store of this session is gone"), "{}", gone.stderr);
    assert!(!store.exists());
    let back = report(&sandbox.ok(args(&sandbox.data(), &two, &["--store", "none"])));
    assert!(number(&back, "embedded") > 0 && chunks(&two) > 0, "{back}");
}

#[test]
fn two_scans_fill_one_store_at_once() {
    let sandbox = Sandbox::new();
    let store = sandbox.path().join("store");
    let sets = ["a", "b"].map(|name| {
        let data = sandbox.path().join(format!("data-{name}"));
        pictures::dataset(&data, 3, 60, 32);
        // Each has pictures that the other lacks.
        let own = pictures::picture(1, 1_000 + u64::from(name.as_bytes()[0]), 32);
        fs::write(data.join(format!("{name}.png")), pictures::encoded(&own, ImageFormat::Png)).unwrap();
        (data, sandbox.path().join(name))
    });
    let named = ["--store", store.to_str().unwrap()];
    let running: Vec<_> = sets
        .iter()
        .map(|(data, session)| {
            let mut command = sandbox.command(args(data, session, &named));
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut one in running {
        assert!(one.wait().unwrap().success());
    }
    for (data, session) in &sets {
        let again = report(&sandbox.ok(args(data, session, &[])));
        assert_eq!(number(&again, "embedded"), 0, "{again}");
        let alone = session.with_extension("alone");
        sandbox.ok(args(data, &alone, &[]));
        assert_eq!(rank(&sandbox, session), rank(&sandbox, &alone));
    }
}
