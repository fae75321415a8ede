//! A detector that asks for a parameter it has not declared.
use chaffinch_plugin::prelude::*;

struct Bad;

impl Detector for Bad {
    const INFO: Info = Info::new("undeclared", "Asks for an unknown parameter");

    fn detect(&self, view: &View<'_>, _report: &Report<'_>) -> Result<()> {
        view.number("no-such-parameter").map(|_| ())
    }
}

export_detector!(Bad);
