use crate::outliers::Fence;
use crate::{NeighborLabels, NeighborOutliers};
use chaffinch_plugin::prelude::*;
use chaffinch_plugin::testing::{MemoryHost, Noise};

const DIM: usize = 12;

/// Forty samples around two corners; the last lies in a corner of its own.
fn dataset() -> MemoryHost {
    let mut noise = Noise(5);
    let data: Vec<f32> =
        (0..40).flat_map(|s| noise.around(DIM, if s == 39 { 9 } else { s % 2 }, 0.1)).collect();
    let labels: Vec<u32> = (0..40).map(|sample| sample % 2).collect();
    MemoryHost::new().classes(&["cat", "dog"]).labels(&labels).embeddings(&data, DIM)
}

#[test]
fn what_lies_apart_is_flagged_and_says_how_far() {
    let outcome = dataset().run(&NeighborOutliers);
    assert_eq!(outcome.error, None);
    let flagged = outcome.flagged(0.5);
    assert!(flagged.contains(&39) && flagged.len() <= 2, "{flagged:?}");
    assert!(outcome.scores[..39].iter().all(|score| *score > outcome.scores[39]));
    let issue = outcome.issue(39).unwrap();
    assert!(
        issue.reason.starts_with("apart from everything else: its nearest pictures are "),
        "{}",
        issue.reason
    );
    assert_eq!(issue.related.len(), 6);
    assert!(outcome.note("fence").unwrap().ends_with(" of 40 samples beyond it"));
}

#[test]
fn the_threshold_moves_c() {
    let (wide, narrow) = (dataset().run(&NeighborOutliers), dataset().param("c", 0.2).run(&NeighborOutliers));
    let moved = 1.0 / (1.0 + (0.2_f32 - 1.7).exp());
    assert_eq!(wide.flagged(moved), narrow.flagged(0.5));
    assert!(narrow.flagged(0.5).len() > 1);
}

#[test]
fn the_fence_is_tukeys() {
    let fence = Fence::new([4.0, 1.0, 2.0, 3.0, 5.0].into_iter(), 1.7).unwrap();
    assert_eq!((fence.first, fence.median, fence.third), (2.0, 3.0, 4.0));
    assert!((fence.limit() - 7.4).abs() < 1e-12);
    assert!((fence.score(7.4) - 0.5).abs() < 1e-6 && fence.score(7.5) < 0.5);
    assert_eq!(Fence::new(std::iter::empty(), 1.7), None);
}

#[test]
fn equal_pictures_are_no_outliers() {
    let host = MemoryHost::new().embeddings(&[1.0, 0.0].repeat(8), 2);
    assert!(host.run(&NeighborOutliers).flagged(0.5).is_empty());
}

#[test]
fn undecodable_and_lonely_samples_have_no_score() {
    let host = || MemoryHost::new().embeddings(&[1.0, 0.0, 0.9, 0.1, 0.5, 0.5], 2);
    let outcome = host().decodable(&[true, false, true]).run(&NeighborOutliers);
    assert_eq!(outcome.error, None);
    assert!(outcome.scores[0].is_some() && outcome.scores[1].is_none());
    let alone = host().decodable(&[true, false, false]).run(&NeighborOutliers);
    assert!(alone.error.unwrap().contains("fewer than two images"));
}

#[test]
fn a_wrong_label_among_right_ones_is_flagged_and_the_right_one_suggested() {
    let mut labels: Vec<u32> = (0..40).map(|sample| sample % 2).collect();
    (labels[4], labels[6]) = (1, NO_LABEL);
    let outcome = dataset().labels(&labels).param("neighbors", 10.0).run(&NeighborLabels);
    assert_eq!(outcome.error, None);
    let flagged = outcome.flagged(0.12);
    assert!(flagged.contains(&4) && flagged.iter().all(|sample| [4, 39].contains(sample)), "{flagged:?}");
    let issue = outcome.issue(4).unwrap();
    assert_eq!(issue.suggested, Some(0));
    assert!(issue.reason.starts_with("none of its 10 nearest pictures is labeled dog, "), "{}", issue.reason);
    assert!(issue.related.iter().all(|&(other, _)| labels[other] == 0));
    assert_eq!(outcome.scores[6], None, "what has no label is not judged");
}

#[test]
fn pictures_that_are_all_the_same_have_no_nearest_ones() {
    let labels: Vec<u32> = (0..40).map(|sample| sample % 2).collect();
    let host =
        || MemoryHost::new().classes(&["cat", "dog"]).labels(&labels).embeddings(&[0.6, 0.8].repeat(40), 2);
    for outcome in [host().run(&NeighborLabels), host().run(&NeighborOutliers)] {
        let error = outcome.error.unwrap();
        assert!(error.contains("the embeddings of all pictures are the same"), "{error}");
    }
    // Two pictures, each many times, do differ.
    let two = MemoryHost::new().embeddings(&[[0.6, 0.8].repeat(20), [0.8, 0.6].repeat(20)].concat(), 2);
    assert_eq!(two.classes(&["cat", "dog"]).labels(&labels).run(&NeighborLabels).error, None);
}

