//! Keys in the order in which they were typed. Each waits until what it acts on is known: the row under the cursor, its
//! candidates, the list that the key before it asked for. So a burst of keys decides the same on a slow link as on a
//! fast one, and what a human types after looking never falls on a sample that was not there.

use super::{Effects, act, keys, say, settle};
use crate::action::{Action, Kind, Scope, kind};
use crate::key::KeyChord;
use crate::keymap::Lookup;
use crate::model::{GIVE_UP, Level, Mode, Model, Prompt, Purpose, Typed};
use crate::text::counted;

/// Milliseconds after which Esc stops a search instead of waiting for its end.
const LONG: u64 = 500;
/// Milliseconds in which nobody can have seen that another sample has come under the cursor by itself.
const UNSEEN: u64 = 350;

/// A key was pressed.
pub(super) fn key(model: &mut Model, key: KeyChord, fx: &mut Effects) {
    let cancel = Lookup::Action(Action::Cancel);
    let action = model.keymap.lookup(Scope::List, &[key]);
    if model.is_blank() {
        // Nothing is seen that a key could act on.
        let quits = action == Lookup::Action(Action::Quit) && model.mode.scope() == Scope::List;
        if !quits && action != cancel && action != Lookup::Action(Action::Suspend) {
            return;
        }
    }
    if !model.ahead.is_empty() && action == cancel {
        return drop_all(model, "dropped");
    }
    push(model, Typed::Key(key), fx);
}

/// Text was pasted.
pub(super) fn paste(model: &mut Model, text: String, fx: &mut Effects) {
    if model.is_blank() {
        return;
    }
    push(model, Typed::Paste(text), fx);
}

fn push(model: &mut Model, typed: Typed, fx: &mut Effects) {
    if model.ahead.is_empty() {
        model.ahead.since = model.time.now;
    }
    model.ahead.typed.push_back(typed);
    go_on(model, fx);
}

/// Handles what waits, as far as everything needed is there.
pub(super) fn go_on(model: &mut Model, fx: &mut Effects) {
    loop {
        act::act_next(model, fx);
        if model.next.is_some() || !model.macros.replay.is_empty() {
            return give_up(model);
        }
        let Some(typed) = model.ahead.typed.front() else { return };
        if !can_be_typed(model, typed) {
            return give_up(model);
        }
        let Some(typed) = model.ahead.typed.pop_front() else { return };
        model.ahead.since = model.time.now;
        match typed {
            Typed::Key(key) => press(model, key, fx),
            Typed::Paste(text) => keys::paste(model, &text),
        }
        // Requests what the next key may need.
        if !model.ahead.is_empty() {
            settle::settle(model, fx);
        }
    }
}

/// Handles a key now. A message from before leaves if the key shows something else.
pub(super) fn press(model: &mut Model, key: KeyChord, fx: &mut Effects) {
    super::leaving(model, |model| keys::key(model, key, fx));
}

/// Nothing that was typed is done elsewhere instead: what cannot be answered is dropped with everything after it.
fn give_up(model: &mut Model) {
    let waits = !model.ahead.is_empty() || model.next.is_some();
    if waits && model.time.now >= model.ahead.since + GIVE_UP && model.macros.replay.is_empty() {
        model.next = None;
        drop_all(model, "dropped: the engine does not answer");
    }
}

/// Something else is shown than what was asked for: keys that were typed for that are not to fall on it.
pub(crate) fn drop_for(model: &mut Model, why: &str) {
    if !model.ahead.is_empty() {
        drop_all(model, &format!("dropped: {why}"));
    } else if !std::mem::take(&mut model.macros.replay).is_empty() {
        say(model, Level::Warning, format!("replay stopped: {why}"));
    } else {
        say(model, Level::Info, why);
    }
}

/// Drops everything that waits.
pub(super) fn drop_all(model: &mut Model, why: &str) {
    let count = model.ahead.len() as u64;
    model.ahead.typed.clear();
    model.pending.clear();
    let were = if count == 1 { "was" } else { "were" };
    let text = match count {
        0 if why == "dropped" => return,
        0 => "nothing was decided: the engine does not answer".to_owned(),
        _ => format!("{} typed ahead {were} {why}", counted(count, "key", "keys")),
    };
    say(model, Level::Warning, text);
}

/// Whether everything that this acts on is known.
fn can_be_typed(model: &Model, typed: &Typed) -> bool {
    if matches!(&model.mode, Mode::Prompt(Prompt { closing: Some(_), .. })) {
        return false;
    }
    let Typed::Key(key) = typed else { return true };
    if model.time.quitting.is_some() || matches!(model.mode, Mode::Confirm(_)) {
        return true;
    }
    let keys = [model.pending.as_slice(), &[*key]].concat();
    match keys::lookup(model, &keys) {
        Lookup::Action(action) => can_be_done(model, action),
        // A question may be about to open, which would take the rest of a sequence.
        Lookup::Prefix | Lookup::Nothing => {
            model.mode.scope() != Scope::List || model.review.resolving.is_none() && !gathering(model)
        }
    }
}

