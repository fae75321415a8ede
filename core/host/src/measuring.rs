//! Detectors' measuring of single pictures: outside of any run, and lent to one.
#![allow(unsafe_code)] // Calls the detector's function.

use super::context::pixels_of;
use super::{LoadedDetector, RunContext};
use crate::{Error, Result};
use chaffinch_compute::image::{RgbImage, thumbnail};
use chaffinch_data::measures::{Measurer, Measures};
use chaffinch_plugin::Source;
use chaffinch_plugin::abi::{Status, Str};
use chaffinch_protocol::sample::SampleId;
use rayon::prelude::*;
use std::ffi::c_void;

/// A detector that measures pictures.
pub struct Measuring<'a>(&'a LoadedDetector);

impl<'a> Measuring<'a> {
    /// `None` where it measures none.
    pub fn of(detector: &'a LoadedDetector) -> Option<Measuring<'a>> {
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

    fn measure(
        &self,
        image: &RgbImage,
        source: Source,
        record: &mut [u8],
    ) -> std::result::Result<(), String> {
        let Some(measuring) = self.0.measuring() else { return Ok(()) };
        let smaller = thumbnail::smaller(image, measuring.side);
        let table = pixels_of(smaller.as_ref().unwrap_or(image), image.dimensions(), source);
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

/// Records of what was measured.
pub(super) enum Records {
    /// By the reading of the files.
    Kept(Measures),
    /// For this run alone.
    New(Vec<u8>),
}

impl<'a> RunContext<'a> {
    /// The same with what the detector measured of each sample; without it, that is done when it asks.
    #[must_use]
    pub fn measured(self, measures: Measures) -> RunContext<'a> {
        let _ = self.measures.set(Records::Kept(measures));
        self
    }

    /// One record a sample, zeros where it could not be decoded.
    pub(super) fn measures(&self) -> Result<&[u8]> {
        if self.measures.get().is_none() {
            let _ = self.measures.set(Records::New(self.measure_all()?));
        }
        Ok(match self.measures.get() {
            Some(Records::Kept(measures)) => measures.records(),
            Some(Records::New(records)) => records,
            None => &[],
        })
    }

    /// Decodes and measures every sample.
    fn measure_all(&self) -> Result<Vec<u8>> {
        let measurer = Measuring::of(self.detector)
            .ok_or_else(|| Error::Invalid("it asks for measures but measures nothing".into()))?;
        let mut records = vec![0; self.shared.manifest.len() * measurer.bytes()];
        let all = records.par_chunks_exact_mut(measurer.bytes()).zip(&self.shared.decodable).enumerate();
        all.filter(|(_, (_, decodable))| **decodable == 1).try_for_each(|(row, (record, _))| {
            self.job.checkpoint()?;
            match self.shared.picture(SampleId(row as u32), 0) {
                Ok(seen) => measurer.measure(&seen.picture, seen.source, record).map_err(Error::Invalid),
                // The file was fine when it was indexed: it went away or changed since, which the next scan sees.
                Err(Error::Io { .. } | Error::Format { .. }) => Ok(()),
                Err(error) => Err(error),
            }
        })?;
        Ok(records)
    }
}
