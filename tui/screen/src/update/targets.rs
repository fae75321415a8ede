//! The targets of an action.

use super::{Effects, say, walk};
use crate::action::Action;
use crate::model::{Level, Model, Then, group};
use chaffinch_protocol::sample::SampleId;

/// Whether an action applies to more than the sample under the cursor.
fn is_group(action: Action) -> bool {
    matches!(action, Action::KeepGroup | Action::RemoveGroup | Action::RelabelGroup | Action::UnsureGroup)
}

/// The targets of an action: the marked samples; else the group, for group actions; else the sample under
/// the cursor. `None` with a message, or with a walk in progress that repeats the action at its end.
pub(super) fn targets(model: &mut Model, action: Action, fx: &mut Effects) -> Option<Vec<SampleId>> {
    if let Some(from) = model.review.visual.take() {
        let to = model.list.cursor;
        walk::gather(model, from.min(to), from.max(to), Then::Do(action), fx);
        return None;
    }
    if !model.review.marks.is_empty() {
        return Some(model.review.marks.iter().copied().collect());
    }
    let Some(sample) = model.sample() else {
        say(model, Level::Warning, "no sample is loaded yet");
        return None;
    };
    if !is_group(action) {
        return Some(vec![sample]);
    }
    if let Some(group) = model.views.page.group(model) {
        return Some(group);
    }
    let Some(detail) = model.details.get(sample) else {
        say(model, Level::Warning, "the group is still loading");
        return None;
    };
    let group = group(detail);
    if group.is_empty() {
        say(model, Level::Warning, "this sample is in no group: mark samples instead");
        return None;
    }
    Some(group)
}
