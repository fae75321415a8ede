//! From a key to the resulting frame, while scans use every core.

use super::screen::{self, Frame, all_samples};
use super::{Report, Scale, milliseconds, synthetic};
use crate::artefacts::program;
use crate::pictures;
use crate::random::Random;
use crate::sandbox::Sandbox;
use crate::terminal::Terminal;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Time between two keys: thirty a second.
const EVERY: Duration = Duration::from_micros(33_333);

const SIZE: (u16, u16) = (120, 40);

/// Runs scans in another process, one after another, until dropped.
struct Scans {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Scans {
    fn start(count: usize) -> Scans {
        let sandbox = Sandbox::new();
        pictures::dataset(&sandbox.data(), 10, count / 10, 96);
        // Built before anything is measured.
        let _ = program();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                let _ = std::fs::remove_dir_all(sandbox.session());
                let mut command = sandbox.command(sandbox.scan_args());
                let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
                while child.try_wait().unwrap().is_none() {
                    if stopped.load(Ordering::Relaxed) {
                        let _ = child.kill();
                    }
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
        });
        Scans { stop, thread: Some(thread) }
    }
}

impl Drop for Scans {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

const DOWN: &str = "\x1b[6~";
const UP: &str = "\x1b[5~";
const HOME: &str = "\x1b[H";
const ESCAPE: &str = "\x1b";

/// A script of moves, pages, jumps and filters being edited. An empty key is a pause. No key goes beyond an end of the
/// list, since it would rightly get no frame.
fn script(count: usize, random: &mut Random) -> Vec<&'static str> {
    let mut keys = vec!["j"; 5];
    while keys.len() < count {
        match random.below(20) {
            0..=11 => keys.push("j"),
            12..=14 => keys.extend(["j", "k"]),
            15..=16 => keys.extend([DOWN, "j"]),
            17 => keys.extend([DOWN, UP, "j"]),
            18 => keys.extend(["G", "k", "k", "j", HOME]),
            // Its result arrives later and must not be taken for the response to the next key.
            _ => {
                keys.extend(["f", "c", "l", "a", "s", "s", "-", "0", ESCAPE]);
                keys.extend([""; 12]);
            }
        }
    }
    keys
}

/// What a key changes: the position in the list, or the line being typed.
fn state(frame: &Frame) -> &str {
    if frame.message.trim_start().starts_with("filter ") {
        &frame.message
    } else {
        frame.place().unwrap_or("")
    }
}

/// The results for the keys.
#[derive(Default)]
struct Answers {
    /// How long each key but Escape waited for its frame, ms.
    times: Vec<f64>,
    /// The same for Escape, which counts as a key only if no more of a sequence follows for a while.
    escapes: Vec<f64>,
    /// Keys without a frame within a second.
    without: usize,
}

/// Types the script.
fn type_all(terminal: &Terminal, keys: &[&str]) -> Answers {
    let mut pressed = Vec::new();
    let mut next = Instant::now();
    for key in keys {
        if !key.is_empty() {
            pressed.push((Instant::now(), *key));
            terminal.keys(key);
        }
        next += EVERY;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    terminal.settle(Duration::from_millis(500));
    let frames = screen::frames(&terminal.record(), SIZE.0, SIZE.1);
    let mut answers = Answers::default();
    for (at, key) in pressed {
        let first = frames.partition_point(|frame| frame.at <= at);
        let before = first.checked_sub(1).map_or("", |last| state(&frames[last]));
        let answer = frames[first..]
            .iter()
            .take_while(|frame| frame.at < at + Duration::from_secs(1))
            .find(|frame| state(frame) != before);
        match answer {
            Some(frame) => {
                let time = milliseconds(frame.at - at);
                let kind = if key == ESCAPE { &mut answers.escapes } else { &mut answers.times };
                if time > 50.0 && key != ESCAPE {
                    println!("slow: {time:.0} ms {}", key.escape_debug());
                }
                kind.push(time);
            }
            None => answers.without += 1,
        }
    }
    answers
}

pub(super) fn key_to_frame(scale: Scale) -> Report {
    let mut report = Report::default();
    let mut random = Random::new(5);
    let rows = scale.of(10_000_000, 20_000);
    let session = synthetic(rows);
    let sandbox = Sandbox::new();
    {
        let _scans = Scans::start(scale.of(2_000, 100));
        for round in 0..scale.of(3, 1) {
            let command = sandbox.command(["open", session.to_str().unwrap()]);
            let terminal = Terminal::start(&command, SIZE.0, SIZE.1);
            all_samples(&terminal);
            terminal.settle(Duration::from_millis(800));
            let keys = script(scale.of(1_700, 60), &mut random);
            let Answers { times, escapes, without } = type_all(&terminal, &keys);
            let what = format!("{rows} rows, scans beside, round {}", round + 1);
            report.count(format!("{what}: keys without a frame"), without as f64, "", Some(0.0));
            report.times(&what, times, Some(16.0), Some(50.0));
            report.times(&format!("{what}: Escape"), escapes, None, None);
            quit(terminal);
        }
    }
    // A scan in the same program, with pictures on the screen.
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 10, scale.of(300, 8), 96);
    for round in 0..scale.of(3, 1) {
        let _ = std::fs::remove_dir_all(sandbox.session());
        let mut command: Command = sandbox.command([
            "open",
            sandbox.data().to_str().unwrap(),
            "--session",
            sandbox.session().to_str().unwrap(),
        ]);
        command.env("TERM", "xterm-256color").env("COLORTERM", "truecolor");
        let terminal = Terminal::start(&command, SIZE.0, SIZE.1);
        terminal.wait_text("keep");
        terminal.keys("T");
        listed_while_scanning(&terminal);
        let keys: Vec<&str> = std::iter::repeat_n(["j", "j", "j", "k"], scale.of(60, 5)).flatten().collect();
        let Answers { times, without, .. } = type_all(&terminal, &keys);
        let what = format!("a scan in the program itself, round {}", round + 1);
        report.count(format!("{what}: keys without a frame"), without as f64, "", Some(scale.of(0.0, 20.0)));
        report.times(&what, times, Some(16.0), Some(50.0));
        quit(terminal);
    }
    report
}

/// The list is shown, whatever else is going on.
fn listed_while_scanning(terminal: &Terminal) {
    terminal.wait("rows", |screen| screen.contains(".png") || screen.contains(".jpg"));
    std::thread::sleep(Duration::from_millis(300));
}

pub(super) fn quit(mut terminal: Terminal) {
    terminal.keys("q");
    assert_eq!(terminal.end(Duration::from_secs(30)), Some(0), "{}", terminal.screen());
    assert_eq!(terminal.left_behind(), Vec::<String>::new());
}
