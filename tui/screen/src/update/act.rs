//! Dispatches actions. Each kind of action is matched exhaustively in one file, so that none
//! can be forgotten: the compiler reports it.

use super::{
    Effects, ahead, clipboard, decide, detector, find, job, look, mark, moving, panels, program, prompt, say,
};
use crate::action::{Action, Kind, Scope};
use crate::key::shown;
use crate::model::{Level, Mode, Model};

/// Handles one action and its consequences.
pub fn act(model: &mut Model, action: Action, fx: &mut Effects) {
    act_one(model, action, fx);
    act_next(model, fx);
}

/// Runs the action selected in the palette, or one that has waited for rows.
pub(super) fn act_next(model: &mut Model, fx: &mut Effects) {
    while let Some(action) = model.next.filter(|action| ahead::can_be_done(model, *action)) {
        model.next = None;
        act_one(model, action, fx);
    }
}

fn act_one(model: &mut Model, action: Action, fx: &mut Effects) {
    if matches!(model.toast, Some(ref toast) if toast.level != Level::Info) {
        model.toast = None;
    }
    if let Some(whom) = model.watched().filter(|_| decides(action)) {
        let text = format!("you are watching {whom}, who decides: open with --take-over to decide here");
        return say(model, Level::Warning, text);
    }
    if action.scope() == Scope::List {
        if model.views.spoken && needs_pictures(model, action) {
            let text = format!("{action} needs a screen: it is not in line mode");
            return say(model, Level::Warning, text);
        }
        // The current page may handle it itself; the default handling follows.
        let page = model.views.page;
        if !matches!(model.mode, Mode::Panel(_)) && page.act(model, action, fx) {
            return;
        }
        // What it does not know would move the cursor of the list, which is out of sight.
        if matches!(action.kind(), Kind::Move(_)) && !page.is_over_the_list() && model.mode == Mode::List {
            let keys = model.keymap.key_for(action).map_or_else(|| action.name().to_owned(), shown);
            return say(model, Level::Warning, format!("{keys} is not used on this page"));
        }
    }
    match action.kind() {
        Kind::Decide(it) => decide::act(model, it, fx),
        Kind::Move(it) => moving::act(model, it, fx),
        Kind::Mark(it) => mark::act(model, it, fx),
        Kind::Find(it) => find::act(model, it, fx),
        Kind::Detector(it) => detector::act(model, it, fx),
        Kind::Look(it) => look::act(model, it),
        Kind::View(_) | Kind::Page(_) => panels::open_by(model, action, fx),
        Kind::Clipboard(it) => clipboard::act(model, it, fx),
        Kind::Job(it) => job::act(model, it, fx),
        Kind::Program(it) => program::act(model, it, fx),
        Kind::Prompt(_) if panels::editing(model) => panels::prompt(model, action, fx),
        Kind::Prompt(it) => prompt::act(model, it, fx),
        Kind::Pane(_) | Kind::Panel(_) => panels::act_in_page(model, action, fx),
    }
}

/// Whether an action decides, or changes what decisions are seen.
fn decides(action: Action) -> bool {
    matches!(action.kind(), Kind::Decide(_)) || matches!(action, Action::ToggleBlind)
}

/// Whether an action is pointless in line mode.
fn needs_pictures(model: &Model, action: Action) -> bool {
    match action {
        Action::ActualSize | Action::Larger | Action::Smaller => true,
        _ => model.views.opened_by(action).is_some_and(|page| page.needs_pictures(action)),
    }
}
