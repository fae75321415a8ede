//! The order in which detectors run: each after those whose scores it requests.

use super::LoadedDetector;
use std::collections::BTreeMap;

/// Detectors that wait for each other, so that none of them can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Visit {
    /// On the way from the first one.
    Open,
    /// It and all before it have their places.
    Placed,
    /// It waits for itself.
    Circling,
}

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
    let mut visits: Vec<Option<Visit>> = vec![None; names.len()];
    let (mut order, mut circles) = (Vec::with_capacity(names.len()), Vec::new());
    for start in 0..names.len() {
        if visits[start].is_some() {
            continue;
        }
        // Iterative: a description can name a chain as long as it likes. Each entry has the places left to look at.
        let before = |place: usize| -> Vec<usize> {
            let mut all: Vec<usize> =
                follows(place).iter().filter_map(|name| places.get(name).copied()).collect();
            all.reverse();
            all
        };
        visits[start] = Some(Visit::Open);
        let mut path = vec![(start, before(start))];
        while let Some((place, left)) = path.last_mut() {
            let place = *place;
            match left.pop() {
                Some(next) => match visits[next] {
                    None => {
                        visits[next] = Some(Visit::Open);
                        path.push((next, before(next)));
                    }
                    Some(Visit::Open) => {
                        let from = path.iter().position(|(other, _)| *other == next).unwrap_or(0);
                        let members: Vec<usize> = path[from..].iter().map(|(other, _)| *other).collect();
                        for member in &members {
                            visits[*member] = Some(Visit::Circling);
                        }
                        circles.extend(told(names, &members));
                    }
                    Some(Visit::Placed | Visit::Circling) => {}
                },
                None => {
                    path.pop();
                    if visits[place] == Some(Visit::Open) {
                        visits[place] = Some(Visit::Placed);
                        order.push(place);
                    }
                }
            }
        }
    }
    circles.sort_unstable();
    circles.dedup_by_key(|(place, _)| *place);
    (order, circles)
}

/// The same circle, told from each of its members.
fn told(names: &[&str], members: &[usize]) -> Vec<(usize, String)> {
    let told = |at: usize| {
        let turned = members[at..].iter().chain(&members[..at]).chain([&members[at]]);
        let words: Vec<&str> = turned.map(|place| names[*place]).collect();
        let reason = format!("waits for itself: {}; remove one of them from after", words.join(" after "));
        (members[at], reason)
    };
    (0..members.len()).map(told).collect()
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
}
