//! Which samples have an issue, and of which of their classes.

use super::{Aggregation, LabelSets, aggregate, class_scores};
use crate::filter::{Filter, Filters, name_lowest};
use crate::score::Method;
use crate::table::Real;

/// The bit of a filter.
const fn bit(filter: Filter) -> u8 {
    1 << filter as u8
}

/// What filters say of each class of each sample, and of each sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetIssues {
    classes: usize,
    /// One byte for each class of each sample, row by row, with a bit for each filter: a mask for each would be too much.
    by_class: Vec<u8>,
    samples: Vec<(Filter, Vec<bool>)>,
}

/// Applies filters to each class on its own, and says for which samples that makes an issue: those of which any class is
/// flagged. The two filters that cut an order ([`Filter::LowNormalizedMargin`], [`Filter::LowSelfConfidence`]) name as
/// many samples as [`Filter::ConfidentLearning`] does, those of the lowest score, whatever they say of single classes.
pub fn set_issues<T: Real>(sets: &LabelSets<'_, T>, filters: &[Filter]) -> SetIssues {
    let (classes, cuts) = (sets.classes(), filters.iter().any(|filter| cuts_an_order(*filter)));
    let mut by_class = vec![0_u8; sets.given().len()];
    for class in 0..classes {
        let binary = sets.one_vs_rest(class);
        let table = binary.table();
        let each = Filters::of_any(&table);
        let counted = cuts.then_some(Filter::ConfidentLearning);
        for filter in filters.iter().copied().chain(counted) {
            let cells = by_class[class..].iter_mut().step_by(classes);
            let flagged = cells.zip(each.apply(filter)).filter(|(_, flagged)| *flagged);
            flagged.for_each(|(cell, _)| *cell |= bit(filter));
        }
    }
    let any = |filter: Filter| -> Vec<bool> {
        let row = |row: &[u8]| row.iter().any(|cell| cell & bit(filter) > 0);
        by_class.chunks_exact(classes).map(row).collect()
    };
    let lowest = cuts.then(|| {
        let scores = class_scores(sets, Method::SelfConfidence, false);
        let scores = aggregate(&scores, classes, Aggregation::default());
        let count = any(Filter::ConfidentLearning).into_iter().filter(|flagged| *flagged).count();
        let all: Vec<u32> = (0..sets.len() as u32).collect();
        let mut mask = vec![false; all.len()];
        name_lowest(&all, count as i64, &mut mask, |sample| scores[sample]);
        mask
    });
    let samples = filters.iter().map(|&filter| {
        let cut = lowest.as_ref().filter(|_| cuts_an_order(filter));
        (filter, cut.cloned().unwrap_or_else(|| any(filter)))
    });
    SetIssues { classes, samples: samples.collect(), by_class }
}

fn cuts_an_order(filter: Filter) -> bool {
    matches!(filter, Filter::LowNormalizedMargin | Filter::LowSelfConfidence)
}

impl SetIssues {
    /// For each sample whether it has an issue; `None` for a filter that was not applied.
    pub fn samples(&self, filter: Filter) -> Option<&[bool]> {
        let found = self.samples.iter().find(|(applied, _)| *applied == filter);
        found.map(|(_, flagged)| flagged.as_slice())
    }

    /// The classes of a sample that a filter flags.
    ///
    /// # Panics
    /// When there is no such sample.
    pub fn classes_of(&self, filter: Filter, sample: usize) -> impl Iterator<Item = usize> + '_ {
        let row = &self.by_class[sample * self.classes..(sample + 1) * self.classes];
        let flagged = row.iter().enumerate().filter(move |(_, cell)| **cell & bit(filter) > 0);
        flagged.map(|(class, _)| class)
    }
}

/// The flagged samples, those of the lowest score first; equal ones in sample order.
pub fn ranked(flagged: &[bool], scores: &[f64]) -> Vec<usize> {
    let mut all: Vec<usize> = (0..flagged.len()).filter(|&sample| flagged[sample]).collect();
    all.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_has_a_bit() {
        let all = Filter::ALL.iter().fold(0_u8, |all, filter| {
            assert_eq!(all & bit(*filter), 0);
            all | bit(*filter)
        });
        assert_eq!(all, u8::MAX);
    }

    #[test]
    fn a_sample_is_flagged_for_its_classes() {
        // Three samples have the first class, of which the third does not look like it; the fourth should have the second.
        let p = [0.9, 0.1, 0.8, 0.2, 0.1, 0.1, 0.1, 0.9, 0.2, 0.8, 0.1, 0.9];
        let given = [true, false, true, false, true, false, false, false, false, true, false, true];
        let sets = LabelSets::new(&p, 2, &given).unwrap();
        let issues = set_issues(&sets, &[Filter::PredictedNeqGiven, Filter::LowSelfConfidence]);
        let flagged = [false, false, true, true, false, false];
        assert_eq!(issues.samples(Filter::PredictedNeqGiven), Some(&flagged[..]));
        assert_eq!(issues.samples(Filter::Both), None);
        let of = |sample| issues.classes_of(Filter::PredictedNeqGiven, sample).collect::<Vec<_>>();
        assert_eq!((of(0), of(2), of(3)), (vec![], vec![0], vec![1]));
        assert_eq!(ranked(&flagged, &[0.0, 0.0, 0.2, 0.1, 0.0, 0.0]), [3, 2]);
        assert_eq!(ranked(&[true; 3], &[0.5; 3]), [0, 1, 2]);
    }

    #[test]
    fn classes_that_none_or_all_have_are_judged() {
        let p = [0.9, 0.1, 0.2, 0.9, 0.8, 0.2];
        for has in [true, false] {
            let given = [has; 6];
            let sets = LabelSets::new(&p, 2, &given).unwrap();
            let issues = set_issues(&sets, &Filter::ALL);
            for filter in Filter::ALL {
                assert_eq!(issues.samples(filter).map(<[bool]>::len), Some(3), "{has} {filter:?}");
            }
            // Where only one answer was ever given, nothing counts as another one.
            assert_eq!(issues.samples(Filter::ConfidentLearning), Some(&[false; 3][..]));
            assert_eq!(issues.samples(Filter::PredictedNeqGiven), Some(&[true; 3][..]));
        }
    }
}
