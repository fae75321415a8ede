//! Reasons and evidence.

use crate::probabilities::Answer;
use crate::{Mode, WORDS_BELOW};
use chaffinch_plugin::prelude::*;

/// Samples that stand for a class as evidence.
const EXAMPLES: usize = 3;

/// Writes words for what a moved threshold might flag and for what the model would label otherwise.
pub(crate) fn issues(
    view: &View<'_>,
    report: &Report<'_>,
    scores: &[f32],
    answers: &[Answer],
    mode: Mode,
) -> Result<()> {
    let examples = examples(view, answers, scores);
    let rows = view.embeddings()?;
    for (sample, answer) in answers.iter().enumerate() {
        let label = view.labels()[sample];
        let other = (mode != Mode::Alternative && answer.best != label).then_some(answer.best);
        if scores[sample].is_nan() || (scores[sample] >= WORDS_BELOW && other.is_none()) {
            continue;
        }
        if sample % 4096 == 0 {
            view.checkpoint()?;
        }
        let reason = reason(view, label, answer, other);
        let mut issue = Issue::new(sample, Score::clamp(scores[sample])?).reason(&reason);
        let related: Vec<Related> = other.map_or_else(Vec::new, |other| {
            let similarity =
                |a: usize, b: usize| rows.row(a).iter().zip(rows.row(b)).map(|(x, y)| x * y).sum();
            let others = examples[other as usize].iter().filter(|&&example| example != sample);
            others
                .map(|&example| Related { sample: example as u32, similarity: similarity(sample, example) })
                .collect()
        });
        if let Some(other) = other {
            issue = issue.suggest(other).related(&related);
        }
        report.issue(issue)?;
    }
    Ok(())
}

fn reason(view: &View<'_>, label: u32, answer: &Answer, other: Option<u32>) -> String {
    let name = view.class_name(label);
    match other {
        // No probabilities: those of prompts know nothing of the labels, and claim too much where most of them are right.
        Some(other) => format!("looks like {} rather than {name}", view.class_name(other)),
        None if answer.lead < 0.0 => format!("looks like something else rather than {name}"),
        None => format!("looks less like {name} than most {name} samples do"),
    }
}

/// For each class the samples labeled so that the model is most sure of.
fn examples(view: &View<'_>, answers: &[Answer], scores: &[f32]) -> Vec<Vec<usize>> {
    let mut examples: Vec<Vec<usize>> = vec![Vec::new(); view.class_count()];
    for (sample, &label) in view.labels().iter().enumerate() {
        if scores[sample].is_nan() {
            continue;
        }
        let list = &mut examples[label as usize];
        let index = list.partition_point(|&other| sureness(&answers[other]) >= sureness(&answers[sample]));
        if index < EXAMPLES {
            list.insert(index, sample);
            list.truncate(EXAMPLES);
        }
    }
    examples
}

/// Orders samples by how surely they show their label.
fn sureness(answer: &Answer) -> f32 {
    if answer.lead.is_finite() { answer.given + answer.lead * 1e-6 } else { answer.given }
}
