//! How many errors are left, with an interval, from a reviewer's decisions.
//!
//! The estimate rests on a random sample (see [`covered`](crate::covered)): the samples that come first in the random
//! order of the interface and of `rank --by random`, up to the first one without a decision. Suspects and other samples are estimated
//! separately (stratified sampling: W. Cochran, *Sampling Techniques*, 1977). The interval of each part is the exact one for
//! samples drawn without replacement (hypergeometric, C. Clopper and E. Pearson, 1934), with the mid-P correction, without
//! which it covers too often (H. Lancaster, 1961; G. Berry and P. Armitage, 1995); the parts are added by the method of variance
//! estimates recovery (G. Zou and A. Donner, 2008). On sampled review of annotations: J. Klie, J. Haladjian, M. Kirchner and
//! R. Nair, *On efficient and statistical quality estimation for data annotation*, 2024.

mod interval;
mod next;

use crate::covered::{Answer, LEAST_DRAWN, answers, drawn, in_random_order};
use crate::ranking::Ranking;
use chaffinch_data::journal::Decisions;
use chaffinch_protocol::sample::SampleId;
pub(crate) use interval::total;
pub use next::Next;
use serde::{Deserialize, Serialize};

/// Shares of the dataset that one may want to be sure to be below.
const SHARES: [f64; 6] = [0.2, 0.1, 0.05, 0.02, 0.01, 0.005];

/// What the decisions say about the samples without one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Remaining {
    /// All samples.
    pub samples: usize,
    /// Samples without a decision.
    pub undecided: usize,
    /// Samples decided to be removed or relabeled.
    pub found: usize,
    /// Samples of the random order that are decided without a gap, and those of them found bad.
    pub sampled: usize,
    /// See `sampled`.
    pub sampled_bad: usize,
    /// Samples of the random order that are decided without a gap. Suspects at their end are not part of `sampled`: they may be
    /// decided because of their rank.
    #[serde(default)]
    pub in_order: usize,
    /// Errors among the samples without a decision; `None` if too few samples of the random order are decided to say.
    pub left: Option<Estimate>,
    /// How many more samples of the random order to review.
    pub goal: Option<Goal>,
    /// What is known about the suspects that come next.
    pub next: Option<Next>,
}

/// An estimated number with its 95 % interval.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The most likely number.
    pub number: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// After `reviews` more samples of the random order, if as many of them are bad as until now, less than `share` of the dataset
/// is bad and undecided with 95 % confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Goal {
    /// The share, 0..1.
    pub share: f64,
    /// How many more.
    pub reviews: usize,
}

/// One part of the dataset: suspects, or the others.
#[derive(Debug, Clone, Copy, Default)]
struct Part {
    samples: usize,
    undecided: usize,
    bad: usize,
    /// Of the random order: samples, bad ones, and ones that the reviewer is not sure about.
    drawn: usize,
    drawn_bad: usize,
    drawn_unsure: usize,
}

impl Part {
    /// Errors that are left in it; `None` if it is not known.
    fn left(&self) -> Option<Estimate> {
        if self.undecided == 0 {
            return Some(Estimate::default());
        }
        if self.drawn == 0 {
            return None;
        }
        // Unsure ones are errors for the upper end and fine for the lower end.
        let (low, _) = total(self.samples, self.drawn, self.drawn_bad);
        let (_, high) = total(self.samples, self.drawn, self.drawn_bad + self.drawn_unsure);
        let most = self.undecided as f64;
        let beside = |number: f64| (number - self.bad as f64).clamp(0.0, most);
        let number = self.samples as f64 * self.drawn_bad as f64 / self.drawn as f64;
        Some(Estimate { number: beside(number), low: beside(low as f64), high: beside(high as f64) })
    }
}

/// The sum of two estimates that do not depend on one another.
fn sum(one: Estimate, other: Estimate) -> Estimate {
    let apart = |a: f64, b: f64| (a * a + b * b).sqrt();
    let number = one.number + other.number;
    Estimate {
        number,
        low: (number - apart(one.number - one.low, other.number - other.low)).max(0.0),
        high: number + apart(one.high - one.number, other.high - other.number),
    }
}

