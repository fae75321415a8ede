//! What goes to stderr as JSON, one object a line, with `--progress json`. `configs/schema/progress.schema.json`, made by
//! `schema.rs`, describes it.

use chaffinch_protocol::Progress;
use chaffinch_protocol::display::safe_text;
use serde::Serialize;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The version of the lines.
const SCHEMA: u32 = 1;

/// Minimum time between two lines about the same step.
const EVERY: Duration = Duration::from_millis(500);

/// When the program began to write JSON; unset if it writes for people.
static BEGAN: OnceLock<Instant> = OnceLock::new();

/// What a line is about.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Event<'a> {
    /// How far a step is.
    Progress {
        stage: &'a str,
        /// The step, counted from 1, and how many there are.
        step: u32,
        steps: u32,
        done: u64,
        /// 0 if it is not known.
        total: u64,
        /// Per second; 0 if it is not known.
        rate: f64,
        /// Seconds that are left.
        remaining: Option<f64>,
    },
    /// How much of a file is there, in bytes.
    Download { model: &'a str, file: &'a str, done: u64, total: u64 },
    /// Something worth knowing.
    Remark { text: &'a str },
    /// Something that failed without stopping the rest.
    Warning { about: &'a str, text: &'a str },
    /// Why the command failed.
    Error { text: &'a str },
    /// The last line: the exit status, and seconds since the start.
    End { status: u8, seconds: f64 },
}

#[derive(Serialize)]
struct Line<'a> {
    schema: u32,
    #[serde(flatten)]
    event: &'a Event<'a>,
}

/// From now on, everything on stderr is JSON.
pub(super) fn begin() {
    let _ = BEGAN.set(Instant::now());
}

/// Whether everything on stderr is JSON.
pub(super) fn wanted() -> bool {
    BEGAN.get().is_some()
}

/// Writes a line, and ignores errors, as for every other remark.
pub(super) fn write(event: &Event<'_>) {
    let Ok(mut line) = serde_json::to_vec(&Line { schema: SCHEMA, event }) else { return };
    line.push(b'\n');
    let _ = io::stderr().lock().write_all(&line);
}

/// Passes on a line of another of our programs, which was told to write JSON: its progress and its remarks as they are, its
/// error as a warning about `about`, because the failure of this command has its own. Its last line is not the last one here.
pub(super) fn pass(about: &str, line: &[u8]) {
    let text = String::from_utf8_lossy(line);
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(line) else {
        // A library of a detector may write to stderr as well.
        if !text.trim().is_empty() {
            write(&Event::Remark { text: &safe_text(text.trim()) });
        }
        return;
    };
    match value["type"].as_str() {
        Some("end") => {}
        Some("error") => {
            write(&Event::Warning { about, text: value["text"].as_str().unwrap_or_default() });
        }
        _ => {
            let mut whole = line.to_vec();
            whole.push(b'\n');
            let _ = io::stderr().lock().write_all(&whole);
        }
    }
}

/// Writes the last line.
pub(super) fn end(code: ExitCode) {
    let Some(began) = BEGAN.get() else { return };
    let status = (0..=u8::MAX).find(|&status| ExitCode::from(status) == code).unwrap_or(u8::MAX);
    write(&Event::End { status, seconds: began.elapsed().as_secs_f64() });
}

/// Decides which reports of a step are written: its first, its last, and one every half second.
#[derive(Debug, Default)]
pub(super) struct Pace {
    last: Option<((u32, String), Instant)>,
}

impl Pace {
    /// Writes a report of progress, unless another was written a moment ago.
    pub(super) fn progress(&mut self, progress: &Progress) {
        let (step, steps) = progress.step;
        let complete = progress.total > 0 && progress.done >= progress.total;
        if !complete && !self.is_due(step, &progress.stage) {
            return;
        }
        self.last = Some(((step, progress.stage.clone()), Instant::now()));
        write(&Event::Progress {
            stage: &safe_text(&progress.stage),
            step,
            steps,
            done: progress.done,
            total: progress.total,
            rate: progress.rate,
            remaining: progress.remaining,
        });
    }

    /// Writes how much of a file is there, unless that was written a moment ago.
    pub(super) fn download(&mut self, model: &str, file: &str, done: u64, total: u64) {
        if (total > 0 && done >= total) || self.is_due(0, file) {
            self.last = Some(((0, file.to_owned()), Instant::now()));
            write(&Event::Download { model, file: &safe_text(file), done, total });
        }
    }

    fn is_due(&self, step: u32, name: &str) -> bool {
        self.last.as_ref().is_none_or(|((last, stage), at)| {
            (*last, stage.as_str()) != (step, name) || at.elapsed() >= EVERY
        })
    }
}
