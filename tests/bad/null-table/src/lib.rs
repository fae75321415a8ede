//! A table that claims to have a detector but points nowhere.
#![allow(unsafe_code)] // Writes by hand what the macro would write right.

use chaffinch_plugin::abi::{ABI_VERSION, PluginTable, Slice, Str};

#[unsafe(no_mangle)]
static CHAFFINCH_PLUGIN: PluginTable = PluginTable {
    abi: ABI_VERSION,
    size: size_of::<PluginTable>() as u32,
    build: Str::new("bad-null-table"),
    detectors: Slice { ptr: std::ptr::null(), len: 1 },
};
