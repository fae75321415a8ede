//! What a person is told of detectors that are not theirs alone to know: results of one that is gone, folders with nothing in
//! them, names that nobody has, and what a detector prints.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed step fails the test; figures are its result"
)]

use chaffinch_tests::artefacts::fixture;
use chaffinch_tests::misbehavior::{GOOD, HELLO, Programs};
use chaffinch_tests::python::numpy;
use chaffinch_tests::sandbox::{Ran, Sandbox, json};
use chaffinch_tests::terminal::Terminal;
use chaffinch_tests::tools;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// The entry of a detector that is not loaded.
fn absent(programs: &Programs) -> Option<Value> {
    let session = programs.sandbox.session();
    let list = programs.sandbox.ok(["plugins", "list", "--json", "--session", session.to_str().unwrap()]);
    json(&list)["not_loaded"].as_array().map(|all| all[0].clone())
}

fn rank(programs: &Programs) -> Ran {
    programs.sandbox.ok(["rank", programs.sandbox.session().to_str().unwrap(), "--format", "csv"])
}

/// A slip of the pen in a folder's name is not a scan without its detectors.
#[test]
fn a_folder_of_detectors_that_is_not_there_is_refused() {
    let sandbox = Sandbox::new();
    let mut scan = sandbox.scan_args();
    scan.extend(["--plugins", "no-such-folder"].map(str::to_owned));
    let listed = ["plugins", "list", "--plugins", "no-such-folder"].map(str::to_owned).to_vec();
    for args in [scan, listed] {
        let ran = sandbox.run(&args);
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.stderr);
        for words in ["'no-such-folder'", "--plugins", "No such file or directory"] {
            assert!(ran.stderr.contains(words), "{args:?}: {}", ran.stderr);
        }
    }
    assert!(!sandbox.session().exists(), "nothing was scanned");
}

#[test]
fn results_of_a_detector_that_is_gone_are_told_disabled_removed_and_restored() {
    let programs = Programs::new();
    let folder = programs.put("witness", GOOD, "");
    programs.scan(&[]);
    let flagged = |ran: &Ran| ran.stdout.contains("witness");
    let told = |ran: &Ran| ran.stderr.matches("the scores of witness take part").count();
    let ran = rank(&programs);
    assert_eq!((flagged(&ran), told(&ran)), (true, 0), "it was there in the last scan: {}", ran.stderr);
    fs::remove_dir_all(folder).unwrap();
    let ran = rank(&programs);
    assert_eq!((flagged(&ran), told(&ran)), (true, 1), "{}", ran.stderr);
    assert_eq!(told(&programs.sandbox.ok(programs.sandbox.scan_args())), 1);
    let entry = absent(&programs).unwrap();
    assert_eq!((&entry["name"], &entry["state"]), (&Value::from("witness"), &Value::from("not-loaded")));
    assert_eq!((&entry["scored"], &entry["removed"]), (&Value::from(32), &Value::from(false)));
    assert!(entry["results_from"].as_str().unwrap().starts_with("20"), "{entry}");

    let session = programs.sandbox.session();
    let session = session.to_str().unwrap();
    let plugins = |verb: &str| programs.sandbox.run(["plugins", verb, session, "witness"]);
    assert_eq!(plugins("disable").code, 0);
    let ran = rank(&programs);
    assert_eq!((flagged(&ran), told(&ran)), (false, 0), "{}", ran.stderr);
    assert_eq!(absent(&programs).unwrap()["state"], "disabled");
    assert_eq!(plugins("enable").code, 0);
    assert!(flagged(&rank(&programs)));
    let removed = plugins("remove");
    assert!(removed.code == 0 && removed.stderr.contains("plugins restore"), "{}", removed.stderr);
    let ran = rank(&programs);
    assert_eq!((flagged(&ran), told(&ran)), (false, 0), "{}", ran.stderr);
    assert_eq!(absent(&programs).unwrap()["removed"], true);
    assert_eq!(plugins("remove").code, 2, "there is nothing left to remove");
    assert_eq!(plugins("restore").code, 0);
    assert!(flagged(&rank(&programs)));
    let unknown = programs.sandbox.run(["plugins", "remove", session, "no-such"]);
    assert!(unknown.code == 2 && unknown.stderr.contains("witness"), "{}", unknown.stderr);
}

/// Removes a picture from the dataset.
fn lose_one(programs: &Programs) {
    let walk = walkdir::WalkDir::new(programs.sandbox.data()).sort_by_file_name();
    let file = walk.into_iter().flatten().find(|entry| entry.file_type().is_file());
    fs::remove_file(file.unwrap().path()).unwrap();
}

