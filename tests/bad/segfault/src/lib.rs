//! A detector that writes where no memory is.
#![allow(unsafe_code, reason = "that is what is wrong with it")]
use chaffinch_plugin::prelude::*;

struct Bad;

impl Detector for Bad {
    const INFO: Info = Info::new("segfault", "Writes where no memory is");

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        let nowhere = std::ptr::without_provenance_mut::<u8>(16);
        // SAFETY: there is none, which is what is wrong with it.
        unsafe { nowhere.write_volatile(1) };
        report.scores(&vec![0.5; view.len()])
    }
}

export_detector!(Bad);