/// A reason is one to doubt the label, wherever the threshold is.
#[test]
fn what_speaks_for_the_label_is_no_reason() {
    let mut labels: Vec<u32> = (0..40).map(|sample| sample % 2).collect();
    (0..8).for_each(|sample| labels[sample] = 1 - labels[sample]);
    let outcome = dataset().labels(&labels).param("neighbors", 10.0).run(&NeighborLabels);
    assert_eq!(outcome.error, None);
    let reasons: Vec<String> =
        (0..40).filter_map(|sample| Some(outcome.issue(sample)?.reason.clone())).collect();
    assert!(reasons.iter().any(|reason| reason.starts_with("only ")), "{reasons:?}");
    assert!(
        reasons.iter().all(|reason| reason.starts_with("only ") || reason.starts_with("none ")),
        "{reasons:?}"
    );
}

#[test]
fn without_labels_it_says_so() {
    let outcome = dataset().labels(&[NO_LABEL; 40]).run(&NeighborLabels);
    assert!(outcome.error.unwrap().contains("nothing to compare"));
}

#[test]
fn a_stop_is_obeyed() {
    assert!(dataset().stop_after(0).run(&NeighborLabels).stopped);
}

/// cleanlab 2.9.0's Datalab on the same features: one outlier, the next three, and the distance from which on it
/// flags.
#[test]
#[ignore = "needs the paintings' embeddings beside the repository: cargo test --release -p chaffinch-neighbor-outliers -- --ignored"]
fn paintings_have_the_outlier_that_datalab_finds() {
    let paintings = crate::paintings::Paintings::read();
    let outcome = MemoryHost::new().embeddings(&paintings.embeddings, paintings.dim).run(&NeighborOutliers);
    assert_eq!(outcome.error, None);
    assert_eq!(paintings.names_of(outcome.flagged(0.5)), ["0370"]);
    let fence = outcome.note("fence").unwrap();
    let number = |word: &str| -> f64 {
        let rest = fence.split_once(word).unwrap().1;
        rest.split([',', ';', ' ']).next().unwrap().parse().unwrap()
    };
    assert!((number(", fence ") - 0.334_900).abs() < 1e-4, "{fence}");
    // Datalab's own score is exp(-distance / median); its distances come back from ours.
    let (median, limit) = (number("median "), number(", fence "));
    let range = limit - number(" and ");
    let datalab = |sample: usize| {
        let score = f64::from(outcome.scores[sample].unwrap());
        let distance = limit + (1.0 / score - 1.0).ln() * range / 1.7;
        (-distance / median).exp()
    };
    let mut worst: Vec<usize> = (0..320).collect();
    worst.sort_by(|&a, &b| outcome.scores[a].unwrap().total_cmp(&outcome.scores[b].unwrap()));
    for (&sample, (name, score)) in
        worst.iter().zip([("0370", 0.200_974), ("0232", 0.258_307), ("0228", 0.263_679)])
    {
        assert_eq!(paintings.names[sample], name);
        assert!((datalab(sample) - score).abs() < 1e-4, "{name}: {}", datalab(sample));
    }
}

#[test]
fn a_drawn_part_finds_the_same_outlier() {
    let mut noise = Noise(8);
    let data: Vec<f32> =
        (0..600).flat_map(|s| noise.around(DIM, if s == 77 { 9 } else { s % 2 }, 0.1)).collect();
    let labels: Vec<u32> = (0..600).map(|sample| if sample == 50 { 1 } else { sample % 2 }).collect();
    let host = || {
        let host = MemoryHost::new().classes(&["cat", "dog"]).labels(&labels).embeddings(&data, DIM);
        host.param("references", 150.0)
    };
    let worst = |scores: &[Option<f32>]| {
        (0..600).min_by(|&a, &b| scores[a].unwrap().total_cmp(&scores[b].unwrap())).unwrap()
    };
    let outcome = host().run(&NeighborOutliers);
    assert_eq!(outcome.error, None);
    assert_eq!(worst(&outcome.scores), 77);
    let related = &outcome.issue(77).unwrap().related;
    assert!(related.len() == 6 && related.windows(2).all(|pair| pair[0].1 >= pair[1].1), "{related:?}");
    let labels = host().param("neighbors", 10.0).run(&NeighborLabels);
    assert!(labels.flagged(0.12).contains(&50));
    assert_eq!(outcome.scores, host().run(&NeighborOutliers).scores);
}

#[test]
fn classes_of_one_or_two_are_not_judged() {
    let names: Vec<String> =
        ["cat", "dog"].map(str::to_owned).into_iter().chain((0..30).map(|n| format!("solo{n}"))).collect();
    let labels: Vec<u32> = (0..40).map(|s| if s < 30 { s + 2 } else { s % 2 }).collect();
    let outcome = dataset().classes(&names).labels(&labels).param("neighbors", 10.0).run(&NeighborLabels);
    assert_eq!(outcome.error, None);
    assert!(outcome.scores[..30].iter().all(|score| score.is_none()), "{:?}", outcome.scores);
    assert!(outcome.scores[30..].iter().all(|score| score.is_some()));
    let note = outcome.note("classes too small to judge").unwrap();
    assert!(note.starts_with("solo0\nsolo1\n") && note.ends_with("\nand 10 more"), "{note}");
}
