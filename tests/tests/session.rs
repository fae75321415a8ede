//! A session is the whole truth about itself: what it was scanned with lasts, results of several models stand side by
//! side, it answers for its own dataset only, and it follows that dataset to another place.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::artefacts::root;
use chaffinch_tests::sandbox::{Ran, Sandbox, json, number, report};
use chaffinch_tests::terminal::Terminal;
use chaffinch_tests::{digest, pictures};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Three classes of eight pictures each.
fn small() -> Sandbox {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 3, 8, 32);
    sandbox
}

/// A folder with a model that is not the bundled one, though its vectors are the same.
fn model(sandbox: &Sandbox) -> PathBuf {
    let folder = sandbox.path().join("models/other");
    fs::create_dir_all(&folder).unwrap();
    for entry in fs::read_dir(root().join("core/clip/models/small")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
        }
    }
    let config = folder.join("config.json");
    let written = fs::read_to_string(&config).unwrap() + "\n\n";
    fs::write(&config, written).unwrap();
    folder
}

fn scan(sandbox: &Sandbox, args: &[&str]) -> (Value, Ran) {
    let ran = sandbox.ok([&["scan", text(&sandbox.data()), "--json"], args].concat());
    (report(&ran), ran)
}

/// The decisions in `rank`, by path.
fn decided(sandbox: &Sandbox, target: &Path) -> Vec<(String, String)> {
    let ran = sandbox.ok(["rank", text(target), "--all", "--format", "json"]);
    let value = json(&ran);
    let rows = value.as_array().or_else(|| value["samples"].as_array()).unwrap().clone();
    let of = |row: &Value, field: &str| row[field].as_str().unwrap().to_owned();
    let mut decided: Vec<(String, String)> = rows
        .iter()
        .filter(|row| row["decision"] != "")
        .map(|row| (of(row, "path"), of(row, "decision")))
        .collect();
    decided.sort();
    decided
}

#[test]
fn later_commands_use_the_model_of_the_scan() {
    let sandbox = small();
    let model = model(&sandbox);
    // Named relative to the working directory, which may be another one later.
    let (first, _) = scan(&sandbox, &["--model", "models/other"]);
    assert_eq!(number(&first, "embedded"), 24);
    let name = first["model"].as_str().unwrap().to_owned();
    assert!(name.contains(text(&model)), "{name}");
    let vectors = digest::files(&sandbox.path().join("state"));

    let data = sandbox.data();
    let opened = sandbox.plain([text(&data)], "quit\n");
    assert_eq!(opened.code, 0, "{}", opened.stderr);
    assert!(opened.stderr.contains("using what this session was scanned with: model "), "{}", opened.stderr);
    sandbox.ok(["rank", text(&data)]);
    let table = sandbox.path().join("out.csv");
    sandbox.ok(["export", text(&data), "--format", "manifest", "--output", text(&table)]);
    let (again, ran) = scan(&sandbox, &[]);
    assert_eq!((number(&again, "embedded"), again["model"].as_str().unwrap()), (0, name.as_str()));
    assert_eq!(ran.stderr.matches("using what this session was scanned with").count(), 1, "{}", ran.stderr);
    let embedded = |files: &BTreeMap<PathBuf, String>| {
        files.keys().filter(|path| text(path).contains("embed")).cloned().collect::<Vec<_>>()
    };
    assert_eq!(embedded(&digest::files(&sandbox.path().join("state"))), embedded(&vectors));
    // A model in the environment is no reason to throw results away, either.
    let mut command = sandbox.command(["scan", text(&data), "--json"]);
    let ran = Ran::from(command.env("CHAFFINCH_MODEL", "bundled").output().unwrap());
    assert_eq!(report(&ran)["model"].as_str(), Some(name.as_str()), "{}", ran.stderr);
    // Nothing to say where it makes no difference.
    let (bundled, ran) = scan(&sandbox, &["--model", "bundled"]);
    assert!(bundled["model"].as_str().unwrap().starts_with("bundled"), "{bundled}");
    assert!(!ran.stderr.contains("using what"), "{}", ran.stderr);
    assert!(!scan(&sandbox, &[]).1.stderr.contains("using what"));
}

