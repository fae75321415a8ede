//! A threshold by example: what decisions about some samples say about a detector's threshold.
//!
//! What is known of the samples below a threshold is what [`covered`](mod@crate::covered) lets decisions say. Ranges that are decided as a whole, from the
//! start of the ranking or of the detector's own order, are counted. For the rest speaks the random sample, if there is one:
//! the share of faults among samples of a score is taken to fall with the score, as a detector's score promises, and is fitted to
//! the sample by isotonic regression (M. Ayer and others, 1955; for scores of classifiers B. Zadrozny and C. Elkan, 2002). The threshold with
//! the largest expected F1 is proposed.
//!
//! Without a random sample nothing is known past what was decided, neither precision nor recall. Then the threshold stays where at
//! least half of what it flags is decided: the one with the largest F1 among what is known, counting samples without a decision as
//! fine. Its interval goes from none of these being faulty to all of them (C. Manski, *Partial identification of probability
//! distributions*, 2003), and so it holds however samples were chosen for review.
//!
//! The intervals of the random part are those of a bootstrap that draws fewer examples than there are, since the usual one claims too much of
//! isotonic regression (B. Sen, M. Banerjee and M. Woodroofe, 2010). One fine example below all scores and one faulty example
//! above them are added, each of half a weight as in Jeffreys' prior, so that a few examples that agree do not claim to be
//! certain; where the share changes between two examples is drawn, too, and so are the faults among samples of a share. Samples that the
//! reviewer is unsure about are fine for the lower end and faulty for the upper one. Of scores below those of the random sample a
//! bootstrap knows nothing, and so the intervals are at least as wide as the exact ones of the random sample on either side of the
//! threshold, which go from none to all where it has no example. The draws come from a fixed seed: the same decisions
//! give the same proposal.

mod curve;
mod known;
mod ranged;
mod sampled;

use crate::covered::{self, Answer, LEAST_DRAWN};
use crate::ranking::Ranking;
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::journal::Decisions;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{BINS, Proposal};
use curve::Weighted;
use known::{Decided, Known};

/// Faulty and fine examples without which nothing is proposed.
pub const LEAST: u64 = 3;
/// A sample of which decisions say something.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Example {
    /// The detector's score, 0..=1.
    pub score: f32,
    /// Whether it was removed or relabeled, not kept.
    pub faulty: bool,
}

/// The examples that decisions give for a detector: the samples of which they say something.
pub fn examples(result: &DetectorResult, decisions: &Decisions) -> Vec<Example> {
    let answers = covered::answers(result.len(), decisions);
    let said = said(result, &answers);
    let example = |(row, said): (usize, Option<Answer>)| {
        Some(Example { score: result.score(SampleId(row as u32))?, faulty: faulty(said?)? })
    };
    said.into_iter().enumerate().filter_map(example).collect()
}

/// What decisions say about each sample for a detector.
///
/// Of copies one is too many, and it does not matter which. So of a group that it reports, the ones removed are those that score
/// worst, as many as were removed, whether these were decided or not; the others that were decided are fine. Of the rest of the group
/// nothing is known: whoever keeps one has not said what the others are.
fn said(result: &DetectorResult, answers: &[Option<Answer>]) -> Vec<Option<Answer>> {
    let mut said = answers.to_vec();
    let grouped: &[(u32, u32)] = if result.record().groups { result.grouped() } else { &[] };
    for group in grouped.chunk_by(|one, other| one.0 == other.0) {
        let mut members: Vec<usize> =
            group.iter().map(|(_, row)| *row as usize).filter(|row| *row < answers.len()).collect();
        let bad = |row: &usize| answers[*row] == Some(Answer::Bad);
        let removed = members.iter().filter(|row| bad(row)).count();
        members.iter().filter(|row| bad(row)).for_each(|row| said[*row] = Some(Answer::Fine));
        let scores = result.scores();
        members.sort_by(|&one, &other| scores[one].total_cmp(&scores[other]).then(one.cmp(&other)));
        members.iter().take(removed).for_each(|row| said[*row] = Some(Answer::Bad));
    }
    said
}

