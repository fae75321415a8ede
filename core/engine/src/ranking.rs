//! How detectors' scores become one order, worst first.
//!
//! Scores of different detectors mean different things, so each is first calibrated by the detector's own
//! threshold `t`: `c = 0.5 * s / t` below it and `0.5 + 0.5 * (s - t) / (1 - t)` from it on. Then 0.5 is the border
//! for all of them, and a sample is a suspect when at least one detector puts it below. The rules:
//!
//! - **Or**: the sample's score is its lowest `c`. In what order suspects come is decided by place, not by score
//!   alone: a detector that finds five hundred samples with a score of zero must not push the ten that another
//!   one is nearly as sure of out of sight. Each detector lists what it flags, worst first, and a sample at place
//!   `p` of a list earns `1 / p³` for it, so that the lists take turns and what several list comes a little sooner:
//!   reciprocal rank fusion (Cormack, Clarke and Buettcher, SIGIR 2009) without its constant, and with a power that
//!   keeps several detectors of one kind from pushing out the only one of another. Weak evidence waits: from
//!   `c = 0.25` to `c = 0.5` a place counts as up to 40 places later. Equal sums go by lowest `c`, then by the mean
//!   of all detectors, then by manifest order. Power and wait were chosen on planted faults (`docs/benchmarks.md`).
//! - **Majority**: by the number of detectors that flag it, then as the lowest `c`.
//! - **`MeanRank`**: by the mean of the sample's relative ranks in all detectors.
//! - **Weighted**: by the weighted mean of `c`.
//! - **Average**: by the mean of `c`; a suspect is what it puts below 0.5. So in the next, and in Stacking.
//! - **Consensus**: by the mean of `c` of the detectors that look for the same thing, told from which samples they
//!   flag (`agreement.rs`). Without weights it leaves out what has nothing to do with the matter most detectors see.
//! - **`AtLeast(k)`** and **And**: a sample is a suspect when `k` of the detectors that scored it flag it, or all of
//!   them; its score is the `k`-th lowest `c`, or the highest. That a file can be read is no vote.
//! - **Stacking**: by a logistic regression learned from the reviewer's decisions (`stacking.rs`); with too few of
//!   them as Or, and [`Ranking::note`] says so.
//! - **Recall** and **Precision**: as Or, with every threshold moved a fifth of the way to 1 (see
//!   [`thresholds_under`]), and with only those suspects that two detectors flag or one is sure of (`c` below 0.1).
//!
//! Ties always end in manifest order, so that the same input gives the same order with any number of threads.

mod agreement;
mod rule;
mod stacking;

pub use rule::{RULES, thresholds_under};
pub use stacking::LEAST_DECISIONS;

use crate::columns::{Column, DetectorResult};
use crate::decision::Choice;
use crate::engine::UNREADABLE;
use crate::journal::Decisions;
use crate::protocol::EnsembleRule;
use crate::sample::SampleId;
use rayon::prelude::*;
use stacking::Stack;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// Places that the weakest evidence waits under the rule Or.
const WAIT: f32 = 40.0;

/// Evidence below this is enough alone under the rule Precision.
const SURE: f32 = 0.1;

/// Results by detector name.
pub type Results = BTreeMap<String, Arc<DetectorResult>>;

/// One rank made of all detectors' results.
#[derive(Debug, Clone, Default)]
pub struct Ranking {
    /// The ensemble's score of each sample, 0 = surely an issue; NaN where no detector scored it.
    pub score: Column<f32>,
    /// The suspects, worst first.
    pub order: Column<u32>,
    /// How many detectors flag each sample; 0 where the rule makes it no suspect.
    pub flags: Column<u16>,
    /// What the rule has to say about itself, such as that it had too little to learn from; empty mostly.
    pub note: String,
    /// What samples that no detector flags are ordered by.
    rest: Column<f32>,
    /// See [`Ranking::full_order`]; made when first asked for.
    full: OnceLock<Column<u32>>,
}

/// A ranking as it is kept: the columns of all samples, the last one an order of which the first `suspects` are
/// the suspects.
pub(crate) struct Kept {
    pub(crate) score: Column<f32>,
    pub(crate) flags: Column<u16>,
    pub(crate) rest: Column<f32>,
    pub(crate) full: Column<u32>,
    pub(crate) suspects: usize,
}

impl Ranking {
    /// All samples: the suspects, then the others, then those without a score. Under the rules Or and Majority the
    /// others go by the mean of all detectors: the lowest of many scores that all say "fine" says nothing.
    pub fn full_order(&self) -> &[u32] {
        self.full.get_or_init(|| self.make_full_order().into())
    }

    /// To be kept.
    pub(crate) fn kept(&self) -> Kept {
        let full = self.full.get_or_init(|| self.make_full_order().into()).clone();
        let (score, flags, rest) = (self.score.clone(), self.flags.clone(), self.rest.clone());
        Kept { score, flags, rest, full, suspects: self.order.len() }
    }

