//! One pass over all samples: the score of each, and what the order of the suspects is made of.

use super::stacking::Stack;
use super::{Calibration, Counts, SURE, bits};
use crate::columns::DetectorResult;
use crate::protocol::EnsembleRule;
use crate::vector::{Kernel, wide};
use rayon::prelude::*;

/// Samples that one thread takes at a time.
const PART: usize = 1 << 15;
/// Samples whose sums are made at once, detector by detector, so that the processor's vectors are used.
const BLOCK: usize = 1 << 8;

/// One detector as the rules see it.
pub(super) struct Voter<'a> {
    pub(super) scores: &'a [f32],
    pub(super) threshold: f32,
    pub(super) calibration: Calibration,
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
    /// For each detector the candidates it flags, as places among them, with [`bits`] of their scores.
    pub(super) flagged: Vec<Vec<(u32, u32)>>,
    pub(super) counts: Vec<Counts>,
}

/// What a part of the samples adds to the lists.
struct Part {
    candidates: Vec<Candidate>,
    flagged: Vec<Vec<(u32, u32)>>,
    /// By detector.
    scored: Vec<u64>,
}

impl Part {
    fn new(detectors: usize) -> Part {
        Part { candidates: Vec::new(), flagged: vec![Vec::new(); detectors], scored: vec![0; detectors] }
    }
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
            let mut lists = Part::new(voters.len());
            let mut sums = Sums::new();
            for start in (0..score.len()).step_by(BLOCK) {
                let (first, len) = (part * PART + start, BLOCK.min(score.len() - start));
                let scored = &mut lists.scored;
                wide(Block { sums: &mut sums, scored, voters, beside, rule, first, len });
                if !by_block(rule, beside) {
                    (0..len).for_each(|place| sums.judge(place, first + place, voters, beside, rule));
                }
                let end = start + len;
                score[start..end].copy_from_slice(&sums.score[..len]);
                flags[start..end].copy_from_slice(&sums.flags[..len]);
                rest[start..end].copy_from_slice(if by_mean {
                    &sums.mean[..len]
                } else {
                    &sums.score[..len]
                });
                for place in (0..len).filter(|&place| sums.votes[place] > 0) {
                    let row = first + place;
                    let flagging =
                        voters.iter().zip(&mut lists.flagged).filter(|(voter, _)| voter.flags(row));
                    let number = lists.candidates.len() as u32;
                    flagging.for_each(|(voter, list)| list.push((bits(voter.scores[row]), number)));
                    lists.candidates.push(Candidate { row: row as u32, summary: sums.summary(place) });
                }
            }
            lists
        };
        let parts: Vec<Part> = columns.enumerate().map(part).collect();
        let mut all = Part::new(voters.len());
        let total = |count: &dyn Fn(&Part) -> usize| parts.iter().map(count).sum();
        all.candidates.reserve(total(&|part| part.candidates.len()));
        for (voter, list) in all.flagged.iter_mut().enumerate() {
            list.reserve(total(&|part| part.flagged[voter].len()));
        }
        for part in parts {
            let before = all.candidates.len() as u32;
            all.candidates.extend(part.candidates);
            for (list, more) in all.flagged.iter_mut().zip(part.flagged) {
                list.extend(more.into_iter().map(|(score, place)| (score, before + place)));
            }
            all.scored.iter_mut().zip(part.scored).for_each(|(all, more)| *all += more);
        }
        let counts = all.scored.iter().zip(&all.flagged);
        let counts =
            counts.map(|(&scored, flagged)| Counts { scored, flagged: flagged.len() as u64 }).collect();
        Pass { score, flags, rest, candidates: all.candidates, flagged: all.flagged, counts }
    }
}

