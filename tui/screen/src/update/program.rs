//! The program itself: help, macros, toggles and quitting.

use super::{Effect, Effects, clipboard, engine, macros, motion, open, panels, say, send, show};
use crate::action::kind::Program;
use crate::model::{Consequence, Level, Model};
use chaffinch_protocol::{Command, Sort};

/// Handles an action on the program.
pub(super) fn act(model: &mut Model, action: Program, fx: &mut Effects) {
    match action {
        Program::ToggleAdvance => {
            model.review.advance = !model.review.advance;
            let text = if model.review.advance { "auto-advance on" } else { "auto-advance off" };
            say(model, Level::Info, text);
            motion::touch(model);
        }
        Program::ToggleBlind => blind(model, fx),
        Program::RecordMacro => macros::record(model),
        Program::ReplayMacro => macros::replay(model, 1),
        Program::ReplayMacroTimes => open::times(model),
        Program::ToggleMouse => {
            model.display.mouse = !model.display.mouse;
            let text = if model.display.mouse {
                "mouse on; hold Shift to select text"
            } else {
                "mouse off: it selects text as usual"
            };
            say(model, Level::Info, text);
            fx.push(Effect::Mouse(model.display.mouse));
        }
        Program::OpenWith => open_with(model, fx),
        Program::Theme => open::theme(model),
        Program::ToggleStrip => {
            let strip = &mut model.display.arrangement.strip;
            *strip = !*strip;
            let text = match (*strip, model.layout().thumbs) {
                (true, 0) => "strip on; it needs a larger window",
                (true, _) => "strip on",
                (false, _) => "strip off",
            };
            say(model, Level::Info, text);
        }
        Program::ToggleRegions => regions(model),
        Program::ToggleRelevance => relevance(model),
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
        Program::Back => {
            if !show::stop(model) && !panels::back(model, fx) && !show::back(model) {
                leave(model, fx);
            }
        }
        Program::Quit => leave(model, fx),
    }
}

/// Begins a blind review, or ends it: what is seen then cannot be unseen, so that is asked first.
fn blind(model: &mut Model, fx: &mut Effects) {
    let Some(session) = &model.session else { return };
    if session.blind.is_some() {
        let question = "show what others decided? what you decide from then on is no longer blind".to_owned();
        let end = Command::Blind { on: false, sample: None, seed: 0 };
        open::ask(model, question, Consequence::Send(end));
        return;
    }
    send(fx, Command::Blind { on: true, sample: None, seed: 0 });
    say(model, Level::Info, "blind review: what others decided is hidden until you end it");
}

/// Marks regions in pictures, or no longer. Pictures have them drawn in, so all are requested again.
fn regions(model: &mut Model) {
    model.display.regions = !model.display.regions;
    model.pictures.clear();
    let some = model.session.as_ref().is_some_and(|session| session.has_regions());
    let text = match (model.display.regions, some) {
        (true, true) => "regions on",
        (true, false) => "regions on; no detector has marked any",
        (false, _) => "regions off",
    };
    say(model, Level::Info, text);
}

/// Lights pictures by relevance, or no longer.
fn relevance(model: &mut Model) {
    model.display.relevance = !model.display.relevance;
    model.pictures.clear();
    let searched = matches!(model.list.query.sort, Sort::Meaning(_));
    let text = match (model.display.relevance, searched) {
        (true, true) => "relevance on: lit where the model sees what is searched for",
        (true, false) => "relevance on: lit where the model sees the given label",
        (false, _) => "relevance off",
    };
    say(model, Level::Info, text);
}

/// Opens the file of the sample with another program.
fn open_with(model: &mut Model, fx: &mut Effects) {
    let Some(row) = model.row() else { return };
    let Some(path) = model.details.get(row.sample).map(|detail| detail.full_path.clone()) else {
        return say(model, Level::Warning, "no sample is loaded yet");
    };
    let own = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut words = model.display.open_with.clone();
    if words.is_empty() {
        words.push(own.to_owned());
    }
    say(model, Level::Info, format!("opening {path} with {}", words[0]));
    words.push(path);
    fx.push(Effect::Run(words));
}

/// Cancels the innermost operation; with nothing to cancel, twice in a row quits.
fn cancel(model: &mut Model, fx: &mut Effects) {
    if model.time.now < model.time.interrupt_until {
        // The second time nothing is waited for any longer than a moment.
        return quit(model, 1_000, fx);
    }
    model.time.interrupt_until = model.time.now + 1_500;
    let stopped = show::stop(model);
    let zoomed = std::mem::take(&mut model.views.look.zoom);
    let marked = !model.review.marks.is_empty();
    model.review.marks.clear();
    let busy = stopped || zoomed || marked;
    let text = if busy { "canceled; press again to quit" } else { "press again to quit" };
    match unsaved(model) {
        Some(words) => say(model, Level::Warning, format!("{text}   {words}")),
        None => say(model, Level::Info, text),
    }
}

/// What is lost if the program ends now, in words.
fn unsaved(model: &Model) -> Option<&'static str> {
    model.views.all.iter().find_map(|page| page.unsaved(model))
}

/// Quits; what would be lost is said first, and the second time it is.
fn leave(model: &mut Model, fx: &mut Effects) {
    match unsaved(model).filter(|_| model.time.now >= model.time.interrupt_until) {
        Some(words) => {
            engine::remember(model, fx);
            model.time.interrupt_until = model.time.now + 5_000;
            say(model, Level::Warning, format!("{words}; quit once more to drop them"));
        }
        None => quit(model, 5_000, fx),
    }
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
