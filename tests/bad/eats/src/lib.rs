//! A detector that takes memory without end.
use chaffinch_plugin::prelude::*;

struct Bad;

impl Detector for Bad {
    const INFO: Info = Info::new("eats", "Takes memory without end");

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        let _ = (view, report);
        let mut all = Vec::new();
        loop {
            all.push(std::hint::black_box(vec![1_u8; 4 << 20]));
        }
    }
}

export_detector!(Bad);
