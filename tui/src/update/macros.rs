//! Recording keys and pressing them again. What is pressed again waits for what the key before it has asked for, so
//! that it does the same on a slow link as on a fast one.

use super::{Effects, keys, say};
use crate::action::Action;
use crate::key::{Key, parse_sequence, shown};
use crate::model::{LONGEST, Level, MOST, Model, PATIENCE};

/// Begins to record, or ends it.
pub(super) fn record(model: &mut Model) {
    let key = model.keymap.key_for(Action::ReplayMacro).map(shown).unwrap_or_default();
    match model.macros.recording.take() {
        None => {
            model.macros.recording = Some(Vec::new());
            say(model, Level::Info, "recording keys");
        }
        Some(keys) if keys.is_empty() => say(model, Level::Warning, "nothing was recorded"),
        Some(keys) => {
            say(model, Level::Info, format!("recorded {}   {key} replays", shown(&keys)));
            model.macros.last = keys;
            super::motion::touch(model);
        }
    }
}

/// A key goes to the model: it is recorded, unless it belongs to recording or replaying itself.
pub(super) fn note(model: &mut Model, key: Key) {
    if let Some(keys) = &mut model.macros.recording
        && keys.len() < LONGEST
    {
        keys.push(key);
    }
}

/// An action is about to be done by so many keys: those of macros are not part of the recording.
pub(super) fn forget(model: &mut Model, action: Action, count: usize) {
    let own = matches!(action, Action::RecordMacro | Action::ReplayMacro | Action::ReplayMacroTimes);
    if let Some(keys) = model.macros.recording.as_mut().filter(|_| own) {
        keys.truncate(keys.len().saturating_sub(count));
    }
}

/// Presses the recorded keys again.
pub(super) fn replay(model: &mut Model, times: usize) {
    if model.macros.recording.is_some() {
        return say(model, Level::Warning, "end the recording first");
    }
    let keys = model.macros.last.clone();
    if keys.is_empty() {
        let key = model.keymap.key_for(Action::RecordMacro).map(shown).unwrap_or_default();
        return say(model, Level::Warning, format!("nothing is recorded: {key} begins and ends it"));
    }
    let times = times.min(MOST / keys.len());
    model.macros.replay = std::iter::repeat_n(keys, times).flatten().collect();
    model.macros.pressed_at = model.now;
}

/// Presses as many of the waiting keys as can be pressed now.
pub(super) fn go_on(model: &mut Model, fx: &mut Effects) {
    while !model.macros.replay.is_empty() {
        if !calm(model) {
            if model.now > model.macros.pressed_at + PATIENCE {
                model.macros.replay.clear();
                say(model, Level::Warning, "replaying was given up: the engine does not answer");
            }
            return;
        }
        let Some(key) = model.macros.replay.pop_front() else { return };
        model.macros.pressed_at = model.now;
        // Nobody looks at what is passed by, so nothing waits for the cursor to rest.
        model.moved_at = 0;
        let before = model.toast.clone();
        keys::key(model, key, fx);
        // What could not be done as recorded must not be followed by what was meant to come after it.
        let warned = model.toast.as_ref().is_some_and(|toast| toast.level != Level::Info);
        if warned && model.toast != before {
            return model.macros.replay.clear();
        }
        super::settle::settle(model, fx);
    }
}

/// Whether everything that the last key asked for has come.
fn calm(model: &Model) -> bool {
    let list = &model.list;
    let still = list.incoming.is_none() && list.finding.is_none() && list.locating.is_none();
    let here = list.total == 0 || model.sample().is_some_and(|sample| model.details.get(sample).is_some());
    still && model.walk.is_none() && here && model.journal.outstanding.len() < 32
}

/// Takes over what was kept.
pub(super) fn restore(model: &mut Model, text: &str) {
    model.macros.last = parse_sequence(text).unwrap_or_default();
}
