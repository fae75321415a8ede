use super::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A dataset as a reviewer sees it, and what is true.
struct World {
    bad: Vec<bool>,
    suspect: Vec<bool>,
}

impl World {
    /// `rate` of the samples are bad; suspects have most of them.
    fn new(samples: usize, rate: f64, random: &mut ChaCha8Rng) -> World {
        let bad: Vec<bool> = (0..samples).map(|_| random.random_bool(rate)).collect();
        let suspect = bad.iter().map(|&bad| random.random_bool(if bad { 0.6 } else { 0.05 })).collect();
        World { bad, suspect }
    }

    fn answer(&self, row: usize) -> Option<Answer> {
        Some(if self.bad[row] { Answer::Bad } else { Answer::Fine })
    }

    /// The decisions after a share of the suspects in manifest order, and then so many of the random order.
    fn reviewed(&self, share: f64, drawn: usize) -> Vec<Option<Answer>> {
        let mut answers = vec![None; self.bad.len()];
        let suspects: Vec<usize> = (0..self.bad.len()).filter(|&row| self.suspect[row]).collect();
        for &row in &suspects[..(share * suspects.len() as f64) as usize] {
            answers[row] = self.answer(row);
        }
        for row in in_random_order(self.bad.len()).into_iter().take(drawn) {
            answers[row as usize] = self.answer(row as usize);
        }
        answers
    }

    fn left(&self, answers: &[Option<Answer>]) -> f64 {
        (0..self.bad.len()).filter(|&row| self.bad[row] && answers[row].is_none()).count() as f64
    }
}

#[test]
fn intervals_hold_what_is_left_as_often_as_they_say() {
    let mut random = ChaCha8Rng::seed_from_u64(17);
    let (mut covered, mut all) = (0, 0);
    for rate in [0.03, 0.1, 0.25, 0.4] {
        for (share, drawn) in [(0.0, 200), (1.0, 200), (0.5, 300), (1.0, 400)] {
            for _ in 0..125 {
                let world = World::new(2000, rate, &mut random);
                let answers = world.reviewed(share, drawn);
                let (found, _) = of(&answers, &world.suspect);
                let left = found.left.unwrap();
                let truth = world.left(&answers);
                assert!(left.low <= left.number && left.number <= left.high, "{found:?}");
                covered += usize::from(left.low <= truth && truth <= left.high);
                all += 1;
            }
        }
    }
    let share = f64::from(covered as u32) / f64::from(all);
    assert_eq!(all, 2000);
    assert!((0.93..=0.97).contains(&share), "{share}");
}

#[test]
fn what_is_not_known_is_not_said() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let world = World::new(500, 0.1, &mut random);
    // Nothing decided, or suspects alone, which are no random sample.
    for share in [0.0, 0.5, 1.0] {
        let (found, _) = of(&world.reviewed(share, 0), &world.suspect);
        assert_eq!(found.left, None, "{found:?}");
        assert!(found.sampled < LEAST_DRAWN);
    }
    // Everything decided: nothing is left, surely.
    let (all, _) = of(&world.reviewed(0.0, 500), &world.suspect);
    assert_eq!((all.undecided, all.left), (0, Some(Estimate::default())));
    assert_eq!(all.found, world.bad.iter().filter(|bad| **bad).count());
    let (none, _) = of(&[], &[]);
    assert_eq!(none.left, Some(Estimate::default()));
}

#[test]
fn unsure_decisions_widen_the_interval() {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let world = World::new(1000, 0.05, &mut random);
    let mut answers = world.reviewed(1.0, 200);
    let sure = of(&answers, &world.suspect).0.left.unwrap();
    let others = in_random_order(1000).into_iter().filter(|&row| !world.suspect[row as usize]);
    others.take(20).for_each(|row| answers[row as usize] = Some(Answer::Unsure));
    let unsure = of(&answers, &world.suspect).0.left.unwrap();
    assert!(unsure.high > sure.high && unsure.low <= sure.low, "{sure:?} {unsure:?}");
}

#[test]
fn the_goal_is_reached_by_reviewing_as_many_as_it_says() {
    let mut random = ChaCha8Rng::seed_from_u64(8);
    let world = World::new(5000, 0.02, &mut random);
    let (before, parts) = of(&world.reviewed(1.0, 100), &world.suspect);
    let left = before.left.unwrap();
    let goal = goal(&parts, left, 5000).unwrap();
    let high = left.high / 5000.0;
    assert!(goal.share < high && goal.reviews > 0, "{before:?}");
    // Twice that, as the share found may differ.
    let (after, _) = of(&world.reviewed(1.0, 100 + 2 * goal.reviews), &world.suspect);
    assert!(after.left.unwrap().high < goal.share * 5000.0, "{goal:?} {after:?}");
}

#[test]
fn of_few_suspects_that_are_left_as_many_come_next() {
    let order: Vec<u32> = (0..300).collect();
    let mut ranking = Ranking::default();
    ranking.order = order.into();
    let mut answers = vec![Some(Answer::Bad); 300];
    answers[263..].fill(None);
    assert_eq!(next(&ranking, &answers).unwrap().suspects, 37);
    answers[100..].fill(None);
    assert_eq!(next(&ranking, &answers).unwrap().suspects, NEXT);
}
