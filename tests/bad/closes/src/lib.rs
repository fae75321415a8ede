//! A detector that closes every descriptor of its process and waits.
#![allow(unsafe_code, reason = "that is what is wrong with it")]
use chaffinch_plugin::prelude::*;

unsafe extern "C" {
    fn close(descriptor: i32) -> i32;
}

struct Bad;

impl Detector for Bad {
    const INFO: Info = Info::new("closes", "Closes what others use");

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        let _ = (view, report);
        for descriptor in 0..1024 {
            // SAFETY: there is none, which is what is wrong with it: they belong to others.
            unsafe { close(descriptor) };
        }
        loop {
            std::thread::sleep(std::time::Duration::from_secs(3600));
        }
    }
}

export_detector!(Bad);
