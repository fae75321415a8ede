//! A detector with a name that another library has.
use chaffinch_plugin::prelude::*;

/// Not the witness.
struct Impostor;

impl Detector for Impostor {
    const INFO: Info = Info::new("witness", "Another detector with the name of the witness");

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        report.scores(&vec![0.0; view.len()])
    }
}

export_detector!(Impostor);
