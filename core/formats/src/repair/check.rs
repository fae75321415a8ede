//! Whether a plan can be carried out, before anybody tries.

use super::edits::Edits;
use super::in_place::require_whole;
use crate::Result;
use chaffinch_compute::job::Job;
use chaffinch_review::repair::Plan;

/// Does all of a plan but writing.
///
/// # Errors
/// When applying it would refuse it, with the same words, or when stopped.
pub fn check(plan: &Plan, job: &Job<'_>) -> Result<()> {
    require_whole(&plan.dataset.path())?;
    Edits::of(plan, job).map(drop)
}