#[test]
fn columns_and_detectors_last_one_by_one() {
    let sandbox = small();
    let table = sandbox.path().join("labels.csv");
    let mut rows = "file,species,part\n".to_owned();
    for (number, class) in ["cat", "dog"].iter().cycle().take(8).enumerate() {
        let picture = sandbox.data().join(format!("{number}.png"));
        pictures::picture(number % 4, number as u64, 32).save(&picture).unwrap();
        rows += &format!("data/{number}.png,{class},train\n");
    }
    fs::write(&table, rows).unwrap();
    let args = ["scan", text(&table), "--json"];
    let columns = ["--path-column", "file", "--label-column", "species", "--detectors", "duplicates"];
    sandbox.ok([&args[..], &columns].concat());
    // One of them changed, the others stay.
    let ran = sandbox.ok([&args[..], &["--label-column", "part"]].concat());
    assert!(
        ran.stderr.contains("path column file") && !ran.stderr.contains("label column"),
        "{}",
        ran.stderr
    );
    let names = |report: &Value| -> Vec<String> {
        let all = report["detectors"].as_array().unwrap().iter();
        all.map(|detector| detector["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&report(&ran)), ["duplicates", "unreadable"]);
    assert!(ran.stderr.contains("detectors duplicates"), "{}", ran.stderr);
    let ran = sandbox.ok([&args[..], &["--detectors", "default"]].concat());
    assert!(names(&report(&ran)).len() > 2, "{:?}", names(&report(&ran)));
}

#[test]
fn a_configuration_that_was_named_lasts() {
    let sandbox = small();
    let file = sandbox.path().join("strict.toml");
    fs::write(&file, "[detectors.cluster-outliers]\nthreshold = 0.99\n").unwrap();
    let (strict, _) = scan(&sandbox, &["--config", "strict.toml"]);
    let session = strict["session"].as_str().unwrap();
    let rank = |args: &[&str]| {
        let ran = sandbox.ok([&["rank", session, "--format", "csv"], args].concat());
        chaffinch_tests::sandbox::table(&ran.stdout).len() as u64
    };
    assert_eq!(rank(&[]), number(&strict, "suspects"));
    let (again, ran) = scan(&sandbox, &[]);
    assert_eq!(again["suspects"], strict["suspects"]);
    assert!(ran.stderr.contains(&format!("configuration {}", text(&file))), "{}", ran.stderr);
    let usual = sandbox.path().join("usual.toml");
    fs::write(&usual, "").unwrap();
    assert!(rank(&["--config", text(&usual)]) < rank(&[]), "the threshold makes a difference");
    // It is not a way to run code of someone else.
    fs::write(&file, "[plugins]\nfolders = [\"/tmp\"]\n").unwrap();
    let ran = sandbox.ok(["rank", session]);
    assert!(
        ran.stderr.contains("strict.toml") && ran.stderr.contains("detectors are code"),
        "{}",
        ran.stderr
    );
}

#[test]
fn results_of_two_models_stand_side_by_side() {
    let sandbox = small();
    let model = model(&sandbox);
    let (first, _) = scan(&sandbox, &[]);
    let folder = PathBuf::from(first["session"].as_str().unwrap());
    let results = digest::files(&folder.join("detectors"));
    let (second, ran) = scan(&sandbox, &["--model", text(&model)]);
    assert_eq!(number(&second, "embedded"), 24, "another model, other vectors");
    assert!(ran.stderr.contains("--model bundled"), "the way back is said: {}", ran.stderr);
    let compared = json(&sandbox.ok(["session", "models", text(&sandbox.data()), "--json"]));
    let rows: Vec<(bool, u64, u64)> = compared
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["current"].as_bool().unwrap(), number(row, "suspects"), number(row, "shared")))
        .collect();
    // The same vectors find the same suspects.
    assert_eq!(rows.len(), 2, "{compared}");
    assert_eq!((rows[0].0, rows[1].0, rows[0].1), (true, false, rows[1].1), "{compared}");
    assert_eq!(rows[1].1, rows[1].2, "{compared}");

    let (back, _) = scan(&sandbox, &["--model", "bundled"]);
    assert_eq!((number(&back, "embedded"), back["suspects"].clone()), (0, first["suspects"].clone()));
    let stages: Vec<&str> =
        back["stages"].as_array().unwrap().iter().map(|stage| stage[0].as_str().unwrap()).collect();
    assert_eq!(stages, ["read and embed", "embed"], "no detector runs again");
    assert_eq!(digest::files(&folder.join("detectors")), results);
}

#[test]
fn a_model_that_cannot_be_loaded_is_named_and_changes_nothing() {
    let sandbox = small();
    let (first, _) = scan(&sandbox, &[]);
    let folder = PathBuf::from(first["session"].as_str().unwrap());
    let results = digest::files(&folder.join("detectors"));
    let data = sandbox.data();
    for wrong in [["--model", "nobody/no-such-model"], ["--device", "cuda:7"]] {
        let ran = sandbox.run([&["scan", text(&data)], &wrong[..]].concat());
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains("cannot load the model "), "{}", ran.stderr);
        assert!(ran.stderr.contains("the results are still those of the model bundled"), "{}", ran.stderr);
        let opened = sandbox.plain([&[text(&data)], &wrong[..]].concat(), "quit\n");
        assert!(opened.stdout.contains("not updated: cannot load the model "), "{}", opened.stdout);
    }
    assert_eq!(digest::files(&folder.join("detectors")), results);
    let (again, _) = scan(&sandbox, &[]);
    assert_eq!((number(&again, "embedded"), again["model"].clone()), (0, first["model"].clone()));
}

