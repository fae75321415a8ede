//! Combines detectors' scores into one ranking, worst first.
//!
//! Scores of different detectors mean different things, so each is first calibrated by the detector's own threshold
//! `t`: `c = 0.5 * s / t` below it and `0.5 + 0.5 * (s - t) / (1 - t)` from it on. Then 0.5 is the threshold for all of
//! them, and a sample is a suspect if at least one detector puts it below. The rules:
//!
//! - **Or**: the sample's score is its lowest `c`. Suspects are ordered by how likely they are bad, which depends on how
//!   sure the detector is, on whether others agree (`chance.rs`), and on how far its score stands out from the bulk (`bulk.rs`).
//!   Decisions do not move it.
//!   Equally likely suspects of different detectors take turns: one that finds five hundred samples with a score of
//!   zero must not push out of sight the ten that another one is as sure of. Ties are broken by lowest `c`, then by the mean
//!   of all detectors, then by path.
//! - **Majority**: by the number of detectors that flag it, then by the lowest `c`.
//! - **`MeanRank`**: by the mean of the sample's relative ranks in all detectors.
//! - **Weighted**: by the weighted mean of `c`.
//! - **Average**: by the mean of `c`; samples below 0.5 are suspects. The same holds for the next rule, and for
//!   Stacking.
//! - **Consensus**: by the mean of `c` of the detectors that look for the same thing, judged by the samples they flag
//!   (`agreement.rs`). Without any weights, it ignores detectors that measure something unrelated to the majority.
//! - **`AtLeast(k)`** and **And**: a sample is a suspect if `k` of the detectors that scored it flag it, or all of
//!   them; its score is the `k`-th lowest `c`, or the highest. A file being readable is not a vote.
//! - **Stacking**: by a logistic regression trained on the reviewer's decisions (`stacking.rs`); with too few of them
//!   it falls back to Or, and [`Ranking::note`] says so.
//! - **Recall** and **Precision**: like Or, with every threshold moved a fifth of the way to 1 (see
//!   [`thresholds_under`](chaffinch_protocol::ensemble::thresholds_under)), and with only those suspects that two detectors flag or one is certain of (`c` below 0.1).
//!
//! The final tie-breaker is manifest order, so that the same input gives the same order with any number of threads.

mod agreement;
mod bulk;
mod chance;
mod ensemble;
mod pass;
mod profile;
mod saved;
mod score_columns;
mod scores;
mod stacking;

pub use crate::calibration::{Calibration, calibrate};
pub use crate::verdict::Results;
pub use saved::{load_rank, save_rank};
pub use stacking::LEAST_DECISIONS;

use chaffinch_compute::ranks::bits;
use chaffinch_compute::sorting::by_keys;
use chaffinch_data::columns::{Column, DetectorResult};
use chaffinch_data::journal::Decisions;
use chaffinch_data::manifest::Places;
use chaffinch_protocol::EnsembleRule;
use chaffinch_protocol::decision::Choice;
use ensemble::{Ensemble, Member, calibrated};
use pass::{Candidate, Pass, Summary};
use profile::{Profile, Says, log_odds};
use rayon::prelude::*;
use score_columns::ScoreColumns;
use scores::Scores;
use serde::{Deserialize, Serialize};
use stacking::Stack;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// Under the rule Precision, evidence below this is sufficient on its own.
const SURE: f32 = 0.1;

/// Log-odds that differ by less count as equal.
const BAND: f64 = 0.25;

/// Log-odds further from 0 count as this far: certain.
const MOST: f64 = 30.0;

/// The number of samples a detector scored and flags.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Samples with a score.
    pub scored: u64,
    /// Samples below the threshold.
    pub flagged: u64,
}

/// One rank from all detectors' results.
#[derive(Debug, Clone, Default)]
pub struct Ranking {
    /// The suspects, worst first.
    pub order: Column<u32>,
    /// The number of detectors that flag each sample; 0 if the rule does not make it a suspect.
    pub flags: Column<u16>,
    /// Per detector, in name order; zeros for a result that was ignored.
    pub counts: Vec<Counts>,
    /// A note from the rule, such as that it had too few decisions to train on; usually empty.
    pub note: String,
    scores: Scores,
    places: Places,
    /// See [`Ranking::full_order`]; computed on first use, and shared so that copies do not compute it again.
    full: Arc<OnceLock<Column<u32>>>,
}

/// A ranking in its stored form: the columns of all samples, the last one an order whose first `suspects` entries are
/// the suspects.
pub struct Kept {
    /// See [`Ranking::scores`].
    pub score: Column<f32>,
    /// Number of detectors that flag each sample.
    pub flags: Column<u16>,
    /// The sort key for samples that no detector flags.
    pub rest: Column<f32>,
    /// See [`Ranking::full_order`].
    pub full: Column<u32>,
    /// How many of `full` are suspects.
    pub suspects: usize,
    /// By detector, in name order.
    pub counts: Vec<Counts>,
}

