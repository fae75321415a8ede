//! The terminal goes away.

use super::screen::listed;
use super::{Report, Scale, milliseconds};
use crate::pictures;
use crate::process;
use crate::sandbox::Sandbox;
use crate::terminal::Terminal;
use std::process::Command;
use std::time::{Duration, Instant};

pub(super) fn lost(scale: Scale) -> Report {
    let mut report = Report::default();
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 10, 30, 32);
    sandbox.scan();
    let (mut gone, mut burnt, mut again) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..scale.of(20, 2) {
        let plain = sandbox.command(["open", sandbox.session().to_str().unwrap()]);
        let mut terminal = if round % 2 == 1 {
            // As under nohup: the signal does not come.
            let mut shell = Command::new("sh");
            shell
                .args(["-c", "trap '' HUP; exec \"$0\" \"$@\""])
                .arg(plain.get_program())
                .args(plain.get_args());
            shell.envs(sandbox.environment()).current_dir(sandbox.path());
            Terminal::start(&shell, 100, 30)
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
            // Also of a process that has ended and was not waited for yet.
            last = process::cpu_seconds(pid).unwrap_or(last);
            !process::alive(pid)
        });
        assert!(over.is_ok(), "the program outlives its terminal");
        gone.push(milliseconds(lost.elapsed()));
        burnt.push(process::cpu_seconds(pid).unwrap_or(last) - used);
        terminal.end(Duration::from_secs(5));
        assert_eq!(sandbox.journal().len(), round + 1, "a saved decision is there");
    }
    report.times("terminal lost: gone after", gone, None, Some(1_000.0));
    burnt.sort_by(f64::total_cmp);
    report.time("processor time after the loss, most", super::percentile(&burnt, 1.0), "s", Some(0.05));
    report.times("opened again to the list", again, None, Some(500.0));
    report
}
