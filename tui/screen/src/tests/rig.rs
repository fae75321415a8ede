//! Model and fake engine, connected so that a test can press keys and look.

use super::engine::FakeEngine;
use crate::key::parse_sequence;
use crate::keymap::Keymap;
use crate::model::Model;
use crate::picture::{HalfBlock, encode};
use crate::theme::{Depth, Theme};
use crate::update::{Effect, Msg, update};
use crate::view::view;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::{Command, Event};
use crossterm::event::{KeyModifiers, MouseEvent, MouseEventKind};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Size;
use std::collections::VecDeque;

/// Everything a test needs.
pub(crate) struct Rig {
    pub(crate) model: Model,
    pub(crate) engine: FakeEngine,
    /// Effects that are not for the engine.
    pub(crate) effects: Vec<Effect>,
    /// While set, commands do not reach the engine.
    pub(crate) cut: bool,
    waiting: VecDeque<Command>,
}

impl Rig {
    pub(crate) fn new(engine: FakeEngine, width: u16, height: u16) -> Rig {
        let theme = Theme::load("dark", Depth::True).unwrap();
        let mut model = Model::new(Keymap::builtin().unwrap(), theme, Size::new(width, height));
        model.jobs.scan_when_stale = false;
        let mut rig = Rig { model, engine, effects: Vec::new(), cut: false, waiting: VecDeque::new() };
        let hello = rig.engine.hello();
        rig.event(hello);
        rig
    }

    /// A hundred samples on a small screen.
    pub(crate) fn small() -> Rig {
        Rig::new(FakeEngine::new(100), 80, 24)
    }

    pub(crate) fn send(&mut self, msg: Msg) {
        let effects = update(&mut self.model, msg);
        self.perform(effects);
        while !self.cut
            && let Some(command) = self.waiting.pop_front()
        {
            for event in self.engine.handle(command) {
                let effects = update(&mut self.model, Msg::Engine(event));
                self.perform(effects);
            }
        }
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send(command) => self.waiting.push_back(command),
                Effect::Encode(job) => {
                    let result = encode(&mut HalfBlock { indexed: false }, &job);
                    let more = update(&mut self.model, Msg::Encoded(result));
                    self.perform(more);
                }
                other => self.effects.push(other),
            }
        }
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.send(Msg::Engine(event));
    }

    /// Presses keys, written as in a keymap, a second apart so that the cursor never travels.
    pub(crate) fn press(&mut self, keys: &str) -> &mut Rig {
        for key in parse_sequence(keys).unwrap() {
            self.wait(1_000);
            self.send(Msg::Key(key.into()));
        }
        self
    }

    pub(crate) fn mouse(&mut self, kind: MouseEventKind, column: u16, row: u16) {
        self.send(Msg::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }));
    }

    pub(crate) fn wait(&mut self, ms: u64) {
        let now = self.model.time.now + ms;
        self.send(Msg::Tick(now));
    }

    /// Takes the commands that have not reached the engine.
    pub(crate) fn pull(&mut self) -> Vec<Command> {
        self.waiting.drain(..).collect()
    }

    /// Connects again, and lets the engine answer what has piled up.
    pub(crate) fn mend(&mut self) {
        self.cut = false;
        self.wait(1);
    }

    pub(crate) fn toast(&self) -> &str {
        self.model.toast.as_ref().map_or("", |toast| toast.text.as_str())
    }

    /// What the engine holds about a sample.
    pub(crate) fn choice(&self, sample: u32) -> Option<Choice> {
        self.engine.samples[sample as usize].decision.as_ref().map(|d| d.choice.clone())
    }

    pub(crate) fn buffer(&self) -> Buffer {
        let size = self.model.display.size;
        let mut terminal = Terminal::new(TestBackend::new(size.width, size.height)).unwrap();
        terminal.draw(|frame| view(&self.model, frame)).unwrap();
        terminal.backend().buffer().clone()
    }

    /// The characters on the screen; half blocks as `▀`, so that pictures show where they are.
    pub(crate) fn screen(&self) -> String {
        let buffer = self.buffer();
        let mut out = String::new();
        for y in 0..buffer.area.height {
            let mut line = String::new();
            let mut skip = 0;
            for x in 0..buffer.area.width {
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                let symbol = buffer[(x, y)].symbol();
                skip = crate::text::width(symbol).saturating_sub(1);
                line.push_str(symbol);
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}
