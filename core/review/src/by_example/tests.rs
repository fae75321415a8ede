use super::*;
use crate::covered::in_random_order;
use chaffinch_protocol::Expected;
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Scores, what is true, and what was decided.
struct Review {
    scores: Vec<f32>,
    faulty: Vec<bool>,
    answers: Vec<Option<Answer>>,
    /// The order of the ensemble, which may know more than the detector.
    suspects: Vec<u32>,
}

impl Review {
    fn new(scores: Vec<f32>, faulty: impl Fn(usize, f32) -> bool) -> Review {
        let faulty: Vec<bool> = scores.iter().enumerate().map(|(row, &score)| faulty(row, score)).collect();
        let suspects = worst_first(&scores);
        Review { answers: vec![None; scores.len()], faulty, suspects, scores }
    }

    fn even(count: u32, limit: f32) -> Review {
        Review::new((0..count).map(|row| (row as f32 + 0.5) / count as f32).collect(), |_, score| {
            score < limit
        })
    }

    fn decide(&mut self, rows: impl IntoIterator<Item = u32>) {
        for row in rows {
            let bad = self.faulty[row as usize];
            self.answers[row as usize] = Some(if bad { Answer::Bad } else { Answer::Fine });
        }
    }

    fn worst(mut self, count: usize) -> Review {
        let rows: Vec<u32> = self.suspects.iter().copied().take(count).collect();
        self.decide(rows);
        self
    }

    fn random(mut self, count: usize) -> Review {
        self.decide(in_random_order(self.scores.len()).into_iter().take(count));
        self
    }

    fn outcome(&self) -> Outcome {
        let example = |row: usize| {
            Some(Example { score: self.scores[row], faulty: super::faulty(self.answers[row]?)? })
        };
        let examples: Vec<Example> = (0..self.scores.len()).filter_map(example).collect();
        let Review { scores, answers, suspects, .. } = self;
        Reviewed { scores, answers, said: answers, suspects }.propose(&examples)
    }

    fn proposal(&self) -> Proposal {
        match self.outcome() {
            Outcome::Proposed(proposal) => proposal,
            other => panic!("{other:?}"),
        }
    }

    /// What is the case at a threshold: precision and recall.
    fn truth(&self, threshold: f32) -> (f32, f32) {
        let below = |row: &usize| self.scores[*row] < threshold;
        let flagged = (0..self.scores.len()).filter(below).count();
        let hits = (0..self.scores.len()).filter(below).filter(|&row| self.faulty[row]).count();
        let faulty = self.faulty.iter().filter(|faulty| **faulty).count();
        (hits as f32 / flagged as f32, hits as f32 / faulty as f32)
    }
}

/// The worst quarter, worst first.
fn worst_first(scores: &[f32]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..scores.len() as u32).collect();
    order.sort_by(|&a, &b| scores[a as usize].total_cmp(&scores[b as usize]));
    order.truncate(scores.len() / 4);
    order
}

fn holds(expected: Expected, real: f32) -> bool {
    (expected.low - 1e-6..=expected.high + 1e-6).contains(&real)
}

#[test]
fn a_random_sample_that_a_score_separates_gives_the_cut() {
    let mut review = Review::even(10_000, 0.3).random(200);
    let found = review.proposal();
    assert!((0.27..=0.33).contains(&found.threshold), "{found:?}");
    assert_eq!(found.faulty + found.fine, 200);
    let recall = found.recall.unwrap();
    assert!(found.precision.share > 0.9 && recall.share > 0.9, "{found:?}");
    assert!(found.precision.low > 0.75 && found.precision.low < found.precision.high, "{found:?}");
    assert_eq!(found.flagged, (found.threshold * 10_000.0).round() as u64);
    // Unsure ones widen both.
    let unsure = review.answers.iter().position(|answer| *answer == Some(Answer::Bad)).unwrap();
    review.answers[unsure] = Some(Answer::Unsure);
    let wider = review.proposal();
    assert!(wider.precision.low <= found.precision.low + 0.01, "{found:?} {wider:?}");
}

/// The worst of a list are no sample of what comes after them.
#[test]
fn past_the_worst_nothing_is_proposed_and_recall_is_not_known() {
    let first = |row: usize, _: f32| row < 46 || row.is_multiple_of(10);
    let review = Review::new(Review::even(2_000, 0.0).scores, first).worst(50);
    let found = review.proposal();
    assert!(found.flagged <= 50 && found.recall.is_none(), "{found:?}");
    assert_eq!(found.reach, Some(0.025), "as far as the decisions go");
    let (precision, _) = review.truth(found.threshold);
    assert_eq!(found.precision, Expected { share: precision, low: precision, high: precision });
    // With a random sample there is more to say, and other thresholds to propose.
    let more = review.random(100).proposal();
    assert!(more.recall.is_some() && more.reach.is_none(), "{more:?}");
}