impl Ranking {
    /// The ensemble's score of each sample, 0 = surely an issue; NaN where no detector scored it. Computed on first
    /// use, unless the rule needs them to find the suspects.
    pub fn scores(&self) -> &[f32] {
        &self.scores.columns().score
    }

    /// The same for one sample, without computing all of them.
    pub fn score(&self, row: usize) -> Option<f32> {
        Some(self.scores.of(row)).filter(|score| !score.is_nan())
    }

    /// The number of ranked samples.
    pub fn len(&self) -> usize {
        self.scores.len()
    }

    /// Whether no samples were ranked.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All samples: the suspects, then the others, then those without a score. Under the rules Or and Majority the
    /// others are sorted by the mean of all detectors: the lowest of many scores that all say "fine" means nothing.
    pub fn full_order(&self) -> &[u32] {
        self.full.get_or_init(|| self.make_full_order().into())
    }

    /// Converts it for storing.
    pub fn kept(&self) -> Kept {
        let full = self.full.get_or_init(|| self.make_full_order().into()).clone();
        let ScoreColumns { score, rest } = self.scores.columns().clone();
        let flags = self.flags.clone();
        Kept { score, flags, rest, full, suspects: self.order.len(), counts: self.counts.clone() }
    }

    /// Restores a stored ranking; `None` if its parts are inconsistent.
    pub fn from_kept(kept: Kept) -> Option<Ranking> {
        let Kept { score, flags, rest, full, suspects, counts } = kept;
        let count = score.len();
        let fits = flags.len() == count && rest.len() == count && full.len() == count && suspects <= count;
        if !fits || !full.par_iter().all(|&row| (row as usize) < count) {
            return None;
        }
        Some(Ranking {
            order: full.first(suspects),
            counts,
            note: String::new(),
            flags,
            scores: Scores::made(ScoreColumns { score, rest }),
            places: Places::default(),
            full: Arc::new(OnceLock::from(full)),
        })
    }

    fn make_full_order(&self) -> Vec<u32> {
        let rest = &self.scores.columns().rest;
        let rows = (0..self.len() as u32).into_par_iter();
        let fine: Vec<u32> = rows.filter(|&row| self.flags[row as usize] == 0).collect();
        // Those without a score come last.
        let key = |row: u32| match rest[row as usize] {
            score if score.is_nan() => u32::MAX,
            score => bits(score),
        };
        let place = |row: u32| self.places.of(row);
        [&self.order[..], &by_keys(fine, &key, &[&place])].concat()
    }
}

/// Ranks `count` samples. A detector without a threshold in `thresholds` uses its own; a result for a different number
/// of samples is ignored. Rules that learn from decisions have none here: see [`rank_reviewed`].
pub fn rank(
    results: &Results,
    thresholds: &BTreeMap<String, f32>,
    rule: &EnsembleRule,
    count: usize,
) -> Ranking {
    rank_reviewed(results, thresholds, rule, count, &[], &Places::default())
}

/// What a rule learns from: samples decided as keep (`false`), and as remove or relabel (`true`). Unsure ones are
/// ignored, and a rule that does not learn ([`EnsembleRule::learns`]) gets none.
pub fn reviewed(rule: &EnsembleRule, decisions: &Decisions) -> Vec<(u32, bool)> {
    if !rule.learns() {
        return Vec::new();
    }
    let known = decisions.iter().filter(|(_, decision)| decision.choice != Choice::Unsure);
    known.map(|(id, decision)| (id.0, decision.choice != Choice::Keep)).collect()
}

