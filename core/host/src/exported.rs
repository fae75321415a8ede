//! A detector in a library that this process has loaded: its declaration and its functions.
#![allow(unsafe_code)] // Calls the detector's functions.

use chaffinch_plugin::abi::{HostTable, Measure, PixelsTable, Status, Str};
use chaffinch_plugin::{Info, Pixels};
use std::ffi::c_void;

/// A detector of a loaded library, which stays loaded for the life of the process: unloading it would leave dangling
/// thread-locals and exit handlers of its copy of the standard library.
#[derive(Clone, Copy)]
pub(crate) struct Exported {
    info: &'static Info,
    /// The version of the contract that it was built for.
    abi: u32,
    run: unsafe extern "C" fn(*const HostTable) -> Status,
    measuring: Option<Measuring>,
}

/// How a detector measures pictures.
#[derive(Clone, Copy)]
struct Measuring {
    function: Measure,
    bytes: usize,
    side: u32,
}

impl Exported {
    /// # Safety
    /// The functions must be those of a detector's table in a library that is never unloaded.
    pub(crate) unsafe fn new(
        info: &'static Info,
        abi: u32,
        run: unsafe extern "C" fn(*const HostTable) -> Status,
        measure: Option<(Measure, usize, u32)>,
    ) -> Exported {
        let measuring = measure.map(|(function, bytes, side)| Measuring { function, bytes, side });
        Exported { info, abi, run, measuring }
    }

    /// The version of the contract that it was built for.
    pub(crate) fn abi(&self) -> u32 {
        self.abi
    }

    /// Its description of itself.
    pub(crate) fn info(&self) -> &'static Info {
        self.info
    }

    /// Length of a measured record, and the longest side of pictures to measure (0 = full size), if it measures any.
    pub(crate) fn measured(&self) -> Option<(usize, u32)> {
        self.measuring.map(|measuring| (measuring.bytes, measuring.side))
    }

    /// Calls it.
    pub(crate) fn call(&self, host: &HostTable) -> Status {
        // It may compare the number with its own; what it knows of the table is the beginning of this one.
        let host = HostTable { abi: self.abi, ..*host };
        // SAFETY: the function is in a library that is never unloaded. Only a run calls this, with the table that
        // `run_detector` made, which is complete and valid until this returns.
        unsafe { (self.run)(&raw const host) }
    }

    /// Measures a picture, which is scaled already.
    ///
    /// # Errors
    /// With the detector's reason.
    pub(crate) fn measure(&self, pixels: Pixels<'_>, record: &mut [u8]) -> Result<(), String> {
        let Some(measuring) = self.measuring else { return Ok(()) };
        let table = PixelsTable::from(pixels);
        let mut sentence = String::new();
        // SAFETY: the function is in a library that is never unloaded; picture, record and sentence outlive the call, and
        // `take` knows the sentence's type.
        let status = unsafe {
            let sink = (&raw mut sentence).cast::<c_void>();
            (measuring.function)(&raw const table, record.as_mut_ptr(), record.len(), sink, take)
        };
        match status {
            Status::OK => Ok(()),
            _ if sentence.is_empty() => Err("failed to measure a picture without saying why".into()),
            _ => Err(sentence),
        }
    }
}

unsafe extern "C" fn take(sink: *mut c_void, sentence: Str) {
    // SAFETY: `sink` is the string that `measure` keeps alive during its call, which waits for this one.
    unsafe { *sink.cast::<String>() = sentence.as_str().to_owned() };
}
