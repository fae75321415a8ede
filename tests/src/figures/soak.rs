//! Hours of use in short: keys at random, scans, detectors that fail, windows that change their size, terminals that are
//! lost. Memory, descriptors and idle processor time of both processes stay what they were.
//!
//! `CHAFFINCH_SOAK_SECONDS` sets how long; an hour otherwise.

use super::{Report, Scale};
use crate::artefacts::program;
use crate::misbehavior::{HELLO, LIMITS, Programs};
use crate::process;
use crate::random::Random;
use crate::terminal::Terminal;
use std::time::{Duration, Instant};

/// What is typed, chosen at random. Nothing here quits or writes outside the session.
const KEYS: [&str; 56] = [
    "a",
    "x",
    "s",
    "a",
    "x",
    "u",
    "\x12",
    "0",
    "1",
    "2",
    "A",
    "X",
    "j",
    "j",
    "j",
    "k",
    "\x04",
    "\x15",
    "gg",
    "G",
    "}",
    "{",
    "]",
    "[",
    "T",
    "\t",
    "D",
    "+",
    "-",
    "J",
    "K",
    "z",
    " ",
    "v",
    "*",
    "\x1b",
    "\x1b",
    ",r",
    ",c",
    ",d",
    ",,",
    "E",
    "/cat\r",
    "n",
    "N",
    "fclass:dog\r",
    "F",
    "ea few words\r",
    "i",
    "c",
    "m",
    "p",
    "C",
    "H\x1b",
    "M\x1b",
    "I\x1b",
];

/// Pages that are opened and left again.
const PAGES: [&str; 8] = ["P", "gC", "gh", "gd", "w", "L", "?", "gP"];

/// How many cycles there are at least before memory is compared.
const WARM: usize = 2;

/// What is seen of a process when nothing happens.
#[derive(Clone, Copy)]
struct Seen {
    /// Anonymous resident memory in bytes: pages of files come and go with the system's cache.
    memory: f64,
    descriptors: usize,
    threads: usize,
}

fn see(pid: u32) -> Seen {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap()
    };
    Seen {
        memory: field("RssAnon:") * 1024.0,
        descriptors: std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count(),
        threads: field("Threads:") as usize,
    }
}

/// Waits until a process does nothing.
fn quiet(pid: u32) {
    let mut last = process::cpu_seconds(pid).unwrap();
    let begun = Instant::now();
    loop {
        std::thread::sleep(Duration::from_secs(1));
        let now = process::cpu_seconds(pid).unwrap();
        if now - last <= 0.02 || begun.elapsed() > Duration::from_secs(300) {
            return;
        }
        last = now;
    }
}

fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = numbers.collect();
    all.sort_by(f64::total_cmp);
    super::percentile(&all, 0.5)
}

/// How much more the last quarter has than the second one, in percent: the first one is the warm-up.
fn growth(seen: &[Seen]) -> f64 {
    let quarter = (seen.len() / 4).max(1);
    let of = |seen: &[Seen]| median(seen.iter().map(|one| one.memory));
    let before = of(&seen[quarter.min(seen.len() - 1)..(2 * quarter).clamp(quarter + 1, seen.len())]);
    (of(&seen[seen.len() - quarter..]) / before - 1.0) * 100.0
}

/// How much the numbers of the second half differ at most.
fn spread(seen: &[Seen], number: fn(&Seen) -> usize) -> f64 {
    let half = seen[seen.len() / 2..].iter().map(number);
    (half.clone().max().unwrap_or(0) - half.min().unwrap_or(0)) as f64
}

