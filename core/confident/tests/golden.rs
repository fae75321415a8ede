//! Equality with cleanlab 2.9.0 on edge cases it was run on itself: ties, saturated probabilities, classes that
//! no sample has. `cleanlab-golden.json.gz` holds the cases with what cleanlab said of each.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_confident::{ConfidentJoint, Filter, InputError, Method, Table, filter, scores, thresholds};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    k: usize,
    labels: Vec<u32>,
    /// Filled from the text by [`numbers`].
    #[serde(skip)]
    flat: Vec<f64>,
    thresholds: Vec<f64>,
    cj_raw: Vec<Vec<i64>>,
    cj_cal: Vec<Vec<i64>>,
    #[serde(default)]
    masks: BTreeMap<String, BTreeSet<usize>>,
    #[serde(default)]
    scores: BTreeMap<String, Vec<Option<f64>>>,
    num_label_issues_calibrated: Option<usize>,
    tie_sensitive: Option<Vec<String>>,
    error: Option<String>,
}

fn cases() -> Vec<Case> {
    let packed = include_bytes!("cleanlab-golden.json.gz");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
    let mut golden: Golden = serde_json::from_str(&text).unwrap();
    assert_eq!(golden.cases.len(), 90);
    for case in &mut golden.cases {
        case.flat = numbers(&text, &case.name);
    }
    golden.cases
}

/// The probabilities of a case, to the last bit: serde_json rounds some numbers to their neighbors, and that
/// decides between equal margins.
fn numbers(text: &str, name: &str) -> Vec<f64> {
    let from = text.find(&format!("\"name\": \"{name}\"")).unwrap();
    let (_, rest) = text[from..].split_once("\"pred_probs\": ").unwrap();
    let (rows, _) = rest.split_once("]]").unwrap();
    let words = rows.split([',', '[', ']', ' ', '\n']).filter(|word| !word.is_empty());
    words.map(|word| if word == "null" { f64::NAN } else { word.parse().unwrap() }).collect()
}

fn close(ours: f64, theirs: f64) -> bool {
    (ours - theirs).abs() < 1e-9
}

/// Whether another sample stands equal to this one in what the filter orders by: then either may be named.
fn tied(table: &Table<'_, f64>, by: Filter, sample: usize) -> bool {
    let (own, label) = (table.row(sample), table.labels()[sample] as usize);
    let others = (0..table.len()).filter(|&other| other != sample);
    let same_class = others.clone().filter(|&other| table.labels()[other] as usize == label);
    let method = match by {
        Filter::LowNormalizedMargin => Method::NormalizedMargin,
        _ => Method::SelfConfidence,
    };
    let scores = scores(table, method, false);
    let scored = |other: usize| close(scores[other], scores[sample]);
    let margins = |other: usize| {
        let row = table.row(other);
        let margin = |row: &[f64], class: usize| row[class] - row[label];
        (0..table.classes()).any(|class| class != label && close(margin(row, class), margin(own, class)))
    };
    match by {
        Filter::LowNormalizedMargin | Filter::LowSelfConfidence => others.clone().any(scored),
        Filter::PruneByClass => same_class.clone().any(scored),
        Filter::PruneByNoiseRate => same_class.clone().any(margins),
        _ => same_class.clone().any(|other| scored(other) || margins(other)),
    }
}

/// Entropy over that of a uniform row, over the probability of the label.
fn x_of(row: &[f64], label: usize) -> f64 {
    let entropy: f64 = row.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum();
    (entropy / (row.len() as f64).ln()).max(0.0) / row[label].max(1e-6)
}

#[test]
fn equals_cleanlab() {
    let (mut compared, mut mended) = (0, 0);
    for case in cases() {
        let name = &case.name;
        let flat = &case.flat;
        if name == "nan" {
            // cleanlab lets NaN pass; here it is refused.
            assert!(matches!(Table::new(flat, case.k, &case.labels), Err(InputError::Probability { .. })));
            continue;
        }
        let table = Table::new(flat, case.k, &case.labels).unwrap();
        let joint = ConfidentJoint::new(&table);
        assert!(thresholds(&table).iter().zip(&case.thresholds).all(|(a, b)| close(*a, *b)), "{name}");
        assert_eq!(joint.raw(), case.cj_raw.concat(), "{name}: counts");
        assert_eq!(joint.calibrated(), case.cj_cal.concat(), "{name}: calibrated counts");
        if case.error.is_some() {
            assert!(Filter::ALL.iter().all(|&by| filter(&table, by) == Err(InputError::OneClass)), "{name}");
            continue;
        }
        assert_eq!(Some(joint.estimated_issues()), case.num_label_issues_calibrated, "{name}");
        let sensitive = case.tie_sensitive.unwrap_or_default();
        for by in Filter::ALL.into_iter().filter(|by| *by != Filter::FollowsQuality) {
            let ours: BTreeSet<usize> =
                filter(&table, by).unwrap().iter().enumerate().filter(|(_, m)| **m).map(|(i, _)| i).collect();
            let theirs = &case.masks[by.name()];
            if sensitive.iter().any(|known| known == by.name()) {
                let differing: Vec<usize> = ours.symmetric_difference(theirs).copied().collect();
                assert!(differing.len() <= 2, "{name}: {}: {differing:?}", by.name());
                for sample in differing {
                    assert!(tied(&table, by, sample), "{name}: {}: sample {sample}", by.name());
                }
            } else {
                assert_eq!(&ours, theirs, "{name}: {}", by.name());
            }
        }
        for method in Method::ALL {
            for adjusted in [false, true] {
                let key = format!("{}{}", method.name(), if adjusted { "_adj" } else { "" });
                let Some(theirs) = case.scores.get(&key) else { continue };
                for (sample, (ours, theirs)) in
                    scores(&table, method, adjusted).iter().zip(theirs).enumerate()
                {
                    let theirs = theirs.unwrap();
                    // The one difference on purpose: where almost all probability lies in one class, cleanlab
                    // divides by 1e-6 instead of x, and a perfect sample becomes the worst.
                    let row = &flat[sample * case.k..(sample + 1) * case.k];
                    let x = x_of(row, case.labels[sample] as usize);
                    let expected = if method == Method::ConfidenceWeightedEntropy && x < 1e-6 {
                        assert!(close(theirs, x.ln_1p() / 1e-6), "{name}: {sample}: {theirs}");
                        mended += 1;
                        if row[case.labels[sample] as usize] > 0.5 { 1.0 - x / 2.0 } else { 0.0 }
                    } else {
                        theirs
                    };
                    assert!(close(*ours, expected), "{name}: {key} of {sample}: {ours} {theirs}");
                }
            }
        }
        compared += 1;
    }
    // Of the 90 one has NaN, and one a single class.
    assert_eq!(compared, 88);
    assert_eq!(mended, 24, "saturated entropy scores that differ as they should");
}