/// Like [`rank`], with decided samples and whether each was found bad, for a rule that learns from them, and with the order of
/// samples that nothing else tells apart.
pub fn rank_reviewed(
    results: &Results,
    thresholds: &BTreeMap<String, f32>,
    rule: &EnsembleRule,
    count: usize,
    reviewed: &[(u32, bool)],
    places: &Places,
) -> Ranking {
    let mut ensemble = Ensemble::new(results, thresholds, rule, count);
    let mut note = String::new();
    match rule {
        EnsembleRule::Consensus => {
            let members = ensemble.members();
            let flags = |member: usize, row: usize| {
                (!members[member].scores[row].is_nan(), members[member].flags(row))
            };
            let inside = agreement::consensus(members.len(), count, flags);
            drop(members);
            ensemble.weigh(inside.into_iter().map(|inside| f32::from(u8::from(inside))));
        }
        EnsembleRule::Stacking => {
            let members = ensemble.members();
            let known = reviewed.iter().filter(|(row, _)| (*row as usize) < count);
            let decided: Vec<(Vec<f32>, bool)> =
                known.map(|&(row, bad)| (calibrated(row as usize, &members).collect(), bad)).collect();
            drop(members);
            match Stack::learn(&decided) {
                Ok(stack) => ensemble.stack = Some(stack),
                Err(why) => {
                    note = format!("{why}. Until then, the rule 'or' is used");
                    ensemble.rule = EnsembleRule::Or;
                }
            }
        }
        _ => {}
    }
    // The other rules judge each sample separately, which takes too long to do twice.
    let pass = Pass::new(&ensemble, count, !ensemble.by_sums());
    let order = match ensemble.rule {
        EnsembleRule::Or | EnsembleRule::Recall | EnsembleRule::Precision => {
            let members = ensemble.members();
            by_chance(&members, &pass, places)
        }
        EnsembleRule::Majority => sorted(&pass, places, |row| u32::from(u16::MAX - row.flags)),
        _ => sorted(&pass, places, |row| bits(row.score)),
    };
    let mut counts = pass.counts.into_iter();
    let counts_of = |result: &Arc<DetectorResult>| match result.len() == count {
        true => counts.next().unwrap_or_default(),
        false => Counts::default(),
    };
    Ranking {
        counts: results.values().map(counts_of).collect(),
        flags: pass.flags.into(),
        order: order.into(),
        scores: match pass.columns {
            Some(columns) => Scores::made(columns),
            None => Scores::later(ensemble, count),
        },
        note,
        places: places.clone(),
        full: Arc::default(),
    }
}

/// The suspects by a key, then by lowest and mean score, then by path.
fn sorted(pass: &Pass, places: &Places, number: impl Fn(&Summary) -> u32 + Sync) -> Vec<u32> {
    let summary = |index: u32| &pass.candidates[index as usize].summary;
    let first = |index| number(summary(index));
    let (lowest, mean) = (|index| bits(summary(index).lowest), |index| bits(summary(index).mean));
    let place = |index: u32| places.of(pass.candidates[index as usize].row);
    rows(pass, by_keys(suspects(pass), &first, &[&lowest, &mean, &place]))
}

/// Indices of the candidates that are suspects.
fn suspects(pass: &Pass) -> Vec<u32> {
    let places = (0..pass.candidates.len() as u32).into_par_iter();
    places.filter(|&index| pass.candidates[index as usize].summary.flags > 0).collect()
}

fn rows(pass: &Pass, places: Vec<u32>) -> Vec<u32> {
    places.into_par_iter().map(|index| pass.candidates[index as usize].row).collect()
}

/// The rules Or, Recall and Precision: see the module documentation.
fn by_chance(members: &[Member<'_>], pass: &Pass, places: &Places) -> Vec<u32> {
    let candidate = |index: u32| &pass.candidates[index as usize];
    let profiles: Vec<Profile> = members.iter().map(Profile::of).collect();
    // What each detector says of a sample that it flags; the list is made anew for each sample in the same place.
    let chance = |says: &mut Vec<(usize, Says)>, candidate: &Candidate| {
        let row = candidate.row as usize;
        says.clear();
        for (index, (member, profile)) in members.iter().zip(&profiles).enumerate() {
            if member.flags(row) {
                says.push((index, profile.says(member.calibration.of(member.scores[row]))));
            }
        }
        log_odds(says, &profiles)
    };
    let chances: Vec<(f64, usize)> = pass.candidates.par_iter().map_init(Vec::new, chance).collect();
    let (lowest, mean) =
        (|index| bits(candidate(index).summary.lowest), |index| bits(candidate(index).summary.mean));
    let place = |index: u32| places.of(candidate(index).row);
    let least = |index: u32| u32::MAX - bits((chances[index as usize].0.clamp(-MOST, MOST) + MOST) as f32);
    let mut order = by_keys(suspects(pass), &least, &[&lowest, &mean, &place]);
    // Equally likely ones of different detectors take turns, so that none waits until a long list is through.
    let band = |index: u32| (chances[index as usize].0.clamp(-MOST, MOST) / BAND).floor();
    let mut from = 0;
    while from < order.len() {
        let until = from + order[from..].partition_point(|&index| band(index) >= band(order[from]));
        let mut turns = vec![0_u32; members.len()];
        let mut taken: Vec<(u32, u32)> = order[from..until]
            .iter()
            .map(|&index| {
                let turn = &mut turns[chances[index as usize].1];
                *turn += 1;
                (*turn, index)
            })
            .collect();
        taken.sort_by_key(|(turn, _)| *turn);
        order[from..until].iter_mut().zip(taken).for_each(|(to, (_, index))| *to = index);
        from = until;
    }
    rows(pass, order)
}

#[cfg(test)]
mod tests;
