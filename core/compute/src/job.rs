//! Progress and cancellation of long computations.

use crate::{Error, Result};
use std::sync::atomic::{AtomicBool, Ordering};

/// Lent to every long computation: reports progress, and tells when to stop.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    stop: &'a AtomicBool,
    progress: &'a (dyn Fn(u64, u64) + Sync),
}

/// The parts in which each step of a job is counted.
const PARTS: u64 = 1000;

/// Never set.
static NEVER: AtomicBool = AtomicBool::new(false);

impl Job<'static> {
    /// A job without progress that is never stopped.
    pub fn unwatched() -> Job<'static> {
        Job::new(&NEVER, &|_, _| {})
    }
}

impl<'a> Job<'a> {
    /// `progress` is called with (done, total) from any thread; it must be cheap.
    pub fn new(stop: &'a AtomicBool, progress: &'a (dyn Fn(u64, u64) + Sync)) -> Job<'a> {
        Job { stop, progress }
    }

    /// Reports progress.
    pub fn progress(&self, done: u64, total: u64) {
        (self.progress)(done, total);
    }

    /// Runs step `number` of `steps`, counted from 0. Whatever a step counts, all of them together count towards one whole, so
    /// that progress never goes back and is never more than everything.
    pub fn step<T>(&self, number: u64, steps: u64, work: impl FnOnce(&Job<'_>) -> T) -> T {
        let within = |done: u64, total: u64| {
            let part = match total {
                0 => 0,
                total => (u128::from(done.min(total)) * u128::from(PARTS) / u128::from(total)) as u64,
            };
            self.progress(number * PARTS + part, steps * PARTS);
        };
        within(0, 0);
        work(&Job::new(self.stop, &within))
    }

    /// Whether to stop.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// # Errors
    /// [`Error::Stopped`] if it should stop.
    pub fn checkpoint(&self) -> Result<()> {
        if self.stopped() { Err(Error::Stopped) } else { Ok(()) }
    }

    /// The flag itself, for code that takes a plain one.
    pub fn stop_flag(&self) -> &'a AtomicBool {
        self.stop
    }
}