#[test]
fn decisions_strewn_by_hand_cover_nothing() {
    let mut review = Review::even(5_000, 0.3);
    review.decide([300, 700, 1_100, 2_000, 3_000, 4_000]);
    assert_eq!(review.outcome(), Outcome::Uncovered);
}

#[test]
fn where_all_is_decided_all_is_known() {
    let review = Review::even(500, 0.4).random(500);
    let found = review.proposal();
    let all = Expected { share: 1.0, low: 1.0, high: 1.0 };
    assert_eq!((found.precision, found.recall), (all, Some(all)));
    assert!((0.399..=0.401).contains(&found.threshold), "{found:?}");
}

#[test]
fn too_few_examples_propose_nothing_and_few_claim_little() {
    assert_eq!(Review::even(5_000, 0.3).outcome(), Outcome::Few);
    assert_eq!(Review::even(5_000, 0.3).worst(50).outcome(), Outcome::Few);
    let (few, many) =
        (Review::even(5_000, 0.3).random(25).proposal(), Review::even(5_000, 0.3).random(200).proposal());
    assert!(many.precision.low > few.precision.low, "{few:?} {many:?}");
    assert!(many.recall.unwrap().low > few.recall.unwrap().low, "{few:?} {many:?}");
}

#[test]
fn scores_that_tell_nothing_apart_propose_nothing() {
    // Another detector found the faults: this one is sure that all samples are fine.
    let mut review = Review::new(vec![1.0; 200], |row, _| row < 18);
    review.decide(0..23);
    assert_eq!(review.outcome(), Outcome::Alike);
    assert_eq!(review.random(100).outcome(), Outcome::Alike);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_was_decided_shares_are_shares(
        decided in proptest::collection::vec((0_u32..300, any::<bool>(), any::<bool>()), 0..80),
        random in 0_usize..60,
    ) {
        let mut review = Review::even(300, 0.2).random(random);
        for (row, bad, unsure) in decided {
            let answer = if bad { Answer::Bad } else { Answer::Fine };
            review.answers[row as usize] = Some(if unsure { Answer::Unsure } else { answer });
        }
        if let Outcome::Proposed(found) = review.outcome() {
            for expected in [Some(found.precision), found.recall].into_iter().flatten() {
                prop_assert!(0.0 <= expected.low && expected.low <= expected.share, "{found:?}");
                prop_assert!(expected.share <= expected.high && expected.high <= 1.0, "{found:?}");
            }
            prop_assert!((0.0..=1.0).contains(&found.threshold));
        }
    }
}

