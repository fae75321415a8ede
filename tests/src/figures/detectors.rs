//! Decisions while every detector that misbehaves does so.

use super::screen::{self, listed};
use super::{Report, Scale, milliseconds};
use crate::misbehavior::{LIMITS, Programs};
use crate::process;
use crate::terminal::{PATIENCE, Terminal};
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
    let saved = process::wait_for(PATIENCE, || sandbox.journal().len() >= pressed.len());
    terminal.settle(Duration::from_millis(500));
    let frames = screen::frames(&terminal.record(), SIZE.0, SIZE.1);
    let during = frames.iter().filter(|frame| frame.text.contains("detectors")).count();
    let mut times = Vec::new();
    for at in &pressed {
        let first = frames.partition_point(|frame| frame.at <= *at);
        times.extend(frames.get(first).map(|frame| milliseconds(frame.at - *at)));
    }
    report.count("detectors that misbehave", bad as f64, "", None);
    report.count("frames that show them running", during as f64, "", None);
    let lost = if saved.is_ok() { 0 } else { pressed.len() - sandbox.journal().len() };
    report.count("decisions that were not saved", lost as f64, "", Some(0.0));
    report.count("keys without a frame", (pressed.len() - times.len()) as f64, "", Some(0.0));
    report.times("a decision while they run", times, None, Some(LONGEST));
    super::keys::quit(terminal);
    report
}
