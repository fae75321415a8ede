//! Matrices and columns as they were read, before they are bound to classes.

use chaffinch_data::columns::Column;

/// Numbers as wide as the file has them.
#[derive(Debug, Clone, PartialEq)]
pub enum Numbers {
    /// 32 bits.
    Single(Column<f32>),
    /// 64 bits.
    Double(Column<f64>),
}

/// A matrix from a file, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// `rows * cols` numbers.
    pub numbers: Numbers,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
    /// The heading, where the file has one.
    pub names: Option<Vec<String>>,
}

/// One value a row from a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Whole numbers.
    Numbers(Vec<i64>),
    /// Yes or no.
    Flags(Vec<bool>),
    /// Names.
    Names(Vec<String>),
}

impl Values {
    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Values::Numbers(values) => values.len(),
            Values::Flags(values) => values.len(),
            Values::Names(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
