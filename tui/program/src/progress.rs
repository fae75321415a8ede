//! Shows progress: a bar if stderr is a terminal, otherwise a line every few seconds.

use super::events::{self, Pace};
use super::output::{count, duration, thousands, warning};
use chaffinch_protocol::Progress;
use chaffinch_protocol::display::safe_text;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Minimum time between lines.
const LINES_EVERY: Duration = Duration::from_secs(5);

/// Displays progress and remarks during a scan.
pub(super) enum Display {
    /// Only warnings.
    Quiet,
    /// A progress bar.
    Bar(ProgressBar),
    /// Lines for a log file.
    Lines(Lines),
    /// JSON for programs.
    Json(Pace),
}

/// The last line, to keep log files short.
pub(super) struct Lines {
    /// Its number and name: two steps may have the same name.
    stage: (u32, String),
    printed: Instant,
}

impl Display {
    /// Chooses a display that suits stderr.
    pub(super) fn new(quiet: bool) -> Display {
        if quiet {
            return Display::Quiet;
        }
        if events::wanted() {
            return Display::Json(Pace::default());
        }
        if !std::io::stderr().is_terminal() {
            return Display::Lines(Lines { stage: (0, String::new()), printed: Instant::now() });
        }
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(10));
        if let Ok(style) = ProgressStyle::with_template("{prefix:>9} {bar:32} {wide_msg}") {
            bar.set_style(style.progress_chars("##-"));
        }
        Display::Bar(bar)
    }

    /// Shows a progress report.
    pub(super) fn progress(&mut self, progress: &Progress) {
        match self {
            Display::Quiet => {}
            Display::Bar(bar) => {
                bar.set_length(progress.total.max(1));
                bar.set_position(progress.done.min(progress.total));
                bar.set_prefix(format!("{}/{}", progress.step.0, progress.step.1));
                bar.set_message(words(progress));
            }
            Display::Lines(lines) => lines.progress(progress),
            Display::Json(pace) => pace.progress(progress),
        }
    }

    /// A line of the engine's log.
    pub(super) fn line(&self, text: &str) {
        self.around(|| super::output::remark(&safe_text(text)));
    }

    /// A warning during the scan.
    pub(super) fn trouble(&self, about: &str, message: &str) {
        self.around(|| warning(about, message));
    }

    /// Removes the bar.
    pub(super) fn finish(&self) {
        if let Display::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }

    fn around(&self, write: impl FnOnce()) {
        match self {
            Display::Bar(bar) => bar.suspend(write),
            _ => write(),
        }
    }
}

impl Lines {
    fn progress(&mut self, progress: &Progress) {
        let (step, steps) = progress.step;
        let new = (self.stage.0, &self.stage.1) != (step, &progress.stage);
        if !new && self.printed.elapsed() < LINES_EVERY {
            return;
        }
        self.stage = (step, progress.stage.clone());
        self.printed = Instant::now();
        let _ = writeln!(std::io::stderr().lock(), "[{step}/{steps}] {}", words(progress));
    }
}

/// `embed 1,200 of 50,000, 35/s, 23 min 14 s left`.
fn words(progress: &Progress) -> String {
    let mut text = safe_text(&progress.stage).into_owned();
    if progress.total > 0 {
        text += &format!(" {} of {}", thousands(progress.done), thousands(progress.total));
    } else if progress.done > 0 {
        text += &format!(" {}", count(progress.done, "done", "done"));
    }
    if progress.rate >= 10.0 {
        text += &format!(", {}/s", thousands(progress.rate.round() as u64));
    } else if progress.rate > 0.0 {
        text += &format!(", {:.1}/s", progress.rate);
    }
    if let Some(left) = progress.remaining.filter(|left| *left >= 1.0) {
        text += &format!(", {} left", duration(left));
    }
    text
}

/// The download of a model's files, in bytes.
pub(super) struct Downloads {
    model: String,
    quiet: bool,
    file: String,
    bar: Option<ProgressBar>,
    pace: Pace,
}

impl Downloads {
    pub(super) fn new(model: &str, quiet: bool) -> Downloads {
        Downloads {
            model: safe_text(model).into_owned(),
            quiet,
            file: String::new(),
            bar: None,
            pace: Pace::default(),
        }
    }

    /// Shows that `done` of `total` bytes of a file are there; `total` is 0 if unknown.
    pub(super) fn show(&mut self, file: &str, done: u64, total: u64) {
        if self.quiet {
            return;
        }
        if events::wanted() {
            return self.pace.download(&self.model, file, done, total);
        }
        if self.file != file {
            self.finish();
            self.file = file.to_owned();
            if !std::io::stderr().is_terminal() {
                super::output::remark(&download_words(&self.model, file, total));
                return;
            }
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(10));
            let template = "{prefix} {bar:24} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("##-"));
            }
            bar.set_prefix(safe_text(file).into_owned());
            self.bar = Some(bar);
        }
        if let Some(bar) = &self.bar {
            bar.set_length(total.max(done));
            bar.set_position(done);
        }
    }

    /// Removes the bar.
    pub(super) fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// `downloading model.safetensors of owner/name, 577.20 MiB`.
fn download_words(model: &str, file: &str, total: u64) -> String {
    let size = if total > 0 { format!(", {}", indicatif::BinaryBytes(total)) } else { String::new() };
    format!("downloading {} of {model}{size}", safe_text(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn downloads_are_told_in_bytes() {
        assert_eq!(
            download_words("a/b", "model.safetensors", 3 << 20),
            "downloading model.safetensors of a/b, 3.00 MiB"
        );
        assert_eq!(download_words("a/b", "config.json", 0), "downloading config.json of a/b");
    }

    #[test]
    fn progress_is_readable() {
        let mut progress = Progress { stage: "embed".into(), ..Progress::default() };
        assert_eq!(words(&progress), "embed");
        progress = Progress { done: 1200, total: 50_000, rate: 35.4, remaining: Some(1394.0), ..progress };
        assert_eq!(words(&progress), "embed 1,200 of 50,000, 35/s, 23 min 14 s left");
    }
}
