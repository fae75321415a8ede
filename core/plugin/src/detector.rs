//! What the author of a detector writes.

mod report;
mod view;

pub use report::{Issue, Related, Report};
pub use view::View;

use crate::{Info, Needs, Pixels, Result, Score};
use std::sync::Mutex;

/// What a [`SampleDetector`] says of one image.
#[derive(Debug, Clone)]
pub struct Finding {
    pub(crate) score: Score,
    pub(crate) reason: String,
}

impl Finding {
    /// A score without words.
    pub fn new(score: Score) -> Finding {
        Finding { score, reason: String::new() }
    }

    /// The same with one English sentence that says why.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Finding {
        self.reason = reason.into();
        self
    }
}

/// Looks at one image at a time. The loop, the threads, progress and stop are the host's.
pub trait SampleDetector: Send + Sync {
    /// Identity, parameters and threshold.
    const INFO: Info;

    /// Images are made smaller to fit this many pixels on their longer side before they get here;
    /// 0 = as they are in the file.
    const MAX_SIDE: u32 = 0;

    /// Judges one image.
    ///
    /// # Errors
    /// Ends the whole run of this detector; an image that is merely odd has a score, not an error.
    fn inspect(&self, pixels: &Pixels<'_>, view: &View<'_>) -> Result<Finding>;
}

/// Looks at the whole dataset. Every [`SampleDetector`] is one.
pub trait Detector: Send + Sync {
    /// Identity, needs, parameters and threshold.
    const INFO: Info;

    /// Bytes that [`Detector::measure`] writes of each picture, at most 4096; 0 = it measures none.
    const MEASURE_BYTES: usize = 0;

    /// Pictures are made to fit this many pixels on their longer side before they are measured; 0 = as they are in
    /// the file.
    const MEASURE_SIDE: u32 = 0;

    /// Writes down what [`Detector::detect`] needs to know of one picture. The host calls it while the file is decoded
    /// anyway, before and outside of any run, and keeps the record as long as file and detector stay the same: it may
    /// depend on nothing but the picture. `record` is [`Detector::MEASURE_BYTES`] zeros. [`View::measures`] lends the
    /// records of all samples.
    ///
    /// # Errors
    /// Fails this detector for the whole scan; a picture that is merely odd has a record of its own, not an error.
    fn measure(&self, pixels: &Pixels<'_>, record: &mut [u8]) -> Result<()> {
        let _ = (pixels, record);
        Ok(())
    }

    /// Judges the dataset and writes what it finds into `report`.
    ///
    /// # Errors
    /// The host shows the sentence and goes on with the other detectors.
    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()>;
}

impl<T: SampleDetector> Detector for T {
    const INFO: Info = {
        let info = <T as SampleDetector>::INFO;
        info.needs(Needs::from_bits(info.needs).and(Needs::PIXELS))
    };

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        // Findings arrive in any order from several threads; they are written in sample order, so that a
        // report does not depend on the thread count.
        let findings = Mutex::new(Vec::new());
        view.each_pixels(T::MAX_SIDE, &|sample, pixels| {
            let finding = self.inspect(pixels, view)?;
            if let Ok(mut findings) = findings.lock() {
                findings.push((sample, finding));
            }
            Ok(())
        })?;
        let mut findings = findings.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        findings.sort_by_key(|&(sample, _)| sample);
        for (sample, finding) in &findings {
            report.issue(Issue::new(*sample, finding.score).reason(&finding.reason))?;
        }
        Ok(())
    }
}
