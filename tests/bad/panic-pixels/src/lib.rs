//! A detector that panics where the host calls it back with pixels.
use chaffinch_plugin::prelude::*;

struct Bad;

impl Detector for Bad {
    const INFO: Info = Info::new("panic-pixels", "Panics on the host's threads").needs(Needs::PIXELS);

    fn detect(&self, view: &View<'_>, _report: &Report<'_>) -> Result<()> {
        view.each_pixels(16, &|sample, _| panic!("planted panic at an image, sample {sample}"))
    }
}

export_detector!(Bad);