/// Whether everything that an action acts on is known.
pub(super) fn can_be_done(model: &Model, action: Action) -> bool {
    use Action as A;
    match action.scope() {
        Scope::Prompt | Scope::Pane => return true,
        Scope::Panel => {
            let chooses = matches!(action, A::PanelAccept | A::PanelNext | A::PanelPrevious);
            let leaves = matches!(action, A::PanelClose | A::PanelCancelJob);
            // What is written is what is on the screen.
            let page = model.panel();
            if !leaves
                && page.is_some_and(|page| page.loading(model) || action == A::PanelRun && page.busy(model))
            {
                return false;
            }
            return leaves || !(model.panels.awaited && (chooses || model.panels.opening));
        }
        Scope::List => {}
    }
    match action {
        A::Redraw | A::Suspend | A::ToggleMouse | A::Cancel => return true,
        // Leaving and closing need nothing but that no decision is being put together.
        A::Quit | A::Back => return model.review.resolving.is_none() && !gathering(model),
        A::ClearMarks if searched_for_long(model) => return true,
        // Each moves the cursor, from where the one before it has left it.
        A::Undo | A::Redo => return still(model) && !model.review.journal.moves(),
        _ => {}
    }
    if model.list.ticket == 0 {
        // Nothing has been shown yet that a key could mean: it says so instead of waiting for it.
        return true;
    }
    if !still(model) || model.review.journal.moves() || model.views.page.busy(model) {
        return false;
    }
    match needs(model, action) {
        Need::Nothing => true,
        Need::ListRow => model.list.total == 0 || model.list.rows.get(model.list.cursor).is_some(),
        Need::Row => row_is_there(model),
        Need::Detail => row_is_there(model) && detail_is_there(model),
        Need::Fresh => {
            let fresh = model.sample().is_none_or(|sample| model.details.fresh(sample));
            row_is_there(model) && fresh && !model.review.journal.tags()
        }
    }
}

/// Whether the cursor and the list stay where they are.
pub(super) fn still(model: &Model) -> bool {
    let list = &model.list;
    let arrives = list.incoming.as_ref().is_some_and(|next| next.keyed || next.find.is_some());
    let moves =
        list.finding.is_some() || list.locating.is_some() || list.searching.is_some() || list.walk.is_some();
    !arrives && !moves && model.review.resolving.is_none()
}

/// Whether rows are being collected for a decision or as marks.
fn gathering(model: &Model) -> bool {
    model.list.walk.as_ref().is_some_and(|walk| matches!(walk.purpose, Purpose::Gather { .. }))
}

fn searched_for_long(model: &Model) -> bool {
    model.list.walk.is_some() && !gathering(model) && model.time.now >= model.ahead.since + LONG
}

/// What an action must know of the sample under the cursor.
enum Need {
    Nothing,
    /// Which it is, so that the cursor can stay on it in another list.
    ListRow,
    /// Its row.
    Row,
    /// What the panel says, perhaps from before the last change.
    Detail,
    /// Its tags and its note as they are now.
    Fresh,
}

fn needs(model: &Model, action: Action) -> Need {
    use Action as A;
    let many = !model.review.marks.is_empty() || model.review.visual.is_some();
    match action {
        A::Note | A::Tag => Need::Fresh,
        // A picker begins with the likely classes; only what the panel shows may be chosen by its number.
        A::Relabel | A::CopyPath | A::CopyRecord | A::GoToOther => Need::Detail,
        A::AcceptSuggestion if many => Need::Row,
        A::AcceptSuggestion => match model.row() {
            Some(row) if row.suggested.is_some() => Need::Row,
            _ => Need::Detail,
        },
        // What is beside the picture is chosen, and it is not known before.
        A::Left | A::Right if model.views.page.name() == "compare" => Need::Detail,
        A::KeepGroup | A::RemoveGroup | A::RelabelGroup | A::UnsureGroup => Need::Detail,
        _ if action.candidate().is_some() => Need::Detail,
        _ => match action.kind() {
            Kind::Find(_) => Need::ListRow,
            Kind::Decide(_) | Kind::View(_) | Kind::Mark(kind::Mark::Mark) => Need::Row,
            Kind::Move(kind::Move::NextClass | kind::Move::PreviousClass) => Need::Row,
            _ => Need::Nothing,
        },
    }
}

fn row_is_there(model: &Model) -> bool {
    if model.views.page.is_over_the_list() {
        return model.list.total == 0 && model.list.ticket != 0 || model.row().is_some();
    }
    // Other pages may have nothing under their cursor.
    model.sample().is_none() || model.row().is_some()
}

fn detail_is_there(model: &Model) -> bool {
    model.sample().is_none_or(|sample| model.details.get(sample).is_some())
}

/// Whether another sample has just come under the cursor by itself, so that a decision cannot mean it.
pub(super) fn unseen(model: &Model, action: Action) -> bool {
    let decides = matches!(action.kind(), Kind::Decide(_)) && !matches!(action, Action::Undo | Action::Redo);
    let one = model.review.marks.is_empty() && model.review.visual.is_none();
    let over = model.views.page.is_over_the_list() && model.mode == Mode::List;
    let just = model.list.changed_at.is_some_and(|at| model.time.now < at + UNSEEN);
    decides && one && over && just
}
