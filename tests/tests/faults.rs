//! Disks that fail, fill up and vanish, and kills at any call, while the program scans, decides, exports, plans, applies, takes
//! over results and decisions, and fetches models: it ends, says what went wrong, and what it said was saved is there.
//!
//! `CHAFFINCH_FAULTS=5 cargo test --workspace --test faults` injects each kind of fault into each stage five times, and
//! `CHAFFINCH_FAULT_KILLS=200` kills each stage 200 times, decisions five times as often. docs/reliability.md has what that
//! found.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]
#![allow(clippy::print_stdout, reason = "the counts are part of the result")]

use chaffinch_tests::artefacts::{program, root};
use chaffinch_tests::digest;
use chaffinch_tests::faults::{Fault, Faulted, KINDS};
use chaffinch_tests::folders;
use chaffinch_tests::hub::{Hub, files};
use chaffinch_tests::pictures;
use chaffinch_tests::process;
use chaffinch_tests::random::Random;
use chaffinch_tests::sandbox::{Sandbox, journal, number};
use chaffinch_tests::terminal::{PATIENCE, Terminal};
use chaffinch_tests::tools;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(120);

/// The lines that are typed, each with what is said once it is on disk.
const TYPED: [(&str, &str); 6] = [
    ("go 1\nx\n", "remove "),
    ("go 2\na\n", "keep "),
    ("go 3\nunsure\n", "unsure "),
    ("go 4\nx\n", "remove "),
    ("u\n", "undid "),
    ("go 5\na\n", "keep "),
];

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn rounds(variable: &str) -> Option<usize> {
    std::env::var(variable).ok().and_then(|text| text.parse().ok())
}

/// A dataset and a session of it, made once.
struct World {
    sandbox: Sandbox,
    ranked: String,
    exported: Vec<u8>,
    applied: BTreeMap<PathBuf, String>,
    imported: Vec<u8>,
    merged: Vec<String>,
    hub: Hub,
}

/// The model that is fetched.
const MODEL: &str = "owner/model";

impl World {
    fn new() -> World {
        let sandbox = Sandbox::new();
        pictures::dataset(&sandbox.data(), 2, 5, 24);
        fs::copy(sandbox.data().join("airplane/0000.png"), sandbox.data().join("airplane/copy.png")).unwrap();
        let hub = Hub::new();
        hub.add(MODEL, "main", files(&root().join("core/clip/tests/fixtures/quick")));
        let mut world = World {
            sandbox,
            ranked: String::new(),
            exported: Vec::new(),
            applied: BTreeMap::new(),
            imported: Vec::new(),
            merged: Vec::new(),
            hub,
        };
        let base = world.at("base");
        world.sandbox.ok(world.scan_args("base"));
        world.ranked = world.rank(&base);
        let typed: String = TYPED.iter().map(|(line, _)| *line).collect();
        let ran = world.sandbox.plain([text(&base)], &format!("T\n{typed}q\n"));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        world.sandbox.ok(world.export_args("clean.csv"));
        world.exported = fs::read(world.at("clean.csv")).unwrap();
        world.sandbox.ok(["plan", text(&base), "--output", text(&world.at("plan.json"))]);
        world.sandbox.ok(world.apply_args("clean-copy"));
        world.applied = tree(&world.at("clean-copy"));
        fs::write(world.at("issues.csv"), ISSUES).unwrap();
        folders::copy(&base, &world.at("imported-once"));
        world.sandbox.ok(world.import_args("imported-once"));
        world.imported = fs::read(world.at("imported-once").join(RESULT)).unwrap();
        world.without_decisions("merged-once");
        world.sandbox.ok(world.merge_args("merged-once"));
        world.merged = said(&world.at("merged-once"));
        assert!(world.merged.len() > 2, "{:?}", world.merged);
        world
    }

    fn at(&self, name: &str) -> PathBuf {
        self.sandbox.path().join(name)
    }

    fn scan_args(&self, session: &str) -> Vec<String> {
        let (data, session) = (self.sandbox.data(), self.at(session));
        let words =
            ["scan", text(&data), "--session", text(&session), "--detectors", "duplicates,image-quality"];
        words.map(str::to_owned).to_vec()
    }

    fn export_args(&self, output: &str) -> Vec<String> {
        let (base, output) = (self.at("base"), self.at(output));
        ["export", text(&base), "--format", "manifest", "--output", text(&output)].map(str::to_owned).to_vec()
    }

