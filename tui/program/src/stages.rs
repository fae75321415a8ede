//! Progress and cancellation for commands that work without an engine.

use super::interrupt;
use super::progress::Display;
use anyhow::Result;
use chaffinch_compute::job::Job;
use chaffinch_protocol::Progress;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Reports the progress of stages, and stops them on Ctrl-C.
pub(super) struct Stages {
    stop: Arc<AtomicBool>,
    display: Mutex<Display>,
    count: u32,
}

impl Stages {
    /// For a command with `count` stages.
    pub(super) fn new(count: u32, quiet: bool) -> Result<Stages> {
        Ok(Stages { stop: interrupt::flag()?, display: Mutex::new(Display::new(quiet)), count })
    }

    /// Runs stage `number`, counted from 1.
    pub(super) fn run<T>(&self, name: &str, number: u32, work: impl FnOnce(&Job<'_>) -> T) -> T {
        let report = |done, total| {
            let step = (number, self.count);
            let progress = Progress { stage: name.into(), done, total, step, ..Progress::default() };
            self.display().progress(&progress);
        };
        report(0, 0);
        work(&Job::new(&self.stop, &report))
    }

    /// Prints a remark without disturbing the progress.
    pub(super) fn line(&self, text: &str) {
        self.display().line(text);
    }

    /// Removes the progress.
    pub(super) fn finish(&self) {
        self.display().finish();
    }

    /// Whether Ctrl-C was pressed.
    pub(super) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn display(&self) -> MutexGuard<'_, Display> {
        self.display.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
