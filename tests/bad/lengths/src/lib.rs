//! A detector that writes one score too many.
use chaffinch_plugin::prelude::*;

struct Bad;

impl Detector for Bad {
    const INFO: Info = Info::new("lengths", "Writes too many scores");

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        // The answer is ignored on purpose.
        let _ = report.scores(&vec![0.0; view.len() + 1]);
        Ok(())
    }
}

export_detector!(Bad);
