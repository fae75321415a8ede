//! A detector that ignores the signals that ask it to end, and never does.
#![allow(unsafe_code, reason = "that is what is wrong with it")]
use chaffinch_plugin::prelude::*;

/// `SIG_IGN`.
const IGNORE: usize = 1;

unsafe extern "C" {
    fn signal(number: i32, handler: usize) -> usize;
}

struct Bad;

impl Detector for Bad {
    const INFO: Info = Info::new("ignores", "Ignores signals");

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        let _ = (view, report);
        for number in [1, 2, 15] {
            // SAFETY: ignoring a signal runs no code of ours.
            unsafe { signal(number, IGNORE) };
        }
        loop {
            std::hint::spin_loop();
        }
    }
}

export_detector!(Bad);
