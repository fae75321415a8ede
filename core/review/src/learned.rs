//! An order that learns from decisions while one decides.
//!
//! A logistic regression predicts from the rank, from what each detector says, and from the class whether a sample is bad: removed or
//! relabeled, and not kept. Without decisions it is the rank; a penalty holds it there, and each decision moves it a little
//! (`fit.rs`). It is offered once it predicts decisions that it has not seen better than the rank does, by more than chance
//! (`held_out.rs`). It learns from what it is given and nothing else: from the decisions that a reviewer sees.

mod evidence;
mod fit;
mod held_out;

pub use evidence::Evidence;

use crate::{Error, Result};
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::sorting::Unwanted;
use chaffinch_data::journal::Decisions;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::display::counted;
use chaffinch_protocol::sample::SampleId;
use evidence::{Detector, Ranked, SAYS};
use fit::{Decided, Fitted, said};
use held_out::HeldOut;
use std::collections::BTreeMap;
use std::path::Path;

/// The fewest decisions that anything is concluded from, and of a kind.
pub const LEAST: usize = 30;
const LEAST_OF_A_KIND: usize = 8;
/// The most that are learned from, so that learning takes about a second: those with the lowest keys, which is a sample of all.
const MOST: usize = 5_000;
/// A detector or a class with fewer decisions has no weight that could be told.
const TOLD: usize = 5;
/// Weights that are named, and the least that they differ from 1, as a logarithm.
const NAMED: usize = 4;
const TELLING: f64 = 0.1;

/// An order that was learned, with what it says about itself.
#[derive(Debug, Clone)]
pub struct Learned {
    fitted: Fitted,
    /// The names of its detectors and classes, in the order of the parameters.
    detectors: Vec<String>,
    classes: Vec<String>,
    /// Decisions to keep, and to remove or relabel.
    kept: usize,
    bad: usize,
    /// `None` with too few decisions.
    held_out: Option<HeldOut>,
    /// What all but the rank adds, on average over the decisions.
    mean: f64,
    /// How much more of the odds each detector's flag and each class has than that, the most telling first.
    weights: Vec<(String, f64)>,
}

impl Learned {
    /// Learns from decisions. Those of unsure say nothing. Neither the order of the samples nor the number of threads changes anything.
    ///
    /// # Errors
    /// [`Error::Stopped`] once it is no longer wanted.
    pub fn of(evidence: Evidence<'_>, decisions: &Decisions, unwanted: Unwanted<'_>) -> Result<Learned> {
        let detectors = evidence.detectors();
        let classes = evidence.manifest.classes();
        let decided = decided(evidence, &detectors, decisions);
        let all: Vec<&Decided> = decided.iter().map(|(_, one)| one).collect();
        let bad = all.iter().filter(|one| one.bad).count();
        let kept = all.len() - bad;
        let enough = all.len() >= LEAST && kept.min(bad) >= LEAST_OF_A_KIND;
        let held_out = match enough {
            true => Some(HeldOut::of(&decided, detectors.len(), classes.len(), unwanted)?),
            false => None,
        };
        let fitted = Fitted::of(&all, detectors.len(), classes.len(), unwanted)?;
        let mean = mean(all.iter().map(|one| fitted.moved(one)));
        let weights = weights(&all, &fitted, mean, &detectors, classes);
        let detectors = detectors.iter().map(|detector| detector.name.to_owned()).collect();
        let classes = classes.to_vec();
        Ok(Learned { fitted, detectors, classes, kept, bad, held_out, mean, weights })
    }

    /// The same, if it is better than the rank.
    ///
    /// # Errors
    /// With [`Learned::note`] when it is not, and [`Error::Stopped`] once it is no longer wanted.
    pub fn better(evidence: Evidence<'_>, decisions: &Decisions, unwanted: Unwanted<'_>) -> Result<Learned> {
        let learned = Learned::of(evidence, decisions, unwanted)?;
        if learned.is_better() { Ok(learned) } else { Err(Error::Invalid(learned.note())) }
    }

    /// How many decisions it was learned from.
    pub fn decisions(&self) -> usize {
        self.kept + self.bad
    }

    /// Whether it predicts decisions better than the rank.
    pub fn is_better(&self) -> bool {
        self.held_out.is_some_and(|held_out| held_out.is_better())
    }

    /// What it has learned, or why it is not offered.
    pub fn note(&self) -> String {
        let from = counted(self.decisions() as u64, "decision", "decisions");
        let Some(held_out) = self.held_out else {
            return format!(
                "not yet: {from}; needs {LEAST}, {LEAST_OF_A_KIND} of them kept ({} now) and {LEAST_OF_A_KIND} removed or relabeled ({} now)",
                self.kept, self.bad
            );
        };
        if !held_out.is_better() {
            return format!(
                "not yet: {from}; it puts a bad sample before a kept one in {:.0} % of pairs, the rank in {:.0} %",
                held_out.learned * 100.0,
                held_out.ranked * 100.0
            );
        }
        let named: Vec<String> = (self.weights.iter().take(NAMED))
            .map(|(name, weight)| {
                let odds = weight.exp();
                format!("{name} ×{odds:.*}", if odds < 0.1 { 2 } else { 1 })
            })
            .collect();
        match named.is_empty() {
            true => format!("learned from {from}"),
            false => format!("learned from {from}: weighs {}", named.join(", ")),
        }
    }

