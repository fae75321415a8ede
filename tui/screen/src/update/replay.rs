//! Replaying recorded keys. Each waits for the requests of the key before it, so that a replay does the same on a slow
//! link as on a fast one.

use super::{Effects, ahead, say};
use crate::action::{Action, Scope};
use crate::key::KeyChord;
use crate::keymap::Lookup;
use crate::model::{Level, Model, PATIENCE};

/// Replays as many of the waiting keys as possible.
pub(super) fn go_on(model: &mut Model, fx: &mut Effects) {
    while !model.macros.replay.is_empty() {
        if !calm(model) {
            if model.time.now > model.macros.pressed_at + PATIENCE {
                model.macros.replay.clear();
                say(model, Level::Warning, "replay stopped: the engine does not respond");
            }
            return;
        }
        let Some(key) = model.macros.replay.pop_front() else { return };
        model.macros.pressed_at = model.time.now;
        // Skipped samples are not looked at, so nothing waits for the cursor to rest.
        model.time.moved_at = 0;
        let before = model.toast.clone();
        ahead::press(model, key, fx);
        super::act::act_next(model, fx);
        // If a key fails, the rest of the recording must not run.
        let warned = model.toast.as_ref().is_some_and(|toast| toast.level != Level::Info);
        if warned && model.toast != before {
            return model.macros.replay.clear();
        }
        super::settle::settle(model, fx);
    }
}

/// Whether a key stops a replay.
pub(super) fn stops(model: &Model, key: KeyChord) -> bool {
    let action = model.keymap.lookup(Scope::List, &[key]);
    matches!(action, Lookup::Action(Action::Cancel | Action::ClearMarks))
}

/// Whether all requests of the last key are answered.
fn calm(model: &Model) -> bool {
    let list = &model.list;
    let opens = model.panels.awaited && model.panels.opening;
    let still = ahead::still(model) && list.incoming.is_none() && !opens;
    let here = list.total == 0 || model.sample().is_some_and(|sample| model.details.get(sample).is_some());
    let waits = model.next.is_some() || model.views.page.busy(model);
    let saved = model.review.journal.outstanding.len() < 32 && !model.review.journal.moves();
    still && here && !waits && saved
}
