//! Copying to the clipboard of the user's terminal.

use super::{Effect, Effects, record, say};
use crate::action::kind::Clipboard;
use crate::model::{Level, Model};

/// Handles a clipboard action.
pub(super) fn act(model: &mut Model, action: Clipboard, fx: &mut Effects) {
    match action {
        Clipboard::CopyPath => path(model, fx),
    }
}

fn path(model: &mut Model, fx: &mut Effects) {
    let Some(row) = model.row() else { return };
    let path =
        model.details.get(row.sample).map_or_else(|| row.path.clone(), |detail| detail.full_path.clone());
    say(model, Level::Info, format!("copied {path}"));
    fx.push(Effect::Copy(path));
}

/// Copies the record of the sample under the cursor.
pub(super) fn record(model: &mut Model, fx: &mut Effects) {
    match record::record(model) {
        Some(text) => {
            say(model, Level::Info, "copied the record of this sample as JSON");
            fx.push(Effect::Copy(text));
        }
        None => say(model, Level::Warning, "no sample is loaded yet"),
    }
}
