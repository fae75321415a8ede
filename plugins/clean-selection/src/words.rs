//! Notes, reasons, suggestions and evidence.

use crate::judge::Judged;
use crate::sources::Source;
use chaffinch_plugin::prelude::*;
use std::collections::BTreeMap;

/// Samples scoring below this get a reason, so that it is there if the threshold moves.
const WORDS_BELOW: f32 = 0.7;
/// Samples that stand for a class as evidence.
const EXAMPLES: usize = 3;

/// Writes one sentence for each sample that is not selected or only just, and a suggestion where a source holds another class
/// more likely than the label by more than consistency allows.
pub(crate) fn issues(
    view: &View<'_>,
    report: &Report<'_>,
    sources: &[Source],
    judged: &Judged,
) -> Result<()> {
    let rows = view.embeddings()?;
    let mut examples = BTreeMap::new();
    for (sample, &score) in judged.scores.iter().enumerate() {
        if sample % 4096 == 0 {
            view.checkpoint()?;
        }
        if score.is_nan() || score >= WORDS_BELOW {
            continue;
        }
        let reason = reason(view, sources, judged, sample);
        let mut issue = Issue::new(sample, Score::clamp(score)?).reason(&reason);
        let mut related = Vec::new();
        if let Some((index, other)) = suggested(sources, judged, sample) {
            let known = examples
                .entry((index, other))
                .or_insert_with(|| surest(view, &sources[index], judged, other));
            related.extend(known.iter().map(|&example| {
                let pairs = rows.row(sample).iter().zip(rows.row(example));
                Related { sample: example as u32, similarity: pairs.map(|(x, y)| x * y).sum() }
            }));
            issue = issue.suggest(other);
        }
        report.issue(issue.related(&related))?;
    }
    Ok(())
}

/// The source that finds the label least consistent, if it does not pass, and its most likely class.
fn suggested(sources: &[Source], judged: &Judged, sample: usize) -> Option<(usize, u32)> {
    let consistency = |index: usize| judged.by_source[index].0.consistency()[sample];
    let failed = (0..sources.len()).filter(|&index| !judged.by_source[index].1.consistency[sample]);
    let index = failed.min_by(|&a, &b| consistency(a).total_cmp(&consistency(b)))?;
    Some((index, sources[index].answers[sample].likely))
}

/// The selected samples of a class that a source is most sure of.
fn surest(view: &View<'_>, source: &Source, judged: &Judged, class: u32) -> Vec<usize> {
    let sure = |sample: usize| source.answers[sample].own;
    let mut best: Vec<usize> = Vec::with_capacity(EXAMPLES + 1);
    let samples = view.labels().iter().enumerate().filter(|(_, label)| **label == class);
    for (sample, _) in samples.filter(|(sample, _)| judged.clean[*sample]) {
        let index = best.partition_point(|&other| sure(other) >= sure(sample));
        if index < EXAMPLES {
            best.insert(index, sample);
            best.truncate(EXAMPLES);
        }
    }
    best
}

fn reason(view: &View<'_>, sources: &[Source], judged: &Judged, sample: usize) -> String {
    let name = view.class_name(view.labels()[sample]);
    // No probabilities: they order samples, but are up to half off where most labels are right.
    let mut failures = Vec::new();
    for (source, (_, selection)) in sources.iter().zip(&judged.by_source) {
        let answer = source.answers[sample];
        let doubtful = match (selection.consistency[sample], selection.mixture[sample]) {
            (true, true) => continue,
            (true, false) => format!("in the doubtful group of {name}, so mixture fails"),
            (false, mixture) => {
                let other = view.class_name(answer.likely);
                let fail = if mixture { "consistency fails" } else { "consistency and mixture fail" };
                match answer.likely == view.labels()[sample] {
                    true => format!("hardly {name}, so {fail}"),
                    false => format!("{other} rather than {name}, so {fail}"),
                }
            }
        };
        failures.push(format!("by {} it is {doubtful}", source.name));
    }
    let said = failures.join("; ");
    match (judged.clean[sample], failures.is_empty()) {
        (false, _) => said,
        (true, false) => format!("taken only so that {name} is not left empty: {said}"),
        (true, true) => format!("selected, but as {name} by a narrow margin"),
    }
}

/// Describes how many are selected, by which source, and which classes would have been left empty.
pub(crate) fn notes(view: &View<'_>, report: &Report<'_>, sources: &[Source], judged: &Judged) -> Result<()> {
    let count = |clean: &[bool]| clean.iter().filter(|clean| **clean).count();
    let known = judged.scores.iter().filter(|score| !score.is_nan()).count();
    let mut text = format!("{} of {known} samples", count(&judged.clean));
    for (source, (_, one)) in sources.iter().zip(&judged.by_source) {
        let (mixture, consistency) = (count(&one.mixture), count(&one.consistency));
        let both = count(&one.both());
        text +=
            &format!("\n{}: {mixture} by mixture, {consistency} by consistency, {both} by both", source.name);
    }
    report.note("selected", &text)?;
    if judged.filled.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = (judged.filled.iter())
        .map(|filled| format!("{}: its {} best are taken", view.class_name(filled.class), filled.samples))
        .collect();
    report.note("classes that would be left empty", &lines.join("\n"))
}