    fn apply_args(&self, output: &str) -> Vec<String> {
        let (plan, output) = (self.at("plan.json"), self.at(output));
        ["apply", text(&plan), "--output", text(&output)].map(str::to_owned).to_vec()
    }

    fn import_args(&self, session: &str) -> Vec<String> {
        let (file, session) = (self.at("issues.csv"), self.at(session));
        ["import", "cleanvision", text(&file), "--session", text(&session)].map(str::to_owned).to_vec()
    }

    /// What a reviewer decided in another session of the same pictures is merged into this one.
    fn merge_args(&self, session: &str) -> Vec<String> {
        let (file, session) = (self.at("clean.csv"), self.at(session));
        ["import", "csv", text(&file), "--session", text(&session)].map(str::to_owned).to_vec()
    }

    /// A copy of the session in which nothing is decided.
    fn without_decisions(&self, session: &str) {
        let session = self.at(session);
        let _ = fs::remove_dir_all(&session);
        folders::copy(&self.at("base"), &session);
        fs::remove_dir_all(session.join("decisions")).unwrap();
    }

    /// Fetches the model, and tests it.
    fn fetch(&self) -> Command {
        let mut command = self.sandbox.command(["models", "check", MODEL]);
        command.env("HF_HUB_OFFLINE", "0").env("HF_ENDPOINT", &self.hub.address).env("NO_PROXY", "127.0.0.1");
        command
    }

    fn rank(&self, session: &Path) -> String {
        self.sandbox.ok(["rank", text(session), "--all", "--top", "0", "--format", "csv"]).stdout
    }

    fn command(&self, args: &[String]) -> Command {
        let mut command = self.sandbox.command(args);
        command.env("CHAFFINCH_ENGINE", "inside");
        command
    }
}

/// What another program found, and the detector that it becomes.
const ISSUES: &str = ",is_dark_issue,dark_score\nairplane/0000.png,True,0.1\nairplane/0002.png,False,0.8\n";
const RESULT: &str = "detectors/cleanvision_dark.arrow";

/// What the journals of a session say, without the times.
fn said(session: &Path) -> Vec<String> {
    let one = |mut entry: serde_json::Value| {
        for field in ["at", "time", "id"] {
            entry.as_object_mut().unwrap().remove(field);
        }
        entry.to_string()
    };
    journal(session).into_iter().map(one).collect()
}

fn tree(folder: &Path) -> BTreeMap<PathBuf, String> {
    digest::files(folder)
}

/// What must hold of every run, however it was disturbed: it was not a panic, and a failure has a reason.
fn sound(fault: &Fault, faulted: &Faulted) {
    let Faulted { ran, .. } = faulted;
    let said = format!("{fault}\nstatus {}\n{}\n{}", ran.code, ran.stdout, ran.stderr);
    assert!(!ran.stderr.contains("panicked"), "{said}");
    let killed = fault.kind.starts_with("kill");
    assert!(killed || (0..=2).contains(&ran.code), "{said}");
    if !killed && ran.code != 0 {
        let reason = ran.stderr.lines().chain(ran.stdout.lines()).any(|line| line.starts_with("error: "));
        assert!(reason, "no reason: {said}");
    }
}

fn scan(world: &World, fault: &Fault) -> Faulted {
    let session = world.at("scanned");
    let _ = fs::remove_dir_all(&session);
    let fault = Fault { path: session.clone(), ..fault.clone() };
    let faulted = fault.run(world.command(&world.scan_args("scanned")), "", LIMIT);
    sound(&fault, &faulted);
    if faulted.ran.code == 0 {
        assert_eq!(world.rank(&session), world.ranked, "{fault}: it said that it had succeeded");
    }
    // And it goes on.
    world.sandbox.ok(world.scan_args("scanned"));
    assert_eq!(world.rank(&session), world.ranked, "{fault}");
    faulted
}

