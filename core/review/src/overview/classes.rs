//! The classes: their sizes, and what is known of their labels.

use crate::query::Source;
use chaffinch_data::manifest::NO_LABEL;
use chaffinch_protocol::ClassReview;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;

/// One entry for each class, in the order of the classes, and one for samples without a label if there are any.
pub fn classes(source: &Source<'_>) -> Vec<ClassReview> {
    let Source { manifest, decisions, .. } = source;
    let count = manifest.classes().len();
    let mut reviews: Vec<ClassReview> = (0..=count)
        .map(|class| ClassReview { class: (class < count).then_some(class as u32), ..ClassReview::default() })
        .collect();
    let labels = manifest.labels();
    let place = |row: usize| match labels.get(row) {
        Some(&label) if label != NO_LABEL => (label as usize).min(count),
        _ => count,
    };
    for row in 0..manifest.len() {
        reviews[place(row)].size += 1;
    }
    for &row in source.ranking.order.iter() {
        reviews[place(row as usize)].suspects += 1;
    }
    for (SampleId(row), decision) in decisions.iter().filter(|(id, _)| id.index() < manifest.len()) {
        let review = &mut reviews[place(row as usize)];
        review.decided += 1;
        match decision.choice {
            Choice::Keep => review.fine += 1,
            Choice::Remove | Choice::Relabel(_) => review.faulty += 1,
            Choice::Unsure => {}
        }
    }
    if reviews[count].size == 0 {
        reviews.pop();
    }
    reviews
}
