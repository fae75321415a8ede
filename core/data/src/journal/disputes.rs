//! Samples about which reviewers disagree, and whose decision counts.

use super::decisions::Marks;
use super::{Decisions, Journal};
use chaffinch_protocol::decision::Decision;
use chaffinch_protocol::display::{counted, safe_text};
use chaffinch_protocol::sample::SampleId;
use std::collections::{BTreeMap, BTreeSet};

/// Reviewers who disagree about a sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// The sample.
    pub sample: SampleId,
    /// Reviewer, time in ISO 8601, and decision; one's own first, then by name.
    pub sides: Vec<(String, String, Decision)>,
}

/// What one reviewer decided about a sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    /// Who.
    pub reviewer: String,
    /// When, ISO 8601 in UTC.
    pub at: String,
    /// What.
    pub decision: Decision,
}

/// A sample about which reviewers decided differently, whether that was settled since or not.
#[derive(Debug, Clone, PartialEq)]
pub struct Disagreement {
    /// The sample.
    pub sample: SampleId,
    /// What each decided as one among others; one's own first, then by name.
    pub sides: Vec<Side>,
    /// The last adjudication.
    pub settled: Option<Side>,
    /// Whether it is open: not adjudicated, or decided otherwise after that.
    pub open: bool,
}

/// All disagreements in short: whose decisions count, and whose differ from them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Disputes {
    /// Samples about which reviewers disagree.
    pub samples: u64,
    /// On how many of them the decision of each reviewer counts.
    pub used: BTreeMap<String, u64>,
    /// On how many of them each reviewer decided otherwise.
    pub others: BTreeMap<String, u64>,
}

impl Disputes {
    /// How many samples they are, in words; `None` if nobody disagrees.
    pub fn words(&self) -> Option<String> {
        let samples = counted(self.samples, "sample", "samples");
        (self.samples > 0).then(|| format!("reviewers disagree on {samples}"))
    }

    /// The reviewers whose decisions count, with their samples: `anna (2) and ben (1)`.
    pub fn used_words(&self) -> String {
        names(&self.used)
    }

    /// The reviewers who decided otherwise, with their samples.
    pub fn other_words(&self) -> String {
        names(&self.others)
    }
}

/// `anna (2), ben (1) and carl (1)`, those with most samples first.
fn names(counts: &BTreeMap<String, u64>) -> String {
    let mut all: Vec<(&String, &u64)> = counts.iter().collect();
    all.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let words: Vec<String> =
        all.iter().map(|(name, count)| format!("{} ({count})", safe_text(name))).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}

impl Journal {
    /// Samples about which reviewers disagree.
    pub fn conflicts(&self) -> Vec<Conflict> {
        self.view.disputed_samples().map(|id| self.sides(id)).collect()
    }

    /// Samples that several reviewers decided, whether they agree or not, in manifest order. Adjudications do not count.
    pub fn decided_by_several(&self) -> Vec<Conflict> {
        let all = self.said.keys().map(|&row| self.sides(SampleId(row)));
        all.filter(|sample| sample.sides.len() > 1).collect()
    }

    /// Who decided otherwise about a sample than the decision in force, and what; empty if nobody did.
    pub fn other_decisions(&self, id: SampleId) -> Vec<(String, Decision)> {
        if !self.view.is_disputed(id) {
            return Vec::new();
        }
        let Some(review) = self.view.review(id) else { return Vec::new() };
        let used = review.decision.map(|decision| &decision.choice);
        let sides = self.sides(id).sides.into_iter();
        // Who settled it may have decided otherwise before, and does not any more.
        let others = sides.filter(|(name, _, said)| *name != *review.reviewer && Some(&said.choice) != used);
        others.map(|(name, _, said)| (name, said)).collect()
    }

    /// What all reviewers decided about a sample as one among others, whether they agree or not: an adjudication is no such
    /// decision, and leaves the one that its reviewer had made before.
    pub fn sides(&self, id: SampleId) -> Conflict {
        let side = |name: &str, marks: &Marks| {
            marks.opinion().map(|(at, decision)| (name.to_owned(), at.to_string(), decision))
        };
        let own = self.own_marks(id.0);
        let others = (self.others_about(id.0).iter())
            .filter_map(|(number, marks)| side(&self.others[usize::from(*number)].reviewer, marks));
        Conflict { sample: id, sides: side(&self.own.reviewer, &own).into_iter().chain(others).collect() }
    }

    /// Samples that reviewers decided differently, in manifest order: open ones, and those that were settled.
    pub fn disagreements(&self) -> Vec<Disagreement> {
        let rows: BTreeSet<u32> = self.said.keys().chain(self.history.keys()).copied().collect();
        let of = |row: u32| {
            let (id, open) = (SampleId(row), self.view.is_disputed(SampleId(row)));
            let sides = self.sides(id).sides;
            let differ = sides.windows(2).any(|pair| pair[0].2.choice != pair[1].2.choice);
            let sides = sides.into_iter().map(|(reviewer, at, decision)| Side { reviewer, at, decision });
            let settled = self.settled(id);
            (open || differ).then(|| Disagreement { sample: id, sides: sides.collect(), settled, open })
        };
        rows.into_iter().filter_map(of).collect()
    }

    /// The last adjudication of a sample.
    pub fn settled(&self, id: SampleId) -> Option<Side> {
        let own = self.own_marks(id.0);
        let others = self.others_about(id.0).iter();
        let others =
            others.map(|(number, marks)| (self.others[usize::from(*number)].reviewer.as_str(), marks));
        let all = std::iter::once((self.own.reviewer.as_str(), &own)).chain(others);
        let settles = all.filter(|(_, marks)| marks.settles());
        // The first of several at the same time is one's own, or that of the first by name.
        let last = settles.reduce(|a, b| if b.1.at > a.1.at { b } else { a })?;
        let (reviewer, marks) = last;
        let decision = marks.decision()?.clone();
        Some(Side { reviewer: reviewer.to_owned(), at: marks.at.to_string(), decision })
    }

    /// The same in short, by what `decisions` has in force: samples that are left out of it do not count.
    pub fn disputes(&self, decisions: &Decisions) -> Disputes {
        let mut all = Disputes::default();
        for Conflict { sample, sides } in self.conflicts() {
            let Some(review) = decisions.review(sample) else { continue };
            let Some(used) = review.decision.map(|decision| &decision.choice) else { continue };
            all.samples += 1;
            *all.used.entry(review.reviewer.to_owned()).or_default() += 1;
            // Who settled it may have decided otherwise before, and does not any more.
            let differs =
                |side: &&(String, String, Decision)| side.0 != review.reviewer && side.2.choice != *used;
            for (reviewer, ..) in sides.iter().filter(differs) {
                *all.others.entry(reviewer.clone()).or_default() += 1;
            }
        }
        all
    }
}
