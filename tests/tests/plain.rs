//! The line-by-line interface: the same decisions as on the screen, read from a pipe.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::pictures;
use chaffinch_tests::sandbox::{Ran, Sandbox};
use std::io::Write;
use std::process::Stdio;

fn scanned() -> Sandbox {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 10, 30, 32);
    sandbox.scan();
    sandbox
}

/// Types these lines into `open --plain`.
fn plain(sandbox: &Sandbox, args: &[&str], lines: &str) -> Ran {
    let session = sandbox.session();
    sandbox.plain([&[session.to_str().unwrap()], args].concat(), lines)
}

fn choices(sandbox: &Sandbox) -> Vec<String> {
    let session = sandbox.session();
    let args = ["rank", session.to_str().unwrap(), "--all", "--top", "0", "--format", "csv"];
    let rows = chaffinch_tests::sandbox::table(&sandbox.ok(args).stdout);
    rows.into_iter().map(|row| row["decision"].clone()).filter(|text| !text.is_empty()).collect()
}

#[test]
fn decisions_from_a_pipe_are_on_disk() {
    let sandbox = scanned();
    let ran = plain(
        &sandbox,
        &[],
        "toggle-all\ngo 1\nx\na\nrelabel frog\nunsure\nu\nredo\ntag night_shot\nnote too dark\nrelabel zebra\nyes\nq\n",
    );
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let mut decided = choices(&sandbox);
    decided.sort();
    // The last relabelling is about the unsure one, to which undo and redo have gone back.
    assert_eq!(decided, ["keep", "relabel to frog", "relabel to zebra", "remove"]);
    assert!(ran.stdout.contains("1 of 300: ") && ran.stdout.contains("\nlabel: "), "{}", ran.stdout);
    assert!(ran.stdout.contains("'zebra' is a new class") && ran.stdout.contains("(yes or no)"));
    assert_eq!(sandbox.journal().len(), 9, "four decisions, undo, redo, tag, note, one more decision");
}

#[test]
fn nothing_but_lines_is_written() {
    let sandbox = scanned();
    let ran = plain(&sandbox, &[], "T\nhelp\nstatistics\ndetectors\nhistogram\nconfusion\njobs\nlog\nY\ny\n");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let wrong: Vec<u8> = ran.raw.iter().copied().filter(|byte| *byte < 0x20 && *byte != b'\n').collect();
    assert_eq!(wrong, [] as [u8; 0], "control characters");
    assert!(ran.stdout.contains("remove (x): Remove the sample"));
    let record = ran.stdout.lines().find(|line| line.starts_with('{')).expect("a record as JSON");
    let record: serde_json::Value = serde_json::from_str(record).unwrap();
    assert!(record["path"].as_str().is_some_and(|path| path.contains("/data/")), "{record}");
}

#[test]
fn what_is_not_understood_fails_a_script() {
    let sandbox = scanned();
    let ran = plain(&sandbox, &[], "T\nkepe\nx\n");
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("! there is no command 'kepe': did you mean 'keep'?"), "{}", ran.stdout);
    assert!(ran.stderr.contains("1 line not understood, 1 line not carried out"), "{}", ran.stderr);
    // It may have been meant for the sample after that one.
    assert_eq!(choices(&sandbox), [""; 0]);
}

/// Whatever follows a question was meant for a sample that is only there if the question is answered.
#[test]
fn a_script_ends_at_a_question_that_it_does_not_answer() {
    let sandbox = scanned();
    for lines in [
        "toggle-all\ngo 100\nrelabel zebra\ngo 3\nremove\nquit\n",
        "toggle-all\nmark-all\nremove\ngo 5\nkeep\nquit\n",
        "toggle-all\ngo 100\nrelabel zebra\n",
    ] {
        let ran = plain(&sandbox, &[], lines);
        assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains("(yes or no)"), "{}", ran.stdout);
        assert!(ran.stderr.contains("nothing was done about it"), "{}", ran.stderr);
        assert_eq!(choices(&sandbox), [""; 0], "{lines}");
    }
}

