//! One pass over all samples: the score of each, and the data for ordering the suspects.

use super::ensemble::{Ensemble, Member, calibrated};
use super::score_columns::ScoreColumns;
use super::{Counts, SURE};
use crate::verdict::is_flagged;
use chaffinch_compute::vector::{Kernel, wide};
use chaffinch_protocol::EnsembleRule;
use rayon::prelude::*;

/// Samples per thread at a time.
const PART: usize = 1 << 15;
/// Samples summed at once, detector by detector, for vectorization.
const BLOCK: usize = 1 << 8;

/// What all detectors together say about one sample.
#[derive(Clone, Copy)]
pub(super) struct Summary {
    pub(super) lowest: f32,
    pub(super) mean: f32,
    pub(super) score: f32,
    pub(super) flags: u16,
}

/// A sample that at least one detector flags. It is not a suspect if the rule leaves it without flags.
#[derive(Clone, Copy)]
pub(super) struct Candidate {
    pub(super) row: u32,
    pub(super) summary: Summary,
}

/// What the pass finds.
pub(super) struct Pass {
    /// By sample; see [`super::Ranking`].
    pub(super) flags: Vec<u16>,
    /// If they were requested.
    pub(super) columns: Option<ScoreColumns>,
    /// In manifest order.
    pub(super) candidates: Vec<Candidate>,
    pub(super) counts: Vec<Counts>,
}

/// The contribution of a part of the samples.
struct Part {
    candidates: Vec<Candidate>,
    /// By detector.
    flagged: Vec<u64>,
    /// By detector.
    scored: Vec<u64>,
}

impl Part {
    fn new(detectors: usize) -> Part {
        Part { candidates: Vec::new(), flagged: vec![0; detectors], scored: vec![0; detectors] }
    }
}

impl Pass {
    /// Processes `count` samples. Without `columns`, only the data for suspects is stored.
    pub(super) fn new(ensemble: &Ensemble, count: usize, columns: bool) -> Pass {
        let members = ensemble.members();
        let mut flags = vec![0; count];
        let (mut score, mut rest) = match columns {
            true => (vec![0.0; count], vec![0.0; count]),
            false => (Vec::new(), Vec::new()),
        };
        // Columns that are not requested stay empty in every part.
        let (mut scores, mut rests) = (score.chunks_mut(PART), rest.chunks_mut(PART));
        let places = flags
            .chunks_mut(PART)
            .map(|flags| (flags, scores.next().unwrap_or_default(), rests.next().unwrap_or_default()));
        let places: Vec<Place<'_>> = places.collect();
        let part = |(part, (flags, score, rest)): (usize, Place<'_>)| {
            let mut lists = Part::new(members.len());
            let mut sums = Sums::new();
            for start in (0..flags.len()).step_by(BLOCK) {
                let (first, end) = (part * PART + start, flags.len().min(start + BLOCK));
                let len = end - start;
                sums.judge_block(ensemble, &members, &mut lists.scored, first, len);
                flags[start..end].copy_from_slice(&sums.flags[..len]);
                if columns {
                    score[start..end].copy_from_slice(&sums.score[..len]);
                    rest[start..end].copy_from_slice(match ensemble.by_mean() {
                        true => &sums.mean[..len],
                        false => &sums.score[..len],
                    });
                }
                for index in (0..len).filter(|&index| sums.votes[index] > 0) {
                    let row = first + index;
                    let flagging =
                        members.iter().zip(&mut lists.flagged).filter(|(member, _)| member.flags(row));
                    flagging.for_each(|(_, flagged)| *flagged += 1);
                    lists.candidates.push(Candidate { row: row as u32, summary: sums.summary(index) });
                }
            }
            lists
        };
        let parts: Vec<Part> = places.into_par_iter().enumerate().map(part).collect();
        let mut all = Part::new(members.len());
        all.candidates.reserve(parts.iter().map(|part| part.candidates.len()).sum());
        for part in parts {
            all.candidates.extend(part.candidates);
            all.flagged.iter_mut().zip(part.flagged).for_each(|(all, more)| *all += more);
            all.scored.iter_mut().zip(part.scored).for_each(|(all, more)| *all += more);
        }
        let counts = all.scored.iter().zip(&all.flagged);
        let counts = counts.map(|(&scored, &flagged)| Counts { scored, flagged }).collect();
        let columns = columns.then(|| ScoreColumns { score: score.into(), rest: rest.into() });
        Pass { flags, columns, candidates: all.candidates, counts }
    }
}

/// The flags, scores and rest of a part of the samples.
type Place<'a> = (&'a mut [u16], &'a mut [f32], &'a mut [f32]);

/// The score of one sample.
pub(super) fn score(ensemble: &Ensemble, row: usize) -> f32 {
    let members = ensemble.members();
    let mut sums = Sums::new();
    sums.judge_block(ensemble, &members, &mut vec![0; members.len()], row, 1);
    sums.score[0]
}

/// What all detectors say about a block of samples.
struct Sums {
    /// Sums over detectors.
    sum: [f32; BLOCK],
    scored: [f32; BLOCK],
    weighted: [f32; BLOCK],
    weights: [f32; BLOCK],
    /// How many detectors flag a sample, regardless of the rule.
    votes: [u16; BLOCK],
    /// See [`Summary`].
    lowest: [f32; BLOCK],
    mean: [f32; BLOCK],
    score: [f32; BLOCK],
    flags: [u16; BLOCK],
}

