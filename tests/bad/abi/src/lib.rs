//! A table that is right but for its version.
#![allow(unsafe_code)] // Writes by hand what the macro would write right.

use chaffinch_plugin::Info;
use chaffinch_plugin::abi::{DetectorTable, HostTable, PluginTable, Slice, Status, Str};

unsafe extern "C" fn run(_: *const HostTable) -> Status {
    Status::OK
}

const DETECTORS: &[DetectorTable] = &[DetectorTable::new(Info::new("from-the-future", "Nothing"), Some(run))];

#[unsafe(no_mangle)]
static CHAFFINCH_PLUGIN: PluginTable = PluginTable {
    // Not counted from the current version, so that messages about it stay the same.
    abi: 99,
    size: size_of::<PluginTable>() as u32,
    build: Str::new("bad-abi of another time"),
    detectors: Slice::new(DETECTORS),
};
