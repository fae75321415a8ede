//! Gaussian naive Bayes on one property, and its accuracy over stratified folds, as scikit-learn's `GaussianNB` and
//! `cross_val_score` compute them.

/// What is added to each variance, as a share of the variance of the property.
const SMOOTHING: f64 = 1e-9;

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

fn predicted(classes: &[Class], value: f64) -> u32 {
    let likelihood = |class: &Class| {
        class.prior
            - 0.5 * (2.0 * std::f64::consts::PI * class.variance).ln()
            - 0.5 * (value - class.mean).powi(2) / class.variance
    };
    let mut best = (f64::NEG_INFINITY, classes.first().map_or(0, |class| class.label));
    for class in classes {
        let own = likelihood(class);
        if own > best.0 {
            best = (own, class.label);
        }
    }
    best.1
}

/// The mean over folds of the share of samples whose label the property alone tells.
pub(super) fn accuracy(values: &[f64], labels: &[u32], folds: usize) -> f64 {
    let fold = stratified(labels, folds);
    let mut sum = 0.0;
    for of in 0..folds {
        let model = trained(values, labels, |row| fold[row] != of);
        let tested: Vec<usize> = (0..values.len()).filter(|&row| fold[row] == of).collect();
        let right = tested.iter().filter(|&&row| predicted(&model, values[row]) == labels[row]).count();
        sum += right as f64 / tested.len().max(1) as f64;
    }
    sum / folds as f64
}
