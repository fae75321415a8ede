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
    // Nothing decided, or suspects alone, which are not a random sample.
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

/// What is decided: the first suspects, worst first, and the first of the random order.
fn next_of(
    bad: &[bool],
    suspects: &[u32],
    worst: usize,
    drawn: usize,
) -> (Option<Next>, Vec<Option<Answer>>) {
    let mut ranking = Ranking::default();
    ranking.order = suspects.to_vec().into();
    let mut answers = vec![None; bad.len()];
    let random = in_random_order(bad.len());
    for &row in suspects.iter().take(worst).chain(random.iter().take(drawn)) {
        answers[row as usize] = Some(if bad[row as usize] { Answer::Bad } else { Answer::Fine });
    }
    (next::next(&ranking, &answers), answers)
}

#[test]
fn of_few_suspects_that_are_left_as_many_come_next() {
    let order: Vec<u32> = (0..300).collect();
    let next = |worst: usize| next_of(&[true; 300], &order, worst, 0).0;
    assert_eq!(next(263).unwrap().suspects, 37);
    assert_eq!(next(100).unwrap().suspects, next::NEXT);
    assert_eq!((next(0), next(300)), (None, None), "nothing is known, and nothing is left");
}

/// Sixty errors come first, and none after them.
#[test]
fn what_was_found_first_is_only_an_upper_end() {
    let bad: Vec<bool> = (0..1000).map(|row| row < 60).collect();
    let order: Vec<u32> = (0..200).collect();
    let after = |worst: usize, drawn: usize| next_of(&bad, &order, worst, drawn).0.unwrap();
    let found = after(60, 0);
    assert_eq!((found.decided, found.bad, found.low, found.high), (next::LAST, next::LAST, None, Some(100)));
    let ends = |worst| after(worst, 0).high.unwrap();
    assert!(
        ends(70) < 100 && ends(80) < ends(70) && ends(100) < 15,
        "{} {} {}",
        ends(70),
        ends(80),
        ends(100)
    );
    // A random sample says what is there at least.
    let sampled = after(20, 300);
    let truth = sampled.low.unwrap();
    assert!(sampled.sampled > 20 && sampled.sampled_bad > 3 && (3..=40).contains(&truth), "{sampled:?}");
}

/// Somebody who keeps plainly fine ones further down leaves the others.
#[test]
fn suspects_picked_out_of_the_next_ones_do_not_make_these_better() {
    let order: Vec<u32> = (0..200).collect();
    let mut ranking = Ranking::default();
    ranking.order = order.into();
    let answer = |bad: bool| Some(if bad { Answer::Bad } else { Answer::Fine });
    let mut answers: Vec<Option<Answer>> =
        (0..200).map(|row| if row < 60 { answer(row % 2 == 0) } else { None }).collect();
    (60..200).filter(|row| row % 2 == 1).for_each(|row| answers[row] = Some(Answer::Fine));
    let found = next::next(&ranking, &answers).unwrap();
    assert_eq!((found.suspects, found.high), (70, Some(70)), "each of those that are left may be bad");
    (60..200).filter(|row| row % 4 == 0).for_each(|row| answers[row] = Some(Answer::Bad));
    let found = next::next(&ranking, &answers).unwrap();
    assert!(found.suspects == 35 && found.high < Some(70), "{found:?}");
    // Who is not sure may be looking at bad ones.
    answers[30..60].fill(Some(Answer::Unsure));
    assert_eq!(next::next(&ranking, &answers).unwrap().high, Some(35));
}

/// 1,344 reviews of datasets with few and many errors, of rankings that know nothing or almost all, early and late.
#[test]
fn the_next_suspects_have_as_many_errors_as_was_said() {
    let mut random = ChaCha8Rng::seed_from_u64(33);
    let normal = |random: &mut ChaCha8Rng| {
        let even = 1.0 - random.random::<f64>();
        (-2.0 * even.ln()).sqrt() * (std::f64::consts::TAU * random.random::<f64>()).cos()
    };
    let mut cells: Vec<(String, usize, usize)> = Vec::new();
    let (mut both, mut told) = ((0, 0), 0);
    for rate in [0.03, 0.1, 0.2, 0.4] {
        for able in [0.0, 0.7, 1.5, 3.0] {
            for (share, drawn) in
                [(0.1, 0), (0.25, 0), (0.5, 0), (0.8, 0), (0.1, 100), (0.3, 100), (0.6, 200)]
            {
                let mut held = 0;
                const REVIEWS: usize = 12;
                for review in 0..REVIEWS {
                    let samples = [400, 1500][review % 2];
                    let rows: Vec<(bool, f64)> = (0..samples)
                        .map(|_| {
                            let bad = random.random_bool(rate);
                            (bad, normal(&mut random) - if bad { able } else { 0.0 })
                        })
                        .collect();
                    let bad: Vec<bool> = rows.iter().map(|row| row.0).collect();
                    let mut suspects: Vec<u32> = (0..samples as u32).collect();
                    suspects.sort_by(|&a, &b| rows[a as usize].1.total_cmp(&rows[b as usize].1));
                    suspects.truncate(samples / 3);
                    let worst = (share * suspects.len() as f64) as usize;
                    let (found, answers) = next_of(&bad, &suspects, worst, drawn);
                    let found = found.unwrap();
                    let open = suspects.iter().filter(|&&row| answers[row as usize].is_none());
                    let truth = open.take(next::NEXT).filter(|&&row| bad[row as usize]).count();
                    let (low, high) = (found.low.unwrap_or(0), found.high.unwrap_or(found.suspects));
                    let holds = (low..=high).contains(&truth);
                    held += usize::from(holds);
                    told += usize::from(high < found.suspects);
                    both.0 += usize::from(holds && found.low.is_some());
                    both.1 += usize::from(found.low.is_some());
                }
                cells.push((format!("{rate} bad, {able} able, {share} and {drawn}"), held, REVIEWS));
            }
        }
    }
    let (held, all) = cells.iter().fold((0, 0), |sum, cell| (sum.0 + cell.1, sum.1 + cell.2));
    println!("{held} of {all}, {} of {} with both ends, {told} say something", both.0, both.1);
    assert!(held * 100 >= 95 * all && both.0 * 100 >= 93 * both.1, "{held} of {all}, {both:?}");
    assert!(told * 2 > all && both.1 * 3 > all, "{told} and {both:?} of {all}");
    for (cell, held, all) in cells {
        assert!(held * 4 >= 3 * all, "{cell}: {held} of {all}");
    }
}
