//! A detector that names a sample beyond the last.
use chaffinch_plugin::prelude::*;

struct Bad;

impl Detector for Bad {
    const INFO: Info = Info::new("unknown-sample", "Names a sample that does not exist");

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        report.issue(Issue::new(view.len() + 6, Score::WORST))
    }
}

export_detector!(Bad);
