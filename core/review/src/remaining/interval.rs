//! The exact interval of a total from a sample drawn without replacement.

/// Outside the interval on either side.
const TAIL: f64 = 0.025;

/// The 95 % interval of the number of bad ones among `samples`, of which `drawn` were drawn at random without replacement and
/// `bad` found bad: all numbers for which neither so few nor so many bad ones are less likely than 2.5 %, counting what was
/// found itself by half (mid-P).
///
/// # Panics
/// When more were drawn than there are, or more found bad than drawn.
pub(crate) fn total(samples: usize, drawn: usize, bad: usize) -> (usize, usize) {
    assert!(bad <= drawn && drawn <= samples, "{bad} bad of {drawn} drawn of {samples}");
    let (least, most) = (bad, samples - (drawn - bad));
    let urn = |all: usize| Urn { samples, drawn, bad: all };
    // The probability of as few rises as fewer are bad, so both ends are found by halving.
    let few = |all: usize| urn(all).fewer(bad) > TAIL;
    let many = |all: usize| 1.0 - urn(all).fewer(bad) > TAIL;
    let (mut inside, mut outside) = (least, most + 1);
    while inside + 1 < outside {
        let middle = usize::midpoint(inside, outside);
        if few(middle) { inside = middle } else { outside = middle }
    }
    let high = inside;
    let (mut below, mut inside) = (least, most);
    if many(least) {
        return (least, high);
    }
    while below + 1 < inside {
        let middle = usize::midpoint(below, inside);
        if many(middle) { inside = middle } else { below = middle }
    }
    (inside, high)
}

/// An urn from which is drawn without replacement.
struct Urn {
    samples: usize,
    drawn: usize,
    bad: usize,
}

impl Urn {
    /// The probability of fewer than `found` bad ones, and half of that of as many.
    fn fewer(&self, found: usize) -> f64 {
        let first = self.drawn.saturating_sub(self.samples - self.bad);
        if found < first {
            return 0.0;
        }
        let mut sum = 0.0;
        // From the largest down, until what is left adds nothing.
        let last = found.min(self.bad);
        for number in (first..=last).rev() {
            let p = self.chance(number);
            sum += if number == found { 0.5 * p } else { p };
            if p < sum * 1e-12 && number < found {
                break;
            }
        }
        sum.min(1.0)
    }

    /// The probability of exactly so many.
    fn chance(&self, number: usize) -> f64 {
        let Urn { samples, drawn, bad } = *self;
        (choose(bad, number) + choose(samples - bad, drawn - number) - choose(samples, drawn)).exp()
    }
}

/// The logarithm of a binomial coefficient.
fn choose(n: usize, k: usize) -> f64 {
    factorial(n) - factorial(k) - factorial(n - k)
}

/// The logarithm of a factorial: Stirling's series, whose error from 32 on is below 1e-15 of it.
fn factorial(n: usize) -> f64 {
    if n < 32 {
        return (2..=n).map(|i| (i as f64).ln()).sum();
    }
    let x = n as f64;
    let series = 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3)) + 1.0 / (1260.0 * x.powi(5));
    x * x.ln() - x + 0.5 * (std::f64::consts::TAU * x).ln() + series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_urn_is_counted_by_hand() {
        // Of 10 with 4 bad, 3 drawn: 20, 60, 36 and 4 of 120 ways.
        let urn = Urn { samples: 10, drawn: 3, bad: 4 };
        for (number, ways) in [20.0, 60.0, 36.0, 4.0].into_iter().enumerate() {
            assert!((urn.chance(number) - ways / 120.0).abs() < 1e-12);
        }
        assert!((urn.fewer(2) - (20.0 + 60.0 + 18.0) / 120.0).abs() < 1e-12);
        assert!((urn.fewer(0) - 10.0 / 120.0).abs() < 1e-12);
        assert!((factorial(40) - (2..=40).map(|i| f64::from(i).ln()).sum::<f64>()).abs() < 1e-10);
    }

    #[test]
    fn all_drawn_is_all_known_and_none_drawn_is_nothing_known() {
        assert_eq!(total(50, 50, 7), (7, 7));
        assert_eq!(total(50, 0, 0), (0, 50));
        assert_eq!(total(0, 0, 0), (0, 0));
        assert_eq!(total(1, 1, 1), (1, 1));
    }

    #[test]
    fn of_many_it_is_the_binomial_mid_p_interval() {
        // 5 of 100: .0183 to .1078 (mid-P), by statsmodels' and OpenEpi's definition.
        let (low, high) = total(10_000_000, 100, 5);
        assert!((low as f64 / 1e7 - 0.0183).abs() < 3e-4, "{low}");
        assert!((high as f64 / 1e7 - 0.1078).abs() < 1e-3, "{high}");
        // None of 100: with half of the chance of none at 2.5 %, 1 - .05^(1/100).
        let (low, high) = total(10_000_000, 100, 0);
        assert_eq!(low, 0);
        assert!((high as f64 / 1e7 - (1.0 - 0.05_f64.powf(0.01))).abs() < 1e-5, "{high}");
    }
}
