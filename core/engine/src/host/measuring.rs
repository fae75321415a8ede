//! Detectors' measuring of single pictures, outside of any run.
#![allow(unsafe_code)] // Calls the detector's function.

use super::LoadedDetector;
use crate::image::{RgbImage, thumbnail};
use crate::measures::Measurer;
use chaffinch_plugin::Source;
use chaffinch_plugin::abi::{PixelsTable, Slice, Status, Str};
use std::ffi::c_void;

/// A detector that measures pictures.
pub(crate) struct Measuring<'a>(&'a LoadedDetector);

impl<'a> Measuring<'a> {
    /// `None` where it measures none.
    pub(crate) fn of(detector: &'a LoadedDetector) -> Option<Measuring<'a>> {
        detector.measuring().map(|_| Measuring(detector))
    }
}

impl Measurer for Measuring<'_> {
    fn name(&self) -> &str {
        self.0.info().name()
    }

    fn identity(&self) -> String {
        self.0.digest().to_owned()
    }

    fn bytes(&self) -> usize {
        self.0.measuring().map_or(0, |measuring| measuring.bytes)
    }

    fn measure(&self, image: &RgbImage, source: Source, record: &mut [u8]) -> Result<(), String> {
        let Some(measuring) = self.0.measuring() else { return Ok(()) };
        let (full_width, full_height) = image.dimensions();
        let smaller = (measuring.side > 0 && full_width.max(full_height) > measuring.side)
            .then(|| thumbnail::fit(image, measuring.side, measuring.side));
        let image = smaller.as_ref().unwrap_or(image);
        let table = PixelsTable {
            rgb: Slice::new(image.as_raw()),
            width: image.width(),
            height: image.height(),
            full_width,
            full_height,
            source,
        };
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