/// A sample's calibrated scores by detector, NaN where there is none.
pub(super) fn calibrated<'a>(row: usize, voters: &'a [Voter<'_>]) -> impl Iterator<Item = f32> + 'a {
    voters.iter().map(move |voter| voter.calibration.of(voter.scores[row]))
}

/// What all detectors say of a block of samples.
struct Sums {
    /// Sums over detectors.
    sum: [f32; BLOCK],
    scored: [f32; BLOCK],
    weighted: [f32; BLOCK],
    weights: [f32; BLOCK],
    /// How many detectors flag a sample, whatever the rule makes of it.
    votes: [u16; BLOCK],
    /// See [`Summary`].
    lowest: [f32; BLOCK],
    mean: [f32; BLOCK],
    score: [f32; BLOCK],
    flags: [u16; BLOCK],
}

/// Whether what a rule says of a sample is made of sums alone, many samples at once.
fn by_block(rule: &EnsembleRule, beside: &Beside<'_>) -> bool {
    matches!(beside, Beside::Nothing) && !matches!(rule, EnsembleRule::And | EnsembleRule::AtLeast(_))
}

/// Sums up samples and judges them by the rule, as far as that goes without looking at each.
struct Block<'a> {
    sums: &'a mut Sums,
    /// Samples that each detector scored, to which those of the block are added.
    scored: &'a mut [u64],
    voters: &'a [Voter<'a>],
    beside: &'a Beside<'a>,
    rule: &'a EnsembleRule,
    first: usize,
    len: usize,
}

impl Kernel for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Block { sums, scored, voters, beside, rule, first, len } = self;
        let weighs = matches!(rule, EnsembleRule::Weighted(_) | EnsembleRule::Consensus);
        sums.make(voters, first, len, weighs, scored);
        if by_block(rule, beside) {
            sums.judge_all(rule);
        }
    }
}

impl Sums {
    fn new() -> Sums {
        let (none, no) = ([0.0; BLOCK], [0; BLOCK]);
        Sums {
            sum: none,
            scored: none,
            weighted: none,
            weights: none,
            votes: no,
            lowest: none,
            mean: none,
            score: none,
            flags: no,
        }
    }

    fn summary(&self, place: usize) -> Summary {
        Summary {
            lowest: self.lowest[place],
            mean: self.mean[place],
            score: self.score[place],
            flags: self.flags[place],
        }
    }

