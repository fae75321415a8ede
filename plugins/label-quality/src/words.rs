//! Notes, reasons, suggestions and evidence.

use crate::judge::Judge;
use chaffinch_plugin::prelude::*;

/// Samples scoring below this get a reason, so that it is there if the threshold moves.
const WORDS_BELOW: f32 = 0.7;
/// Pairs of classes that a note lists.
const LISTED: usize = 10;

/// Writes one sentence and a suggestion for each sample that a moved threshold might flag.
pub(crate) fn issues(view: &View<'_>, report: &Report<'_>, judge: &Judge) -> Result<()> {
    for (index, &sample) in judge.samples.iter().enumerate() {
        let score = judge.scores[index];
        if score >= WORDS_BELOW {
            continue;
        }
        let (label, best) = (judge.labels[index], judge.likely[index]);
        let given = view.class_name(label);
        let other = view.class_name(best);
        let suggested = (best != label).then_some(best);
        // Only what was learned from the labels of others says something of them.
        let seen = judge.joined || judge.given;
        // No probability: what is estimated without truth takes labels that are hard to tell for right too often.
        let reason = match (suggested, seen) {
            (None, true) => format!("hardly more like {given} than like another class"),
            (None, false) => format!("samples like it are hardly more often labeled {given} than otherwise"),
            (Some(_), true) => format!("looks like {other}, not {given}"),
            (Some(_), false) => format!("other samples like it are labeled {other}, not {given}"),
        };
        let mut issue = Issue::new(sample as usize, Score::clamp(score)?).reason(&reason);
        if let Some(best) = suggested {
            issue = issue.suggest(best);
        }
        report.issue(issue)?;
    }
    Ok(())
}

/// Says which classes are too small to be judged: what was not looked at is not taken for right.
pub(crate) fn small(view: &View<'_>, report: &Report<'_>, least: usize) -> Result<()> {
    let members = view.members();
    let small: Vec<(usize, usize)> = (members.iter().map(|class| class.len()).enumerate())
        .filter(|(_, count)| (1..least).contains(count))
        .collect();
    if small.is_empty() {
        return Ok(());
    }
    let samples: usize = small.iter().map(|(_, count)| count).sum();
    let listed: Vec<String> = (small.iter().take(LISTED))
        .map(|(class, count)| format!("'{}' ({count})", view.class_name(*class as u32)))
        .collect();
    let more = if small.len() > LISTED { ", …" } else { "" };
    let (classes, have) = if small.len() == 1 { ("class", "has") } else { ("classes", "have") };
    let text = format!(
        "{} {classes} {have} fewer than {least} samples, so {} not judged: {}{more}; min-class sets how many are needed",
        small.len(),
        if samples == 1 { "1 label was".to_owned() } else { format!("{samples} labels were") },
        listed.join(", ")
    );
    report.finding(Severity::Info, &text, &[])
}

/// Describes the quality of the probabilities, the cut, and which classes are confused.
pub(crate) fn notes(view: &View<'_>, report: &Report<'_>, judge: &Judge) -> Result<()> {
    let cut = &judge.cut;
    report.note(
        "quality of the probabilities",
        &format!(
            "the model disagrees with {:.1} % of the labels, and with {:.1} % where it is surest; \
             flagged by {}; the label's probability must be below {:.3} of the most likely other class's",
            cut.disagreement * 100.0,
            cut.noise * 100.0,
            judge.filter.name(),
            cut.limit
        ),
    )?;
    report.note("sources", &judge.sources)?;
    let Some(counts) = &judge.mix_ups else {
        return report.note("mix-ups", "too few samples are clear to say how often classes are mixed up");
    };
    let classes = view.class_count();
    let mut pairs: Vec<(f64, usize)> = (0..counts.len())
        .filter(|index| index / classes != index % classes)
        .map(|pair| (counts[pair], pair))
        .collect();
    pairs.retain(|(count, _)| *count >= 0.5);
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let name = |class: usize| view.class_name(class as u32);
    if pairs.is_empty() {
        return report.note("mix-ups", "no class is often given the label of another");
    }
    // No counts: they are those of a model, which misses part of the labels that are hard to tell.
    let listed = pairs
        .iter()
        .take(LISTED)
        .map(|&(_, pair)| format!("{} called {}", name(pair % classes), name(pair / classes)));
    let lines: Vec<String> =
        std::iter::once("most often first, by the model's estimate:".to_owned()).chain(listed).collect();
    report.note("mix-ups", &lines.join("\n"))
}
