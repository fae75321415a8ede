//! Prompts of a session, through the program: `chaffinch prompts`, and what uses them.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::sandbox::{Ran, Sandbox, json};
use std::fs;
use std::path::{Path, PathBuf};

/// A set under which every cat is called a truck, and the other way round.
const TURNED: &str = "templates = ['a photo of a {}']
[classes.cat]
synonyms = ['truck']
only = true
[classes.truck]
synonyms = ['cat']
only = true
";

/// How many of the samples of a class get its name first.
fn named(sandbox: &Sandbox, data: &Path, class: &str, more: &[&str]) -> (usize, Ran) {
    let filter = format!("class:{class}");
    let args = ["classify", data.to_str().unwrap(), "--format", "json", "--offline", "--filter", &filter];
    let ran = sandbox.ok([&args[..], more].concat());
    let rows = json(&ran);
    let right = rows.as_array().unwrap().iter().filter(|row| row["names"][0]["name"] == class).count();
    (right, ran)
}

/// The only session that there is.
fn session(sandbox: &Sandbox) -> PathBuf {
    json(&sandbox.ok(["session", "list", "--json"]))[0]["session"].as_str().unwrap().into()
}

#[test]
fn a_set_of_the_session_is_used_by_all_and_can_be_taken_back() {
    let (sandbox, data) = Sandbox::with_demo();
    let at = data.to_str().unwrap();
    let shown = sandbox.ok(["prompts", at]);
    assert!(shown.stdout.starts_with("# Prompts, built in\n"), "{}", shown.stdout);
    let (before, quiet) = named(&sandbox, &data, "cat", &[]);
    assert!(!quiet.stderr.contains("edited in this session"), "{}", quiet.stderr);

    // What is printed is a prompt file, and means the same.
    let file = sandbox.path().join("own.toml");
    fs::write(&file, &shown.stdout).unwrap();
    let file = file.to_str().unwrap();
    sandbox.ok(["prompts", at, "--set", file]);
    let again = sandbox.ok(["prompts", at]).stdout;
    assert!(again.starts_with("# Prompts, edited in this session\n"), "{again}");
    let body = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(body(&again), body(&shown.stdout));
    assert_eq!(named(&sandbox, &data, "cat", &[]).0, before);

    fs::write(file, TURNED).unwrap();
    let set = sandbox.ok(["prompts", at, "--set", file]);
    assert!(set.stderr.contains("chaffinch scan"), "{}", set.stderr);
    let (turned, said) = named(&sandbox, &data, "cat", &[]);
    assert!(said.stderr.contains("edited in this session"), "{}", said.stderr);
    assert!(turned * 2 < before, "{turned} of {before}");
    // A set that is named counts for the command.
    assert_eq!(named(&sandbox, &data, "cat", &["--prompts", "default"]).0, before);

    // The results are of the set before until a scan, which runs only what reads texts.
    let place = session(&sandbox);
    let plugins = || {
        let ran = sandbox.ok(["plugins", "list", "--json", "--session", place.to_str().unwrap()]);
        let all = json(&ran);
        let state = |name: &str| {
            let detectors = all["detectors"].as_array().unwrap();
            detectors.iter().find(|one| one["name"] == name).unwrap()["state"].clone()
        };
        (state("clip-prompt"), state("duplicates"))
    };
    assert_eq!(plugins(), ("outdated".into(), "ready".into()));
    let scanned = sandbox.ok(["scan", at, "--offline"]);
    assert!(scanned.stderr.contains("edited in this session"), "{}", scanned.stderr);
    assert_eq!(plugins(), ("ready".into(), "ready".into()));
    let flagged =
        sandbox.ok(["rank", at, "--by", "clip-prompt", "--filter", "class:cat", "--format", "json"]);
    let rows = json(&flagged);
    let suggested = rows.as_array().unwrap().iter().filter(|row| row["suggested_label"] == "truck").count();
    assert!(suggested > 0, "cats look like trucks now");

    let reset = sandbox.ok(["prompts", at, "--reset"]);
    assert!(reset.stderr.contains("the prompts of the configuration count"), "{}", reset.stderr);
    assert!(!place.join("prompts.toml").exists());
    assert!(sandbox.ok(["prompts", at, "--reset"]).stderr.contains("nothing was changed"));
    assert_eq!(sandbox.ok(["prompts", at]).stdout, shown.stdout);
    assert_eq!(plugins().0, "outdated");
}

#[test]
fn a_set_that_cannot_be_used_is_refused_and_nothing_is_changed() {
    let (sandbox, data) = Sandbox::with_demo();
    let at = data.to_str().unwrap();
    let file = sandbox.path().join("own.toml");
    let refused = |text: &str, why: &str| {
        fs::write(&file, text).unwrap();
        let ran = sandbox.run(["prompts", at, "--set", file.to_str().unwrap()]);
        assert!(ran.code == 2 && ran.stderr.contains(why), "{text}\n{}", ran.stderr);
        assert!(sandbox.ok(["prompts", at]).stdout.starts_with("# Prompts, built in"));
    };
    refused("templates = ['a photo']", "must contain {} once");
    refused("templates = ['a {}', 'A  {}']", "it is there twice");
    refused("templates = ['a {}', \"\\u001b[2J {}\"]", "control character");
    refused("[classes.cats]\nsynonyms = ['kitten']", "the dataset has no class 'cats'; did you mean 'cat'?");
    refused("[classes.cat]\nsynonyms = ['kitten', 'kitten']", "it is there twice");
    refused(&format!("templates = ['{{}} {}']", "x".repeat(600)), "more than 500 characters");

    // One that was damaged since is said where it is used, with the way out.
    let place = session(&sandbox);
    fs::write(place.join("prompts.toml"), "templates = [").unwrap();
    for command in [vec!["prompts", at], vec!["scan", at, "--offline"], vec!["classify", at, "--offline"]] {
        let ran = sandbox.run(&command);
        assert!(ran.code != 0 && ran.stderr.contains("prompts.toml"), "{command:?}\n{}", ran.stderr);
    }
    sandbox.ok(["prompts", at, "--reset"]);
    sandbox.ok(["classify", at, "--offline", "--top", "1"]);
}
