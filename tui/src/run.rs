//! The loop: take in everything that has come, draw at most one frame, hand it to the writer, sleep.

use crate::keymap::Keymap;
use crate::model::Model;
use crate::picture::{self, Worker};
use crate::terminal::input::Watch;
use crate::terminal::keys::Input;
use crate::terminal::output::Screen;
use crate::terminal::probe::Expected;
use crate::terminal::restore::Guard;
use crate::terminal::signals::{self, Listener};
use crate::terminal::writer::Writer;
use crate::terminal::{Tty, Wake};
use crate::theme::{Depth, Theme};
use crate::update::{Effect, Msg, update};
use crate::view;
use anyhow::{Context, Result};
use chaffinch_core::protocol::{Command, Event};
use crossbeam_channel::{Receiver, Sender, TryRecvError, TrySendError, unbounded};
use ratatui::Terminal;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGTSTP, SIGWINCH};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Shortest time between two frames.
const FRAME: Duration = Duration::from_millis(16);
/// Messages taken in before a frame is drawn in any case.
const BATCH: usize = 4096;

/// What the person or the configuration chose.
#[derive(Clone, Debug)]
pub struct Options {
    /// A built-in theme's name or a file; empty for the default.
    pub theme: String,
    /// A file laid over the default keys, or `vim`.
    pub keymap: Option<PathBuf>,
    /// How pictures are shown: `auto`, `truecolor`, `256`, `ascii`, `off`.
    pub picture: String,
    /// Click and wheel; the terminal's own selection then needs Shift.
    pub mouse: bool,
    /// Start a scan if the session is not up to date.
    pub scan: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { theme: String::new(), keymap: None, picture: "auto".to_owned(), mouse: false, scan: true }
    }
}

/// Why the interface ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitReason {
    /// The person quit and everything was saved.
    Quit,
    /// The person quit, and so many decisions were not confirmed as saved.
    Unsaved(usize),
    /// The terminal is gone. Where it really is, the process ends within a second whatever the caller does next;
    /// standard output is gone with it, so nothing may be printed.
    Lost,
    /// A signal asked for the end.
    Signal(i32),
    /// The engine ended first.
    EngineGone,
}

impl ExitReason {
    /// The exit code of the program.
    pub fn code(self) -> i32 {
        match self {
            ExitReason::Quit => 0,
            ExitReason::Unsaved(_) | ExitReason::EngineGone => 2,
            ExitReason::Lost => 128 + SIGHUP,
            ExitReason::Signal(signal) => 128 + signal,
        }
    }
}

/// Runs the interface on the terminal of this process until it ends. [`Command::Stop`] is left to the caller, who
/// knows whether the engine is to go on without a screen.
///
/// # Errors
/// If there is no terminal, or a keymap or a theme is broken; nothing has been drawn then.
pub fn run(commands: Sender<Command>, events: Receiver<Event>, options: Options) -> Result<ExitReason> {
    let depth = Depth::detect(|name| std::env::var(name).ok());
    let theme = Theme::load(&options.theme, depth)?;
    let keymap = Keymap::load(options.keymap.as_deref())?;
    let encoder = picture::encoder(&options.picture, depth)?;
    let tty = Tty::open()?;
    let size = tty.size();
    let mut model = Model::new(keymap, theme, size);
    model.scan_when_stale = options.scan;
    model.pictures_on = encoder.is_some();
    if let Some(encoder) = &encoder {
        model.cell_pixels = encoder.cell_pixels();
    }
    let (wake, woken) = unbounded();
    let encoded = wake.clone();
    let worker = encoder.map(|encoder| Worker::start(encoder, move |r| drop(encoded.send(Wake::Encoded(r)))));
    let worker = worker.transpose().context("no thread for pictures")?;
    let listener = Listener::start(&wake).context("signals cannot be listened to")?;
    let expected = Expected::default();
    let watch = Watch::start(&tty, &wake, &expected).context("no thread for the keyboard")?;
    let guard = Guard::take(&tty, options.mouse, wake.clone())?;
    let writer = Writer::start(&tty, &wake).context("no thread for the screen")?;
    let terminal = Terminal::new(Screen::new(size)).context("the screen cannot be set up")?;
    let mut shell = Shell {
        model,
        tty,
        terminal,
        guard: &guard,
        writer: &writer,
        worker,
        commands,
        backlog: VecDeque::new(),
        start: Instant::now(),
        dirty: true,
        writing: 0,
        drawn: None,
        over: None,
        suspend: false,
        continued: false,
    };
    let reason = shell.run(&woken, &events);
    drop(shell);
    drop(writer);
    if reason == ExitReason::Lost {
        watch.leave_armed();
    } else {
        drop(watch);
    }
    drop(guard);
    drop(listener);
    Ok(reason)
}

struct Shell<'a> {
    model: Model,
    tty: Tty,
    terminal: Terminal<Screen>,
    guard: &'a Guard,
    writer: &'a Writer,
    worker: Option<Worker>,
    commands: Sender<Command>,
    /// What the engine has not taken yet; sending never waits.
    backlog: VecDeque<Command>,
    start: Instant,
    dirty: bool,
    /// Pieces on their way to the terminal.
    writing: usize,
    drawn: Option<Instant>,
    over: Option<ExitReason>,
    suspend: bool,
    /// The signal that ended our own suspension is still to come.
    continued: bool,
}

