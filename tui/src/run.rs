//! The loop: take in everything that has come, draw at most one frame, hand it to the writer, sleep.

use crate::keymap::Keymap;
use crate::looks::Looks;
use crate::model::Model;
use crate::picture::{Wish, Worker};
use crate::terminal::flow::{self, Flow};
use crate::terminal::input::Watch;
use crate::terminal::keys::Input;
use crate::terminal::output::Screen;
use crate::terminal::probe::{self, Answer, Expected};
use crate::terminal::restore::Guard;
use crate::terminal::signals::{self, Listener};
use crate::terminal::stage::Stage;
use crate::terminal::tmux::{News, Tmux};
use crate::terminal::traits::Traits;
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
    /// How pictures are shown: `auto`, `kitty`, `iterm2`, `sixel`, `blocks`, `truecolor`, `256`, `ascii`, `off`.
    pub picture: String,
    /// Click and wheel; the terminal's own selection then needs Shift.
    pub mouse: bool,
    /// Start a scan if the session is not up to date.
    pub scan: bool,
    /// Looks and keys that were made ready before; they go before theme, keymap and mouse.
    pub looks: Option<Looks>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            theme: String::new(),
            keymap: None,
            picture: "auto".to_owned(),
            mouse: false,
            scan: true,
            looks: None,
        }
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
    let (theme, keymap) = match &options.looks {
        Some(looks) => (looks.theme.clone(), looks.keymap.clone()),
        None => (Theme::load(&options.theme, depth)?, Keymap::load(options.keymap.as_deref())?),
    };
    let wish = Wish::parse(&options.picture)?;
    let encoder = wish.characters(depth);
    let get = |name: &str| std::env::var(name).ok();
    let mut traits = Traits::new(wish, depth, get);
    let tty = Tty::open()?;
    let size = tty.size();
    let mut model = Model::new(keymap, theme, size);
    model.scan_when_stale = options.scan;
    model.mouse = options.mouse;
    if let Some(looks) = &options.looks {
        looks.furnish(&mut model);
    }
    model.pictures_on = encoder.is_some();
    if let Some(encoder) = &encoder {
        model.cell_pixels = encoder.cell_pixels();
    }
    traits.window(tty.window().0, tty.window().1);
    let (wake, woken) = unbounded();
    let encoded = wake.clone();
    let worker = encoder.map(|encoder| Worker::start(encoder, move |r| drop(encoded.send(Wake::Encoded(r)))));
    let worker = worker.transpose().context("no thread for pictures")?;
    let listener = Listener::start(&wake).context("signals cannot be listened to")?;
    let expected = Expected::default();
    let watch = Watch::start(&tty, &wake, &expected).context("no thread for the keyboard")?;
    let guard = Guard::take(&tty, model.mouse, wake.clone())?;
    let writer = Writer::start(&tty, &wake).context("no thread for the screen")?;
    let pane = get("TMUX_PANE").filter(|_| traits.needs_passthrough());
    let tmux = pane.map(|pane| Tmux::start(pane, &wake)).transpose().context("no thread for tmux")?;
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
        asks: traits.curious() && probe::worth_asking(&get("TERM").unwrap_or_default()),
        traits,
        expected: expected.clone(),
        stage: Stage::default(),
        flow: Flow::default(),
        seen: true,
        told: Vec::new(),
    };
    shell.ask();
    shell.retarget();
    let reason = shell.run(&woken, &events);
    drop(shell);
    drop(writer);
    if reason == ExitReason::Lost {
        watch.leave_armed();
    } else {
        guard.leave_screen();
        await_answers(&expected, Duration::from_millis(1000));
        guard.flush(expected.missing() > 0);
        drop(watch);
    }
    drop(tmux);
    drop(guard);
    drop(listener);
    Ok(reason)
}

/// Waits a moment for what the terminal has still to answer, so that the shell does not take it for something typed.
fn await_answers(expected: &Expected, at_most: Duration) {
    let limit = Instant::now() + at_most;
    while expected.missing() > 0 && Instant::now() < limit {
        std::thread::sleep(Duration::from_millis(5));
    }
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
    /// Whether the terminal is asked what it can do.
    asks: bool,
    traits: Traits,
    expected: Expected,
    stage: Stage,
    flow: Flow,
    /// Whether somebody sees the screen, as far as is known.
    seen: bool,
    /// What makes the terminal forget our pictures, as the guard has it.
    told: Vec<u8>,
}

