//! The export macro and the panic guard around every detector.
#![allow(unsafe_code)] // The other half of the boundary: called by the host.

use crate::abi::{FailSink, HostTable, PixelsTable, Status, Str};
use crate::panic;
use crate::{Detector, Pixels, Report, View};
use std::cell::RefCell;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    /// Where the last panic on this thread happened, set by the hook and read by the guard.
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs a detector behind a guard: unwinding out of an `extern "C"` function would abort the whole program,
/// and every library has its own copy of the standard library, so only the detector's side can catch a panic.
///
/// # Safety
/// `host` must be null or a host table that stays valid until this returns.
#[doc(hidden)]
pub unsafe fn run_guarded<D: Detector>(detector: &D, host: *const HostTable) -> Status {
    // SAFETY: the caller guarantees it.
    let Some(host) = (unsafe { host.as_ref() }) else { return Status::ERROR };
    quieten_panics();
    run_caught(detector, host)
}

/// As [`run_guarded`], but leaves the panic hook alone, because a test's assertions go through it.
pub(crate) fn run_caught<D: Detector>(detector: &D, host: &HostTable) -> Status {
    work_caught(host, |view, report| detector.detect(view, report))
}

/// The same for any function that does a detector's work.
pub(crate) fn work_caught(
    host: &HostTable,
    work: impl FnOnce(&View<'_>, &Report<'_>) -> crate::Result<()>,
) -> Status {
    caught(
        || work(&View::new(host)?, &Report::new(host)),
        // SAFETY: the table is valid until we return; the host copies the message.
        |message| unsafe { (host.fail)(host.ctx, Str::new(message)) },
    )
}

/// Measures one picture behind the same guard.
///
/// # Safety
/// `pixels` must be a table whose bytes are valid, and `record` as many bytes as `len` says, until this returns; `fail`
/// must take `sink`.
#[doc(hidden)]
pub unsafe fn measure_guarded<D: Detector>(
    detector: &D,
    pixels: *const PixelsTable,
    record: *mut u8,
    len: usize,
    sink: *mut c_void,
    fail: FailSink,
) -> Status {
    quieten_panics();
    // SAFETY: the caller guarantees it.
    unsafe { measure_caught(detector, pixels, record, len, sink, fail) }
}

/// As [`measure_guarded`], but leaves the panic hook alone.
///
/// # Safety
/// As for [`measure_guarded`].
pub(crate) unsafe fn measure_caught<D: Detector>(
    detector: &D,
    pixels: *const PixelsTable,
    record: *mut u8,
    len: usize,
    sink: *mut c_void,
    fail: FailSink,
) -> Status {
    if pixels.is_null() || record.is_null() || len != D::MEASURE_BYTES {
        return Status::ERROR;
    }
    // SAFETY: the caller guarantees both.
    let (pixels, record) = unsafe { (Pixels::lent(&*pixels), std::slice::from_raw_parts_mut(record, len)) };
    caught(
        || detector.measure(&pixels, record),
        // SAFETY: the caller guarantees it; the host copies the message.
        |message| unsafe { fail(sink, Str::new(message)) },
    )
}

/// Records panics of this library instead of printing them: the default hook prints to stderr, which would garble the
/// screen. This library has its own copy of the hook, so the host's is not affected.
fn quieten_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            let location =
                info.location().map(|l| format!(" at {}:{}", l.file(), l.line())).unwrap_or_default();
            LAST_PANIC.with(|last| *last.borrow_mut() = location);
        }));
    });
}

/// Runs a detector's code; if it fails or panics, `fail` gets the message.
pub(crate) fn caught(work: impl FnOnce() -> crate::Result<()>, fail: impl FnOnce(&str)) -> Status {
    let (status, message) = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => return Status::OK,
        Ok(Err(error)) if error.is_stopped() => return Status::STOPPED,
        Ok(Err(error)) => (Status::ERROR, error.to_string()),
        Err(payload) => {
            let location = LAST_PANIC.with(|last| last.borrow().clone());
            (Status::PANIC, format!("panicked{location}: {}", panic::said(payload)))
        }
    };
    fail(&message);
    status
}

/// Exports one or more detectors (unit structs) from a library.
///
/// ```
/// # use chaffinch_plugin::prelude::*;
/// # struct Nothing;
/// # impl Detector for Nothing {
/// #     const INFO: Info = Info::new("nothing", "Finds nothing");
/// #     fn detect(&self, _: &View<'_>, _: &Report<'_>) -> Result<()> { Ok(()) }
/// # }
/// export_detector!(Nothing);
/// ```
#[macro_export]
macro_rules! export_detector {
    ($($detector:ident),+ $(,)?) => {
        #[cfg(panic = "abort")]
        compile_error!("a detector must be built with panic = \"unwind\"; otherwise its first panic ends the program");

        #[allow(unsafe_code)]
        const _: () = {
            use $crate::abi::{ABI_VERSION, DetectorTable, PluginTable, Slice, Str};

            const DETECTORS: &[DetectorTable] = &[$({
                unsafe extern "C" fn run(host: *const $crate::abi::HostTable) -> $crate::abi::Status {
                    // SAFETY: the host passes its table and keeps it until this returns.
                    unsafe { $crate::run_guarded(&$detector, host) }
                }
                unsafe extern "C" fn measure(
                    pixels: *const $crate::abi::PixelsTable,
                    record: *mut u8,
                    len: usize,
                    sink: *mut ::std::ffi::c_void,
                    fail: $crate::abi::FailSink,
                ) -> $crate::abi::Status {
                    // SAFETY: the host lends picture and record for the duration of this call.
                    unsafe { $crate::measure_guarded(&$detector, pixels, record, len, sink, fail) }
                }
                const BYTES: usize = <$detector as $crate::Detector>::MEASURE_BYTES;
                assert!(BYTES <= $crate::abi::MAX_MEASURE_BYTES as usize, "MEASURE_BYTES exceeds the limit");
                DetectorTable {
                    measure: if BYTES > 0 { Some(measure) } else { None },
                    measure_bytes: BYTES as u32,
                    measure_side: <$detector as $crate::Detector>::MEASURE_SIDE,
                    ..DetectorTable::new(<$detector as $crate::Detector>::INFO, Some(run))
                }
            }),+];

            #[unsafe(no_mangle)]
            static CHAFFINCH_PLUGIN: PluginTable = PluginTable {
                abi: ABI_VERSION,
                size: size_of::<PluginTable>() as u32,
                build: Str::new(concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"))),
                detectors: Slice::new(DETECTORS),
            };
        };
    };
}
