//! A detector that suggests a class beyond the last.
use chaffinch_plugin::prelude::*;

struct Bad;

impl Detector for Bad {
    const INFO: Info = Info::new("unknown-class", "Suggests a class that does not exist");

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        report.issue(Issue::new(0, Score::WORST).suggest(view.class_count() as u32 + 3))
    }
}

export_detector!(Bad);
