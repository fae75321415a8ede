//! Values that parameters of detectors were set to.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A value of a parameter as it is kept: what has a name is kept by it, since its number is its place in a list that the
/// author of a detector may change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SetValue {
    /// A number; 0 or 1 for a flag. Earlier versions kept choices by number, too.
    Number(f64),
    /// A choice.
    Choice(String),
}

impl fmt::Display for SetValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SetValue::Number(number) => number.fmt(f),
            SetValue::Choice(name) => write!(f, "\"{name}\""),
        }
    }
}
