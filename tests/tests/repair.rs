//! From decisions to a better dataset through the program: plan, apply, rollback.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::digest::files as tree;
use chaffinch_tests::pictures;
use chaffinch_tests::sandbox::{Sandbox, json};
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Splits with a leak and a copy, scanned, with decisions: one removed, one relabeled.
fn reviewed() -> Sandbox {
    let sandbox = Sandbox::new();
    let data = sandbox.data();
    pictures::dataset(&data.join("train"), 3, 6, 32);
    pictures::dataset(&data.join("test"), 3, 2, 48);
    let class = |split: &str| {
        let mut all: Vec<_> =
            fs::read_dir(data.join(split)).unwrap().map(|entry| entry.unwrap().path()).collect();
        all.sort();
        all.remove(0)
    };
    let first = |folder: &Path| {
        let mut all: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        all.sort();
        all.remove(0)
    };
    fs::copy(first(&class("train")), class("test").join("leaked.png")).unwrap();
    fs::copy(first(&class("train")), class("train").join("copy.png")).unwrap();
    let session = sandbox.session();
    sandbox.ok(["scan", text(&data), "--session", text(&session), "--detectors", "duplicates"]);
    sandbox
}

#[test]
fn a_plan_is_shown_applied_as_a_copy_in_place_and_rolled_back() {
    let sandbox = reviewed();
    let (data, session) = (sandbox.data(), sandbox.session());
    let plan = sandbox.path().join("plan.json");
    let words = [
        "plan",
        text(&session),
        "--leaks",
        "move-to-train",
        "--copies",
        "keep-older",
        "--output",
        text(&plan),
    ];
    let shown = sandbox.ok(words).stdout;
    let listed = json(&sandbox.ok([&words[..], &["--format", "json", "--force"]].concat()));
    assert_eq!(listed["version"], 1);
    let removed =
        listed["changes"].as_array().unwrap().iter().filter(|change| change["remove"] == true).count();
    assert!(removed >= 2, "{listed}");
    assert!(shown.contains(&format!("{removed} removed")), "{shown}");
    assert!(
        shown.contains("- test/airplane/leaked.png (") || shown.contains("- train/airplane/copy.png ("),
        "{shown}"
    );
    let before = tree(&data);
    let copy = sandbox.path().join("better");
    let ran = sandbox.ok(["apply", text(&plan), "--output", text(&copy)]);
    assert!(ran.stdout.contains(&format!("{removed} samples removed")), "{}", ran.stdout);
    assert_eq!(tree(&data), before);
    // Nobody can be asked.
    let asked = sandbox.run(["apply", text(&plan), "--in-place"]);
    assert!(asked.code == 2 && asked.stderr.contains("confirm it with --yes"), "{}", asked.stderr);
    sandbox.ok(["apply", text(&plan), "--in-place", "--yes"]);
    assert_eq!(tree(&data), tree(&copy));
    let restored = sandbox.ok(["rollback", text(&session)]);
    assert!(restored.stdout.contains("restored"), "{}", restored.stdout);
    assert_eq!(tree(&data), before);
    let none = sandbox.run(["rollback", text(&plan)]);
    assert!(none.code == 2 && none.stderr.contains("nothing was applied"), "{}", none.stderr);
}

/// Whenever it is killed, applying goes on, and everything comes back.
#[test]
fn a_killed_apply_goes_on_and_comes_back() {
    let sandbox = reviewed();
    let (data, session) = (sandbox.data(), sandbox.session());
    let plan = sandbox.path().join("plan.json");
    sandbox.ok(["plan", text(&session), "--copies", "keep-older", "--output", text(&plan)]);
    let before = tree(&data);
    let copy = sandbox.path().join("better");
    sandbox.ok(["apply", text(&plan), "--output", text(&copy), "--copy", "copy"]);
    let after = tree(&copy);
    for number in 0..10_u64 {
        let mut command = sandbox.command(["apply", text(&plan), "--in-place", "--yes", "--quiet"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(3 * number));
        let _ = child.kill();
        let ended = child.wait().unwrap();
        if !ended.success() {
            // Killed before its last write, it goes on; killed after that, it was done.
            let again = sandbox.run(["apply", text(&plan), "--in-place", "--yes"]);
            let done = again.code == 2 && again.stderr.contains("this plan was applied already");
            assert!(again.code == 0 || done, "{}", again.stderr);
        }
        assert_eq!(tree(&data), after);
        sandbox.ok(["rollback", text(&plan)]);
        assert_eq!(tree(&data), before);
    }
}
