//! A detector that asks for nothing and never ends.
use chaffinch_plugin::prelude::*;

struct Bad;

impl Detector for Bad {
    const INFO: Info = Info::new("loops", "Never ends");

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        let (mut turns, _) = (view.len(), report);
        loop {
            turns = std::hint::black_box(turns.wrapping_mul(3));
        }
    }
}

export_detector!(Bad);