/// Whatever makes a detector fail, what it found before stays, and is named as that.
#[test]
fn what_a_detector_found_stays_when_it_fails() {
    let programs = Programs::new();
    let folder = programs.put("witness", GOOD, "");
    programs.scan(&[]);
    let before = rank(&programs).stdout;
    assert!(before.contains("witness"), "{before}");
    let says_why = r#"echo '{"type":"failed","message":"it is Saturday"}'"#;
    for (script, words) in [
        (format!("{HELLO}\n{says_why}\n"), "it is Saturday"),
        (format!("{HELLO}\nkill -SEGV $$\n"), "segmentation fault"),
        (format!("{HELLO}\nread -r _\necho what is this\n"), "not a message"),
        (format!("{HELLO}\nexit 3\n"), "exited with status 3"),
    ] {
        fs::write(folder.join("run.sh"), script).unwrap();
        let ran = programs.scan(&["--allow-changed"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let line = ran.stderr.lines().find(|line| line.contains(words));
        let said = line.is_some_and(|line| line.contains("what it found before stays (results from 20"));
        assert!(said, "{words}: {}", ran.stderr);
        assert_eq!(rank(&programs).stdout, before, "{words}");
        // It failed: nothing that was named succeeds by what was found before.
        let named = programs.scan(&["--allow-changed", "--detectors", "witness"]);
        assert_eq!(named.code, 2, "{words}: {}", named.stderr);
    }
    // With other pictures, it stays with its own.
    lose_one(&programs);
    let ran = programs.scan(&["--detectors", "default"]);
    assert!(ran.stderr.contains("what it found before the dataset changed stays"), "{}", ran.stderr);
    assert!(rank(&programs).stdout.contains("witness"));
}

#[test]
fn a_detector_that_reads_a_disabled_one_says_so_and_keeps_its_results() {
    let programs = Programs::new();
    let request = r#"echo '{"type":"request","id":1,"what":"scores-of","detector":"first"}'
read -r answer
case "$answer" in *refused*) message=$(printf '%s' "$answer" | sed 's/.*"message":"\([^"]*\)".*/\1/')
echo "{\"type\":\"failed\",\"kind\":\"missing\",\"message\":\"$message\"}"; exit 0;; esac
echo "{\"type\":\"scores\""#;
    let greeting = r#"echo '{"type":"hello","protocol":1,"revision":2}'"#;
    let reader = GOOD.replace(HELLO, greeting).replacen(r#"echo "{\"type\":\"scores\""#, request, 1);
    assert!(reader.contains("scores-of"));
    programs.put("first", GOOD, "");
    programs.put("second", &reader, "after = [\"first\"]");
    let ran = programs.scan(&["--detectors", "first,second"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let before = rank(&programs).stdout;
    assert!(before.contains("second"), "{before}");
    let session = programs.sandbox.session();
    let session = session.to_str().unwrap();
    programs.sandbox.ok(["plugins", "disable", session, "first"]);
    let ran = programs.scan(&["--detectors", "second"]);
    let enable = format!("chaffinch plugins enable {session} first");
    assert!(
        ran.stderr.contains("first is disabled in this session") && ran.stderr.contains(&enable),
        "{}",
        ran.stderr
    );
    let enabled = programs.sandbox.ok(["plugins", "enable", session, "first"]);
    assert!(!enabled.stderr.contains("scan"), "all is as it was: {}", enabled.stderr);
    assert_eq!(rank(&programs).stdout, before);
    let again = programs.scan(&["--detectors", "first,second"]);
    assert_eq!((again.code, rank(&programs).stdout), (0, before), "{}", again.stderr);
    // What is not valid any more is said to be so.
    programs.sandbox.ok(["plugins", "disable", session, "first"]);
    lose_one(&programs);
    programs.scan(&["--detectors", "image-quality"]);
    let enabled = programs.sandbox.ok(["plugins", "enable", session, "first"]);
    assert!(enabled.stderr.contains("before the dataset changed"), "{}", enabled.stderr);
}

/// Scores that were computed from others are not left beside new ones of these.
#[test]
fn what_reads_the_scores_of_a_detector_runs_with_it() {
    let programs = Programs::new();
    let first = programs.put("first", GOOD, "");
    programs.put("second", GOOD, "after = [\"first\"]");
    programs.put("other", GOOD, "");
    programs.scan(&["--detectors", "first,second,other"]);
    let ran = |name: &str, args: &[&str]| {
        let ran = programs.scan(&[&["--progress", "json", "--detectors", "first"], args].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stderr.contains(&format!("\"stage\":\"{name}\""))
    };
    assert!(!ran("second", &[]), "nothing has changed");
    let script = fs::read_to_string(first.join("run.sh")).unwrap();
    let changed = script.replacen("0.", "0.0", 1);
    assert_ne!(changed, script);
    fs::write(first.join("run.sh"), changed).unwrap();
    assert!(ran("second", &["--allow-changed"]));
    assert!(!ran("other", &["--allow-changed"]));
}

#[test]
fn results_of_a_loaded_detector_are_disabled_and_not_removed() {
    let programs = Programs::new();
    let folder = programs.put("witness", GOOD, "");
    programs.scan(&[]);
    let session = programs.sandbox.session();
    let session = session.to_str().unwrap();
    let loaded = programs.sandbox.run(["plugins", "remove", session, "image-quality"]);
    assert_eq!(loaded.code, 2);
    assert!(
        loaded.stderr.contains("plugins disable") && !loaded.stderr.contains("those of none"),
        "{}",
        loaded.stderr
    );
    let none = programs.sandbox.run(["plugins", "restore", session, "witness"]);
    assert!(none.stderr.contains("none are kept"), "{}", none.stderr);
    // Once it has run again, the older result is not put back over that.
    programs.sandbox.ok(["plugins", "remove", session, "witness"]);
    fs::write(folder.join("run.sh"), GOOD.replace("0.125", "0.0625")).unwrap();
    programs.scan(&["--allow-changed"]);
    let now = rank(&programs).stdout;
    assert_eq!(programs.sandbox.run(["plugins", "restore", session, "witness"]).code, 2);
    assert_eq!(rank(&programs).stdout, now);
}

#[test]
fn names_that_mean_something_else_are_refused_where_they_are_given() {
    let programs = Programs::new();
    let folder = programs.folder();
    let folder = folder.to_str().unwrap();
    for (name, words) in [
        ("duplicates", "ships with the program"),
        ("image-quality", "ships with the program"),
        ("unreadable", "in every scan"),
        ("default", "stands for the usual detectors"),
        ("disabled", "is a setting"),
    ] {
        let ran = programs.sandbox.run(["plugins", "new", name, "--language", "rule", "--path", folder]);
        assert!(ran.code == 2 && ran.stderr.contains(words), "{name}: {}", ran.stderr);
        assert!(!programs.folder().join(name).exists(), "{name}");
    }
    for name in ["unreadable", "damaged"] {
        let named = programs.scan(&["--detectors", &format!("image-quality,{name}")]);
        assert!(named.code == 2 && named.stderr.contains("part of every scan"), "{}", named.stderr);
    }
    // What scan refuses, the check does, in the same words; only what ships with the program has its name.
    let second = programs.put("duplicates", GOOD, "");
    let check = programs.sandbox.run(["plugins", "check", second.to_str().unwrap()]);
    assert_eq!(check.code, 2, "{}", check.stdout);
    let sentence = format!("{} is not used: ", second.join("detector.toml").display());
    let scan = programs.scan(&[]);
    for ran in [&check, &scan] {
        let line = ran.stderr.lines().find(|line| line.contains(&sentence)).unwrap_or_default();
        let said = line.contains("has the name duplicates, too") && line.contains("choose another name");
        assert!(said, "{}", ran.stderr);
    }
    fs::remove_dir_all(second).unwrap();
    let own = programs.put("not-duplicates", GOOD, "");
    programs.sandbox.ok(["plugins", "check", own.to_str().unwrap()]);
    fs::remove_dir_all(own).unwrap();
    // The nearest name is said wherever one is mistyped.
    let mistyped = programs.scan(&["--detectors", "image-qualty"]);
    let session = programs.sandbox.session();
    let ranked = programs.sandbox.run(["rank", session.to_str().unwrap(), "--by", "image-qualty"]);
    for ran in [mistyped, ranked] {
        let said = ran.stderr.contains("did you mean 'image-quality'?");
        assert!(ran.code == 2 && said, "{}", ran.stderr);
    }
    let parameter = "[parameters.threshold]\ndefault = 0.5\nmin = 0\nmax = 1";
    let collides = programs.put("collides", GOOD, parameter);
    let check = programs.sandbox.run(["plugins", "check", collides.to_str().unwrap()]);
    assert_eq!(check.code, 2);
    assert!(check.stderr.contains("line 4: a parameter cannot be called 'threshold'"), "{}", check.stderr);

    // What a description and its library say of one thing is the same, or is refused with both.
    for (lines, words) in [
        ("name = 'witness'\nlibrary = 'libwitness.so'", ""),
        ("name = 'other'\nlibrary = 'libwitness.so'", "the name is 'other'"),
        (
            "name = 'witness'\nlibrary = 'libwitness.so'\nthreshold = 0.9",
            "line 3: 'threshold' does nothing here",
        ),
    ] {
        // One for each: a description that changes is a matter of its own.
        let library = tempfile::tempdir_in(programs.sandbox.path()).unwrap();
        let library = library.path();
        fs::copy(fixture("witness"), library.join("libwitness.so")).unwrap();
        fs::write(library.join("detector.toml"), lines).unwrap();
        let list = programs.sandbox.ok(["plugins", "list", "--plugins", library.to_str().unwrap()]);
        assert!(list.stdout.contains(words), "{words}: {}", list.stdout);
        let loaded =
            json(&programs.sandbox.ok(["plugins", "list", "--json", "--plugins", library.to_str().unwrap()]));
        let loaded = loaded["detectors"].as_array().unwrap().iter().any(|one| one["name"] == "witness");
        assert_eq!(loaded, words.is_empty(), "{lines}");
    }
}

#[test]
fn a_folder_with_nothing_to_load_is_named() {
    let programs = Programs::new();
    fs::write(programs.folder().join("readme.txt"), "nothing").unwrap();
    let ran = programs.scan(&[]);
    let words = format!("{} has no detectors", programs.folder().display());
    assert!(ran.code == 0 && ran.stderr.contains(&words), "{}", ran.stderr);
    let list = programs.sandbox.ok(["plugins", "list", "--plugins", programs.folder().to_str().unwrap()]);
    assert!(list.stdout.contains(&words), "{}", list.stdout);
}

#[test]
fn a_detector_that_waits_for_one_that_nobody_knows_is_told() {
    let programs = Programs::new();
    let folder = programs.put("witness", GOOD, "after = [\"dupliactes\"]");
    let words = "no detector of this name is loaded; did you mean 'duplicates'?";
    let ran = programs.scan(&[]);
    assert!(ran.stderr.contains("reads the scores of 'dupliactes'"), "{}", ran.stderr);
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
    let check = programs.sandbox.run(["plugins", "check", folder.to_str().unwrap()]);
    assert!(check.stdout.contains(words), "{}", check.stdout);
}

/// A detector in Python whose function has this body.
fn python(programs: &Programs, body: &str) -> std::path::PathBuf {
    let folder = programs.put("snake", "", "");
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk/python/chaffinch_detector.py");
    fs::copy(sdk, folder.join("chaffinch_detector.py")).unwrap();
    let script = format!("from chaffinch_detector import run\ndef detect(data):\n    {body}\nrun(detect)\n");
    fs::write(folder.join("snake.py"), script).unwrap();
    let description = fs::read_to_string(folder.join("detector.toml")).unwrap();
    let command = description.lines().find(|line| line.starts_with("command")).unwrap();
    let description = description.replace(command, "command = [\"python3\", \"snake.py\"]");
    fs::write(folder.join("detector.toml"), description).unwrap();
    folder
}

fn check(programs: &Programs, body: &str) -> String {
    let folder = python(programs, body);
    programs.sandbox.run(["plugins", "check", folder.to_str().unwrap()]).stdout
}

/// Results follow decisions only where a detector says that it reads them, so it cannot read them without.
#[test]
fn decisions_are_read_by_those_that_declare_it() {
    if !tools::installed(&["python3"], "python3") {
        return;
    }
    for name in ["decisions", "relabels"] {
        let programs = Programs::new();
        let body = format!("return [0.5 if len(data.{name}) == len(data) else 0.0] * len(data)");
        let said = check(&programs, &body);
        let told = format!("data.{name} needs \"decisions\" under needs in detector.toml");
        assert!(said.contains(&told), "{said}");
        let file = programs.folder().join("snake/detector.toml");
        let description = fs::read_to_string(&file).unwrap();
        fs::write(&file, format!("needs = [\"decisions\"]\n{description}")).unwrap();
        let said = programs.sandbox.run(["plugins", "check", file.to_str().unwrap()]).stdout;
        assert!(!said.contains(&told), "{said}");
    }
}

#[test]
fn what_a_detector_prints_is_shown() {
    if !tools::installed(&["python3"], "python3") {
        return;
    }
    let programs = Programs::new();
    let said = check(&programs, "print('hello', len(data)); return [0.5] * len(data)");
    assert!(said.contains("printed hello 69"), "{said}");
    let said = check(&programs, "print('before it failed'); return 1 / 0");
    assert!(said.contains("printed before it failed") || said.contains("before it failed"), "{said}");
    let ran = programs.scan(&["--verbose", "--allow-changed"]);
    assert!(ran.stderr.contains("snake: printed: before it failed"), "{}", ran.stderr);
}

#[test]
fn a_detector_that_scores_nothing_is_told_what_that_means() {
    if !tools::installed(&["python3"], "python3") {
        return;
    }
    let programs = Programs::new();
    python(&programs, "return [None] * len(data)");
    for scan in ["the first", "one that has nothing to run"] {
        let ran = programs.scan(&[]);
        assert_eq!(ran.stderr.matches("snake: it scored no sample").count(), 1, "{scan}: {}", ran.stderr);
    }
    let said = check(&Programs::new(), "return [None] * len(data)");
    assert!(said.contains("so it can flag nothing") && said.contains("scan DATASET --plugins"), "{said}");
}

#[test]
fn advice_about_a_limit_names_what_moves_it() {
    let programs = Programs::new();
    let sleeps = "echo '{\"type\":\"hello\",\"protocol\":1}'\nsleep 60";
    let check = |more: &str| {
        let folder = programs.put("sleeps", sleeps, more);
        programs.sandbox.run(["plugins", "check", folder.to_str().unwrap(), "--limit", "1"]).stdout
    };
    let said = check("");
    assert!(said.contains("took longer than 1 s, its limit (--limit of plugins check moves it)"), "{said}");
    let said = check("[limits]\ntime = 2");
    assert!(said.contains("took longer than 2 s, its limit (time under [limits]"), "{said}");
    // What it wrote is still in its own memory.
    let folder = programs.put("holds-back", "sleep 60", "");
    let said = programs.sandbox.run(["plugins", "check", folder.to_str().unwrap(), "--limit", "1"]).stdout;
    assert!(said.contains("nothing was heard of it (flush the standard output"), "{said}");
}

/// What is said of wrong scores does not depend on what holds them.
#[test]
fn lists_and_arrays_of_scores_are_judged_alike() {
    if !numpy() {
        return;
    }
    let programs = Programs::new();
    let wrong = |values: &str| {
        let of = |kept: &str| {
            let body = format!("import numpy as np; n = len(data); s = {values}; return {kept}");
            let said = check(&programs, &body);
            let verdicts = said.lines().filter(|line| line.contains("WRONG") || line.contains("scored"));
            // What follows the last comma where that is a time.
            let without_time = |line: &str| match line.rsplit_once(", ") {
                Some((start, end)) if end.starts_with(|c: char| c.is_ascii_digit()) => start.to_owned(),
                _ => line.to_owned(),
            };
            verdicts.map(without_time).collect::<Vec<String>>()
        };
        let (list, array) = (of("s"), of("np.array(s)"));
        println!("{values}: {list:?}");
        assert_eq!(list, array, "{values}");
        list.join("\n")
    };
    assert!(wrong("[0.5] * (n - 1)").contains("scores for"));
    let out_of_range = wrong("[2.0] * n");
    assert!(out_of_range.contains("gives sample 0 the score 2"), "{out_of_range}");
    assert!(out_of_range.contains("; sample 0 is ") && out_of_range.contains('/'), "{out_of_range}");
    assert!(wrong("[0.5] * (n - 1) + [1e300]").contains("not scored: sample"));
    assert!(wrong("[0.5] * (n - 1) + [-0.5]").contains("not scored: sample"));
    assert!(wrong("[0.5] * (n - 1) + [None]").contains("scored"));
    assert!(wrong("[float('nan')] * n").contains("0 samples scored"));
    assert!(wrong("[0.5] * (n - 1) + ['x']").contains("WRONG"));
    let masked = check(&programs, "import numpy as np; return np.ma.masked_all(len(data))");
    assert!(masked.contains("0 samples scored"), "{masked}");
    for flat in ["[[0.5, 0.5]] * n", "np.full((n, 2), 0.5)"] {
        let said = check(&programs, &format!("import numpy as np; n = len(data); return {flat}"));
        assert!(said.contains("WRONG"), "{flat}: {said}");
    }
}

#[test]
fn parameters_with_which_a_detector_fails_are_taken_back() {
    if !tools::installed(&["python3"], "python3") {
        return;
    }
    let programs = Programs::new();
    let body =
        "if data.parameters['limit'] > 0.5: raise ValueError('too much')\n    return [0.0] * len(data)";
    let folder = python(&programs, body);
    let file = folder.join("detector.toml");
    let description = fs::read_to_string(&file).unwrap();
    let parameter = "\n[parameters.limit]\nhelp = \"x\"\ndefault = 0.5\nmin = 0.0\nmax = 1.0\n";
    fs::write(&file, description + parameter).unwrap();
    let ran = programs.scan(&[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let before = rank(&programs).stdout;
    assert!(before.contains("snake"), "{before}");
    let session = programs.sandbox.session();
    let plugins = programs.folder();
    let args = ["open", session.to_str().unwrap(), "--plugins", plugins.to_str().unwrap()];
    let terminal = Terminal::start(&programs.sandbox.command(args), 120, 40);
    terminal.wait_text("snake");
    terminal.keys("P");
    terminal.wait_text("below");
    for _ in 0..20 {
        terminal.settle(std::time::Duration::from_millis(300));
        if terminal.screen().contains("limit") {
            break;
        }
        terminal.keys("n");
    }
    terminal.wait_text("limit");
    terminal.keys("jlr");
    terminal.wait_text("parameters from before");
    terminal.quit();
    assert_eq!(rank(&programs).stdout, before);
    let again = programs.scan(&[]);
    assert!(!again.stderr.contains("too much"), "{}", again.stderr);
}

#[test]
fn results_of_earlier_code_are_out_of_date_until_it_runs() {
    let programs = Programs::new();
    let folder = programs.put("witness", GOOD, "");
    programs.scan(&[]);
    let session = programs.sandbox.session();
    let session = session.to_str().unwrap();
    let state = || {
        let plugins = programs.folder();
        let words =
            ["plugins", "list", "--json", "--session", session, "--plugins", plugins.to_str().unwrap()];
        let list = json(&programs.sandbox.ok(words));
        let all = list["detectors"].as_array().unwrap().clone();
        all.into_iter().find(|one| one["name"] == "witness").map(|one| one["state"].clone())
    };
    assert_eq!(state(), Some(Value::from("ready")));
    let told = || rank(&programs).stderr.contains("witness has no results since its code changed");
    assert!(!told());
    fs::write(folder.join("run.sh"), GOOD.replace("0.125", "0.0625")).unwrap();
    assert!(told(), "it is not let in yet, and its results count");
    programs.sandbox.ok(["plugins", "let-in", folder.to_str().unwrap()]);
    assert_eq!(state(), Some(Value::from("outdated")));
    assert!(told());
    programs.scan(&[]);
    assert_eq!(state(), Some(Value::from("ready")));
    assert!(!told());
}

/// What is computed from scores of code that is not there any more does not look as if all were up to date.
#[test]
fn scores_that_were_out_of_date_make_what_reads_them_out_of_date() {
    let programs = Programs::new();
    let folder = programs.put("witness", GOOD, "");
    programs.put("reader", GOOD, "after = [\"witness\"]");
    let read = "reads the scores of witness, which is out of date";
    assert!(!programs.scan(&[]).stderr.contains(read));
    fs::write(folder.join("run.sh"), GOOD.replace("0.125", "0.0625")).unwrap();
    // Its code does not run before it is let in; what reads its scores does, when something else changes.
    programs.put("reader", &GOOD.replace("0.125", "0.25"), "after = [\"witness\"]");
    programs.sandbox.ok(["plugins", "let-in", programs.folder().join("reader").to_str().unwrap()]);
    // As long as that is so.
    for scan in 0..2 {
        let ran = programs.scan(&[]);
        assert!(ran.stderr.contains(read), "{scan}: {}", ran.stderr);
    }
    let told = "reader reads scores that are out of date";
    assert!(rank(&programs).stderr.contains(told), "{}", rank(&programs).stderr);
    programs.sandbox.ok(["plugins", "let-in", folder.to_str().unwrap()]);
    let ran = programs.scan(&["--detectors", "witness"]);
    assert!(ran.stderr.contains("] reader"), "it runs as well: {}", ran.stderr);
    // Nothing is said of what was so before this scan.
    assert!(!ran.stderr.contains(read) && !ran.stderr.contains("has no results since"), "{}", ran.stderr);
    assert!(!rank(&programs).stderr.contains("out of date"), "{}", rank(&programs).stderr);
}
