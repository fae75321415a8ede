//! A detector that changes the folder, the umask and the environment of its process, and then works.
#![allow(unsafe_code, reason = "that is what is wrong with it")]
use chaffinch_plugin::prelude::*;

struct Bad;

impl Detector for Bad {
    const INFO: Info = Info::new("moves", "Changes its process");

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        std::env::set_current_dir("/").map_err(|error| Error::new(error.to_string()))?;
        rustix::process::umask(rustix::fs::Mode::RWXU);
        // SAFETY: no other thread of this process reads the environment now.
        unsafe { std::env::remove_var("HOME") };
        report.scores(&vec![0.5; view.len()])
    }
}

export_detector!(Bad);
