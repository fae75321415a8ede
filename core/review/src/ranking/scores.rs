//! The score of every sample, computed on first use: listing the suspects among ten million samples after a threshold
//! change does not need two full columns.

use super::ensemble::Ensemble;
use super::pass::{self, Pass};
use super::score_columns::ScoreColumns;
use std::sync::{Arc, OnceLock};

/// Computed scores, or the ensemble that can compute them.
#[derive(Debug, Clone, Default)]
pub(super) struct Scores {
    count: usize,
    // Shared, so that a clone does not compute them again.
    made: Arc<OnceLock<ScoreColumns>>,
    ensemble: Option<Arc<Ensemble>>,
}

impl Scores {
    /// Scores that are already computed.
    pub(super) fn made(columns: ScoreColumns) -> Scores {
        Scores { count: columns.score.len(), made: Arc::new(OnceLock::from(columns)), ensemble: None }
    }

    /// Scores of `count` samples that this ensemble can compute.
    pub(super) fn later(ensemble: Ensemble, count: usize) -> Scores {
        Scores { count, made: Arc::default(), ensemble: Some(Arc::new(ensemble)) }
    }

    /// The number of samples.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// The columns of all samples.
    pub(super) fn columns(&self) -> &ScoreColumns {
        self.made.get_or_init(|| {
            let pass = self.ensemble.as_deref().map(|ensemble| Pass::new(ensemble, self.count, true));
            pass.and_then(|pass| pass.columns).unwrap_or_default()
        })
    }

    /// The score of one sample; NaN if there is none.
    pub(super) fn of(&self, row: usize) -> f32 {
        match (self.made.get(), &self.ensemble) {
            (Some(made), _) => made.score.get(row).copied().unwrap_or(f32::NAN),
            (None, Some(ensemble)) if row < self.count => pass::score(ensemble, row),
            _ => f32::NAN,
        }
    }
}
