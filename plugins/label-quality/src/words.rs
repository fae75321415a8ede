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
        let (label, best, (own, p)) = (judge.labels[index], judge.likely[index], judge.said[index]);
        let given = view.class_name(label);
        let other = view.class_name(best);
        let suggested = (best != label).then_some(best);
        // Only what was learned from the labels of others says something of them.
        let seen = judge.joined || judge.given;
        let subject = if seen { "probably" } else { "others like it are labeled" };
        let reason = match (suggested, seen) {
            // A probability that is not calibrated would claim too much.
            _ if !judge.calibrated => match (suggested, seen) {
                (None, _) => format!("{subject} {given}, by a narrow margin"),
                (Some(_), true) => format!("looks like {other}, not {given}"),
                (Some(_), false) => format!("other samples like it are labeled {other}, not {given}"),
            },
            (None, _) => format!("{subject} {given}, by a narrow margin ({})", percent(own)),
            (Some(_), true) => format!("looks like {other} ({}), not {given} ({})", percent(p), percent(own)),
            (Some(_), false) => format!(
                "other samples like it are labeled {other} ({}), not {given} ({})",
                percent(p),
                percent(own)
            ),
        };
        let mut issue = Issue::new(sample as usize, Score::clamp(score)?).reason(&reason);
        if let Some(best) = suggested {
            issue = issue.suggest(best);
        }
        report.issue(issue)?;
    }
    Ok(())
}

fn percent(p: f32) -> String {
    let p = p * 100.0;
    if p > 0.0 && p < 1.0 { "below 1 %".to_owned() } else { format!("{p:.0} %") }
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
    let all: f64 = pairs.iter().map(|(count, _)| count).sum();
    pairs.retain(|(count, _)| *count >= 0.5);
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let name = |class: usize| view.class_name(class as u32);
    let listed = pairs.iter().take(LISTED).map(|&(count, pair)| {
        format!("{} called {}: about {count:.0}", name(pair % classes), name(pair / classes))
    });
    let first = format!("about {all:.0} of {} labels are wrong by the model's estimate", judge.samples.len());
    let lines: Vec<String> = std::iter::once(first).chain(listed).collect();
    report.note("mix-ups", &lines.join("\n"))
}