#[test]
fn a_session_answers_for_its_own_dataset_only() {
    let sandbox = small();
    let other = sandbox.path().join("other");
    pictures::dataset(&other, 2, 4, 32);
    sandbox.scan();
    let (session, out) = (sandbox.session(), sandbox.path().join("out.csv"));
    let (session, out, other) = (text(&session), text(&out), text(&other));
    let truth = sandbox.path().join("truth.csv");
    fs::write(&truth, "path,is_error\ncat/0000.png,1\n").unwrap();
    let commands: [&[&str]; 9] = [
        &["scan", other],
        &["open", other, "--plain"],
        &["rank", other],
        &["export", other, "--format", "manifest", "--output", out],
        &["evaluate", other, "--truth", text(&truth)],
        &["select", other],
        &["session", "models", other],
        &["session", "remove", other, "--yes"],
        &["leaks", "--train", other, "--test", other, "--output", out],
    ];
    for command in commands {
        let ran = sandbox.run([command, &["--session", session]].concat());
        assert_eq!(ran.code, 2, "{command:?}: {}{}", ran.stdout, ran.stderr);
        if command[0] != "leaks" {
            assert!(ran.stderr.contains("belongs to the dataset"), "{command:?}: {}", ran.stderr);
        }
        assert!(!Path::new(out).exists(), "{command:?}");
    }
    let test = sandbox.path().join("test");
    pictures::dataset(&test, 2, 2, 32);
    let ran = sandbox.run([
        "leaks",
        "--train",
        other,
        "--test",
        text(&test),
        "--output",
        out,
        "--session",
        session,
    ]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("neither --train nor --test"), "{}", ran.stderr);
    // However its own dataset is written.
    sandbox.ok(["rank", text(&sandbox.data().join("../data")), "--session", session]);
}

