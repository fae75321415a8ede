//! Lets detectors measure single pictures: while files are read, or all at once for a run.
#![allow(unsafe_code)] // Calls the detector's function.

use super::LoadedDetector;
use super::services::{DatasetServices, pixels_of};
use crate::{Error, Result};
use chaffinch_compute::image::{RgbImage, thumbnail};
use chaffinch_compute::job::Job;
use chaffinch_data::measures::{Measurer, Measures};
use chaffinch_plugin::Source;
use chaffinch_plugin::abi::{PixelsTable, Status, Str};
use chaffinch_protocol::sample::SampleId;
use rayon::prelude::*;
use std::ffi::c_void;

/// A detector that measures pictures.
pub struct Measuring<'a>(&'a LoadedDetector);

impl<'a> Measuring<'a> {
    /// `None` if it does not measure pictures.
    pub fn of(detector: &'a LoadedDetector) -> Option<Measuring<'a>> {
        detector.measuring().map(|_| Measuring(detector))
    }

    /// Decodes and measures every sample.
    pub(super) fn measure_all(&self, services: &DatasetServices, job: &Job<'_>) -> Result<Vec<u8>> {
        let decodable = services.dataset().decodable;
        let mut records = vec![0; decodable.len() * self.bytes()];
        let all = records.par_chunks_exact_mut(self.bytes()).zip(decodable).enumerate();
        all.filter(|(_, (_, decodable))| **decodable == 1).try_for_each(|(row, (record, _))| {
            job.checkpoint()?;
            match services.picture(SampleId(row as u32), 0) {
                Ok(picture) => self.measure(&picture.image, picture.source, record).map_err(Error::Invalid),
                // The file was fine when it was indexed, and has vanished or changed since; the next scan will notice.
                Err(Error::Io { .. } | Error::Format { .. }) => Ok(()),
                Err(error) => Err(error),
            }
        })?;
        Ok(records)
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

    fn measure(
        &self,
        image: &RgbImage,
        source: Source,
        record: &mut [u8],
    ) -> std::result::Result<(), String> {
        let Some(measuring) = self.0.measuring() else { return Ok(()) };
        let smaller = thumbnail::smaller(image, measuring.side);
        let pixels = pixels_of(smaller.as_ref().unwrap_or(image), image.dimensions(), source);
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

/// Measured records.
pub(super) enum Records {
    /// Measured while the files were read.
    Kept(Measures),
    /// Measured for this run only.
    New(Vec<u8>),
}

impl Records {
    /// One record per sample, zeros if it could not be decoded.
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Records::Kept(measures) => measures.records(),
            Records::New(records) => records,
        }
    }
}
