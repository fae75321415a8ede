//! What decisions add to the chances of suspects: a term per detector, and one for how sure it is, fitted to the decided
//! suspects with the first chances as offset (penalized logistic regression, the normal prior of empirical Bayes: with few
//! decisions nothing moves, with many the decisions alone count).

/// Decisions below which nothing is learned.
const LEAST: usize = 20;
/// Strength of the prior that the first chances are right: the precision of every term.
const PENALTY: f64 = 1.0;
const STEPS: usize = 20;
/// Log-odds are kept this close to 0, so that no decision weighs nothing.
const MOST: f64 = 30.0;

/// The learned terms.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lessons {
    terms: Vec<f64>,
}

impl Lessons {
    /// Learns from decided suspects: how sure each detector is, `None` where it does not flag; the log-odds at first; whether
    /// it was found bad. `None` if there are too few of them.
    pub(super) fn learn(decided: &[(Vec<Option<f64>>, f64, bool)]) -> Option<Lessons> {
        if decided.len() < LEAST {
            return None;
        }
        let rows: Vec<(Vec<f64>, f64, f64)> = decided
            .iter()
            .map(|(sure, first, bad)| (features(sure), *first, f64::from(u8::from(*bad))))
            .collect();
        let width = rows.first()?.0.len();
        let mut terms = vec![0.0; width];
        for _ in 0..STEPS {
            let mut slope: Vec<f64> = terms.iter().map(|term| PENALTY * term).collect();
            let mut bend = vec![0.0; width * width];
            (0..width).for_each(|index| bend[index * (width + 1)] = PENALTY);
            for (features, first, bad) in &rows {
                let odds = (first + dot(features, &terms)).clamp(-MOST, MOST);
                let p = 1.0 / (1.0 + (-odds).exp());
                for (one, &a) in features.iter().enumerate().filter(|(_, a)| **a != 0.0) {
                    slope[one] += a * (p - bad);
                    let row = &mut bend[one * width..(one + 1) * width];
                    row.iter_mut().zip(features).for_each(|(to, b)| *to += a * b * p * (1.0 - p));
                }
            }
            let step = solve(bend, slope);
            terms.iter_mut().zip(&step).for_each(|(term, step)| *term -= step);
            if step.iter().all(|step| step.abs() < 1e-6) {
                break;
            }
        }
        terms.iter().all(|term| term.is_finite()).then_some(Lessons { terms })
    }

    /// What to add to the log-odds of a suspect.
    pub(super) fn adds(&self, sure: &[Option<f64>]) -> f64 {
        dot(&features(sure), &self.terms)
    }
}

fn features(sure: &[Option<f64>]) -> Vec<f64> {
    let flags = sure.iter().map(|sure| f64::from(u8::from(sure.is_some())));
    std::iter::once(1.0).chain(flags).chain(sure.iter().map(|sure| sure.unwrap_or(0.0))).collect()
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
                0 => (vec![Some(0.8), None], 0.5, false),
                _ => (vec![None, Some(0.3)], 0.5, true),
            })
            .collect();
        let lessons = Lessons::learn(&decided).unwrap();
        assert!(lessons.adds(&[Some(0.8), None]) < -1.0 && lessons.adds(&[None, Some(0.3)]) > 1.0);
        assert_eq!(Lessons::learn(&decided[..19]), None);
    }

    #[test]
    fn decisions_that_were_expected_change_little() {
        // Nine of ten are bad, as log-odds of 2.2 say.
        let decided: Vec<_> = (0..50).map(|n| (vec![Some(0.5)], 2.2, n % 10 != 0)).collect();
        assert!(Lessons::learn(&decided).unwrap().adds(&[Some(0.5)]).abs() < 0.1);
    }

    #[test]
    fn a_system_is_solved() {
        let found = solve(vec![4.0, 1.0, 1.0, 3.0], vec![1.0, 2.0]);
        assert!((found[0] - 1.0 / 11.0).abs() < 1e-12 && (found[1] - 7.0 / 11.0).abs() < 1e-12);
    }
}
