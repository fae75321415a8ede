//! Scores of one detector.

use crate::bins::bin;
use crate::by_example::{self, Outcome};
use crate::query::Source;
use crate::{Error, Result};
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{BINS, Histogram, Ticket};
use rayon::prelude::*;

/// The scores of a detector, and what was decided about the samples.
///
/// # Errors
/// If there are no results of this name.
pub fn histogram(source: &Source<'_>, ticket: Ticket, name: &str) -> Result<Histogram> {
    let Source { results, decisions, .. } = source;
    let result = results
        .get(name)
        .ok_or_else(|| Error::Invalid(format!("there are no results from a detector '{name}'")))?;
    let count = source.manifest.len().min(result.len());
    let others: Vec<(&[f32], f32)> = results
        .iter()
        .filter(|(other, result)| *other != name && result.len() >= count)
        .map(|(other, result)| (result.scores(), source.threshold(other)))
        .collect();
    let empty = || Histogram {
        ticket,
        detector: name.to_owned(),
        samples: vec![0; BINS + 1],
        alone: vec![0; BINS + 1],
        faulty: vec![0; BINS + 1],
        fine: vec![0; BINS + 1],
        elsewhere: 0,
        unscored: 0,
        default: result.record().threshold,
        examples: (0, 0),
        proposal: None,
        uncovered: false,
    };
    let scores = &result.scores()[..count];
    // Integer sums do not depend on order, so any number of threads may compute the parts.
    let parts = scores.par_chunks(1 << 16).enumerate().map(|(part, chunk)| {
        let mut histogram = empty();
        for (offset, &score) in chunk.iter().enumerate() {
            let row = (part << 16) + offset;
            let flagged = others.iter().any(|(scores, threshold)| scores[row] < *threshold);
            histogram.elsewhere += u64::from(flagged);
            if score.is_nan() {
                histogram.unscored += 1;
                continue;
            }
            let bin = bin(score);
            histogram.samples[bin] += 1;
            histogram.alone[bin] += u64::from(!flagged);
        }
        histogram
    });
    let mut whole = parts.reduce(empty, |mut a, b| {
        for (a, b) in [(&mut a.samples, &b.samples), (&mut a.alone, &b.alone)] {
            a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        }
        a.elsewhere += b.elsewhere;
        a.unscored += b.unscored;
        a
    });
    for (id, decision) in decisions.iter().filter(|(id, _)| id.index() < count) {
        let Some(score) = result.score(SampleId(id.0)) else { continue };
        match decision.choice {
            Choice::Keep => whole.fine[bin(score)] += 1,
            Choice::Remove | Choice::Relabel(_) => whole.faulty[bin(score)] += 1,
            Choice::Unsure => {}
        }
    }
    let examples = by_example::examples(result, decisions);
    let faulty = examples.iter().filter(|example| example.faulty).count() as u64;
    whole.examples = (faulty, examples.len() as u64 - faulty);
    match by_example::propose(result, decisions, source.ranking) {
        Outcome::Proposed(proposal) => whole.proposal = Some(proposal),
        Outcome::Uncovered => whole.uncovered = true,
        Outcome::Few | Outcome::Alike => {}
    }
    Ok(whole)
}