#[test]
fn a_dataset_that_moved_keeps_its_decisions() {
    let sandbox = small();
    let (old, new) = (sandbox.data(), sandbox.path().join("my pictures"));
    let (first, _) = scan(&sandbox, &[]);
    let ran = sandbox.plain([text(&old)], "T\nremove\nkeep\nquit\n");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let decisions = decided(&sandbox, &old);
    assert_eq!(decisions.len(), 2, "{}", ran.stdout);
    fs::rename(&old, &new).unwrap();

    // Its results can still be read by its old name, but it cannot be scanned.
    assert_eq!(decided(&sandbox, &old), decisions);
    let ran = sandbox.run(["scan", text(&old)]);
    assert!(ran.code == 2 && ran.stderr.contains("gone"), "{}", ran.stderr);
    assert!(!ran.stdout.contains("0 images"), "{}", ran.stdout);
    let listed = json(&sandbox.ok(["session", "list", "--json"]));
    let one = &listed.as_array().unwrap()[0];
    assert_eq!(
        (one["exists"].as_bool(), number(one, "decisions"), number(one, "samples")),
        (Some(false), 2, 24)
    );
    assert!(number(one, "bytes") > 0);

    // Everyone who comes to the new place hears of it.
    let hint = format!("chaffinch session move {} ", first["session"].as_str().unwrap());
    for command in [vec!["rank", text(&new)], vec!["scan", text(&new)], vec!["rank", text(&new)]] {
        let ran = sandbox.run(&command);
        assert!(
            ran.stderr.contains(&hint) && ran.stderr.contains("2 decisions"),
            "{command:?}: {}",
            ran.stderr
        );
    }
    // Another dataset is not it.
    let stranger = sandbox.path().join("stranger");
    for number in 0..24_u64 {
        let folder = stranger.join("cat");
        fs::create_dir_all(&folder).unwrap();
        pictures::picture(number as usize % 4, 70_000 + number, 40)
            .save(folder.join(format!("{number}.png")))
            .unwrap();
    }
    assert!(!sandbox.ok(["scan", text(&stranger)]).stderr.contains("session move"));
    let session = first["session"].as_str().unwrap();
    let ran = sandbox.run(["session", "move", session, text(&stranger)]);
    assert!(ran.code == 2 && ran.stderr.contains("--force"), "{}", ran.stderr);

    sandbox.ok(["session", "move", session, text(&new)]);
    assert_eq!(decided(&sandbox, &new), decisions);
    let ran = sandbox.ok(["scan", text(&new), "--json"]);
    let report = report(&ran);
    assert_eq!((number(&report, "embedded"), number(&report, "indexed")), (0, 0), "nothing is read again");
    assert!(!ran.stderr.contains("session move"), "{}", ran.stderr);
    assert_eq!(decided(&sandbox, &new), decisions);
    let copy = sandbox.path().join("copy");
    sandbox.ok(["export", text(&new), "--format", "cleaned", "--output", text(&copy)]);
    assert!(copy.exists());
}

#[test]
fn a_session_in_a_folder_of_its_own_can_be_bound_again() {
    let sandbox = small();
    let table = sandbox.path().join("data/labels.csv");
    let first = fs::read_dir(sandbox.data()).unwrap().next().unwrap().unwrap().path();
    let class = first.file_name().unwrap().to_str().unwrap().to_owned();
    let mut rows = "path,label\n".to_owned();
    for entry in fs::read_dir(&first).unwrap() {
        rows += &format!("{class}/{},{class}\n", entry.unwrap().file_name().to_str().unwrap());
    }
    fs::write(&table, rows).unwrap();
    let session = sandbox.session();
    sandbox.ok(["scan", text(&table), "--session", text(&session), "--root", text(&sandbox.data())]);
    let new = sandbox.path().join("elsewhere");
    fs::rename(sandbox.data(), &new).unwrap();
    let table = new.join("labels.csv");
    let ran = sandbox.run(["scan", text(&table), "--session", text(&session)]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("chaffinch session move"), "{}", ran.stderr);
    sandbox.ok(["session", "move", text(&session), text(&table)]);
    let ran = sandbox.ok(["scan", text(&table), "--session", text(&session), "--json"]);
    let report = report(&ran);
    assert_eq!(
        (number(&report, "samples"), number(&report, "embedded"), number(&report, "unreadable")),
        (8, 0, 0)
    );
}

