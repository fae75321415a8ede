//! Matrices and columns as they were read, before they are matched to classes.

use chaffinch_data::columns::Column;

/// Numbers in the precision of the file.
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
    /// The header, if the file has one.
    pub names: Option<Vec<String>>,
}

/// One value per row from a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Integers.
    Numbers(Vec<i64>),
    /// Booleans.
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
