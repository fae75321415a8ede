//! Builds a detector's result.

use super::plain::{NONE, PlainColumns};
use super::result::DetectorResult;
use super::said::Said;
use crate::issue::{Boxed, Issue, RunRecord};
use chaffinch_protocol::sample::SampleId;

/// Collects what one detector reports, in any order. Issues are stored packed, since a detector may report millions.
#[derive(Debug, Default)]
pub struct ResultBuilder {
    count: usize,
    scores: Vec<f32>,
    issues: Vec<Packed>,
    related: Vec<(SampleId, f32)>,
    reasons: String,
    said: Said,
}

/// An issue whose lists are stored elsewhere.
#[derive(Debug, Clone, Copy)]
struct Packed {
    sample: u32,
    score: f32,
    suggested: u32,
    group: u32,
    related: (u64, u32),
    reason: (u64, u32),
}

impl ResultBuilder {
    /// A result for this many samples, none of them scored yet.
    pub fn new(count: usize) -> ResultBuilder {
        ResultBuilder { count, ..ResultBuilder::default() }
    }

    /// Sets the scores of all samples at once, NaN if there is none. Values are clamped to 0..=1. An issue's own score
    /// takes precedence.
    ///
    /// # Panics
    /// When there is not exactly one per sample.
    pub fn scores(&mut self, scores: &[f32]) -> &mut ResultBuilder {
        assert_eq!(scores.len(), self.count, "one score a sample");
        self.scores.clear();
        self.scores.extend(scores.iter().map(|score| score.clamp(0.0, 1.0)));
        self
    }

    /// Sets the issue of one sample; the last call for a sample takes precedence.
    ///
    /// # Panics
    /// When there is no such sample.
    pub fn issue(&mut self, id: SampleId, issue: Issue) -> &mut ResultBuilder {
        assert!(id.index() < self.count, "sample {} of {}", id.0, self.count);
        let related = (self.related.len() as u64, issue.related.len() as u32);
        let reason = (self.reasons.len() as u64, issue.reason.len() as u32);
        self.related.extend_from_slice(&issue.related);
        self.reasons.push_str(&issue.reason);
        self.issues.push(Packed {
            sample: id.0,
            score: issue.score.clamp(0.0, 1.0),
            suggested: issue.suggested.unwrap_or(NONE),
            group: issue.group.unwrap_or(NONE),
            related,
            reason,
        });
        self
    }

    /// Sets an attribute: a number for each sample, NaN where there is none.
    ///
    /// # Panics
    /// When there is not exactly one per sample.
    pub fn attribute(&mut self, name: &str, unit: &str, values: &[f32]) -> &mut ResultBuilder {
        assert_eq!(values.len(), self.count, "one value a sample");
        self.said.attributes.insert(name.to_owned(), (unit.to_owned(), values.to_vec()));
        self
    }

    /// Adds regions of one sample to those that it has.
    ///
    /// # Panics
    /// When there is no such sample.
    pub fn regions(&mut self, id: SampleId, regions: Vec<Boxed>) -> &mut ResultBuilder {
        assert!(id.index() < self.count, "sample {} of {}", id.0, self.count);
        self.said.regions.entry(id.0).or_default().extend(regions);
        self
    }

    /// The finished result. `classes` are the manifest's: suggested labels are stored by name.
    pub fn finish(self, record: RunRecord, classes: &[String]) -> DetectorResult {
        self.finish_naming(record, classes, &[])
    }

    /// The same where labels are suggested that are not classes: `others`, whose indices follow those of the classes.
    pub fn finish_naming(
        mut self,
        mut record: RunRecord,
        classes: &[String],
        others: &[String],
    ) -> DetectorResult {
        let known = classes.len();
        let names = [classes, others].concat();
        let classes = names.as_slice();
        // Stable, so that of several issues for a sample the last one stays last.
        self.issues.sort_by_key(|issue| issue.sample);
        let mut scores = std::mem::take(&mut self.scores);
        scores.resize(self.count, f32::NAN);
        let mut columns = PlainColumns::new(self.count);
        let mut next = 0;
        for chunk in self.issues.chunk_by(|a, b| a.sample == b.sample) {
            let Some(issue) = chunk.last() else { continue };
            let row = issue.sample as usize;
            columns.fill_to(&mut next, row);
            scores[row] = issue.score;
            // An index out of range is not a label.
            columns.suggested[row] =
                if (issue.suggested as usize) < classes.len() { issue.suggested } else { NONE };
            columns.group[row] = issue.group;
            let (start, len) = (issue.related.0 as usize, issue.related.1 as usize);
            for &(other, similarity) in &self.related[start..start + len] {
                columns.related.push(other.0);
                columns.similarity.push(similarity);
            }
            let (start, len) = (issue.reason.0 as usize, issue.reason.1 as usize);
            columns.reasons.push_str(&self.reasons[start..start + len]);
        }
        columns.fill_to(&mut next, self.count);
        record.units = self.said.units();
        DetectorResult::from_columns(record, (classes, known), scores, (columns, self.said))
    }
}
