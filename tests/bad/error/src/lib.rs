//! A detector that says why it cannot work.
use chaffinch_plugin::prelude::*;

struct Bad;

impl Detector for Bad {
    const INFO: Info = Info::new("error", "Gives up");

    fn detect(&self, _view: &View<'_>, _report: &Report<'_>) -> Result<()> {
        Err(Error::new("planted failure: this detector never works on Saturdays"))
    }
}

export_detector!(Bad);