    /// What was kept; `None` where its parts do not fit together.
    pub(crate) fn from_kept(kept: Kept) -> Option<Ranking> {
        let Kept { score, flags, rest, full, suspects } = kept;
        let count = score.len();
        let fits = flags.len() == count && rest.len() == count && full.len() == count && suspects <= count;
        if !fits || !full.par_iter().all(|&row| (row as usize) < count) {
            return None;
        }
        Some(Ranking {
            order: full.first(suspects),
            note: String::new(),
            score,
            flags,
            rest,
            full: OnceLock::from(full),
        })
    }

    fn make_full_order(&self) -> Vec<u32> {
        let (mut scored, unscored): (Vec<(u32, u32)>, Vec<(u32, u32)>) = (0..self.score.len() as u32)
            .into_par_iter()
            .filter(|&row| self.flags[row as usize] == 0)
            .map(|row| (self.rest[row as usize], row))
            .map(|(score, row)| if score.is_nan() { (u32::MAX, row) } else { (score.to_bits(), row) })
            .partition(|&(bits, _)| bits != u32::MAX);
        scored.par_sort_unstable();
        let rest = scored.into_iter().chain(unscored).map(|(_, row)| row);
        self.order.iter().copied().chain(rest).collect()
    }
}

/// A score brought to the scale where 0.5 is the threshold. NaN stays NaN.
pub fn calibrate(score: f32, threshold: f32) -> f32 {
    if score < threshold {
        0.5 * score / threshold
    } else if threshold >= 1.0 {
        // Not flagged, although nothing can be better.
        if score.is_nan() { score } else { 1.0 }
    } else {
        0.5 + 0.5 * (score - threshold) / (1.0 - threshold)
    }
}

/// One detector as the rules see it.
struct Voter<'a> {
    scores: &'a [f32],
    threshold: f32,
    weight: f32,
    /// Whether it only says that the file can be read.
    check: bool,
    result: &'a DetectorResult,
}

impl Voter<'_> {
    fn flags(&self, row: usize) -> bool {
        self.scores[row] < self.threshold
    }
}

/// What all detectors together say of one sample.
#[derive(Clone, Copy)]
struct Summary {
    lowest: f32,
    mean: f32,
    score: f32,
    flags: u16,
}

/// Ranks `count` samples. A detector without a threshold in `thresholds` has its own; a result of another number
/// of samples is left out. The rule Stacking has nothing to learn from here: see [`rank_reviewed`].
pub fn rank(
    results: &Results,
    thresholds: &BTreeMap<String, f32>,
    rule: &EnsembleRule,
    count: usize,
) -> Ranking {
    rank_reviewed(results, thresholds, rule, count, &[])
}

/// What the rule Stacking learns from: the samples that were decided to keep (`false`), and to remove or relabel
/// (`true`). Undecidable ones are left out.
pub fn reviewed(decisions: &Decisions) -> Vec<(u32, bool)> {
    let known = decisions.iter().filter(|(_, decision)| decision.choice != Choice::Unsure);
    known.map(|(id, decision)| (id.0, decision.choice != Choice::Keep)).collect()
}

