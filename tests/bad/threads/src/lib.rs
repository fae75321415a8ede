//! A detector that leaves threads and a process behind.
use chaffinch_plugin::prelude::*;

struct Bad;

impl Detector for Bad {
    const INFO: Info = Info::new("threads", "Leaves threads behind");

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        for _ in 0..8 {
            std::thread::spawn(|| {
                loop {
                    std::hint::spin_loop();
                }
            });
        }
        let child = std::process::Command::new("setsid").args(["sleep", "14142"]).spawn();
        child.map_err(|error| Error::new(error.to_string()))?;
        report.scores(&vec![0.5; view.len()])
    }
}

export_detector!(Bad);
