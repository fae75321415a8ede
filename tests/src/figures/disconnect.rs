//! Losing the terminal.

use super::screen::listed;
use super::{Report, Scale, milliseconds};
use crate::artefacts::program;
use crate::pictures;
use crate::process;
use crate::sandbox::Sandbox;
use crate::terminal::Terminal;
use std::time::{Duration, Instant};

/// A scan continues when its terminal is lost, and another terminal attaches to it.
fn going_on(report: &mut Report) {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 10, 250, 96);
    let (data, session) = (sandbox.data(), sandbox.session());
    let args = ["open", data.to_str().unwrap(), "--session", session.to_str().unwrap(), "--pictures", "off"];
    let engines = || {
        let mut all = process::running(program(), session.to_str().unwrap());
        all.retain(|pid| process::is_engine(*pid));
        all
    };
    let mut seen = Vec::new();
    for _ in 0..2 {
        // On one thread, so that the scan takes longer than both rounds on a fast machine as well.
        let mut command = sandbox.command(args);
        command.env("RAYON_NUM_THREADS", "1");
        let mut terminal = Terminal::start(&command, 100, 30);
        terminal.wait("progress", |screen| screen.contains('%') && screen.contains("embed"));
        let pid = terminal.pid();
        seen.push(engines());
        terminal.hang_up();
        let over = process::wait_for(Duration::from_secs(10), || !process::alive(pid));
        assert!(over.is_ok(), "the program outlives its terminal");
        terminal.end(Duration::from_secs(5));
        // Longer than anything needs to exit.
        std::thread::sleep(Duration::from_millis(1_500));
    }
    assert!(seen[0].len() == 1 && seen[0] == seen[1], "one engine all the time: {seen:?}");
    let ended = engines() != seen[0];
    let done = process::wait_for(Duration::from_secs(600), || engines().is_empty());
    assert!(done.is_ok(), "the engine does not end after its scan");
    let left = crate::sandbox::number(&sandbox.scan(), "embedded");
    // An engine that has exited by now may just have been fast.
    let cut = f64::from(u8::from(ended && left > 0));
    report.count("scans that ended with their terminal", cut, "", Some(0.0));
    report.count("embeddings left for a second scan", left as f64, "", Some(0.0));
}

pub(super) fn lost(scale: Scale) -> Report {
    let mut report = Report::default();
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 10, 30, 32);
    sandbox.scan();
    let (mut gone, mut burnt, mut again) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..scale.of(20, 2) {
        let plain = sandbox.command(["open", sandbox.session().to_str().unwrap()]);
        let mut terminal = if round % 2 == 1 {
            Terminal::start(&sandbox.without_hang_up(&plain), 100, 30)
        } else {
            Terminal::start(&plain, 100, 30)
        };
        let started = Instant::now();
        terminal.wait("the list", |screen| screen.contains(".png") || screen.contains(".jpg"));
        if round > 0 {
            again.push(milliseconds(started.elapsed()));
        }
        listed(&terminal);
        terminal.keys("a");
        terminal.wait_text("saved");
        let pid = terminal.pid();
        let used = process::cpu_seconds(pid).unwrap();
        let mut last = used;
        let lost = Instant::now();
        terminal.hang_up();
        let over = process::wait_for(Duration::from_secs(10), || {
            // Also for a process that has exited but was not waited for yet.
            last = process::cpu_seconds(pid).unwrap_or(last);
            !process::alive(pid)
        });
        assert!(over.is_ok(), "the program outlives its terminal");
        gone.push(milliseconds(lost.elapsed()));
        burnt.push(process::cpu_seconds(pid).unwrap_or(last) - used);
        terminal.end(Duration::from_secs(5));
        assert_eq!(sandbox.journal().len(), round + 1, "a saved decision is there");
    }
    going_on(&mut report);
    report.times("terminal lost: gone after", gone, None, Some(1_000.0));
    burnt.sort_by(f64::total_cmp);
    report.time("processor time after the loss, most", super::percentile(&burnt, 1.0), "s", Some(0.05));
    report.times("opened again to the list", again, None, Some(500.0));
    report
}
