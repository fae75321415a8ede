//! Where a detector writes its results.
#![allow(unsafe_code)] // Calls the host's function table.

use super::Region;
use super::view::check;
use crate::abi::{FindingRecord, HostTable, IssueRecord, RegionRecord, RelatedRecord, Slice, Str};
use crate::{Error, Likeness, Result, Score, Severity};

/// Another sample as evidence, with its similarity (1 = identical).
pub type Related = RelatedRecord;

/// A detector's result for one sample.
#[derive(Debug, Clone, Copy)]
pub struct Issue<'a> {
    sample: usize,
    score: Score,
    suggested: Option<u32>,
    group: Option<u32>,
    related: &'a [Related],
    reason: &'a str,
}

impl<'a> Issue<'a> {
    /// A score for `sample`. The threshold, not the detector, determines whether it is flagged.
    pub fn new(sample: usize, score: Score) -> Issue<'a> {
        Issue { sample, score, suggested: None, group: None, related: &[], reason: "" }
    }

    /// Suggests a label.
    #[must_use]
    pub fn suggest(mut self, label: u32) -> Self {
        self.suggested = Some(label);
        self
    }

    /// The group it belongs to (duplicates), numbered from 0 by the detector.
    #[must_use]
    pub fn group(mut self, group: u32) -> Self {
        self.group = Some(group);
        self
    }

    /// Other samples as evidence, most relevant first.
    #[must_use]
    pub fn related(mut self, related: &'a [Related]) -> Self {
        self.related = related;
        self
    }

    /// The reason: one sentence in English, without the file name.
    #[must_use]
    pub fn reason(mut self, reason: &'a str) -> Self {
        self.reason = reason;
        self
    }
}

/// Passes issues and scores across the boundary. The host checks each: an unknown sample or label, or an invalid
/// score, rejects the detector's whole report; of [`Report::scores`], single invalid scores are rejected alone.
pub struct Report<'h> {
    host: &'h HostTable,
}

impl<'h> Report<'h> {
    pub(crate) fn new(host: &'h HostTable) -> Report<'h> {
        Report { host }
    }

    /// Writes one issue. A later one for the same sample replaces the earlier.
    ///
    /// # Errors
    /// When the host refuses it.
    pub fn issue(&self, issue: Issue<'_>) -> Result<()> {
        let record = IssueRecord {
            sample: u32::try_from(issue.sample)
                .map_err(|_| Error::new("the sample number does not fit in 32 bits"))?,
            score: issue.score.get(),
            suggested: issue.suggested.unwrap_or(u32::MAX),
            group: issue.group.unwrap_or(u32::MAX),
            related: Slice::new(issue.related),
            reason: Str::new(issue.reason),
        };
        // SAFETY: the table's functions and `ctx` are valid until `run` returns; `record` outlives the call.
        check(self.host, unsafe { (self.host.issue)(self.host.ctx, &raw const record) })
    }

    /// Writes the scores of all samples at once; NaN if a sample has none. Cheaper than one issue each:
    /// use it for everything, then [`Report::issue`] for samples that deserve a reason.
    ///
    /// # Errors
    /// When the host refuses them, for example because their number is not that of the samples.
    pub fn scores(&self, scores: &[f32]) -> Result<()> {
        // SAFETY: as above; the slice outlives the call.
        check(self.host, unsafe { (self.host.scores)(self.host.ctx, Slice::new(scores)) })
    }

    /// Keeps bytes (a trained model) under a name for later runs of this detector on this dataset, and returns their
    /// version, counted from 1. Nothing is kept if the run fails. Bytes equal to those of the newest version do not create a
    /// new one, so repeating a run keeps one version. Read them with [`View::kept`](crate::View::kept).
    ///
    /// # Errors
    /// When the name has characters other than a-z, 0-9 and -, there are more than 64 MiB, or the host cannot store them.
    pub fn keep(&self, name: &str, bytes: &[u8]) -> Result<u32> {
        let mut version = 0;
        // SAFETY: as above; name, bytes and version outlive the call.
        check(self.host, unsafe {
            (self.host.keep)(self.host.ctx, Str::new(name), Slice::new(bytes), &raw mut version)
        })?;
        Ok(version)
    }

    /// Says how alike the members of each group are, by numbers of groups in the order of [`Likeness::ALL`]: a detector that
    /// says so numbers its groups by likeness, those of the same bytes first. Without this, a group counts as alike only, unless
    /// its files have the same bytes. It is written as the note [`Likeness::NOTE`].
    ///
    /// # Errors
    /// When the host refuses it.
    pub fn likeness(&self, groups: [usize; 4]) -> Result<()> {
        self.note(Likeness::NOTE, &Likeness::note(groups))
    }

    /// Writes a named note about the whole run, for the user to read.
    ///
    /// # Errors
    /// When the host refuses it.
    pub fn note(&self, name: &str, text: &str) -> Result<()> {
        // SAFETY: as above.
        check(self.host, unsafe { (self.host.note)(self.host.ctx, Str::new(name), Str::new(text)) })
    }

    /// Writes an attribute: a number for each sample, NaN where there is none, which is shown and can be sorted by and
    /// filtered (`attr.sharpness<2`). The unit may be empty.
    ///
    /// # Errors
    /// When the host refuses it: the name has characters other than a-z, 0-9, - and _, or was written before, there is not
    /// one value for each sample, or one is infinite.
    pub fn attribute(&self, name: &str, unit: &str, values: &[f32]) -> Result<()> {
        let (name, unit) = (Str::new(name), Str::new(unit));
        // SAFETY: as above.
        check(self.host, unsafe { (self.host.attribute)(self.host.ctx, name, unit, Slice::new(values)) })
    }

    /// Writes something about the dataset as a whole, with samples that show it.
    ///
    /// # Errors
    /// When the host refuses it, for example because a sample does not exist.
    pub fn finding(&self, severity: Severity, text: &str, evidence: &[u32]) -> Result<()> {
        let record = FindingRecord {
            text: Str::new(text),
            severity: severity as u32,
            reserved: 0,
            evidence: Slice::new(evidence),
        };
        // SAFETY: as above.
        check(self.host, unsafe { (self.host.finding)(self.host.ctx, &raw const record) })
    }

    /// Writes the parts of one sample's picture that matter, which are drawn over it. Those of several calls for one
    /// sample add up.
    ///
    /// # Errors
    /// When the host refuses them, for example because an edge is outside of the picture.
    pub fn regions(&self, sample: usize, regions: &[Region<'_>]) -> Result<()> {
        let sample =
            u32::try_from(sample).map_err(|_| Error::new("the sample number does not fit in 32 bits"))?;
        let records: Vec<RegionRecord> = regions.iter().map(Region::record).collect();
        // SAFETY: as above.
        check(self.host, unsafe { (self.host.regions)(self.host.ctx, sample, Slice::new(&records)) })
    }
}
