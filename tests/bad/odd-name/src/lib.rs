//! A detector whose name would write to the terminal.
use chaffinch_plugin::prelude::*;

struct Bad;

impl Detector for Bad {
    const INFO: Info = Info::new("odd\x1b[2Jname", "Its name holds an escape sequence");

    fn detect(&self, _view: &View<'_>, _report: &Report<'_>) -> Result<()> {
        Ok(())
    }
}

export_detector!(Bad);
