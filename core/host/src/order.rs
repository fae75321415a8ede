//! The order in which detectors run: each after those whose scores it requests.

use super::LoadedDetector;
use std::collections::{BTreeMap, VecDeque};

/// A detector that cannot run, since it waits for itself.
#[derive(Debug)]
pub struct Circle<'a> {
    /// The detector.
    pub detector: &'a LoadedDetector,
    /// Why, in a sentence that names all of the circle.
    pub reason: String,
}

/// Sorts detectors so that each comes after those that it names; otherwise they keep their order. Those that wait for
/// themselves are returned apart. Names of detectors that are not among them do not count.
pub fn in_order<'a>(detectors: &[&'a LoadedDetector]) -> (Vec<&'a LoadedDetector>, Vec<Circle<'a>>) {
    let names: Vec<&str> = detectors.iter().map(|detector| detector.info().name()).collect();
    let follows = |place: usize| detectors[place].after();
    let (order, circles) = sorted(&names, &follows);
    let circle = |(place, reason)| Circle { detector: detectors[place], reason };
    (order.into_iter().map(|place| detectors[place]).collect(), circles.into_iter().map(circle).collect())
}

/// The places in order, and those that are in circles with the reason.
fn sorted(
    names: &[&str],
    follows: &dyn Fn(usize) -> Vec<&'static str>,
) -> (Vec<usize>, Vec<(usize, String)>) {
    let places: BTreeMap<&str, usize> = names.iter().copied().zip(0..).collect();
    let before: Vec<Vec<usize>> = (0..names.len())
        .map(|place| follows(place).iter().filter_map(|name| places.get(name).copied()).collect())
        .collect();
    let circles: BTreeMap<usize, Vec<usize>> =
        (0..names.len()).filter_map(|place| Some((place, circle(place, &before)?))).collect();
    let mut seen: Vec<bool> = (0..names.len()).map(|place| circles.contains_key(&place)).collect();
    let mut order = Vec::with_capacity(names.len());
    for start in 0..names.len() {
        if std::mem::replace(&mut seen[start], true) {
            continue;
        }
        // Iterative: files can name a chain as long as they like. Each entry has the places left to look at.
        let mut path = vec![(start, before[start].iter())];
        while let Some((place, left)) = path.last_mut() {
            match left.next() {
                Some(&next) if seen[next] => {}
                Some(&next) => {
                    seen[next] = true;
                    path.push((next, before[next].iter()));
                }
                None => {
                    order.push(*place);
                    path.pop();
                }
            }
        }
    }
    let told = |(place, circle): (usize, Vec<usize>)| {
        let words: Vec<&str> = circle.iter().map(|place| names[*place]).collect();
        let reason = format!("waits for itself: {}; remove one of them from after", words.join(" after "));
        (place, reason)
    };
    (order, circles.into_iter().map(told).collect())
}

/// The shortest way from a place back to itself, with it at both ends.
fn circle(start: usize, before: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut from: Vec<Option<usize>> = vec![None; before.len()];
    let mut queue = VecDeque::from([start]);
    while let Some(place) = queue.pop_front() {
        for &next in &before[place] {
            if next == start {
                let back = std::iter::successors(Some(place), |place| from[*place]);
                let mut way: Vec<usize> = std::iter::once(start).chain(back).collect();
                way.reverse();
                return Some(way);
            }
            if from[next].is_none() {
                from[next] = Some(place);
                queue.push_back(next);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::sorted;

    fn order(all: &[(&'static str, &[&'static str])]) -> (Vec<&'static str>, Vec<(&'static str, String)>) {
        let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
        let (order, circles) = sorted(&names, &|place| all[place].1.to_vec());
        (
            order.into_iter().map(|place| all[place].0).collect(),
            circles.into_iter().map(|(place, why)| (all[place].0, why)).collect(),
        )
    }

    #[test]
    fn each_runs_after_those_it_names_and_the_rest_stays() {
        let (names, circles) = order(&[("a", &["d"]), ("b", &[]), ("c", &["a", "nowhere"]), ("d", &["b"])]);
        assert_eq!(names, ["b", "d", "a", "c"]);
        assert!(circles.is_empty());
    }

    #[test]
    fn a_circle_is_named_by_each_of_its_members_and_the_others_run() {
        let (names, circles) =
            order(&[("a", &["b"]), ("b", &["c"]), ("c", &["a"]), ("d", &["a"]), ("e", &[])]);
        assert_eq!(names, ["d", "e"]);
        let of = |name: &str| &circles.iter().find(|(known, _)| *known == name).unwrap().1;
        assert_eq!(circles.len(), 3);
        assert!(of("a").contains("a after b after c after a"), "{}", of("a"));
        assert!(of("c").contains("c after a after b after c"), "{}", of("c"));
    }

    #[test]
    fn two_circles_that_share_a_member_are_both_refused() {
        let (names, circles) = order(&[("a", &["b", "c"]), ("b", &["a"]), ("c", &["a"])]);
        assert!(names.is_empty(), "{names:?}");
        assert_eq!(circles.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["a", "b", "c"]);
    }

    #[test]
    fn one_that_leads_into_the_middle_of_a_circle_is_in_one_too() {
        let (names, circles) = order(&[
            ("a", &["b", "d"]),
            ("b", &["c"]),
            ("c", &["a"]),
            ("d", &["c"]),
            ("e", &["e2"]),
            ("e2", &[]),
        ]);
        assert_eq!(names, ["e2", "e"]);
        assert_eq!(circles.len(), 4, "{circles:?}");
    }
}
