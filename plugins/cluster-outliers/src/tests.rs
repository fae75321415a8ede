use super::ClusterOutliers;
use crate::classes::{knee, spread_sample};
use chaffinch_plugin::prelude::*;
use chaffinch_plugin::testing::{MemoryHost, Noise, Outcome};
use proptest::prelude::*;

const DIM: usize = 16;

/// Two classes of `n` samples around two corners each; sample 0 is foreign, sample 1 wears the wrong label.
fn dataset(n: usize) -> MemoryHost {
    heaps(n, 2)
}

fn heaps(n: usize, corners: usize) -> MemoryHost {
    let mut noise = Noise(7);
    let mut data = Vec::new();
    let mut labels = Vec::new();
    for label in 0..2_usize {
        for index in 0..n {
            data.extend(match (label, index) {
                (0, 0) => noise.around(DIM, 9, 0.15),
                (0, 1) => noise.around(DIM, 2, 0.1),
                _ => noise.around(DIM, 2 * label + index % corners, 0.15),
            });
            labels.push(label as u32);
        }
    }
    MemoryHost::new().classes(&["cat", "dog"]).labels(&labels).embeddings(&data, DIM)
}

fn lowest(outcome: &Outcome, count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..outcome.scores.len()).filter(|&s| outcome.scores[s].is_some()).collect();
    order.sort_by(|&a, &b| outcome.scores[a].unwrap().total_cmp(&outcome.scores[b].unwrap()).then(a.cmp(&b)));
    let mut first = order[..count].to_vec();
    first.sort_unstable();
    first
}

#[test]
fn the_foreign_and_the_swapped_stand_out_and_are_told_apart() {
    let outcome = dataset(100).run(&ClusterOutliers);
    assert_eq!(outcome.error, None);
    assert_eq!(lowest(&outcome, 2), [0, 1]);
    let flagged = outcome.flagged(0.5);
    assert!(flagged.contains(&0) && flagged.contains(&1) && flagged.len() <= 8, "{flagged:?}");
    let foreign = outcome.issue(0).unwrap();
    assert_eq!(foreign.reason, "far from everything typical of cat, and of every other class as well");
    assert!(foreign.suggested.is_none() && !foreign.related.is_empty());
    assert_eq!(outcome.issue(1).unwrap().reason, "unlike the other cat samples; it sits with dog");
    assert!(outcome.note("representatives").unwrap().starts_with("cat (100 samples): "));
    assert!(outcome.note("elbow").unwrap().contains("dog: 1: "));
}

#[test]
fn every_reference_finds_the_foreign() {
    for reference in 0..6 {
        let host = heaps(60, 1).texts(|text| {
            let mut vector = vec![0.0; DIM];
            let first = if text.contains("cat") { 0 } else { 2 };
            vector[first] = 1.0;
            Some(vector)
        });
        let outcome = host.param("reference", f64::from(reference)).run(&ClusterOutliers);
        assert_eq!(outcome.error, None, "reference {reference}");
        let found = lowest(&outcome, 2);
        assert_eq!(found, [0, 1], "reference {reference}");
    }
}

#[test]
fn the_text_reference_says_when_there_is_no_text_tower() {
    let outcome = dataset(20).param("reference", 5.0).run(&ClusterOutliers);
    assert_eq!(
        outcome.error.as_deref(),
        Some("the model MemoryHost has no text tower, so it cannot read prompts")
    );
}

#[test]
fn the_threshold_moves_c() {
    let strict = dataset(100).param("c", 3.5).run(&ClusterOutliers);
    let lenient = dataset(100).param("c", 2.5).run(&ClusterOutliers);
    let moved = 1.0 / (1.0 + (2.5_f32 - 3.5).exp());
    assert_eq!(strict.flagged(moved), lenient.flagged(0.5));
}

#[test]
fn both_sides_when_asked() {
    let one = dataset(100).param("reference", 1.0).param("c", 1.5).run(&ClusterOutliers);
    let two =
        dataset(100).param("reference", 1.0).param("c", 1.5).param("two-sided", 1.0).run(&ClusterOutliers);
    assert!(two.flagged(0.5).len() > one.flagged(0.5).len());
}

#[test]
fn a_drawn_sample_finds_the_same() {
    let outcome = dataset(400).param("max-matrix", 100.0).run(&ClusterOutliers);
    assert_eq!(outcome.error, None);
    assert_eq!(lowest(&outcome, 2), [0, 1]);
}

#[test]
fn a_heap_of_foreign_samples_does_not_vouch_for_itself() {
    let mut noise = Noise(3);
    let data: Vec<f32> =
        (0..400).flat_map(|s| noise.around(DIM, if s < 5 { 9 } else { s % 2 }, 0.2)).collect();
    let host = MemoryHost::new().classes(&["cat"]).labels(&[0; 400]).embeddings(&data, DIM);
    let outcome = host.run(&ClusterOutliers);
    assert_eq!(lowest(&outcome, 5), [0, 1, 2, 3, 4]);
    assert!(
        outcome.issue(0).unwrap().reason.starts_with("farther from") || outcome.issue(0).unwrap().score < 0.5
    );
}

#[test]
fn the_elbow_chooses_the_number_of_medoids() {
    let outcome = dataset(100).param("clusters", 0.0).run(&ClusterOutliers);
    let cats = outcome.note("representatives").unwrap().lines().next().unwrap();
    assert_eq!(cats.matches('%').count(), 2, "{cats}");
    assert_eq!(knee(&[1.0, 0.4, 0.3, 0.2, 0.1]), 2);
    assert_eq!(knee(&[1.0]), 1);
    assert_eq!(knee(&[]), 1);
}

