//! Every fuzz target without a fuzzer: its seeds, what once failed, and mutations of both, the same in every run.
//! `CHAFFINCH_FUZZ_SECONDS=10` goes on for that long with each target. `scripts/fuzz` runs them under libFuzzer.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_fuzz::mutate::{Chance, mutated};
use chaffinch_fuzz::targets::TARGETS;
use chaffinch_fuzz::{Target, targets};
use chaffinch_tests::artefacts::root;
use std::fs;
use std::io::{Write, stderr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Mutations of each target.
const ROUNDS: u64 = 300;
/// An input that takes longer hangs: a reader that waits for ever would else never name it.
const HANGS: Duration = Duration::from_secs(120);

/// Keeps an input for whoever looks into it.
fn keep(target: &Target, bytes: &[u8]) -> PathBuf {
    let path = std::env::temp_dir().join(format!("chaffinch-fuzz-{}-{}", target.name, std::process::id()));
    fs::write(&path, bytes).unwrap();
    path
}

fn replay(target: &'static Target) {
    let mut inputs: Vec<Vec<u8>> = target.kept().into_iter().map(|(_, bytes)| bytes).collect();
    inputs.extend((target.seeds)());
    assert!(!inputs.is_empty(), "{} has no seed", target.name);
    let running: Mutex<Option<(Instant, Vec<u8>)>> = Mutex::new(None);
    let (done, over) = channel::<()>();
    std::thread::scope(|scope| {
        let running = &running;
        scope.spawn(move || {
            while over.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
                let held = running.lock().unwrap();
                if let Some((since, bytes)) = held.as_ref()
                    && since.elapsed() > HANGS
                {
                    let kept = keep(target, bytes);
                    let _ =
                        writeln!(stderr(), "{} hangs; the input is kept as {}", target.name, kept.display());
                    std::process::exit(1);
                }
            }
        });
        let run = |bytes: &[u8]| {
            *running.lock().unwrap() = Some((Instant::now(), bytes.to_vec()));
            let ended = catch_unwind(AssertUnwindSafe(|| (target.run)(bytes)));
            *running.lock().unwrap() = None;
            if ended.is_err() {
                let kept = keep(target, bytes);
                panic!("{} panicked; the input is kept as {}", target.name, kept.display());
            }
        };
        inputs.iter().for_each(|bytes| run(bytes));
        let seconds = std::env::var("CHAFFINCH_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
        let end = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
        let mut chance = Chance::of(target.name);
        let mut round = 0;
        while end.map_or(round < ROUNDS, |end| Instant::now() < end) {
            round += 1;
            let (one, other) = (chance.below(inputs.len()), chance.below(inputs.len()));
            run(&mutated(&inputs[one], &inputs[other], &mut chance));
        }
        let _ = writeln!(stderr(), "{}: {} inputs, {round} mutations", target.name, inputs.len());
        drop(done);
    });
}

macro_rules! replayed {
    ($($name:ident)*) => {
        const REPLAYED: &[&str] = &[$(stringify!($name)),*];
        $(#[test]
        fn $name() {
            replay(&targets::$name::TARGET);
        })*
    };
}

replayed! {
    annotations archives arrays arrow binaries filter frames imports journal labels listing looks model parquet picture
    probabilities repair results session tables terminal worker
}

#[test]
fn every_target_is_replayed_and_has_a_binary() {
    let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(names, REPLAYED);
    let folder = root().join("tests/fuzz");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    let binaries: Vec<&str> = manifest
        .split("[[bin]]")
        .skip(1)
        .map(|part| part.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).unwrap())
        .collect();
    assert_eq!(binaries, names);
    for name in &names {
        let text = fs::read_to_string(folder.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(text.contains(&format!("use chaffinch_fuzz::targets::{name}::TARGET;")), "{text}");
    }
    let entries = fs::read_dir(folder.join("fuzz_targets")).unwrap();
    assert_eq!(entries.count(), names.len(), "a binary that is not a target");
    for entry in fs::read_dir(folder.join("kept")).unwrap().map(|entry| entry.unwrap()) {
        let name = entry.file_name().into_string().unwrap();
        assert!(names.contains(&name.as_str()), "tests/fuzz/kept/{name} belongs to no target");
    }
}
