use super::*;
use proptest::prelude::*;
use rand::Rng;

fn histogram(scores: impl Iterator<Item = f32>) -> Vec<u64> {
    let mut samples = vec![0; BINS + 1];
    scores.for_each(|score| samples[((score * BINS as f32) as usize).min(BINS)] += 1);
    samples
}

fn even_scores(count: u32) -> Vec<f32> {
    (0..count).map(|row| (row as f32 + 0.5) / count as f32).collect()
}

fn marked(scores: &[f32], faulty: impl Fn(f32) -> bool) -> Vec<Example> {
    scores.iter().map(|&score| Example { score, faulty: faulty(score) }).collect()
}

#[test]
fn examples_that_a_score_separates_give_the_cut_between_them() {
    let all = even_scores(10_000);
    let samples = histogram(all.iter().copied());
    let some: Vec<f32> = all.iter().copied().step_by(100).collect();
    let found = propose(&samples, &marked(&some, |score| score < 0.3)).unwrap();
    let (last, first) = (0.29, 0.31);
    assert!((last..=first).contains(&found.threshold), "{found:?}");
    assert_eq!((found.faulty, found.fine), (30, 70));
    assert!(found.precision.share > 0.97 && found.recall.share > 0.97, "{found:?}");
    assert!(found.precision.low > 0.8 && found.precision.low < found.precision.high, "{found:?}");
    assert_eq!(found.flagged, (found.threshold * 10_000.0).round() as u64);
}

#[test]
fn of_a_gap_without_samples_the_middle_is_proposed() {
    let samples = histogram([0.1, 0.11, 0.12, 0.13, 0.8, 0.81, 0.82, 0.83].into_iter());
    let found = propose(&samples, &marked(&[0.1, 0.11, 0.12, 0.8, 0.81, 0.82], |score| score < 0.5)).unwrap();
    assert!((0.3..0.7).contains(&found.threshold), "{found:?}");
    assert_eq!(found.flagged, 4);
}

#[test]
fn too_few_examples_propose_nothing_and_few_claim_little() {
    let samples = histogram(even_scores(5_000).into_iter());
    let of = |faulty: usize, fine: usize| {
        let low = (0..faulty).map(|n| 0.05 + n as f32 * 0.1 / faulty as f32);
        let high = (0..fine).map(|n| 0.5 + n as f32 * 0.5 / fine as f32);
        propose(&samples, &marked(&low.chain(high).collect::<Vec<_>>(), |score| score < 0.3))
    };
    assert_eq!((of(2, 50), of(50, 2), of(0, 0)), (None, None, None));
    let few = of(3, 3).unwrap();
    assert!(few.precision.low < 0.8 && few.recall.low < 0.8, "{few:?}");
    let many = of(60, 60).unwrap();
    assert!(many.precision.low > few.precision.low && many.recall.low > few.recall.low, "{few:?} {many:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Examples that turn from fine to faulty never lower the threshold below where all that is faulty lay before.
    #[test]
    fn more_faults_above_never_lower_the_threshold(cut in 0.15_f32..0.5, more in 0.0_f32..0.4) {
        let samples = histogram(even_scores(2_000).into_iter());
        let some: Vec<f32> = even_scores(60);
        let at = |limit: f32| propose(&samples, &marked(&some, |score| score < limit)).unwrap();
        let (before, after) = (at(cut), at(cut + more));
        prop_assert!(after.threshold >= before.threshold - 1e-6, "{before:?} {after:?}");
    }

    #[test]
    fn whatever_was_decided_shares_are_shares(
        decided in proptest::collection::vec((0.0_f32..=1.0, any::<bool>()), 0..40),
    ) {
        let samples = histogram(decided.iter().map(|(score, _)| *score).chain(even_scores(300)));
        let examples: Vec<Example> =
            decided.into_iter().map(|(score, faulty)| Example { score, faulty }).collect();
        if let Some(found) = propose(&samples, &examples) {
            for expected in [found.precision, found.recall] {
                prop_assert!(0.0 <= expected.low && expected.low <= expected.share);
                prop_assert!(expected.share <= expected.high && expected.high <= 1.0);
            }
            prop_assert!((0.0..=1.0).contains(&found.threshold));
            // The order of decisions says nothing.
            let turned: Vec<Example> = examples.iter().rev().copied().collect();
            prop_assert_eq!(propose(&samples, &turned), Some(found));
        }
    }
}

#[test]
fn scores_that_tell_nothing_apart_propose_nothing() {
    // Another detector found the faults: this one is sure that all samples are fine.
    let fine = [1.0; 200];
    let examples: Vec<Example> = (0..23).map(|n| Example { score: 1.0, faulty: n < 18 }).collect();
    assert_eq!(propose(&histogram(fine.into_iter()), &examples), None);
}

/// Simulated reviews: the worst sixty of a detector and forty others at random are decided. What is expected at the proposed
/// threshold is compared with what is the case there.
#[test]
fn the_intervals_contain_what_is_the_case() {
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let (mut precision, mut recall, reviews) = (0, 0, 60);
    for _ in 0..reviews {
        let (middle, slope) = (random.random_range(0.1..0.5), random.random_range(8.0..40.0));
        let all: Vec<Example> = (0..2_000)
            .map(|_| {
                let score: f64 = random.random();
                let share = 1.0 / (1.0 + (slope * (score - middle)).exp());
                Example { score: score as f32, faulty: random.random::<f64>() < share }
            })
            .collect();
        let mut order = all.clone();
        order.sort_unstable_by(|a, b| a.score.total_cmp(&b.score));
        let mut decided: Vec<Example> = order.iter().copied().take(60).collect();
        decided.extend((0..40).map(|_| order[random.random_range(60..order.len())]));
        let samples = histogram(all.iter().map(|example| example.score));
        let Some(found) = propose(&samples, &decided) else { continue };
        let below = |example: &&Example| example.score < found.threshold;
        let faulty = all.iter().filter(|example| example.faulty).count() as f32;
        let hit = all.iter().filter(below).filter(|example| example.faulty).count() as f32;
        let flagged = all.iter().filter(below).count() as f32;
        let within = |expected: Expected, real: f32| (expected.low..=expected.high).contains(&real);
        precision += usize::from(within(found.precision, hit / flagged));
        recall += usize::from(within(found.recall, hit / faulty));
    }
    println!(
        "of {reviews} reviews the interval of the precision held in {precision}, of the recall in {recall}"
    );
    assert!(precision * 100 >= 90 * reviews && recall * 100 >= 90 * reviews, "{precision} {recall}");
}
