//! Gaussian naive Bayes on one property, and its accuracy over stratified folds, as scikit-learn's `GaussianNB` and
//! `cross_val_score` compute them.

/// What is added to each variance, as a share of the variance of the property.
const SMOOTHING: f64 = 1e-9;

/// So few classes are compared with each value.
const ALL_COMPARED: usize = 8;

/// One class of a trained model.
struct Class {
    label: u32,
    prior: f64,
    mean: f64,
    variance: f64,
}

/// The fold of each sample: the samples of each class in turn, as evenly as possible, in their order.
pub(super) fn stratified(labels: &[u32], folds: usize) -> Vec<usize> {
    // Classes by their first sample, whose counts decide how many of each class a fold gets.
    let mut classes: Vec<u32> = Vec::new();
    let mut number = vec![usize::MAX; labels.iter().max().map_or(0, |label| *label as usize + 1)];
    let mut counts: Vec<usize> = Vec::new();
    for &label in labels {
        let number = &mut number[label as usize];
        if *number == usize::MAX {
            *number = classes.len();
            classes.push(label);
            counts.push(0);
        }
        counts[*number] += 1;
    }
    // Sorted by class, every `folds`-th sample counts for the same fold.
    let mut allocation = vec![vec![0_usize; folds]; classes.len()];
    let mut at = 0;
    for (class, &count) in counts.iter().enumerate() {
        for _ in 0..count {
            allocation[class][at % folds] += 1;
            at += 1;
        }
    }
    let mut fold = vec![0; labels.len()];
    let mut seen = vec![(0, 0); classes.len()];
    for (of, &label) in fold.iter_mut().zip(labels) {
        let class = number[label as usize];
        let (current, used) = &mut seen[class];
        while *used == allocation[class][*current] {
            *current += 1;
            *used = 0;
        }
        *used += 1;
        *of = *current;
    }
    fold
}

fn trained(values: &[f64], labels: &[u32], inside: impl Fn(usize) -> bool) -> Vec<Class> {
    let rows: Vec<usize> = (0..values.len()).filter(|&row| inside(row)).collect();
    let spread = SMOOTHING * moments(rows.iter().map(|&row| values[row])).1;
    let count = labels.iter().max().map_or(0, |label| *label as usize + 1);
    let mut of = vec![Vec::new(); count];
    rows.iter().for_each(|&row| of[labels[row] as usize].push(values[row]));
    (0..)
        .zip(of)
        .filter(|(_, values)| !values.is_empty())
        .map(|(label, own)| {
            let (mean, variance) = moments(own.iter().copied());
            let prior = (own.len() as f64 / rows.len() as f64).ln();
            Class { label, prior, mean, variance: variance + spread }
        })
        .collect()
}

/// Mean and variance (of the whole, not of a sample of it).
fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    (mean, values.map(|x| (x - mean).powi(2)).sum::<f64>() / count)
}

impl Class {
    /// The logarithm of how likely the class has this value. Falls to both sides of the mean.
    fn likelihood(&self, value: f64) -> f64 {
        self.prior
            - 0.5 * (2.0 * std::f64::consts::PI * self.variance).ln()
            - 0.5 * (value - self.mean).powi(2) / self.variance
    }

    /// How likely the class is at best between two values, and at worst.
    fn bounds(&self, low: f64, high: f64) -> (f64, f64) {
        let best = self.likelihood(self.mean.clamp(low, high));
        (best, self.likelihood(low).min(self.likelihood(high)))
    }
}

fn predicted(classes: &[&Class], value: f64) -> u32 {
    let mut best = (f64::NEG_INFINITY, classes.first().map_or(0, |class| class.label));
    for class in classes {
        let own = class.likelihood(value);
        if own > best.0 {
            best = (own, class.label);
        }
    }
    best.1
}

/// How many of these values, which are in order, tell their label. A class that is nowhere among the values as likely as
/// another one is everywhere is not compared with each of them: there may be as many classes as values.
fn right(classes: &[&Class], tested: &[(f64, u32)]) -> usize {
    let (Some((low, _)), Some((high, _))) = (tested.first(), tested.last()) else { return 0 };
    let bounds: Vec<(f64, f64)> = classes.iter().map(|class| class.bounds(*low, *high)).collect();
    let least = bounds.iter().map(|(_, worst)| *worst).fold(f64::NEG_INFINITY, f64::max);
    let possible: Vec<&Class> = classes
        .iter()
        .zip(bounds)
        // One that is not a number stays, as it would in a comparison with each.
        .filter(|(_, (best, _))| !matches!(best.partial_cmp(&least), Some(std::cmp::Ordering::Less)))
        .map(|(class, _)| *class)
        .collect();
    if low == high || possible.len() <= ALL_COMPARED {
        return tested.iter().filter(|(value, label)| predicted(&possible, *value) == *label).count();
    }
    let (front, back) = tested.split_at(tested.len() / 2);
    right(&possible, front) + right(&possible, back)
}

/// The mean over folds of the share of samples whose label the property alone tells.
pub(super) fn accuracy(values: &[f64], labels: &[u32], folds: usize) -> f64 {
    let fold = stratified(labels, folds);
    let mut sum = 0.0;
    for of in 0..folds {
        let model = trained(values, labels, |row| fold[row] != of);
        let tested = (0..values.len()).filter(|&row| fold[row] == of);
        let mut tested: Vec<(f64, u32)> = tested.map(|row| (values[row], labels[row])).collect();
        tested.sort_by(|a, b| a.0.total_cmp(&b.0));
        let classes: Vec<&Class> = model.iter().collect();
        sum += right(&classes, &tested) as f64 / tested.len().max(1) as f64;
    }
    sum / folds as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Leaving classes out of the comparison changes nothing.
        #[test]
        fn as_if_each_value_were_compared_with_each_class(
            classes in prop::collection::vec((-3.0..0.0_f64, -5.0..5.0_f64, prop_oneof![1e-12..1e-6_f64, 0.0..4.0_f64]), 1..60),
            values in prop::collection::vec((-6.0..6.0_f64, 0..60_u32), 0..80),
        ) {
            let of = |(label, (prior, mean, variance)): (u32, (f64, f64, f64))| Class { label, prior, mean, variance };
            let classes: Vec<Class> = (0..).zip(classes).map(of).collect();
            let classes: Vec<&Class> = classes.iter().collect();
            let mut values = values;
            values.extend(classes.iter().map(|class| (class.mean, class.label)));
            values.sort_by(|a, b| a.0.total_cmp(&b.0));
            let each = values.iter().filter(|(value, label)| predicted(&classes, *value) == *label).count();
            prop_assert_eq!(right(&classes, &values), each);
        }
    }
}
