//! Groups of files that are prepared ahead of the thread that consumes them.

use crate::{Error, Result};
use chaffinch_compute::embedding::Embedder;
use chaffinch_compute::job::Job;
use chaffinch_compute::memory;
use std::ops::Range;

/// Files beyond this size are hashed but not decoded.
pub use chaffinch_sources::MAX_BYTES as MAX_FILE_BYTES;

/// Images prepared together for a model.
pub(crate) fn size_for(embedder: &dyn Embedder) -> usize {
    let fitting = memory::shares().group() / embedder.input_len().max(1);
    embedder.batch_size().clamp(16, 512).min(fitting.max(1))
}

/// Prepares groups of rows in turn on two threads, so that one group's last file does not hold up the next group, and
/// passes them to `take` on this thread in order. Short channels bound the work in progress.
///
/// # Errors
/// The first error of `take`, or when stopped.
pub(crate) fn in_turn<T: Send>(
    groups: &[Range<usize>],
    job: &Job<'_>,
    prepare: &(dyn Fn(Range<usize>) -> T + Sync),
    mut take: impl FnMut(&Range<usize>, T) -> Result<()>,
) -> Result<()> {
    let (even, even_groups) = crossbeam_channel::bounded(1);
    let (odd, odd_groups) = crossbeam_channel::bounded(1);
    std::thread::scope(|scope| {
        for (first, sender) in [(0, even), (1, odd)] {
            scope.spawn(move || {
                for group in groups.iter().skip(first).step_by(2) {
                    if job.stopped() || sender.send(prepare(group.clone())).is_err() {
                        return;
                    }
                }
            });
        }
        // Dropped when this returns for any reason, which ends the producers.
        let receivers = [even_groups, odd_groups];
        for (number, group) in groups.iter().enumerate() {
            let prepared = receivers[number % 2].recv();
            job.checkpoint()?;
            take(group, prepared.map_err(|_| Error::Invalid("a thread that reads files panicked".into()))?)?;
        }
        Ok(())
    })
}
