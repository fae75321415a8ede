//! The stages of a command that does its work itself: how far each is, and when to stop.

use super::interrupt;
use super::progress::Display;
use anyhow::Result;
use chaffinch_compute::job::Job;
use chaffinch_protocol::Progress;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where stages report, and what Ctrl-C stops.
pub(super) struct Stages {
    stop: Arc<AtomicBool>,
    display: Mutex<Display>,
    count: u32,
}

impl Stages {
    /// `count` stages are to come.
    pub(super) fn new(count: u32, quiet: bool) -> Result<Stages> {
        Ok(Stages { stop: interrupt::flag()?, display: Mutex::new(Display::new(quiet)), count })
    }

    /// Runs stage `number`, which counts from 1.
    pub(super) fn run<T>(&self, name: &str, number: u32, work: impl FnOnce(&Job<'_>) -> T) -> T {
        let tell = |done, total| {
            let step = (number, self.count);
            let progress = Progress { stage: name.into(), done, total, step, ..Progress::default() };
            self.display().progress(&progress);
        };
        tell(0, 0);
        work(&Job::new(&self.stop, &tell))
    }

    /// A remark that does not disturb the progress.
    pub(super) fn line(&self, text: &str) {
        self.display().line(text);
    }

    /// Takes the progress away.
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
