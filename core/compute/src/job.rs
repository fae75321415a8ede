//! Progress and cancellation of long computations.

use crate::{Error, Result};
use std::sync::atomic::{AtomicBool, Ordering};

/// Lent to every long computation: reports progress, and tells when to stop.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    stop: &'a AtomicBool,
    progress: &'a (dyn Fn(u64, u64) + Sync),
}

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
