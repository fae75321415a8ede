//! Notes and reasons.

use crate::classes::Model;
use crate::fence::Fence;
use crate::{BLOCK_ROWS, WORDS_BELOW};
use chaffinch_plugin::prelude::*;

/// Classes that a note lists.
const MAX_LISTED: usize = 100;
/// Other classes a flagged sample is compared with at once.
const MAX_COLUMNS: usize = 4096;
/// A sample within this many spreads of another class's median, and nearer to it than to its own, is close to that class.
const SITS_WITH: f32 = 3.0;

/// Writes the representatives of each class, and the inertia for each number of medoids.
pub(crate) fn notes(
    view: &View<'_>,
    report: &Report<'_>,
    members: &[Vec<usize>],
    models: &[Option<Model>],
) -> Result<()> {
    let mut representatives = Vec::new();
    let mut elbows = Vec::new();
    let modelled = models.iter().enumerate().filter_map(|(label, model)| Some((label, model.as_ref()?)));
    for (label, model) in modelled.take(MAX_LISTED) {
        let name = view.class_name(label as u32);
        let listed = model.medoids.iter().zip(&model.shares);
        let listed: Vec<String> =
            listed.map(|(medoid, share)| format!("{medoid} ({:.0} %)", share * 100.0)).collect();
        representatives.push(format!("{name} ({} samples): {}", members[label].len(), listed.join(", ")));
        let curve: Vec<String> =
            model.elbow.iter().enumerate().map(|(index, mean)| format!("{}: {mean:.4}", index + 1)).collect();
        elbows.push(format!("{name}: {}", curve.join(", ")));
    }
    if models.len() > MAX_LISTED {
        representatives.push(format!("and {} more classes", models.len() - MAX_LISTED));
    }
    report.note("representatives", &representatives.join("\n"))?;
    report.note("elbow", &elbows.join("\n"))
}

/// The other class whose samples this one resembles.
#[derive(Clone, Copy)]
struct Other {
    label: u32,
    below: f32,
}

/// Writes reasons and evidence for what a moved threshold might flag.
pub(crate) fn issues(
    view: &View<'_>,
    report: &Report<'_>,
    scores: &[f32],
    models: &[Option<Model>],
    fences: &[Option<Fence>],
) -> Result<()> {
    let odd: Vec<u32> = (0..scores.len())
        .filter(|&sample| scores[sample] < WORDS_BELOW)
        .map(|sample| sample as u32)
        .collect();
    for chunk in odd.chunks(BLOCK_ROWS) {
        view.checkpoint()?;
        let others = nearest_others(view, chunk, models, fences)?;
        for (&sample, other) in chunk.iter().zip(others) {
            let label = view.labels()[sample as usize];
            let (Some(model), Some(fence)) = (&models[label as usize], &fences[label as usize]) else {
                continue;
            };
            let near = view.block(&[sample], &model.medoids)?;
            let mut related: Vec<Related> = model
                .medoids
                .iter()
                .zip(&near)
                .map(|(&sample, &similarity)| Related { sample, similarity })
                .collect();
            related.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.sample.cmp(&b.sample)));
            let own = fence.below(model.likeness(&near));
            let reason = reason(view, label, own, other);
            let score = Score::clamp(scores[sample as usize])?;
            related.retain(|related| related.sample != sample);
            report.issue(Issue::new(sample as usize, score).related(&related).reason(&reason))?;
        }
    }
    Ok(())
}

/// For each sample, the other class in which it would be least unusual.
fn nearest_others(
    view: &View<'_>,
    samples: &[u32],
    models: &[Option<Model>],
    fences: &[Option<Fence>],
) -> Result<Vec<Option<Other>>> {
    let mut best: Vec<Option<Other>> = vec![None; samples.len()];
    // Whole classes, as many at a time as fit into one block.
    let mut from = 0;
    while from < models.len() {
        let mut columns: Vec<u32> = Vec::new();
        let mut spans = Vec::new();
        while from < models.len() && (columns.is_empty() || columns.len() < MAX_COLUMNS) {
            if let (Some(model), Some(fence)) = (&models[from], &fences[from]) {
                spans.push((from as u32, model, fence, columns.len()..columns.len() + model.medoids.len()));
                columns.extend(&model.medoids);
            }
            from += 1;
        }
        if columns.is_empty() {
            break;
        }
        let block = view.block(samples, &columns)?;
        for ((&sample, best), row) in samples.iter().zip(&mut best).zip(block.chunks_exact(columns.len())) {
            for (label, model, fence, span) in &spans {
                if *label == view.labels()[sample as usize] {
                    continue;
                }
                let below = fence.below(model.likeness(&row[span.clone()]));
                if best.is_none_or(|best| below < best.below) {
                    *best = Some(Other { label: *label, below });
                }
            }
        }
    }
    Ok(best)
}

fn reason(view: &View<'_>, label: u32, own: f32, other: Option<Other>) -> String {
    let own_name = view.class_name(label);
    match other {
        Some(other) if other.below <= SITS_WITH && other.below + 1.0 < own => {
            format!("unlike the other {own_name} samples; it sits with {}", view.class_name(other.label))
        }
        Some(_) if own > 2.0 => {
            format!("far from everything typical of {own_name}, and of every other class as well")
        }
        _ if own > 0.0 => format!("farther from everything typical of {own_name} than most of its samples"),
        _ => format!("lies apart from most {own_name} samples by the chosen reference"),
    }
}
