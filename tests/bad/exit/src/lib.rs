//! A detector that exits as if everything were done.
use chaffinch_plugin::prelude::*;

struct Bad;

impl Detector for Bad {
    const INFO: Info = Info::new("exit", "Exits");

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        report.scores(&vec![0.0; view.len()])?;
        std::process::exit(0)
    }
}

export_detector!(Bad);
