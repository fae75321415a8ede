//! The main loop: handle everything that has arrived, draw at most one frame, pass it to the writer, sleep.

use super::ExitReason;
use crate::model::{Mode, Model};
use crate::picture::Worker;
use crate::terminal::input::Input;
use crate::terminal::output::Screen;
use crate::terminal::pacing::Pacer;
use crate::terminal::placements::Placements;
use crate::terminal::probe::Expected;
use crate::terminal::restore::Guard;
use crate::terminal::traits::Traits;
use crate::terminal::tty::Tty;
use crate::terminal::wake::Wake;
use crate::terminal::writer::Writer;
use crate::update::{Effect, Msg, update};
use chaffinch_protocol::{Command, Event as EngineEvent};
use crossbeam_channel::{Receiver, Sender, TryRecvError, TrySendError};
use crossterm::event::Event;
use ratatui::Terminal;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGTSTP, SIGWINCH};
use std::collections::VecDeque;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Shortest time between two frames.
const FRAME: Duration = Duration::from_millis(16);
/// The same after a key press: no one types faster, and a longer wait is noticeable.
const KEY_FRAME: Duration = Duration::from_millis(6);
/// How often scan progress is drawn if nothing else changes.
const PROGRESS: Duration = Duration::from_millis(1_500);
/// Messages handled before a frame is drawn in any case.
const BATCH: usize = 4096;

pub(super) struct Shell<'a> {
    pub(super) model: Model,
    pub(super) tty: Tty,
    pub(super) terminal: Terminal<Screen>,
    pub(super) guard: &'a Guard,
    pub(super) writer: &'a Writer,
    pub(super) worker: Option<Worker>,
    pub(super) commands: Sender<Command>,
    /// Commands not yet accepted by the engine; sending never blocks.
    pub(super) backlog: VecDeque<Command>,
    pub(super) start: Instant,
    pub(super) dirty: bool,
    /// Progress that is not on the screen yet, and when it was drawn last.
    pub(super) progress: (bool, Option<Instant>),
    /// A key has changed the screen.
    pub(super) urgent: bool,
    /// Chunks in flight to the terminal.
    pub(super) writing: usize,
    pub(super) drawn: Option<Instant>,
    pub(super) over: Option<ExitReason>,
    pub(super) suspend: bool,
    /// The signal that ended our own suspension is still to come.
    pub(super) continued: bool,
    /// Whether the terminal is queried for its capabilities.
    pub(super) asks: bool,
    /// Whether it is asked at least for the color behind its text.
    pub(super) asks_ground: bool,
    pub(super) traits: Traits,
    pub(super) expected: Expected,
    pub(super) placements: Placements,
    pub(super) pacer: Pacer,
    /// Whether the screen is visible, as far as is known.
    pub(super) seen: bool,
    /// What deletes our pictures from the terminal, shared with the guard.
    pub(super) told: String,
}