    /// Sums up `len` samples from `first` on, by weight too where the rule `weighs`, and counts those that each detector
    /// scored.
    #[inline(always)]
    fn make(&mut self, voters: &[Voter<'_>], first: usize, len: usize, weighs: bool, counts: &mut [u64]) {
        for sums in [&mut self.sum, &mut self.scored, &mut self.weighted, &mut self.weights] {
            sums.fill(0.0);
        }
        self.votes.fill(0);
        self.lowest.fill(f32::INFINITY);
        // Whole blocks: of a loop that may end anywhere compilers make something slower.
        let (mut scores, mut calibrated) = ([f32::NAN; BLOCK], [f32::NAN; BLOCK]);
        for (voter, count) in voters.iter().zip(counts) {
            let Voter { threshold, calibration, weight, .. } = *voter;
            scores[..len].copy_from_slice(&voter.scores[first..first + len]);
            // One thing after another and without a branch: so the processor does several samples at once.
            for (c, &score) in calibrated.iter_mut().zip(&scores) {
                *c = calibration.of(score);
            }
            for (lowest, &c) in self.lowest.iter_mut().zip(&calibrated) {
                // One without a score, which is NaN, leaves it.
                *lowest = lowest.min(c);
            }
            for ((sum, scored), &c) in self.sum.iter_mut().zip(&mut self.scored).zip(&calibrated) {
                let (c, one) = if c.is_nan() { (0.0, 0.0) } else { (c, 1.0) };
                *sum += c;
                *scored += one;
            }
            if weighs {
                let sums = self.weighted.iter_mut().zip(&mut self.weights);
                for ((sum, weights), &c) in sums.zip(&calibrated) {
                    let (c, weight) = if c.is_nan() { (0.0, 0.0) } else { (c, weight) };
                    *sum += weight * c;
                    *weights += weight;
                }
            }
            for (votes, &score) in self.votes.iter_mut().zip(&scores) {
                *votes += u16::from(score < threshold);
            }
            *count += u64::from(scores.iter().map(|score| u32::from(!score.is_nan())).sum::<u32>());
        }
        self.flags = self.votes;
        for (lowest, &scored) in self.lowest.iter_mut().zip(&self.scored) {
            *lowest = if scored > 0.0 { *lowest } else { f32::NAN };
        }
        for ((mean, sum), scored) in self.mean.iter_mut().zip(&self.sum).zip(&self.scored) {
            // NaN where no detector scored the sample.
            *mean = sum / scored;
        }
    }

    /// The scores and flags of a rule that is made of sums.
    #[inline(always)]
    fn judge_all(&mut self, rule: &EnsembleRule) {
        match rule {
            EnsembleRule::Weighted(_) | EnsembleRule::Consensus => {
                for place in 0..BLOCK {
                    let (mean, weights) = (self.mean[place], self.weights[place]);
                    let weighted = self.weighted[place] / weights;
                    self.score[place] = if weights > 0.0 { weighted } else { mean };
                }
            }
            EnsembleRule::Average => self.score = self.mean,
            _ => self.score = self.lowest,
        }
        match rule {
            EnsembleRule::Precision => {
                for (flags, &lowest) in self.flags.iter_mut().zip(&self.lowest) {
                    *flags = if *flags < 2 && lowest >= SURE { 0 } else { *flags };
                }
            }
            // Where the score is on the scale of thresholds, it alone decides: what one detector flags and the others
            // hold for fine is no suspect.
            EnsembleRule::Average | EnsembleRule::Consensus => {
                for (flags, &score) in self.flags.iter_mut().zip(&self.score) {
                    *flags = if score >= 0.5 { 0 } else { *flags };
                }
            }
            _ => {}
        }
    }

    /// The same of one sample, by any other rule.
    fn judge(
        &mut self,
        place: usize,
        row: usize,
        voters: &[Voter<'_>],
        beside: &Beside<'_>,
        rule: &EnsembleRule,
    ) {
        if self.scored[place] == 0.0 {
            self.score[place] = f32::NAN;
            return;
        }
        let all = voters.len();
        (self.score[place], self.flags[place]) = match (rule, beside) {
            (_, Beside::Ranks(ranks)) => {
                let ranks = ranks.iter().map(|ranks| ranks[row]).filter(|rank| !rank.is_nan());
                (ranks.sum::<f32>() / self.scored[place], self.flags[place])
            }
            (_, Beside::Stack(stack)) => {
                let score = stack.score(&calibrated(row, voters).collect::<Vec<f32>>());
                // On the scale of thresholds, as above.
                (score, if score >= 0.5 { 0 } else { self.flags[place] })
            }
            (EnsembleRule::AtLeast(least), _) => agreed(row, voters, usize::from(*least)),
            _ => agreed(row, voters, all),
        };
    }
}

/// The score and flags by the rules And and `AtLeast`: the `least`-th lowest score, or the highest where fewer
/// detectors scored the sample.
fn agreed(row: usize, voters: &[Voter<'_>], least: usize) -> (f32, u16) {
    let scored = |voter: &&Voter<'_>| !voter.scores[row].is_nan();
    let mut voting: Vec<&Voter<'_>> = voters.iter().filter(scored).filter(|voter| !voter.check).collect();
    if voting.is_empty() {
        // A file that nobody could look at.
        voting = voters.iter().filter(scored).collect();
    }
    let least = least.clamp(1, voting.len());
    let flags = voting.iter().filter(|voter| voter.flags(row)).count();
    let mut scores: Vec<f32> = voting.iter().map(|voter| voter.calibration.of(voter.scores[row])).collect();
    scores.sort_by(f32::total_cmp);
    let flags = if flags >= least { flags as u16 } else { 0 };
    (scores[least - 1], flags)
}