    /// Why a sample is elsewhere than the rank has it: `moved up: leaks, label-quality`. Empty where it moved little.
    pub fn moved(&self, evidence: Evidence<'_>, id: SampleId) -> String {
        let applied = self.applied(evidence);
        if id.index() >= evidence.manifest.len() {
            return String::new();
        }
        let by = applied.by(id.0) - self.mean;
        if by.abs() < TELLING {
            return String::new();
        }
        let class = evidence.class(id.0);
        let name = class.and_then(|class| evidence.manifest.classes().get(class as usize));
        let of_class = applied.class(id.0);
        let flagging = applied.detectors.iter().filter(|(detector, _)| detector.flags(id.0));
        let mut why: Vec<(f64, String)> = flagging
            .map(|(detector, weights)| (said(weights, detector.says(id.0)), detector.name.to_owned()))
            .chain(name.map(|name| (of_class, format!("class {name}"))))
            .filter(|(part, _)| part.signum() == by.signum() && part.abs() >= TELLING)
            .collect();
        why.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
        let names: Vec<String> = why.into_iter().map(|(_, name)| name).take(NAMED).collect();
        let moved = if by > 0.0 { "moved up" } else { "moved down" };
        if names.is_empty() { moved.to_owned() } else { format!("{moved}: {}", names.join(", ")) }
    }

    /// The score of each of these samples, the highest first; equal ones are as they are ranked.
    pub fn scores<'a>(
        &'a self,
        evidence: Evidence<'a>,
        rows: &[u32],
    ) -> impl Fn(u32) -> f32 + Sync + use<'a> {
        let (applied, ranked) = (self.applied(evidence), evidence.ranked(rows.iter().copied()));
        move |row| self.fitted.log_odds(ranked.log_odds(row), applied.by(row)) as f32
    }

    /// What was learned of the detectors and classes that there are now.
    fn applied<'a>(&self, evidence: Evidence<'a>) -> Applied<'a> {
        let weights: BTreeMap<&str, &[f64; SAYS]> =
            self.detectors.iter().map(String::as_str).zip(&self.fitted.detectors).collect();
        let known = |detector: Detector<'a>| Some((**weights.get(detector.name)?, detector));
        let detectors = evidence.detectors().into_iter().filter_map(known);
        let classes: BTreeMap<&str, f64> =
            self.classes.iter().map(String::as_str).zip(self.fitted.classes.iter().copied()).collect();
        let class = |name: &String| classes.get(name.as_str()).copied().unwrap_or_default();
        Applied {
            evidence,
            detectors: detectors.map(|(weights, detector)| (detector, weights)).collect(),
            classes: evidence.manifest.classes().iter().map(class).collect(),
        }
    }
}

/// What was learned, applied to a dataset: by detector and by class.
struct Applied<'a> {
    evidence: Evidence<'a>,
    detectors: Vec<(Detector<'a>, [f64; SAYS])>,
    classes: Vec<f64>,
}

impl Applied<'_> {
    fn class(&self, row: u32) -> f64 {
        self.evidence.class(row).map_or(0.0, |class| self.classes[class as usize])
    }

    /// What all but the rank adds to the log-odds of a sample.
    fn by(&self, row: u32) -> f64 {
        let detectors = self.detectors.iter().map(|(detector, weights)| said(weights, detector.says(row)));
        detectors.sum::<f64>() + self.class(row)
    }
}

/// The decisions to learn from, by their keys, in whose order sums are rounded.
fn decided(
    evidence: Evidence<'_>,
    detectors: &[Detector<'_>],
    decisions: &Decisions,
) -> Vec<(ContentHash, Decided)> {
    let known = decisions
        .iter()
        .filter(|(id, decision)| decision.choice != Choice::Unsure && id.index() < evidence.manifest.len());
    let path = |row: u32| -> &Path { evidence.manifest.path(SampleId(row)) };
    let mut all: Vec<(ContentHash, u32, bool)> =
        known.map(|(id, decision)| (evidence.key(id.0), id.0, decision.choice != Choice::Keep)).collect();
    all.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| path(a.1).cmp(path(b.1))));
    all.truncate(MOST);
    if all.is_empty() {
        return Vec::new();
    }
    let ranked: Ranked = evidence.ranked(all.iter().map(|(_, row, _)| *row));
    let one = |(key, row, bad)| {
        let says = detectors.iter().map(|detector| detector.says(row)).collect();
        (key, Decided { row, bad, ranked: ranked.log_odds(row), says, class: evidence.class(row) })
    };
    all.into_iter().map(one).collect()
}

/// How much more of the odds the samples have that a detector flags, and those of a class, than decided samples on average.
fn weights(
    decided: &[&Decided],
    fitted: &Fitted,
    all: f64,
    detectors: &[Detector<'_>],
    classes: &[String],
) -> Vec<(String, f64)> {
    let weight = |name: String, is_in: &dyn Fn(&Decided) -> bool| {
        let moved: Vec<f64> =
            decided.iter().filter(|one| is_in(one)).map(|one| fitted.moved(one) - all).collect();
        (moved.len() >= TOLD).then(|| (name, mean(moved.into_iter())))
    };
    let of_detectors =
        detectors.iter().filter_map(|one| weight(one.name.to_owned(), &|decided| one.flags(decided.row)));
    let of_classes = (0..).zip(classes).filter_map(|(class, name)| {
        // Only what the class itself adds.
        let (name, _) = weight(format!("class {name}"), &|decided| decided.class == Some(class))?;
        Some((name, fitted.class(Some(class))))
    });
    let mut told: Vec<(String, f64)> =
        of_detectors.chain(of_classes).filter(|(_, weight)| weight.abs() >= TELLING).collect();
    told.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    told
}

fn mean(numbers: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = numbers.len().max(1) as f64;
    numbers.sum::<f64>() / count
}

#[cfg(test)]
mod tests;
