//! Samples that come over a network: more of them at a time, and a scan that stops when their server does not answer.
//! What it holds may be whole, so that nothing is called unreadable for that.

use crate::manifest::Manifest;
use crate::packing::{Container, Packing};
use crate::{Error, Result};
use chaffinch_compute::embedding::Embedder;
use chaffinch_sources::{Source, outages};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::io;

/// Requests to a bucket at the same time.
const REQUESTS: usize = 32;

/// The threads that read the samples of a dataset: those that compute, or others.
pub(crate) struct Threads {
    others: Option<ThreadPool>,
    group: Option<usize>,
}

impl Threads {
    /// More than there are processors, if samples come from a bucket, where they are waited for. One less beside a model on a
    /// device, which the thread that calls it must not keep waiting.
    pub(crate) fn of(manifest: &Manifest, embedder: Option<&dyn Embedder>) -> Threads {
        let pool = |count: usize| ThreadPoolBuilder::new().num_threads(count).build().ok();
        let remote = |packing: &Packing| packing.containers().iter().any(Container::is_remote);
        if manifest.packing().is_some_and(remote) {
            let others = pool(REQUESTS);
            return Threads { group: others.as_ref().map(|_| REQUESTS), others };
        }
        let beside = embedder.is_some_and(|embedder| embedder.ahead() > 1);
        let others = match rayon::current_num_threads() {
            count @ 3.. if beside => pool(count - 1),
            _ => None,
        };
        Threads { others, group: None }
    }

    /// How many samples at most are read together, if a network is waited for: what was read is kept group by group.
    pub(crate) fn group(&self) -> Option<usize> {
        self.group
    }

    /// Runs something in them.
    pub(crate) fn install<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.others {
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
