//! Gates: limits on counts, for scripts that must stop when a dataset gets worse.

use crate::counts::Count;
use crate::limit::Limit;
use crate::{Error, Result};
use chaffinch_data::nearest;
use chaffinch_protocol::display::{safe_text, thousands};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A limit that must not be reached: `leaks>0`, `label-quality>=1.5%`. A name alone stands for `NAME>0`. `detector:leaks>0` is
/// about what the detector `leaks` flags, although there is a count of that name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    name: String,
    /// Whether only a detector is meant.
    detector: bool,
    /// The comparison as it was written.
    sign: &'static str,
    comparison: Comparison,
    limit: Limit,
    /// Whether the limit is a share, in percent.
    share: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Above,
    AtLeast,
    Below,
    AtMost,
    Equal,
    Unequal,
}

/// What is before the name of a detector.
const DETECTOR: &str = "detector:";

/// Longer signs before those that begin like them.
const SIGNS: [(&str, Comparison); 7] = [
    (">=", Comparison::AtLeast),
    ("<=", Comparison::AtMost),
    ("==", Comparison::Equal),
    ("!=", Comparison::Unequal),
    (">", Comparison::Above),
    ("<", Comparison::Below),
    ("=", Comparison::Equal),
];

impl Comparison {
    /// Whether it holds for a number that has this order to the limit.
    fn holds(self, order: Ordering) -> bool {
        match self {
            Comparison::Above => order.is_gt(),
            Comparison::AtLeast => order.is_ge(),
            Comparison::Below => order.is_lt(),
            Comparison::AtMost => order.is_le(),
            Comparison::Equal => order.is_eq(),
            Comparison::Unequal => order.is_ne(),
        }
    }
}

impl FromStr for Gate {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Gate, String> {
        let text = text.trim();
        let named = |name: &str| -> std::result::Result<String, String> {
            let name = name.trim();
            match name.is_empty() || name.contains(char::is_whitespace) {
                true => Err("expected the name of a count and a limit, such as leaks>0".to_owned()),
                false => Ok(name.to_owned()),
            }
        };
        let at = text.find(['>', '<', '=', '!']);
        let (name, rest) = text.split_at(at.unwrap_or(text.len()));
        let (detector, name) = match name.trim().strip_prefix(DETECTOR) {
            Some(name) => (true, named(name)?),
            None => (false, named(name)?),
        };
        if at.is_none() {
            return Ok(Gate {
                name,
                detector,
                sign: ">",
                comparison: Comparison::Above,
                limit: Limit::ZERO,
                share: false,
            });
        }
        let Some((sign, comparison)) = SIGNS.into_iter().find(|(sign, _)| rest.starts_with(sign)) else {
            return Err("expected one of > >= < <= = != after the name".to_owned());
        };
        let number = rest[sign.len()..].trim();
        let (number, share) = match number.strip_suffix('%') {
            Some(number) => (number.trim_end(), true),
            None => (number, false),
        };
        let limit: Limit = number.parse().map_err(|()| {
            format!("'{}' is not a limit: expected a number such as 10 or 1.5%", safe_text(number))
        })?;
        if share && limit.of_count(100).is_lt() {
            return Err(format!("{limit}% is more than everything"));
        }
        Ok(Gate { name, detector, sign, comparison, limit, share })
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = if self.share { "%" } else { "" };
        write!(f, "{}{}{}{percent}", self.named(), self.sign, self.limit)
    }
}

/// What is known of detectors that have no results.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// Detectors that exist, whether they ran or not.
    pub detectors: &'a [String],
    /// Detectors that failed, with the reason.
    pub failed: &'a [(String, String)],
}

/// The answer of a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// Whether the limit was reached, or cannot be compared with because a detector has no results.
    pub failed: bool,
    /// What was compared, in a sentence.
    pub sentence: String,
}

/// Compares each gate with its count.
///
/// # Errors
/// If a gate names no count and no detector, or compares a share of something that has none.
pub fn judge(gates: &[Gate], counts: &[Count], known: Known<'_>) -> Result<Vec<Judged>> {
    gates.iter().map(|gate| gate.judge(counts, known)).collect()
}

/// Counts to which every detector contributes, so that one that failed leaves them too low.
const OF_ALL: [&str; 4] = ["suspects", "undecided", "leaks", "leak-groups"];

