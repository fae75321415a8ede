//! What decisions add to the chances of suspects: a term for each detector that flags them and one for all, fitted to the decided
//! suspects with the first chances as offset (penalized logistic regression, the normal prior of empirical Bayes: with few
//! decisions nothing moves, with many the decisions alone count). Terms are used only if they foretell decisions: fitted to
//! four fifths of them, they must predict the other fifth better than the first chances with a common shift, in sum over the five
//! by more than chance would have it.

/// Decisions below which nothing is learned.
const LEAST: usize = 20;
/// Strength of the prior that the first chances are right: the precision of every term.
const PENALTY: f64 = 1.0;
/// The same of the shift that terms are compared with, which hardly has to be held.
const SHIFT_PENALTY: f64 = 0.1;
const FOLDS: usize = 5;
/// How many standard errors the terms have to be better.
const SURELY: f64 = 2.0;
const STEPS: usize = 50;
/// How often a step is halved at most.
const HALVINGS: i32 = 20;
/// Log-odds are kept this close to 0, so that no decision weighs nothing.
const MOST: f64 = 30.0;

/// The learned terms.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lessons {
    terms: Vec<f64>,
}

/// A decided suspect.
struct Case {
    features: Vec<f64>,
    /// Its log-odds at first.
    first: f64,
    /// 1 if it was found bad, 0 if not.
    bad: f64,
}

impl Case {
    /// How surprising the decision is if the terms are added to the first log-odds: its negative log-likelihood.
    fn surprise(&self, adds: f64) -> f64 {
        let odds = (self.first + adds).clamp(-MOST, MOST);
        (if self.bad > 0.5 { -odds } else { odds }).exp().ln_1p()
    }
}

impl Lessons {
    /// Learns from decided suspects, in the order of the decisions: which detectors flag each; the log-odds at first; whether
    /// it was found bad. `None` if there are too few of them, or if what they teach does not predict decisions better.
    pub(super) fn learn(decided: &[(Vec<bool>, f64, bool)]) -> Option<Lessons> {
        if decided.len() < LEAST {
            return None;
        }
        let case = |(flags, first, bad): &(Vec<bool>, f64, bool)| Case {
            features: features(flags),
            first: *first,
            bad: f64::from(u8::from(*bad)),
        };
        let cases: Vec<Case> = decided.iter().map(case).collect();
        let gains: Vec<f64> = (0..FOLDS).flat_map(|fold| gains(&cases, fold)).collect();
        let mean = gains.iter().sum::<f64>() / gains.len() as f64;
        let variance = gains.iter().map(|gain| (gain - mean).powi(2)).sum::<f64>() / gains.len() as f64;
        if mean <= SURELY * (variance / gains.len() as f64).sqrt() + 1e-12 {
            return None;
        }
        let terms = fit(&cases.iter().collect::<Vec<_>>(), cases.first()?.features.len(), PENALTY);
        terms.iter().all(|term| term.is_finite()).then_some(Lessons { terms })
    }

    /// What to add to the log-odds of a suspect.
    pub(super) fn adds(&self, flags: &[bool]) -> f64 {
        dot(&features(flags), &self.terms)
    }
}

/// For each decision of a fold, how much less it surprises the terms fitted to the other folds than a common shift.
fn gains(cases: &[Case], fold: usize) -> Vec<f64> {
    let inside = |index: usize| index % FOLDS == fold;
    let others: Vec<&Case> =
        cases.iter().enumerate().filter(|(index, _)| !inside(*index)).map(|(_, case)| case).collect();
    let width = cases.first().map_or(0, |case| case.features.len());
    let terms = fit(&others, width, PENALTY);
    // Only the first feature, which is 1 for all.
    let shift = fit(&others, 1, SHIFT_PENALTY);
    let own = cases.iter().enumerate().filter(|(index, _)| inside(*index)).map(|(_, case)| case);
    own.map(|case| case.surprise(shift.iter().sum()) - case.surprise(dot(&case.features, &terms))).collect()
}