pub(super) fn soak(scale: Scale) -> Report {
    let mut report = Report::default();
    let seconds = std::env::var("CHAFFINCH_SOAK_SECONDS").ok().and_then(|text| text.parse().ok());
    let length = Duration::from_secs(seconds.unwrap_or(scale.of(3_600, 20)));
    let mut random = Random::new(24);
    let programs = Programs::of(10, scale.of(40, 8));
    let sandbox = &programs.sandbox;
    sandbox.ok(sandbox.scan_args());
    let (session, folder) = (sandbox.session(), programs.folder());
    let open = |more: &[&str]| {
        let words = ["open".as_ref(), session.as_os_str(), "--plugins".as_ref(), folder.as_os_str()];
        let mut command = sandbox.command(words);
        command.args(more).envs(LIMITS);
        Terminal::start(&command, 120, 40)
    };
    // Perhaps without a sample: a filter that hides everything is kept in the session.
    let shows = |terminal: &Terminal| {
        // Of suspects or of samples, as it was left: the first line counts them, or only what is decided where it is full.
        let counted = |line: &str| [" suspect", " sample", " decided"].iter().any(|word| line.contains(word));
        terminal.wait("the interface", |screen| screen.lines().next().is_some_and(counted));
    };
    let mut terminal = open(&[]);
    shows(&terminal);
    let engines = || {
        let mut all = process::running(program(), session.to_str().unwrap());
        all.retain(|pid| process::is_engine(*pid));
        all
    };
    let engine = engines()[0];
    let (mut engine_seen, mut screen_seen) = (Vec::new(), Vec::new());
    let (mut keys, mut idle, mut burnt, mut cycle) = (0_usize, 0.0, 0.0, 0);
    let begun = Instant::now();
    while begun.elapsed() < length || cycle < WARM + 2 {
        // Another detector that fails, in the place of the one before; what has died once is not run again.
        if cycle > 0 {
            std::fs::remove_dir_all(folder.join(format!("fails-{}", cycle - 1))).unwrap();
        }
        let fault = ["kill -SEGV $$", "exit 3", "echo nonsense", "kill -ABRT $$"][cycle % 4];
        programs.put(&format!("fails-{cycle}"), &format!("# {cycle}\n{HELLO}\n{fault}\n"), "");
        for number in 0..scale.of(160, 50) {
            let key = match random.below(8) {
                0 => format!("{}\x1b", PAGES[random.below(PAGES.len())]),
                _ => KEYS[random.below(KEYS.len())].to_owned(),
            };
            terminal.keys(&key);
            keys += 1;
            std::thread::sleep(Duration::from_millis(20 + random.below(60) as u64));
            if number % 20 == 10 {
                terminal.resize(40 + random.below(160) as u16, 8 + random.below(60) as u16);
            }
            if number % 50 == 25 {
                terminal.keys("\x1b\x1bgs");
            }
        }
        terminal.keys("\x1b\x1bF");
        terminal.resize(120, 40);
        // Another terminal takes the place of this one, whose connection is lost.
        let mut old = std::mem::replace(&mut terminal, open(&["--take-over"]));
        shows(&terminal);
        old.hang_up();
        let gone = process::wait_for(Duration::from_secs(20), || !process::alive(old.pid()));
        assert!(gone.is_ok(), "the program outlives its terminal");
        drop(old);
        assert_eq!(engines(), [engine], "the same engine all the time");
        quiet(engine);
        quiet(terminal.pid());
        let cpu = || process::cpu_seconds(engine).unwrap() + process::cpu_seconds(terminal.pid()).unwrap();
        let (before, since) = (cpu(), Instant::now());
        std::thread::sleep(Duration::from_secs(scale.of(3, 1)));
        burnt += cpu() - before;
        idle += since.elapsed().as_secs_f64();
        engine_seen.push(see(engine));
        screen_seen.push(see(terminal.pid()));
        cycle += 1;
    }
    let length = begun.elapsed().as_secs_f64();
    let journal = sandbox.journal();
    let decided: usize = journal.iter().map(|line| line["samples"].as_array().map_or(0, Vec::len)).sum();
    // An hour is not lost for its end: that it did not end is one of the figures.
    // A view that was open when the terminal before was lost is open again, and is closed first.
    let quit = (0..4).any(|_| {
        terminal.keys("q");
        terminal.end(Duration::from_secs(8)) == Some(0)
    });
    if !quit {
        println!("it did not quit:\n{}", terminal.screen());
        terminal.hang_up();
    }
    report.count("interfaces that do not quit", f64::from(u8::from(!quit)), "", Some(0.0));
    let ended = process::wait_for(Duration::from_secs(20), || engines().is_empty());
    report.count("engines that outlive the interface", f64::from(u8::from(ended.is_err())), "", Some(0.0));
    report.count("seconds", length.round(), "s", None);
    report.count("keys typed", keys as f64, "", None);
    report.count("terminals lost, and scans with a detector that fails", cycle as f64, "", None);
    report.count("entries in the journal", journal.len() as f64, "", None);
    report.count("samples that they decide", decided as f64, "", None);
    for (name, seen) in [("engine", &engine_seen), ("interface", &screen_seen)] {
        let mib = |seen: &Seen| seen.memory / f64::from(1 << 20);
        report.time(format!("{name}: memory after the first cycle"), mib(&seen[0]), "MiB", None);
        report.time(format!("{name}: memory after the last cycle"), mib(&seen[seen.len() - 1]), "MiB", None);
        for tenth in 1..10 {
            let at = &seen[seen.len() * tenth / 10];
            report.time(format!("{name}: memory after {tenth}0 %"), mib(at), "MiB", None);
        }
        report.time(
            format!("{name}: growth from the second quarter to the last"),
            growth(seen),
            "%",
            Some(5.0),
        );
        let descriptors = spread(seen, |one| one.descriptors);
        report.count(format!("{name}: descriptors more or less"), descriptors, "", Some(0.0));
        let threads = spread(seen, |one| one.threads);
        report.time(format!("{name}: threads more or less"), threads, "", Some(2.0));
    }
    report.time("processor time of both while idle", burnt / idle * 100.0, "%", Some(1.0));
    report
}
