//! How sure probabilities should be, read off labels that the models have not seen.

use super::OutOfSample;
use super::folds::NO_FOLD;
use rayon::prelude::*;

/// Samples that are looked at, evenly spread over all.
const LOOKED_AT: usize = 10_000;
/// Sharpness that is looked for between these.
const BOUNDS: (f64, f64) = (0.2, 3.0);
/// Steps of the search; each leaves .618 of the range.
const STEPS: usize = 30;
/// Probabilities below this are the same.
const LEAST: f64 = 1e-12;

/// Raises all probabilities to the one power that makes the labels as given most likely, so that they are as sure as
/// they are right (temperature scaling: Guo, Pleiss, Sun and Weinberger 2017, "On calibration of modern neural
/// networks"). The order of a row's classes stays.
pub(super) fn calibrate(found: &mut OutOfSample, labels: &[u32]) {
    let classes = found.classes;
    let judged = |row: usize| found.folds[row] != NO_FOLD && (labels[row] as usize) < classes;
    let rows: Vec<usize> = (0..labels.len()).filter(|&row| judged(row)).collect();
    let step = rows.len().div_ceil(LOOKED_AT).max(1);
    let logs: Vec<(Vec<f64>, usize)> = rows
        .iter()
        .step_by(step)
        .map(|&row| {
            let row_of = &found.matrix[row * classes..(row + 1) * classes];
            let logs = row_of.iter().map(|&p| f64::from(p).max(LEAST).ln()).collect();
            (logs, labels[row] as usize)
        })
        .collect();
    if logs.is_empty() {
        return;
    }
    let power = least(BOUNDS, |power| loss(&logs, power)) as f32;
    found.sharpness = power;
    found.matrix.par_chunks_exact_mut(classes).for_each(|row| {
        row.iter_mut().for_each(|p| *p = p.powf(power));
        let sum: f32 = row.iter().sum();
        if sum > 0.0 {
            row.iter_mut().for_each(|p| *p /= sum);
        }
    });
}

/// The mean negative log-likelihood of the labels.
fn loss(logs: &[(Vec<f64>, usize)], power: f64) -> f64 {
    let of_row = |(logs, label): &(Vec<f64>, usize)| {
        let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = logs.iter().map(|log| (power * (log - largest)).exp()).sum();
        sum.ln() - power * (logs[*label] - largest)
    };
    logs.iter().map(of_row).sum::<f64>() / logs.len() as f64
}

/// Where a function with one valley is least (golden-section search).
fn least((mut low, mut high): (f64, f64), value: impl Fn(f64) -> f64) -> f64 {
    let ratio = (5.0_f64.sqrt() - 1.0) / 2.0;
    let (mut left, mut right) = (high - ratio * (high - low), low + ratio * (high - low));
    let (mut at_left, mut at_right) = (value(left), value(right));
    for _ in 0..STEPS {
        if at_left <= at_right {
            (high, right, at_right) = (right, left, at_left);
            left = high - ratio * (high - low);
            at_left = value(left);
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = low + ratio * (high - low);
            at_right = value(right);
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two classes: `right` of a hundred samples are what the model says with certainty `sure`.
    fn said(sure: f32, right: usize) -> (OutOfSample, Vec<u32>) {
        let matrix = [sure, 1.0 - sure].repeat(100);
        let labels = (0..100).map(|sample| u32::from(sample >= right)).collect();
        (OutOfSample { matrix, classes: 2, folds: vec![0; 100], sharpness: 1.0 }, labels)
    }

    #[test]
    fn probabilities_become_as_sure_as_they_are_right() {
        for (sure, right) in [(0.99, 80), (0.65, 80), (0.8, 80), (0.9, 70)] {
            let (mut found, labels) = said(sure, right);
            calibrate(&mut found, &labels);
            let share = right as f32 / 100.0;
            assert!((found.matrix[0] - share).abs() < 0.01, "{sure} of {right}: {}", found.matrix[0]);
            assert!((found.matrix[0] + found.matrix[1] - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn rows_without_a_model_and_classes_without_a_chance_stay() {
        let (mut found, labels) = said(0.9, 70);
        (found.folds[3], found.matrix[6], found.matrix[7]) = (NO_FOLD, 0.0, 0.0);
        (found.matrix[8], found.matrix[9]) = (1.0, 0.0);
        calibrate(&mut found, &labels);
        assert_eq!(found.matrix[6..10], [0.0, 0.0, 1.0, 0.0]);
        let (mut found, _) = said(0.9, 70);
        let before = found.clone();
        calibrate(&mut found, &[9; 100]);
        assert!(found == before, "there is no label to learn from");
    }
}
