//! Alternative labels for a sample, in the order of their digit keys.

use chaffinch_protocol::{Candidate, DetailIssue, DetailRelated};
use std::collections::BTreeMap;

/// One per digit key.
pub(crate) const MOST: usize = 9;

/// Alternative labels, the best supported first: the suggestion, what other detectors that flag the sample suggest
/// (worst first), the most common label among its neighbors, then the classes in the model's order. The current label
/// appears where the model puts it, since keeping has its own key.
pub(crate) fn ordered(
    given: Option<u32>,
    suggested: Option<u32>,
    issues: &[DetailIssue],
    neighbors: &[DetailRelated],
    likenesses: &[(u32, f32)],
) -> Vec<Candidate> {
    let flagged = issues.iter().filter(|issue| issue.flagged).filter_map(|issue| issue.suggested);
    let others = suggested.into_iter().chain(flagged).chain(majority(neighbors));
    let others = others.filter(|&class| Some(class) != given);
    let mut classes: Vec<u32> = Vec::with_capacity(MOST);
    for class in others.chain(likenesses.iter().map(|&(class, _)| class)) {
        if classes.len() < MOST && !classes.contains(&class) {
            classes.push(class);
        }
    }
    let likeness = |class| likenesses.iter().find(|&&(other, _)| other == class).map(|&(_, p)| p);
    classes.into_iter().map(|class| Candidate { class, likeness: likeness(class) }).collect()
}

/// The most common label; ties go to the nearest neighbor's.
fn majority(neighbors: &[DetailRelated]) -> Option<u32> {
    // How many have it, and the index of the first.
    let mut counts: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
    for (index, neighbor) in neighbors.iter().enumerate() {
        if let Some(label) = neighbor.label {
            counts.entry(label).or_insert((0, index)).0 += 1;
        }
    }
    counts.into_iter().max_by_key(|&(_, (count, first))| (count, usize::MAX - first)).map(|(label, _)| label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_protocol::sample::{SampleId, Split};

    fn issue(flagged: bool, suggested: u32) -> DetailIssue {
        DetailIssue {
            detector: String::new(),
            score: 0.1,
            threshold: 0.5,
            flagged,
            suggested: Some(suggested),
            reason: String::new(),
            related: Vec::new(),
            group: Vec::new(),
        }
    }

    fn neighbor(label: u32) -> DetailRelated {
        DetailRelated {
            sample: SampleId(label),
            path: String::new(),
            label: Some(label),
            split: Split::default(),
            similarity: 0.9,
            content: String::new(),
        }
    }

    fn classes(candidates: &[Candidate]) -> Vec<u32> {
        candidates.iter().map(|candidate| candidate.class).collect()
    }

    #[test]
    fn the_suggestion_has_the_first_digit_and_the_model_the_last_word() {
        let issues = [issue(true, 3), issue(true, 5), issue(false, 6)];
        let neighbors = [neighbor(7), neighbor(2), neighbor(2)];
        let likely = [(1, 0.5), (0, 0.3), (3, 0.1), (4, 0.1)];
        let found = ordered(Some(0), Some(3), &issues, &neighbors, &likely);
        assert_eq!(classes(&found), [3, 5, 2, 1, 0, 4]);
        assert_eq!(found[0].likeness, Some(0.1));
        assert_eq!(found[1].likeness, None, "the model does not know this class");
    }

    #[test]
    fn the_given_label_stands_where_the_model_puts_it() {
        let likely = [(1, 0.5), (0, 0.3)];
        let found = ordered(Some(0), Some(0), &[issue(true, 0)], &[neighbor(0)], &likely);
        assert_eq!(classes(&found), [1, 0]);
    }

    #[test]
    fn of_equally_many_neighbors_the_nearest_decides() {
        let neighbors = [neighbor(7), neighbor(2), neighbor(2), neighbor(7)];
        assert_eq!(classes(&ordered(None, None, &[], &neighbors, &[])), [7]);
        assert_eq!(ordered(None, None, &[], &[], &[]), Vec::new());
    }

    #[test]
    fn there_are_no_more_than_digits() {
        let likely: Vec<(u32, f32)> = (0..20).map(|class| (class, 0.05)).collect();
        assert_eq!(ordered(None, Some(15), &[], &[], &likely).len(), MOST);
    }
}
