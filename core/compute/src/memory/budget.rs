//! How much memory the program may use, and who said so.

use super::machine::{self, Limit};
use bytesize::ByteSize;
use std::fmt;

/// Where a budget comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The user said it there: an option, a variable or a setting.
    Named(String),
    /// Three quarters of what the system allows, which is so many bytes for this reason.
    Allowed(u64, Limit),
}

/// How much memory the program may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// In bytes.
    pub bytes: u64,
    /// Who said so.
    pub origin: Origin,
}

impl Budget {
    /// The least that the program can work with, in bytes.
    pub const LEAST: u64 = 512 << 20;

    /// Reads an amount such as `8GiB`, which was said in `place`.
    ///
    /// # Errors
    /// A sentence, if it is no amount or too small.
    pub fn parse(text: &str, place: &str) -> Result<Budget, String> {
        match text.trim().parse::<ByteSize>() {
            Ok(size) => {
                let budget = Budget { bytes: size.as_u64(), origin: Origin::Named(place.to_owned()) };
                budget.check().map(|()| budget)
            }
            Err(_) => {
                Err(format!("{place}: '{}' is not an amount of memory such as 8GiB", text.escape_debug()))
            }
        }
    }

    /// What this process may use by default: three quarters of the least of the machine's memory, the limits of its
    /// control groups, and the limit of its address space.
    pub fn of_machine() -> Budget {
        let (bytes, limit) = machine::limit();
        Budget { bytes: bytes / 4 * 3, origin: Origin::Allowed(bytes, limit) }
    }

    /// Whether it is enough to work with.
    ///
    /// # Errors
    /// A sentence that says what is needed, and what to do.
    pub fn check(&self) -> Result<(), String> {
        if self.bytes >= Budget::LEAST {
            return Ok(());
        }
        let (own, least) = (ByteSize(self.bytes), ByteSize(Budget::LEAST));
        Err(match &self.origin {
            Origin::Named(place) => {
                format!("{place}: a memory budget of {own} is too small; Chaffinch needs at least {least}")
            }
            Origin::Allowed(..) => format!(
                "the memory budget of {own} ({}) is too small; Chaffinch needs at least {least}: raise the limit, or \
                 set a budget with --memory",
                self.origin
            ),
        })
    }
}

impl fmt::Display for Budget {
    /// `18.0 GiB, three quarters of the machine's 24.0 GiB`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", ByteSize(self.bytes), self.origin)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Named(place) => write!(f, "as {place} says"),
            Origin::Allowed(bytes, Limit::Machine) => {
                write!(f, "three quarters of the machine's {}", ByteSize(*bytes))
            }
            Origin::Allowed(bytes, Limit::Group(file)) => {
                write!(f, "three quarters of the {} that {} allows", ByteSize(*bytes), file.display())
            }
            Origin::Allowed(bytes, Limit::AddressSpace) => {
                write!(f, "three quarters of the {} that ulimit -v allows", ByteSize(*bytes))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_small_ones_refused_in_a_sentence() {
        assert_eq!(Budget::parse(" 2GiB ", "--memory").unwrap().bytes, 2 << 30);
        assert_eq!(Budget::parse("2000 MB", "--memory").unwrap().bytes, 2_000_000_000);
        let refused = |text| Budget::parse(text, "--memory").unwrap_err();
        assert_eq!(
            refused("100MiB"),
            "--memory: a memory budget of 100.0 MiB is too small; Chaffinch needs at least 512.0 MiB"
        );
        for text in ["much", "", "-1GiB", "8 GiB of it"] {
            assert!(refused(text).contains("is not an amount of memory such as 8GiB"), "{text}");
        }
    }

    #[test]
    fn the_machine_says_where_its_budget_comes_from() {
        let budget = Budget::of_machine();
        assert!(budget.bytes > 0 && budget.to_string().contains("three quarters of the "), "{budget}");
        let small = Budget { bytes: 96 << 20, origin: Origin::Allowed(128 << 20, Limit::AddressSpace) };
        let sentence = small.check().unwrap_err();
        assert!(
            sentence.contains("128.0 MiB that ulimit -v allows") && sentence.contains("--memory"),
            "{sentence}"
        );
    }
}
