//! A detector that calls itself until the stack is full.
use chaffinch_plugin::prelude::*;

struct Bad;

/// A number that depends on every call, so that none can be left out.
#[expect(unconditional_recursion, reason = "that is what is wrong with it")]
fn deeper(depth: u64) -> u64 {
    let room = std::hint::black_box([depth; 64]);
    deeper(depth + 1) + room[(depth % 64) as usize]
}

impl Detector for Bad {
    const INFO: Info = Info::new("overflow", "Overflows its stack");

    fn detect(&self, _view: &View<'_>, _report: &Report<'_>) -> Result<()> {
        Err(Error::new(deeper(0).to_string()))
    }
}

export_detector!(Bad);
