//! Stratified folds that follow the content of the files, so that they do not depend on paths or order.

use crate::content::ContentHash;
use std::collections::HashMap;

/// Number of folds.
pub(super) const FOLDS: u32 = 5;
/// The fold of a sample that is in none.
pub(super) const NO_FOLD: u32 = u32::MAX;

/// Gives each usable sample a fold: within each class in turn, in the order of content hashes. Copies of one content
/// share a fold, also when they are labelled differently, since a model that was trained on a copy has seen the
/// sample.
pub(super) fn assign(
    labels: &[u32],
    classes: usize,
    contents: &[ContentHash],
    usable: &dyn Fn(usize) -> bool,
) -> Vec<u32> {
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); classes + 1];
    for (row, &label) in (0_u32..).zip(labels) {
        if usable(row as usize) {
            // Samples without a label are a class of their own here.
            members[(label as usize).min(classes)].push(row);
        }
    }
    let mut folds = vec![NO_FOLD; labels.len()];
    let mut known: HashMap<&ContentHash, u32> = HashMap::new();
    for (class, members) in members.iter_mut().enumerate() {
        members.sort_by(|&a, &b| contents[a as usize].cmp(&contents[b as usize]).then(a.cmp(&b)));
        // Classes begin at different folds, so that small ones do not all fill the first.
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
