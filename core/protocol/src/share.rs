//! A number of samples, or a share of them.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// How many samples are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    /// So many, or all if there are fewer.
    Count(u64),
    /// So many of a hundred, above 0 and at most 100; at least one of them.
    Percent(f64),
}

impl Share {
    /// How many of `all` these are.
    pub fn of(self, all: u64) -> u64 {
        match self {
            Share::Count(count) => count.min(all),
            Share::Percent(percent) => ((all as f64 * percent / 100.0).ceil() as u64).min(all),
        }
    }
}

impl FromStr for Share {
    type Err = String;

    /// Reads `50` or `10%`.
    fn from_str(text: &str) -> Result<Share, String> {
        let wrong = || {
            format!("'{text}' is neither a number of samples, such as 50, nor a share of them, such as 10%")
        };
        match text.strip_suffix('%') {
            Some(number) => match number.trim().parse::<f64>() {
                Ok(percent) if percent > 0.0 && percent <= 100.0 => Ok(Share::Percent(percent)),
                Ok(_) => Err(format!("'{text}' is not above 0% and at most 100%")),
                Err(_) => Err(wrong()),
            },
            None => match text.parse::<u64>() {
                Ok(0) => Err("0 samples are nothing to review".to_owned()),
                Ok(count) => Ok(Share::Count(count)),
                Err(_) => Err(wrong()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Share;

    #[test]
    fn numbers_and_shares_are_read() {
        assert_eq!("50".parse(), Ok(Share::Count(50)));
        assert_eq!("12.5%".parse(), Ok(Share::Percent(12.5)));
        for wrong in ["", "0", "-3", "0%", "101%", "ten", "nan%", "data"] {
            assert!(wrong.parse::<Share>().is_err(), "{wrong}");
        }
        assert_eq!(
            (Share::Count(50).of(9), Share::Percent(10.0).of(9), Share::Percent(10.0).of(0)),
            (9, 1, 0)
        );
    }
}