/// The terms of the first `width` features, by Newton's method.
fn fit(cases: &[&Case], width: usize, penalty: f64) -> Vec<f64> {
    let mut terms = vec![0.0; width];
    for _ in 0..STEPS {
        let mut slope: Vec<f64> = terms.iter().map(|term| penalty * term).collect();
        let mut bend = vec![0.0; width * width];
        (0..width).for_each(|index| bend[index * (width + 1)] = penalty);
        for case in cases {
            let features = &case.features[..width];
            let odds = (case.first + dot(features, &terms)).clamp(-MOST, MOST);
            let p = 1.0 / (1.0 + (-odds).exp());
            for (one, &a) in features.iter().enumerate().filter(|(_, a)| **a != 0.0) {
                slope[one] += a * (p - case.bad);
                let row = &mut bend[one * width..(one + 1) * width];
                row.iter_mut().zip(features).for_each(|(to, b)| *to += a * b * p * (1.0 - p));
            }
        }
        let step = solve(bend, slope);
        // A whole step can go too far where the first log-odds are far from what was decided: half of it then, and so on.
        let before = loss(cases, &terms, penalty);
        let shorter = (0..HALVINGS).map(|halved| {
            let share = 0.5_f64.powi(halved);
            terms.iter().zip(&step).map(|(term, step)| term - share * step).collect::<Vec<f64>>()
        });
        match shorter.into_iter().find(|terms| loss(cases, terms, penalty) <= before) {
            Some(better) => terms = better,
            None => break,
        }
        if step.iter().all(|step| step.abs() < 1e-6) {
            break;
        }
    }
    terms
}

/// What the fit makes as small as it can.
fn loss(cases: &[&Case], terms: &[f64], penalty: f64) -> f64 {
    let surprises: f64 = cases.iter().map(|case| case.surprise(dot(&case.features, terms))).sum();
    surprises + penalty / 2.0 * dot(terms, terms)
}

fn features(flags: &[bool]) -> Vec<f64> {
    std::iter::once(1.0).chain(flags.iter().map(|&flags| f64::from(u8::from(flags)))).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Solves a symmetric, positive definite system by elimination, which needs no pivoting.
fn solve(mut matrix: Vec<f64>, mut right: Vec<f64>) -> Vec<f64> {
    let n = right.len();
    for pivot in 0..n {
        for row in pivot + 1..n {
            let factor = matrix[row * n + pivot] / matrix[pivot * n + pivot];
            for column in pivot..n {
                matrix[row * n + column] -= factor * matrix[pivot * n + column];
            }
            right[row] -= factor * right[pivot];
        }
    }
    for row in (0..n).rev() {
        let known: f64 = (row + 1..n).map(|column| matrix[row * n + column] * right[column]).sum();
        right[row] = (right[row] - known) / matrix[row * n + row];
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detector_that_is_always_wrong_sinks_and_one_that_is_right_rises() {
        let decided: Vec<_> = (0..60)
            .map(|n| match n % 2 {
                0 => (vec![true, false], 0.5, false),
                _ => (vec![false, true], 0.5, true),
            })
            .collect();
        let lessons = Lessons::learn(&decided).unwrap();
        assert!(lessons.adds(&[true, false]) < -1.0 && lessons.adds(&[false, true]) > 1.0);
        assert_eq!(Lessons::learn(&decided[..19]), None);
    }

    #[test]
    fn what_decisions_do_not_show_surely_is_not_learned() {
        // As expected: nine of ten are bad, as log-odds of 2.2 say.
        let expected: Vec<_> = (0..50).map(|n| (vec![n % 3 == 0, true], 2.2, n / 5 % 10 != 0)).collect();
        assert_eq!(Lessons::learn(&expected), None);
        // Fewer than expected, but of both detectors: the order has nothing to gain.
        let fewer: Vec<_> = (0..52).map(|n| (vec![n % 2 == 0, n % 2 == 1], 2.2, n * 7 % 13 < 6)).collect();
        assert_eq!(Lessons::learn(&fewer), None);
    }

    #[test]
    fn a_system_is_solved() {
        let found = solve(vec![4.0, 1.0, 1.0, 3.0], vec![1.0, 2.0]);
        assert!((found[0] - 1.0 / 11.0).abs() < 1e-12 && (found[1] - 7.0 / 11.0).abs() < 1e-12);
    }
}