#[test]
fn two_sessions_with_decisions_are_not_mixed() {
    let sandbox = small();
    let (old, new) = (sandbox.data(), sandbox.path().join("new"));
    scan(&sandbox, &[]);
    sandbox.plain([text(&old)], "T\nremove\nquit\n");
    fs::rename(&old, &new).unwrap();
    sandbox.plain([text(&new)], "T\nkeep\nquit\n");
    let before = decided(&sandbox, &new);
    let ran = sandbox.run(["session", "move", text(&old), text(&new)]);
    assert!(ran.code == 2 && ran.stderr.contains("decisions of its own"), "{}", ran.stderr);
    assert_eq!((decided(&sandbox, &new), decided(&sandbox, &old).len()), (before, 1));
}

#[test]
fn sessions_are_removed_only_on_purpose() {
    let sandbox = small();
    let (first, _) = scan(&sandbox, &[]);
    let folder = PathBuf::from(first["session"].as_str().unwrap());
    let before = digest::files(&sandbox.data());
    let ran = sandbox.run(["session", "remove", text(&sandbox.data())]);
    assert!(ran.code == 2 && ran.stderr.contains("--yes") && folder.is_dir(), "{}", ran.stderr);
    sandbox.ok(["session", "remove", text(&sandbox.data()), "--yes"]);
    assert!(!folder.exists());
    assert_eq!(digest::files(&sandbox.data()), before);
    assert_eq!(json(&sandbox.ok(["session", "list", "--json"])), serde_json::json!([]));
}

#[test]
fn a_terminal_that_is_replaced_is_told_so() {
    let sandbox = small();
    scan(&sandbox, &[]);
    let data = sandbox.data();
    let mut command = sandbox.command(["open", text(&data), "--plain"]);
    let mut first =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(first.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().is_ok(), "it greets");
    let second = sandbox.plain([text(&data), "--take-over"], "quit\n");
    assert_eq!(second.code, 0, "{}", second.stderr);
    let mut input = first.stdin.take().unwrap();
    // It notices with the next line at the latest, and may be gone by then.
    let _ = input.write_all(b"statistics\nquit\n");
    drop(input);
    lines.for_each(drop);
    let first = Ran::from(first.wait_with_output().unwrap());
    assert!(first.stderr.contains("opened in another terminal"), "{}", first.stderr);
    assert!(!first.stderr.contains("the engine exited"), "{}", first.stderr);
}

#[test]
fn it_is_up_to_date_once_everything_that_can_run_has_run() {
    let sandbox = Sandbox::new();
    for number in 0..12_u64 {
        let picture = pictures::picture(number as usize % 4, number, 32);
        picture.save(sandbox.data().join(format!("{number}.png"))).unwrap();
    }
    let report = sandbox.scan();
    assert!(!report["failed"].as_array().unwrap().is_empty(), "some detector needs labels: {report}");
    let terminal = Terminal::start(&sandbox.command(["open", text(&sandbox.session())]), 120, 40);
    terminal.wait_text("scanned 12 samples");
    terminal.keys("T");
    terminal.wait_text("12 samples");
    terminal.settle(Duration::from_millis(300));
    assert_eq!(terminal.rows_with("gs scans"), [0_u16; 0], "{}", terminal.screen());
    terminal.quit();

    // What cannot be brought up to date says why.
    let command = sandbox.command(["open", text(&sandbox.session()), "--device", "cuda:7"]);
    let terminal = Terminal::start(&command, 120, 40);
    terminal.wait_text("not updated: cannot load the model");
    assert!(!terminal.screen().contains("scanned 0 samples"), "{}", terminal.screen());
    terminal.quit();
}