/// Sums up samples and judges them by the rule, as far as possible without visiting each one.
struct Block<'a> {
    sums: &'a mut Sums,
    /// The number of samples scored per detector, to which the block is added.
    scored: &'a mut [u64],
    members: &'a [Member<'a>],
    ensemble: &'a Ensemble,
    first: usize,
    len: usize,
}

impl Kernel for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Block { sums, scored, members, ensemble, first, len } = self;
        let weighs = matches!(ensemble.rule, EnsembleRule::Weighted(_) | EnsembleRule::Consensus);
        sums.make(members, first, len, weighs, scored);
        if ensemble.by_sums() {
            sums.judge_all(&ensemble.rule);
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

    fn summary(&self, index: usize) -> Summary {
        Summary {
            lowest: self.lowest[index],
            mean: self.mean[index],
            score: self.score[index],
            flags: self.flags[index],
        }
    }

    /// Judges `len` samples from `first` on, and counts how many each detector scored.
    fn judge_block(
        &mut self,
        ensemble: &Ensemble,
        members: &[Member<'_>],
        scored: &mut [u64],
        first: usize,
        len: usize,
    ) {
        wide(Block { sums: self, scored, members, ensemble, first, len });
        if !ensemble.by_sums() {
            (0..len).for_each(|index| self.judge(index, first + index, members, ensemble));
        }
    }

    /// Sums up `len` samples from `first` on, weighted too if the rule `weighs`, and counts those that each detector
    /// scored.
    #[inline(always)]
    fn make(&mut self, members: &[Member<'_>], first: usize, len: usize, weighs: bool, counts: &mut [u64]) {
        for sums in [&mut self.sum, &mut self.scored, &mut self.weighted, &mut self.weights] {
            sums.fill(0.0);
        }
        self.votes.fill(0);
        self.lowest.fill(f32::INFINITY);
        // Whole blocks: compilers generate slower code for a loop with a variable end.
        let (mut scores, mut calibrated) = ([f32::NAN; BLOCK], [f32::NAN; BLOCK]);
        for (member, count) in members.iter().zip(counts) {
            let Member { threshold, calibration, weight, .. } = *member;
            scores[..len].copy_from_slice(&member.scores[first..first + len]);
            // One step at a time and without branches, so that it is vectorized.
            for (c, &score) in calibrated.iter_mut().zip(&scores) {
                *c = calibration.of(score);
            }
            for (lowest, &c) in self.lowest.iter_mut().zip(&calibrated) {
                // A missing score (NaN) leaves it unchanged.
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
                *votes += u16::from(is_flagged(score, threshold));
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

    /// The scores and flags of a rule based on sums.
    #[inline(always)]
    fn judge_all(&mut self, rule: &EnsembleRule) {
        match rule {
            EnsembleRule::Weighted(_) | EnsembleRule::Consensus => {
                for index in 0..BLOCK {
                    let (mean, weights) = (self.mean[index], self.weights[index]);
                    let weighted = self.weighted[index] / weights;
                    self.score[index] = if weights > 0.0 { weighted } else { mean };
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
            // If the score is on the threshold scale, it alone decides: a sample that one detector flags and the others
            // consider fine is not a suspect.
            EnsembleRule::Average | EnsembleRule::Consensus => {
                for (flags, &score) in self.flags.iter_mut().zip(&self.score) {
                    *flags = if score >= 0.5 { 0 } else { *flags };
                }
            }
            _ => {}
        }
    }

    /// The same for one sample, by any other rule.
    fn judge(&mut self, index: usize, row: usize, members: &[Member<'_>], ensemble: &Ensemble) {
        if self.scored[index] == 0.0 {
            self.score[index] = f32::NAN;
            return;
        }
        let votes = self.flags[index];
        (self.score[index], self.flags[index]) = match (&ensemble.rule, &ensemble.stack) {
            (EnsembleRule::MeanRank, _) => {
                let ranks = members.iter().map(|member| member.ranks[row]).filter(|rank| !rank.is_nan());
                (ranks.sum::<f32>() / self.scored[index], votes)
            }
            (_, Some(stack)) => {
                let score = stack.score(&calibrated(row, members).collect::<Vec<f32>>());
                // On the threshold scale, as above.
                (score, if score >= 0.5 { 0 } else { votes })
            }
            (EnsembleRule::AtLeast(least), _) => agreed(row, members, usize::from(*least)),
            _ => agreed(row, members, members.len()),
        };
    }
}

/// The score and flags by the rules And and `AtLeast`: the `least`-th lowest score, or the highest if fewer detectors
/// scored the sample.
fn agreed(row: usize, members: &[Member<'_>], least: usize) -> (f32, u16) {
    let scored = |member: &&Member<'_>| !member.scores[row].is_nan();
    let mut voting: Vec<&Member<'_>> = members.iter().filter(scored).filter(|member| !member.check).collect();
    if voting.is_empty() {
        // An unreadable file.
        voting = members.iter().filter(scored).collect();
    }
    let least = least.clamp(1, voting.len());
    let flags = voting.iter().filter(|member| member.flags(row)).count();
    let mut scores: Vec<f32> =
        voting.iter().map(|member| member.calibration.of(member.scores[row])).collect();
    scores.sort_by(f32::total_cmp);
    let flags = if flags >= least { flags as u16 } else { 0 };
    (scores[least - 1], flags)
}
