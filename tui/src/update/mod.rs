//! From a message to a new state and to what is to be done. Nothing here draws, waits or touches the outside.

mod act;
mod complete;
mod decide;
mod engine;
mod form;
mod keys;
mod macros;
mod motion;
mod panels;
mod prompt;
mod record;
mod settle;
mod views;
mod walk;

pub use act::act;
pub(crate) use complete::options as completions;
pub(crate) use decide::group;
pub(crate) use macros::kept as recorded;
pub(crate) use motion::sort_name;
pub(crate) use panels::detector as chosen_detector;
pub(crate) use settle::main_key;

/// Whether a row has what was searched for.
pub(crate) fn hit(model: &Model, row: &chaffinch_protocol::Row) -> bool {
    walk::matches(model, row, &model.search.to_lowercase())
}

use crate::action::Action;
use crate::key::KeyChord;
use crate::model::{Level, Model, Toast};
use crate::picture::{EncodeJob, EncodeResult, Protocol};
use chaffinch_protocol::{Command, Event};
use crossterm::event::{KeyEvent, MouseEvent};
use std::collections::BTreeMap;

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
    /// The engine speaks.
    Engine(Event),
    /// A picture is ready.
    Encoded(EncodeResult),
    /// Pictures are shown by this protocol from now on, in cells of this size; or by characters.
    Target(Option<(Protocol, (u32, u32))>),
    /// The terminal holds these pictures, by key, under these numbers.
    Live(BTreeMap<u64, u8>),
    /// Pictures take so many bytes a second on their way.
    Link(Option<u32>),
    /// An action without a key, from the palette or a replayed session.
    Act(Action),
    /// A thread said something for the log.
    Log(String),
    /// It is now this many milliseconds since the start.
    Tick(u64),
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Tell the engine.
    Send(Command),
    /// Make a picture ready.
    Encode(EncodeJob),
    /// Put text into the clipboard of the person's terminal.
    Copy(String),
    /// Draw everything again.
    Redraw,
    /// Take clicks and the wheel, or leave them to the terminal.
    Mouse(bool),
    /// Give the terminal back and stop.
    Suspend,
    /// Leave: the engine has ended.
    Gone,
    /// Leave; this many decisions are not known to be saved.
    Quit(usize),
}

/// The effects of one message.
pub type Effects = Vec<Effect>;

/// Takes one message in.
pub fn update(model: &mut Model, msg: Msg) -> Effects {
    let mut fx = Effects::new();
    if matches!(msg, Msg::Key(_) | Msg::Resize(..)) {
        model.key_at = model.now;
    }
    match msg {
        Msg::Tick(now) => settle::tick(model, now, &mut fx),
        Msg::Key(key) if !model.macros.replay.is_empty() => {
            model.macros.replay.clear();
            let key = KeyChord::from(key);
            say(model, Level::Info, format!("{key} stopped the replay"));
        }
        Msg::Key(key) => {
            let key = KeyChord::from(key);
            macros::note(model, key);
            keys::key(model, key, &mut fx);
        }
        Msg::Paste(text) => keys::paste(model, &text),
        Msg::Mouse(event) => keys::mouse(model, event),
        Msg::Resize(width, height) => {
            model.size = (width, height).into();
            let height = motion::page(model);
            model.list.reveal(height);
        }
        Msg::Engine(event) => engine::event(model, event, &mut fx),
        Msg::Encoded(result) => engine::encoded(model, result),
        Msg::Target(target) if target == model.target => {}
        Msg::Target(target) => {
            model.target = target;
            model.pictures.clear();
            model.live.clear();
        }
        Msg::Live(live) => model.live = live,
        Msg::Link(rate) => model.link = rate,
        Msg::Act(action) => act(model, action, &mut fx),
        Msg::Log(line) => engine::log(model, line),
    }
    settle::settle(model, &mut fx);
    macros::go_on(model, &mut fx);
    fx
}

/// Shows a message at the bottom.
fn say(model: &mut Model, level: Level, text: impl Into<String>) {
    // A fault stays until a key answers it.
    let until = (level != Level::Error).then_some(model.now + 8_000);
    model.toast = Some(Toast { level, text: text.into(), until });
}

fn send(fx: &mut Effects, command: Command) {
    fx.push(Effect::Send(command));
}
