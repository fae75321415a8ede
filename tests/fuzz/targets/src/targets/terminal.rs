//! Bytes of the terminal: keys, mouse, pastes, answers to questions; and what the screen does with them.

use crate::Target;
use crate::{chosen, input};
use chaffinch_protocol::sample::{SampleId, Split};
use chaffinch_protocol::{Command, DetectorSummary, Event, PROTOCOL_VERSION, Row, SessionSummary};
use chaffinch_screen::keymap::Keymap;
use chaffinch_screen::model::Model;
use chaffinch_screen::picture::{HalfBlock, Wish, encode};
use chaffinch_screen::terminal::input::Input;
use chaffinch_screen::terminal::parser::Parser;
use chaffinch_screen::terminal::probe::{Answer, answer};
use chaffinch_screen::terminal::traits::Traits;
use chaffinch_screen::theme::{Depth, Theme};
use chaffinch_screen::update::{Effect, Msg, update};
use chaffinch_screen::view::view;
use crossterm::event::{Event as Typed, KeyEventKind};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Size;
use std::collections::VecDeque;

/// The target.
pub const TARGET: Target = Target {
    name: "terminal",
    reads: "what a terminal sends: keys, mouse, pastes, answers to questions, in pieces and with pauses",
    run,
    seeds,
};

/// Samples of the list.
const COUNT: u64 = 40;
/// Messages that follow from one another.
const MOST: usize = 400;

fn run(bytes: &[u8]) {
    let Some((kind, bytes)) = chosen(bytes, 4) else { return };
    let mut whole = Vec::new();
    Parser::default().feed(bytes, &mut whole);
    // The size of the pieces changes nothing.
    let mut pieces = Vec::new();
    let mut parser = Parser::default();
    bytes.chunks(kind + 1).for_each(|piece| parser.feed(piece, &mut pieces));
    assert_eq!(whole, pieces, "in pieces of {}", kind + 1);
    paused(bytes, kind);
    let mut traits = Traits::new(Wish::Auto, Depth::True, |_| None);
    let (width, height) = [(80, 24), (40, 10), (200, 60), (20, 5)][kind];
    let mut rig = Rig::new(width, height);
    for input in whole {
        match input {
            Input::Event(event) => rig.event(event),
            Input::Reply(bytes) => {
                if let Some(found) = answer(&bytes) {
                    traits.learn(&found);
                    if let Answer::Ground(color) = found {
                        rig.send(Msg::Ground(color));
                    }
                    let _ = (traits.protocol(), traits.cell());
                }
            }
        }
    }
    rig.draw();
}

/// With pauses, and while answers are expected.
fn paused(bytes: &[u8], kind: usize) {
    let mut parser = Parser::default();
    let mut out = Vec::new();
    for (number, piece) in bytes.split(|byte| *byte == 0xff).enumerate() {
        parser.expect((number + kind).is_multiple_of(2));
        parser.feed(piece, &mut out);
        if parser.pending() {
            parser.short_silence(&mut out);
            parser.long_silence();
        }
    }
}

thread_local! {
    /// Read once, since that takes longer than most inputs.
    static LOOKS: (Keymap, Theme) = (Keymap::builtin().unwrap(), Theme::load("dark", Depth::True).unwrap());
}

/// The usual keys.
pub(super) fn keymap() -> Keymap {
    LOOKS.with(|looks| looks.0.clone())
}

/// A usual theme.
pub(super) fn theme() -> Theme {
    LOOKS.with(|looks| looks.1.clone())
}

/// A screen with an engine that knows a short list.
pub(super) struct Rig {
    model: Model,
    waiting: VecDeque<Msg>,
    ticket: u64,
    left: usize,
}

impl Rig {
    pub(super) fn new(width: u16, height: u16) -> Rig {
        let mut model = Model::new(keymap(), theme(), Size::new(width, height));
        model.jobs.scan_when_stale = false;
        let mut rig = Rig { model, waiting: VecDeque::new(), ticket: 0, left: MOST };
        let detector =
            DetectorSummary { name: "blurry".into(), threshold: 0.3, ..DetectorSummary::default() };
        let summary = SessionSummary {
            protocol: PROTOCOL_VERSION,
            samples: COUNT,
            suspects: COUNT,
            classes: ["bird", "cat", "dog"].map(str::to_owned).into(),
            detectors: vec![detector],
            reviewer: "anna".into(),
            reviewers: vec!["anna".into()],
            ..SessionSummary::default()
        };
        rig.send(Msg::Engine(Event::Session(Box::new(summary))));
        rig
    }

