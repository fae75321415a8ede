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
            if !show::back(model) {
                clear(model);
            }
        }
    }
}

/// Marks or unmarks the sample under the cursor.
pub(crate) fn toggle(model: &mut Model) {
    if let Some(sample) = model.sample()
        && !model.review.marks.remove(&sample)
    {
        model.review.marks.insert(sample);
    }
}

/// Clears range and walk, or else marks, search, message and zoom.
pub(super) fn clear(model: &mut Model) {
    if model.review.visual.take().is_some() || model.list.walk.take().is_some() {
        return;
    }
    model.review.marks.clear();
    model.toast = None;
    model.list.search.clear();
    model.views.look.zoom = false;
}
