//! Whether a plan can be carried out, before anybody tries.

use super::edits::Edits;
use super::in_place::require_whole;
use crate::Result;
use crate::dataset::columns_that_stay;
use chaffinch_compute::job::Job;
use chaffinch_protocol::display::safe_text;
use chaffinch_review::repair::Plan;

/// Does all of a plan but writing, and returns what it will leave contradictory, as a sentence.
///
/// # Errors
/// When applying it would refuse it, with the same words, or when stopped.
pub fn check(plan: &Plan, job: &Job<'_>) -> Result<Option<String>> {
    require_whole(&plan.dataset.path())?;
    let edits = Edits::of(plan, job)?;
    let stay = if plan.relabeled() > 0 { columns_that_stay(&edits.manifest) } else { Vec::new() };
    let (first, rest) = match stay.split_first() {
        None => return Ok(None),
        Some((first, rest)) => (safe_text(first), rest.len()),
    };
    let (more, goes, stays) = match rest {
        0 => (String::new(), "goes", "stays as it is"),
        rest => (format!(" and {rest} more"), "go", "stay as they are"),
    };
    Ok(Some(format!(
        "the column '{first}'{more} {goes} with the labels, but {stays} in files of this format; correct it where samples \
         are relabeled"
    )))
}
