//! The examples of docs/pipelines.md and the pre-commit hook, run as they are written.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::artefacts::{program, root};
use chaffinch_tests::pictures::dataset;
use chaffinch_tests::sandbox::{Ran, Sandbox};
use serde_json::Value;
use std::fs;
use std::process::Command;

/// A repository with a dataset in `data`, of two splits.
fn repository() -> Sandbox {
    let sandbox = Sandbox::new();
    for (split, count) in [("train", 12), ("test", 6)] {
        dataset(&sandbox.data().join(split), 2, count, 32);
    }
    // The pictures of both splits come from one list.
    for class in fs::read_dir(sandbox.data().join("test")).unwrap() {
        for picture in fs::read_dir(class.unwrap().path()).unwrap() {
            let path = picture.unwrap().path();
            let mut picture = image::open(&path).unwrap();
            picture.invert();
            picture.rotate90().save(&path).unwrap();
        }
    }
    sandbox
}

/// Plants a leak: a picture of the training data among those of the test.
fn leak(sandbox: &Sandbox) {
    let class = fs::read_dir(sandbox.data().join("train")).unwrap().next().unwrap().unwrap();
    let picture = fs::read_dir(class.path()).unwrap().next().unwrap().unwrap().path();
    let to = sandbox.data().join("test").join(class.file_name()).join("leaked.png");
    fs::copy(picture, to).unwrap();
}

/// Runs a line with the program on the PATH.
fn shell(sandbox: &Sandbox, line: &str) -> Ran {
    let mut command = Command::new("sh");
    command.args(["-e", "-c", line]).env_clear().envs(sandbox.environment()).current_dir(sandbox.path());
    let folder = program().parent().unwrap().to_str().unwrap();
    command.env("PATH", format!("{folder}:{}", std::env::var("PATH").unwrap()));
    Ran::from(command.output().unwrap())
}

fn guide() -> String {
    fs::read_to_string(root().join("docs/pipelines.md")).unwrap()
}

/// The blocks of code in this language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let begin = format!("```{language}\n");
    let rest = text.split(&begin).skip(1);
    rest.map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_workflow_passes_a_good_dataset_and_stops_at_a_leak() {
    let workflow = blocks(&guide(), "yaml").into_iter().find(|block| block.contains("runs-on:")).unwrap();
    let steps: Vec<&str> =
        workflow.lines().filter_map(|line| line.trim_start().strip_prefix("run: ")).collect();
    assert_eq!(steps.len(), 3, "{workflow}");
    let sandbox = repository();
    for step in &steps {
        let ran = shell(&sandbox, step);
        assert_eq!(ran.code, 0, "{step}\n{}{}", ran.stdout, ran.stderr);
    }
    let progress = fs::read_to_string(sandbox.path().join("progress.jsonl")).unwrap();
    let last: Value = serde_json::from_str(progress.lines().last().unwrap()).unwrap();
    assert_eq!((&last["type"], &last["status"]), (&"end".into(), &0.into()));
    let scanned: Value =
        serde_json::from_slice(&fs::read(sandbox.path().join("scan.json")).unwrap()).unwrap();
    assert_eq!(scanned["samples"], 36);

    leak(&sandbox);
    let codes: Vec<i32> = steps.iter().map(|step| shell(&sandbox, step).code).collect();
    assert_eq!(codes, [0, 1, 0], "only the gates fail, and the report is written");
    let page = fs::read_to_string(sandbox.path().join("report.html")).unwrap();
    assert!(page.contains("leaked.png"));
}

/// The words of a list in brackets, as YAML writes it on one line.
fn listed(line: &str) -> Vec<String> {
    let inner = line.split_once('[').unwrap().1.rsplit_once(']').unwrap().0;
    inner.split(", ").map(|word| word.trim_matches('"').to_owned()).collect()
}

#[test]
fn the_hook_passes_a_good_dataset_and_stops_at_a_leak() {
    let hook = fs::read_to_string(root().join(".pre-commit-hooks.yaml")).unwrap();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.trim_start().starts_with(&format!("{name}: "))).unwrap();
        line.trim_start().split_once(": ").unwrap().1.to_owned()
    };
    let example = blocks(&guide(), "yaml").into_iter().find(|block| block.contains("repos:")).unwrap();
    let script = blocks(&guide(), "sh").into_iter().find(|block| block.starts_with("#!")).unwrap();
    let quoted = |words: Vec<String>| {
        let words: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        words.join(" ")
    };
    let entry = field(&hook, "entry");
    let lines = [
        format!("{entry} {}", quoted(listed(&field(&hook, "args")))),
        format!("{entry} {}", quoted(listed(&field(&example, "args")))),
        script.lines().nth(1).unwrap().to_owned(),
    ];
    let sandbox = repository();
    for line in &lines {
        let ran = shell(&sandbox, line);
        assert_eq!(ran.code, 0, "{line}\n{}{}", ran.stdout, ran.stderr);
    }
    leak(&sandbox);
    for line in &lines {
        let ran = shell(&sandbox, line);
        assert_eq!(ran.code, 1, "{line}\n{}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("leaks"), "{}", ran.stderr);
    }
}
