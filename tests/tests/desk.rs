//! Dialogs, conflicts and blind reviews with the real engine, in a terminal.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::pictures::dataset;
use chaffinch_tests::sandbox::{Sandbox, json, table};
use chaffinch_tests::terminal::Terminal;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

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

/// Opens the session in a terminal as this reviewer, with all samples listed.
fn open(sandbox: &Sandbox, reviewer: &str, more: &[&str]) -> Terminal {
    let session = sandbox.session();
    let mut args = vec!["open", session.to_str().unwrap(), "--reviewer", reviewer];
    args.extend(more);
    let terminal = Terminal::start(&sandbox.command(args), 110, 30);
    terminal.wait_text("decided");
    terminal.settle(Duration::from_millis(300));
    terminal
}

fn conflicts(sandbox: &Sandbox, more: &[&str]) -> serde_json::Value {
    let session = sandbox.session();
    let mut args = vec!["conflicts", session.to_str().unwrap(), "--format", "json"];
    args.extend(more);
    json(&sandbox.ok(args))
}

const ANNA: &str = "T\ngo 1\nkeep\ngo 2\nremove\ngo 3\nremove\n";
const BEN: &str = "T\ngo 1\nremove\ngo 2\nremove\ngo 3\nkeep\n";

#[test]
fn a_conflict_settled_in_the_interface_is_settled_everywhere() {
    let sandbox = reviewed(&[("anna", ANNA), ("ben", BEN)]);
    let before = conflicts(&sandbox, &[]);
    assert_eq!((before["open"].as_u64(), before["settled"].as_u64()), (Some(2), Some(0)), "{before}");
    let said = &before["conflicts"][0]["decisions"];
    assert_eq!(said.as_array().unwrap().len(), 2, "{before}");
    assert!(said[0]["at"].as_str().unwrap().ends_with('Z') && said[0]["reviewer"].is_string(), "{before}");

    let terminal = open(&sandbox, "zoe", &[]);
    terminal.keys("gD");
    terminal.wait_text("CONFLICTS");
    terminal.wait_text("1/2");
    terminal.keys("x");
    terminal.wait_text("saved");
    terminal.keys("q");
    terminal.wait("the list", |screen| !screen.contains("CONFLICTS"));
    terminal.quit();

    let after = conflicts(&sandbox, &["--settled"]);
    assert_eq!((after["open"].as_u64(), after["settled"].as_u64()), (Some(1), Some(1)), "{after}");
    let all = after["conflicts"].as_array().unwrap();
    let settled = all.iter().find(|one| one["open"] == false).unwrap();
    let by = &settled["adjudicated"];
    assert_eq!((by["reviewer"].as_str(), by["decision"].as_str()), (Some("zoe"), Some("remove")), "{after}");
    let path = settled["path"].as_str().unwrap();
    let session = sandbox.session();
    // Whoever asks: the plan follows the adjudication, and the removal list as well.
    for reviewer in ["anna", "ben", "zoe"] {
        let args = ["plan", session.to_str().unwrap(), "--reviewer", reviewer, "--format", "json"];
        let plan = json(&sandbox.ok(args));
        let change = plan["changes"].as_array().unwrap().iter().find(|change| change["path"] == path);
        let change = change.unwrap_or_else(|| panic!("{reviewer}: {plan}"));
        assert_eq!(
            (change["remove"].as_bool(), change["why"].as_str()),
            (Some(true), Some("decided by zoe"))
        );
        let to = sandbox.path().join(format!("{reviewer}.txt"));
        let args =
            ["export", session.to_str().unwrap(), "--reviewer", reviewer, "--format", "removal-list", "-o"];
        sandbox.ok(args.into_iter().chain([to.to_str().unwrap()]));
        assert!(fs::read_to_string(&to).unwrap().contains(path), "{reviewer}");
    }
    let agreement = json(&sandbox.ok(["agreement", session.to_str().unwrap(), "--format", "json"]));
    let count = |name: &str| agreement[name].as_u64();
    assert_eq!((count("disputed"), count("adjudicated")), (Some(1), Some(1)), "{agreement}");
    assert_eq!((count("samples"), count("alike")), (Some(3), Some(1)), "who agreed stays: {agreement}");
    let csv = sandbox.ok(["conflicts", session.to_str().unwrap(), "--settled", "--format", "csv"]).stdout;
    assert_eq!(table(&csv).len(), 5, "{csv}");
}

