//! Samples that come over a network: more of them at a time, and a scan that stops when their server does not answer.
//! What it holds may be whole, so that nothing is called unreadable for that.

use crate::manifest::Manifest;
use crate::packing::{Container, Packing};
use crate::{Error, Result};
use chaffinch_sources::{Source, outages};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::io;

/// Requests to a bucket at the same time.
const REQUESTS: usize = 32;

/// The threads that read the samples of a dataset: those that compute, or more of them, where a network is waited for.
pub(crate) struct Threads(Option<ThreadPool>);

impl Threads {
    /// More than there are processors, if samples come from a bucket.
    pub(crate) fn of(manifest: &Manifest) -> Threads {
        let remote = |packing: &&Packing| packing.containers().iter().any(Container::is_remote);
        let pool = || ThreadPoolBuilder::new().num_threads(REQUESTS).build().ok();
        Threads(manifest.packing().filter(remote).and_then(|_| pool()))
    }

    /// How many samples at most are read together, if a network is waited for: what was read is kept group by group.
    pub(crate) fn group(&self) -> Option<usize> {
        self.0.as_ref().map(|_| 2 * REQUESTS)
    }

    /// Runs something in them.
    pub(crate) fn install<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.0 {
            Some(threads) => threads.install(work),
            None => work(),
        }
    }
}

/// Whether the server of a sample fails from here on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watch(Option<u64>);

impl Watch {
    /// Looks from now on, if the sample comes over a network.
    pub(crate) fn new(source: &Source<'_>) -> Watch {
        let remote = matches!(source, Source::Packed(packed) if packed.container.is_remote());
        Watch(remote.then(outages::count))
    }

    /// To be asked when the sample could not be read.
    ///
    /// # Errors
    /// When that was the server's fault.
    pub(crate) fn check(self, source: &Source<'_>) -> Result<()> {
        let Some(reason) = self.0.and_then(outages::since) else { return Ok(()) };
        let reason = format!("{reason}; what was read is kept: scan again to go on from there");
        Err(Error::io("read", &source.shown())(io::Error::new(io::ErrorKind::HostUnreachable, reason)))
    }
}
