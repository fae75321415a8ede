//! A detector as a library exports it, for tests of hosts.
#![allow(unsafe_code)] // Called by a host like the functions of a library.

use crate::Detector;
use crate::abi::{DetectorTable, FailSink, HostTable, PixelsTable, Status};
use crate::export::{measure_caught, run_caught};
use std::ffi::c_void;

/// What [`export_detector!`](crate::export_detector) generates for a detector, except that panics are printed as usual, so
/// that a failing test says why.
pub fn exported<D: Detector + Default>() -> DetectorTable {
    DetectorTable {
        measure: (D::MEASURE_BYTES > 0).then_some(measure::<D>),
        measure_bytes: D::MEASURE_BYTES as u32,
        measure_side: D::MEASURE_SIDE,
        ..DetectorTable::new(D::INFO, Some(run::<D>))
    }
}

unsafe extern "C" fn run<D: Detector + Default>(host: *const HostTable) -> Status {
    // SAFETY: the host passes null or its table, and keeps that until this returns.
    let Some(host) = (unsafe { host.as_ref() }) else { return Status::ERROR };
    run_caught(&D::default(), host)
}

unsafe extern "C" fn measure<D: Detector + Default>(
    pixels: *const PixelsTable,
    record: *mut u8,
    len: usize,
    sink: *mut c_void,
    fail: FailSink,
) -> Status {
    // SAFETY: the host lends picture and record for the duration of this call.
    unsafe { measure_caught(&D::default(), pixels, record, len, sink, fail) }
}