fn decide(world: &World, fault: &Fault) -> Faulted {
    let session = world.at("decided");
    let _ = fs::remove_dir_all(&session);
    folders::copy(&world.at("base"), &session);
    fs::remove_dir_all(session.join("decisions")).unwrap();
    let fault = Fault { path: session.join("decisions"), ..fault.clone() };
    let typed: String = TYPED.iter().map(|(line, _)| *line).collect();
    let args = ["open", "--plain", text(&session)].map(str::to_owned);
    let faulted = fault.run(world.command(&args), &format!("T\n{typed}q\n"), LIMIT);
    sound(&fault, &faulted);
    let told = |line: &&str| line.ends_with("u undo") || line.starts_with("undid ");
    let told: Vec<&str> = faulted.ran.stdout.lines().filter(told).collect();
    let written = journal(&session);
    let said = format!("{fault}\n{}\n{}\n{written:?}", faulted.ran.stdout, faulted.ran.stderr);
    // Killed between the disk and the screen, one more is there than was told.
    let killed = usize::from(fault.kind.starts_with("kill"));
    assert!((told.len()..=told.len() + killed).contains(&written.len()), "{} told: {said}", told.len());
    if faulted.ran.code == 0 {
        assert_eq!(told.len(), TYPED.len(), "{said}");
    } else if killed == 0 {
        assert!(told.len() < TYPED.len(), "all was saved: {said}");
    }
    // It can be opened again, and what was told is what it shows.
    let again = world.sandbox.plain([text(&session)], "T\ngo 6\nx\nq\n");
    assert_eq!(again.code, 0, "{said}\n{}", again.stderr);
    assert_eq!(journal(&session).len(), written.len() + 1, "{said}");
    faulted
}

fn export(world: &World, fault: &Fault) -> Faulted {
    let output = world.at("exported.csv");
    let _ = fs::remove_file(&output);
    let fault = Fault { path: "exported.csv".into(), ..fault.clone() };
    let faulted = fault.run(world.command(&world.export_args("exported.csv")), "", LIMIT);
    sound(&fault, &faulted);
    let there = fs::read(&output).ok();
    match faulted.ran.code {
        0 => assert_eq!(there.as_ref(), Some(&world.exported), "{fault}"),
        _ => assert!(there.is_none_or(|there| there == world.exported), "{fault}: half a file"),
    }
    let _ = fs::remove_file(&output);
    world.sandbox.ok(world.export_args("exported.csv"));
    assert_eq!(fs::read(&output).unwrap(), world.exported, "{fault}");
    faulted
}

fn plan(world: &World, fault: &Fault) -> Faulted {
    let (base, output) = (world.at("base"), world.at("planned.json"));
    let _ = fs::remove_file(&output);
    let fault = Fault { path: "planned.json".into(), ..fault.clone() };
    let args = ["plan", text(&base), "--output", text(&output)].map(str::to_owned);
    let faulted = fault.run(world.command(&args), "", LIMIT);
    sound(&fault, &faulted);
    let there = fs::read_to_string(&output).ok();
    assert!(faulted.ran.code != 0 || there.is_some(), "{fault}");
    let whole = |text: String| serde_json::from_str::<serde_json::Value>(&text).is_ok();
    assert!(there.is_none_or(whole), "{fault}: half a plan");
    faulted
}

fn apply(world: &World, fault: &Fault) -> Faulted {
    let output = world.at("applied");
    let _ = fs::remove_dir_all(&output);
    let fault = Fault { path: "applied".into(), ..fault.clone() };
    let faulted = fault.run(world.command(&world.apply_args("applied")), "", LIMIT);
    sound(&fault, &faulted);
    if faulted.ran.code == 0 {
        assert_eq!(tree(&output), world.applied, "{fault}");
    } else if output.exists() {
        // Either it shows that it is not whole, or the same command goes on.
        let again = world.sandbox.run(world.apply_args("applied"));
        if again.code == 0 {
            assert_eq!(tree(&output), world.applied, "{fault}\n{}", again.stderr);
        } else {
            assert!(again.stderr.contains("error: "), "{fault}\n{}", again.stderr);
        }
    }
    faulted
}

fn import(world: &World, fault: &Fault) -> Faulted {
    let session = world.at("imported");
    let _ = fs::remove_dir_all(&session);
    folders::copy(&world.at("base"), &session);
    let before = said(&session);
    let fault = Fault { path: session.clone(), ..fault.clone() };
    let faulted = fault.run(world.command(&world.import_args("imported")), "", LIMIT);
    sound(&fault, &faulted);
    if faulted.ran.code == 0 {
        assert_eq!(fs::read(session.join(RESULT)).unwrap(), world.imported, "{fault}");
    }
    // The session can be used, and the same command goes on.
    world.rank(&session);
    world.sandbox.ok(world.import_args("imported"));
    assert_eq!(fs::read(session.join(RESULT)).unwrap(), world.imported, "{fault}");
    assert_eq!(said(&session), before, "{fault}: what was decided stays");
    faulted
}

