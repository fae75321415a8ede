//! A detector that writes invalid scores.
use chaffinch_plugin::prelude::*;

struct Bad;

impl Detector for Bad {
    const INFO: Info = Info::new("range", "Writes 1.5");

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        report.scores(&vec![1.5; view.len()])
    }
}

export_detector!(Bad);
