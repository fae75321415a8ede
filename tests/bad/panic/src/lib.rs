//! A detector that panics after it has written scores.
use chaffinch_plugin::prelude::*;

struct Bad;

impl Detector for Bad {
    const INFO: Info = Info::new("panic", "Panics");

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        report.scores(&vec![0.0; view.len()])?;
        let numbers: Vec<u32> = Vec::new();
        panic!("planted panic, with {} numbers", numbers.len())
    }
}

export_detector!(Bad);
