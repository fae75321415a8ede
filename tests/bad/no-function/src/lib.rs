//! A detector that says who it is and can do nothing.
#![allow(unsafe_code)] // Writes by hand what the macro would write right.

use chaffinch_plugin::Info;
use chaffinch_plugin::abi::{ABI_VERSION, DetectorTable, PluginTable, Slice, Str};

const DETECTORS: &[DetectorTable] = &[DetectorTable::new(Info::new("idle", "Nothing at all"), None)];

#[unsafe(no_mangle)]
static CHAFFINCH_PLUGIN: PluginTable = PluginTable {
    abi: ABI_VERSION,
    size: size_of::<PluginTable>() as u32,
    build: Str::new("bad-no-function"),
    detectors: Slice::new(DETECTORS),
};