#[test]
fn a_decision_that_is_not_on_disk_fails() {
    let sandbox = scanned();
    let decisions = sandbox.session().join("decisions");
    let journal = decisions.join("tester.jsonl");
    let ran = plain(&sandbox, &[], "T\nx\n");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    // Another program has written to it since it was read.
    let other = "{\"seq\":900,\"at\":\"2026-11-21T10:00:00Z\",\"undo\":1}\n";
    let session = sandbox.session();
    let mut command = sandbox.command(["open", session.to_str().unwrap(), "--plain"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let greeting = lines.by_ref().find(|line| line.as_ref().unwrap().contains("Type help")).unwrap();
    assert!(greeting.is_ok());
    std::fs::OpenOptions::new().append(true).open(&journal).unwrap().write_all(other.as_bytes()).unwrap();
    input.write_all(b"keep\nshow\n").unwrap();
    drop(input);
    let out: Vec<String> = lines.map(|line| line.unwrap()).collect();
    let ended = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(out.iter().any(|line| line.starts_with("error: ") && line.contains("tester.jsonl")), "{out:?}");
    assert_eq!(ended.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("1 line not saved"), "{stderr}");
}

#[test]
fn a_preset_has_its_keys() {
    let sandbox = scanned();
    let ran = plain(&sandbox, &["--keymap", "lightroom"], "T\np\nx\n<C-z>\n");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(choices(&sandbox), ["keep"], "p picks, C-z takes the last back");
    let ran = plain(&sandbox, &["--keymap", "emacs"], "x\n");
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("there is no keymap 'emacs': use default, vim, prodigy, lightroom"),
        "{}",
        ran.stderr
    );
}

#[test]
fn counts_of_confusions_are_the_lengths_of_their_lists() {
    let sandbox = scanned();
    let pages = plain(&sandbox, &[], "confusion\n");
    let pairs: Vec<(String, String, usize)> = pages
        .stdout
        .lines()
        .filter_map(|line| {
            let (given, rest) = line.strip_prefix("given ")?.split_once(", suggested ")?;
            let (suggested, rest) = rest.split_once(": ")?;
            Some((given.to_owned(), suggested.to_owned(), rest.split(' ').next()?.parse().ok()?))
        })
        .collect();
    assert!(!pairs.is_empty(), "{}", pages.stdout);
    let lines: String =
        pairs.iter().map(|(a, b, _)| format!("filter class:{a} suggested:{b}\ngo 1\nshow\n")).collect();
    let lists = plain(&sandbox, &[], &lines);
    for (given, suggested, count) in &pairs {
        let start = format!("1 of {count}: ");
        assert!(
            lists.stdout.lines().any(|line| line.starts_with(&start)),
            "{given} to {suggested} has {count}\n{}",
            lists.stdout
        );
    }
}

#[test]
fn counts_of_the_histogram_are_those_of_the_list() {
    let sandbox = scanned();
    let page = plain(&sandbox, &[], "histogram\n").stdout;
    let lines: Vec<&str> = page.lines().collect();
    let at = lines.iter().position(|line| line.contains(" (default ")).expect("the count");
    let (detector, line) = (lines[at - 1], lines[at]);
    let flagged: usize = line.split(' ').next().unwrap().parse().unwrap();
    let session = sandbox.session();
    let filter = format!("detector:{detector}");
    let ran =
        sandbox.ok(["rank", session.to_str().unwrap(), "--top", "0", "--filter", &filter, "--format", "csv"]);
    assert_eq!(chaffinch_tests::sandbox::table(&ran.stdout).len(), flagged, "{detector}: {line}");
    let suspects = page.lines().find(|line| line.contains(" suspects in all, ")).unwrap();
    let all: usize = suspects.split(' ').next().unwrap().parse().unwrap();
    assert_eq!(sandbox.rank(0).len(), all, "{suspects}");
}

#[test]
fn groups_have_one_order_in_the_list_and_on_their_page() {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 4, 12, 64);
    let files = |class: &str| -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(sandbox.data().join(class)).unwrap();
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    };
    let (airplanes, birds) = (files("airplane"), files("bird"));
    // Copies under another label, which other detectors flag as well, and copies that only one flags.
    for (from, to) in [
        (&airplanes[1], "airplane/copy-a.png"),
        (&airplanes[3], "bird/copy-b.png"),
        (&birds[2], "bird/copy-c.png"),
        (&birds[2], "bird/copy-d.png"),
        (&birds[5], "airplane/copy-e.png"),
    ] {
        std::fs::copy(from, sandbox.data().join(to)).unwrap();
    }
    sandbox.scan();
    for rule in ["or", "majority", "mean-rank"] {
        let rows: String = (1..=9).map(|row| format!("go {row}\ngroup\ngroup\n")).collect();
        let ran = plain(&sandbox, &["--ensemble", rule], &format!("toggle-all\nsort-group\n{rows}"));
        let numbers = ran.stdout.lines().filter_map(|line| {
            let (number, _) = line.strip_prefix("group ")?.split_once(" of ")?;
            number.parse::<usize>().ok()
        });
        let numbers: Vec<usize> = numbers.collect();
        assert_eq!((numbers.len(), numbers[0]), (9, 1), "{rule}: {}{}", ran.stdout, ran.stderr);
        assert!(numbers.is_sorted() && numbers[8] == 4, "{rule}: {numbers:?}");
    }
}

#[test]
fn each_reviewer_has_a_name_and_only_clears_what_is_their_own() {
    let sandbox = scanned();
    let ran = plain(&sandbox, &["--reviewer", "anna"], "T\ngo 1\nkeep\n");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(!ran.stdout.contains("reviewer: "), "one alone needs no name: {}", ran.stdout);
    let ran = plain(&sandbox, &["--reviewer", "ben"], "T\ngo 1\nclear\nfilter reviewer:anna\nshow\n");
    assert!(ran.stdout.contains("\nreviewer: anna\n"), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("decided by anna, who alone can clear it"), "{}", ran.stdout);
    assert!(ran.stdout.contains("1 of 1: "), "{}", ran.stdout);
    assert_eq!(sandbox.journal().len(), 1, "what changes nothing makes no entry");
    let ran = plain(&sandbox, &["--reviewer", ""], "");
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("the reviewer's name is empty"), "{}", ran.stderr);
}