/// As [`rank`], with decided samples and whether each was found bad.
pub fn rank_reviewed(
    results: &Results,
    thresholds: &BTreeMap<String, f32>,
    rule: &EnsembleRule,
    count: usize,
    reviewed: &[(u32, bool)],
) -> Ranking {
    let mut voters: Vec<Voter<'_>> = results
        .iter()
        .filter(|(_, result)| result.len() == count)
        .map(|(name, result)| Voter {
            scores: result.scores(),
            threshold: thresholds.get(name).copied().unwrap_or(result.record().threshold),
            weight: match rule {
                EnsembleRule::Weighted(weights) => weights.get(name).copied().unwrap_or(1.0).max(0.0),
                _ => 1.0,
            },
            check: name == UNREADABLE,
            result,
        })
        .collect();
    let (mut rule, mut note, mut beside) = (rule, String::new(), Beside::Nothing);
    match rule {
        EnsembleRule::MeanRank => {
            beside = Beside::Ranks(voters.iter().map(|voter| voter.result.ranks()).collect());
        }
        EnsembleRule::Consensus => {
            let flags =
                |voter: usize, row: usize| (!voters[voter].scores[row].is_nan(), voters[voter].flags(row));
            let inside = agreement::consensus(voters.len(), count, flags);
            let weigh = |(voter, inside): (&mut Voter<'_>, bool)| voter.weight = f32::from(u8::from(inside));
            voters.iter_mut().zip(inside).for_each(weigh);
        }
        EnsembleRule::Stacking => {
            let known = reviewed.iter().filter(|(row, _)| (*row as usize) < count);
            let decided: Vec<(Vec<f32>, bool)> =
                known.map(|&(row, bad)| (calibrated(row as usize, &voters).collect(), bad)).collect();
            match Stack::learn(&decided) {
                Ok(stack) => beside = Beside::Stack(stack),
                Err(why) => {
                    note = format!("{why}. Ranked by the rule 'or' until then");
                    rule = &EnsembleRule::Or;
                }
            }
        }
        _ => {}
    }
    let summaries: Vec<Summary> =
        (0..count).into_par_iter().map(|row| summary(row, &voters, &beside, rule)).collect();
    let order = match rule {
        EnsembleRule::Or | EnsembleRule::Recall | EnsembleRule::Precision => by_places(&voters, &summaries),
        EnsembleRule::Majority => {
            sorted(&summaries, |row| (u32::from(u16::MAX - row.flags), bits(row.lowest), bits(row.mean)))
        }
        _ => sorted(&summaries, |row| (bits(row.score), bits(row.lowest), bits(row.mean))),
    };
    let rest = |summary: &Summary| match rule {
        EnsembleRule::Or | EnsembleRule::Recall | EnsembleRule::Precision | EnsembleRule::Majority => {
            summary.mean
        }
        _ => summary.score,
    };
    Ranking {
        rest: summaries.iter().map(rest).collect(),
        score: summaries.iter().map(|summary| summary.score).collect(),
        flags: summaries.iter().map(|summary| summary.flags).collect(),
        order: order.into(),
        note,
        full: OnceLock::new(),
    }
}

/// What some rules know beside scores and thresholds.
enum Beside<'a> {
    Nothing,
    /// Relative ranks by detector.
    Ranks(Vec<&'a [f32]>),
    Stack(Stack),
}

/// A sample's calibrated scores by detector, NaN where there is none.
fn calibrated<'a>(row: usize, voters: &'a [Voter<'_>]) -> impl Iterator<Item = f32> + 'a {
    voters.iter().map(move |voter| calibrate(voter.scores[row], voter.threshold))
}

fn summary(row: usize, voters: &[Voter<'_>], beside: &Beside<'_>, rule: &EnsembleRule) -> Summary {
    let (mut lowest, mut flags) = (f32::INFINITY, 0);
    let (mut sum, mut scored) = (0.0, 0.0);
    let (mut weighted, mut weights) = (0.0, 0.0);
    for voter in voters {
        let c = calibrate(voter.scores[row], voter.threshold);
        if !c.is_nan() {
            lowest = lowest.min(c);
            flags += u16::from(voter.flags(row));
            sum += c;
            scored += 1.0;
            weighted += voter.weight * c;
            weights += voter.weight;
        }
    }
    if scored == 0.0 {
        return Summary { lowest: f32::NAN, mean: f32::NAN, score: f32::NAN, flags: 0 };
    }
    let mean = sum / scored;
    let score = match (rule, beside) {
        (EnsembleRule::And, _) => return agreed(row, voters, usize::MAX, lowest, mean),
        (EnsembleRule::AtLeast(least), _) => return agreed(row, voters, usize::from(*least), lowest, mean),
        (_, Beside::Ranks(ranks)) => {
            let ranks = ranks.iter().map(|ranks| ranks[row]).filter(|rank| !rank.is_nan());
            ranks.sum::<f32>() / scored
        }
        (_, Beside::Stack(stack)) => stack.score(&calibrated(row, voters).collect::<Vec<f32>>()),
        (EnsembleRule::Weighted(_) | EnsembleRule::Consensus, _) if weights > 0.0 => weighted / weights,
        (EnsembleRule::Weighted(_) | EnsembleRule::Consensus | EnsembleRule::Average, _) => mean,
        _ => lowest,
    };
    if *rule == EnsembleRule::Precision && flags < 2 && lowest >= SURE {
        flags = 0;
    }
    // Where the score is on the scale of thresholds, it alone decides: what one detector flags and the others
    // hold for fine is no suspect.
    let by_score = matches!(rule, EnsembleRule::Average | EnsembleRule::Consensus | EnsembleRule::Stacking);
    if by_score && score >= 0.5 {
        flags = 0;
    }
    Summary { lowest, mean, score, flags }
}

/// The rules And and `AtLeast`: the `least`-th lowest score, or the highest where fewer detectors scored the sample.
fn agreed(row: usize, voters: &[Voter<'_>], least: usize, lowest: f32, mean: f32) -> Summary {
    let scored = |voter: &&Voter<'_>| !voter.scores[row].is_nan();
    let mut voting: Vec<&Voter<'_>> = voters.iter().filter(scored).filter(|voter| !voter.check).collect();
    if voting.is_empty() {
        // A file that nobody could look at.
        voting = voters.iter().filter(scored).collect();
    }
    let least = least.clamp(1, voting.len());
    let flags = voting.iter().filter(|voter| voter.flags(row)).count();
    let mut scores: Vec<f32> =
        voting.iter().map(|voter| calibrate(voter.scores[row], voter.threshold)).collect();
    scores.sort_by(f32::total_cmp);
    let flags = if flags >= least { flags as u16 } else { 0 };
    Summary { lowest, mean, score: scores[least - 1], flags }
}

/// A number from 0 on as one that sorts alike.
fn bits(number: f32) -> u32 {
    // Adding zero turns -0 into 0.
    (number + 0.0).to_bits()
}

/// The suspects by a key of three parts, then by manifest order.
fn sorted(summaries: &[Summary], key: impl Fn(&Summary) -> (u32, u32, u32) + Sync) -> Vec<u32> {
    let rows = (0_u32..summaries.len() as u32).into_par_iter();
    let mut keyed: Vec<((u32, u32, u32), u32)> = rows
        .filter(|&row| summaries[row as usize].flags > 0)
        .map(|row| (key(&summaries[row as usize]), row))
        .collect();
    keyed.par_sort_unstable();
    keyed.into_par_iter().map(|(_, row)| row).collect()
}

/// The rules Or, Recall and Precision: see the module's words.
fn by_places(voters: &[Voter<'_>], summaries: &[Summary]) -> Vec<u32> {
    let mut earned = vec![0.0_f32; summaries.len()];
    for voter in voters {
        let rows = (0_u32..summaries.len() as u32).into_par_iter();
        let mut list: Vec<(u32, u32, u32)> = rows
            .filter(|&row| voter.flags(row as usize))
            .map(|row| (bits(voter.scores[row as usize]), bits(summaries[row as usize].mean), row))
            .collect();
        list.par_sort_unstable();
        for (place, (score, _, row)) in (1_u32..).zip(list) {
            let c = calibrate(f32::from_bits(score), voter.threshold);
            let weakness = ((c - 0.25) / 0.25).clamp(0.0, 1.0);
            let share = 1.0 / (place as f32 + WAIT * weakness);
            earned[row as usize] += share * share * share;
        }
    }
    let rows = (0_u32..summaries.len() as u32).into_par_iter();
    let mut keyed: Vec<(u32, u32, u32, u32)> = rows
        .filter(|&row| earned[row as usize] > 0.0 && summaries[row as usize].flags > 0)
        .map(|row| {
            let summary = &summaries[row as usize];
            (u32::MAX - bits(earned[row as usize]), bits(summary.lowest), bits(summary.mean), row)
        })
        .collect();
    keyed.par_sort_unstable();
    keyed.into_par_iter().map(|(.., row)| row).collect()
}

/// For each sample the share of scored samples that score lower, ties in the middle; NaN where there is no score.
pub(crate) fn mean_ranks(scores: &[f32]) -> Vec<f32> {
    let rows = (0_u32..scores.len() as u32).into_par_iter();
    let mut sorted: Vec<(u32, u32)> = rows
        .filter(|&row| !scores[row as usize].is_nan())
        .map(|row| (bits(scores[row as usize]), row))
        .collect();
    sorted.par_sort_unstable();
    let mut ranks = vec![f32::NAN; scores.len()];
    let last = sorted.len().saturating_sub(1).max(1) as f64;
    let mut before = 0;
    for tied in sorted.chunk_by(|a, b| a.0 == b.0) {
        let middle = before as f64 + (tied.len() - 1) as f64 / 2.0;
        for &(_, row) in tied {
            ranks[row as usize] = (middle / last) as f32;
        }
        before += tied.len();
    }
    ranks
}

/// Why a sample is a suspect, in one sentence or two: the worst detector's reason first. Empty where no detector
/// flags it.
pub fn explain(results: &Results, thresholds: &BTreeMap<String, f32>, id: SampleId) -> String {
    let mut flagged: Vec<(f32, String)> = results
        .iter()
        .filter_map(|(name, result)| {
            let threshold = thresholds.get(name).copied().unwrap_or(result.record().threshold);
            let score = result.score(id).filter(|&score| score < threshold)?;
            let reason = match result.reason(id).trim_end_matches('.') {
                "" => format!("{name} gives it {score:.2}, below its threshold of {threshold:.2}"),
                reason => reason.to_owned(),
            };
            Some((calibrate(score, threshold), reason))
        })
        .collect();
    // Stable: equals stay in name order.
    flagged.sort_by(|a, b| a.0.total_cmp(&b.0));
    let reasons: Vec<String> = flagged.into_iter().map(|(_, reason)| reason).collect();
    match reasons.split_first() {
        None => String::new(),
        Some((first, [])) => first.clone(),
        Some((first, others)) => format!("{first}; also: {}", others.join("; ")),
    }
}

#[cfg(test)]
mod tests;
