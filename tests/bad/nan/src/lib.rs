//! A detector that goes past the safe side of the contract, which has no way to write NaN as an issue's score.
#![allow(unsafe_code)] // Calls the host's table by hand.

use chaffinch_plugin::Info;
use chaffinch_plugin::abi::{
    ABI_VERSION, DetectorTable, HostTable, IssueRecord, PluginTable, Slice, Status, Str,
};

unsafe extern "C" fn run(host: *const HostTable) -> Status {
    let issue = IssueRecord {
        sample: 0,
        score: f32::NAN,
        suggested: u32::MAX,
        group: u32::MAX,
        related: Slice::empty(),
        reason: Str::new("Nobody knows."),
    };
    // SAFETY: the host's table is valid during this call, and so is the record. The answer is ignored on purpose:
    // the host must not believe a detector that says OK after it was refused.
    unsafe { ((*host).issue)((*host).ctx, &raw const issue) };
    Status::OK
}

const DETECTORS: &[DetectorTable] = &[DetectorTable::new(Info::new("nan", "Writes NaN"), Some(run))];

#[unsafe(no_mangle)]
static CHAFFINCH_PLUGIN: PluginTable = PluginTable {
    abi: ABI_VERSION,
    size: size_of::<PluginTable>() as u32,
    build: Str::new("bad-nan"),
    detectors: Slice::new(DETECTORS),
};