#[test]
fn conflicts_are_listed_as_the_command_lists_them_and_settled_line_by_line() {
    let sandbox = scanned();
    for (name, lines) in [("anna", "T\ngo 1\nkeep\ngo 2\nremove\n"), ("ben", "T\ngo 1\nremove\ngo 2\nkeep\n")]
    {
        let ran = plain(&sandbox, &["--reviewer", name], lines);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    }
    let session = sandbox.session();
    let conflicts = |more: &[&str]| {
        let args = [&["conflicts", session.to_str().unwrap(), "--format", "json"], more].concat();
        chaffinch_tests::sandbox::json(&sandbox.ok(args))
    };
    let known = conflicts(&[]);
    let ran = plain(&sandbox, &["--reviewer", "zoe"], "conflicts\nkeep\nkeep\n");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("reviewers disagree on 2 samples; "), "{}", ran.stdout);
    for conflict in known["conflicts"].as_array().unwrap() {
        let (path, label) = (conflict["path"].as_str().unwrap(), conflict["label"].as_str().unwrap());
        let begin = format!(": {path}, label {label}: ");
        let listed: Vec<&str> = ran.stdout.lines().filter(|line| line.contains(&begin)).collect();
        assert_eq!(listed.len(), 1, "{path}: {}", ran.stdout);
        for said in conflict["decisions"].as_array().unwrap() {
            let words =
                format!("{} by {}", said["decision"].as_str().unwrap(), said["reviewer"].as_str().unwrap());
            assert!(listed[0].contains(&words), "{words}: {}", listed[0]);
        }
    }
    let after = conflicts(&["--settled"]);
    assert_eq!((after["open"].as_u64(), after["settled"].as_u64()), (Some(0), Some(2)), "{after}");
}

#[test]
fn reviewers_who_disagree_are_said_and_one_of_them_is_exported() {
    let sandbox = scanned();
    for (name, lines) in [("anna", "T\ngo 1\nnote too dark\nx\n"), ("ben", "T\ngo 1\nnote a wolf\na\n")] {
        let ran = plain(&sandbox, &["--reviewer", name], lines);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    }
    let ran = plain(&sandbox, &[], "");
    assert!(
        ran.stdout.contains("! reviewers disagree on 1 sample: type conflicts to list and settle it"),
        "{}",
        ran.stdout
    );
    let session = sandbox.session();
    let session = session.to_str().unwrap();
    let ranked = sandbox.ok(["rank", session, "--all", "--filter", "is:disputed", "--format", "csv"]);
    assert_eq!(chaffinch_tests::sandbox::table(&ranked.stdout).len(), 1);
    assert!(ranked.stderr.contains("reviewers disagree on 1 sample"), "{}", ranked.stderr);
    let export = |reviewer: &[&str]| {
        let output = sandbox.path().join("manifest.csv");
        let file = output.to_str().unwrap();
        let args = ["export", session, "--format", "manifest", "--force", "--output", file];
        let ran = sandbox.run([&args[..], reviewer].concat());
        (ran.code, ran.stderr, std::fs::read_to_string(&output).unwrap_or_default())
    };
    for (name, action, other) in [("anna", "remove", "ben"), ("ben", "keep", "anna")] {
        let (code, said, text) = export(&["--reviewer", name]);
        assert_eq!(code, 0, "{said}");
        assert!(
            said.contains(&format!("exported the decisions of {name} (1); {other} (1) decided otherwise")),
            "{said}"
        );
        let rows = chaffinch_tests::sandbox::table(&text);
        let row = rows.iter().find(|row| !row["user_action"].is_empty()).unwrap();
        assert_eq!((row["user_action"].as_str(), row["reviewer"].as_str()), (action, name));
        assert!(
            row["notes"].contains("anna: too dark") && row["notes"].contains("ben: a wolf"),
            "{}",
            row["notes"]
        );
    }
    let (_, said, _) = export(&[]);
    assert!(said.contains("--reviewer NAME chooses whose decisions win"), "{said}");
    let (code, said, _) = export(&["--reviewer", "ana"]);
    assert!(code == 2 && said.contains("only by anna, ben; did you mean 'anna'?"), "{said}");
}

#[test]
fn a_filter_that_fails_keeps_a_script_from_deciding() {
    let sandbox = scanned();
    let ran = plain(&sandbox, &[], "toggle-all\nfilter who:b\nremove\nnext\nunsure\nquit\n");
    assert_eq!((ran.code, choices(&sandbox).len()), (2, 0), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("! 'remove' was not done: an earlier line failed"), "{}", ran.stdout);
    let ran = plain(&sandbox, &[], "toggle-all\nfilter who:b\nfilter undecided\nremove\nquit\n");
    assert_eq!((ran.code, choices(&sandbox)), (2, vec!["remove".to_owned()]), "{}", ran.stdout);
}
