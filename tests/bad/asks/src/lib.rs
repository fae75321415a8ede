//! A detector that asks for more and more neighbors.
use chaffinch_plugin::prelude::*;

struct Bad;

impl Detector for Bad {
    const INFO: Info = Info::new("asks", "Asks without end").needs(Needs::NEIGHBORS);

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        let _ = report;
        (1..usize::MAX).try_for_each(|k| view.neighbors(k).map(drop))
    }
}

export_detector!(Bad);
