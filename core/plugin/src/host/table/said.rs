//! The functions since version 7: what else is known of samples, and what detectors say beside scores.
#![allow(unsafe_code)] // The host's half of the boundary.

use super::{lend, serve};
use crate::Region;
use crate::abi::{FindingRecord, RegionRecord, Slice, Status, Str};
use crate::host::HostServices;
use crate::host::checked::{Checked, region};
use std::ffi::c_void;

// SAFETY of all functions below: as in the module above.

pub(super) unsafe extern "C" fn column<S: HostServices>(
    ctx: *mut c_void,
    name: Str,
    out: *mut Slice<Str>,
) -> Status {
    // SAFETY: see above.
    unsafe { lend(ctx, out, |run: &Checked<'_, S>| run.column(name.as_str())) }
}

pub(super) unsafe extern "C" fn column_numbers<S: HostServices>(
    ctx: *mut c_void,
    name: Str,
    out: *mut Slice<f64>,
) -> Status {
    // SAFETY: see above.
    unsafe { lend(ctx, out, |run: &Checked<'_, S>| Ok(Slice::new(run.column_numbers(name.as_str())?))) }
}

pub(super) unsafe extern "C" fn labels_of<S: HostServices>(
    ctx: *mut c_void,
    name: Str,
    out: *mut Slice<u32>,
) -> Status {
    // SAFETY: see above.
    unsafe { lend(ctx, out, |run: &Checked<'_, S>| Ok(Slice::new(run.labels_of(name.as_str())?))) }
}

pub(super) unsafe extern "C" fn scores_of<S: HostServices>(
    ctx: *mut c_void,
    detector: Str,
    out: *mut Slice<f32>,
) -> Status {
    // SAFETY: see above.
    unsafe { lend(ctx, out, |run: &Checked<'_, S>| Ok(Slice::new(run.scores_of(detector.as_str())?))) }
}

pub(super) unsafe extern "C" fn attribute<S: HostServices>(
    ctx: *mut c_void,
    name: Str,
    unit: Str,
    values: Slice<f32>,
) -> Status {
    let write = |run: &Checked<'_, S>| {
        // SAFETY: see above.
        unsafe { run.attribute(name.as_str(), unit.as_str(), values.as_slice()) }
    };
    // SAFETY: see above.
    unsafe { serve(ctx, write) }
}

pub(super) unsafe extern "C" fn finding<S: HostServices>(
    ctx: *mut c_void,
    record: *const FindingRecord,
) -> Status {
    let write = |run: &Checked<'_, S>| {
        // SAFETY: see above.
        let Some(record) = (unsafe { record.as_ref() }) else {
            return Err(run.refuse("wrote a null finding"));
        };
        // SAFETY: see above.
        unsafe { run.finding(record, record.text.as_str(), record.evidence.as_slice()) }
    };
    // SAFETY: see above.
    unsafe { serve(ctx, write) }
}

pub(super) unsafe extern "C" fn regions<S: HostServices>(
    ctx: *mut c_void,
    sample: u32,
    records: Slice<RegionRecord>,
) -> Status {
    let write = |run: &Checked<'_, S>| {
        // SAFETY: see above.
        let records = unsafe { records.as_slice() };
        // SAFETY: see above.
        let named = |record: &RegionRecord| unsafe { region(record, record.label.as_str()) };
        let all: Vec<Region<'_>> = records.iter().map(named).collect();
        run.regions(sample as usize, &all)
    };
    // SAFETY: see above.
    unsafe { serve(ctx, write) }
}
