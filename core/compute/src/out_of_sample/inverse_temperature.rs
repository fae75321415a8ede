//! Calibration of the probabilities on labels that the models have not seen.

use super::OutOfSample;
use super::folds::NO_FOLD;
use rayon::prelude::*;

/// Maximum number of samples used.
const LOOKED_AT: usize = 10_000;
/// Lower limit for probabilities.
const LEAST: f64 = 1e-12;

/// Raises all probabilities to the inverse temperature that calibrates them. The order of a row's classes stays.
///
/// `order` has all rows in an order that does not depend on the names of files: of many, a part is looked at.
pub(super) fn calibrate(found: &mut OutOfSample, labels: &[u32], order: &[u32]) {
    let classes = found.classes;
    let judged = |row: usize| found.folds[row] != NO_FOLD && (labels[row] as usize) < classes;
    let rows: Vec<usize> = order.iter().map(|&row| row as usize).filter(|&row| judged(row)).collect();
    if rows.is_empty() {
        return;
    }
    let some =
        chaffinch_confident::stratified_subsample(rows.iter().map(|&row| labels[row]), classes, LOOKED_AT);
    let looked_at: Vec<usize> = some.into_iter().map(|index| rows[index]).collect();
    let row_of = |row: usize| &found.matrix[row * classes..(row + 1) * classes];
    let logs: Vec<f64> =
        looked_at.iter().flat_map(|&row| row_of(row)).map(|&p| f64::from(p).max(LEAST).ln()).collect();
    let named: Vec<u32> = looked_at.iter().map(|&row| labels[row]).collect();
    let power = chaffinch_confident::inverse_temperature(&logs, &named) as f32;
    found.inverse_temperature = power;
    found.matrix.par_chunks_exact_mut(classes).for_each(|row| {
        row.iter_mut().for_each(|p| *p = p.powf(power));
        let sum: f32 = row.iter().sum();
        if sum > 0.0 {
            row.iter_mut().for_each(|p| *p /= sum);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: [u32; 4] = [0, 3, 4, 50];

    /// Two classes: `right` out of a hundred samples match the model's prediction with confidence `sure`.
    fn said(sure: f32, right: usize) -> (OutOfSample, Vec<u32>) {
        let matrix = [sure, 1.0 - sure].repeat(100);
        let labels = (0..100).map(|sample| u32::from(sample >= right)).collect();
        (OutOfSample { matrix, classes: 2, folds: vec![0; 100], inverse_temperature: 1.0 }, labels)
    }

    #[test]
    fn rows_without_a_model_and_classes_without_a_chance_stay() {
        let (mut found, labels) = said(0.9, 70);
        (found.folds[3], found.matrix[6], found.matrix[7]) = (NO_FOLD, 0.0, 0.0);
        (found.matrix[8], found.matrix[9]) = (1.0, 0.0);
        calibrate(&mut found, &labels, &ORDER);
        assert_eq!(found.matrix[6..10], [0.0, 0.0, 1.0, 0.0]);
        let (mut found, _) = said(0.9, 70);
        let before = found.clone();
        calibrate(&mut found, &[9; 100], &ORDER);
        assert!(found == before, "there is no label to learn from");
    }
}
