//! A detector that says how far it is and never gets there.
use chaffinch_plugin::prelude::*;

struct Bad;

impl Detector for Bad {
    const INFO: Info = Info::new("reports-for-ever", "Never gets there");

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        let _ = report;
        loop {
            view.progress(1, 2);
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}

export_detector!(Bad);
