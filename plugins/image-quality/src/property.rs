//! Which faults are a property of the dataset, and which of its pictures are extreme all the same.

use crate::kinds::{BORDER, Kind, Settings, score};
use crate::measure::Measures;
use crate::sizes::Sizes;

/// So many samples may have a fault whatever their share: in a handful of pictures one is soon a tenth.
const FEW: usize = 3;
/// What is extreme has at most this share of the score that three quarters of the pictures with the fault exceed.
const EXTREME: f32 = 0.5;
/// The logarithm of the probability below which it is no chance that a class has so few.
const NO_CHANCE: f64 = -6.9;
/// How many kinds there are.
pub(crate) const KINDS: usize = Kind::ALL.len();

/// What is usual in a dataset.
pub(crate) struct Usual<'a> {
    seen: &'a [Measures],
    sizes: &'a Sizes,
    settings: &'a Settings,
    /// The samples with each kind of fault.
    pub(crate) counts: [usize; KINDS],
    /// Which kinds so many have that they are a property of the dataset.
    pub(crate) property: [bool; KINDS],
    /// Below this score a sample is flagged for a kind.
    limits: [f32; KINDS],
    /// For the kinds that have no degrees: the classes in which hardly any sample has them, where others do.
    odd_in: [Vec<bool>; KINDS],
}

impl<'a> Usual<'a> {
    /// Counts what was measured. `labels` has the class of each sample, of `classes` many; others have none.
    pub(crate) fn of(
        seen: &'a [Measures],
        labels: &[u32],
        classes: usize,
        sizes: &'a Sizes,
        settings: &'a Settings,
    ) -> Usual<'a> {
        let faulty = |kind: Kind, seen: &Measures| score(kind, seen, sizes, settings) < BORDER;
        let counts = Kind::ALL.map(|kind| seen.iter().filter(|seen| faulty(kind, seen)).count());
        let property = properties(&counts, seen.len(), settings);
        let mut usual = Usual {
            seen,
            sizes,
            settings,
            counts,
            property,
            limits: [BORDER; KINDS],
            odd_in: [const { Vec::new() }; KINDS],
        };
        for (place, kind) in Kind::ALL.into_iter().enumerate().filter(|(place, _)| property[*place]) {
            usual.limits[place] = if kind.has_degrees() { usual.extreme(kind) } else { 0.0 };
            if !kind.has_degrees() {
                usual.odd_in[place] = usual.odd_classes(kind, labels, classes);
            }
        }
        usual
    }

    /// The score of a sample for one kind, or 1 if it is not flagged for it because it is usual.
    pub(crate) fn score(&self, kind: Kind, seen: &Measures, label: u32) -> f32 {
        let score = score(kind, seen, self.sizes, self.settings);
        let place = kind as usize;
        let odd = || self.odd_in[place].get(label as usize).copied().unwrap_or(false);
        match self.property[place] && score < BORDER && score >= self.limits[place] && !odd() {
            true => 1.0,
            false => score,
        }
    }

    /// The score below which the pictures with a usual fault are extreme; 0 if so many would be that they are usual, too.
    fn extreme(&self, kind: Kind) -> f32 {
        let scores = self.seen.iter().map(|seen| score(kind, seen, self.sizes, self.settings));
        let mut faulty: Vec<f32> = scores.filter(|score| *score < BORDER).collect();
        let quarter = faulty.len() / 4;
        let limit = EXTREME * *faulty.select_nth_unstable_by(quarter, f32::total_cmp).1;
        let below = faulty.iter().filter(|score| **score < limit).count();
        if many(below, self.settings.prevalence_of(kind), self.seen.len()) { 0.0 } else { limit }
    }

    /// The classes with so few samples of a usual kind that they can hardly have that share by chance: by Chernoff's bound for
    /// the lower tail of the binomial distribution.
    fn odd_classes(&self, kind: Kind, labels: &[u32], classes: usize) -> Vec<bool> {
        let (mut all, mut with) = (vec![0_usize; classes], vec![0_usize; classes]);
        for (seen, &label) in self.seen.iter().zip(labels) {
            if let (Some(all), Some(with)) = (all.get_mut(label as usize), with.get_mut(label as usize)) {
                *all += 1;
                *with += usize::from(score(kind, seen, self.sizes, self.settings) < BORDER);
            }
        }
        let share = self.counts[kind as usize] as f64 / self.seen.len().max(1) as f64;
        let odd = |all: usize, with: usize| {
            let expected = share * all as f64;
            let found = with as f64;
            let lower =
                if with == 0 { -expected } else { found - expected - found * (found / expected).ln() };
            found < expected && lower < NO_CHANCE && !many(with, self.settings.prevalence_of(kind), all)
        };
        all.into_iter().zip(with).map(|(all, with)| odd(all, with)).collect()
    }
}

fn many(count: usize, share: f64, samples: usize) -> bool {
    count > FEW && count as f64 > share * samples as f64
}

/// Which kinds so many samples have that they are a property of the dataset.
fn properties(counts: &[usize; KINDS], samples: usize, settings: &Settings) -> [bool; KINDS] {
    let gray = |kind: &Kind| matches!(kind, Kind::Grayscale | Kind::NoColor);
    let all_gray = Kind::ALL.iter().zip(counts).filter(|(kind, _)| gray(kind)).map(|(_, count)| count).sum();
    let mut property = [false; KINDS];
    for ((kind, &count), property) in Kind::ALL.iter().zip(counts).zip(&mut property) {
        // Odd only among colored pictures, however the other gray ones are stored.
        let count = if *kind == Kind::NoColor { all_gray } else { count };
        *property = many(count, settings.prevalence_of(*kind), samples);
    }
    property
}
