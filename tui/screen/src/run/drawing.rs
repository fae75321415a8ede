//! Output to the terminal: frames, and chunks of pictures between them.

use super::shell::Shell;
use crate::terminal::commands::{QueryStatus, ansi};
use crate::terminal::probe;
use crate::update::Msg;
use crate::view;
use std::time::Instant;

impl Shell<'_> {
    pub(super) fn draw(&mut self) {
        if !self.dirty || self.writing > 0 || !self.too_early().is_zero() || self.over.is_some() {
            return;
        }
        // The link is busy; the next frame shows everything that has happened until then.
        if !self.pacer.text_wait(Instant::now()).is_zero() {
            return;
        }
        (self.dirty, self.urgent) = (false, false);
        let wanted = view::wanted(&self.model);
        self.model.display.refresh = self.placements.stale(&wanted);
        self.terminal.backend_mut().guard(self.placements.in_cells());
        let model = &self.model;
        // Drawing into memory cannot fail.
        let Ok(_) = self.terminal.draw(|frame| view::view(model, frame));
        let screen = self.terminal.backend_mut();
        screen.park(view::park(model));
        let mut pieces = screen.take();
        let commands = self.placements.reconcile(&wanted, |area| screen.drew(area));
        screen.settle();
        self.model.display.refresh.clear();
        pieces.extend((!commands.is_empty()).then(|| commands.into_bytes()));
        if !pieces.is_empty() {
            self.drawn = Some(Instant::now());
            let bytes = self.metered(pieces);
            self.write(bytes);
        }
    }

    /// A frame with the questions that tell how far the terminal is with it. Inside tmux there are none: it is tmux
    /// that reads the frame, at once, and decides how much of it the terminal gets.
    fn metered(&mut self, pieces: Vec<Vec<u8>>) -> Vec<u8> {
        let asks = self.asks && !self.traits.tmux && self.pacer.heard();
        let now = Instant::now();
        let mut bytes = Vec::new();
        for piece in pieces {
            bytes.extend_from_slice(&piece);
            if asks && self.pacer.wrote(piece.len(), now) {
                bytes.extend_from_slice(ansi!(QueryStatus).as_bytes());
                self.expected.asked();
            }
        }
        bytes
    }

    /// Sends a chunk of a picture, if nothing else needs writing and the terminal has caught up.
    pub(super) fn pump(&mut self) {
        let now = Instant::now();
        if self.writing > 0
            || !self.seen
            || self.over.is_some()
            || !self.placements.sending()
            || !self.pacer.room(now)
        {
            return;
        }
        // Once a piece is out there is something to be forgotten at the end.
        let farewell = self.placements.farewell();
        if farewell != self.told {
            self.guard.farewell(farewell.clone());
            self.told = farewell;
        }
        let Some((mut piece, last)) = self.placements.next_piece() else { return };
        if self.pacer.sent(piece.len(), last, now) {
            piece.extend_from_slice(self.wrapped(&ansi!(QueryStatus)).as_bytes());
            self.expected.asked();
        }
        self.write(piece);
        if last {
            self.take(Msg::Live(self.placements.live(), self.placements.held()));
        }
    }

    pub(super) fn wrapped(&self, sequence: &str) -> String {
        crate::picture::kitty::Wire { tmux: self.traits.tmux }.wrap(sequence)
    }

    pub(super) fn write(&mut self, bytes: Vec<u8>) {
        self.writing += 1;
        self.writer.send(bytes);
    }

    pub(super) fn copy(&mut self, text: &str) {
        let sequence = format!("\x1b]52;c;{}\x07", crate::text::base64(text.as_bytes()));
        let mut bytes = sequence.clone();
        // tmux takes it for its own buffer, and by itself hands it on only where `set-clipboard` is on.
        if self.traits.tmux {
            bytes.push_str(&self.wrapped(&sequence));
        }
        self.write(bytes.into_bytes());
    }

    pub(super) fn resize(&mut self) {
        let size = self.tty.size();
        self.terminal.backend_mut().resize(size);
        self.take(Msg::Resize(size.width, size.height));
        // The screen is about to be cleared, and pictures with it; a font of another size comes this way too.
        let goodbye = self.placements.lost();
        if !goodbye.is_empty() {
            self.write(goodbye.into_bytes());
        }
        self.take(Msg::Live(self.placements.live(), self.placements.held()));
        let (cells, pixels) = self.tty.window();
        self.traits.window(cells, pixels);
        self.retarget();
        if self.asks && self.expected.missing() == 0 {
            self.expected.asked();
            self.write(probe::cell_question().into_bytes());
        }
    }

    /// Assumes nothing about the terminal's contents any more.
    pub(super) fn repaint(&mut self) {
        self.terminal.backend_mut().forget();
        let Ok(()) = self.terminal.clear();
        self.dirty = true;
    }
}
