//! What a report says in sentences, the same in all formats.

use crate::facts::{Facts, Reviewers};
use chaffinch_protocol::display::{counted, thousands};

/// The report in a sentence or two.
pub(crate) fn in_short(facts: &Facts) -> String {
    let samples = counted(facts.dataset.samples, "sample", "samples");
    let classes = facts.classes.iter().filter(|class| class.name.is_some()).count() as u64;
    let suspects = counted(facts.count("suspects"), "suspect", "suspects");
    format!(
        "{samples} in {}. {suspects}, {} of them undecided; {} to be removed, {} to be relabeled.",
        counted(classes, "class", "classes"),
        thousands(facts.count("undecided")),
        thousands(facts.count("removed")),
        thousands(facts.count("relabeled")),
    )
}

/// What several reviewers decided about the same samples.
pub(crate) fn together(reviewers: &Reviewers) -> Option<String> {
    let Reviewers { shared, agreed, .. } = reviewers;
    (*shared > 0).then(|| {
        format!(
            "Several reviewers decided about {}, and agree on {} ({:.1} %).",
            counted(*shared, "sample", "samples"),
            thousands(*agreed),
            100.0 * *agreed as f64 / *shared as f64
        )
    })
}

/// How many errors are left, if that is known.
pub(crate) fn left(facts: &Facts) -> String {
    let undecided = counted(facts.count("undecided"), "suspect is", "suspects are");
    let errors = match &facts.remaining.left {
        Some(left) => format!(
            "About {:.0} errors are left among samples without a decision (95 % interval {:.0} to {:.0}).",
            left.number, left.low, left.high
        ),
        None => {
            "How many errors are left is not known: a review of samples in random order would tell.".into()
        }
    };
    format!("{undecided} undecided. {errors}")
}
