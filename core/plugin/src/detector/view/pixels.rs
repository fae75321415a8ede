//! Pictures: their pixels, and the detector's measurements.
#![allow(unsafe_code)] // Calls the host's function table, and is called back.

use super::{View, check};
use crate::abi::{HostTable, PixelsTable, Slice, Status};
use crate::panic;
use crate::{Detector, Error, Pixels, Result};
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

impl<'h> View<'h> {
    /// Decodes one sample, scaled down to fit `max_side` (0 = full size), and passes it to `look`. Needs
    /// [`Needs::PIXELS`](crate::Needs::PIXELS).
    ///
    /// # Errors
    /// When it cannot be decoded, or `look` fails.
    pub fn pixels<T: Send>(
        &self,
        sample: usize,
        max_side: u32,
        look: impl Fn(&Pixels<'_>) -> Result<T> + Sync,
    ) -> Result<T> {
        let seen = Mutex::new(None);
        let keep = |_: usize, pixels: &Pixels<'_>| {
            let value = look(pixels)?;
            *seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
            Ok(())
        };
        let sink = Sink { look: &keep, error: Mutex::new(None) };
        let sample = u32::try_from(sample).map_err(|_| Error::new("sample number beyond 32 bits"))?;
        // SAFETY: `sink` outlives the call and `receive` is the function that knows its type.
        let status = unsafe { (self.host.pixels)(self.host.ctx, sample, max_side, sink.as_ctx(), receive) };
        sink.finish(self.host, status)?;
        let seen = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        seen.ok_or_else(|| Error::new("the host delivered no pixels"))
    }

    /// Decodes every decodable sample on the host's threads and passes each to `look`, in any order. Needs
    /// [`Needs::PIXELS`](crate::Needs::PIXELS).
    ///
    /// # Errors
    /// The first error of `look`, or the host's.
    pub fn each_pixels(
        &self,
        max_side: u32,
        look: &(dyn Fn(usize, &Pixels<'_>) -> Result<()> + Sync),
    ) -> Result<()> {
        let sink = Sink { look, error: Mutex::new(None) };
        // SAFETY: `sink` outlives the call and `receive` is the function that knows its type.
        let status = unsafe { (self.host.each_pixels)(self.host.ctx, max_side, sink.as_ctx(), receive) };
        sink.finish(self.host, status)
    }

    /// What [`Detector::measure`](crate::Detector::measure) wrote for each sample, in sample order; zeros if it could
    /// not be decoded. Needs [`Needs::PIXELS`](crate::Needs::PIXELS). A picture that was measured before and has not changed
    /// is not decoded again.
    ///
    /// # Errors
    /// When the detector measures nothing, a picture could not be measured, or the host was stopped.
    pub fn measures<D: Detector>(&self, _: &D) -> Result<std::slice::ChunksExact<'h, u8>> {
        let mut table = Slice::empty();
        // SAFETY: the table outlives the call.
        check(self.host, unsafe { (self.host.measures)(self.host.ctx, &raw mut table) })?;
        let records = self.lent(table);
        if D::MEASURE_BYTES == 0 || records.len() != self.len() * D::MEASURE_BYTES {
            return Err(Error::new("the host's measured records have the wrong size"));
        }
        Ok(records.chunks_exact(D::MEASURE_BYTES))
    }
}

/// A closure that is passed through the host and back.
struct Sink<'a> {
    look: &'a (dyn Fn(usize, &Pixels<'_>) -> Result<()> + Sync),
    error: Mutex<Option<Error>>,
}

impl Sink<'_> {
    fn as_ctx(&self) -> *mut c_void {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    /// The closure's own error takes precedence over the host's, which only says that the closure failed.
    fn finish(self, host: &HostTable, status: Status) -> Result<()> {
        match self.error.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => check(host, status),
        }
    }
}

impl<'a> Pixels<'a> {
    /// # Safety
    /// The table's bytes must be alive for `'a`.
    pub(crate) unsafe fn lent(table: &PixelsTable) -> Pixels<'a> {
        Pixels {
            // SAFETY: the caller guarantees it.
            rgb: unsafe { table.rgb.as_slice() },
            width: table.width as usize,
            height: table.height as usize,
            full_width: table.full_width as usize,
            full_height: table.full_height as usize,
            source: table.source,
        }
    }
}

/// Called by the host with one image. A panic must not cross the boundary, so it is caught here and becomes an
/// error.
unsafe extern "C" fn receive(ctx: *mut c_void, sample: u32, table: *const PixelsTable) -> Status {
    // SAFETY: `ctx` is the `Sink` that `pixels` or `each_pixels` keeps alive during the call.
    let sink = unsafe { &*ctx.cast::<Sink<'_>>() };
    // SAFETY: the host lends the table and its bytes for the duration of this call.
    let pixels = unsafe { Pixels::lent(&*table) };
    let outcome = catch_unwind(AssertUnwindSafe(|| (sink.look)(sample as usize, &pixels)))
        .unwrap_or_else(|payload| Err(Error::new(format!("panicked: {}", panic::said(payload)))));
    match outcome {
        Ok(()) => Status::OK,
        Err(error) => {
            let stopped = error.is_stopped();
            let mut first = sink.error.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert(error);
            if stopped { Status::STOPPED } else { Status::ERROR }
        }
    }
}