impl Shell<'_> {
    fn run(&mut self, woken: &Receiver<Wake>, events: &Receiver<Event>) -> ExitReason {
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
        if self.stage.sending() && self.seen {
            // For the case that the answer that is waited for never comes.
            timeout = timeout.min(Duration::from_secs(2));
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
                        Input::Reply(bytes) => self.reply(&bytes),
                        Input::Focus(_) => {}
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
                Effect::Mouse(on) => {
                    let bytes = self.guard.mouse(on);
                    self.write(bytes.to_vec());
                }
                Effect::Redraw => {
                    self.resize();
                    self.repaint();
                    self.ask();
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
        let wanted = view::wanted(&self.model);
        self.model.refresh = self.stage.stale(&wanted);
        let model = &self.model;
        // Drawing into memory cannot fail.
        let Ok(_) = self.terminal.draw(|frame| view::view(model, frame));
        let screen = self.terminal.backend_mut();
        screen.park(view::park(model));
        let mut bytes = screen.take();
        bytes.extend_from_slice(self.stage.reconcile(&wanted, |area| screen.drew(area)).as_bytes());
        screen.settle();
        self.model.refresh.clear();
        if !bytes.is_empty() {
            self.drawn = Some(Instant::now());
            self.write(bytes);
        }
    }

    /// Sends a piece of a picture, if nothing else is to be written and the terminal has come far enough.
    fn pump(&mut self) {
        let now = Instant::now();
        if self.writing > 0
            || !self.seen
            || self.over.is_some()
            || !self.stage.sending()
            || !self.flow.room(now)
        {
            return;
        }
        // Once a piece is out there is something to be forgotten at the end.
        let farewell = self.stage.farewell().into_bytes();
        if farewell != self.told {
            self.guard.farewell(farewell.clone());
            self.told = farewell;
        }
        let Some((mut piece, last)) = self.stage.next_piece() else { return };
        if self.flow.sent(piece.len(), last, now) {
            piece.extend_from_slice(self.wrapped(flow::QUESTION).as_bytes());
            self.expected.asked();
        }
        self.write(piece);
        if last {
            self.take(Msg::Live(self.stage.live()));
        }
    }

    fn wrapped(&self, sequence: &str) -> String {
        crate::picture::kitty::Wire { tmux: self.traits.tmux }.wrap(sequence)
    }

    /// Asks the terminal what it can do.
    fn ask(&mut self) {
        if self.asks {
            // tmux knows nothing of kitty's graphics; what is around it is asked when it lets us.
            let questions = probe::questions(!self.traits.tmux);
            self.expected.asked();
            self.write(questions.into_bytes());
            self.terminal.backend_mut().forget();
            let Ok(()) = self.terminal.clear();
            self.dirty = true;
        }
    }

    /// The terminal has answered something.
    fn reply(&mut self, bytes: &[u8]) {
        match probe::answer(bytes) {
            Some(Answer::Done) => {
                self.flow.answered(Instant::now());
                self.take(Msg::Link(self.flow.rate()));
            }
            Some(answer) => {
                self.traits.learn(&answer);
                self.retarget();
            }
            None => {}
        }
    }

    /// Shows pictures the best way that is known now.
    fn retarget(&mut self) {
        let target = self.traits.protocol().map(|protocol| (protocol, self.traits.cell()));
        if target != self.model.target {
            let goodbye = self.stage.switch(target.map(|(protocol, _)| protocol), self.traits.tmux);
            if !goodbye.is_empty() {
                self.write(goodbye.into_bytes());
            }
            self.take(Msg::Target(target));
        }
    }

    fn tmux(&mut self, news: News) {
        match news {
            News::Ready => self.ask_through_tmux(),
            News::Seen(seen) => {
                self.seen = seen;
                if seen {
                    self.forget_pictures();
                }
            }
            // Perhaps another terminal, with nothing of ours in it.
            News::Clients => {
                self.traits.doubt();
                self.retarget();
                self.forget_pictures();
                self.ask_through_tmux();
            }
        }
    }

    fn ask_through_tmux(&mut self) {
        let question = self.wrapped(&probe::kitty_question());
        self.expected.asked_kitty();
        self.write(question.into_bytes());
    }

    /// Nothing is left of the pictures that were sent.
    fn forget_pictures(&mut self) {
        let goodbye = self.stage.lost();
        if !goodbye.is_empty() {
            self.write(goodbye.into_bytes());
        }
        self.flow.forget();
        self.take(Msg::Live(self.stage.live()));
    }

    fn write(&mut self, bytes: Vec<u8>) {
        self.writing += 1;
        self.writer.send(bytes);
    }

    fn copy(&mut self, text: &str) {
        let sequence = format!("\x1b]52;c;{}\x07", crate::text::base64(text.as_bytes()));
        let mut bytes = sequence.clone();
        // tmux takes it for its own buffer, and by itself hands it on only where `set-clipboard` is on.
        if self.traits.tmux {
            bytes.push_str(&self.wrapped(&sequence));
        }
        self.write(bytes.into_bytes());
    }

    fn resize(&mut self) {
        let size = self.tty.size();
        self.terminal.backend_mut().resize(size);
        self.take(Msg::Resize(size.width, size.height));
        // The screen is about to be cleared, and pictures with it; a font of another size comes this way too.
        let goodbye = self.stage.lost();
        if !goodbye.is_empty() {
            self.write(goodbye.into_bytes());
        }
        self.take(Msg::Live(self.stage.live()));
        let (cells, pixels) = self.tty.window();
        self.traits.window(cells, pixels);
        self.retarget();
        if self.asks && self.expected.missing() == 0 {
            self.expected.asked();
            self.write(probe::CELL_QUESTION.into());
        }
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
        // What the terminal still answers must not reach the shell, so it is waited for as well.
        let limit =
            Instant::now() + Duration::from_millis(if self.expected.missing() > 0 { 1000 } else { 300 });
        while self.writing > 0 || self.expected.missing() > 0 {
            // What comes meanwhile is taken in as usual; a second order to stop is this one.
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
        self.flow.forget();
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
        // It may be another terminal that goes on.
        self.ask();
    }
}
