//! Stratified folds by file content, so that they do not depend on paths or order.

use crate::content::ContentHash;
use std::collections::HashMap;

/// Number of folds.
pub(super) const FOLDS: u32 = 5;
/// Marks a sample without a fold.
pub(super) const NO_FOLD: u32 = u32::MAX;

/// Assigns each usable sample a fold: within each class in turn, in the order of content hashes. Copies share a fold
/// even if they are labeled differently, since a model trained on a copy has seen the sample.
pub(super) fn assign(
    labels: &[u32],
    classes: usize,
    contents: &[ContentHash],
    usable: &dyn Fn(usize) -> bool,
) -> Vec<u32> {
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); classes + 1];
    for (row, &label) in (0_u32..).zip(labels) {
        if usable(row as usize) {
            // Samples without a label form a separate class here.
            members[(label as usize).min(classes)].push(row);
        }
    }
    let mut folds = vec![NO_FOLD; labels.len()];
    let mut known: HashMap<&ContentHash, u32> = HashMap::new();
    for (class, members) in members.iter_mut().enumerate() {
        members.sort_by(|&a, &b| contents[a as usize].cmp(&contents[b as usize]).then(a.cmp(&b)));
        // Classes start at different folds, so that small ones do not all go into the first.
        let mut next = class as u32 % FOLDS;
        for &row in members.iter() {
            folds[row as usize] = *known.entry(&contents[row as usize]).or_insert_with(|| {
                let fold = next;
                next = (next + 1) % FOLDS;
                fold
            });
        }
    }
    folds
}
