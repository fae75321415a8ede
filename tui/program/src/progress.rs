//! Shows how far a scan is: a bar where stderr is a terminal, a plain line now and then elsewhere.

use super::output::{count, duration, thousands, warning};
use chaffinch_protocol::Progress;
use chaffinch_protocol::display::safe_text;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Plain lines come at most this often.
const LINES_EVERY: Duration = Duration::from_secs(5);

/// Where progress and remarks of a running scan go.
pub(super) enum Display {
    /// Nothing is shown but warnings.
    Quiet,
    /// One bar that is redrawn.
    Bar(ProgressBar),
    /// Lines for a log file.
    Lines(Lines),
}

/// What was last written, so that a log file stays short.
pub(super) struct Lines {
    stage: String,
    told: Instant,
}

impl Display {
    /// Chooses by what stderr is.
    pub(super) fn new(quiet: bool) -> Display {
        if quiet {
            return Display::Quiet;
        }
        if !std::io::stderr().is_terminal() {
            return Display::Lines(Lines { stage: String::new(), told: Instant::now() });
        }
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(10));
        if let Ok(style) = ProgressStyle::with_template("{prefix:>9} {bar:32} {wide_msg}") {
            bar.set_style(style.progress_chars("##-"));
        }
        Display::Bar(bar)
    }

    /// Takes one report.
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
        }
    }

    /// A line of the engine's log.
    pub(super) fn line(&self, text: &str) {
        self.around(|| super::output::remark(&safe_text(text)));
    }

    /// Something that went wrong while the scan goes on.
    pub(super) fn trouble(&self, about: &str, message: &str) {
        self.around(|| warning(about, message));
    }

    /// Takes the bar away.
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
        let new = self.stage != progress.stage;
        if !new && self.told.elapsed() < LINES_EVERY {
            return;
        }
        self.stage.clone_from(&progress.stage);
        self.told = Instant::now();
        let (step, steps) = progress.step;
        let _ = writeln!(std::io::stderr().lock(), "[{step}/{steps}] {}", words(progress));
    }
}

/// `embed 1,200 of 50,000, 35 a second, 23 min 14 s left`.
fn words(progress: &Progress) -> String {
    let mut text = safe_text(&progress.stage).into_owned();
    if progress.total > 0 {
        text += &format!(" {} of {}", thousands(progress.done), thousands(progress.total));
    } else if progress.done > 0 {
        text += &format!(" {}", count(progress.done, "done", "done"));
    }
    if progress.rate >= 10.0 {
        text += &format!(", {} a second", thousands(progress.rate.round() as u64));
    } else if progress.rate > 0.0 {
        text += &format!(", {:.1} a second", progress.rate);
    }
    if let Some(left) = progress.remaining.filter(|left| *left >= 1.0) {
        text += &format!(", {} left", duration(left));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_said_in_words() {
        let mut progress = Progress { stage: "embed".into(), ..Progress::default() };
        assert_eq!(words(&progress), "embed");
        progress = Progress { done: 1200, total: 50_000, rate: 35.4, remaining: Some(1394.0), ..progress };
        assert_eq!(words(&progress), "embed 1,200 of 50,000, 35 a second, 23 min 14 s left");
    }
}
