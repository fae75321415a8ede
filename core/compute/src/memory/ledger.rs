//! Who holds how many bytes of a share, and who waits for some.

use crate::processor_time::processor_time;
use bytesize::ByteSize;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long the first in line waits while nothing is returned and the process does nothing. After that it is admitted beyond
/// the total: whoever holds bytes may itself wait for something that comes later in line, and slow is better than never.
const PATIENCE: Duration = Duration::from_secs(20);
/// It waits longer while the process works, on a machine that others keep busy: so many times at most.
const LONGEST: u32 = 30;
/// The process works if it takes more than this part of a processor.
const WORKING: u32 = 400;

/// More is needed than there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge {
    /// Bytes that are needed.
    pub needed: u64,
    /// Bytes that there are.
    pub total: u64,
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (needed, total) = (ByteSize(self.needed), ByteSize(self.total));
        write!(
            f,
            "it takes {needed} to read, and the memory budget leaves {total}; --memory sets another budget"
        )
    }
}

impl std::error::Error for TooLarge {}

/// A share of memory, admitted in the order of asking: what is large is not overtaken for ever by what is small.
#[derive(Debug)]
pub struct Ledger(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    total: u64,
    patience: Duration,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    held: u64,
    highest: u64,
    /// The number of the next to ask, and of the next to be admitted.
    asked: u64,
    admitted: u64,
    /// How often something was returned.
    returns: u64,
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger {
    /// A share of so many bytes.
    pub fn new(total: u64) -> Ledger {
        Ledger::patient(total, PATIENCE)
    }

    fn patient(total: u64, patience: Duration) -> Ledger {
        Ledger(Arc::new(Inner { total, patience, state: Mutex::default(), changed: Condvar::new() }))
    }

    /// Bytes of the share.
    pub fn total(&self) -> u64 {
        self.0.total
    }

    /// Bytes that are held now.
    pub fn held(&self) -> u64 {
        self.0.state().held
    }

    /// The most bytes that were held at a time.
    pub fn highest(&self) -> u64 {
        self.0.state().highest
    }

    /// Counts [`highest`](Ledger::highest) anew.
    pub fn forget_highest(&self) {
        let mut state = self.0.state();
        state.highest = state.held;
    }

    /// Waits until so many bytes are there, behind those who asked before.
    ///
    /// # Errors
    /// At once, when the share is not that large.
    pub fn admit(&self, bytes: u64) -> Result<Permit, TooLarge> {
        let inner = &self.0;
        if bytes > inner.total {
            return Err(TooLarge { needed: bytes, total: inner.total });
        }
        let mut state = inner.state();
        let number = state.asked;
        state.asked += 1;
        let (mut seen, mut since) = ((state.returns, state.admitted), Instant::now());
        // Taken only where somebody waits.
        let (mut worked, mut spells) = (None, 1);
        while state.admitted != number || state.held + bytes > inner.total {
            let left = inner.patience.saturating_sub(since.elapsed());
            let first = state.admitted == number;
            if first {
                let before = *worked.get_or_insert_with(processor_time);
                if left.is_zero() {
                    let now = processor_time();
                    if now.saturating_sub(before) <= inner.patience / WORKING || spells == LONGEST {
                        break;
                    }
                    (worked, since, spells) = (Some(now), Instant::now(), spells + 1);
                    continue;
                }
            }
            let wait = if first { left } else { inner.patience };
            state = inner.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
            if (state.returns, state.admitted) != seen {
                (seen, since) = ((state.returns, state.admitted), Instant::now());
                (worked, spells) = (None, 1);
            }
        }
        state.admitted += 1;
        state.held += bytes;
        state.highest = state.highest.max(state.held);
        let waiting = state.asked > state.admitted;
        drop(state);
        if waiting {
            inner.changed.notify_all();
        }
        Ok(Permit { ledger: inner.clone(), bytes })
    }
}

/// Bytes of a share, returned when this is dropped.
#[derive(Debug)]
pub struct Permit {
    ledger: Arc<Inner>,
    bytes: u64,
}

impl Permit {
    /// Returns all but so many bytes.
    pub fn keep(&mut self, bytes: u64) {
        let rest = self.bytes.saturating_sub(bytes);
        self.bytes -= rest;
        self.give_back(rest);
    }

    fn give_back(&self, bytes: u64) {
        let mut state = self.ledger.state();
        state.held = state.held.saturating_sub(bytes);
        state.returns += 1;
        let waiting = state.asked > state.admitted;
        drop(state);
        if waiting {
            self.ledger.changed.notify_all();
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.give_back(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn many_threads_never_hold_more_than_there_is() {
        let ledger = Ledger::new(1_000);
        let (now, most) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for thread in 0..8_u64 {
                let (ledger, now, most) = (&ledger, &now, &most);
                scope.spawn(move || {
                    for turn in 0..200 {
                        // Small ones, some that fit only alone, and some in between.
                        let bytes = [10, 1_000, 350, 600][((thread + turn) % 4) as usize];
                        let mut permit = ledger.admit(bytes).unwrap();
                        most.fetch_max(now.fetch_add(bytes, Ordering::SeqCst) + bytes, Ordering::SeqCst);
                        std::thread::yield_now();
                        now.fetch_sub(bytes - bytes / 2, Ordering::SeqCst);
                        permit.keep(bytes / 2);
                        now.fetch_sub(bytes / 2, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!(most.load(Ordering::SeqCst) <= 1_000, "{most:?}");
        assert_eq!((ledger.highest(), ledger.held()), (1_000, 0));
    }

    #[test]
    fn what_never_fits_is_refused_at_once_and_takes_no_place_in_line() {
        let ledger = Ledger::new(100);
        let held = ledger.admit(100).unwrap();
        assert_eq!(ledger.admit(101).unwrap_err(), TooLarge { needed: 101, total: 100 });
        drop(held);
        assert!(ledger.admit(100).is_ok());
        let words = TooLarge { needed: 3 << 30, total: 1 << 30 }.to_string();
        assert!(
            words.contains("3.0 GiB") && words.contains("1.0 GiB") && words.contains("--memory"),
            "{words}"
        );
    }

    #[test]
    fn who_waits_for_what_never_comes_is_admitted_in_the_end() {
        let ledger = Ledger::patient(100, Duration::from_millis(20));
        let one = ledger.admit(80).unwrap();
        let two = ledger.admit(80).unwrap();
        assert_eq!(ledger.highest(), 160);
        drop((one, two));
        assert_eq!(ledger.held(), 0);
    }

    #[test]
    fn who_waits_for_work_that_is_slow_waits_longer() {
        let ledger = Ledger::patient(100, Duration::from_millis(300));
        let held = ledger.admit(80).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| drop(ledger.admit(80).unwrap()));
            let until = Instant::now() + Duration::from_millis(1_200);
            while Instant::now() < until {
                assert_eq!(ledger.highest(), 80, "the process works, so this is not a deadlock");
            }
            drop(held);
        });
        assert_eq!((ledger.highest(), ledger.held()), (80, 0));
    }
}
