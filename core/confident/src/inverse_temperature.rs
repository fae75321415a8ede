//! Calibration by temperature scaling.

/// Powers that are looked for between these.
const BOUNDS: (f64, f64) = (0.2, 3.0);
/// Steps of the search; each leaves .618 of the range.
const STEPS: usize = 30;

/// The inverse temperature that calibrates probabilities: the one power of all of them, 0.2 to 3, that makes the labels as
/// given most likely (Guo, Pleiss, Sun and Weinberger 2017, "On calibration of modern neural networks").
///
/// `logs` are the logarithms of one row of probabilities a label, each row up to a constant.
///
/// # Panics
/// When there are no labels, or the rows do not all have a column for each label.
pub fn inverse_temperature(logs: &[f64], labels: &[u32]) -> f64 {
    let classes = logs.len() / labels.len();
    assert_eq!(logs.len(), classes * labels.len(), "rows are not of one length");
    least(BOUNDS, |power| loss(logs, labels, classes, power))
}

/// The mean negative log-likelihood of the labels.
pub(crate) fn loss(logs: &[f64], labels: &[u32], classes: usize, power: f64) -> f64 {
    let of_row = |(logs, label): (&[f64], &u32)| {
        let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = logs.iter().map(|log| (power * (log - largest)).exp()).sum();
        sum.ln() - power * (logs[*label as usize] - largest)
    };
    logs.chunks_exact(classes).zip(labels).map(of_row).sum::<f64>() / labels.len() as f64
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

    #[test]
    fn probabilities_become_as_sure_as_they_are_right() {
        for (sure, right) in [(0.99_f64, 80), (0.65, 80), (0.8, 80), (0.9, 70)] {
            let logs = [sure.ln(), (1.0 - sure).ln()].repeat(100);
            let labels: Vec<u32> = (0..100).map(|sample| u32::from(sample >= right)).collect();
            let power = inverse_temperature(&logs, &labels);
            let (yes, no) = (sure.powf(power), (1.0 - sure).powf(power));
            let share = f64::from(right) / 100.0;
            assert!((yes / (yes + no) - share).abs() < 0.01, "{sure} of {right}: {power}");
        }
    }
}
