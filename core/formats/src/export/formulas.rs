//! Cells that a spreadsheet would run as formulas.

use std::borrow::Cow;

/// What becomes of them in tables for people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Formulas {
    /// They get an apostrophe in front, which makes them text.
    #[default]
    Guard,
    /// They stay as they are.
    Keep,
}

/// Beginnings that a spreadsheet may take for a formula, in half and full width (OWASP, "CSV Injection").
const BEGINNINGS: [&str; 11] =
    ["=", "+", "-", "@", "\t", "\r", "\n", "\u{ff1d}", "\u{ff0b}", "\u{ff0d}", "\u{ff20}"];

impl Formulas {
    /// A cell as it is written: owned where it was changed. Numbers are not formulas.
    pub(super) fn guarded<'a>(self, text: &'a [u8]) -> Cow<'a, [u8]> {
        let begins = BEGINNINGS.iter().any(|beginning| text.starts_with(beginning.as_bytes()));
        match self == Formulas::Guard && begins && !is_number(text) {
            true => Cow::Owned([b"'", text].concat()),
            false => Cow::Borrowed(text),
        }
    }

    /// A summary with how many cells were guarded.
    pub(super) fn told(summary: String, guarded: u64) -> String {
        match guarded {
            0 => summary,
            1 => format!("{summary}, 1 cell that looks like a formula begins with an apostrophe"),
            more => format!("{summary}, {more} cells that look like formulas begin with an apostrophe"),
        }
    }
}

/// Whether a text is a plain number with a sign.
fn is_number(text: &[u8]) -> bool {
    let digits = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-');
    text.iter().all(digits) && std::str::from_utf8(text).is_ok_and(|text| text.parse::<f64>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_begins_with_an_apostrophe() {
        for text in ["=1+1", "+cmd|x", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "--", "-", "\u{ff1d}1", "-1e"] {
            let expected = format!("'{text}");
            assert_eq!(&*Formulas::Guard.guarded(text.as_bytes()), expected.as_bytes(), "{text:?}");
            assert_eq!(&*Formulas::Keep.guarded(text.as_bytes()), text.as_bytes());
        }
        for text in ["", "cat", "a=b", "-1", "+0.5", "-1e-3", "'=1", "1-2"] {
            assert_eq!(&*Formulas::Guard.guarded(text.as_bytes()), text.as_bytes(), "{text:?}");
        }
    }
}
