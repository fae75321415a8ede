//! A detector that ends its process in the middle of its work.
use chaffinch_plugin::prelude::*;

struct Bad;

impl Detector for Bad {
    const INFO: Info = Info::new("abort", "Aborts").needs(Needs::PIXELS);

    fn detect(&self, view: &View<'_>, _report: &Report<'_>) -> Result<()> {
        view.each_pixels(16, &|_, _| std::process::abort())
    }
}

export_detector!(Bad);