#[test]
fn on_a_terminal_it_asks() {
    let sandbox = small();
    let model = model(&sandbox);
    let (first, _) = scan(&sandbox, &[]);
    let data = sandbox.data();
    let answered = |args: &[&str], question: &str, answer: &str| {
        let mut terminal = Terminal::start(&sandbox.command(args), 600, 40);
        terminal.wait_text(question);
        terminal.keys(answer);
        let code = terminal.end(Duration::from_secs(120));
        (code, terminal.screen())
    };
    let (code, screen) = answered(&["scan", text(&data), "--model", text(&model)], "[y/N]", "n\r");
    assert!(code == Some(2) && screen.contains("nothing was changed"), "{screen}");
    assert_eq!(scan(&sandbox, &[]).0["model"], first["model"]);
    let (code, screen) = answered(&["scan", text(&data), "--model", text(&model)], "[y/N]", "y\r");
    assert_eq!(code, Some(0), "{screen}");
    let now = scan(&sandbox, &[]).0;
    assert_ne!(now["model"], first["model"]);

    sandbox.plain([text(&data)], "T\nremove\nquit\n");
    let decisions = decided(&sandbox, &data);
    let new = sandbox.path().join("new");
    fs::rename(&data, &new).unwrap();
    let (code, screen) = answered(&["scan", text(&new)], "[Y/n]", "\r");
    assert_eq!(code, Some(0), "{screen}");
    assert_eq!((decided(&sandbox, &new), decisions.len()), (decisions, 1));
}

/// Rows move when files come or go; decisions stay with their samples.
#[test]
fn decisions_stay_with_their_samples_when_files_come_or_go() {
    let sandbox = Sandbox::new();
    let data = sandbox.data();
    pictures::dataset(&data, 3, 12, 32);
    sandbox.scan();
    let session = sandbox.session();
    let class = |number: usize| pictures::CLASSES[number];
    let lines = format!("T\nfilter class:{}\ngo 1\nremove\nremove\nremove\nquit\n", class(2));
    assert_eq!(sandbox.plain([text(&session)], &lines).code, 0);
    let before = decided(&sandbox, &session);
    assert_eq!(before.len(), 3);

    // Files in front: what is trained on decisions gives the same at once as when it is done again.
    for name in ["aaa", "aab"] {
        fs::create_dir(data.join(name)).unwrap();
        for number in 0..6 {
            pictures::picture(5, 100 + number, 32)
                .save(data.join(name).join(format!("{number}.png")))
                .unwrap();
        }
    }
    let scores = || {
        sandbox.scan();
        let args = ["rank", text(&session), "--by", "pollution", "--all", "--top", "0", "--format", "csv"];
        sandbox.ok(args).stdout
    };
    let found = scores();
    for file in fs::read_dir(session.join("detectors")).unwrap() {
        let path = file.unwrap().path();
        if text(&path).contains("pollution") {
            fs::remove_file(path).unwrap();
        }
    }
    assert_eq!(scores(), found);
    assert_eq!(decided(&sandbox, &session), before);

    // Files gone, the decided ones among them.
    fs::remove_dir_all(data.join(class(2))).unwrap();
    let report = sandbox.scan();
    assert_eq!(report["samples"], 36, "{report}");
    assert_eq!(decided(&sandbox, &session), []);
    // They come back with their decisions.
    for number in 0..12 {
        let extension = if number % 2 == 0 { "png" } else { "jpg" };
        fs::create_dir_all(data.join(class(2))).unwrap();
        let path = data.join(class(2)).join(format!("{number:04}.{extension}"));
        pictures::picture(2, number, 32).save(path).unwrap();
    }
    sandbox.scan();
    assert_eq!(decided(&sandbox, &session), before);
}

