//! Marking rows.

use super::{Effects, motion, show, walk};
use crate::action::kind::Mark;
use crate::model::{Model, Then};

/// Handles a mark action.
pub(super) fn act(model: &mut Model, action: Mark, fx: &mut Effects) {
    let cursor = model.list.cursor;
    match action {
        Mark::Mark => {
            if model.sample().is_some() {
                toggle(model);
                motion::go(model, cursor.saturating_add(1));
            }
        }
        Mark::Visual => match model.review.visual.take() {
            Some(from) => walk::gather(model, from.min(cursor), from.max(cursor), Then::Mark, fx),
            None => model.review.visual = Some(cursor),
        },
        Mark::MarkAll => walk::gather(model, 0, model.list.total.saturating_sub(1), Then::Mark, fx),
        Mark::ClearMarks => {
            if show::stop(model) {
                return;
            }
            // Marks first, which are shown on every page; then back by one page.
            if model.review.marks.is_empty() && show::back(model) {
                return;
            }
            clear(model);
        }
    }
}

/// Marks or unmarks the sample under the cursor.
pub(crate) fn toggle(model: &mut Model) {
    model.list.placed = true;
    if let Some(sample) = model.sample()
        && !model.review.marks.remove(&sample)
    {
        model.review.marks.insert(sample);
    }
}

/// Clears marks, or else search and message.
fn clear(model: &mut Model) {
    model.toast = None;
    if model.review.marks.is_empty() {
        model.list.search.clear();
    }
    model.review.marks.clear();
}
