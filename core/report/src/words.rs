//! What a report says in sentences, the same in all formats.

use crate::facts::{Agreed, Facts, Reviewers};
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

/// The columns of [`agreed`].
pub(crate) const AGREED: [&str; 5] = ["agreement of", ">samples", ">alike", ">kappa", "95 % interval"];

/// A row of the table of agreement.
pub(crate) fn agreed(one: &Agreed) -> Vec<String> {
    let name = match (one.of, one.name.as_str()) {
        ("class", "") => "samples without a label".to_owned(),
        ("class", class) => format!("class {class}"),
        ("reviewer", name) => format!("{name} and the others"),
        (_, name) => name.to_owned(),
    };
    let dash = || "–".to_owned();
    vec![
        name,
        thousands(one.samples),
        one.alike.map_or_else(dash, |share| format!("{:.1} %", 100.0 * share)),
        one.kappa.map_or_else(dash, |kappa| format!("{kappa:.3}")),
        one.interval.map_or_else(String::new, |[low, high]| format!("{low:.3} to {high:.3}")),
    ]
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
    let undecided = match facts.count("undecided") {
        0 => "No suspect is".to_owned(),
        count => counted(count, "suspect is", "suspects are"),
    };
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