#[test]
fn small_classes_and_unlabeled_samples_are_not_judged() {
    let mut noise = Noise(5);
    let data: Vec<f32> = (0..14).flat_map(|s| noise.around(DIM, s % 2, 0.2)).collect();
    let mut labels = vec![0; 10];
    labels.extend([1, 1, 1, NO_LABEL]);
    let host = || MemoryHost::new().classes(&["cat", "dog"]).embeddings(&data, DIM);
    let outcome = host().labels(&labels).run(&ClusterOutliers);
    assert_eq!(outcome.error, None);
    assert!(outcome.scores[..10].iter().all(Option::is_some));
    assert!(outcome.scores[10..].iter().all(Option::is_none));
    let outcome = host().labels(&[NO_LABEL; 14]).run(&ClusterOutliers);
    assert!(outcome.error.unwrap().contains("no class has 4"));
}

#[test]
fn equal_pictures_are_all_fine() {
    let data = [1.0, 0.0].repeat(12);
    let host = MemoryHost::new().classes(&["cat"]).labels(&[0; 12]).embeddings(&data, 2);
    let outcome = host.run(&ClusterOutliers);
    assert!(outcome.flagged(0.5).is_empty());
}

#[test]
fn draws_are_spread_and_repeatable() {
    let ids: Vec<u32> = (0..1000).collect();
    let draw = spread_sample(&ids, 100, 1);
    assert_eq!(draw, spread_sample(&ids, 100, 1));
    assert_ne!(draw, spread_sample(&ids, 100, 2));
    assert!(draw.windows(2).all(|pair| pair[0] < pair[1]));
}

#[test]
fn a_stop_is_obeyed() {
    assert!(dataset(100).stop_after(3).run(&ClusterOutliers).stopped);
}

/// Flags by `similarity < median - c * standard deviation`, computed with NumPy in double precision.
#[test]
#[ignore = "needs the paintings' embeddings beside the repository: cargo test --release -p chaffinch-cluster-outliers -- --ignored"]
fn paintings_are_flagged_by_every_center_as_the_rule_says() {
    let paintings = crate::paintings::Paintings::read();
    let names = |reference: u32, c: f64, two_sided: f64| -> Vec<String> {
        let host = MemoryHost::new().classes(&["painting"]).labels(&[0; 320]);
        let host = host.embeddings(&paintings.embeddings, paintings.dim);
        let host = host.param("reference", f64::from(reference)).param("c", c).param("two-sided", two_sided);
        let outcome = host.run(&ClusterOutliers);
        assert_eq!(outcome.error, None);
        paintings.names_of(outcome.flagged(0.5)).iter().map(|&name| name.to_owned()).collect()
    };
    let known: [(u32, &str, usize); 4] = [
        (1, "0180 0195 0232 0238 0286 0318 0338 0347 0350 0370 0371", 15),
        (2, "0180 0195 0232 0238 0275 0286 0306 0307 0318 0338 0370 0371", 16),
        (3, "0195 0238 0318 0338 0350 0370 0394", 9),
        (4, "0180 0195 0232 0238 0307 0318 0338 0347 0350 0370 0371 0385", 13),
    ];
    for (reference, below, both) in known {
        assert_eq!(names(reference, 2.0, 0.0).join(" "), below, "reference {reference}");
        assert_eq!(names(reference, 2.0, 1.0).len(), both, "reference {reference}");
    }
    let known = ["0238 0318 0338 0370", "0238 0318 0370", "0318 0370", "0238 0318 0338 0370"];
    for (reference, below) in (1..).zip(known) {
        assert_eq!(names(reference, 2.5, 0.0).join(" "), below, "reference {reference}");
    }
}

/// Samples on a coarse grid, so that many are equally far from one another, in the given order.
fn on_a_grid(order: &[usize]) -> MemoryHost {
    let mut noise = Noise(11);
    let rows: Vec<[f32; 4]> = order
        .iter()
        .map(|_| {
            std::array::from_fn(|d| 0.25 + (noise.next() * 2.0).round() + if d == 0 { 2.0 } else { 0.0 })
        })
        .collect();
    let data: Vec<f32> = order.iter().flat_map(|&sample| rows[sample]).collect();
    let labels: Vec<u32> = order.iter().map(|&sample| (sample % 2) as u32).collect();
    let contents: Vec<[u8; 32]> = order
        .iter()
        .map(|&sample| {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&(sample as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes());
            hash
        })
        .collect();
    MemoryHost::new().classes(&["cat", "dog"]).labels(&labels).embeddings(&data, 4).contents(&contents)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_order_of_the_files_changes_nothing(
        order in Just((0..120).collect::<Vec<usize>>()).prop_shuffle(),
        reference in 0_u32..5,
        clusters in 0_u32..7,
        max_matrix in prop::sample::select(vec![20.0, 8000.0]),
    ) {
        let run = |host: MemoryHost| {
            let host = host.param("reference", f64::from(reference)).param("clusters", f64::from(clusters));
            let outcome = host.param("max-matrix", max_matrix).run(&ClusterOutliers);
            assert_eq!(outcome.error, None);
            outcome
        };
        let (plain, shuffled) = (run(on_a_grid(&(0..120).collect::<Vec<_>>())), run(on_a_grid(&order)));
        for (index, &sample) in order.iter().enumerate() {
            prop_assert_eq!(shuffled.scores[index], plain.scores[sample]);
            let reason = |outcome: &Outcome, sample| outcome.issue(sample).map(|issue| issue.reason.clone());
            prop_assert_eq!(reason(&shuffled, index), reason(&plain, sample));
        }
    }
}
