//! Maps a checked library and does the handshake. The only place that loads code.
#![allow(unsafe_code)] // dlopen and the reading of the foreign table.

use super::PluginError;
use super::check::check_library;
use chaffinch_plugin::abi::{
    ABI_VERSION, DetectorTable, HostTable, MAX_MEASURE_BYTES, Measure, PluginTable, SYMBOL, Status,
};
use chaffinch_plugin::{Info, Param};
use libloading::Library;
use std::fmt;
use std::path::{Path, PathBuf};

/// A detector ready to run. Its library stays loaded for the life of the process: unloading it would leave dangling
/// thread-locals and exit handlers of its copy of the standard library.
#[derive(Clone)]
pub struct LoadedDetector {
    info: &'static Info,
    run: unsafe extern "C" fn(*const HostTable) -> Status,
    measure: Option<Measuring>,
    path: PathBuf,
    digest: String,
}

/// How a detector measures pictures.
#[derive(Clone, Copy)]
pub(super) struct Measuring {
    pub(super) function: Measure,
    /// Length of a record.
    pub(super) bytes: usize,
    /// Maximum side that pictures are scaled down to, 0 = full size.
    pub(super) side: u32,
}

impl fmt::Debug for LoadedDetector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadedDetector").field("name", &self.info.name()).field("path", &self.path).finish()
    }
}

impl LoadedDetector {
    /// Its description of itself.
    pub fn info(&self) -> &'static Info {
        self.info
    }

    /// The library it came from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Digest of the library's bytes: a rebuilt detector runs again.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// How it measures pictures, if it does.
    pub(super) fn measuring(&self) -> Option<Measuring> {
        self.measure
    }

    /// Calls it.
    pub(super) fn call(&self, host: &HostTable) -> Status {
        // SAFETY: the function is in a library that is never unloaded. Only a run calls this, with the table that
        // `run_detector` made, which is complete and valid until this returns.
        unsafe { (self.run)(host) }
    }
}

/// Loads one library and returns its detectors.
///
/// # Errors
/// With the reason, whenever anything about it is invalid.
pub(super) fn load(path: &Path) -> Result<Vec<LoadedDetector>, PluginError> {
    let digest = check_library(path)?;
    // SAFETY: loading runs the library's constructors. It is a complete ELF file with our symbol, from a folder
    // that only the user or root can write to; beyond that, plugins are trusted code by design.
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
    if theirs != ABI_VERSION {
        return Err(PluginError::AbiMismatch {
            path: path.into(),
            theirs,
            ours: ABI_VERSION,
            // Other versions may keep their build text elsewhere, so it is not read.
            build: "another version of chaffinch-plugin".into(),
        });
    }
    // SAFETY: same ABI number, so the layout is ours; it is a static in a library that stays loaded.
    let table: &'static PluginTable = unsafe { &*table };
    let broken = |reason: String| PluginError::BadTable { path: path.into(), reason };
    if table.size as usize != size_of::<PluginTable>() {
        return Err(broken(format!("it has {} bytes, expected {}", table.size, size_of::<PluginTable>())));
    }
    if table.detectors.ptr.is_null() || table.detectors.len == 0 || table.detectors.len > 1024 {
        return Err(broken("it lists no detectors".into()));
    }
    // SAFETY: not null, a plausible length, static memory of the library.
    let detectors: &'static [_] = unsafe { table.detectors.as_slice() };
    let take = |detector| admit(detector, path, &digest).map_err(broken);
    detectors.iter().map(take).collect()
}

/// Accepts one detector from a library's table.
pub(super) fn admit(
    detector: &'static DetectorTable,
    path: &Path,
    digest: &str,
) -> Result<LoadedDetector, String> {
    let run = detector.run.ok_or("a detector has no function")?;
    check_info(&detector.info)?;
    let measure = measuring(detector)?;
    Ok(LoadedDetector { info: &detector.info, run, measure, path: path.into(), digest: digest.into() })
}

/// Checks a detector's declared record size.
fn measuring(detector: &DetectorTable) -> Result<Option<Measuring>, String> {
    let (bytes, side) = (detector.measure_bytes, detector.measure_side);
    match detector.measure {
        None if bytes == 0 => Ok(None),
        Some(function) if (1..=MAX_MEASURE_BYTES).contains(&bytes) => {
            Ok(Some(Measuring { function, bytes: bytes as usize, side }))
        }
        _ => Err(format!("{}: a record size of {bytes} bytes is not valid", detector.info.name())),
    }
}

/// Checks a detector's description of itself, since names end up in file names, the configuration and on the screen.
fn check_info(info: &Info) -> Result<(), String> {
    let proper = |name: &str| {
        !name.is_empty()
            && name.len() <= 64
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
    };
    let name = info.name();
    if !proper(name) {
        return Err(format!("'{}' is not a valid detector name: use a-z, 0-9 and -", name.escape_debug()));
    }
    let threshold = info.default_threshold();
    if !(0.0..=1.0).contains(&threshold) {
        return Err(format!("{name}: the threshold {threshold} is not in the range 0..=1"));
    }
    info.parameters()
        .iter()
        .try_for_each(|param| check_param(param, proper).map_err(|why| format!("{name}: {why}")))
}

fn check_param(param: &Param, proper: impl Fn(&str) -> bool) -> Result<(), String> {
    let (low, high) = param.bounds();
    if !proper(param.name()) {
        return Err(format!("'{}' is not a valid parameter name", param.name().escape_debug()));
    }
    if !(low <= param.default() && param.default() <= high) {
        return Err(format!("parameter {}: the default is out of range", param.name()));
    }
    Ok(())
}
