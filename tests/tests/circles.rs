//! There are no dependency cycles between modules of a crate, except those listed in `circles.txt` with a reason.
//!
//! A listed cycle may shrink; one that is gone must be removed from the list, so that it cannot come back.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed step fails the test; figures are its result"
)]

use chaffinch_tests::artefacts::{cargo, root};
use chaffinch_tests::modules::{Circle, Graph};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// One line of the list: crate, `folders` or `files`, members, reason.
#[derive(Clone, Debug)]
struct Allowed {
    folder: String,
    kind: String,
    members: BTreeSet<String>,
    reason: String,
}

fn list() -> PathBuf {
    root().join("tests/tests/circles.txt")
}

fn allowed() -> Vec<Allowed> {
    let text = fs::read_to_string(list()).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let read = |line: &str| {
        let parts: Vec<&str> = line.splitn(4, '|').map(str::trim).collect();
        let [folder, kind, members, reason] = parts[..] else { panic!("expected four parts: {line}") };
        Allowed {
            folder: folder.into(),
            kind: kind.into(),
            members: members.split_whitespace().map(str::to_owned).collect(),
            reason: reason.into(),
        }
    };
    lines.map(read).collect()
}

/// The folders of the workspace's crates, relative to it.
fn crates() -> Vec<String> {
    let output = cargo().args(["metadata", "--format-version", "1", "--no-deps"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let all: Value = serde_json::from_slice(&output.stdout).unwrap();
    let folder = |package: &Value| {
        let manifest = Path::new(package["manifest_path"].as_str().unwrap());
        manifest.parent().unwrap().strip_prefix(root()).unwrap().to_str().unwrap().to_owned()
    };
    all["packages"].as_array().unwrap().iter().map(folder).collect()
}

/// All cycles: crate, kind, and the uses that form them.
fn found() -> Vec<(String, &'static str, Circle)> {
    let mut found = Vec::new();
    let mut files = 0;
    for folder in crates() {
        let graph = Graph::of(&root().join(&folder).join("src"));
        files += graph.file_count();
        let single = graph.file_circles();
        // If modules are files and not folders, one line covers both.
        let said = |circle: &Circle| {
            single.iter().any(|other| {
                other.members.iter().map(|name| name.trim_end_matches(".rs")).eq(&circle.members)
            })
        };
        let wide: Vec<Circle> = graph.folder_circles().into_iter().filter(|circle| !said(circle)).collect();
        for (kind, circles) in [("folders", wide), ("files", single)] {
            found.extend(circles.into_iter().map(|circle| (folder.clone(), kind, circle)));
        }
    }
    let inside = |kind: &str| {
        found.iter().filter(|(_, k, _)| *k == kind).map(|(_, _, circle)| circle.members.len()).sum::<usize>()
    };
    println!(
        "{files} files; {} of them in circles; {} folders in circles",
        inside("files"),
        inside("folders")
    );
    assert!(files > 300, "the sources have moved; fix the path in this test");
    found
}

/// The list for these cycles, with the reasons of those already listed.
fn rewritten(found: &[(String, &str, Circle)], allowed: &[Allowed]) -> String {
    let text = fs::read_to_string(list()).unwrap();
    let mut new: String =
        text.lines().take_while(|line| line.starts_with('#')).map(|line| format!("{line}\n")).collect();
    for (folder, kind, circle) in found {
        let alike = |known: &&Allowed| {
            known.kind == *kind && circle.members.iter().all(|member| known.members.contains(member))
        };
        // Files may have moved to another crate.
        let here = allowed.iter().filter(alike).find(|known| known.folder == *folder);
        let known = here.or_else(|| allowed.iter().find(alike));
        let reason = known.map_or("", |known| known.reason.as_str());
        writeln!(new, "{folder} | {kind} | {} | {reason}", circle.members.join(" ")).unwrap();
    }
    new
}

#[test]
fn modules_need_each_other_only_where_a_reason_stands() {
    let (found, allowed) = (found(), allowed());
    if std::env::var_os("CHAFFINCH_UPDATE").is_some() {
        fs::write(list(), rewritten(&found, &allowed)).unwrap();
        panic!("tests/tests/circles.txt was rewritten; give each new line a reason");
    }
    let covers = |known: &Allowed, (folder, kind, circle): &(String, &str, Circle)| {
        known.folder == *folder
            && known.kind == *kind
            && circle.members.iter().all(|member| known.members.contains(member))
    };
    let mut wrong = Vec::new();
    for one in &found {
        match allowed.iter().find(|known| covers(known, one)) {
            None => wrong.push(format!("{}, {}: {}", one.0, one.1, one.2)),
            Some(known) if known.members.len() > one.2.members.len() => {
                println!("{}, {}: smaller than allowed: {}", one.0, one.1, one.2.members.join(" "));
            }
            Some(_) => {}
        }
    }
    for known in &allowed {
        if known.reason.is_empty() {
            wrong.push(format!("{known:?} has no reason"));
        }
        if !found.iter().any(|one| covers(known, one)) {
            wrong.push(format!("{known:?} is gone; remove it from tests/tests/circles.txt"));
        }
    }
    assert!(wrong.is_empty(), "{}\n\nCHAFFINCH_UPDATE=1 rewrites the list.", wrong.join("\n\n"));
}
