//! How often servers did not answer, although they were asked several times. Readers of formats turn errors into others, so
//! it is counted where it happens.

use std::sync::{Mutex, PoisonError};

static OUTAGES: Mutex<(u64, String)> = Mutex::new((0, String::new()));

/// Counts one, with its reason.
pub(crate) fn add(reason: &str) {
    let mut outages = OUTAGES.lock().unwrap_or_else(PoisonError::into_inner);
    *outages = (outages.0 + 1, reason.to_owned());
}

/// How many there were in this process.
pub fn count() -> u64 {
    OUTAGES.lock().unwrap_or_else(PoisonError::into_inner).0
}

/// The reason of the last one, if there were more than `count`.
pub fn since(count: u64) -> Option<String> {
    let outages = OUTAGES.lock().unwrap_or_else(PoisonError::into_inner);
    (outages.0 > count).then(|| outages.1.clone())
}
