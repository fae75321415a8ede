//! Equality with cleanlab 2.9.0 where samples have several labels (`scripts/fixtures/make_multilabel_fixtures.py`), and
//! that the order of samples changes nothing.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_confident::{
    Aggregation, Filter, LabelSets, Method, aggregate, class_scores, ranked, set_issues,
};
use proptest::prelude::*;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

#[derive(Deserialize)]
struct Fixture {
    aggregated: Vec<BTreeMap<String, serde_json::Value>>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    classes: usize,
    given: Vec<u8>,
    probabilities: Vec<f64>,
    scores: Vec<Scores>,
    filters: BTreeMap<String, Flagged>,
}

#[derive(Deserialize)]
struct Scores {
    method: String,
    adjusted: bool,
    classes: Vec<f64>,
    samples: Vec<Vec<f64>>,
}

/// What a filter flags; `None` where cleanlab stops at a class that none or all have.
#[derive(Deserialize)]
struct Flagged {
    classes: Option<BTreeSet<(usize, usize)>>,
    samples: Option<BTreeSet<usize>>,
    /// Whether that depends on the order of equal numbers.
    tied: bool,
    ranked: Option<Vec<usize>>,
}

fn fixture() -> Fixture {
    let mut text = String::new();
    let packed = include_bytes!("label-sets.json.gz");
    flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn aggregation(said: &BTreeMap<String, serde_json::Value>) -> Aggregation {
    let number = |name: &str| said[name].as_f64().unwrap();
    let by = match said["method"].as_str().unwrap() {
        "softmin" => Aggregation::SoftMin { temperature: number("temperature") },
        _ => Aggregation::MovingAverage { alpha: number("alpha") },
    };
    assert_eq!(said["method"], by.name());
    by
}

fn close(ours: &[f64], theirs: &[f64]) -> bool {
    ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| (a - b).abs() < 1e-6)
}

fn flags(given: &[u8]) -> Vec<bool> {
    given.iter().map(|&has| has == 1).collect()
}

#[test]
fn scores_are_those_of_cleanlab() {
    let fixture = fixture();
    let mut compared = 0;
    for case in &fixture.cases {
        let given = flags(&case.given);
        let sets = LabelSets::new(&case.probabilities, case.classes, &given).unwrap();
        let single: Vec<f32> = case.probabilities.iter().map(|&p| p as f32).collect();
        let in_single = LabelSets::new(&single, case.classes, &given).unwrap();
        for Scores { method, adjusted, classes, samples } in &case.scores {
            let name = format!("{}: {method}, adjusted {adjusted}", case.name);
            let method = Method::ALL.into_iter().find(|known| known.name() == method).unwrap();
            let scores = class_scores(&sets, method, *adjusted);
            assert!(close(&scores, classes), "{name}");
            assert!(close(&class_scores(&in_single, method, *adjusted), classes), "{name}, 32 bits");
            for (by, samples) in fixture.aggregated.iter().zip(samples) {
                assert!(close(&aggregate(&scores, case.classes, aggregation(by)), samples), "{name}, {by:?}");
                compared += 1;
            }
        }
    }
    assert!(compared >= 8 * 4 * 4, "{compared}");
}

