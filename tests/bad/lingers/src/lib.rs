//! A detector that does its work in a process that does not end.
#![allow(unsafe_code, reason = "that is what is wrong with it")]
use chaffinch_plugin::prelude::*;

unsafe extern "C" {
    fn atexit(function: extern "C" fn()) -> i32;
}

extern "C" fn wait() {
    loop {
        std::thread::sleep(std::time::Duration::from_secs(3600));
    }
}

struct Bad;

impl Detector for Bad {
    const INFO: Info = Info::new("lingers", "Does not end");

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        // SAFETY: the function may be called at the end of the process.
        unsafe { atexit(wait) };
        report.scores(&vec![0.5; view.len()])
    }
}

export_detector!(Bad);