    pub(super) fn send(&mut self, msg: Msg) {
        self.waiting.push_back(msg);
        while let Some(msg) = self.waiting.pop_front()
            && self.left > 0
        {
            self.left -= 1;
            for effect in update(&mut self.model, msg) {
                match effect {
                    Effect::Send(command) => {
                        let answer = self.answer(command);
                        self.waiting.extend(answer.map(Msg::Engine));
                    }
                    Effect::Encode(job) => {
                        let encoded = encode(&mut HalfBlock { indexed: false }, &job);
                        self.waiting.push_back(Msg::Encoded(encoded));
                    }
                    _ => {}
                }
            }
        }
    }

    /// As the screen's loop passes it on.
    fn event(&mut self, event: Typed) {
        let now = self.model.time.now + 37;
        self.send(Msg::Tick(now));
        match event {
            Typed::Key(key) if key.kind != KeyEventKind::Release => self.send(Msg::Key(key)),
            Typed::Mouse(mouse) => self.send(Msg::Mouse(mouse)),
            Typed::Paste(text) => self.send(Msg::Paste(text)),
            _ => {}
        }
    }

    pub(super) fn type_all(&mut self, keys: &str) {
        let mut typed = Vec::new();
        Parser::default().feed(keys.as_bytes(), &mut typed);
        for input in typed {
            if let Input::Event(event) = input {
                self.event(event);
            }
        }
    }

    pub(super) fn draw(&mut self) {
        let size = self.model.display.size;
        let mut terminal = Terminal::new(TestBackend::new(size.width, size.height)).unwrap();
        terminal.draw(|frame| view(&self.model, frame)).unwrap();
    }

    fn answer(&mut self, command: Command) -> Option<Event> {
        let row = |number: u64| Row {
            sample: SampleId(number as u32),
            path: format!("train/{number}.png"),
            label: Some(number as u32 % 3),
            suggested: (number.is_multiple_of(2)).then_some(1),
            score: Some(0.02 * number as f32),
            flags: vec![0],
            split: Split::Train,
            decision: None,
            value: None,
            content: String::new(),
        };
        Some(match command {
            Command::List { ticket, .. } => {
                self.ticket = ticket;
                Event::Listed { ticket, total: COUNT, decided: 0, by_choice: [0; 4], note: String::new() }
            }
            Command::Rows { ticket, start, len } => {
                let rows = (start..COUNT.min(start.saturating_add(len.into()))).map(row).collect();
                Event::Rows { ticket, start, rows }
            }
            Command::Locate { ticket, sample } => {
                Event::Located { ticket, sample, row: Some(sample.0.into()) }
            }
            Command::FindUndecided { ticket, from, forward } => {
                let next = if forward { from.checked_add(1) } else { from.checked_sub(1) };
                let next = next.filter(|row| *row < COUNT);
                Event::Found { ticket, row: next }
            }
            Command::Decide { .. }
            | Command::DecideEach { .. }
            | Command::Tag { .. }
            | Command::Untag { .. } => Event::NotSaved { message: "the disk is full".into() },
            Command::Undo | Command::Redo => Event::NotSaved { message: "nothing".into() },
            _ => return None,
        })
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let sequences: [&[u8]; 14] = [
        b"jjkx1asu\x12\r\x1b",
        b"\x1b[A\x1b[B\x1bOP\x1b[1;5C\x1b[15~\x1b[Z\x1b[3;2~",
        b"\x1b[<0;10;5M\x1b[<0;10;5m\x1b[<64;3;3M\x1b[<32;400;9M",
        b"\x1b[200~pasted \xc3\xb6 text\x1b[201~",
        b"\x1b_Gi=31;OK\x1b\\\x1b[?62;4;22c\x1b[6;20;10t\x1bP>|kitty(0.40)\x1b\\\x1b]11;rgb:1e1e/2222/ffff\x1b\\\x1b[0n",
        b"fclass:cat\r:quit\x1b",
        b":\xff\x1b\xff[\xffA\xff\x1b]11;rgb:00/00\xff/00\x07",
        b"\x1b[97;5u\x1b[57441;1:3u\x1b[I\x1b[O",
        b"?\x1bdgv\x1bHm'aqa@a.",
        b"\xf0\x9f\x8e\x89\xc3\x28\xff\xfe",
        b"F\tcls\r\x1b,cZ",
        b"\x1b[1;1:2A\x1b[1;1:3A\x1b[27u",
        b"GggvGx\x1bnNty",
        b"e\x1bH\x1bC\x1bS\x1bM\x1bL\x1bJ\x1b",
    ];
    sequences.iter().enumerate().map(|(number, bytes)| input(number % 4, bytes)).collect()
}