fn merge(world: &World, fault: &Fault) -> Faulted {
    let session = world.at("merged");
    world.without_decisions("merged");
    let fault = Fault { path: session.join("decisions"), ..fault.clone() };
    let faulted = fault.run(world.command(&world.merge_args("merged")), "", LIMIT);
    sound(&fault, &faulted);
    let there = said(&session);
    match faulted.ran.code {
        0 => assert_eq!(there, world.merged, "{fault}"),
        _ => assert!(world.merged.starts_with(&there), "{fault}: {there:?}"),
    }
    // Taken over once more, nothing is there twice.
    world.sandbox.ok(world.merge_args("merged"));
    assert_eq!(said(&session), world.merged, "{fault}");
    faulted
}

fn fetch(world: &World, fault: &Fault) -> Faulted {
    let cache = world.at("cache/huggingface");
    let _ = fs::remove_dir_all(&cache);
    let fault = Fault { path: cache, ..fault.clone() };
    let faulted = fault.run(world.fetch(), "", LIMIT);
    sound(&fault, &faulted);
    // What is in the cache is whole: the next fetch goes on, and one after it asks no server.
    let again = world.fetch().output().unwrap();
    assert!(again.status.success(), "{fault}: {}", String::from_utf8_lossy(&again.stderr));
    world.sandbox.ok(["models", "check", MODEL, "--offline"]);
    faulted
}

