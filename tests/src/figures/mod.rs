//! The limits for a terminal program over a bad link, each measured through a real pseudo-terminal.
//!
//! Every figure is a function that sets up what it needs, measures, checks what must hold at any speed, and returns
//! its numbers. The short form runs as a test and checks only bytes and counts; the full form is the program
//! `figures`, whose numbers are in `docs/benchmarks.md`.

mod bytes;
mod detectors;
mod dialogs;
mod disconnect;
mod exponents;
mod keys;
mod kills;
mod matrix;
mod memory;
mod pictures;
mod rows;
mod screen;
mod soak;
mod tmux;
mod triage;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// Full size; otherwise just enough to check that they can be measured.
    pub full: bool,
}

impl Scale {
    /// One of two numbers.
    fn of<T>(self, full: T, short: T) -> T {
        if self.full { full } else { short }
    }
}

/// One number.
#[derive(Clone, Debug)]
pub struct Number {
    /// What it counts.
    pub what: String,
    /// The number.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// Its maximum.
    pub limit: Option<f64>,
    /// Whether it depends on the machine and its load.
    pub timed: bool,
}

impl Number {
    /// Whether it is within its limit.
    pub fn held(&self) -> bool {
        self.limit.is_none_or(|limit| self.value <= limit)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = if self.value.fract() == 0.0 || self.value >= 1000.0 { 0 } else { 2 };
        write!(f, "{:<58} {:>10.digits$} {:<5}", self.what, self.value, self.unit)?;
        match self.limit {
            Some(limit) if self.held() => write!(f, " <= {limit}"),
            Some(limit) => write!(f, " MISSED, <= {limit}"),
            None => Ok(()),
        }
    }
}

/// The results of a figure.
#[derive(Clone, Debug, Default)]
pub struct Report(pub Vec<Number>);

impl Report {
    fn count(&mut self, what: impl Into<String>, value: f64, unit: &'static str, limit: Option<f64>) {
        self.0.push(Number { what: what.into(), value, unit, limit, timed: false });
    }

    fn time(&mut self, what: impl Into<String>, value: f64, unit: &'static str, limit: Option<f64>) {
        self.0.push(Number { what: what.into(), value, unit, limit, timed: true });
    }

    /// Median, 99th percentile and maximum of some times in milliseconds.
    fn times(&mut self, what: &str, mut all: Vec<f64>, p99: Option<f64>, most: Option<f64>) {
        all.sort_by(f64::total_cmp);
        self.time(format!("{what}, median of {}", all.len()), percentile(&all, 0.5), "ms", None);
        self.time(format!("{what}, 99th percentile"), percentile(&all, 0.99), "ms", p99);
        self.time(format!("{what}, maximum"), percentile(&all, 1.0), "ms", most);
    }

    /// Numbers that do not depend on the machine and are beyond their limits.
    pub fn broken(&self) -> Vec<String> {
        self.0.iter().filter(|number| !number.timed && !number.held()).map(Number::to_string).collect()
    }
}

/// The quantile of a sorted list; 0 if it is empty.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * share).ceil() as usize).copied().unwrap_or(0.0)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// A figure: its name, what it is about, and how it is measured.
pub type Figure = (&'static str, &'static str, fn(Scale) -> Report);

/// All of them.
pub const ALL: [Figure; 15] = [
    ("keys", "key to frame while a scan uses every core", keys::key_to_frame),
    ("pictures", "the first picture after a key", pictures::first_picture),
    ("bytes", "bytes and writes", bytes::bytes),
    ("kills", "decisions after kills", kills::kills),
    ("lost", "the terminal is lost", disconnect::lost),
    ("tmux", "a real tmux", tmux::tmux),
    ("held", "a held key over a slow link", pictures::held_key),
    ("garbage", "late answers of many terminals", matrix::garbage),
    ("rows", "ten million rows", rows::rows),
    ("dialogs", "dialogs about a million samples", dialogs::dialogs),
    ("triage", "keys a decision", triage::triage),
    ("detectors", "decisions while detectors misbehave", detectors::detectors),
    ("memory", "many pictures, some of them huge, within one budget", memory::memory),
    ("exponents", "how work grows with files, copies, groups, classes and notes", exponents::exponents),
    ("soak", "an hour of use", soak::soak),
];

/// A session with this many synthetic rows, created once and kept in cargo's target folder.
fn synthetic(count: usize) -> PathBuf {
    let place = crate::artefacts::keep_dir(&format!("figures-{count}"));
    let (session, data) = (place.join("session"), place.join("data"));
    if !place.join("made").is_file() {
        let _ = std::fs::remove_dir_all(&session);
        crate::synthetic::session(&session, &data, count, 100);
        std::fs::write(place.join("made"), "").unwrap();
    }
    for left in ["decisions", "views"] {
        let left = session.join(left);
        let _ = if left.is_dir() { std::fs::remove_dir_all(left) } else { std::fs::remove_file(left) };
    }
    session
}
