//! A library that ends its process while it is loaded.
#![allow(unsafe_code)] // Names a section of the file.
use chaffinch_plugin::prelude::*;

struct Bad;

impl Detector for Bad {
    const INFO: Info = Info::new("constructor", "Aborts while it is loaded");

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        report.scores(&vec![1.0; view.len()])
    }
}

export_detector!(Bad);

#[cfg(not(test))]
extern "C" fn abort() {
    std::process::abort()
}

#[cfg(not(test))]
#[used]
// SAFETY: the loader calls what stands in this section, and the function takes nothing that it does not pass.
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = abort;