impl Gate {
    /// Its name as it is written, made safe for a terminal.
    fn named(&self) -> String {
        format!("{}{}", if self.detector { DETECTOR } else { "" }, safe_text(&self.name))
    }

    fn judge(&self, counts: &[Count], known: Known<'_>) -> Result<Judged> {
        let missing = |why: String| Judged { failed: true, sentence: format!("{self}: {why}") };
        // A result from before is not an answer about the dataset as it is now.
        if let Some((name, why)) = known.failed.iter().find(|(name, _)| *name == self.name) {
            let (name, why) = (safe_text(name), safe_text(why));
            return Ok(missing(format!("{name} failed, so there is nothing to compare: {why}")));
        }
        // Other counts come before those of detectors.
        let is_meant = |count: &&Count| count.name == self.name && (count.detector || !self.detector);
        let Some(count) = counts.iter().find(is_meant) else {
            if known.detectors.contains(&self.name) {
                let name = safe_text(&self.name);
                return Ok(missing(format!(
                    "{name} has no results, so there is nothing to compare; scan with it"
                )));
            }
            return Err(self.unknown(counts, known));
        };
        let (order, share) = match (self.share, count.of) {
            (false, _) => (self.limit.of_count(count.value), None),
            (true, Some(of)) => (self.limit.of_share(count.value, of), Some(of)),
            (true, None) => {
                let what = &count.what;
                let message = format!("{self}: there is no share of {what}; compare with a number");
                return Err(Error::Invalid(message));
            }
        };
        let failed = self.comparison.holds(order);
        let of_all = !count.detector && OF_ALL.contains(&self.name.as_str());
        let failure = known.failed.first().filter(|_| !failed && of_all);
        if let Some((name, _)) = failure {
            return Ok(missing(format!("{} failed, so {} may be more", safe_text(name), count.what)));
        }
        let share = share.map_or_else(String::new, |of| {
            format!(" of {} ({:.2} %)", thousands(of), 100.0 * count.share().unwrap_or_default())
        });
        let sentence = format!("{self}: {}{share} {}", thousands(count.value), count.what);
        Ok(Judged { failed, sentence })
    }

