//! A threshold anywhere, where a random sample speaks for all that is not decided as a whole.

use super::curve::{Curve, Gap, Weighted};
use super::known::{Decided, Known};
use super::{Outcome, best, sorted};
use crate::bins::bin;
use crate::covered::Answer;
use crate::remaining::total;
use chaffinch_protocol::{BINS, Expected, Proposal};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::ops::Range;

/// The draws of the bootstrap: of `n` examples, `n` to this power.
const DRAWN: f64 = 0.9;
/// Bootstraps from which the intervals are taken: two and a half percent at either end are left out.
const DRAWS: usize = 200;
const TAIL: f64 = 0.025;

pub(super) fn propose(known: &Known) -> Result<Proposal, Outcome> {
    let below = Below::of(known);
    // A score of 0 says that a sample is surely faulty, which is all that is known of scores below those of the random sample.
    let surely = Weighted { score: 0.0, share: 1.0, weight: 1e-6 };
    let examples = std::iter::once(surely).chain(sorted(&known.drawn, None)).collect();
    let rest = below.rest(known, &Curve::fit(examples), &mut || Gap::Even);
    let faults: Vec<f64> =
        (0..BINS + 2).map(|cut| below.within(cut, below.sure_bad[cut] as f64 + rest[cut].number)).collect();
    let all = faults[BINS + 1];
    let cut = best(&below.samples, &faults, all, |_| true)
        .filter(|&cut| below.samples[cut] > 0)
        .ok_or(Outcome::Alike)?;
    let likely = below.at(cut, faults[cut], all - faults[cut]);

    let mut random = ChaCha8Rng::seed_from_u64(0);
    let mut draws = |unsure: u64| {
        let end = End { examples: sorted(&known.drawn, Some(unsure as f64)), unsure };
        below.draws(known, &end, cut, &mut random)
    };
    let low = draws(0);
    // Where the reviewer is sure of everything, both ends are of the same draws.
    let is_unsure = |drawn: &Decided| drawn.answer == Answer::Unsure;
    let open = below.sure_unsure[BINS + 1] > 0 || known.drawn.iter().any(is_unsure);
    let high = if open { draws(1) } else { low.clone() };
    // Of samples below all of the random sample, as are most where the worst suspects are decided, the bootstrap knows nothing, and
    // takes them for as fine as those above them. So the interval of the precision is not narrower than what the random sample leaves
    // open below the cut by itself: without any of it there, all that is not decided.
    let mut precision = expected(likely.precision, low.0, high.0);
    let (fewest, most) = below.exact(known, 0..cut);
    for faults in [fewest, most] {
        let share = below.at(cut, below.within(cut, faults), 0.0).precision as f32;
        precision = Expected { low: precision.low.min(share), high: precision.high.max(share), ..precision };
    }
    // A cut is where few of the sample are faulty above it and many below, of which the bootstrap takes too little notice: the
    // interval of the recall is not narrower than what each of both leaves open by itself.
    let (fewest, most) = below.exact(known, cut..BINS + 1);
    let number = |share: f32| f64::from(share) * below.samples[cut] as f64;
    let above = all - faults[cut];
    let mut recall = expected(likely.recall, low.1, high.1);
    for (faults, above) in [
        (faults[cut], most),
        (faults[cut], fewest),
        (number(precision.low), above),
        (number(precision.high), above),
    ] {
        let share = below.at(cut, faults, above).recall as f32;
        recall = Expected { low: recall.low.min(share), high: recall.high.max(share), ..recall };
    }
    Ok(Proposal {
        threshold: cut as f32 / BINS as f32,
        flagged: below.samples[cut],
        precision,
        recall: Some(recall),
        reach: None,
        ..Proposal::default()
    })
}

/// One end of the intervals: what samples are taken for that the reviewer is unsure about.
struct End {
    examples: Vec<Weighted>,
    unsure: u64,
}

/// Samples below each edge of a bin, and below nothing: all.
struct Below {
    samples: Vec<u64>,
    bad: Vec<u64>,
    fine: Vec<u64>,
    sure_bad: Vec<u64>,
    sure_unsure: Vec<u64>,
}

/// Faults to expect among samples, and how far their number varies by chance.
#[derive(Debug, Clone, Copy, Default)]
struct Rest {
    number: f64,
    variance: f64,
}

struct At {
    precision: f64,
    recall: f64,
}

impl Below {
    fn of(known: &Known) -> Below {
        Below {
            samples: known.below(|bin| bin.samples),
            bad: known.below(|bin| bin.bad),
            fine: known.below(|bin| bin.fine),
            sure_bad: known.below(|bin| bin.sure_bad),
            sure_unsure: known.below(|bin| bin.sure_unsure),
        }
    }

