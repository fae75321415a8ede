//! The traits that a detector implements.

mod region;
mod report;
mod view;

pub use region::Region;
pub use report::{Issue, Related, Report};
pub use view::View;

use crate::{Info, Needs, Pixels, Result, Score};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// A [`SampleDetector`]'s result for one image.
#[derive(Debug, Clone)]
pub struct Finding {
    score: Score,
    reason: String,
    attributes: Vec<(&'static str, &'static str, f32)>,
    regions: Vec<Region<'static>>,
}

impl Finding {
    /// A score without a reason.
    pub fn new(score: Score) -> Finding {
        Finding { score, reason: String::new(), attributes: Vec::new(), regions: Vec::new() }
    }

    /// Adds the reason: one sentence in English.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Finding {
        self.reason = reason.into();
        self
    }

    /// Adds an attribute with its unit, which may be empty: see [`Report::attribute`].
    #[must_use]
    pub fn attribute(mut self, name: &'static str, unit: &'static str, value: f32) -> Finding {
        self.attributes.push((name, unit, value));
        self
    }

    /// Adds a part of the picture that matters.
    #[must_use]
    pub fn region(mut self, region: Region<'static>) -> Finding {
        self.regions.push(region);
        self
    }
}

/// Looks at one image at a time. The host provides the loop, the threads, progress and cancellation.
pub trait SampleDetector: Send + Sync {
    /// Identity, parameters and threshold.
    const INFO: Info;

    /// Images are scaled down to at most this many pixels on their longer side; 0 = full size.
    const MAX_SIDE: u32 = 0;

    /// Judges one image.
    ///
    /// # Errors
    /// Ends this detector's whole run; an image that is merely odd gets a score, not an error.
    fn inspect(&self, pixels: &Pixels<'_>, view: &View<'_>) -> Result<Finding>;
}

/// Looks at the whole dataset. Every [`SampleDetector`] is one.
pub trait Detector: Send + Sync {
    /// Identity, needs, parameters and threshold.
    const INFO: Info;

    /// Bytes that [`Detector::measure`] writes for each picture, at most 4096; 0 = it measures none.
    const MEASURE_BYTES: usize = 0;

    /// Pictures are scaled to at most this many pixels on their longer side before they are measured; 0 = full size.
    const MEASURE_SIDE: u32 = 0;

    /// Records what [`Detector::detect`] needs to know about one picture. The host calls it while the file is being decoded
    /// anyway, before and outside any run, and keeps the record for as long as file and detector stay the same; it must
    /// depend on the picture alone. `record` is [`Detector::MEASURE_BYTES`] zeros. [`View::measures`] lends the
    /// records of all samples.
    ///
    /// # Errors
    /// Fails this detector for the whole scan; a picture that is merely odd gets a record, not an error.
    fn measure(&self, pixels: &Pixels<'_>, record: &mut [u8]) -> Result<()> {
        let _ = (pixels, record);
        Ok(())
    }

    /// Judges the dataset and writes what it finds into `report`.
    ///
    /// # Errors
    /// The host shows the message and continues with the other detectors.
    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()>;
}

impl<T: SampleDetector> Detector for T {
    const INFO: Info = {
        let info = <T as SampleDetector>::INFO;
        info.needs(Needs::from_bits(info.needs).and(Needs::PIXELS))
    };

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        // Findings arrive in any order from several threads; they are written in sample order, so the report
        // does not depend on the thread count.
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
            if !finding.regions.is_empty() {
                report.regions(*sample, &finding.regions)?;
            }
        }
        attributes(&findings, view.len(), report)
    }
}

/// Writes the attributes of single samples, in the order of their names.
fn attributes(findings: &[(usize, Finding)], count: usize, report: &Report<'_>) -> Result<()> {
    let mut columns = BTreeMap::new();
    for (sample, finding) in findings {
        for (name, unit, value) in &finding.attributes {
            let (_, values) = columns.entry(*name).or_insert_with(|| (*unit, vec![f32::NAN; count]));
            values[*sample] = *value;
        }
    }
    columns.into_iter().try_for_each(|(name, (unit, values))| report.attribute(name, unit, &values))
}
