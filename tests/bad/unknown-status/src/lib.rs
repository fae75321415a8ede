//! A detector that returns a status no one has defined.
#![allow(unsafe_code)] // Writes by hand what the macro would write right.

use chaffinch_plugin::Info;
use chaffinch_plugin::abi::{ABI_VERSION, DetectorTable, HostTable, PluginTable, Slice, Status, Str};

unsafe extern "C" fn run(_: *const HostTable) -> Status {
    Status(77)
}

const DETECTORS: &[DetectorTable] =
    &[DetectorTable::new(Info::new("unknown-status", "Returns status 77"), Some(run))];

#[unsafe(no_mangle)]
static CHAFFINCH_PLUGIN: PluginTable = PluginTable {
    abi: ABI_VERSION,
    size: size_of::<PluginTable>() as u32,
    build: Str::new("bad-unknown-status"),
    detectors: Slice::new(DETECTORS),
};
