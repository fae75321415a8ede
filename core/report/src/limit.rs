//! The number of a gate, as it was written: floating point would make `7%` a little more or less than 7 of 100.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// Digits of a limit, before and after the point; more than that, and a comparison could overflow.
const MOST_DIGITS: u32 = 15;

/// A decimal number, at least 0: `digits` without the last `places` of them behind the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit {
    digits: u64,
    places: u32,
}

impl Limit {
    pub(crate) const ZERO: Limit = Limit { digits: 0, places: 0 };

    /// Compares a count with it.
    pub(crate) fn of_count(self, count: u64) -> Ordering {
        self.compare(u128::from(count), 1)
    }

    /// Compares the share of a count with it, in percent. Of nothing, every share is 0.
    pub(crate) fn of_share(self, count: u64, of: u64) -> Ordering {
        let (count, of) = if of == 0 { (0, 1) } else { (count, of) };
        self.compare(100 * u128::from(count), u128::from(of))
    }

    /// Compares a ratio with it, in integers: at most 2⁶⁴ times a hundred times a number of [`MOST_DIGITS`], which 128 bits hold.
    fn compare(self, part: u128, whole: u128) -> Ordering {
        (part * 10_u128.pow(self.places)).cmp(&(u128::from(self.digits) * whole))
    }
}

impl FromStr for Limit {
    type Err = ();

    fn from_str(text: &str) -> Result<Limit, ()> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].parse::<i32>().map_err(|_| ())?),
            None => (text, 0),
        };
        let mantissa = mantissa.strip_prefix('+').unwrap_or(mantissa);
        let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = || whole.bytes().chain(part.bytes());
        if all().next().is_none() || !all().all(|byte| byte.is_ascii_digit()) {
            return Err(());
        }
        // Zeros at either end say nothing.
        let written: String = all().map(char::from).collect();
        let kept = written.trim_end_matches('0');
        let places = i64::try_from(part.len()).map_err(|_| ())?
            - i64::from(exponent)
            - i64::try_from(written.len() - kept.len()).map_err(|_| ())?;
        let kept = kept.trim_start_matches('0');
        if kept.is_empty() {
            return Ok(Limit::ZERO);
        }
        let most = i64::from(MOST_DIGITS);
        let missing = (-places).max(0);
        if kept.len() as i64 + missing > most || places > most {
            return Err(());
        }
        let digits = kept.parse::<u64>().map_err(|_| ())? * 10_u64.pow(missing as u32);
        Ok(Limit { digits, places: places.max(0) as u32 })
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = 10_u64.pow(self.places);
        write!(f, "{}", self.digits / one)?;
        if self.places > 0 {
            write!(f, ".{:0width$}", self.digits % one, width = self.places as usize)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_read_and_written_as_it_is_meant() {
        for (text, written) in [
            ("7", "7"),
            ("007.50", "7.5"),
            (".5", "0.5"),
            ("5.", "5"),
            ("+0.050", "0.05"),
            ("0.000", "0"),
            ("1.5e2", "150"),
            ("25e-1", "2.5"),
            ("1000", "1000"),
        ] {
            assert_eq!(text.parse::<Limit>().unwrap().to_string(), written, "{text}");
        }
        for text in
            ["", ".", "e3", "-1", "1.2.3", "1,5", "inf", "nan", "0x10", "1e16", "1e-16", "12345678901234567"]
        {
            assert_eq!(text.parse::<Limit>(), Err(()), "{text}");
        }
    }

    /// Each share of each total up to 300 that has a decimal number is equal to it, and its neighbors are on the right side.
    #[test]
    fn every_share_is_compared_exactly() {
        for total in 1_u64..=300 {
            for count in 0..=total {
                // In hundred-thousandths of a percent, rounded down; exact where nothing is left.
                let (share, left) = (count * 10_000_000 / total, count * 10_000_000 % total);
                let limit = |share: u64| -> Limit {
                    format!("{}.{:05}", share / 100_000, share % 100_000).parse().unwrap()
                };
                let expected = if left == 0 { Ordering::Equal } else { Ordering::Greater };
                assert_eq!(limit(share).of_share(count, total), expected, "{count} of {total}");
                assert_eq!(limit(share + 1).of_share(count, total), Ordering::Less, "{count} of {total}");
                if share > 0 {
                    assert_eq!(limit(share - 1).of_share(count, total), Ordering::Greater);
                }
                assert_eq!(format!("{count}.0").parse::<Limit>().unwrap().of_count(count), Ordering::Equal);
            }
        }
        assert_eq!(Limit::ZERO.of_share(0, 0), Ordering::Equal);
        let longest: Limit = "0.000000000000001".parse().unwrap();
        assert_eq!(longest.of_share(u64::MAX, u64::MAX), Ordering::Greater);
    }
}
