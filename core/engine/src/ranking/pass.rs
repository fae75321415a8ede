//! One pass over all samples: the score of each, and what the order of the suspects is made of.

use super::stacking::Stack;
use super::{SURE, calibrate};
use crate::columns::DetectorResult;
use crate::protocol::EnsembleRule;
use rayon::prelude::*;

/// Samples that one thread takes at a time.
const PART: usize = 1 << 15;
/// Samples whose sums are made at once, detector by detector, so that the processor's vectors are used.
const BLOCK: usize = 1 << 8;

/// One detector as the rules see it.
pub(super) struct Voter<'a> {
    pub(super) scores: &'a [f32],
    pub(super) threshold: f32,
    pub(super) weight: f32,
    /// Whether it only says that the file can be read.
    pub(super) check: bool,
    pub(super) result: &'a DetectorResult,
}

impl Voter<'_> {
    pub(super) fn flags(&self, row: usize) -> bool {
        self.scores[row] < self.threshold
    }
}

/// What some rules know beside scores and thresholds.
pub(super) enum Beside<'a> {
    Nothing,
    /// Relative ranks by detector.
    Ranks(Vec<&'a [f32]>),
    Stack(Stack),
}

/// What all detectors together say of one sample.
#[derive(Clone, Copy)]
pub(super) struct Summary {
    pub(super) lowest: f32,
    pub(super) mean: f32,
    pub(super) score: f32,
    pub(super) flags: u16,
}

/// A sample that at least one detector flags. It is no suspect where the rule leaves it no flags.
#[derive(Clone, Copy)]
pub(super) struct Candidate {
    pub(super) row: u32,
    pub(super) summary: Summary,
}

/// What the pass finds.
pub(super) struct Pass {
    /// By sample; see [`super::Ranking`].
    pub(super) score: Vec<f32>,
    pub(super) flags: Vec<u16>,
    pub(super) rest: Vec<f32>,
    /// In manifest order.
    pub(super) candidates: Vec<Candidate>,
    /// For each detector the candidates it flags, as places among them.
    pub(super) flagged: Vec<Vec<u32>>,
}

/// What a part of the samples adds to the lists.
struct Part {
    candidates: Vec<Candidate>,
    flagged: Vec<Vec<u32>>,
}