/// Half precision on a GPU gives other numbers than a CPU: who opens the session on a machine without one goes on with what is there.
#[test]
fn opening_where_the_model_runs_on_another_device_computes_nothing_anew() {
    let sandbox = small();
    let (_, ran) = scan(&sandbox, &["--session", text(&sandbox.session())]);
    assert_eq!(ran.code, 0);
    let file = sandbox.session().join("session.toml");
    let written = fs::read_to_string(&file).unwrap();
    let value = |line: &str| line.split_once('"').unwrap().1.trim_end_matches('"').to_owned();
    let of = |key: &str| {
        value(
            written
                .lines()
                .find(|line| line.starts_with(key) && line.contains('"'))
                .expect("the session says it"),
        )
    };
    let (fingerprint, device) = (of("fingerprint = "), of("device = "));
    let other = format!("{fingerprint}-f16");
    fs::write(&file, written.replace(&fingerprint, &other).replace(&device, "cuda:0 (NVIDIA H200)")).unwrap();
    let embeddings = sandbox.session().join("embeddings");
    fs::rename(embeddings.join(&fingerprint), embeddings.join(&other)).unwrap();
    let before = sandbox.ok(["rank", text(&sandbox.session()), "--format", "json"]).stdout;
    let opened = sandbox.plain([text(&sandbox.session())], "quit\n");
    let said = format!("{}{}", opened.stdout, opened.stderr);
    assert!(said.contains("in the last scan it ran on cuda:0 (NVIDIA H200), and cpu"), "{said}");
    assert_eq!(sandbox.ok(["rank", text(&sandbox.session()), "--format", "json"]).stdout, before);
    let (report, _) = scan(&sandbox, &["--session", text(&sandbox.session())]);
    assert_eq!(number(&report, "embedded"), 24, "a scan computes them here");
}

/// Whoever can put a link into a session would make the program read, write and remove files elsewhere; a pipe would stop it.
#[test]
fn a_session_that_holds_links_or_pipes_is_refused_by_every_command() {
    let sandbox = small();
    let session = sandbox.session();
    let (_, ran) = scan(&sandbox, &["--session", text(&session)]);
    assert_eq!(ran.code, 0);
    let elsewhere = sandbox.path().join("elsewhere");
    fs::rename(session.join("detectors"), &elsewhere).unwrap();
    symlink(&elsewhere, session.join("detectors")).unwrap();
    let held = || fs::read_dir(&elsewhere).unwrap().count();
    let before = held();
    assert!(before > 5);
    fs::rename(session.join("samples.arrow"), sandbox.path().join("samples.arrow")).unwrap();
    let scans = [text(&sandbox.data()).to_owned(), "--session".into(), text(&session).to_owned()];
    let commands = [
        ["scan".to_owned()].into_iter().chain(scans).collect::<Vec<_>>(),
        ["rank", text(&session)].map(str::to_owned).into(),
        ["open", "--plain", text(&session)].map(str::to_owned).into(),
        ["export", "--format", "csv", text(&session), "--output", text(&sandbox.path().join("out"))]
            .map(str::to_owned)
            .into(),
        ["session", "remove", "--yes", text(&session)].map(str::to_owned).into(),
    ];
    let refused = |why: &str| {
        for command in &commands {
            let ran = sandbox.run(command);
            assert!(ran.code == 2 && ran.stderr.contains(why), "{command:?}: {}{}", ran.stdout, ran.stderr);
        }
        assert_eq!(held(), before);
    };
    refused("detectors: this is a symbolic link");
    fs::remove_file(session.join("detectors")).unwrap();
    for name in ["session.toml", "samples.arrow", "settings.toml"] {
        let (path, kept) = (session.join(name), sandbox.path().join("kept"));
        let there = fs::rename(&path, &kept).is_ok();
        mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        refused("this is a pipe");
        fs::remove_file(&path).unwrap();
        if there {
            fs::rename(&kept, &path).unwrap();
        }
    }
}
