//! Detectors that do not ship with the program: their code is pinned when it first runs, a change is asked about, and one that
//! is put into the user's folder appears without a restart.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed step fails the test; figures are its result"
)]

use chaffinch_data::config::Config;
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::prompts::PromptSet;
use chaffinch_data::session::Session;
use chaffinch_data::uses::Uses;
use chaffinch_engine::{Client, Detectors, Error, Given, Setup, spawn};
use chaffinch_host::{Aside, Pins, PluginFolder, Registry, Workers};
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{
    Command, Compared, DetectorForm, DetectorState, Event, Overview, Overviewed, Query, SessionSummary, Tried,
};
use chaffinch_tests::answers::Manner;
use chaffinch_tests::artefacts::program;
use chaffinch_tests::misbehavior::{GOOD, HELLO, Programs};
use chaffinch_tests::sandbox::{Ran, json, report};
use chaffinch_tests::terminal::Terminal;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

/// Why each detector failed, by name.
fn reason(scan: &Value, name: &str) -> Option<String> {
    let all: Vec<(String, String)> = serde_json::from_value(scan["failed"].clone()).unwrap();
    all.into_iter().find(|(known, _)| known == name).map(|(_, why)| why)
}

fn scored(scan: &Value, name: &str) -> u64 {
    let all = scan["detectors"].as_array().unwrap();
    all.iter().find(|one| one["name"] == name).map_or(0, |one| one["scored"].as_u64().unwrap())
}

/// The same detector with other words.
fn other() -> String {
    GOOD.replace("it is the first", "it comes first")
}

fn listed(programs: &Programs) -> (Ran, Value) {
    let folder = programs.folder();
    let args = ["plugins", "list", "--plugins", folder.to_str().unwrap()];
    let text = programs.sandbox.ok(args);
    let list = json(&programs.sandbox.ok([&args[..], &["--json"]].concat()));
    (text, list)
}

fn entry<'a>(list: &'a Value, name: &str) -> Option<&'a Value> {
    list["detectors"].as_array().unwrap().iter().find(|one| one["name"] == name)
}

