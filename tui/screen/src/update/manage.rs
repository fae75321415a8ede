//! Detectors that do not run until someone lets them: what is said about changed code, and letting it in.

use super::{Effects, say, send};
use crate::action::Action;
use crate::key::shown;
use crate::model::{Level, Model};
use chaffinch_protocol::Command;

/// Says once that code has changed, when no key is pressed and nothing else has the keys. It is not a question: one that comes by itself
/// could be answered by a key that was on its way and meant something else.
pub(super) fn tick(model: &mut Model) {
    let Some(changed) = model.untold().cloned() else { return };
    let name = changed.names.first().cloned().unwrap_or_else(|| changed.path.clone());
    if !model.views.spoken && model.tell_at().is_none_or(|at| at > model.time.now) {
        return;
    }
    let how = match model.views.spoken {
        true => format!("chaffinch plugins let-in {name} runs it as it is now"),
        false => {
            let key = |action| model.keymap.key_for(action).map(shown).unwrap_or_default();
            format!("{}, then {}, lets it in", key(Action::ManageDetectors), key(Action::PanelLetIn))
        }
    };
    let names = match changed.names.as_slice() {
        [] => changed.path.clone(),
        names => names.join(", "),
    };
    let text = format!("{names}: the code has changed since it was first used: {how} ({})", changed.what);
    model.jobs.told.insert((changed.path, changed.now));
    model.jobs.note(text.clone());
    say(model, Level::Warning, text);
}

/// Lets a detector in, which runs then: the code with the digest that was shown, and no other.
pub(crate) fn let_in(model: &mut Model, detector: String, shown: String, fx: &mut Effects) {
    say(model, Level::Info, format!("letting {detector} in"));
    send(fx, Command::LetIn { detector, shown });
}