/// Estimates what is left from the decisions about ranked samples.
pub fn remaining(ranking: &Ranking, decisions: &Decisions) -> Remaining {
    let choices = answers(ranking.len(), decisions);
    let suspect: Vec<bool> = (0..ranking.len()).map(|row| ranking.flags[row] > 0).collect();
    let (mut found, parts) = of(&choices, &suspect);
    found.goal = found.left.and_then(|left| goal(&parts, left, found.samples));
    found.next = next::next(ranking, &choices);
    found
}

/// The samples to review for the estimate: the first `count` of the random order that have no decision.
pub fn to_review(samples: usize, decisions: &Decisions, count: usize) -> Vec<SampleId> {
    let ids = in_random_order(samples).into_iter().map(SampleId);
    ids.filter(|id| decisions.get(*id).is_none()).take(count).collect()
}

fn of(answers: &[Option<Answer>], suspect: &[bool]) -> (Remaining, [Part; 2]) {
    let mut parts = [Part::default(); 2];
    for (answer, suspect) in answers.iter().zip(suspect) {
        let part = &mut parts[usize::from(*suspect)];
        part.samples += 1;
        part.undecided += usize::from(answer.is_none());
        part.bad += usize::from(*answer == Some(Answer::Bad));
    }
    for row in drawn(answers, |row| suspect[row]) {
        let part = &mut parts[usize::from(suspect[row as usize])];
        part.drawn += 1;
        part.drawn_bad += usize::from(answers[row as usize] == Some(Answer::Bad));
        part.drawn_unsure += usize::from(answers[row as usize] == Some(Answer::Unsure));
    }
    let count = |of: fn(&Part) -> usize| parts.iter().map(of).sum::<usize>();
    let (sampled, undecided) = (count(|part| part.drawn), count(|part| part.undecided));
    let known = sampled >= LEAST_DRAWN || undecided == 0;
    let left = match (known, parts[0].left(), parts[1].left()) {
        (true, Some(others), Some(suspects)) => Some(sum(others, suspects)),
        _ => None,
    };
    let found = Remaining {
        samples: answers.len(),
        undecided,
        found: count(|part| part.bad),
        sampled,
        sampled_bad: count(|part| part.drawn_bad),
        in_order: drawn(answers, |_| false).len(),
        left,
        goal: None,
        next: None,
    };
    (found, parts)
}

/// The next share to reach, and what it takes.
fn goal(parts: &[Part; 2], left: Estimate, samples: usize) -> Option<Goal> {
    let share = SHARES.into_iter().find(|share| share * (samples as f64) < left.high)?;
    let undecided: usize = parts.iter().map(|part| part.undecided).sum();
    let high = |more: usize| {
        let ahead = parts.map(|part| {
            // Of each part as many as it has of the samples without a decision, and as many bad as until now.
            let more = (more as f64 * part.undecided as f64 / undecided as f64).round() as usize;
            let more = more.min(part.undecided);
            let bad = more as f64 * part.drawn_bad as f64 / part.drawn.max(1) as f64;
            let bad = bad.round() as usize;
            Part {
                undecided: part.undecided - more,
                bad: part.bad + bad,
                drawn: part.drawn + more,
                drawn_bad: part.drawn_bad + bad,
                ..part
            }
        });
        match ahead.map(|part| part.left()) {
            [Some(one), Some(other)] => sum(one, other).high,
            _ => f64::INFINITY,
        }
    };
    // The bound falls with every sample, but for rounding.
    let (mut low, mut reviews) = (0, undecided);
    while low + 1 < reviews {
        let middle = usize::midpoint(low, reviews);
        if high(middle) < share * samples as f64 { reviews = middle } else { low = middle }
    }
    Some(Goal { share, reviews })
}

#[cfg(test)]
mod tests;
