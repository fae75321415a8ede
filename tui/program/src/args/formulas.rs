//! What becomes of cells that look like formulas.

use chaffinch_formats::export;
use clap::ValueEnum;

/// What `export` does with cells that a spreadsheet would run as formulas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Formulas {
    /// Put an apostrophe in front, which makes them text
    Guard,
    /// Leave them as they are
    Keep,
}

impl From<Formulas> for export::Formulas {
    fn from(formulas: Formulas) -> export::Formulas {
        match formulas {
            Formulas::Guard => export::Formulas::Guard,
            Formulas::Keep => export::Formulas::Keep,
        }
    }
}