impl Shell<'_> {
    fn run(&mut self, woken: &Receiver<Wake>, events: &Receiver<Event>) -> ExitReason {
        loop {
            self.draw();
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

    fn now(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    /// How long nothing needs to be done, if nothing comes.
    fn timeout(&self) -> Duration {
        let mut timeout = Duration::from_secs(3600);
        if let Some(at) = self.model.deadline() {
            timeout = timeout.min(Duration::from_millis(at.saturating_sub(self.now()).max(1)));
        }
        if self.dirty && self.writing == 0 {
            let since = self.drawn.map_or(FRAME, |drawn| drawn.elapsed());
            timeout = timeout.min(FRAME.saturating_sub(since).max(Duration::from_millis(1)));
        }
        if !self.backlog.is_empty() {
            timeout = timeout.min(Duration::from_millis(5));
        }
        timeout
    }

    fn drain(&mut self, woken: &Receiver<Wake>, events: &Receiver<Event>) {
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

    fn wake(&mut self, wake: Wake) {
        match wake {
            Wake::Input(inputs) => {
                for input in inputs {
                    match input {
                        Input::Key(key) => self.take(Msg::Key(key)),
                        Input::Paste(text) => self.take(Msg::Paste(text)),
                        Input::Click(x, y) => self.take(Msg::Click(x, y)),
                        Input::Wheel(rows, x, y) => self.take(Msg::Wheel(rows, x, y)),
                        Input::Focus(_) | Input::Reply(_) => {}
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
            Wake::Encoded(result) => self.take(Msg::Encoded(result)),
            Wake::Log(line) => self.take(Msg::Log(line)),
        }
    }

    fn take(&mut self, msg: Msg) {
        let tick = matches!(msg, Msg::Tick(_));
        let before = (tick, self.model.toast.is_some(), self.model.hold_until > self.model.now);
        for effect in update(&mut self.model, msg) {
            match effect {
                Effect::Send(command) => self.backlog.push_back(command),
                Effect::Encode(job) => {
                    if let Some(worker) = &self.worker {
                        worker.send(job);
                    }
                }
                Effect::Copy(text) => self.copy(&text),
                Effect::Redraw => {
                    self.resize();
                    self.repaint();
                }
                Effect::Suspend => self.suspend = true,
                Effect::Gone => self.end(ExitReason::EngineGone),
                Effect::Quit(0) => self.end(ExitReason::Quit),
                Effect::Quit(open) => self.end(ExitReason::Unsaved(open)),
            }
        }
        // Time alone changes the screen only where something ends with it.
        self.dirty |=
            !tick || before != (true, self.model.toast.is_some(), self.model.hold_until > self.model.now);
    }

    fn end(&mut self, reason: ExitReason) {
        self.over.get_or_insert(reason);
    }

    /// Hands commands to the engine without ever waiting for it.
    fn flush(&mut self) {
        while let Some(command) = self.backlog.pop_front() {
            match self.commands.try_send(command) {
                Ok(()) => {}
                Err(TrySendError::Full(command)) => return self.backlog.push_front(command),
                Err(TrySendError::Disconnected(_)) => return self.end(ExitReason::EngineGone),
            }
        }
    }

    /// The last commands, for a moment at most.
    fn deliver(&mut self, reason: ExitReason) {
        let limit =
            Instant::now() + Duration::from_millis(if reason == ExitReason::Lost { 200 } else { 1000 });
        while let Some(command) = self.backlog.pop_front() {
            if self.commands.send_deadline(command, limit).is_err() {
                return;
            }
        }
    }

    fn draw(&mut self) {
        let early = self.drawn.is_some_and(|drawn| drawn.elapsed() < FRAME);
        if !self.dirty || self.writing > 0 || early || self.over.is_some() {
            return;
        }
        self.dirty = false;
        let model = &self.model;
        // Drawing into memory cannot fail.
        let Ok(_) = self.terminal.draw(|frame| view::view(model, frame));
        self.terminal.backend_mut().park(view::park(model));
        let bytes = self.terminal.backend_mut().take();
        if !bytes.is_empty() {
            self.drawn = Some(Instant::now());
            self.write(bytes);
        }
    }

    fn write(&mut self, bytes: Vec<u8>) {
        self.writing += 1;
        self.writer.send(bytes);
    }

    fn copy(&mut self, text: &str) {
        let bytes = format!("\x1b]52;c;{}\x07", crate::text::base64(text.as_bytes()));
        self.write(bytes.into_bytes());
    }

    fn resize(&mut self) {
        let size = self.tty.size();
        self.terminal.backend_mut().resize(size);
        self.take(Msg::Resize(size.width, size.height));
    }

    /// Nothing on the terminal is trusted any more.
    fn repaint(&mut self) {
        self.terminal.backend_mut().forget();
        let Ok(()) = self.terminal.clear();
        self.dirty = true;
    }

    /// Gives the terminal back, stops, and goes on when it is allowed to.
    fn suspend(&mut self, woken: &Receiver<Wake>) {
        self.suspend = false;
        let limit = Instant::now() + Duration::from_millis(300);
        while self.writing > 0 {
            // What comes meanwhile is taken in as usual; a second order to stop is this one.
            match woken.recv_deadline(limit) {
                Ok(Wake::Signal(SIGTSTP)) => {}
                Ok(wake) => self.wake(wake),
                Err(_) => break,
            }
        }
        self.suspend = false;
        self.guard.leave();
        signals::stop_here();
        self.continued = true;
        self.resume();
    }

    fn resume(&mut self) {
        if self.guard.enter().is_err() {
            return self.end(ExitReason::Lost);
        }
        self.resize();
        self.repaint();
    }
}
