//! Scores and flags of the samples that can be judged.

use chaffinch_confident::{ConfidentJoint, Cut, Filter, Method, Table, filter, ratio, scores};
use chaffinch_plugin::prelude::*;

/// The parameters of a run.
pub(crate) struct Settings {
    /// `None` takes the odds between the label and the most likely other class.
    method: Option<Method>,
    adjusted: bool,
    filter: Filter,
    min_class: usize,
}

impl Settings {
    pub(crate) fn read(view: &View<'_>) -> Result<Settings> {
        let filter = match view.choice("filter")? {
            0 => Filter::FollowsQuality,
            other => Filter::ALL[other - 1],
        };
        Ok(Settings {
            method: view.choice("method")?.checked_sub(1).map(|method| Method::ALL[method]),
            adjusted: view.flag("adjusted")?,
            filter,
            min_class: view.count("min-class")?,
        })
    }
}

/// What was found of the samples that can be judged: those with a label of a class that is large enough.
pub(crate) struct Judge {
    /// The samples, in order.
    pub(crate) samples: Vec<u32>,
    /// Their labels.
    pub(crate) labels: Vec<u32>,
    /// 0 = the label is surely wrong, 1 = surely right; flagged ones lie below one half.
    pub(crate) scores: Vec<f32>,
    /// Samples by given label (row) and estimated true class (column).
    pub(crate) joint: ConfidentJoint,
    pub(crate) cut: Cut,
    pub(crate) filter: Filter,
}

impl Judge {
    pub(crate) fn new(view: &View<'_>, settings: &Settings) -> Result<Judge> {
        let mut samples: Vec<u32> = Vec::new();
        for class in view.members().iter().filter(|class| class.len() >= settings.min_class) {
            samples.extend(class.iter().map(|&sample| sample as u32));
        }
        samples.sort_unstable();
        if samples.is_empty() {
            let least = settings.min_class;
            return Err(Error::new(format!(
                "no class has {least} labelled images: there is nothing to judge"
            )));
        }
        let all = view.probabilities()?;
        // A copy only where some samples are left out: with a thousand classes the matrix is large.
        let mut kept = Vec::new();
        let rows = if samples.len() == view.len() {
            all.as_slice()
        } else {
            kept.extend(samples.iter().flat_map(|&sample| all.row(sample as usize)));
            &kept
        };
        let labels: Vec<u32> = samples.iter().map(|&sample| view.labels()[sample as usize]).collect();
        let table =
            Table::new(rows, all.cols(), &labels).map_err(|problem| Error::new(problem.to_string()))?;
        let cut = Cut::of(&table);
        let flagged = filter(&table, settings.filter).map_err(|problem| Error::new(problem.to_string()))?;
        let raw: Vec<f64> = match settings.method {
            None => (0..table.len()).map(|place| cut.score(ratio(&table, place))).collect(),
            Some(method) => scores(&table, method, settings.adjusted),
        };
        let scores = if settings.method.is_none() && settings.filter == Filter::FollowsQuality {
            raw.iter().map(|&score| score as f32).collect()
        } else {
            split_at_half(&raw, &flagged)
        };
        let joint = ConfidentJoint::new(&table);
        Ok(Judge { samples, labels, scores, joint, cut, filter: settings.filter })
    }
}

/// Moves flagged scores below one half and the others above it; among either the order stays.
fn split_at_half(scores: &[f64], flagged: &[bool]) -> Vec<f32> {
    let place = |(&score, &flag): (&f64, &bool)| {
        let half = 0.5 * score.clamp(0.0, 1.0) as f32;
        if flag { half.min(0.499_999) } else { 0.5 + half }
    };
    scores.iter().zip(flagged).map(place).collect()
}
