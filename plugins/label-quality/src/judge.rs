//! Scores and flags of the samples that can be judged.

use crate::refused;
use crate::sources::Sources;
use chaffinch_confident::{
    Cut, Filter, Filters, Method, Table, expected_confusions, most_f1, posteriors, ratio, scores, suggested,
};
use chaffinch_plugin::prelude::*;

/// The parameters of a run.
pub(crate) struct Settings {
    method: Scoring,
    adjusted: bool,
    filter: Filter,
    pub(crate) min_class: usize,
    /// Whether to use the prompts, too.
    joined: bool,
}

/// How labels are scored.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scoring {
    /// The probability that the label is right, given which classes are mixed up.
    Posterior,
    /// The odds between the label and the most likely other class.
    Odds,
    /// A score of confident learning.
    Confident(Method),
}

impl Settings {
    pub(crate) fn read(view: &View<'_>) -> Result<Settings> {
        let filter = match view.choice("filter")? {
            0 => Filter::FollowsQuality,
            other => Filter::ALL[other - 1],
        };
        Ok(Settings {
            method: match view.choice("method")? {
                0 => Scoring::Posterior,
                1 => Scoring::Odds,
                other => Scoring::Confident(Method::ALL[other - 2]),
            },
            adjusted: view.flag("adjusted")?,
            filter,
            min_class: view.count("min-class")?,
            joined: view.choice("sources")? == 0,
        })
    }
}

/// The results for the samples that can be judged: those with a label of a large enough class.
pub(crate) struct Judge {
    /// The samples, in the order of their content.
    pub(crate) samples: Vec<u32>,
    /// Their labels.
    pub(crate) labels: Vec<u32>,
    /// 0 = the label is surely wrong, 1 = surely right; flagged ones lie below one half.
    pub(crate) scores: Vec<f32>,
    /// The most likely class of each sample.
    pub(crate) likely: Vec<u32>,
    /// Whether prompts contributed, and how much.
    pub(crate) sources: String,
    pub(crate) joined: bool,
    /// Whether the probabilities are the user's own.
    pub(crate) given: bool,
    /// Expected numbers of samples by given label (row) and class (column); `None` if the model is confident about too few.
    pub(crate) mix_ups: Option<Vec<f64>>,
    pub(crate) cut: Cut,
    pub(crate) filter: Filter,
}

impl Judge {
    pub(crate) fn new(view: &View<'_>, settings: &Settings) -> Result<Judge> {
        let mut samples: Vec<usize> = Vec::new();
        for class in view.members().iter().filter(|class| class.len() >= settings.min_class) {
            samples.extend(class);
        }
        // Ties are cut and sums are rounded in order, and large datasets are weighed on a part of them.
        view.sort_by_content(&mut samples);
        let samples: Vec<u32> = samples.into_iter().map(|sample| sample as u32).collect();
        if samples.is_empty() {
            let least = settings.min_class;
            return Err(Error::new(format!(
                "no class has {least} labeled images, so there is nothing to judge"
            )));
        }
        let labels: Vec<u32> = samples.iter().map(|&sample| view.labels()[sample as usize]).collect();
        let sources = Sources::read(view, &samples, &labels, settings.joined)?;
        let table = Table::new(&sources.rows, view.class_count(), &labels).map_err(refused)?;
        let filters = Filters::new(&table).map_err(refused)?;
        let flagged = filters.apply(settings.filter);
        let posterior = match settings.method {
            Scoring::Posterior => posteriors(&table, sources.inverse_temperature),
            _ => None,
        };
        let (cut, own_cut) = (filters.cut(), settings.filter == Filter::FollowsQuality);
        let scores = match (&posterior, settings.method) {
            (Some(found), _) => {
                let right: Vec<f64> = found.iter().map(|one| one.right).collect();
                match own_cut {
                    true => {
                        let clear = flagged.iter().filter(|flag| **flag).count();
                        around(&right, between(most_f1(&right), clear))
                    }
                    false => split_at_half(&right, &flagged),
                }
            }
            (None, Scoring::Confident(method)) => {
                let found = scores(&table, method, settings.adjusted);
                match own_cut {
                    // The cut says how many, the method which: its order stays.
                    true => {
                        split_at_half(&found, &lowest(&found, flagged.iter().filter(|flag| **flag).count()))
                    }
                    false => split_at_half(&found, &flagged),
                }
            }
            // Also if the model is confident about too few samples for the posterior.
            (None, Scoring::Odds | Scoring::Posterior) => {
                let odds: Vec<f64> = (0..table.len()).map(|index| cut.score(ratio(&table, index))).collect();
                match own_cut {
                    true => odds.into_iter().map(|score| score as f32).collect(),
                    false => split_at_half(&odds, &flagged),
                }
            }
        };
        let likely: Vec<u32> = match &posterior {
            Some(found) => found.iter().map(|one| one.class).collect(),
            None => suggested(&table),
        };
        let mix_ups = match settings.method {
            Scoring::Posterior => expected_confusions(&table, sources.inverse_temperature),
            _ => None,
        };
        let Sources { words, joined, given, .. } = sources;
        let filter = settings.filter;
        Ok(Judge { samples, labels, scores, likely, sources: words, joined, given, mix_ups, cut, filter })
    }
}

/// How many to flag: the geometric mean of two counts. That of most expected F1 follows the noise and is too small where wrong
/// labels gather on pictures that are hard to tell, because the posterior takes noise for the same everywhere; that of clear
/// contradictions does not know the noise and is too large where few labels are wrong.
fn between(most_f1: usize, clear: usize) -> usize {
    (most_f1 as f64 * clear as f64).sqrt().round() as usize
}

/// Probabilities with their odds shifted so that the given number of the lowest are below one half. The order is preserved.
fn around(numbers: &[f64], count: usize) -> Vec<f32> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let below = count.checked_sub(1).map_or(0.0, |last| sorted[last]);
    let above = sorted.get(count).copied().unwrap_or(1.0);
    let border = f64::midpoint(below, above).clamp(1e-9, 1.0 - 1e-9);
    let moved = |&p: &f64| {
        let (right, wrong) = (p * (1.0 - border), (1.0 - p) * border);
        (right / (right + wrong)).clamp(0.0, 1.0) as f32
    };
    numbers.iter().map(moved).collect()
}

/// Marks about so many of the lowest: equal scores together.
fn lowest(scores: &[f64], count: usize) -> Vec<bool> {
    let mut sorted = scores.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(&border) = count.checked_sub(1).and_then(|last| sorted.get(last)) else {
        return vec![false; scores.len()];
    };
    let (below, up_to) =
        (sorted.partition_point(|&score| score < border), sorted.partition_point(|&score| score <= border));
    let with_border = up_to - count <= count - below;
    scores.iter().map(|&score| score < border || (with_border && score == border)).collect()
}

/// Moves flagged scores below one half and the others above it, preserving the order within each.
fn split_at_half(scores: &[f64], flagged: &[bool]) -> Vec<f32> {
    let halved = |(&score, &flag): (&f64, &bool)| {
        let half = 0.5 * score.clamp(0.0, 1.0) as f32;
        if flag { half.min(0.499_999) } else { 0.5 + half }
    };
    scores.iter().zip(flagged).map(halved).collect()
}
