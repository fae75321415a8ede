//! Maps a checked library and does the handshake. The only place that loads code.
#![allow(unsafe_code)] // dlopen and the reading of the foreign table.

use super::PluginError;
use super::declared;
use super::exported::Exported;
use chaffinch_plugin::abi::{
    ABI_VERSION, DetectorTable, MAX_MEASURE_BYTES, Measure, OLDEST_ABI, PluginTable, SYMBOL, Slice, v6,
};
use libloading::Library;
use std::path::Path;

/// Loads one library, which was checked before, and returns its detectors.
///
/// # Errors
/// With the reason, whenever anything about it is invalid.
pub(crate) fn load(path: &Path) -> Result<Vec<Exported>, PluginError> {
    // SAFETY: loading runs the library's constructors. It is a complete ELF file with our symbol, from a folder
    // that only the user or root can write to. What does not ship with the program is loaded in a process of its own.
    let library = unsafe { Library::new(path) }
        .map_err(|error| PluginError::Loader { path: path.into(), reason: error.to_string() })?;
    // SAFETY: the symbol is a static of this type when the ABI number agrees, and that is read first.
    let table: *const PluginTable = match unsafe { library.get::<*const PluginTable>(SYMBOL.as_bytes()) } {
        Ok(symbol) => *symbol,
        Err(_) => return Err(PluginError::NoSymbol { path: path.into() }),
    };
    std::mem::forget(library);
    if table.is_null() || !table.is_aligned() {
        return Err(PluginError::BadTable { path: path.into(), reason: "the symbol is null".into() });
    }
    // SAFETY: the first word of every version of the table is the ABI number.
    let theirs = unsafe { (&raw const (*table).abi).read() };
    let broken = |reason: String| PluginError::BadTable { path: path.into(), reason };
    let admitted = |detector| admit(detector, theirs).map_err(broken);
    match theirs {
        6 => {
            // SAFETY: that number says that it has this layout; it is a static in a library that stays loaded.
            let table: &'static v6::PluginTable = unsafe { &*table.cast() };
            let old = listed(table.size, size_of::<v6::PluginTable>(), table.detectors).map_err(broken)?;
            // What they are made into stays, like the library.
            old.iter().map(|detector| admitted(Box::leak(Box::new(DetectorTable::from(*detector))))).collect()
        }
        ABI_VERSION => {
            // SAFETY: same ABI number, so the layout is ours; it is a static in a library that stays loaded.
            let table: &'static PluginTable = unsafe { &*table };
            let detectors = listed(table.size, size_of::<PluginTable>(), table.detectors).map_err(broken)?;
            detectors.iter().map(admitted).collect()
        }
        _ => {
            const { assert!(OLDEST_ABI == 6, "every version since then is read above") };
            Err(PluginError::AbiMismatch {
                path: path.into(),
                theirs,
                ours: ABI_VERSION,
                // Other versions may keep their build text elsewhere, so it is not read.
                build: "another version of chaffinch-plugin".into(),
            })
        }
    }
}

/// The detectors that a table of `size` bytes lists, where it should have `expected`.
fn listed<T: 'static>(size: u32, expected: usize, detectors: Slice<T>) -> Result<&'static [T], String> {
    if size as usize != expected {
        return Err(format!("it has {size} bytes, expected {expected}"));
    }
    if detectors.ptr.is_null() || detectors.len == 0 || detectors.len > 1024 {
        return Err("it lists no detectors".into());
    }
    // SAFETY: not null, a plausible length, static memory of the library.
    Ok(unsafe { detectors.as_slice() })
}

/// Accepts one detector from a library's table, which was built for this version of the contract.
pub(crate) fn admit(detector: &'static DetectorTable, abi: u32) -> Result<Exported, String> {
    let run = detector.run.ok_or("a detector has no function")?;
    declared::check(&detector.info).map_err(|wrong| wrong.why)?;
    let measure = measuring(detector)?;
    // SAFETY: the table is that of a library that is never unloaded, or of a test, which is a static as well.
    Ok(unsafe { Exported::new(&detector.info, abi, run, measure) })
}

/// Checks a detector's declared record size.
fn measuring(detector: &DetectorTable) -> Result<Option<(Measure, usize, u32)>, String> {
    let (bytes, side) = (detector.measure_bytes, detector.measure_side);
    match detector.measure {
        None if bytes == 0 => Ok(None),
        Some(function) if (1..=MAX_MEASURE_BYTES).contains(&bytes) => {
            Ok(Some((function, bytes as usize, side)))
        }
        _ => Err(format!("{}: a record size of {bytes} bytes is not valid", detector.info.name())),
    }
}