impl Pass {
    /// Goes over `count` samples. `by_mean` says that samples which nobody flags are ordered by the mean of all
    /// detectors and not by the rule's score.
    pub(super) fn new(
        voters: &[Voter<'_>],
        beside: &Beside<'_>,
        rule: &EnsembleRule,
        count: usize,
        by_mean: bool,
    ) -> Pass {
        let (mut score, mut flags, mut rest) = (vec![0.0; count], vec![0; count], vec![0.0; count]);
        let columns =
            score.par_chunks_mut(PART).zip(flags.par_chunks_mut(PART)).zip(rest.par_chunks_mut(PART));
        let part = |(part, ((score, flags), rest)): (usize, ((&mut [f32], &mut [u16]), &mut [f32]))| {
            let mut lists = Part { candidates: Vec::new(), flagged: vec![Vec::new(); voters.len()] };
            let mut sums = Sums::new();
            for start in (0..score.len()).step_by(BLOCK) {
                let (first, len) = (part * PART + start, BLOCK.min(score.len() - start));
                sums.make(voters, first, len);
                for place in 0..len {
                    let row = first + place;
                    let (summary, flagged) = sums.summary(place, row, voters, beside, rule);
                    score[start + place] = summary.score;
                    flags[start + place] = summary.flags;
                    rest[start + place] = if by_mean { summary.mean } else { summary.score };
                    if flagged {
                        let place = lists.candidates.len() as u32;
                        let mut flagging = voters.iter().zip(&mut lists.flagged);
                        flagging
                            .by_ref()
                            .filter(|(voter, _)| voter.flags(row))
                            .for_each(|(_, list)| list.push(place));
                        lists.candidates.push(Candidate { row: row as u32, summary });
                    }
                }
            }
            lists
        };
        let parts: Vec<Part> = columns.enumerate().map(part).collect();
        let mut all = Part { candidates: Vec::new(), flagged: vec![Vec::new(); voters.len()] };
        for part in parts {
            let before = all.candidates.len() as u32;
            all.candidates.extend(part.candidates);
            for (list, more) in all.flagged.iter_mut().zip(part.flagged) {
                list.extend(more.into_iter().map(|place| before + place));
            }
        }
        Pass { score, flags, rest, candidates: all.candidates, flagged: all.flagged }
    }
}

/// A sample's calibrated scores by detector, NaN where there is none.
pub(super) fn calibrated<'a>(row: usize, voters: &'a [Voter<'_>]) -> impl Iterator<Item = f32> + 'a {
    voters.iter().map(move |voter| calibrate(voter.scores[row], voter.threshold))
}

/// Sums over detectors, for a block of samples.
struct Sums {
    lowest: [f32; BLOCK],
    sum: [f32; BLOCK],
    scored: [f32; BLOCK],
    weighted: [f32; BLOCK],
    weights: [f32; BLOCK],
    flags: [u16; BLOCK],
}

impl Sums {
    fn new() -> Sums {
        let none = [0.0; BLOCK];
        Sums { lowest: none, sum: none, scored: none, weighted: none, weights: none, flags: [0; BLOCK] }
    }

    /// Sums up `len` samples from `first` on.
    fn make(&mut self, voters: &[Voter<'_>], first: usize, len: usize) {
        *self = Sums::new();
        self.lowest.fill(f32::INFINITY);
        let mut calibrated = [f32::NAN; BLOCK];
        for voter in voters {
            let Voter { threshold, weight, .. } = *voter;
            let scores = &voter.scores[first..first + len];
            // One thing after another and without a branch: so the processor does several samples at once.
            for (c, &score) in calibrated.iter_mut().zip(scores) {
                *c = calibrate(score, threshold);
            }
            for (lowest, &c) in self.lowest.iter_mut().zip(&calibrated[..len]) {
                // Nothing is lower than NaN, so that one without a score leaves it.
                *lowest = if c < *lowest { c } else { *lowest };
            }
            for ((sum, scored), &c) in self.sum.iter_mut().zip(&mut self.scored).zip(&calibrated[..len]) {
                let (c, one) = if c.is_nan() { (0.0, 0.0) } else { (c, 1.0) };
                *sum += c;
                *scored += one;
            }
            for ((sum, weights), &c) in
                self.weighted.iter_mut().zip(&mut self.weights).zip(&calibrated[..len])
            {
                let (c, weight) = if c.is_nan() { (0.0, 0.0) } else { (c, weight) };
                *sum += weight * c;
                *weights += weight;
            }
            for (flags, &score) in self.flags.iter_mut().zip(scores) {
                *flags += u16::from(score < threshold);
            }
        }
    }

    /// What they come to under a rule, and whether any detector flags the sample.
    fn summary(
        &self,
        place: usize,
        row: usize,
        voters: &[Voter<'_>],
        beside: &Beside<'_>,
        rule: &EnsembleRule,
    ) -> (Summary, bool) {
        let (lowest, scored, mut flags) = (self.lowest[place], self.scored[place], self.flags[place]);
        if scored == 0.0 {
            return (Summary { lowest: f32::NAN, mean: f32::NAN, score: f32::NAN, flags: 0 }, false);
        }
        let flagged = flags > 0;
        let mean = self.sum[place] / scored;
        let weights = self.weights[place];
        let score = match (rule, beside) {
            (EnsembleRule::And, _) => return (agreed(row, voters, usize::MAX, lowest, mean), flagged),
            (EnsembleRule::AtLeast(least), _) => {
                return (agreed(row, voters, usize::from(*least), lowest, mean), flagged);
            }
            (_, Beside::Ranks(ranks)) => {
                let ranks = ranks.iter().map(|ranks| ranks[row]).filter(|rank| !rank.is_nan());
                ranks.sum::<f32>() / scored
            }
            (_, Beside::Stack(stack)) => stack.score(&calibrated(row, voters).collect::<Vec<f32>>()),
            (EnsembleRule::Weighted(_) | EnsembleRule::Consensus, _) if weights > 0.0 => {
                self.weighted[place] / weights
            }
            (EnsembleRule::Weighted(_) | EnsembleRule::Consensus | EnsembleRule::Average, _) => mean,
            _ => lowest,
        };
        if *rule == EnsembleRule::Precision && flags < 2 && lowest >= SURE {
            flags = 0;
        }
        // Where the score is on the scale of thresholds, it alone decides: what one detector flags and the others
        // hold for fine is no suspect.
        let by_score =
            matches!(rule, EnsembleRule::Average | EnsembleRule::Consensus | EnsembleRule::Stacking);
        if by_score && score >= 0.5 {
            flags = 0;
        }
        (Summary { lowest, mean, score, flags }, flagged)
    }
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
