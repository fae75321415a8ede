//! Whether a learned order is better than the rank: by decisions that it did not learn from.

use super::fit::{Decided, Fitted};
use crate::Result;
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::sorting::Unwanted;

/// Parts of the decisions, each of which is predicted from the others.
const FOLDS: u8 = 5;
/// It is better if it orders this many more of all pairs rightly, and so many standard errors more.
const MARGIN: f64 = 0.01;
const ERRORS: f64 = 1.645;

/// How often each order puts the bad one of two decided samples first, one of which was kept: the area under the ROC curve.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct HeldOut {
    pub(super) learned: f64,
    pub(super) ranked: f64,
    /// The standard error of their difference (DeLong, DeLong and Clarke-Pearson 1988), within folds.
    error: f64,
}

impl HeldOut {
    /// Predicts each part of the decisions from the others. Copies are in the same part, as who has seen one has seen them all.
    ///
    /// # Errors
    /// [`Error::Stopped`](crate::Error::Stopped) once it is no longer wanted.
    pub(super) fn of(
        decided: &[(ContentHash, Decided)],
        detectors: usize,
        classes: usize,
        unwanted: Unwanted<'_>,
    ) -> Result<HeldOut> {
        let (mut learned, mut ranked, mut variance, mut pairs) = (0.0, 0.0, 0.0, 0.0);
        for fold in 0..FOLDS {
            let is_held_out = |(key, _): &&(ContentHash, Decided)| key.0[0] % FOLDS == fold;
            let (held_out, others): (Vec<_>, Vec<_>) = decided.iter().partition(is_held_out);
            let others: Vec<&Decided> = others.into_iter().map(|(_, one)| one).collect();
            let fitted = Fitted::of(&others, detectors, classes, unwanted)?;
            let score = |one: &Decided| (fitted.log_odds(one.ranked, fitted.moved(one)), one.ranked);
            let scores = |bad: bool| -> Vec<(f64, f64)> {
                held_out.iter().filter(|(_, one)| one.bad == bad).map(|(_, one)| score(one)).collect()
            };
            let (bad, good) = (scores(true), scores(false));
            if bad.is_empty() || good.is_empty() {
                continue;
            }
            // For each sample how much oftener than the rank the new order has it right, over all of the other kind.
            let (mut of_bad, mut of_good) = (vec![0.0; bad.len()], vec![0.0; good.len()]);
            for (bad, of_bad) in bad.iter().zip(&mut of_bad) {
                for (good, of_good) in good.iter().zip(&mut of_good) {
                    let (new, old) = (right(bad.0, good.0), right(bad.1, good.1));
                    learned += new;
                    ranked += old;
                    *of_bad += new - old;
                    *of_good += new - old;
                }
            }
            let here = (bad.len() * good.len()) as f64;
            of_bad.iter_mut().for_each(|sum| *sum /= good.len() as f64);
            of_good.iter_mut().for_each(|sum| *sum /= bad.len() as f64);
            variance += here * here * (of_mean(&of_bad) + of_mean(&of_good));
            pairs += here;
        }
        if pairs == 0.0 {
            return Ok(HeldOut::default());
        }
        Ok(HeldOut { learned: learned / pairs, ranked: ranked / pairs, error: variance.sqrt() / pairs })
    }

    /// Whether the learned order is better by more than chance.
    pub(super) fn is_better(&self) -> bool {
        self.learned - self.ranked >= f64::max(MARGIN, ERRORS * self.error)
    }
}

/// Whether the bad one of two comes first, half if neither does.
fn right(bad: f64, good: f64) -> f64 {
    if bad > good { 1.0 } else { f64::from(u8::from(bad == good)) / 2.0 }
}

/// The variance of the mean of these numbers; of one alone nothing is known, and it counts as any.
fn of_mean(numbers: &[f64]) -> f64 {
    let count = numbers.len() as f64;
    if count < 2.0 {
        return 1.0;
    }
    let mean = numbers.iter().sum::<f64>() / count;
    numbers.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (count - 1.0) / count
}