#[test]
fn changed_code_does_not_run_until_it_is_let_in() {
    assert_ne!(other(), GOOD);
    let programs = Programs::new();
    let folder = programs.put("witness", GOOD, "needs = [\"labels\"]\ncolumns = [\"width\"]");
    let (_, list) = listed(&programs);
    assert_eq!(entry(&list, "witness").unwrap()["pinned"], false, "nothing of it has run");
    assert_eq!(scored(&report(&programs.scan(&[])), "witness"), 32);
    let (text, list) = listed(&programs);
    let known = entry(&list, "witness").unwrap();
    assert_eq!((&known["pinned"], &known["state"]), (&Value::from(true), &Value::from("ready")));
    assert_eq!((&known["columns"][0], &known["needs"][0]), (&Value::from("width"), &Value::from("labels")));
    assert_eq!(known["speaks"], "worker protocol 1");
    assert!(known["limits"].as_str().unwrap().contains("no network"), "{known}");
    for words in ["pinned", "columns    width", "a folder that was named", "a process of its own", "confined"]
    {
        assert!(text.stdout.contains(words), "no '{words}' in {}", text.stdout);
    }

    fs::write(folder.join("run.sh"), other()).unwrap();
    let ran = programs.scan(&[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let scan = report(&ran);
    let why = reason(&scan, "witness").unwrap();
    println!("{why}");
    assert!(why.contains("has changed since it was first used") && why.contains("let-in witness"), "{why}");
    assert!(ran.stderr.contains("witness") && ran.stderr.contains("has changed"), "{}", ran.stderr);
    assert!(why.starts_with(&format!("{}/run.sh has changed since", folder.display())), "{why}");
    assert_eq!(scored(&scan, "witness"), 32, "what it found before is kept");
    assert_eq!(scored(&scan, "image-quality"), 32);
    let named = programs.scan(&["--detectors", "witness"]);
    assert!(named.code == 2 && named.stderr.contains("let-in witness"), "{}", named.stderr);
    let (text, list) = listed(&programs);
    assert!(entry(&list, "witness").is_none());
    assert_eq!(list["changed"][0]["names"][0], "witness", "{list}");
    assert!(text.stdout.contains("has changed since it was first used"), "{}", text.stdout);

    assert_eq!(programs.sandbox.run(["plugins", "let-in", "no-such"]).code, 2);
    let freed = programs.sandbox.ok(["plugins", "let-in", "witness"]);
    assert!(freed.stderr.contains("runs as it is now"), "{}", freed.stderr);
    let scan = report(&programs.scan(&["--detectors", "default"]));
    assert_eq!((scored(&scan, "witness"), reason(&scan, "witness")), (32, None));
}

/// What is named wins against what is found without being named, and nothing else runs in its place.
#[test]
fn a_detector_that_is_named_wins_against_the_users_own() {
    let programs = Programs::new();
    let folder = programs.put("witness", GOOD, "");
    let own = programs.sandbox.path().join("home/.local/share/chaffinch/detectors/witness");
    fs::create_dir_all(&own).unwrap();
    fs::copy(folder.join("detector.toml"), own.join("detector.toml")).unwrap();
    let old = GOOD.replace("yes 0.25", "yes 0.75");
    assert_ne!(old, GOOD);
    fs::write(own.join("run.sh"), &old).unwrap();
    let flagged = |ran: &Ran| {
        let scan = report(ran);
        let all = scan["detectors"].as_array().unwrap();
        all.iter().find(|one| one["name"] == "witness").map(|one| one["flagged"].as_u64().unwrap())
    };
    let named = programs.scan(&["--detectors", "witness"]);
    assert_eq!((named.code, flagged(&named)), (0, Some(32)), "{}", named.stderr);
    let line = named.stderr.lines().find(|line| line.contains("is not used"));
    assert!(line.is_some_and(|line| line.contains(own.to_str().unwrap())), "{}", named.stderr);

    // Code that has changed keeps its name: the other one does not run in its place.
    fs::write(folder.join("run.sh"), other()).unwrap();
    let changed = programs.scan(&[]);
    assert!(reason(&report(&changed), "witness").unwrap().contains("has changed"), "{}", changed.stderr);
    assert_eq!(flagged(&changed), Some(32), "what it found before is kept");
    assert_eq!(programs.scan(&["--detectors", "witness"]).code, 2);

    // So does one whose description is wrong.
    let description = fs::read_to_string(folder.join("detector.toml")).unwrap();
    fs::write(folder.join("detector.toml"), format!("{description}neds = []\n")).unwrap();
    let wrong = programs.scan(&["--detectors", "witness"]);
    assert_eq!(wrong.code, 2, "{}", wrong.stderr);
    assert!(
        wrong.stderr.contains("unknown key 'neds'") && wrong.stderr.contains("cannot run"),
        "{}",
        wrong.stderr
    );
    fs::write(folder.join("detector.toml"), description).unwrap();

    // The user's own, once it has run and changed, is nothing to be asked about beside it.
    programs.sandbox.ok(["plugins", "let-in", folder.to_str().unwrap()]);
    let alone = programs.sandbox.run(programs.sandbox.scan_args());
    assert_eq!(flagged(&alone), Some(1), "{}", alone.stderr);
    fs::write(own.join("run.sh"), format!("{old}\n")).unwrap();
    let both = programs.scan(&[]);
    assert_eq!((flagged(&both), reason(&report(&both), "witness")), (Some(32), None), "{}", both.stderr);
}

#[test]
fn a_change_is_allowed_for_one_scan_and_pinned() {
    let programs = Programs::new();
    let folder = programs.put("witness", GOOD, "");
    programs.scan(&[]);
    fs::write(folder.join("run.sh"), other()).unwrap();
    let allowed = programs.scan(&["--allow-changed"]);
    assert_eq!(reason(&report(&allowed), "witness"), None, "{}", allowed.stderr);
    assert!(
        allowed.stderr.contains("run.sh has changed since it was first used; it is let in as it is now"),
        "{}",
        allowed.stderr
    );
    assert_eq!(reason(&report(&programs.scan(&[])), "witness"), None);
    fs::write(folder.join("run.sh"), GOOD).unwrap();
    assert!(reason(&report(&programs.scan(&[])), "witness").is_some(), "back is a change, too");
    // Whoever checks it has agreed to it.
    let check = programs.sandbox.ok(["plugins", "check", folder.to_str().unwrap()]);
    assert!(check.stderr.contains("it is let in as it is now"), "{}", check.stderr);
    assert_eq!(reason(&report(&programs.scan(&[])), "witness"), None);
}

/// Programs that pin and set aside at once lose nothing of each other.
#[test]
fn programs_that_run_at_once_pin_and_set_aside_all_that_they_ran() {
    let programs = Programs::new();
    let names: Vec<String> = (0..6).map(|number| format!("witness-{number}")).collect();
    let mut running = Vec::new();
    for name in &names {
        programs.put(name, GOOD, "");
        programs.put(&format!("dies-{name}"), &format!("{HELLO}\nkill -SEGV $$\n"), "");
        let mut args = programs.sandbox.scan_args();
        args[3] = programs.sandbox.path().join(format!("session-{name}")).to_str().unwrap().to_owned();
        for folder in [name.clone(), format!("dies-{name}")] {
            args.extend([
                "--plugins".to_owned(),
                programs.folder().join(folder).to_str().unwrap().to_owned(),
            ]);
        }
        args.extend(["--detectors".to_owned(), format!("{name},dies-{name}")]);
        let mut command = programs.sandbox.command(&args);
        running.push(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    }
    running.iter_mut().for_each(|child| assert_eq!(child.wait().unwrap().code(), Some(2)));
    let (_, list) = listed(&programs);
    for name in &names {
        assert_eq!(entry(&list, name).unwrap()["pinned"], true, "{name}");
        let died = entry(&list, &format!("dies-{name}")).unwrap();
        assert_eq!(
            (&died["pinned"], &died["state"]),
            (&Value::from(true), &Value::from("set-aside")),
            "{name}"
        );
    }
}

/// What its author does: edit, check, scan.
#[test]
fn a_check_agrees_to_what_passes_and_to_nothing_else() {
    let programs = Programs::new();
    let folder = programs.put("witness", GOOD, "");
    programs.scan(&[]);
    let check = || programs.sandbox.run(["plugins", "check", folder.to_str().unwrap()]);
    let named = ["--detectors", "witness"];
    fs::write(folder.join("run.sh"), format!("{HELLO}\nexit 1\n")).unwrap();
    assert_eq!((check().code, programs.scan(&named).code), (2, 2), "what does not pass is not let in");
    let ran = programs.scan(&[]);
    assert!(ran.code == 0 && ran.stderr.contains("chaffinch plugins check "), "{}", ran.stderr);
    fs::write(folder.join("run.sh"), other()).unwrap();
    let checked = check();
    assert!(checked.code == 0 && checked.stderr.contains("let in as it is now"), "{}", checked.stderr);
    let ran = programs.scan(&named);
    assert_eq!((ran.code, reason(&report(&ran), "witness")), (0, None), "{}", ran.stderr);
}

#[test]
fn what_a_description_allows_and_new_files_beside_code_are_changes() {
    let programs = Programs::new();
    let folder = programs.put("witness", GOOD, "");
    programs.scan(&[]);
    let description = fs::read_to_string(folder.join("detector.toml")).unwrap();
    fs::write(folder.join("detector.toml"), format!("{description}[limits]\nnetwork = true\n")).unwrap();
    assert!(reason(&report(&programs.scan(&[])), "witness").is_some());
    fs::write(folder.join("detector.toml"), description).unwrap();
    assert_eq!(reason(&report(&programs.scan(&[])), "witness"), None, "as it was is no change");
    fs::write(folder.join("helper.sh"), "echo").unwrap();
    let why = reason(&report(&programs.scan(&[])), "witness").unwrap();
    assert!(why.contains("helper.sh is new since it was first used"), "{why}");
}

#[test]
fn a_library_that_changed_is_not_even_loaded() {
    let programs = Programs::new();
    programs.put_library("witness");
    assert_eq!(scored(&report(&programs.scan(&[])), "witness"), 32);
    // One whose constructor crashes takes its place.
    let place = |name: &str| chaffinch_tests::artefacts::fixture(name);
    let own = programs.folder().join(place("witness").file_name().unwrap());
    fs::copy(place("constructor"), &own).unwrap();
    let ran = programs.scan(&[]);
    let why = reason(&report(&ran), "witness").unwrap();
    assert!(why.contains("has changed since it was first used"), "{why}");
    assert!(!ran.stderr.contains("could not be loaded"), "{}", ran.stderr);
}

#[test]
fn a_damaged_list_of_pins_stops_others_detectors_and_says_what_to_do() {
    let programs = Programs::new();
    programs.put("witness", GOOD, "");
    programs.scan(&[]);
    let state = programs.sandbox.path();
    let pins = walkdir::WalkDir::new(state)
        .into_iter()
        .map(Result::unwrap)
        .find(|entry| entry.file_name() == "pinned-detectors.json")
        .unwrap();
    fs::write(pins.path(), "{").unwrap();
    let ran = programs.scan(&[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("pinned-detectors.json") && ran.stderr.contains("delete the file"),
        "{}",
        ran.stderr
    );
    assert_eq!(scored(&report(&ran), "image-quality"), 32);
}

fn users(programs: &Programs) -> PathBuf {
    let users = programs.sandbox.path().join("home/.local/share/chaffinch/detectors");
    fs::create_dir_all(&users).unwrap();
    users
}

fn open(programs: &Programs) -> Terminal {
    let mut command = programs.sandbox.command(["open", programs.sandbox.session().to_str().unwrap()]);
    command.env("TERM", "xterm-256color");
    let terminal = Terminal::start_as(&command, 120, 40, Manner::default());
    terminal.wait("a list", |screen| screen.contains(".png") || screen.contains("no suspects"));
    terminal
}

fn put(folder: &Path, from: &Path) {
    fs::rename(from, folder.join(from.file_name().unwrap())).unwrap();
}

#[test]
fn a_detector_in_the_users_folder_appears_and_is_managed() {
    let programs = Programs::new();
    programs.sandbox.scan();
    let users = users(&programs);
    let terminal = open(&programs);
    terminal.keys("gP");
    terminal.wait_text("image-quality");
    assert!(!terminal.screen().contains("witness"));
    put(&users, &programs.put("witness", GOOD, ""));
    terminal.wait_text("witness");
    // The last of the list.
    terminal.keys("G");
    terminal.wait_text("your folder of detectors");
    terminal.wait_text("not run yet");
    terminal.keys("r");
    terminal.wait("its results", |screen| {
        screen.lines().any(|line| line.contains("witness  ") && line.contains("  ready "))
    });
    terminal.wait_text("pinned");
    terminal.keys(" ");
    terminal.wait("disabled", |screen| {
        screen.lines().any(|line| line.contains("witness  ") && line.contains("  disabled "))
    });
    terminal.keys(" ");
    terminal.wait("enabled", |screen| {
        screen.lines().any(|line| line.contains("witness  ") && line.contains("  ready "))
    });
    // Its code changes while the program runs.
    fs::write(users.join("witness/run.sh"), other()).unwrap();
    terminal.wait("changed", |screen| {
        screen.lines().any(|line| line.contains("witness  ") && line.contains("  changed "))
    });
    terminal.keys("q");
    terminal.wait_text("a detector has changed: gP");
    // No key of the list lets it in.
    terminal.keys("y");
    terminal.keys("gPG");
    terminal.wait("still changed", |screen| {
        screen.lines().any(|line| line.contains("witness  ") && line.contains("  changed "))
    });
    terminal.keys("a");
    terminal.wait("two runs", |screen| {
        screen.lines().any(|line| line.contains("witness  ") && line.contains("  ready "))
            && screen.contains("newly flagged")
    });
    // One that crashes is set aside, and let in again.
    fs::write(users.join("witness/run.sh"), format!("{HELLO}\nkill -SEGV $$\n")).unwrap();
    terminal.wait("changed", |screen| {
        screen.lines().any(|line| line.contains("witness  ") && line.contains("  changed "))
    });
    terminal.keys("a");
    terminal.wait_text("segmentation fault");
    terminal.settle(Duration::from_millis(300));
    terminal.quit();
}

/// Gives every sample the score that is its parameter.
const SAME: &str = r#"
read -r run
count=$(printf '%s' "$run" | sed 's/.*"count":\([0-9]*\).*/\1/')
share=$(printf '%s' "$run" | sed 's/.*"share":\([0-9.]*\).*/\1/')
scores=$(yes "$share" | head -n "$count" | paste -sd, -)
echo '{"type":"hello","protocol":1}'
echo "{\"type\":\"scores\",\"values\":[$scores]}"
echo '{"type":"done"}'
"#;

/// An engine on the session of these programs, with nothing but them.
fn engine(programs: &Programs) -> Client {
    engine_with(programs, Workers::of(program()))
}

/// The same with these workers; detectors can be loaded anew.
fn engine_with(programs: &Programs, workers: Workers) -> Client {
    let folders = [PluginFolder::named(programs.folder())];
    let load = move || Registry::load_with(&folders, workers.clone());
    let setup = Setup {
        dataset: programs.sandbox.data(),
        dataset_options: DatasetOptions::default(),
        session: Session::open_or_create(&programs.sandbox.session(), &programs.sandbox.data()).unwrap(),
        config: Config::built_in(),
        detectors: Detectors::new(load()).loaded_by(Arc::new(load)),
        prompts: PromptSet::bundled(),
        model: Arc::new(|| Err(Error::Invalid("no model is needed here".into()))),
        given: Given::default(),
        uses: Uses::default(),
        program: String::new(),
        finders: Default::default(),
    };
    spawn(setup).unwrap()
}

/// Sends a command and waits for an event.
fn ask<T>(client: &Client, command: Command, mut answer: impl FnMut(&Event) -> Option<T>) -> T {
    client.commands.send(command).unwrap();
    loop {
        let event = client.events.recv_timeout(Duration::from_secs(60)).unwrap();
        if let Event::Refused { message } = &event {
            panic!("{message}");
        }
        if let Some(answer) = answer(&event) {
            return answer;
        }
    }
}

fn summary(event: &Event) -> Option<SessionSummary> {
    if let Event::Session(summary) = event { Some((**summary).clone()) } else { None }
}

fn done(event: &Event) -> Option<()> {
    matches!(event, Event::ScanDone(_)).then_some(())
}

fn flagged(client: &Client) -> (Option<u64>, DetectorState, Option<Compared>) {
    let about = Overview::Forms;
    ask(client, Command::Overview { ticket: 1, about }, |event| match event {
        Event::Overview { overview: Overviewed::Forms(forms), .. } => {
            let about = &forms.iter().find(|form| form.name == "same").unwrap().about;
            Some((about.flagged, about.state, about.compared))
        }
        _ => None,
    })
}

fn length(client: &Client, filter: &str) -> u64 {
    let query = Query { all: true, filter: filter.into(), ..Query::default() };
    ask(client, Command::List { ticket: 7, query }, |event| match event {
        Event::Listed { total, .. } => Some(*total),
        _ => None,
    })
}

#[test]
fn detectors_are_tried_compared_disabled_and_enabled_by_the_engine() {
    let programs = Programs::new();
    let parameter = "[parameters.share]\ndefault = 0.25\nmin = 0\nmax = 1";
    programs.put("same", SAME, parameter);
    let client = engine(&programs);
    let named = || "same".to_owned();
    let share = |value: f64| BTreeMap::from([("share".to_owned(), value)]);
    ask(&client, Command::Scan { detectors: Vec::new(), opening: false }, done);
    assert_eq!(flagged(&client), (Some(32), DetectorState::Ready, None));
    // A trial changes nothing.
    let tried = |value: f64| {
        let command = Command::Try { ticket: 3, detector: named(), params: share(value), prompts: None };
        ask(
            &client,
            command,
            |event| if let Event::Tried(tried) = event { Some(tried.clone()) } else { None },
        )
    };
    let compared = Some(Compared { newly: 0, formerly: 32 });
    let none = Tried { ticket: 3, detector: named(), flagged: 0, scored: 32, compared, ..Tried::default() };
    assert_eq!(tried(0.75), none);
    assert!(tried(2.0).failed.contains("share"), "{:?}", tried(2.0));
    assert_eq!(flagged(&client), (Some(32), DetectorState::Ready, None));
    // A run does not wait for a trial.
    client
        .commands
        .send(Command::Try { ticket: 4, detector: named(), params: share(0.9), prompts: None })
        .unwrap();
    // Two runs.
    ask(&client, Command::Rerun { detector: named(), params: share(0.75) }, done);
    assert_eq!(flagged(&client), (Some(0), DetectorState::Ready, compared));
    assert_eq!((length(&client, "newly:same"), length(&client, "formerly:same")), (0, 32));
    ask(&client, Command::Rerun { detector: named(), params: share(0.1) }, done);
    assert_eq!(length(&client, "newly:same"), 32);
    // Disabled, also after a restart.
    let enable = |enabled: bool| Command::Enable { detector: named(), enabled };
    let off = ask(&client, enable(false), summary);
    assert_eq!((off.suspects, off.detectors.iter().any(|one| one.name == "same")), (0, false));
    ask(&client, Command::Scan { detectors: Vec::new(), opening: false }, done);
    assert_eq!(flagged(&client), (None, DetectorState::Disabled, None));
    client.stop().unwrap();
    assert_eq!(programs.sandbox.rank(0).len(), 0, "the command line agrees");
    let client = engine(&programs);
    assert_eq!(flagged(&client), (None, DetectorState::Disabled, None));
    let on = ask(&client, enable(true), summary);
    assert_eq!(on.suspects, 32);
    assert_eq!(flagged(&client).0, Some(32));
    assert_eq!(length(&client, "newly:same"), 32, "the run before is kept with the session");
    client.stop().unwrap();
}

/// What became of a detector, and why.
fn state(client: &Client, name: &str) -> (DetectorState, String) {
    let about = Overview::Forms;
    ask(client, Command::Overview { ticket: 1, about }, |event| match event {
        Event::Overview { overview: Overviewed::Forms(forms), .. } => {
            let about = &forms.iter().find(|form| form.name == name).unwrap().about;
            Some((about.state, about.why.clone()))
        }
        _ => None,
    })
}

/// What is shown of a detector.
fn shown(client: &Client, name: &str) -> DetectorForm {
    let about = Overview::Forms;
    ask(client, Command::Overview { ticket: 1, about }, |event| match event {
        Event::Overview { overview: Overviewed::Forms(forms), .. } => {
            forms.iter().find(|form| form.name == name).cloned()
        }
        _ => None,
    })
}

/// Waits until what is shown of a detector is as wanted: folders are looked at now and then.
fn awaited(client: &Client, name: &str, wanted: impl Fn(&DetectorForm) -> bool) -> DetectorForm {
    for _ in 0..600 {
        let form = shown(client, name);
        if wanted(&form) {
            return form;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("{:?}", shown(client, name));
}

#[test]
fn code_that_changed_after_it_was_shown_is_not_let_in() {
    let programs = Programs::new();
    let folder = programs.put("witness", GOOD, "");
    let pins = Pins::in_file(programs.sandbox.path().join("pins.json"));
    let client = engine_with(&programs, Workers::of(program()).pinning(pins.clone()));
    ask(&client, Command::Scan { detectors: Vec::new(), opening: false }, done);
    let pinned = || pins.all().unwrap().into_values().map(|pin| pin.digest).collect::<Vec<_>>();
    let first = pinned();
    let write = |score: &str| fs::write(folder.join("run.sh"), GOOD.replace("0.125", score)).unwrap();
    write("0.0625");
    let looked_at = awaited(&client, "witness", |form| form.about.state == DetectorState::Changed).about;
    write("0.03125");
    let let_in = |digest: &str| Command::LetIn { detector: looked_at.path.clone(), shown: digest.into() };
    client.commands.send(let_in(&looked_at.digest)).unwrap();
    let refused = loop {
        if let Event::Refused { message } = client.events.recv_timeout(Duration::from_secs(60)).unwrap() {
            break message;
        }
    };
    assert!(refused.contains("has changed again"), "{refused}");
    assert_eq!(pinned(), first);
    // What is there now is shown, and that is let in.
    let now = awaited(&client, "witness", |form| form.about.digest != looked_at.digest).about;
    assert_eq!(now.state, DetectorState::Changed);
    assert!(refused.contains(&now.digest[..12]), "{refused}");
    ask(&client, let_in(&now.digest), done);
    assert_eq!(pinned(), [now.digest]);
    client.stop().unwrap();
}

#[test]
fn what_does_not_run_says_what_becomes_of_its_results() {
    let programs = Programs::new();
    let folder = programs.put("witness", GOOD, "");
    // Not among the detectors of the configuration, which has one of this name.
    programs.put("clean-selection", GOOD, "");
    let pins = Pins::in_file(programs.sandbox.path().join("pins.json"));
    let client = engine_with(&programs, Workers::of(program()).pinning(pins));
    ask(&client, Command::Scan { detectors: Vec::new(), opening: false }, done);
    let never = shown(&client, "clean-selection").about;
    assert_eq!(never.state, DetectorState::NotChosen);
    assert!(!never.why.contains("what it found"), "{}", never.why);
    fs::write(folder.join("run.sh"), other()).unwrap();
    let changed = awaited(&client, "witness", |form| form.about.state == DetectorState::Changed);
    assert!(changed.ran && changed.enabled);
    assert!(changed.about.why.ends_with("what it found before counts"), "{}", changed.about.why);
    // It is disabled and enabled like any other.
    let enable = |enabled: bool| Command::Enable { detector: "witness".into(), enabled };
    let counts = |summary: &SessionSummary| summary.detectors.iter().any(|one| one.name == "witness");
    assert!(!counts(&ask(&client, enable(false), summary)));
    let off = shown(&client, "witness");
    assert_eq!((off.about.state, off.ran, off.enabled), (DetectorState::Disabled, false, false));
    assert!(counts(&ask(&client, enable(true), summary)));
    assert_eq!(shown(&client, "witness").about.state, DetectorState::Changed);
    // Asked to run, it says what is the matter, and what to do.
    let rerun = Command::Rerun { detector: "witness".into(), params: BTreeMap::new() };
    client.commands.send(rerun).unwrap();
    let refused = loop {
        if let Event::Refused { message } = client.events.recv_timeout(Duration::from_secs(60)).unwrap() {
            break message;
        }
    };
    assert!(refused.contains("has changed") && refused.contains("plugins let-in witness"), "{refused}");
    client.stop().unwrap();
}

#[test]
fn what_another_program_lets_in_is_let_in_here() {
    let programs = Programs::new();
    let folder = programs.put("witness", GOOD, "");
    let pins = Pins::in_file(programs.sandbox.path().join("pins.json"));
    let workers = Workers::of(program()).pinning(pins);
    let client = engine_with(&programs, workers.clone());
    ask(&client, Command::Scan { detectors: Vec::new(), opening: false }, done);
    fs::write(folder.join("run.sh"), other()).unwrap();
    awaited(&client, "witness", |form| form.about.state == DetectorState::Changed);
    chaffinch_host::let_in(&workers, "witness", None).unwrap();
    awaited(&client, "witness", |form| form.about.state == DetectorState::Outdated);
    assert!(runs(&client, "witness"));
    client.stop().unwrap();
}

#[test]
fn why_earlier_code_failed_is_not_said_of_other_code() {
    let programs = Programs::new();
    let failing = format!("read -r run\n{HELLO}\necho '{{\"type\":\"failed\",\"message\":\"no luck\"}}'\n");
    let folder = programs.put("witness", &failing, "");
    let pins = Pins::in_file(programs.sandbox.path().join("pins.json"));
    let client = engine_with(&programs, Workers::of(program()).pinning(pins.taking_changes(true)));
    ask(&client, Command::Scan { detectors: Vec::new(), opening: false }, done);
    let (known, why) = state(&client, "witness");
    assert_eq!(known, DetectorState::Failed, "{why}");
    assert!(why.contains("no luck"), "{why}");
    let before = shown(&client, "witness").about.digest;
    fs::write(folder.join("run.sh"), GOOD).unwrap();
    let now = awaited(&client, "witness", |form| form.about.digest != before);
    assert_eq!((now.about.state, now.ran, now.about.why.as_str()), (DetectorState::Ready, false, ""));
    // What fails while other code is put there is not that code.
    let slow = failing.replace("echo '{\"type\":\"failed\"", "sleep 5; echo '{\"type\":\"failed\"");
    assert_ne!(slow, failing);
    fs::write(folder.join("run.sh"), slow).unwrap();
    let before = awaited(&client, "witness", |form| form.about.digest != now.about.digest).about.digest;
    ask(&client, Command::Scan { detectors: Vec::new(), opening: false }, |event| match event {
        Event::Progress(progress) if progress.stage == "witness" => Some(()),
        _ => None,
    });
    // Long enough for its process to have read what it runs.
    std::thread::sleep(Duration::from_secs(1));
    fs::write(folder.join("new.sh"), GOOD).unwrap();
    fs::rename(folder.join("new.sh"), folder.join("run.sh")).unwrap();
    loop {
        if let Event::ScanDone(report) = client.events.recv_timeout(Duration::from_secs(60)).unwrap() {
            assert!(report.failed.iter().any(|(name, _)| name == "witness"));
            break;
        }
    }
    let now = awaited(&client, "witness", |form| form.about.digest != before);
    assert_eq!((now.about.state, now.about.why.as_str()), (DetectorState::Ready, ""));
    client.stop().unwrap();
}

/// Scans, and returns whether this detector ran.
fn runs(client: &Client, name: &str) -> bool {
    runs_in(client, name, false)
}

/// The same, also where a session is opened.
fn runs_in(client: &Client, name: &str, opening: bool) -> bool {
    ask(client, Command::Scan { detectors: Vec::new(), opening }, |event| match event {
        Event::ScanDone(report) => Some(report.stages.iter().any(|(stage, _)| stage == name)),
        _ => None,
    })
}

#[test]
fn what_reads_decisions_is_out_of_date_once_more_is_decided() {
    let programs = Programs::new();
    programs.put("learns", GOOD, "needs = [\"decisions\"]");
    programs.put("witness", GOOD, "");
    let client = engine_with(&programs, Workers::of(program()));
    assert!(runs(&client, "learns"));
    assert_eq!(state(&client, "learns").0, DetectorState::Ready);
    let decide = |sample: u32, choice: Choice| {
        let decision = Some(choice.into());
        client.commands.send(Command::Decide { samples: vec![SampleId(sample)], decision }).unwrap();
    };
    decide(0, Choice::Remove);
    let (known, why) = state(&client, "learns");
    assert_eq!(known, DetectorState::Outdated);
    assert!(why.contains("has no results since the decisions changed"), "{why}");
    assert_eq!(state(&client, "witness").0, DetectorState::Ready, "it reads none");
    // Who opens the session goes on in the order that was left, whatever was decided.
    assert!(!runs_in(&client, "learns", true));
    assert_eq!(state(&client, "learns").0, DetectorState::Outdated);
    // One scan brings it up to date; another one has nothing to do, and so has one after a decision that changes nothing.
    assert!(runs(&client, "learns"));
    assert_eq!(state(&client, "learns").0, DetectorState::Ready);
    assert!(!runs(&client, "learns"));
    decide(0, Choice::Remove);
    assert_eq!(state(&client, "learns").0, DetectorState::Ready);
    assert!(!runs(&client, "learns"));
    decide(0, Choice::Keep);
    assert!(runs(&client, "learns"));
    assert!(!runs(&client, "witness"));
    decide(1, Choice::Unsure);
    assert_eq!(state(&client, "learns").0, DetectorState::Outdated);
    client.stop().unwrap();

    let session = programs.sandbox.session();
    let session = session.to_str().unwrap();
    let told = "learns has no results since the decisions changed";
    assert!(programs.sandbox.ok(["rank", session]).stderr.contains(told));
    let plugins = programs.folder();
    let list = ["plugins", "list", "--session", session, "--plugins", plugins.to_str().unwrap()];
    assert!(programs.sandbox.ok(list).stdout.contains("it has no results since the decisions changed"));
    let scan = programs.scan(&["--detectors", "witness"]);
    assert!(scan.stderr.contains(told), "{}", scan.stderr);
    programs.scan(&["--detectors", "learns"]);
    assert!(!programs.sandbox.ok(["rank", session]).stderr.contains(told));
}

#[test]
fn what_crashed_is_set_aside_at_once_and_stays_disabled_when_it_is_let_in() {
    let programs = Programs::new();
    programs.put("crashes", &format!("{HELLO}\nkill -SEGV $$\n"), "");
    let aside = Aside::in_file(programs.sandbox.path().join("aside.json"));
    let client = engine_with(&programs, Workers::of(program()).remembering(aside));
    ask(&client, Command::Scan { detectors: Vec::new(), opening: false }, done);
    let (known, why) = state(&client, "crashes");
    assert_eq!(known, DetectorState::SetAside, "as every other list says");
    assert!(why.contains("segmentation fault"), "{why}");
    let enable = |enabled: bool| Command::Enable { detector: "crashes".into(), enabled };
    ask(&client, enable(false), summary);
    let (known, why) = state(&client, "crashes");
    assert_eq!(known, DetectorState::Disabled);
    assert!(why.contains("it is set aside as well") && why.contains("segmentation fault"), "{why}");
    let let_in = Command::LetIn { detector: "crashes".into(), shown: String::new() };
    let said = ask(&client, let_in, |event| match event {
        Event::Progress(progress) if progress.stage == "crashes" => Some("it runs".to_owned()),
        Event::Log { line } if line.contains("crashes is let in") => Some(line.clone()),
        _ => None,
    });
    assert!(said.contains("it is disabled and does not run"), "{said}");
    let (known, why) = state(&client, "crashes");
    assert_eq!((known, why.as_str()), (DetectorState::Disabled, "disabled in this session"));
    // Enabled, it runs as it was let in.
    ask(&client, enable(true), done);
    assert_eq!(state(&client, "crashes").0, DetectorState::SetAside);
    client.stop().unwrap();
}

/// The forms of what is not loaded: name, state, whether it has results that count, and whether they were removed.
fn absent(client: &Client) -> Vec<(String, DetectorState, bool, bool)> {
    let about = Overview::Forms;
    ask(client, Command::Overview { ticket: 1, about }, |event| match event {
        Event::Overview { overview: Overviewed::Forms(forms), .. } => {
            let gone = forms.iter().filter(|form| !form.about.written.is_empty());
            Some(
                gone.map(|form| (form.name.clone(), form.about.state, form.ran, form.about.removed))
                    .collect(),
            )
        }
        _ => None,
    })
}

#[test]
fn results_of_a_detector_that_is_gone_are_managed_by_the_engine() {
    let programs = Programs::new();
    let folder = programs.put("witness", GOOD, "");
    programs.put("other", GOOD, "");
    let client = engine(&programs);
    ask(&client, Command::Scan { detectors: Vec::new(), opening: false }, done);
    assert_eq!(absent(&client), []);
    client.stop().unwrap();
    fs::remove_dir_all(folder).unwrap();

    let client = engine(&programs);
    let told = client.events.iter().find_map(|event| match event {
        Event::Trouble { about, message } if about == "detectors" => Some(message),
        _ => None,
    });
    assert!(told.unwrap().contains("scores of witness take part"));
    let gone = |state, ran, removed| vec![("witness".to_owned(), state, ran, removed)];
    assert_eq!(absent(&client), gone(DetectorState::NotLoaded, true, false));
    let enable = |enabled: bool| Command::Enable { detector: "witness".into(), enabled };
    let counts = |summary: &SessionSummary| summary.detectors.iter().any(|one| one.name == "witness");
    assert!(!counts(&ask(&client, enable(false), summary)));
    assert_eq!(absent(&client), gone(DetectorState::Disabled, false, false));
    assert!(counts(&ask(&client, enable(true), summary)), "what was disabled is enabled, loaded or not");
    let remove = |back: bool| Command::RemoveResults { detector: "witness".into(), back };
    assert!(!counts(&ask(&client, remove(false), summary)));
    assert_eq!(absent(&client), gone(DetectorState::NotLoaded, false, true));
    client.stop().unwrap();

    // Also after a restart, and only what is not loaded.
    let client = engine(&programs);
    assert_eq!(absent(&client), gone(DetectorState::NotLoaded, false, true));
    assert!(counts(&ask(&client, remove(true), summary)));
    assert_eq!(absent(&client), gone(DetectorState::NotLoaded, true, false));
    client.commands.send(Command::RemoveResults { detector: "other".into(), back: false }).unwrap();
    let refused = client.events.iter().find_map(|event| match event {
        Event::Refused { message } => Some(message),
        _ => None,
    });
    assert!(refused.unwrap().contains("disable it instead"));
    client.stop().unwrap();
}
