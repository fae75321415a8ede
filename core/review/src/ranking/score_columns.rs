//! The columns that a rank is made of.

use chaffinch_data::columns::Column;

/// By sample.
#[derive(Debug, Clone, Default)]
pub(super) struct ScoreColumns {
    /// The ensemble's score, NaN where no detector scored the sample.
    pub(super) score: Column<f32>,
    /// What samples that no detector flags are ordered by.
    pub(super) rest: Column<f32>,
}
