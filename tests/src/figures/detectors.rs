//! Decisions while every detector that misbehaves does so.

use super::kills::acknowledged;
use super::screen::{self, listed};
use super::{Report, Scale, milliseconds};
use crate::misbehavior::{LIMITS, Programs};
use crate::sandbox::json;
use crate::terminal::Terminal;
use std::time::{Duration, Instant};

const SIZE: (u16, u16) = (120, 40);

/// Time between two keys, as a reviewer types.
const EVERY: Duration = Duration::from_millis(150);

/// The longest that a key may wait for its frame.
const LONGEST: f64 = 100.0;

pub(super) fn detectors(scale: Scale) -> Report {
    let mut report = Report::default();
    let count = scale.of(1_000, 120);
    let programs = Programs::of(10, count / 10);
    let sandbox = &programs.sandbox;
    // What a reviewer has before somebody brings detectors.
    sandbox.ok(sandbox.scan_args());
    let bad = programs.put_all();
    let (session, folder) = (sandbox.session(), programs.folder());
    let mut command = sandbox.command([
        "open".as_ref(),
        session.as_os_str(),
        "--plugins".as_ref(),
        folder.as_os_str(),
        "--pictures".as_ref(),
        "off".as_ref(),
    ]);
    command.envs(LIMITS);
    let terminal = Terminal::start(&command, SIZE.0, SIZE.1);
    listed(&terminal);
    terminal.keys("Tgg");
    terminal.settle(Duration::from_millis(500));
    terminal.keys("gs");
    let mut pressed = Vec::new();
    let mut next = Instant::now();
    for _ in 0..count - 10 {
        next += EVERY;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        pressed.push(Instant::now());
        terminal.keys("x");
    }
    terminal.settle(Duration::from_millis(500));
    let frames = screen::frames(&terminal.record(), SIZE.0, SIZE.1);
    let mut times = Vec::new();
    for at in &pressed {
        let first = frames.partition_point(|frame| frame.at <= *at);
        times.extend(frames.get(first).map(|frame| milliseconds(frame.at - *at)));
    }
    report.count("detectors that misbehave", bad as f64, "", None);
    // A new order may have taken the list's end under the cursor, where a key decides the same sample again.
    let shown = frames.last().and_then(acknowledged).unwrap_or(0);
    report.count("decisions", shown as f64, "", None);
    let lost = shown.saturating_sub(sandbox.journal().len());
    report.count("decisions shown as saved that are not", lost as f64, "", Some(0.0));
    let few = (count / 2).saturating_sub(shown);
    report.count("decisions short of half the samples", few as f64, "", Some(0.0));
    report.count("keys without a frame", (pressed.len() - times.len()) as f64, "", Some(0.0));
    report.times("a decision while they run", times, None, Some(LONGEST));
    super::keys::quit(terminal);
    let list = sandbox.ok(["plugins", "list", "--json", "--plugins", folder.to_str().unwrap()]);
    let list = json(&list);
    let aside = list["detectors"].as_array().unwrap().iter().filter(|one| one.get("set_aside").is_some());
    let not_run = 1_usize.saturating_sub(aside.count());
    report.count("none of them ran", not_run as f64, "", Some(0.0));
    report
}
