//! One kind of issue that another program looks for, as a detector's result.

use super::{Target, json};
use crate::text::is_missing;
use chaffinch_data::imported::Imported;
use chaffinch_data::issue::{Issue, RunRecord};
use chaffinch_data::nearest::hint;
use chaffinch_protocol::display::{counted, excerpt, safe_text};
use chaffinch_protocol::sample::SampleId;
use std::collections::BTreeMap;

/// The score of what is flagged without a number that says how sure that is.
pub(super) const FLAGGED: f32 = 0.25;

/// Suggested labels to show in a sentence.
const SHOWN: usize = 3;

/// What another program says of samples.
#[derive(Debug, Default)]
pub(super) struct Detector {
    /// The kind of issue in the program's words.
    pub(super) name: String,
    /// One line that says what it finds.
    pub(super) summary: String,
    /// The program's own threshold, on its scores as they are here.
    pub(super) usual: Option<f32>,
    /// Whether it judges groups.
    pub(super) groups: bool,
    pub(super) notes: Vec<String>,
    /// Suggested labels that no sample has.
    others: Vec<String>,
    /// How often each of them is suggested.
    counts: Vec<u64>,
    /// For each sample its issue, and whether the program flags it.
    rows: BTreeMap<SampleId, (Issue, bool)>,
}

impl Detector {
    pub(super) fn new(name: impl Into<String>, summary: impl Into<String>) -> Detector {
        Detector { name: name.into(), summary: summary.into(), ..Detector::default() }
    }

    /// The name that the session knows it by.
    pub(super) fn full_name(&self, prefix: &str) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' };
        format!("{prefix}_{}", self.name).chars().map(plain).collect()
    }

    /// Says something of a sample. Of several sayings the worst counts, flagged ones before others.
    pub(super) fn add(&mut self, id: SampleId, issue: Issue, flagged: bool) {
        let key = |issue: &Issue, flagged: bool| (!flagged, issue.score);
        match self.rows.get_mut(&id) {
            Some((known, was)) if key(known, *was) <= key(&issue, flagged) => {}
            _ => {
                self.rows.insert(id, (issue, flagged));
            }
        }
    }

    /// Says that samples are fine of which nothing was said.
    pub(super) fn rest_is_fine(&mut self, all: impl IntoIterator<Item = SampleId>) {
        for id in all {
            self.rows.entry(id).or_insert_with(|| (Issue { score: 1.0, ..Issue::default() }, false));
        }
    }

    /// The label of this name as a suggestion for a sample, unless it has it already.
    pub(super) fn suggestion(&mut self, id: SampleId, name: &str, target: &Target<'_>) -> Option<u32> {
        // Pandas writes a whole number like that in a column with gaps.
        let whole = json::whole(name);
        let class = target.class(name).or_else(|| target.class(whole));
        let name = whole;
        if class.is_none() && is_missing(name) {
            return None;
        }
        let Some(class) = class else {
            let at = self.others.iter().position(|other| other == name).unwrap_or_else(|| {
                self.others.push(name.to_owned());
                self.counts.push(0);
                self.others.len() - 1
            });
            self.counts[at] += 1;
            return Some((target.manifest.classes().len() + at) as u32);
        };
        (target.manifest.label(id) != Some(class)).then_some(class.0)
    }

    /// Says which suggested labels are not classes of the dataset; `None` if all are.
    pub(super) fn strangers(&self, name: &str, target: &Target<'_>) -> Option<String> {
        let count: u64 = self.counts.iter().sum();
        let first = self.others.first()?;
        let named = |(other, count): (&String, &u64)| format!("'{}' ({count})", excerpt(other));
        let shown: Vec<String> = self.others.iter().zip(&self.counts).take(SHOWN).map(named).collect();
        let more = if self.others.len() > SHOWN { ", …" } else { "" };
        let labels = counted(
            count,
            "suggested label is not a class of the dataset and is kept",
            "suggested labels are not classes of the dataset and are kept",
        );
        let hint = hint(first, target.manifest.classes().iter().map(String::as_str));
        Some(format!("{name}: {labels} as suggested: {}{more}{hint}", shown.join(", ")))
    }

    /// The issue of a sample.
    pub(super) fn issue_mut(&mut self, id: SampleId) -> Option<&mut Issue> {
        self.rows.get_mut(&id).map(|(issue, _)| issue)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The result, with a threshold below which exactly the flagged samples are.
    pub(super) fn finish(mut self, name: String, program: &str, target: &Target<'_>) -> Imported {
        for (issue, _) in self.rows.values_mut() {
            issue.score = issue.score.clamp(0.0, 1.0);
        }
        let threshold = match self.threshold() {
            Some(threshold) => threshold,
            None => {
                for (issue, flagged) in self.rows.values_mut() {
                    issue.score = if *flagged { issue.score * FLAGGED } else { 0.5 + issue.score * 0.5 };
                }
                self.notes.push(
                    "its scores alone do not say what it flags: what it flags has a quarter of its score, and the others \
                     half of it above 0.5"
                        .into(),
                );
                0.5
            }
        };
        let note = (!self.notes.is_empty()).then(|| ("note".to_owned(), self.notes.join("\n")));
        let record = RunRecord {
            name,
            version: "imported".into(),
            summary: safe_text(&self.summary).into_owned(),
            groups: self.groups,
            threshold,
            imported: program.into(),
            notes: note.into_iter().collect(),
            ..RunRecord::default()
        };
        let issues = self.rows.into_iter().map(|(id, (issue, _))| (id, issue)).collect();
        Imported::new(record, &issues, &self.others, target.manifest, target.file_metadata)
    }

    /// A threshold that separates the flagged samples from the others, the program's own if it does.
    fn threshold(&self) -> Option<f32> {
        let scores = |wanted: bool| {
            self.rows.values().filter(move |(_, flagged)| *flagged == wanted).map(|(issue, _)| issue.score)
        };
        let worst =
            scores(true).fold(None, |worst: Option<f32>, score| Some(worst.map_or(score, |w| w.max(score))));
        let best = scores(false).fold(1.0_f32, f32::min);
        let usual = self.usual.filter(|usual| *usual <= best && worst.is_none_or(|worst| worst < *usual));
        match (usual, worst) {
            (Some(usual), _) => Some(usual),
            // Nothing is flagged, and nothing will be.
            (None, None) => Some(best / 2.0),
            (None, Some(worst)) if worst < best => {
                let middle = worst + (best - worst) / 2.0;
                Some(if middle > worst { middle } else { best })
            }
            (None, Some(_)) => None,
        }
    }
}
