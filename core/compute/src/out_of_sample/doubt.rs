//! Labels contradicted by models that have not seen them.

use super::OutOfSample;
use super::folds::NO_FOLD;
use chaffinch_confident::{Cut, Table, ratio};

/// If this share of a class is contradicted, all its labels are kept, since the model does not know the class.
const MOST: f64 = 0.5;

/// Whether the label of each sample is clearly contradicted, using the cut that depends on the quality of the
/// probabilities ([`Cut`]).
pub(super) fn doubtful(found: &OutOfSample, labels: &[u32]) -> Vec<bool> {
    let classes = found.classes;
    let judged = |row: usize| found.folds[row] != NO_FOLD && (labels[row] as usize) < classes;
    let rows: Vec<usize> = (0..labels.len()).filter(|&row| judged(row)).collect();
    let mut doubtful = vec![false; labels.len()];
    // Copy only if some samples are left out: with a thousand classes the matrix is large.
    let (mut some, mut named) = (Vec::new(), Vec::new());
    let (probabilities, given) = if rows.len() == labels.len() {
        (&found.matrix[..], labels)
    } else {
        for &row in &rows {
            some.extend_from_slice(&found.matrix[row * classes..(row + 1) * classes]);
            named.push(labels[row]);
        }
        (&some[..], &named[..])
    };
    // What cannot be judged is not doubted; the reader of the probabilities reports why.
    let Ok(table) = Table::new(probabilities, classes, given) else { return doubtful };
    let cut = Cut::of(&table);
    let mut counts = vec![(0_usize, 0_usize); classes];
    for (index, &row) in rows.iter().enumerate() {
        doubtful[row] = ratio(&table, index) < cut.limit;
        let (all, against) = &mut counts[labels[row] as usize];
        *all += 1;
        *against += usize::from(doubtful[row]);
    }
    for row in rows {
        let (all, against) = counts[labels[row] as usize];
        doubtful[row] &= (against as f64) < MOST * all as f64;
    }
    doubtful
}
