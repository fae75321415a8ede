//! What is selected, and scores that say so.

use crate::sources::Source;
use chaffinch_plugin::prelude::*;
use chaffinch_selection::{Filled, Limits, Scores, Selection, fill_empty_classes, intersection};

/// The boundary between flagged samples and selected ones.
const BORDER: f32 = 0.5;

/// The results for all samples.
pub(crate) struct Judged {
    /// 0 = the label is surely not to be trusted; below one half exactly where the sample is not selected; NaN if it
    /// cannot be judged.
    pub(crate) scores: Vec<f32>,
    /// Which samples are selected.
    pub(crate) clean: Vec<bool>,
    /// By source, in the order given: the criteria's scores, and what they select.
    pub(crate) by_source: Vec<(Scores, Selection)>,
    /// Classes of which nothing would have been selected.
    pub(crate) filled: Vec<Filled>,
}

impl Judged {
    /// Selects what all sources call clean by both criteria, and fills classes that would be left empty with their best
    /// samples in the eyes of the first source.
    pub(crate) fn new(view: &View<'_>, sources: &[Source], limits: Limits) -> Result<Judged> {
        let mut by_source = Vec::with_capacity(sources.len());
        for source in sources {
            view.checkpoint()?;
            let scores = source
                .evidence()
                .scores(view.labels())
                .map_err(|error| Error::new(format!("{}: {error}", source.name)))?;
            let selection = scores.select(limits);
            by_source.push((scores, selection));
        }
        let criteria: Vec<&[bool]> =
            by_source.iter().flat_map(|(_, one)| [&*one.mixture, &*one.consistency]).collect();
        let mut clean = intersection(&criteria);
        let agreed = clean.clone();
        let filled = match by_source.first() {
            Some((first, _)) => {
                fill_empty_classes(&mut clean, view.labels(), view.class_count(), first.stretched())
            }
            None => Vec::new(),
        };
        let score = |sample: usize| {
            // Both are NaN if the sample cannot be judged. Not the mixture's own number: of most of what it leaves out that
            // is nought, which tells none of them from another.
            let trust = |(scores, _): &(Scores, Selection)| {
                f64::midpoint(scores.consistency()[sample], scores.stretched()[sample])
            };
            let trust = by_source.iter().map(trust).sum::<f64>() / by_source.len() as f64;
            match (agreed[sample], clean[sample]) {
                (true, _) => BORDER + 0.5 * trust as f32,
                (false, true) => BORDER,
                // Rounding to 32 bits must not move it to the other side.
                (false, false) if trust.is_finite() => (0.5 * trust as f32).min(BORDER.next_down()),
                (false, false) => f32::NAN,
            }
        };
        let scores = (0..clean.len()).map(score).collect();
        Ok(Judged { scores, clean, by_source, filled })
    }
}
