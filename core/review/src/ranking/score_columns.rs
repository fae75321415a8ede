//! The columns that a rank is made from.

use chaffinch_data::columns::Column;

/// By sample.
#[derive(Debug, Clone, Default)]
pub(super) struct ScoreColumns {
    /// The ensemble's score, NaN if no detector scored the sample.
    pub(super) score: Column<f32>,
    /// The sort key for samples that no detector flags.
    pub(super) rest: Column<f32>,
}