#[test]
fn issues_are_those_of_cleanlab() {
    let (mut compared, mut tied, mut stopped) = (0, 0, 0);
    for case in fixture().cases {
        let given = flags(&case.given);
        let sets = LabelSets::new(&case.probabilities, case.classes, &given).unwrap();
        let issues = set_issues(&sets, &Filter::ALL);
        let scores = class_scores(&sets, Method::SelfConfidence, false);
        let scores = aggregate(&scores, case.classes, Aggregation::default());
        for (by, theirs) in &case.filters {
            let name = format!("{}: {by}", case.name);
            let by = Filter::ALL.into_iter().find(|known| known.name() == by).unwrap();
            let ours: BTreeSet<(usize, usize)> = (0..sets.len())
                .flat_map(|sample| issues.classes_of(by, sample).map(move |class| (sample, class)))
                .collect();
            let mask = issues.samples(by).unwrap();
            let samples: BTreeSet<usize> = (0..mask.len()).filter(|&sample| mask[sample]).collect();
            match &theirs.classes {
                Some(classes) if theirs.tied => {
                    // As many of each class, and others only where their scores are equal.
                    let cell = |(sample, class): &(usize, usize)| {
                        let at = sample * case.classes + class;
                        let own =
                            if given[at] { case.probabilities[at] } else { 1.0 - case.probabilities[at] };
                        (*class, (own * 1e6).round() as u64)
                    };
                    let sorted = |all: &BTreeSet<(usize, usize)>| {
                        let mut all: Vec<_> = all.iter().map(cell).collect();
                        all.sort_unstable();
                        all
                    };
                    assert_eq!(sorted(&ours), sorted(classes), "{name}");
                    tied += 1;
                }
                Some(classes) => assert_eq!(&ours, classes, "{name}"),
                None => stopped += 1,
            }
            if let Some(theirs) = theirs.samples.as_ref().filter(|_| !theirs.tied) {
                assert_eq!(&samples, theirs, "{name}");
                compared += 1;
            }
            if let Some(theirs) = &theirs.ranked {
                let ours = ranked(mask, &scores);
                let of = |order: &[usize]| order.iter().map(|&sample| scores[sample]).collect::<Vec<_>>();
                assert!(close(&of(&ours), &of(theirs)), "{name}: {ours:?}");
            }
        }
    }
    assert!(compared >= 40 && tied >= 2 && stopped >= 7, "{compared} {tied} {stopped}");
}

/// Probabilities of which no two are equal, labels, a number of classes, and another order of the samples.
fn shuffled() -> impl Strategy<Value = (Vec<f64>, Vec<bool>, usize, Vec<usize>)> {
    (1_usize..5, 1_usize..30).prop_flat_map(|(classes, samples)| {
        let cells = classes * samples;
        let numbers: Vec<usize> = (1..=cells).collect();
        let p = Just(numbers).prop_shuffle();
        // Uneven steps: neither complements nor weighted sums of two are equal, of which the order of the samples decides.
        let uneven = |n: usize| n as f64 + 0.3 * (n as f64).sin();
        let p = p.prop_map(move |all| all.iter().map(|n| uneven(*n) / (cells as f64 + 1.37)).collect());
        let order = Just((0..samples).collect::<Vec<usize>>()).prop_shuffle();
        (p, prop::collection::vec(any::<bool>(), cells), Just(classes), order)
    })
}

proptest! {
    #[test]
    fn samples_in_another_order_have_the_same_scores_and_issues((p, given, classes, order) in shuffled()) {
        fn moved<T: Copy>(all: &[T], width: usize, order: &[usize]) -> Vec<T> {
            order.iter().flat_map(|&row| all[row * width..(row + 1) * width].iter().copied()).collect()
        }
        let (other_p, other_given) = (moved(&p, classes, &order), moved(&given, classes, &order));
        let sets = LabelSets::new(&p, classes, &given).unwrap();
        let other = LabelSets::new(&other_p, classes, &other_given).unwrap();
        for (method, adjusted) in [(Method::SelfConfidence, false), (Method::SelfConfidence, true), (Method::ConfidenceWeightedEntropy, false)] {
            let (ours, theirs) = (class_scores(&sets, method, adjusted), class_scores(&other, method, adjusted));
            prop_assert!(close(&moved(&ours, classes, &order), &theirs));
            for by in [Aggregation::default(), Aggregation::SoftMin { temperature: 0.1 }] {
                let ours = aggregate(&ours, classes, by);
                prop_assert!(close(&moved(&ours, 1, &order), &aggregate(&theirs, classes, by)));
            }
        }
        let (ours, theirs) = (set_issues(&sets, &Filter::ALL), set_issues(&other, &Filter::ALL));
        for by in Filter::ALL {
            prop_assert_eq!(moved(ours.samples(by).unwrap(), 1, &order), theirs.samples(by).unwrap(), "{:?}", by);
            for (place, &sample) in order.iter().enumerate() {
                prop_assert!(ours.classes_of(by, sample).eq(theirs.classes_of(by, place)));
            }
        }
    }
}
