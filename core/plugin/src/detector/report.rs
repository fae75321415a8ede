//! Where a detector writes what it found.
#![allow(unsafe_code)] // Calls the host's function table.

use super::view::check;
use crate::abi::{HostTable, IssueRecord, RelatedRecord, Slice, Str};
use crate::{Error, Result, Score};

/// Another sample named as evidence, and how alike the two are (1 = the same).
pub type Related = RelatedRecord;

/// What a detector says of one sample.
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
    /// A score for `sample`. Whether it is flagged is the threshold's affair, not the detector's.
    pub fn new(sample: usize, score: Score) -> Issue<'a> {
        Issue { sample, score, suggested: None, group: None, related: &[], reason: "" }
    }

    /// The label it should have.
    #[must_use]
    pub fn suggest(mut self, label: u32) -> Self {
        self.suggested = Some(label);
        self
    }

    /// The group it belongs to (duplicates), numbered by the detector from 0.
    #[must_use]
    pub fn group(mut self, group: u32) -> Self {
        self.group = Some(group);
        self
    }

    /// Other samples as evidence, most telling first.
    #[must_use]
    pub fn related(mut self, related: &'a [Related]) -> Self {
        self.related = related;
        self
    }

    /// One English sentence that says why, without the file's name.
    #[must_use]
    pub fn reason(mut self, reason: &'a str) -> Self {
        self.reason = reason;
        self
    }
}

/// Takes issues and scores across the border. The host checks each: an unknown sample or label, or a score
/// that is none, refuses the detector's whole report.
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
            sample: u32::try_from(issue.sample).map_err(|_| Error::new("sample number beyond 32 bits"))?,
            score: issue.score.get(),
            suggested: issue.suggested.unwrap_or(u32::MAX),
            group: issue.group.unwrap_or(u32::MAX),
            related: Slice::new(issue.related),
            reason: Str::new(issue.reason),
        };
        // SAFETY: the table's functions and `ctx` are valid until `run` returns; `record` outlives the call.
        check(self.host, unsafe { (self.host.issue)(self.host.ctx, &raw const record) })
    }

    /// Writes the scores of all samples at once; NaN where a sample has none. Cheaper than one issue each:
    /// use it for everything, then [`Report::issue`] for the samples that deserve words.
    ///
    /// # Errors
    /// When the host refuses them, for one if there are not as many as samples.
    pub fn scores(&self, scores: &[f32]) -> Result<()> {
        // SAFETY: as above; the slice outlives the call.
        check(self.host, unsafe { (self.host.scores)(self.host.ctx, Slice::new(scores)) })
    }

    /// Keeps bytes (a trained model) under a name for later runs of this detector on this dataset, and returns their
    /// version, counted from 1. Nothing is kept when the run fails. Bytes equal to the newest version's stay that
    /// version, so that the same run twice keeps one. Read them with [`View::kept`](crate::View::kept).
    ///
    /// # Errors
    /// When the name is not of a-z, 0-9 and -, there are more than 64 MiB, or the host has no place.
    pub fn keep(&self, name: &str, bytes: &[u8]) -> Result<u32> {
        let mut version = 0;
        // SAFETY: as above; name, bytes and version outlive the call.
        check(self.host, unsafe {
            (self.host.keep)(self.host.ctx, Str::new(name), Slice::new(bytes), &raw mut version)
        })?;
        Ok(version)
    }

    /// Leaves a named text about the whole run, for a person to read.
    ///
    /// # Errors
    /// When the host refuses it.
    pub fn note(&self, name: &str, text: &str) -> Result<()> {
        // SAFETY: as above.
        check(self.host, unsafe { (self.host.note)(self.host.ctx, Str::new(name), Str::new(text)) })
    }
}
