//! Samples whose nearest neighbors have another label.

use crate::nearby::Nearby;
use crate::{REFERENCES, WORDS_BELOW, evidence};
use chaffinch_plugin::prelude::*;
use std::collections::BTreeMap;

/// The prior: this much weight for an agreeing neighbor and as much for a disagreeing one.
const PRIOR: f64 = 0.5;
/// The share of the neighbors that must have one other label for it to be suggested.
const SUGGEST: f64 = 0.5;

/// Classes with fewer samples are not judged: their few others are seldom among the nearest, whatever the label.
const LEAST: usize = 3;
/// How many of them are listed.
const NAMED: usize = 20;

/// Finds samples whose label differs from the labels around them.
pub struct NeighborLabels;

impl Detector for NeighborLabels {
    const INFO: Info =
        Info::new("neighbor-labels", "Finds samples whose nearest neighbors have another label")
            .version(env!("CARGO_PKG_VERSION"))
            .docs(include_str!("labels.md"))
            .needs(Needs::NEIGHBORS.and(Needs::EMBEDDINGS).and(Needs::LABELS))
            .threshold(0.05)
            .params(&[
                Param::integer("neighbors", 20, 1, 100, "Number of nearest neighbors to look at"),
                REFERENCES,
            ]);

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        let neighbors = Nearby::find(view, view.count("neighbors")?, view.count("references")?)?;
        let width = usual_distance(&neighbors, view.len());
        let sizes = class_sizes(view);
        let mut scores = vec![f32::NAN; view.len()];
        let mut votes = Vec::new();
        for (sample, score) in scores.iter_mut().enumerate() {
            if sample % 1024 == 0 {
                view.checkpoint()?;
            }
            let label = view.labels()[sample];
            if sizes.get(label as usize).is_none_or(|size| *size < LEAST) {
                continue;
            }
            if let Some(vote) = Vote::of(view, &neighbors, sample, width) {
                *score = vote.score();
                if *score < WORDS_BELOW {
                    votes.push((sample, vote));
                }
            }
        }
        if scores.iter().all(|score| score.is_nan()) {
            return Err(Error::new("no labeled image has labeled neighbors, so there is nothing to compare"));
        }
        let small = |class: &u32| (1..LEAST).contains(&sizes[*class as usize]);
        let small: Vec<u32> = (0..sizes.len() as u32).filter(small).collect();
        if !small.is_empty() {
            let mut names: Vec<&str> =
                small.iter().take(NAMED).map(|class| view.class_name(*class)).collect();
            let more = format!("and {} more", small.len() - names.len());
            if small.len() > names.len() {
                names.push(&more);
            }
            report.note("classes too small to judge", &names.join("\n"))?;
        }
        report.scores(&scores)?;
        for (sample, vote) in votes {
            let related = evidence(&neighbors, sample, |other| Some(view.labels()[other]) == vote.other);
            let reason = vote.reason(view, sample);
            let mut issue = Issue::new(sample, Score::clamp(vote.score())?).related(&related).reason(&reason);
            if let Some(other) = vote.other.filter(|_| vote.against >= SUGGEST * vote.all) {
                issue = issue.suggest(other);
            }
            report.issue(issue)?;
        }
        Ok(())
    }
}

/// Pictures that could be read, by class.
fn class_sizes(view: &View<'_>) -> Vec<usize> {
    let mut sizes = Vec::new();
    for (sample, label) in view.labels().iter().enumerate() {
        if *label != NO_LABEL && view.decodable(sample) {
            let class = *label as usize;
            if sizes.len() <= class {
                sizes.resize(class + 1, 0);
            }
            sizes[class] += 1;
        }
    }
    sizes
}

/// The median distance of a sample to its last neighbor: neighbors much farther than the nearest count less.
fn usual_distance(neighbors: &Nearby<'_>, count: usize) -> f64 {
    let mut last: Vec<f64> = (0..count)
        .filter_map(|sample| neighbors.of(sample).last())
        .map(|(_, similarity)| (1.0 - f64::from(similarity)).max(0.0))
        .collect();
    last.sort_by(f64::total_cmp);
    last.get(last.len() / 2).copied().unwrap_or(0.0).max(1e-6)
}

/// The labels of the neighbors of one sample.
struct Vote {
    /// Weight of those with the sample's own label.
    own: f64,
    /// Weight of those with the most common other label.
    against: f64,
    /// That label.
    other: Option<u32>,
    /// Weight of all.
    all: f64,
    /// How many have the sample's own label, the other one, and any.
    counts: (usize, usize, usize),
}

impl Vote {
    /// Counts the labeled neighbors, the nearest most; `None` if the sample or all its neighbors have no
    /// label. A copy of the sample (cosine 1) has the weight 1, a neighbor at twice the usual distance e^-2.
    fn of(view: &View<'_>, neighbors: &Nearby<'_>, sample: usize, width: f64) -> Option<Vote> {
        let label = view.labels()[sample];
        if label == NO_LABEL {
            return None;
        }
        let mut weights: BTreeMap<u32, (f64, usize)> = BTreeMap::new();
        // Relative to the nearest, so that an isolated sample is judged by its neighbors, too.
        let nearest = neighbors.of(sample).next().map(|(_, similarity)| similarity)?;
        for (other, similarity) in neighbors.of(sample) {
            if view.labels()[other] != NO_LABEL {
                let behind = f64::from(nearest - similarity).max(0.0);
                let entry = weights.entry(view.labels()[other]).or_default();
                entry.0 += (-behind / width).exp();
                entry.1 += 1;
            }
        }
        let all: f64 = weights.values().map(|(weight, _)| weight).sum();
        let count = weights.values().map(|(_, count)| count).sum();
        let (own, agreeing) = weights.remove(&label).unwrap_or_default();
        let rival = weights.into_iter().max_by(|a, b| a.1.0.total_cmp(&b.1.0).then(b.0.cmp(&a.0)));
        let (against, disagreeing) = rival.map_or((0.0, 0), |(_, found)| found);
        let other = rival.map(|(label, _)| label);
        (count > 0).then_some(Vote { own, against, other, all, counts: (agreeing, disagreeing, count) })
    }

    fn score(&self) -> f32 {
        ((self.own + PRIOR) / (self.all + 2.0 * PRIOR)) as f32
    }

    fn reason(&self, view: &View<'_>, sample: usize) -> String {
        let (agreeing, disagreeing, count) = self.counts;
        let name = view.class_name(view.labels()[sample]);
        // What speaks for the label is no reason to doubt it.
        let own = match agreeing {
            0 => format!("none of its {count} nearest pictures is labeled {name}"),
            1 => format!("only 1 of its {count} nearest pictures is labeled {name}"),
            some => format!("only {some} of its {count} nearest pictures are labeled {name}"),
        };
        match self.other {
            Some(other) => {
                let are = if disagreeing == 1 { "is" } else { "are" };
                format!("{own}, {disagreeing} {are} labeled {}", view.class_name(other))
            }
            None => own,
        }
    }
}
