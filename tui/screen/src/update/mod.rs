//! Turns messages into new state and effects. Nothing here draws, blocks or touches the outside world.

mod act;
pub(crate) mod ahead;
pub(crate) mod beside;
mod clipboard;
mod complete;
pub(crate) mod decide;
pub(crate) mod detector;
pub(crate) mod each;
mod engine;
mod find;
pub(crate) mod job;
mod keys;
mod look;
mod macros;
pub(crate) mod manage;
pub(crate) mod mark;
pub(crate) mod motion;
mod moving;
pub(crate) mod open;
pub(crate) mod panels;
pub(crate) mod part;
pub(crate) mod pictures;
mod pointer;
mod program;
mod prompt;
mod record;
mod renumbered;
mod replay;
mod saved;
mod search;
mod settle;
pub(crate) mod show;
pub(crate) mod targets;
pub(crate) mod trial;
mod walk;

pub use crate::effect::{Effect, Effects};
pub use act::act;

use crate::action::Action;
use crate::key::KeyChord;
use crate::model::{Level, Model, Toast};
use crate::picture::{EncodeResult, Protocol};
use chaffinch_protocol::{Command, Event};
use crossterm::event::{KeyEvent, MouseEvent, MouseEventKind};
use std::collections::{BTreeMap, BTreeSet};

/// What happened.
#[derive(Clone, Debug)]
pub enum Msg {
    /// A key.
    Key(KeyEvent),
    /// Text pasted at once.
    Paste(String),
    /// The mouse.
    Mouse(MouseEvent),
    /// The terminal has this many columns and rows.
    Resize(u16, u16),
    /// An event from the engine.
    Engine(Event),
    /// A picture is ready.
    Encoded(EncodeResult),
    /// Pictures are shown by this protocol from now on, in cells of this size; or by characters.
    Target(Option<(Protocol, (u32, u32))>),
    /// The terminal holds these pictures, by key: those that placeholders name, with their numbers, and those that it
    /// shows over the cells.
    Live(BTreeMap<u64, u8>, BTreeSet<u64>),
    /// The color behind the terminal's text.
    Ground([u8; 3]),
    /// The measured transfer rate of pictures in bytes per second.
    Link(Option<u32>),
    /// An action without a key, from the palette or a replayed session.
    Act(Action),
    /// Something that was asked for could not be done.
    Failed(String),
    /// A thread said something for the log.
    Log(String),
    /// It is now this many milliseconds since the start.
    Tick(u64),
}

/// Handles one message.
pub fn update(model: &mut Model, msg: Msg) -> Effects {
    let mut fx = Effects::new();
    if matches!(msg, Msg::Key(_) | Msg::Resize(..)) {
        model.time.key_at = model.time.now;
    }
    match msg {
        Msg::Tick(now) => settle::tick(model, now, &mut fx),
        // Other keys wait for its end, as they do for everything before them.
        Msg::Key(key) if !model.macros.replay.is_empty() && replay::stops(model, KeyChord::from(key)) => {
            model.macros.replay.clear();
            model.ahead.typed.clear();
            let key = KeyChord::from(key);
            say(model, Level::Info, format!("{key} stopped the replay"));
        }
        Msg::Key(key) => ahead::key(model, KeyChord::from(key), &mut fx),
        Msg::Paste(text) => ahead::paste(model, text, &mut fx),
        // Where it points would be somewhere else by the time the keys before it are handled.
        Msg::Mouse(_) if !model.ahead.is_empty() => {}
        Msg::Mouse(event) if matches!(event.kind, MouseEventKind::Moved | MouseEventKind::Up(_)) => {}
        Msg::Mouse(event) => leaving(model, |model| {
            if !pointer::click(model, event, &mut fx) {
                keys::mouse(model, event);
            }
        }),
        Msg::Resize(width, height) => {
            model.display.size = (width, height).into();
            let height = motion::page(model);
            model.list.reveal(height);
        }
        Msg::Engine(event) => engine::event(model, event, &mut fx),
        Msg::Encoded(result) => engine::encoded(model, result),
        Msg::Target(target) if target == model.display.target => {}
        Msg::Target(target) => {
            model.display.target = target;
            model.pictures.clear();
            model.display.live.clear();
            model.display.held.clear();
        }
        Msg::Live(live, held) => (model.display.live, model.display.held) = (live, held),
        Msg::Ground(color) => {
            model.display.ground = Some(color);
            model.display.dress();
        }
        Msg::Link(rate) => model.display.link = rate,
        Msg::Act(action) => act(model, action, &mut fx),
        Msg::Failed(text) => say(model, Level::Error, text),
        Msg::Log(line) => model.jobs.note(line),
    }
    ahead::go_on(model, &mut fx);
    settle::settle(model, &mut fx);
    replay::go_on(model, &mut fx);
    // The end of a replay lets go of what was typed after it.
    if model.macros.replay.is_empty() && !model.ahead.is_empty() {
        ahead::go_on(model, &mut fx);
        settle::settle(model, &mut fx);
    }
    fx
}

/// Does something by hand: a message from before, which is about something else, leaves. One that has only just come
/// stays for a moment: it cannot have been read yet.
fn leaving(model: &mut Model, act: impl FnOnce(&mut Model)) {
    /// Milliseconds in which a message cannot have been read, and those that it then has.
    const UNREAD: u64 = 300;
    const MOMENT: u64 = 1_500;
    let before = model.said;
    act(model);
    // The rest of a sequence of keys is yet to come.
    if model.said != before || !model.pending.is_empty() {
        return;
    }
    let now = model.time.now;
    match &mut model.toast {
        Some(toast) if now < toast.at + UNREAD => {
            toast.until = Some(toast.until.map_or(now + MOMENT, |until| until.min(now + MOMENT)));
        }
        toast => *toast = None,
    }
}

/// Shows a message at the bottom.
pub(crate) fn say(model: &mut Model, level: Level, text: impl Into<String>) {
    // An error stays until the next key.
    let until = (level != Level::Error).then_some(model.time.now + 8_000);
    model.said += 1;
    model.toast = Some(Toast { level, text: text.into(), at: model.time.now, until });
}

/// Sends a command to the engine.
pub(crate) fn send(fx: &mut Effects, command: Command) {
    fx.push(Effect::Send(command));
}
