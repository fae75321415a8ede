//! Bytes and writes per interaction.

use super::keys::quit;
use super::screen::listed;
use super::{Report, Scale};
use crate::pictures;
use crate::sandbox::Sandbox;
use crate::terminal::Terminal;
use std::process::Stdio;
use std::time::Duration;

/// Write system calls of a process so far.
fn writes(pid: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/io")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("syscw: ")).and_then(|count| count.parse().ok())
}

/// Bytes and writes after a key, including everything that follows.
fn cost(terminal: &Terminal, key: &str) -> (f64, f64, f64) {
    let (bytes, count) = (terminal.tap().len(), writes(terminal.pid()));
    let frames = terminal.record().frames().len();
    terminal.keys(key);
    terminal.settle(Duration::from_millis(350));
    let written = count.zip(writes(terminal.pid())).map_or(0, |(before, after)| after - before);
    let drawn = terminal.record().frames().len() - frames;
    ((terminal.tap().len() - bytes) as f64, written as f64, drawn as f64)
}

fn largest(costs: &[(f64, f64, f64)]) -> f64 {
    costs.iter().map(|cost| cost.0).fold(0.0, f64::max)
}

fn median(costs: &[(f64, f64, f64)]) -> f64 {
    let mut bytes: Vec<f64> = costs.iter().map(|cost| cost.0).collect();
    bytes.sort_by(f64::total_cmp);
    super::percentile(&bytes, 0.5)
}

pub(super) fn bytes(scale: Scale) -> Report {
    let mut report = Report::default();
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 10, 30, 32);
    sandbox.scan();
    let open = |extra: &[&str]| {
        let session = sandbox.session();
        let command = sandbox.command([&["open", session.to_str().unwrap()], extra].concat());
        Terminal::start(&command, 120, 40)
    };
    let terminal = open(&["--pictures", "off"]);
    listed(&terminal);
    terminal.keys("Tgg");
    // The last message disappears from the screen after some seconds.
    std::thread::sleep(Duration::from_secs(10));
    terminal.settle(Duration::from_millis(500));

    let before = terminal.tap().len();
    std::thread::sleep(Duration::from_secs(scale.of(10, 3)));
    report.count("idle", (terminal.tap().len() - before) as f64, "B", Some(0.0));
    let nothing = cost(&terminal, "k");
    report.count("a key that changes nothing (k at the top)", nothing.0, "B", Some(0.0));

    let moves: Vec<_> = (0..30).map(|_| cost(&terminal, "j")).collect();
    report.count("cursor move without a picture, median", median(&moves), "B", Some(450.0));
    report.count("cursor move without a picture, most", largest(&moves), "B", None);
    let frames: f64 = moves.iter().map(|cost| cost.2).sum();
    let written: f64 = moves.iter().map(|cost| cost.1).sum();
    report.count("frames a cursor move (row, then details)", frames / moves.len() as f64, "", Some(2.0));
    report.count("writes a text frame", written / frames.max(1.0), "", Some(1.0));
    quit(terminal);

    let terminal = open(&["--pictures", "off"]);
    listed(&terminal);
    // The last row of the page: every step scrolls.
    terminal.keys("gg");
    terminal.settle(Duration::from_millis(500));
    let steps: Vec<_> = (0..scale.of(60, 40)).map(|_| cost(&terminal, "j")).collect();
    report.count("cursor move and page turns, most", largest(&steps), "B", None);
    let mean = steps.iter().map(|cost| cost.0).sum::<f64>() / steps.len() as f64;
    report.count("a line further down a long list, mean", mean, "B", Some(1_200.0));
    quit(terminal);

    let terminal = open(&[]);
    listed(&terminal);
    terminal.keys("gg");
    terminal.settle(Duration::from_millis(800));
    let moves: Vec<_> = (0..scale.of(20, 8)).map(|_| cost(&terminal, "j")).collect();
    report.count("cursor move with a picture of half-blocks, median", median(&moves), "B", None);
    quit(terminal);

    // While a scan is running in the same program.
    let busy = Sandbox::new();
    // Enough for the scan to outlast the measurement.
    pictures::dataset(&busy.data(), 10, scale.of(3_000, 60), 96);
    let (data, session) = (busy.data(), busy.session());
    let mut command = busy.command(["open", data.to_str().unwrap(), "--session", session.to_str().unwrap()]);
    command.args(["--pictures", "off"]).stderr(Stdio::null());
    let terminal = Terminal::start(&command, 120, 40);
    terminal.wait("progress", |screen| screen.contains('%'));
    std::thread::sleep(Duration::from_millis(700));
    let before = terminal.tap().len();
    let length = scale.of(10.0, 2.0);
    std::thread::sleep(Duration::from_secs_f64(length));
    let rate = (terminal.tap().len() - before) as f64 / length;
    report.time("idle while a scan runs", rate, "B/s", Some(100.0));
    quit(terminal);
    report
}
