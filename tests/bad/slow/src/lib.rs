//! A detector that works for an hour unless it is asked to stop.
use chaffinch_plugin::prelude::*;
use std::time::Duration;

struct Slow;

impl Detector for Slow {
    const INFO: Info = Info::new("slow", "Takes an hour");

    fn detect(&self, view: &View<'_>, _report: &Report<'_>) -> Result<()> {
        for second in 0..72_000 {
            view.checkpoint()?;
            view.progress(second, 72_000);
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

export_detector!(Slow);
