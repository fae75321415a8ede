//! Detectors that are programs, and detectors that misbehave as programs and as libraries: each is named with how it ended,
//! and everything else goes on.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed step fails the test; figures are its result"
)]

use chaffinch_tests::misbehavior::{
    BOTH, GOOD, HELLO, LIBRARIES, PROGRAMS, Programs, STRANGE, STRANGE_PROGRAMS, STRANGERS,
};
use chaffinch_tests::sandbox::{Ran, Sandbox, json, report};
use chaffinch_tests::{pictures, process, tools};
use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

/// Why each detector failed.
fn failed(report: &Value) -> BTreeMap<String, String> {
    let all: Vec<(String, String)> = serde_json::from_value(report["failed"].clone()).unwrap();
    all.into_iter().collect()
}

fn scored(report: &Value, name: &str) -> u64 {
    let all = report["detectors"].as_array().unwrap();
    all.iter().find(|one| one["name"] == name).map_or(0, |one| one["scored"].as_u64().unwrap())
}

#[test]
fn every_program_that_misbehaves_is_named_and_the_others_go_on() {
    let programs = Programs::new();
    programs.put("witness", GOOD, "");
    for (name, script, more, _) in PROGRAMS {
        programs.put(name, &format!("{HELLO}\n{script}\n"), more);
    }
    STRANGERS.iter().for_each(|(name, script, _)| _ = programs.put(name, script, ""));
    STRANGE_PROGRAMS.iter().for_each(|(name, script)| _ = programs.put(name, script, ""));
    let missing = programs.put("missing", "", "");
    let description = fs::read_to_string(missing.join("detector.toml")).unwrap();
    fs::write(missing.join("detector.toml"), description.replace("\"sh\"", "\"no-such-program\"")).unwrap();

    let ran = programs.scan(&[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let scan = report(&ran);
    let mut reasons: Vec<(&str, &str)> = PROGRAMS.iter().map(|&(name, _, _, words)| (name, words)).collect();
    reasons.extend(STRANGERS.iter().map(|&(name, _, words)| (name, words)));
    reasons.push(("missing", "no-such-program was not found"));
    all_named(&ran, &scan, &reasons);
    // Of these, the detector says itself that it cannot go on, or what is said of its results.
    let said = ["short", "out-of-range", "claims", "says-why"];
    for (name, reason) in failed(&scan) {
        let misbehaves = !said.contains(&name.as_str());
        assert_eq!(chaffinch_host::is_misbehavior(&reason), misbehaves, "{name}: {reason}");
    }
    for name in STRANGE_PROGRAMS.iter().map(|(name, _)| *name).chain(["witness", "image-quality"]) {
        assert_eq!(scored(&scan, name), 32, "{name}");
    }
    assert!(!ran.raw.contains(&0x1b) && !ran.raw.contains(&0));
    let rows = programs.sandbox.rank(100);
    assert!(rows.iter().any(|row| row.values().any(|value| value.contains("it is the first"))), "{rows:?}");
    assert_eq!(all_running("16180"), Vec::<String>::new());
}

/// Nothing is tried in one form only.
#[test]
fn what_can_go_wrong_is_tried_as_a_program_and_as_a_library() {
    let programs = PROGRAMS.iter().map(|one| one.0).chain(STRANGERS.iter().map(|one| one.0));
    let programs: Vec<&str> = programs.chain(STRANGE_PROGRAMS.iter().map(|one| one.0)).collect();
    // Another version is refused before a library runs, which `bad_plugins` tries.
    let libraries = LIBRARIES.iter().map(|one| one.0).chain(STRANGE).chain(["abi"]);
    let libraries: Vec<&str> = libraries.collect();
    for (what, program, library) in BOTH {
        assert!(programs.contains(&program), "{what}: no program {program}");
        assert!(libraries.contains(&library), "{what}: no library {library}");
    }
    let of_both = |library: &&&str| !BOTH.iter().any(|(_, _, known)| *known == **library);
    assert_eq!(libraries.iter().filter(of_both).collect::<Vec<_>>(), Vec::<&&str>::new());
}

/// Each of these must have failed for its reason, be named on stderr, and be the only ones.
fn all_named(ran: &Ran, scan: &Value, reasons: &[(&str, &str)]) {
    let failed = failed(scan);
    for (name, words) in reasons {
        let reason = failed.get(*name).unwrap_or_else(|| panic!("{name} did not fail: {failed:?}"));
        println!("{name}: {reason}");
        assert!(reason.contains(words), "{name}: no '{words}' in: {reason}");
        assert!(ran.stderr.contains(name), "{name} is not named on stderr");
    }
    assert_eq!(failed.len(), reasons.len(), "{failed:?}");
}

/// Why a program cannot be started is said with what to do.
#[test]
fn a_command_that_cannot_be_started_is_told_what_to_do() {
    use std::os::unix::fs::PermissionsExt;
    let programs = Programs::new();
    let of = |name: &str, first: &str, command: &str, mode: u32| {
        let folder = programs.put(name, &format!("{first}\n{HELLO}\n"), "");
        let description = fs::read_to_string(folder.join("detector.toml")).unwrap();
        let description = description.replace(r#"["sh", "run.sh"]"#, &format!("[\"{command}\"]"));
        fs::write(folder.join("detector.toml"), description).unwrap();
        fs::set_permissions(folder.join("run.sh"), fs::Permissions::from_mode(mode)).unwrap();
    };
    of("not-executable", "#!/bin/sh", "./run.sh", 0o644);
    of("not-in-path", "#!/bin/sh", "run.sh", 0o755);
    of("no-interpreter", "#!/no/such/interpreter", "./run.sh", 0o755);
    of("a-folder", "#!/bin/sh", ".", 0o755);
    of("nothing", "#!/bin/sh", "./no-such-file", 0o755);
    let ran = programs.scan(&[]);
    let run = programs.folder().join("not-executable/run.sh");
    let chmod = format!("run: chmod +x {}", run.display());
    let reasons = [
        ("not-executable", chmod.as_str()),
        ("not-in-path", "write ./run.sh, or begin command with what runs it"),
        ("no-interpreter", "what the first line of ./run.sh names was not found"),
        ("a-folder", ". is a folder"),
        ("nothing", "the program ./no-such-file was not found"),
    ];
    all_named(&ran, &report(&ran), &reasons);
}

#[test]
fn what_died_is_set_aside_until_it_changes_or_is_let_in() {
    let programs = Programs::new();
    let folder = programs.put("crashes", &format!("{HELLO}\nkill -SEGV $$\n"), "");
    programs.put("says-why", &format!("{HELLO}\necho '{{\"type\":\"failed\",\"message\":\"no\"}}'\n"), "");
    let of = |ran: &Ran, name: &str| failed(&report(ran)).remove(name).unwrap_or_default();
    assert!(of(&programs.scan(&[]), "crashes").contains("segmentation fault"));
    let again = programs.scan(&[]);
    assert_eq!(again.code, 0);
    let reason = of(&again, "crashes");
    assert!(reason.contains("was set aside because its process crashed"), "{reason}");
    assert_eq!(of(&again, "says-why"), "no", "one that says why it failed is tried again");
    let named = programs.scan(&["--detectors", "crashes,image-quality"]);
    assert_eq!(named.code, 2, "{}", named.stderr);

    let folders = programs.folder();
    let list = |name: &str| {
        let ran = programs.sandbox.ok(["plugins", "list", "--json", "--plugins", folders.to_str().unwrap()]);
        let list = json(&ran);
        let all = list["detectors"].as_array().unwrap().clone();
        all.into_iter().find(|one| one["name"] == name).unwrap()
    };
    assert!(list("crashes")["set_aside"].as_str().unwrap().contains("segmentation fault"));
    assert_eq!(list("crashes")["runs_in"], "worker");
    assert_eq!(list("says-why").get("set_aside"), None);
    assert_eq!(programs.sandbox.run(["plugins", "let-in", "nobody"]).code, 2);
    programs.sandbox.ok(["plugins", "let-in", "crashes"]);
    assert_eq!(list("crashes").get("set_aside"), None);
    assert!(of(&programs.scan(&["--detectors", "default"]), "crashes").starts_with("its process crashed"));

    fs::write(folder.join("run.sh"), GOOD).unwrap();
    let good = programs.scan(&["--detectors", "default"]);
    assert_eq!(scored(&report(&good), "crashes"), 32, "{}", good.stderr);
}

#[test]
fn children_of_a_detector_do_not_outlive_it() {
    let programs = Programs::new();
    if !tools::installed(&["setsid"], "util-linux") {
        return;
    }
    programs.put("parent", &format!("{HELLO}\nsetsid sleep 31415 & sleep 0.2; exit 1\n"), "");
    programs.put("good-parent", &format!("sleep 31416 &\n{GOOD}"), "");
    let scan = report(&programs.scan(&[]));
    assert!(failed(&scan)["parent"].contains("exited with status 1"), "{scan}");
    assert_eq!(scored(&scan, "good-parent"), 32);
    for argument in ["31415", "31416"] {
        let gone = || all_running(argument).is_empty();
        assert!(process::wait_for(Duration::from_secs(5), gone).is_ok(), "{:?}", all_running(argument));
    }
}

/// Processes with this in their arguments.
fn all_running_with(part: &str) -> Vec<String> {
    all_lines().into_iter().filter(|line| line.contains(part)).collect()
}

/// Processes with this argument, whatever program they run.
fn all_running(argument: &str) -> Vec<String> {
    all_lines().into_iter().filter(|line| line.split(' ').any(|word| word == argument)).collect()
}

#[test]
fn memory_without_end_is_ended() {
    if !tools::installed(&["python3"], "python3") {
        return;
    }
    let programs = Programs::new();
    let script = "exec python3 -c 'a = [bytes([1]) * 10**7 for _ in range(10**6)]'";
    programs.put("eats", &format!("{HELLO}\n{script}\n"), "[limits]\nmemory = \"150MiB\"");
    programs.put("witness", GOOD, "");
    let scan = report(&programs.scan(&[]));
    let reason = &failed(&scan)["eats"];
    assert!(reason.contains("used more than 150 MiB of memory"), "{reason}");
    assert_eq!(scored(&scan, "witness"), 32);
}

/// What a detector logs and notes is bounded without ending it, and what is left out is said.
#[test]
fn a_detector_that_talks_without_end_is_cut_short() {
    let programs = Programs::new();
    let says = |kind: &str| format!(r#"for i in $(seq 3000); do echo "{{\"type\":{kind}}}"; done"#);
    let log = says(r#"\"log\",\"level\":2,\"text\":\"line $i\""#);
    let note = says(r#"\"note\",\"name\":\"n$i\",\"text\":\"note $i\""#);
    let greeting = format!("{HELLO}\n{note}\n{log}");
    programs.put("talks", &GOOD.replace(HELLO, &greeting), "");
    let ran = programs.scan(&["--detectors", "talks"]);
    let scan = report(&ran);
    assert_eq!(scored(&scan, "talks"), 32);
    let all = scan["detectors"].as_array().unwrap();
    let notes = all.iter().find(|one| one["name"] == "talks").unwrap()["notes"].as_array().unwrap().len();
    assert_eq!(notes, 100);
    let said = |words: &str| ran.stderr.matches(words).count();
    assert_eq!(said("more than 100 notes; the others are left out"), 1, "{}", ran.stderr);
    assert_eq!(said("more than 1000 lines to the log; the others are left out"), 1);
    // The line about its notes is one of them.
    assert_eq!((said(": line "), said("line 999"), said("line 1000")), (999, 1, 0));
}

/// Descriptors and threads of the engine are the same before and after detectors that were ended.
#[test]
fn what_died_leaves_nothing_in_the_engine() {
    let programs = Programs::new();
    let wait = format!("touch started\nwhile ! [ -e go ]; do sleep 0.02; done\n{GOOD}");
    let (first, last) = (programs.put("aa-waits", &wait, ""), programs.put("zz-waits", &wait, ""));
    let ended = ["exits", "crashes", "floods", "closes", "babbles", "asks-for-more", "long-line", "claims"];
    for (name, script, more, _) in PROGRAMS.iter().filter(|(name, ..)| ended.contains(name)) {
        programs.put(name, &format!("{HELLO}\n{script}\n"), more);
    }
    let names = ["aa-waits"].iter().chain(&ended).chain(&["zz-waits"]).copied().collect::<Vec<_>>().join(",");
    let mut args = programs.sandbox.scan_args();
    args.extend(["--plugins".to_owned(), programs.folder().to_str().unwrap().to_owned()]);
    args.extend(["--detectors".to_owned(), names]);
    let mut command = programs.sandbox.command(&args);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let count = |what: &str| fs::read_dir(format!("/proc/{}/{what}", child.id())).map_or(0, Iterator::count);
    let at = |folder: &Path| {
        let started = folder.join("started");
        process::wait_for(Duration::from_secs(60), || started.exists()).unwrap();
        (count("fd"), count("task"))
    };
    let before = at(&first);
    // Go on where its working folder is.
    fs::write(first.join("go"), "").unwrap();
    at(&last);
    // Threads that read what is left end in a moment.
    let same = || (count("fd"), count("task")) == before;
    let waited = process::wait_for(Duration::from_secs(10), same);
    assert!(waited.is_ok(), "{before:?} before, {:?} after", (count("fd"), count("task")));
    fs::write(last.join("go"), "").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2), "those that were named have failed");
}

#[test]
fn a_scan_that_is_stopped_ends_its_workers() {
    stopped("exec sleep 27182", "27182");
}

/// One that does not read its answers keeps the engine waiting, but not the user.
#[test]
fn a_scan_whose_worker_does_not_read_is_stopped() {
    stopped(r#"exec yes '{"type":"request","id":1,"what":"model","for":"27183"}'"#, "27183");
}

/// `part` is in the arguments of its process.
fn stopped(script: &str, part: &str) {
    let programs = Programs::new();
    programs.put("slow", &format!("{HELLO}\ntouch started\n{script}\n"), "");
    let mut args = programs.sandbox.scan_args();
    args.extend(["--plugins".to_owned(), programs.folder().to_str().unwrap().to_owned()]);
    args.extend(["--detectors".to_owned(), "slow".to_owned()]);
    let mut child = programs.sandbox.command(&args).stdout(Stdio::null()).spawn().unwrap();
    let started = programs.folder().join("slow/started");
    assert!(process::wait_for(Duration::from_secs(60), || started.exists()).is_ok());
    // Until its answers fill what there is for them.
    std::thread::sleep(Duration::from_millis(500));
    process::signal(child.id(), Signal::INT);
    let ended = process::wait_for(Duration::from_secs(20), || child.try_wait().unwrap().is_some());
    println!("stopped {ended:?} after it was asked");
    let _ = child.kill();
    assert!(ended.is_ok());
    assert_eq!(all_running_with(part), Vec::<String>::new());
    let list = programs.sandbox.ok(["plugins", "list", "--plugins", programs.folder().to_str().unwrap()]);
    assert!(!list.stdout.contains("SET ASIDE"), "what was stopped is not to blame: {}", list.stdout);
}

#[test]
fn libraries_that_misbehave_are_named_and_contained() {
    let programs = Programs::new();
    let others = STRANGE.iter().chain(&["witness", "constructor"]);
    LIBRARIES.iter().map(|(name, _)| name).chain(others).for_each(|name| programs.put_library(name));
    let ran = programs.scan(&[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let scan = report(&ran);
    all_named(&ran, &scan, &LIBRARIES);
    assert!(failed(&scan)["abort"].contains("asked for pictures"), "{scan}");
    STRANGE.iter().chain(&["witness"]).for_each(|name| assert_eq!(scored(&scan, name), 32, "{name}"));
    assert_eq!(all_running("14142"), Vec::<String>::new(), "a child of a library is left");
    assert_eq!(running_in(&programs.folder()), Vec::<String>::new(), "a worker is left");
    assert!(
        ran.stderr.contains("libbad_constructor.so could not be loaded: its process crashed"),
        "{}",
        ran.stderr
    );
    let folder = programs.folder();
    let list = ["plugins", "list", "--plugins", folder.to_str().unwrap()];
    let again = programs.sandbox.ok(list);
    assert!(again.stdout.contains("was set aside because it could not be loaded"), "{}", again.stdout);
    let freed = programs.sandbox.ok(["plugins", "let-in", "libbad_constructor.so"]);
    assert!(freed.stderr.contains("runs again"), "{}", freed.stderr);
    assert!(programs.sandbox.ok(list).stdout.contains("could not be loaded: its process crashed"));
}

/// Processes that were started with something in this folder.
fn running_in(folder: &Path) -> Vec<String> {
    let folder = folder.to_str().unwrap();
    all_lines().into_iter().filter(|line| line.contains(folder)).collect()
}

/// The command lines of all processes, with spaces between their words.
fn all_lines() -> Vec<String> {
    let all = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let lines = all.map(|entry| fs::read(entry.path().join("cmdline")).unwrap_or_default());
    lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " ")).collect()
}

/// Every detector that ships with the program, so that every service is asked for.
#[test]
fn libraries_give_the_same_results_in_workers() {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 4, 12, 32);
    let config = sandbox.path().join("workers.toml");
    fs::write(&config, "[plugins]\nown-process = true\n[detectors]\ndisabled = []\n").unwrap();
    let plain = sandbox.path().join("plain.toml");
    fs::write(&plain, "[detectors]\ndisabled = []\n").unwrap();
    let scan = |session: &str, config: &std::path::Path| {
        let session = sandbox.path().join(session);
        let mut args = sandbox.scan_args();
        args[3] = session.to_str().unwrap().to_owned();
        args.extend(["--config".to_owned(), config.to_str().unwrap().to_owned()]);
        let report = report(&sandbox.ok(args));
        let names: Vec<String> = report["detectors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .filter(|name| session.join("detectors").join(format!("{name}.arrow")).exists())
            .collect();
        let ranks: BTreeMap<String, Ran> = names
            .iter()
            .map(|name| {
                (
                    name.clone(),
                    sandbox.ok([
                        "rank",
                        session.to_str().unwrap(),
                        "--by",
                        name,
                        "--all",
                        "--top",
                        "0",
                        "--format",
                        "csv",
                    ]),
                )
            })
            .collect();
        (failed(&report), ranks.into_iter().map(|(name, ran)| (name, ran.stdout)).collect::<BTreeMap<_, _>>())
    };
    let (here, away) = (scan("here", &plain), scan("away", &config));
    assert!(here.1.len() >= 9, "{:?}", here.1.keys());
    assert_eq!(here.0, away.0);
    for (name, rows) in &here.1 {
        assert_eq!(Some(rows), away.1.get(name), "{name}");
    }
    let list = sandbox.ok(["plugins", "list", "--json", "--config", config.to_str().unwrap()]);
    let list = json(&list);
    let places: Vec<&str> =
        list["detectors"].as_array().unwrap().iter().map(|one| one["runs_in"].as_str().unwrap()).collect();
    assert!(places.iter().all(|place| *place == "worker"), "{places:?}");
}

#[test]
fn detectors_without_code_judge_prompts_and_columns() {
    let programs = Programs::new();
    let describe = |name: &str, text: &str| {
        let folder = programs.folder().join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("detector.toml"), format!("name = \"{name}\"\n{text}")).unwrap();
    };
    describe("screens", "[prompts]\nfind = [\"a screenshot\"]\nagainst = [\"a photo\"]");
    describe("small", "[rule]\ncolumn = \"width\"\nbelow = 33");
    describe("nothing", "[rule]\ncolumn = \"brightness\"\nbelow = 3");
    describe("broken", "[rule]\ncolumn = \"width\"\nbelo = 3");
    let ran = programs.scan(&[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let scan = report(&ran);
    assert_eq!((scored(&scan, "screens"), scored(&scan, "small")), (32, 32), "{scan}");
    assert!(failed(&scan)["nothing"].contains("has no column 'brightness'"), "{scan}");
    assert!(ran.stderr.contains("line 4: unknown key 'belo'"), "{}", ran.stderr);
    let flagged = scan["detectors"].as_array().unwrap().iter().find(|one| one["name"] == "small").unwrap();
    assert_eq!(flagged["flagged"], 32);
}

/// What the model does not read of a prompt is said: in each scan, and when the detector is checked.
#[test]
fn prompts_that_the_model_reads_only_the_beginning_of_are_said_once() {
    let programs = Programs::of(2, 3);
    let folder = programs.folder().join("long");
    fs::create_dir(&folder).unwrap();
    let very = "very ".repeat(90);
    let prompts =
        format!("find = [\"a {very}cat\", \"a {very}dog\"]\nagainst = [\"a {very}tree\", \"a photo\"]");
    fs::write(folder.join("detector.toml"), format!("name = \"long\"\n[prompts]\n{prompts}")).unwrap();
    let cut = "reads only the first 30 tokens of 'a very very very";
    for scan in 0..2 {
        let ran = programs.scan(&["--detectors", "long"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let lines: Vec<&str> = ran.stderr.lines().filter(|line| line.contains(cut)).collect();
        let [line] = lines.as_slice() else { panic!("scan {scan}: {}", ran.stderr) };
        assert!(
            line.contains("long: the model bundled-")
                && line.ends_with("and of 2 more texts; the rest is ignored"),
            "{line}"
        );
    }
    let check = programs.sandbox.run(["plugins", "check", folder.to_str().unwrap()]);
    let said = check.stdout.lines().find(|line| line.contains(cut));
    assert!(
        check.code == 0 && said.is_some_and(|line| line.trim_start().starts_with("odd")),
        "{}",
        check.stdout
    );
    // Prompts of classes are for all detectors: they are said once for all.
    let file = programs.sandbox.path().join("prompts.toml");
    fs::write(&file, format!("templates = [\"a photo of a {very}{{}}\"]\n")).unwrap();
    let config = programs.sandbox.path().join("long.toml");
    fs::write(&config, format!("[prompts]\nfiles = [{file:?}]\n")).unwrap();
    let ran = programs.scan(&["--detectors", "clip-prompt", "--config", config.to_str().unwrap()]);
    assert_eq!(ran.stderr.matches("warning: prompts: the model").count(), 1, "{}", ran.stderr);
    assert!(!ran.stderr.contains("clip-prompt: the model"), "{}", ran.stderr);
    fs::write(
        folder.join("detector.toml"),
        "name = \"long\"\n[prompts]\nfind = [\"a cat\"]\nagainst = [\"A cat\"]",
    )
    .unwrap();
    let check = programs.sandbox.run(["plugins", "check", folder.to_str().unwrap()]);
    let said = "line 4: 'a cat' is in 'against' and in 'find'";
    assert!(check.code == 2 && check.stderr.contains(said), "{}", check.stderr);
}

#[test]
fn detectors_in_the_users_folder_are_found_without_being_named() {
    let programs = Programs::new();
    let users = programs.sandbox.path().join("home/.local/share/chaffinch/detectors");
    fs::create_dir_all(&users).unwrap();
    fs::rename(programs.put("witness", GOOD, ""), users.join("witness")).unwrap();
    let scan = report(&programs.sandbox.ok(programs.sandbox.scan_args()));
    assert_eq!(scored(&scan, "witness"), 32);
}

#[test]
fn a_rule_judges_the_columns_of_a_table_and_follows_their_changes() {
    let programs = Programs::new();
    let table = programs.sandbox.path().join("table.csv");
    let write = |low: usize| {
        let mut rows = String::from("path,label,agreement\n");
        for (number, entry) in walkdir::WalkDir::new(programs.sandbox.data())
            .sort_by_file_name()
            .into_iter()
            .map(Result::unwrap)
            .filter(|entry| entry.file_type().is_file())
            .enumerate()
        {
            let agreement = if number < low { 0.2 } else { 0.9 };
            rows += &format!("{},a,{agreement}\n", entry.path().display());
        }
        fs::write(&table, rows).unwrap();
    };
    let folder = programs.folder().join("unsure");
    fs::create_dir(&folder).unwrap();
    let text = "name = \"unsure\"\n[rule]\ncolumn = \"agreement\"\nbelow = 0.6\n";
    fs::write(folder.join("detector.toml"), text).unwrap();
    let flagged = || {
        let mut args = programs.sandbox.scan_args();
        args[1] = table.to_str().unwrap().to_owned();
        args.extend(["--plugins".to_owned(), folder.to_str().unwrap().to_owned()]);
        args.extend(["--detectors".to_owned(), "unsure".to_owned()]);
        let scan = report(&programs.sandbox.ok(args));
        let all = scan["detectors"].as_array().unwrap();
        all.iter().find(|one| one["name"] == "unsure").unwrap()["flagged"].clone()
    };
    write(3);
    assert_eq!(flagged(), 3);
    write(5);
    assert_eq!(flagged(), 5, "the column has changed");
}

#[test]
fn what_was_named_and_failed_is_not_named_by_the_session() {
    let programs = Programs::new();
    programs.put("witness", GOOD, "");
    programs.put("says-why", &format!("{HELLO}\necho '{{\"type\":\"failed\",\"message\":\"no\"}}'\n"), "");
    let names = |ran: &Ran| -> Vec<String> {
        let found = report(ran);
        let all =
            found["detectors"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned());
        all.filter(|name| name != "unreadable").collect()
    };
    let named = programs.scan(&["--detectors", "witness,says-why"]);
    assert_eq!(named.code, 2, "{}", named.stderr);
    let again = programs.scan(&[]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert_eq!(names(&again), ["witness"]);
    assert_eq!(programs.scan(&["--detectors", "says-why"]).code, 2);
    let still = programs.scan(&[]);
    assert_eq!((still.code, names(&still)), (0, vec!["witness".to_owned()]), "{}", still.stderr);
}

/// Programs say which revision they know: what is newer is refused with advice, and an infinite value by name.
#[test]
fn what_is_new_in_a_revision_needs_it_in_the_greeting() {
    let programs = Programs::new();
    let attribute = r#"echo '{"type":"finding","severity":"info","text":"all is well","evidence":[0]}'"#;
    let greeting = r#"echo '{"type":"hello","protocol":1,"revision":7}'"#;
    programs.put("old", &format!("{HELLO}\n{attribute}\nread -r _; read -r _\n"), "");
    programs.put("new", &GOOD.replace(HELLO, &format!("{greeting}\n{attribute}")), "");
    let outside = r#"echo '{"type":"regions","items":[{"sample":1,"boxes":[{"edges":[0,0,1.5,1]}]}]}'"#;
    programs.put("outside", &format!("{greeting}\n{outside}\nread -r _; read -r _\n"), "");
    let ran = programs.scan(&["--detectors", "default"]);
    let scan = report(&ran);
    let failed = failed(&scan);
    assert!(failed["old"].contains("greet with \"revision\": 2"), "{failed:?}");
    assert!(
        failed["outside"].contains("from 0, 0 to 1.5, 1, which is not a part of a picture"),
        "{failed:?}"
    );
    assert_eq!((failed.len(), scored(&scan, "new")), (2, 32), "{failed:?}");
    assert!(ran.stdout.contains("new: all is well"), "{}", ran.stdout);
}

/// Detectors that wait for each other are named with the circle, and everything else runs.
#[test]
fn a_circle_of_detectors_is_named_and_the_others_run() {
    let programs = Programs::new();
    programs.put("first", GOOD, "after = [\"second\"]");
    programs.put("second", GOOD, "after = [\"first\"]");
    programs.put("third", GOOD, "after = [\"first\", \"witness\"]");
    programs.put("witness", GOOD, "");
    programs.put("itself", GOOD, "after = [\"itself\"]");
    let ran = programs.scan(&["--detectors", "default"]);
    let scan = report(&ran);
    let failed = failed(&scan);
    assert!(failed["first"].contains("waits for itself: first after second after first"), "{failed:?}");
    assert!(failed["second"].contains("second after first after second"), "{failed:?}");
    assert_eq!((scored(&scan, "third"), scored(&scan, "witness")), (32, 32));
    assert!(ran.stderr.contains("it cannot run after 'itself'"), "{}", ran.stderr);
}