impl Shell<'_> {
    pub(super) fn run(&mut self, woken: &Receiver<Wake>, events: &Receiver<EngineEvent>) -> ExitReason {
        loop {
            self.draw();
            self.pump();
            let mut first = None;
            let timeout = self.timeout();
            crossbeam_channel::select! {
                recv(woken) -> wake => first = wake.ok().map(Ok),
                recv(events) -> event => match event {
                    Ok(event) => first = Some(Err(event)),
                    Err(_) => self.end(ExitReason::EngineGone),
                },
                default(timeout) => {}
            }
            self.take(Msg::Tick(self.now()));
            match first {
                Some(Ok(wake)) => self.wake(wake),
                Some(Err(event)) => self.take(Msg::Engine(event)),
                None => {}
            }
            self.drain(woken, events);
            self.flush();
            if self.suspend {
                self.suspend(woken);
            }
            if let Some(reason) = self.over {
                self.deliver(reason);
                return reason;
            }
        }
    }

    pub(super) fn now(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    /// How long to sleep if nothing arrives.
    pub(super) fn timeout(&mut self) -> Duration {
        let mut timeout = Duration::from_secs(3600);
        if let Some(at) = self.model.deadline() {
            timeout = timeout.min(Duration::from_millis(at.saturating_sub(self.now()).max(1)));
        }
        if self.dirty && self.writing == 0 {
            let wait = self.too_early().max(self.pacer.text_wait(Instant::now()));
            timeout = timeout.min(wait.max(Duration::from_millis(1)));
        }
        if self.progress.0 {
            timeout = timeout.min(self.progress_wait().max(Duration::from_millis(1)));
        }
        if !self.backlog.is_empty() {
            timeout = timeout.min(Duration::from_millis(5));
        }
        if self.placements.sending() && self.seen {
            // In case the expected reply never arrives.
            timeout = timeout.min(Duration::from_secs(2));
        }
        timeout
    }

    /// How long progress is not drawn yet.
    fn progress_wait(&self) -> Duration {
        self.progress.1.map_or(Duration::ZERO, |drawn| PROGRESS.saturating_sub(drawn.elapsed()))
    }

    /// How long no frame is drawn yet.
    pub(super) fn too_early(&self) -> Duration {
        let between = if self.urgent { KEY_FRAME } else { FRAME };
        self.drawn.map_or(Duration::ZERO, |drawn| between.saturating_sub(drawn.elapsed()))
    }

    pub(super) fn drain(&mut self, woken: &Receiver<Wake>, events: &Receiver<EngineEvent>) {
        for _ in 0..BATCH {
            // Keys first: they are few, and waiting for them is felt.
            if let Ok(wake) = woken.try_recv() {
                self.wake(wake);
                continue;
            }
            match events.try_recv() {
                Ok(event) => self.take(Msg::Engine(event)),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => return self.end(ExitReason::EngineGone),
            }
        }
    }

    pub(super) fn wake(&mut self, wake: Wake) {
        match wake {
            Wake::Input(inputs) => {
                for input in inputs {
                    match input {
                        Input::Event(event) => self.event(event),
                        Input::Reply(bytes) => self.reply(&bytes),
                    }
                }
            }
            Wake::Written => self.writing = self.writing.saturating_sub(1),
            Wake::Lost => {
                self.take(Msg::Act(crate::action::Action::Quit));
                self.over = Some(ExitReason::Lost);
            }
            Wake::Signal(SIGWINCH) => self.resize(),
            Wake::Signal(SIGTSTP) => self.suspend = true,
            Wake::Signal(SIGCONT) if self.continued => self.continued = false,
            Wake::Signal(SIGCONT) => self.resume(),
            Wake::Signal(SIGHUP) => {
                self.take(Msg::Act(crate::action::Action::Quit));
                self.over = Some(ExitReason::Lost);
            }
            Wake::Signal(signal) => {
                self.take(Msg::Act(crate::action::Action::Quit));
                self.over = Some(ExitReason::Signal(signal));
            }
            Wake::Tmux(news) => self.tmux(news),
            Wake::Encoded(result) => self.take(Msg::Encoded(result)),
            Wake::Log(line) => self.take(Msg::Log(line)),
        }
    }

    fn event(&mut self, event: Event) {
        let msg = match event {
            Event::Key(key) if !key.is_release() => Msg::Key(key),
            Event::Mouse(mouse) => Msg::Mouse(mouse),
            Event::Paste(text) => Msg::Paste(text),
            // A resize arrives as a signal.
            Event::Key(_) | Event::Resize(..) | Event::FocusGained | Event::FocusLost => return,
        };
        self.urgent = true;
        self.take(msg);
    }

    pub(super) fn take(&mut self, msg: Msg) {
        let tick = matches!(msg, Msg::Tick(_) | Msg::Engine(EngineEvent::Progress(_)));
        self.progress.0 |= matches!(msg, Msg::Engine(EngineEvent::Progress(_)));
        if self.progress.0 && self.progress_wait().is_zero() {
            self.progress = (false, Some(Instant::now()));
            self.dirty = true;
        }
        let timed = |model: &Model| {
            [
                model.toast.is_some(),
                model.time.hold_until > model.time.now,
                model.pictures.prepared.is_some(),
                matches!(model.mode, Mode::Confirm(_)),
                model.panels.trial.awaited,
            ]
        };
        let before = timed(&self.model);
        for effect in update(&mut self.model, msg) {
            match effect {
                Effect::Send(command) => self.backlog.push_back(command),
                Effect::Encode(job) => {
                    if let Some(worker) = &self.worker {
                        worker.send(job);
                    }
                }
                Effect::Copy(text) => self.copy(&text),
                Effect::Run(words) => self.start_program(&words),
                Effect::Mouse(on) => {
                    let bytes = self.guard.mouse(on);
                    self.write(bytes.into_bytes());
                }
                Effect::Redraw => {
                    self.resize();
                    self.repaint();
                    self.ask();
                }
                Effect::Suspend => self.suspend = true,
                Effect::Dismissed => self.end(ExitReason::Dismissed),
                Effect::Gone => self.end(ExitReason::EngineGone),
                Effect::Quit(0) => match self.model.review.journal.refused.len() {
                    0 => self.end(ExitReason::Quit),
                    refused => self.end(ExitReason::Refused(refused)),
                },
                Effect::Quit(open) => self.end(ExitReason::Unsaved(open)),
            }
        }
        // Time alone changes the screen only where something begins or ends with it.
        self.dirty |= !tick || before != timed(&self.model);
    }

    /// Starts a program that has nothing to do with this terminal.
    fn start_program(&mut self, words: &[String]) {
        let Some((program, arguments)) = words.split_first() else { return };
        let started = std::process::Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match started {
            // Waited for, so that it leaves no dead process behind.
            Ok(mut child) => drop(std::thread::spawn(move || child.wait())),
            Err(error) => {
                let text = format!("cannot run {program}: {error}; set open-with under [ui] in config.toml");
                self.take(Msg::Failed(text));
            }
        }
    }

    pub(super) fn end(&mut self, reason: ExitReason) {
        self.over.get_or_insert(reason);
    }

    /// Sends commands to the engine without ever blocking.
    pub(super) fn flush(&mut self) {
        while let Some(command) = self.backlog.pop_front() {
            match self.commands.try_send(command) {
                Ok(()) => {}
                Err(TrySendError::Full(command)) => return self.backlog.push_front(command),
                // The events end, too, and the last one tells why.
                Err(TrySendError::Disconnected(_)) => return,
            }
        }
    }

    /// The last commands, for a moment at most.
    pub(super) fn deliver(&mut self, reason: ExitReason) {
        let limit =
            Instant::now() + Duration::from_millis(if reason == ExitReason::Lost { 200 } else { 1000 });
        while let Some(command) = self.backlog.pop_front() {
            if self.commands.send_deadline(command, limit).is_err() {
                return;
            }
        }
    }
}
