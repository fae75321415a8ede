//! Several reviewers of one session.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::pictures::dataset;
use chaffinch_tests::sandbox::{Ran, Sandbox, json};

/// A scanned session in which these reviewers typed these lines.
fn reviewed(lines: &[(&str, &str)]) -> Sandbox {
    let sandbox = Sandbox::new();
    dataset(&sandbox.data(), 2, 6, 32);
    sandbox.scan();
    for (name, lines) in lines {
        let session = sandbox.session();
        let ran = sandbox.plain([session.to_str().unwrap(), "--reviewer", name], lines);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    sandbox
}

fn agreement(sandbox: &Sandbox, more: &[&str]) -> Ran {
    let session = sandbox.session();
    let mut args = vec!["agreement", session.to_str().unwrap()];
    args.extend(more);
    sandbox.run(args)
}

const ANNA: &str = "T\ngo 1\nkeep\ngo 2\nremove\ngo 3\nremove\ngo 4\nkeep\ngo 5\nkeep\n";
const BEN: &str = "T\ngo 1\nkeep\ngo 2\nremove\ngo 3\nkeep\ngo 4\nkeep\n";

#[test]
fn agreement_counts_what_several_decided() {
    let sandbox = reviewed(&[("anna", ANNA), ("ben", BEN)]);
    let ran = agreement(&sandbox, &["--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let report = json(&ran);
    assert_eq!((report["samples"].as_u64(), report["alike"].as_u64()), (Some(4), Some(3)), "{report}");
    assert_eq!(report["method"], "cohen");
    // Three of four alike; by chance (2·3 + 2·1) / 16.
    let kappa = report["all"]["kappa"].as_f64().unwrap();
    assert!((kappa - 0.5).abs() < 1e-12, "{report}");
    assert_eq!(report["pairs"][0]["reviewers"], serde_json::json!(["anna", "ben"]));
    let text = agreement(&sandbox, &[]).stdout;
    assert!(text.contains("4 samples decided by at least two reviewers, 3 alike (75.0 %)"), "{text}");
    assert!(text.contains("0.500"), "{text}");
}

#[test]
fn reviewers_who_are_left_out_are_not_said_to_be_none() {
    let sandbox = reviewed(&[("anna", ANNA), ("ben", BEN), ("cyd", "T\ngo 7\nkeep\n")]);
    let ran = agreement(&sandbox, &["--of", "anna"]);
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    let expected = "--of names only anna, and agreement is between two or more: add another --of; 4 samples were decided \
                    by several reviewers";
    assert!(ran.stderr.contains(expected), "{}", ran.stderr);
    let ran = agreement(&sandbox, &["--of", "anna", "--of", "cyd"]);
    assert!(ran.stderr.contains("no sample was decided by two of anna and cyd"), "{}", ran.stderr);
    assert!(ran.stderr.contains("4 samples were decided by several reviewers"), "{}", ran.stderr);
}

#[test]
fn relabels_are_alike_if_their_labels_are() {
    let lines = |label: &str| format!("T\ngo 1\nrelabel {label}\nyes\ngo 2\nremove\n");
    let sandbox = reviewed(&[("anna", &lines("cat")), ("ben", &lines("dog"))]);
    let alike = |more: &[&str]| json(&agreement(&sandbox, more))["alike"].as_u64();
    assert_eq!(alike(&["--format", "json"]), Some(1));
    assert_eq!(alike(&["--format", "json", "--any-label"]), Some(2));
}

#[test]
fn without_a_second_reviewer_there_is_nothing_to_compare() {
    let sandbox = reviewed(&[("anna", ANNA)]);
    let ran = agreement(&sandbox, &[]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("no sample was decided by two reviewers"), "{}", ran.stderr);
    let ran = agreement(&sandbox, &["--of", "carl"]);
    assert!(ran.stderr.contains("no reviewer 'carl'"), "{}", ran.stderr);
}

#[test]
fn a_blind_reviewer_writes_nothing_of_what_others_decided() {
    let sandbox = Sandbox::new();
    dataset(&sandbox.data(), 2, 4, 24);
    sandbox.scan();
    let session = sandbox.session();
    let session = session.to_str().unwrap();
    let as_ = |reviewer: &str, blind: bool, lines: &str| {
        let mut args = vec![session, "--reviewer", reviewer];
        args.extend(blind.then_some("--blind"));
        let ran = sandbox.plain(args, lines);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    };
    as_("anna", false, "toggle-all\ngo 1\nremove\nnote secretly bad\nquit\n");
    as_("ben", true, "toggle-all\ngo 2\nkeep\nquit\n");
    let output = sandbox.path().join("out");
    let output = output.to_str().unwrap();
    for words in [
        &["export", session, "--format", "jsonl", "--output", output, "--reviewer", "ben"][..],
        &["plan", session, "--reviewer", "ben"],
        &["report", session, "--format", "json", "--output", output, "--reviewer", "ben"],
    ] {
        let ran = sandbox.run(words);
        assert_eq!(ran.code, 2, "{words:?}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("this is a blind review"), "{words:?}: {}", ran.stderr);
        assert!(!ran.stdout.contains("secretly") && !ran.stderr.contains("anna"), "{words:?}");
    }
    // Others may.
    sandbox.ok(["export", session, "--format", "jsonl", "--output", output, "--reviewer", "anna"]);
}

#[test]
fn a_journal_that_cannot_be_read_is_named_by_each_command() {
    let sandbox = reviewed(&[("anna", ANNA)]);
    let decisions = sandbox.session().join("decisions");
    std::fs::write(decisions.join("mal.jsonl"), "{\"seq\":1,garbage\n{\"seq\":2}\n").unwrap();
    let session = sandbox.session();
    let session = session.to_str().unwrap();
    let list = sandbox.path().join("list.txt");
    let all: [&[&str]; 6] = [
        &["rank", session],
        &["export", session, "--format", "removal-list", "--output", list.to_str().unwrap()],
        &["plan", session],
        &["conflicts", session],
        &["agreement", session],
        &["evaluate", session],
    ];
    for args in all {
        let ran = sandbox.run(args);
        assert!(ran.stderr.contains("the decisions of mal are left out"), "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("line 1"), "{args:?}: {}", ran.stderr);
    }
}

#[test]
fn what_is_written_goes_neither_into_the_dataset_nor_over_a_session() {
    let sandbox = reviewed(&[("anna", ANNA)]);
    let (session, data) = (sandbox.session(), sandbox.data());
    let journal = session.join("decisions/anna.jsonl");
    let before = std::fs::read(&journal).unwrap();
    let inside = data.join("plan.json");
    for (target, why) in [(&inside, "is inside the dataset"), (&journal, "where a session keeps")] {
        let (session, target) = (session.to_str().unwrap(), target.to_str().unwrap());
        let all: [&[&str]; 3] = [
            &["plan", session, "--force", "--output", target],
            &["export", session, "--format", "manifest", "--force", "--output", target],
            &["replay", session, "--record", target],
        ];
        for args in all {
            let ran = sandbox.run(args);
            assert!(ran.code == 2 && ran.stderr.contains(why), "{args:?}: {}", ran.stderr);
        }
    }
    assert!(!inside.exists());
    assert_eq!(std::fs::read(&journal).unwrap(), before);
}

#[test]
fn a_threshold_that_is_no_number_is_named() {
    let sandbox = reviewed(&[]);
    let settings = sandbox.session().join("settings.toml");
    std::fs::write(&settings, "[thresholds]\nduplicates = nan\n").unwrap();
    let session = sandbox.session();
    let session = session.to_str().unwrap();
    for ran in
        [sandbox.run(["rank", session]), sandbox.run(["threshold", session]), sandbox.plain([session], "")]
    {
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(
            ran.stderr.contains("settings.toml") && ran.stderr.contains("'duplicates' is NaN"),
            "{}",
            ran.stderr
        );
    }
}
