//! A real tmux between the program and the terminal.

use super::{Report, Scale, milliseconds};
use crate::answers::Manner;
use crate::graphics::Kitty;
use crate::pictures;
use crate::process;
use crate::sandbox::Sandbox;
use crate::terminal::{PATIENCE, Terminal};
use std::process::Command;
use std::time::{Duration, Instant};

struct Tmux<'a> {
    sandbox: &'a Sandbox,
    socket: String,
}

impl Tmux<'_> {
    fn run(&self, args: &[&str]) -> String {
        let mut tmux = Command::new("tmux");
        tmux.args(["-S", &self.socket]).args(args).env_clear().envs(self.sandbox.environment());
        let output = tmux.output().expect("tmux");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn terminal(&self, first: bool, term: &str) -> Terminal {
        let mut tmux = Command::new("tmux");
        tmux.args(["-S", &self.socket, "-f", "/dev/null"]);
        if first {
            let inner = self.sandbox.command(["open", self.sandbox.session().to_str().unwrap()]);
            tmux.args(["new-session", "-s", "t", "-x", "120", "-y", "40"]);
            tmux.arg(inner.get_program()).args(inner.get_args());
        } else {
            tmux.args(["attach-session", "-t", "t"]);
        }
        tmux.env_clear().envs(self.sandbox.environment()).env("TERM", term).current_dir(self.sandbox.path());
        if term.contains("256") {
            tmux.env("COLORTERM", "truecolor");
        }
        Terminal::start_as(&tmux, 120, 40, Manner::kitty())
    }
}

impl Drop for Tmux<'_> {
    fn drop(&mut self) {
        self.run(&["kill-server"]);
    }
}

/// The longest graphics sequence received.
fn longest(tap: &[u8]) -> usize {
    let starts = tap.windows(3).enumerate().filter(|(_, window)| *window == b"\x1b_G").map(|(at, _)| at);
    let length = |at: usize| tap[at..].windows(2).position(|pair| pair == b"\x1b\\").map_or(0, |end| end + 2);
    starts.map(length).max().unwrap_or(0)
}

/// A complete picture and the cells that show it are present.
fn shows(terminal: &Terminal) -> bool {
    let kitty = Kitty::read(&terminal.tap());
    !kitty.images.is_empty() && terminal.screen().matches('\u{10eeee}').count() > 50
}

pub(super) fn tmux(scale: Scale) -> Report {
    let mut report = Report::default();
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 3, 12, 240);
    sandbox.scan();
    let tmux =
        Tmux { sandbox: &sandbox, socket: sandbox.path().join("tmux.sock").to_str().unwrap().to_owned() };
    let mut terminal = tmux.terminal(true, "xterm-256color");
    terminal.wait("a list", |screen| screen.contains("no suspects") || screen.contains(".png"));
    terminal.keys("T");
    let pane = tmux.run(&["list-panes", "-s", "-t", "t", "-F", "#{pane_id}"]);
    assert!(process::wait_for(PATIENCE, || shows(&terminal)).is_ok(), "{}", terminal.screen());
    terminal.settle(Duration::from_millis(1_000));
    let mut most = longest(&terminal.tap());
    let (mut hidden_bytes, mut back, mut attached) = (0, Vec::new(), Vec::new());
    for round in 0..scale.of(10, 2) {
        tmux.run(&["new-window", "-t", "t", "cat"]);
        std::thread::sleep(Duration::from_millis(1_200));
        let before = Kitty::read(&terminal.tap()).sent.iter().sum::<usize>();
        tmux.run(&["send-keys", "-t", &pane, if round % 2 == 0 { "jjjj" } else { "kkkk" }]);
        std::thread::sleep(Duration::from_millis(1_000));
        hidden_bytes += Kitty::read(&terminal.tap()).sent.iter().sum::<usize>() - before;
        let count = Kitty::read(&terminal.tap()).sent.len();
        let selected = Instant::now();
        tmux.run(&["kill-window", "-t", "t:1"]);
        let came = process::wait_for(PATIENCE, || {
            Kitty::read(&terminal.tap()).sent.len() > count && shows(&terminal)
        });
        assert!(came.is_ok(), "no picture in the window that is back\n{}", terminal.screen());
        back.push(milliseconds(selected.elapsed()));
        most = most.max(longest(&terminal.tap()));

        // Another terminal, which holds no pictures, alternately one without 24-bit color.
        terminal.hang_up();
        let started = Instant::now();
        let term = if round % 2 == 0 { "xterm-256color" } else { "xterm" };
        terminal = tmux.terminal(false, term);
        let came = process::wait_for(PATIENCE, || shows(&terminal));
        assert!(came.is_ok(), "no picture after attaching as {term}\n{}", terminal.screen());
        attached.push(milliseconds(started.elapsed()));
        assert_eq!(Kitty::read(&terminal.tap()).wrong, Vec::<String>::new());
        most = most.max(longest(&terminal.tap()));
        terminal.settle(Duration::from_millis(800));
    }
    tmux.run(&["set-option", "-t", "t", "remain-on-exit", "on"]);
    tmux.run(&["send-keys", "-t", &pane, "q"]);
    let dead =
        process::wait_for(PATIENCE, || tmux.run(&["list-panes", "-t", "t:0", "-F", "#{pane_dead}"]) == "1");
    assert!(dead.is_ok(), "{}", terminal.screen());
    assert_eq!(
        tmux.run(&["show-options", "-p", "-v", "-t", &pane, "allow-passthrough"]),
        "",
        "an option was left"
    );
    report.count("bytes of pictures while the window is hidden", hidden_bytes as f64, "B", Some(0.0));
    report.count("longest sequence through tmux", most as f64 / 1024.0, "KiB", Some(64.0));
    report.times("window selected to a whole picture", back, None, Some(1_000.0));
    report.times("attached to a whole picture", attached, None, Some(1_000.0));
    report
}
