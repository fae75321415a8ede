//! A detector that prints without end.
#![allow(clippy::print_stdout, reason = "that is what is wrong with it")]
use chaffinch_plugin::prelude::*;

struct Bad;

impl Detector for Bad {
    const INFO: Info = Info::new("prints", "Prints without end");

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        let _ = (view, report);
        loop {
            println!("{}", "this is all that it has to say ".repeat(100));
        }
    }
}

export_detector!(Bad);