#[test]
fn what_the_dialogs_write_is_what_the_commands_write() {
    let sandbox = reviewed(&[("anna", ANNA)]);
    let (session, folder) = (sandbox.session(), sandbox.path().to_path_buf());
    let at = |name: &str| folder.join(name);
    let path = |name: &str| at(name).to_str().unwrap().to_owned();
    let common = ["--reviewer", "anna"];
    let run = |args: &[&str]| sandbox.ok(args.iter().chain(&common).copied().collect::<Vec<_>>());
    run(&["export", session.to_str().unwrap(), "--format", "manifest", "-o", &path("c.csv")]);
    run(&["plan", session.to_str().unwrap(), "-o", &path("c.json")]);
    run(&["report", session.to_str().unwrap(), "--format", "html", "-o", &path("c.html")]);
    sandbox.ok(["apply", &path("c.json"), "--output", &path("c-copy")]);

    let terminal = open(&sandbox, "anna", &[]);
    // The field of the path is the second of some forms and the third of others.
    for (keys, down, name) in
        [("We", "j", "d.csv"), ("Wp", "jj", "d.json"), ("Wr", "j", "d.html"), ("Wa", "jj", "d-copy")]
    {
        terminal.keys(keys);
        terminal.wait_text("writes ");
        terminal.keys(down);
        terminal.keys("\r");
        terminal.keys("\x15");
        terminal.keys(&path(name));
        terminal.keys("\r");
        terminal.wait(name, |screen| screen.contains("writes ") && screen.contains(name));
        assert!(!at(name).exists(), "{name} was only looked at");
        terminal.keys("r");
        terminal.wait_text("Written");
        terminal.keys("q");
        terminal.wait("the list", |screen| !screen.contains("Written"));
    }
    // What is there is not replaced unless that is answered with yes.
    fs::write(at("d.csv"), "mine").unwrap();
    terminal.keys("Wej\r\x15");
    terminal.keys(&path("d.csv"));
    terminal.keys("\r");
    terminal.wait_text("replaces ");
    terminal.keys("r");
    terminal.wait_text("replace ");
    terminal.keys("n");
    terminal.wait_text("nothing changed");
    assert_eq!(fs::read_to_string(at("d.csv")).unwrap(), "mine");
    terminal.keys("r");
    terminal.wait_text("yes");
    terminal.keys("y");
    terminal.wait_text("Written");
    terminal.keys("q");
    terminal.quit();

    for (command, dialog) in [("c.csv", "d.csv"), ("c.json", "d.json"), ("c.html", "d.html")] {
        let same = fs::read(at(command)).unwrap() == fs::read(at(dialog)).unwrap();
        assert!(same, "{command} and {dialog} differ");
    }
    assert_eq!(files(&at("c-copy")), files(&at("d-copy")));
    assert_eq!(files(&sandbox.data()).len(), 12, "the dataset is as it was");
}

/// The files below a folder, relative, in order.
fn files(folder: &PathBuf) -> Vec<PathBuf> {
    let all = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().flatten();
    let files = all.filter(|entry| entry.file_type().is_file());
    files.map(|entry| entry.path().strip_prefix(folder).unwrap().to_path_buf()).collect()
}

#[test]
fn a_blind_review_shows_nothing_of_others_and_counts_afterwards() {
    let sandbox = reviewed(&[("anna", ANNA)]);
    let session = sandbox.session();
    let plain = |lines: &str, more: &[&str]| {
        let mut args = vec![session.to_str().unwrap(), "--reviewer", "ben"];
        args.extend(more);
        sandbox.plain(args, lines)
    };
    // Line by line, each of the three that Anna has decided is drawn, and none of it is seen.
    let seen = plain("filter decided\nhistory\nfilter\ngo 1\nwho\n", &["--blind", "3"]);
    assert!(!seen.stdout.contains("anna"), "{}", seen.stdout);
    assert!(seen.stdout.contains("of 3 samples decided"), "{}", seen.stdout);
    let again = plain("go 1\n", &["--blind", "2", "--blind-seed", "7"]);
    assert_eq!(again.stdout, plain("go 1\n", &["--blind", "2", "--blind-seed", "7"]).stdout, "drawn alike");
    let ran = plain("go 1\nkeep\ngo 2\nkeep\ngo 3\nkeep\n", &["--blind=3"]);
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    let agreement = json(&sandbox.ok(["agreement", session.to_str().unwrap(), "--format", "json"]));
    assert_eq!(
        (agreement["samples"].as_u64(), agreement["alike"].as_u64()),
        (Some(3), Some(1)),
        "{agreement}"
    );
    let wrong = sandbox.run(["open", "--blind", "data"]);
    assert!(wrong.stderr.contains("name the dataset before --blind"), "{}", wrong.stderr);

    let terminal = open(&sandbox, "carl", &["--blind"]);
    terminal.wait_text("BLIND");
    terminal.quit();
    // It was not ended, so that it goes on in another terminal.
    let shown = sandbox.plain([session.to_str().unwrap(), "--reviewer", "carl"], "filter decided\n");
    assert!(shown.stdout.contains("blind review: what others decided is hidden"), "{}", shown.stdout);
    assert!(!shown.stdout.contains("anna"), "{}", shown.stdout);
    let terminal = open(&sandbox, "carl", &[]);
    terminal.wait_text("BLIND");
    terminal.keys("gB");
    terminal.wait_text("no longer blind");
    terminal.keys("y");
    terminal.wait_text("disputed");
    assert!(!terminal.screen().contains("BLIND"), "{}", terminal.screen());
    terminal.quit();
    let terminal = open(&sandbox, "carl", &[]);
    terminal.wait_text("disputed");
    assert!(!terminal.screen().contains("BLIND"), "{}", terminal.screen());
    terminal.quit();
}