    fn unknown(&self, counts: &[Count], known: Known<'_>) -> Error {
        let names = || {
            let counted = counts.iter().filter(|count| count.detector || !self.detector);
            let counted = counted.map(|count| count.name.as_str());
            counted.chain(known.detectors.iter().map(String::as_str))
        };
        let hint = nearest::hint(&self.name, names());
        let mut all: Vec<&str> = Vec::new();
        for name in names() {
            if !all.contains(&name) {
                all.push(name);
            }
        }
        let all: Vec<_> = all.into_iter().map(safe_text).collect();
        let (one, all_are) = match self.detector {
            true => ("detector", "detectors"),
            false => ("count", "counts"),
        };
        let name = safe_text(&self.name);
        Error::Invalid(format!("there is no {one} '{name}'{hint}; the {all_are} are {}", all.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts() -> Vec<Count> {
        let count = |name: &str, value, of, what: &str| Count {
            name: name.into(),
            value,
            of,
            what: what.into(),
            detector: false,
        };
        vec![
            count("samples", 1000, Some(1000), "samples of the dataset"),
            count("suspects", 12, Some(1000), "suspects"),
            count("leaks", 0, Some(1000), "samples with a copy in another split"),
            count("warnings", 3, None, "warnings about the dataset"),
        ]
    }

    #[test]
    fn a_detector_that_is_called_like_a_count_can_be_named() {
        let mut all = counts();
        all.push(Count {
            name: "leaks".into(),
            value: 7,
            of: Some(1000),
            what: "samples flagged by leaks".into(),
            detector: true,
        });
        let detectors = ["leaks".to_owned(), "mine".to_owned()];
        let known = Known { detectors: &detectors, failed: &[] };
        let ask =
            |gate: &str| judge(&[gate.parse().unwrap()], &all, known).map(|mut judged| judged.remove(0));
        assert!(!ask("leaks>0").unwrap().failed);
        assert!(ask("detector:leaks").unwrap().failed);
        let judged = ask("detector:leaks > 0.5%").unwrap();
        assert_eq!(judged.sentence, "detector:leaks>0.5%: 7 of 1,000 (0.70 %) samples flagged by leaks");
        assert!(ask("detector:mine>5").unwrap().sentence.contains("mine has no results"));
        // A count is not a detector.
        let error = ask("detector:suspects>0").unwrap_err().to_string();
        assert!(
            error.contains("there is no detector 'suspects'") && error.contains("leaks, mine"),
            "{error}"
        );
        assert!("detector:".parse::<Gate>().is_err());
    }

    fn failed(gate: &str) -> bool {
        judge(&[gate.parse().unwrap()], &counts(), Known::default()).unwrap()[0].failed
    }

    #[test]
    fn a_gate_is_shown_with_the_sign_that_was_written() {
        for gate in ["leaks=7%", "leaks==7%", "leaks!=3", "leaks>=1", "detector:leaks>0"] {
            assert_eq!(gate.parse::<Gate>().unwrap().to_string(), gate);
        }
        assert_eq!("leaks".parse::<Gate>().unwrap().to_string(), "leaks>0");
    }

    #[test]
    fn limits_compare_as_they_are_written() {
        for gate in
            ["suspects", "suspects>11", "suspects >= 12", "suspects<=12", "suspects=12", "suspects!=3"]
        {
            assert!(failed(gate), "{gate}");
        }
        for gate in ["leaks", "leaks>0", "suspects>12", "suspects<12", "suspects==11", "suspects != 12"] {
            assert!(!failed(gate), "{gate}");
        }
        // 12 of 1,000 are 1.2 %.
        assert!(failed("suspects>1%") && failed("suspects > 1.19 %") && !failed("suspects>1.2%"));
        assert!(failed("samples>=100%"));
    }

    /// As floating-point numbers, 7 of 100 are more than 7 %, and 110 of 400 more than 27.5 %.
    #[test]
    fn a_share_at_its_limit_is_equal_to_it() {
        for (value, of, limit) in [(7, 100, "7%"), (14, 100, "14 %"), (55, 100, "55.0%"), (110, 400, "27.5%")]
        {
            let count = Count { value, of: Some(of), ..counts().remove(1) };
            let failed = |sign: &str| {
                let gate: Gate = format!("suspects{sign}{limit}").parse().unwrap();
                judge(&[gate], std::slice::from_ref(&count), Known::default()).unwrap()[0].failed
            };
            for (sign, fails) in
                [(">", false), ("!=", false), ("<", false), ("=", true), ("<=", true), (">=", true)]
            {
                assert_eq!(failed(sign), fails, "{value} of {of} {sign}{limit}");
            }
        }
    }

    #[test]
    fn what_is_no_gate_is_refused() {
        for text in ["", ">3", "leaks>", "leaks>x", "leaks>-1", "leaks>nan", "leaks>101%", "leaks!3", "a b>1"]
        {
            assert!(text.parse::<Gate>().is_err(), "{text}");
        }
        let gate: Gate = "suspcts>1".parse().unwrap();
        let error = judge(&[gate], &counts(), Known::default()).unwrap_err().to_string();
        assert!(error.contains("did you mean") && error.contains("warnings"), "{error}");
        let gate: Gate = "warnings>1%".parse().unwrap();
        assert!(judge(&[gate], &counts(), Known::default()).is_err());
    }

    #[test]
    fn a_detector_without_results_never_passes() {
        let detectors = ["mine".to_owned()];
        let broken = [("theirs".to_owned(), "it panicked".to_owned())];
        let known = Known { detectors: &detectors, failed: &broken };
        let ask = |gate: &str| judge(&[gate.parse().unwrap()], &counts(), known).unwrap().remove(0);
        for gate in ["mine>0", "mine>100%", "mine<1", "theirs>5", "leaks>0", "suspects>50"] {
            assert!(ask(gate).failed, "{gate}");
        }
        assert!(ask("theirs>5").sentence.contains("it panicked"));
        assert!(!ask("warnings>5").failed);
    }

    #[test]
    fn a_sentence_says_what_was_compared() {
        let gate: Gate = "suspects>1%".parse().unwrap();
        let judged = judge(&[gate], &counts(), Known::default()).unwrap().remove(0);
        assert_eq!(judged.sentence, "suspects>1%: 12 of 1,000 (1.20 %) suspects");
    }
}
