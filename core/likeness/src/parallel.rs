//! Work on all processors whose result depends on no thread.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Numbers that a thread takes at a time.
const TAKEN: usize = 64;
/// Most threads: beyond that, the memory's speed limits.
const MOST: usize = 64;

/// What `work` makes of each number of a range, in their order.
pub(crate) fn map<T: Send>(range: Range<usize>, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let parts = range.len().div_ceil(TAKEN);
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST).min(parts);
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let part = next.fetch_add(1, Ordering::Relaxed);
            if part >= parts {
                return done;
            }
            let start = range.start + part * TAKEN;
            let end = range.end.min(start + TAKEN);
            done.push((part, (start..end).map(&work).collect::<Vec<T>>()));
        }
    };
    let mut all = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(take)).collect();
        let mut all = take();
        for other in others {
            match other.join() {
                Ok(done) => all.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    all.sort_unstable_by_key(|(part, _)| *part);
    all.into_iter().flat_map(|(_, done)| done).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn results_come_in_order() {
        for range in [0..0, 5..6, 3..1000, 0..64, 0..65] {
            assert_eq!(super::map(range.clone(), |number| number), range.collect::<Vec<usize>>());
        }
    }
}