/// What is disturbed: a name, how, and how many calls it makes about its files.
type Stage = (&'static str, fn(&World, &Fault) -> Faulted, usize);

const STAGES: [Stage; 8] = [
    ("scan", scan, 60),
    ("decide", decide, 16),
    ("export", export, 4),
    ("plan", plan, 4),
    ("apply", apply, 30),
    ("import", import, 30),
    ("merge", merge, 12),
    ("fetch", fetch, 30),
];

#[test]
fn injected_faults_lose_nothing_and_are_said() {
    if !tools::installed(&["cc"], "gcc") {
        return;
    }
    let world = World::new();
    let mut random = Random::new(24);
    let mut hit: BTreeMap<&str, usize> = BTreeMap::new();
    let mut table: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let full = rounds("CHAFFINCH_FAULTS");
    for (number, kind) in KINDS.into_iter().enumerate() {
        for round in 0..full.unwrap_or(1) {
            for (place, (name, stage, calls)) in STAGES.into_iter().enumerate() {
                // In short, each kind in two of the stages, and always where decisions are made.
                if full.is_none() && name != "decide" && number % STAGES.len() != place {
                    continue;
                }
                // Retried for ever, by design.
                let times = if kind.ends_with("EINTR") { 2 } else { [1, 2, 0][random.below(3)] };
                let after = if round == 0 { random.below(3) } else { random.below(calls) };
                let fault = Fault { kind, path: PathBuf::new(), after, times };
                let faulted = stage(&world, &fault);
                *hit.entry(kind).or_default() += usize::from(faulted.hits > 0);
                let counts = table.entry(name).or_default();
                counts[0] += 1;
                counts[1] += usize::from(faulted.hits > 0);
                counts[2] += usize::from(faulted.ran.code != 0);
            }
        }
    }
    for (stage, [runs, hits, failures]) in table {
        println!("{stage}: {runs} runs, {hits} with an injected fault, {failures} ended with an error");
    }
    let kinds = hit.values().filter(|count| **count > 0).count();
    println!("{kinds} kinds of faults were injected: {hit:?}");
    // Which calls come after the chosen number differs; most kinds must have happened all the same.
    assert!(kinds >= 12 || full.is_none(), "{hit:?}");
}

#[test]
fn killed_at_any_call_nothing_is_lost() {
    if !tools::installed(&["cc"], "gcc") {
        return;
    }
    let world = World::new();
    let mut random = Random::new(7);
    let kills = rounds("CHAFFINCH_FAULT_KILLS");
    for (name, stage, calls) in STAGES {
        let rounds = kills.unwrap_or(3) * if name == "decide" && kills.is_some() { 5 } else { 1 };
        let mut killed = 0;
        for _ in 0..rounds {
            let fault = Fault {
                kind: "kill-any",
                path: PathBuf::new(),
                after: random.below(calls * 3 / 2),
                times: 1,
            };
            killed += usize::from(stage(&world, &fault).ran.code < 0);
        }
        println!("{name}: {rounds} rounds, killed in {killed} of them");
    }
}

#[test]
fn a_session_that_cannot_be_written_to_is_shown() {
    if !tools::installed(&["cc"], "gcc") {
        return;
    }
    let world = World::new();
    let session = world.at("base");
    let before = tree(&session);
    // As on a disk that is mounted read-only: nothing can be created or written.
    for kind in ["create-EROFS", "create-EACCES"] {
        let fault = Fault { kind, path: session.clone(), after: 0, times: 0 };
        let args = ["open", "--plain", text(&session)].map(str::to_owned);
        let faulted = fault.run(world.command(&args), "T\ngo 1\nkeep\nq\n", LIMIT);
        let said = format!("{}\n{}", faulted.ran.stdout, faulted.ran.stderr);
        assert!(faulted.hits > 0, "{said}");
        assert!(faulted.ran.stdout.contains("1 of 11: "), "{said}");
        assert!(
            said.contains("cannot be written to") && said.contains("decisions cannot be saved"),
            "{said}"
        );
        assert!(faulted.ran.stdout.lines().any(|line| line.starts_with("error: ")), "{said}");
        assert_eq!(faulted.ran.code, 2, "{said}");
        assert_eq!(tree(&session), before);
    }
}

#[test]
fn a_full_disk_does_not_lock_anyone_out() {
    if !tools::installed(&["cc"], "gcc") {
        return;
    }
    let world = World::new();
    let session = world.at("base");
    let fault = Fault { kind: "write-ENOSPC", path: session.clone(), after: 0, times: 0 };
    let args = ["open", "--plain", text(&session)].map(str::to_owned);
    let faulted = fault.run(world.command(&args), "T\ngo 6\nx\nq\n", LIMIT);
    let said = format!("{}\n{}", faulted.ran.stdout, faulted.ran.stderr);
    assert!(faulted.ran.stdout.contains("6 of 11: "), "{said}");
    assert!(said.contains("No space left on device"), "{said}");
    assert_eq!(faulted.ran.code, 2, "{said}");
}

/// Quits while a call that reads a picture never returns: one that the engine makes before it listens, when it looks at the
/// pictures to choose a model, or one of the scan.
fn quits_while_reading_hangs(sandbox: &Sandbox, engine: &str, starting: bool) {
    let (data, session) = (sandbox.data(), sandbox.session());
    let fault = Fault { kind: "read-hang", path: data.join("bird"), after: 3, times: 0 };
    let log = sandbox.path().join("hangs");
    let _ = fs::remove_file(&log);
    let _ = fs::remove_dir_all(&session);
    let mut words = vec!["open", text(&data), "--session", text(&session), "--pictures", "off"];
    words.extend(["--model", "bundled-small"].into_iter().filter(|_| !starting));
    let mut command = sandbox.command(words);
    command.env("CHAFFINCH_ENGINE", engine);
    fault.arm(&mut command, &log);
    let mut terminal = Terminal::start(&command, 100, 30);
    let hangs = process::wait_for(PATIENCE, || log.exists());
    assert!(hangs.is_ok(), "nothing hangs; the screen shows\n{}", terminal.screen());
    let sockets = fs::read_dir(sandbox.path().join("run/chaffinch")).into_iter().flatten();
    let listens = sockets.flatten().any(|entry| entry.path().extension().is_some_and(|kind| kind == "sock"));
    assert!(!engine.is_empty() || listens != starting, "what hangs is another stage");
    terminal.keys(":quit\r");
    // The call would hold it for ever.
    assert!(terminal.end(PATIENCE).is_some(), "{engine}: it waits for the disk\n{}", terminal.screen());
    assert_eq!(terminal.left_behind(), Vec::<String>::new());
    let all = || process::running(program(), text(&session));
    let gone = process::wait_for(PATIENCE, || all().is_empty());
    assert!(gone.is_ok(), "{engine}, starting {starting}: the engine stays: {:?}", all());
}

#[test]
fn a_disk_that_hangs_keeps_nobody() {
    if !tools::installed(&["cc"], "gcc") {
        return;
    }
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 3, 6, 24);
    for (engine, starting) in [("", true), ("", false), ("inside", true), ("inside", false)] {
        quits_while_reading_hangs(&sandbox, engine, starting);
    }
    // Nothing of it is in the way of the next scan.
    let report = sandbox.scan();
    assert_eq!((number(&report, "samples"), number(&report, "unreadable")), (18, 0));
}
