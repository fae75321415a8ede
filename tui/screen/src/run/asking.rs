//! Replies of the terminal and tmux, and suspending.

use super::ExitReason;
use super::shell::Shell;
use crate::terminal::probe::{self, Answer};
use crate::terminal::signals;
use crate::terminal::wake::{TmuxNews, Wake};
use crate::update::Msg;
use crossbeam_channel::Receiver;
use signal_hook::consts::SIGTSTP;
use std::time::{Duration, Instant};

impl Shell<'_> {
    /// Queries the terminal for its capabilities.
    pub(super) fn ask(&mut self) {
        if !self.asks && self.asks_ground {
            self.expected.asked();
            self.write(probe::ground_question().into_bytes());
        }
        if self.asks {
            // tmux does not know kitty graphics; the terminal around it is queried once tmux passes queries through.
            let questions = probe::questions(self.traits.asks_kitty());
            self.expected.asked();
            self.write(questions.into_bytes());
            self.terminal.backend_mut().forget();
            let Ok(()) = self.terminal.clear();
            self.dirty = true;
        }
    }

    /// The terminal has answered something.
    pub(super) fn reply(&mut self, bytes: &[u8]) {
        match probe::answer(bytes) {
            Some(Answer::Done) => {
                self.pacer.answered(Instant::now());
                self.take(Msg::Link(self.pacer.rate()));
            }
            Some(Answer::Ground(color)) => self.take(Msg::Ground(color)),
            Some(answer) => {
                if matches!(answer, Answer::Attributes(_)) {
                    self.pacer.speaks();
                }
                self.traits.learn(&answer);
                self.retarget();
            }
            None => {}
        }
    }

    /// Switches to the best picture method known now.
    pub(super) fn retarget(&mut self) {
        let target = self.traits.protocol().map(|protocol| (protocol, self.traits.cell()));
        if target != self.model.display.target {
            let goodbye = self.placements.switch(target.map(|(protocol, _)| protocol), self.traits.tmux);
            if !goodbye.is_empty() {
                self.write(goodbye.into_bytes());
            }
            self.take(Msg::Target(target));
        }
    }

    pub(super) fn tmux(&mut self, news: TmuxNews) {
        match news {
            TmuxNews::Ready => self.ask_through_tmux(),
            TmuxNews::Seen(seen) => {
                self.seen = seen;
                if seen {
                    self.forget_pictures();
                }
            }
            // Perhaps another terminal, with nothing of ours in it.
            TmuxNews::Clients => {
                self.traits.doubt();
                self.retarget();
                self.forget_pictures();
                self.ask_through_tmux();
            }
        }
    }

    pub(super) fn ask_through_tmux(&mut self) {
        let question = self.wrapped(&probe::kitty_question());
        self.expected.asked_kitty();
        self.write(question.into_bytes());
    }

    /// The pictures that were sent are lost.
    pub(super) fn forget_pictures(&mut self) {
        let goodbye = self.placements.lost();
        if !goodbye.is_empty() {
            self.write(goodbye.into_bytes());
        }
        self.pacer.forget();
        self.take(Msg::Live(self.placements.live(), self.placements.held()));
    }

    /// Restores the terminal, stops, and continues when resumed.
    pub(super) fn suspend(&mut self, woken: &Receiver<Wake>) {
        self.suspend = false;
        // What the terminal still answers must not reach the shell, so it is waited for as well.
        let limit = Instant::now() + self.expected.patience().max(Duration::from_millis(300));
        while self.writing > 0 || self.expected.missing() > 0 {
            // Input is handled as usual meanwhile; a second stop signal is this one.
            match woken.recv_deadline(limit) {
                Ok(Wake::Signal(SIGTSTP)) => {}
                Ok(wake) => self.wake(wake),
                Err(_) => break,
            }
        }
        self.suspend = false;
        self.guard.flush(self.expected.missing() > 0);
        self.guard.leave();
        self.expected.forget();
        self.pacer.forget();
        signals::stop_here();
        self.continued = true;
        self.resume();
    }

    pub(super) fn resume(&mut self) {
        if self.guard.enter().is_err() {
            return self.end(ExitReason::Lost);
        }
        self.resize();
        self.repaint();
        // It may be another terminal that goes on.
        self.ask();
    }
}