/// A dataset of so many samples, some of them faulty, with a detector that is more or less `able`, and an ensemble that knows `more`
/// than it.
fn world((samples, number): (usize, usize), able: f64, more: f64, random: &mut ChaCha8Rng) -> Review {
    let mut normal = || {
        (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt()
            * (std::f64::consts::TAU * random.random::<f64>()).cos()
    };
    let rows: Vec<(f64, f64, f64)> = (0..samples).map(|_| (normal(), normal(), normal())).collect();
    let mut by_chance: Vec<usize> = (0..samples).collect();
    by_chance.sort_by(|&a, &b| rows[a].0.total_cmp(&rows[b].0));
    let mut faulty = vec![false; samples];
    by_chance[..number].iter().for_each(|&row| faulty[row] = true);
    let doubt = |row: usize| rows[row].1 - if faulty[row] { able } else { 0.0 };
    let scores: Vec<f32> = (0..samples).map(|row| (1.0 / (1.0 + (-doubt(row)).exp())) as f32).collect();
    let all: Vec<f32> = (0..samples)
        .map(|row| (doubt(row) + rows[row].2 - if faulty[row] { more } else { 0.0 }) as f32)
        .collect();
    let suspects = if more > 0.0 { worst_first(&all) } else { worst_first(&scores) };
    Review { suspects, ..Review::new(scores, |row, _| faulty[row]) }
}

/// In how many of so many reviews intervals hold, of how many that are said: of the precision, and of the recall.
fn coverage(
    set: (usize, usize),
    (worst, drawn, more): (usize, usize, f64),
    reviews: usize,
) -> [(usize, usize); 2] {
    let mut random = ChaCha8Rng::seed_from_u64(21);
    let mut held = [(0, 0); 2];
    for review in 0..reviews {
        let able = [0.0, 0.7, 1.5, 3.0][review % 4];
        let review = world(set, able, more, &mut random).worst(worst).random(drawn);
        let Outcome::Proposed(found) = review.outcome() else { continue };
        let (precision, recall) = review.truth(found.threshold);
        let said = [(Some(found.precision), precision), (found.recall, recall)];
        for (held, (expected, real)) in held.iter_mut().zip(said) {
            held.0 += usize::from(expected.is_some_and(|expected| holds(expected, real)));
            held.1 += usize::from(expected.is_some());
        }
    }
    println!("{set:?}: {worst} worst, {drawn} random, an ensemble that knows {more} more: {held:?}");
    held
}

/// A hundred simulated reviews of each kind: suspects worst first, of the detector itself or of an ensemble that knows more; in random
/// order; and both, of a large set and of a small one, where most of the worst are decided and few random ones are below a threshold.
#[test]
fn the_intervals_hold_however_the_reviewed_were_chosen() {
    let (large, small) = ((2_000, 200), (300, 45));
    let plans = [
        (large, (50, 0, 0.0)),
        (large, (200, 0, 0.0)),
        (large, (50, 0, 2.0)),
        (large, (200, 0, 2.0)),
        (large, (0, 50, 0.0)),
        (large, (0, 200, 0.0)),
        (large, (50, 50, 0.0)),
        (large, (50, 100, 2.0)),
        (small, (20, 30, 0.0)),
        (small, (20, 30, 2.0)),
        (small, (20, 60, 0.0)),
        (small, (20, 60, 2.0)),
        (small, (75, 120, 2.0)),
    ];
    let mut held = [(0, 0); 2];
    for (set, plan) in plans {
        for ((all, (inside, said)), least) in held.iter_mut().zip(coverage(set, plan, 100)).zip([93, 88]) {
            assert!(inside * 100 >= least * said, "{set:?} {plan:?}: {inside} of {said}");
            *all = (all.0 + inside, all.1 + said);
        }
    }
    let [(precision, proposed), (recall, known)] = held;
    println!("all: {held:?}");
    assert!(proposed >= 1_000 && known >= 600, "{held:?}");
    assert!(precision * 100 >= 96 * proposed && recall * 100 >= 93 * known, "{held:?}");
}

/// The worst are decided, and few of the random sample lie between them and the threshold.
#[test]
fn what_is_open_below_a_threshold_widens_its_precision() {
    // Of forty faulty ones with low scores ten are open, and all others are plainly fine.
    let scores = (0..300).map(|row| if row < 40 { 0.001 * row as f32 } else { 0.6 + 0.001 * row as f32 });
    let mut review = Review::new(scores.collect(), |row, _| row < 40);
    let low: Vec<u32> = in_random_order(300).into_iter().filter(|row| *row < 40).collect();
    // Those that the random order would come to last.
    review.decide(low[..30].iter().copied());
    let last = in_random_order(300).into_iter().position(|row| row == low[30]).unwrap();
    review.decide(in_random_order(300).into_iter().take(last));
    let found = review.proposal();
    let flagged = found.flagged as f32;
    assert!(flagged >= 30.0 && found.precision.high >= 40.0 / flagged - 1e-3, "{found:?}");
    let (precision, _) = review.truth(found.threshold);
    assert!(holds(found.precision, precision), "{precision} {found:?}");
}

/// The reviewer removes the member of a pair that the detector would keep.
#[test]
fn of_a_group_as_many_are_faulty_as_were_removed() {
    use chaffinch_data::columns::ResultBuilder;
    use chaffinch_data::issue::{Issue, RunRecord};
    let said = |answers: [Option<Answer>; 5]| {
        let mut builder = ResultBuilder::new(5);
        let scores = [0.7, 0.1, 0.3, 0.9, 1.0];
        builder.scores(&scores);
        for (row, group) in [(0, 0), (1, 0), (2, 1), (3, 1)] {
            let issue = Issue { score: scores[row as usize], group: Some(group), ..Issue::default() };
            builder.issue(SampleId(row), issue);
        }
        let record = RunRecord { name: "pairs".into(), groups: true, ..RunRecord::default() };
        super::said(&builder.finish(record, &[]), &answers)
    };
    let (bad, fine) = (Some(Answer::Bad), Some(Answer::Fine));
    assert_eq!(said([bad, fine, None, None, bad]), [fine, bad, None, None, bad]);
    assert_eq!(said([bad, None, bad, bad, None]), [fine, bad, bad, bad, None]);
    assert_eq!(said([fine, None, None, fine, None]), [fine, None, None, fine, None], "the others are open");
    let unsure = Some(Answer::Unsure);
    assert_eq!(said([unsure, None, None, bad, None]), [unsure, None, bad, fine, None]);
}
