//! The program itself: help, macros, switches, and leaving it.

use super::{Effect, Effects, clipboard, engine, macros, mark, motion, open, say};
use crate::action::kind::Program;
use crate::model::{Level, Model};

/// Does an action about the program.
pub(super) fn act(model: &mut Model, action: Program, fx: &mut Effects) {
    match action {
        Program::ToggleAdvance => {
            model.review.advance = !model.review.advance;
            let text =
                if model.review.advance { "after a decision: go on" } else { "after a decision: stay" };
            say(model, Level::Info, text);
            motion::touch(model);
        }
        Program::RecordMacro => macros::record(model),
        Program::ReplayMacro => macros::replay(model, 1),
        Program::ReplayMacroTimes => open::times(model),
        Program::ToggleMouse => {
            model.display.mouse = !model.display.mouse;
            let text = if model.display.mouse {
                "clicks and the wheel work here; hold Shift to select text"
            } else {
                "the mouse selects text as usual"
            };
            say(model, Level::Info, text);
            fx.push(Effect::Mouse(model.display.mouse));
        }
        Program::CopyRecord => clipboard::record(model, fx),
        Program::Help => open::help(model),
        Program::Palette => open::palette(model),
        Program::Redraw => {
            model.forget_views();
            model.list.rows.mark_stale();
            model.details.expire();
            fx.push(Effect::Redraw);
        }
        Program::Suspend => fx.push(Effect::Suspend),
        Program::Cancel => cancel(model, fx),
        Program::Quit => quit(model, 5_000, fx),
    }
}

/// Cancels the innermost thing; with nothing to cancel, twice in a row quits.
fn cancel(model: &mut Model, fx: &mut Effects) {
    if model.time.now < model.time.interrupt_until {
        // The second time nothing is waited for any longer than a moment.
        return quit(model, 1_000, fx);
    }
    model.time.interrupt_until = model.time.now + 1_500;
    let busy = model.review.visual.is_some()
        || model.list.walk.is_some()
        || !model.review.marks.is_empty()
        || model.views.look.zoom;
    mark::clear(model);
    let text = if busy { "cancelled; once more quits" } else { "once more quits" };
    say(model, Level::Info, text);
}

/// Quits once everything is saved, or when waiting for it has lasted too long.
fn quit(model: &mut Model, wait: u64, fx: &mut Effects) {
    engine::remember(model, fx);
    let open = model.review.journal.outstanding.len();
    if open == 0 {
        fx.push(Effect::Quit(0));
    } else {
        let until = model.time.now + wait;
        model.time.quitting = Some(model.time.quitting.map_or(until, |earlier| earlier.min(until)));
        say(model, Level::Info, format!("saving {open}…"));
    }
}