fn faulty(answer: Answer) -> Option<bool> {
    match answer {
        Answer::Fine => Some(false),
        Answer::Bad => Some(true),
        Answer::Unsure => None,
    }
}

/// What is proposed, or why nothing is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outcome {
    /// A threshold.
    Proposed(Proposal),
    /// Fewer than [`LEAST`] faulty or fine examples.
    Few,
    /// Below no threshold at least half of the samples are decided, and there is no random sample.
    Uncovered,
    /// The scores do not tell faulty samples from fine ones, as where all are equal.
    Alike,
}

/// What a reviewer went through, in the order of the dataset.
#[derive(Debug, Clone, Copy)]
pub struct Reviewed<'a> {
    /// The detector's scores; NaN where it has none.
    pub scores: &'a [f32],
    /// What was decided.
    pub answers: &'a [Option<Answer>],
    /// What that says about each sample, which is more where a detector reports groups.
    pub said: &'a [Option<Answer>],
    /// The suspects, in the order in which they are reviewed.
    pub suspects: &'a [u32],
}

/// Proposes a threshold from the decisions about a detector's samples.
pub fn propose(result: &DetectorResult, decisions: &Decisions, ranking: &Ranking) -> Outcome {
    let count = ranking.len().min(result.len());
    let answers = covered::answers(count, decisions);
    let reviewed = Reviewed {
        scores: &result.scores()[..count],
        answers: &answers,
        said: &said(result, &answers),
        suspects: &ranking.order,
    };
    reviewed.propose(&examples(result, decisions))
}

impl Reviewed<'_> {
    /// Proposes a threshold.
    pub fn propose(&self, examples: &[Example]) -> Outcome {
        let count = |wanted: bool| examples.iter().filter(|example| example.faulty == wanted).count() as u64;
        let (faulty, fine) = (count(true), count(false));
        if faulty < LEAST || fine < LEAST {
            return Outcome::Few;
        }
        let known = Known::of(self);
        let says_all = known.rest() == 0 || known.drawn.len() >= LEAST_DRAWN;
        let found = if says_all { sampled::propose(&known) } else { ranged::propose(&known) };
        found.map_or_else(|why| why, |proposal| Outcome::Proposed(Proposal { faulty, fine, ..proposal }))
    }
}

/// The edge with the largest F1 among those of `edges`, the middle one of several that are equal; `faults` has the faulty samples below each
/// edge, and `all` is how many there are.
fn best(flagged: &[u64], faults: &[f64], all: f64, edges: impl Fn(usize) -> bool) -> Option<usize> {
    let f1 = |cut: usize| 2.0 * faults[cut] / (flagged[cut] as f64 + all).max(1e-9);
    let most = (0..=BINS).filter(|&cut| edges(cut)).map(f1).fold(0.0, f64::max);
    let is_best = |cut: &usize| edges(*cut) && f1(*cut) >= most - 1e-9;
    let first = (0..=BINS).find(is_best).filter(|_| most > 0.0)?;
    let run = (first..=BINS).take_while(is_best).count();
    Some(first + run / 2)
}

/// Examples in the order of scores. Samples that the reviewer is unsure about count as `unsure`, or not at all.
fn sorted(decided: &[Decided], unsure: Option<f64>) -> Vec<Weighted> {
    let share = |answer: Answer| match answer {
        Answer::Bad => Some(1.0),
        Answer::Fine => Some(0.0),
        Answer::Unsure => unsure,
    };
    let weighted = |decided: &Decided| {
        Some(Weighted { score: f64::from(decided.score), share: share(decided.answer)?, weight: 1.0 })
    };
    let mut sorted: Vec<Weighted> = decided.iter().filter_map(weighted).collect();
    sorted.sort_unstable_by(|a, b| a.score.total_cmp(&b.score).then(a.share.total_cmp(&b.share)));
    sorted
}

#[cfg(test)]
mod tests;
