//! The program itself: help, macros, switches, and leaving it.

use super::{Effect, Effects, clipboard, engine, macros, mark, motion, prompt, say};
use crate::action::kind::Program;
use crate::model::{Level, Model};

/// Does an action about the program.
pub(super) fn act(model: &mut Model, action: Program, fx: &mut Effects) {
    match action {
        Program::ToggleAdvance => {
            model.advance = !model.advance;
            let text = if model.advance { "after a decision: go on" } else { "after a decision: stay" };
            say(model, Level::Info, text);
            motion::touch(model);
        }
        Program::RecordMacro => macros::record(model),
        Program::ReplayMacro => macros::replay(model, 1),
        Program::ReplayMacroTimes => prompt::open_times(model),
        Program::ToggleMouse => {
            model.mouse = !model.mouse;
            let text = if model.mouse {
                "clicks and the wheel work here; hold Shift to select text"
            } else {
                "the mouse selects text as usual"
            };
            say(model, Level::Info, text);
            fx.push(Effect::Mouse(model.mouse));
        }
        Program::CopyRecord => clipboard::record(model, fx),
        Program::Help => prompt::open_help(model),
        Program::Palette => prompt::open_palette(model),
        Program::Redraw => {
            model.forget_views();
            model.rows.mark_stale();
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
    if model.now < model.interrupt_until {
        // The second time nothing is waited for any longer than a moment.
        return quit(model, 1_000, fx);
    }
    model.interrupt_until = model.now + 1_500;
    let busy = model.visual.is_some() || model.walk.is_some() || !model.marks.is_empty() || model.zoom;
    mark::clear(model);
    let text = if busy { "cancelled; once more quits" } else { "once more quits" };
    say(model, Level::Info, text);
}

/// Quits once everything is saved, or when waiting for it has lasted too long.
fn quit(model: &mut Model, wait: u64, fx: &mut Effects) {
    engine::remember(model, fx);
    let open = model.journal.outstanding.len();
    if open == 0 {
        fx.push(Effect::Quit(0));
    } else {
        let until = model.now + wait;
        model.quitting = Some(model.quitting.map_or(until, |earlier| earlier.min(until)));
        say(model, Level::Info, format!("saving {open}…"));
    }
}
