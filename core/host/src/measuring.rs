//! Lets detectors of this process measure single pictures: while files are read, or all at once for a run. One in another
//! process measures there, from the pictures that it is lent.

use super::LoadedDetector;
use super::exported::Exported;
use super::gone::is_gone;
use super::services::{DatasetServices, pixels_of};
use crate::{Error, Result};
use chaffinch_compute::image::{RgbImage, thumbnail};
use chaffinch_compute::job::Job;
use chaffinch_data::measures::{Measurer, Measures};
use chaffinch_plugin::Source;
use chaffinch_protocol::sample::SampleId;
use rayon::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

/// A detector that measures pictures.
pub struct Measuring<'a>(&'a Exported, &'a LoadedDetector);

impl<'a> Measuring<'a> {
    /// `None` if it does not measure pictures.
    pub fn of(detector: &'a LoadedDetector) -> Option<Measuring<'a>> {
        let exported = detector.exported().filter(|exported| exported.measured().is_some())?;
        Some(Measuring(exported, detector))
    }

    /// Decodes and measures every sample.
    /// Returns how many were not there any more, too.
    pub(super) fn measure_all(&self, services: &DatasetServices, job: &Job<'_>) -> Result<(Vec<u8>, u64)> {
        let decodable = services.dataset().decodable;
        let missed = AtomicU64::new(0);
        let mut records = vec![0; decodable.len() * self.bytes()];
        let all = records.par_chunks_exact_mut(self.bytes()).zip(decodable).enumerate();
        all.filter(|(_, (_, decodable))| **decodable == 1).try_for_each(|(row, (record, _))| {
            job.checkpoint()?;
            match services.picture(SampleId(row as u32), 0) {
                Ok(picture) => self.measure(&picture.image, picture.source, record).map_err(Error::Invalid),
                Err(error) if is_gone(&error) => {
                    missed.fetch_add(1, Ordering::Relaxed);
                    Ok(())
                }
                Err(error) => Err(error),
            }
        })?;
        Ok((records, missed.into_inner()))
    }
}

impl Measurer for Measuring<'_> {
    fn name(&self) -> &str {
        self.0.info().name()
    }

    fn identity(&self) -> String {
        self.1.digest().to_owned()
    }

    fn bytes(&self) -> usize {
        self.0.measured().map_or(0, |(bytes, _)| bytes)
    }

    fn measure(
        &self,
        image: &RgbImage,
        source: Source,
        record: &mut [u8],
    ) -> std::result::Result<(), String> {
        let Some((_, side)) = self.0.measured() else { return Ok(()) };
        let smaller = thumbnail::smaller(image, side);
        self.0.measure(pixels_of(smaller.as_ref().unwrap_or(image), image.dimensions(), source), record)
    }
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