    /// What the random sample says about the rest below each edge.
    fn rest(&self, known: &Known, curve: &Curve, gap: &mut dyn FnMut() -> Gap) -> Vec<Rest> {
        let shares = curve.over_bins(BINS, gap);
        let sums = known.bins.iter().zip(shares).scan(Rest::default(), |sum, (bin, share)| {
            let rest = bin.rest as f64;
            sum.number += rest * share;
            sum.variance += rest * share * (1.0 - share);
            Some(*sum)
        });
        std::iter::once(Rest::default()).chain(sums).collect()
    }

    /// A number of faults below an edge that agrees with all decisions.
    fn within(&self, cut: usize, faults: f64) -> f64 {
        faults.clamp(self.bad[cut] as f64, (self.samples[cut] - self.fine[cut]) as f64)
    }

    /// The exact interval of the faults in some bins.
    fn exact(&self, known: &Known, bins: Range<usize>) -> (f64, f64) {
        let number = |of: Option<Answer>| {
            let within = known.drawn.iter().filter(|drawn| bins.contains(&bin(drawn.score)));
            within.filter(|drawn| of.is_none_or(|answer| drawn.answer == answer)).count()
        };
        let (drawn, bad, unsure) = (number(None), number(Some(Answer::Bad)), number(Some(Answer::Unsure)));
        let rest: u64 = known.bins[bins.clone()].iter().map(|bin| bin.rest).sum();
        let (low, _) = total(rest as usize + drawn, drawn, bad);
        let (_, high) = total(rest as usize + drawn, drawn, bad + unsure);
        // Of what is decided as a whole, the number is known.
        let sure = |all: &[u64]| (all[bins.end] - all[bins.start]) as f64;
        let whole = sure(&self.sure_bad) - bad as f64;
        (whole + low as f64, whole + sure(&self.sure_unsure) - unsure as f64 + high as f64)
    }

    fn at(&self, cut: usize, faults: f64, above: f64) -> At {
        let share = |part: f64, of: f64| if of > 0.0 { (part / of).min(1.0) } else { 1.0 };
        At { precision: share(faults, self.samples[cut] as f64), recall: share(faults, faults + above) }
    }

    /// Precisions and recalls at an edge as the bootstrap draws them.
    fn draws(&self, known: &Known, end: &End, cut: usize, random: &mut ChaCha8Rng) -> (Vec<f64>, Vec<f64>) {
        let (mut precisions, mut recalls) = (Vec::new(), Vec::new());
        let number = end.examples.len();
        for _ in 0..DRAWS {
            let mut times = vec![0_u32; number];
            for _ in 0..(number as f64).powf(DRAWN).ceil() as usize {
                times[random.random_range(0..number)] += 1;
            }
            let mut all = vec![Weighted { score: 0.0, share: 0.0, weight: half(random) }];
            let drawn = end.examples.iter().zip(times).filter(|(_, times)| *times > 0);
            all.extend(drawn.map(|(example, times)| Weighted { weight: f64::from(times), ..*example }));
            all.push(Weighted { score: 1.0, share: 1.0, weight: half(random) });
            let rest = self.rest(known, &Curve::fit(all), &mut || Gap::At(random.random()));
            let sure = |at: usize| (self.sure_bad[at] + end.unsure * self.sure_unsure[at]) as f64;
            let (below, whole) = (rest[cut], rest[BINS + 1]);
            let faults = below.number + below.variance.sqrt() * normal(random);
            let faults = self.within(cut, sure(cut) + faults);
            let above = whole.number - below.number
                + (whole.variance - below.variance).max(0.0).sqrt() * normal(random);
            let above = sure(BINS + 1) - sure(cut) + above;
            let known_above = |all: &[u64]| (all[BINS + 1] - all[cut]) as f64;
            let most = known_above(&self.samples) - known_above(&self.fine);
            let at = self.at(cut, faults, above.clamp(known_above(&self.bad), most));
            precisions.push(at.precision);
            recalls.push(at.recall);
        }
        (precisions, recalls)
    }
}

/// An even number above 0 and up to 1.
fn even(random: &mut ChaCha8Rng) -> f64 {
    1.0 - random.random::<f64>()
}

/// A normal number (G. Box and M. Muller, 1958).
fn normal(random: &mut ChaCha8Rng) -> f64 {
    (-2.0 * even(random).ln()).sqrt() * (std::f64::consts::TAU * even(random)).cos()
}

/// A weight of one half in the mean, from the gamma distribution: half the square of a normal number.
fn half(random: &mut ChaCha8Rng) -> f64 {
    0.5 * normal(random).powi(2)
}

/// A share with the lower end of some draws and the upper end of others.
fn expected(share: f64, mut low: Vec<f64>, mut high: Vec<f64>) -> Expected {
    let end = |drawn: &mut Vec<f64>, part: f64| {
        drawn.sort_unstable_by(f64::total_cmp);
        drawn[(part * (drawn.len() - 1) as f64).round() as usize]
    };
    // What is most likely may lie beside the middle of the draws, and even beyond all of them.
    Expected {
        share: share as f32,
        low: end(&mut low, TAIL).min(share) as f32,
        high: end(&mut high, 1.0 - TAIL).max(share) as f32,
    }
}
