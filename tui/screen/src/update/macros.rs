//! Recording keys and replaying them.

use super::say;
use crate::action::Action;
use crate::key::{KeyChord, parse_sequence, shown};
use crate::model::{LONGEST, Level, MOST, Model};

/// Starts or stops recording.
pub(super) fn record(model: &mut Model) {
    let key = model.keymap.key_for(Action::ReplayMacro).map(shown).unwrap_or_default();
    match model.macros.recording.take() {
        None => {
            model.macros.recording = Some(Vec::new());
            say(model, Level::Info, "recording keys");
        }
        // As a recording of nothing replaces what was recorded before, the replay key does not run something old.
        Some(keys) if keys.is_empty() => {
            model.macros.last = keys;
            super::motion::touch(model);
            say(model, Level::Warning, "no keys recorded");
        }
        Some(keys) => {
            say(model, Level::Info, format!("recorded {}   {key} replays", shown(&keys)));
            model.macros.last = keys;
            super::motion::touch(model);
        }
    }
}

/// A key goes to the model: it is recorded, unless it belongs to recording or replaying itself.
pub(super) fn note(model: &mut Model, key: KeyChord) {
    if let Some(keys) = &mut model.macros.recording
        && keys.len() < LONGEST
    {
        keys.push(key);
    }
}

/// Called before an action of this many keys: those of macro actions are not recorded.
pub(super) fn forget(model: &mut Model, action: Action, count: usize) {
    let own = matches!(action, Action::RecordMacro | Action::ReplayMacro | Action::ReplayMacroTimes);
    if let Some(keys) = model.macros.recording.as_mut().filter(|_| own) {
        keys.truncate(keys.len().saturating_sub(count));
    }
}

/// Replays the recorded keys.
pub(super) fn replay(model: &mut Model, times: usize) {
    if model.macros.recording.is_some() {
        return say(model, Level::Warning, "stop recording first");
    }
    let keys = model.macros.last.clone();
    if keys.is_empty() {
        let key = model.keymap.key_for(Action::RecordMacro).map(shown).unwrap_or_default();
        return say(model, Level::Warning, format!("nothing recorded: {key} starts and stops recording"));
    }
    let times = times.min(MOST / keys.len());
    model.macros.replay = std::iter::repeat_n(keys, times).flatten().collect();
    model.macros.pressed_at = model.time.now;
}

/// Takes over what was kept.
pub(super) fn restore(model: &mut Model, text: &str) {
    model.macros.last = parse_sequence(text).unwrap_or_default();
}
