//! Ranking metrics. A low quality means a likely error.

/// The indices of samples, lowest quality first, ties in their original order.
pub(super) fn worst_first(quality: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..quality.len()).collect();
    // Stable.
    order.sort_by(|&a, &b| quality[a].total_cmp(&quality[b]));
    order
}

/// Area under the ROC curve of errors against `1 - quality`: the probability that an error has a lower quality than a
/// correct sample, ties counting half. `None` if all or none are errors.
pub fn auroc(errors: &[bool], quality: &[f64]) -> Option<f64> {
    let positive = errors.iter().filter(|error| **error).count();
    let negative = errors.len() - positive;
    if positive == 0 || negative == 0 {
        return None;
    }
    let order = worst_first(quality);
    let (mut before, mut ranks) = (0, 0.0);
    for tied in order.chunk_by(|&a, &b| quality[a] == quality[b]) {
        let middle = before as f64 + (tied.len() as f64 + 1.0) / 2.0;
        ranks += middle * tied.iter().filter(|&&index| errors[index]).count() as f64;
        before += tied.len();
    }
    let (positive, negative) = (positive as f64, negative as f64);
    // Ranks count from the lowest quality, so errors should have low ones.
    Some(1.0 - (ranks - positive * (positive + 1.0) / 2.0) / (positive * negative))
}

/// Average precision: precision at each distinct quality, weighted by the recall gained there. `None` if there are no
/// errors.
pub fn average_precision(errors: &[bool], quality: &[f64]) -> Option<f64> {
    let positive = errors.iter().filter(|error| **error).count();
    if positive == 0 {
        return None;
    }
    let order = worst_first(quality);
    let (mut seen, mut found, mut area) = (0, 0, 0.0);
    for tied in order.chunk_by(|&a, &b| quality[a] == quality[b]) {
        let gained = tied.iter().filter(|&&index| errors[index]).count();
        seen += tied.len();
        found += gained;
        area += found as f64 / seen as f64 * gained as f64;
    }
    Some(area / positive as f64)
}

/// Lift: how much more frequent errors are among the `k` samples of lowest quality (or all, if there are fewer) than
/// among all, ties in their original order. `None` if there are no errors, or `k` is 0.
pub fn lift_at(errors: &[bool], quality: &[f64], k: usize) -> Option<f64> {
    let positive = errors.iter().filter(|error| **error).count();
    let k = k.min(errors.len());
    if positive == 0 || k == 0 {
        return None;
    }
    let found = worst_first(quality)[..k].iter().filter(|&&index| errors[index]).count();
    Some((found as f64 / k as f64) / (positive as f64 / errors.len() as f64))
}
