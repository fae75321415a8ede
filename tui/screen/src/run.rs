//! Starting and ending the interface on the terminal of this process.

mod asking;
mod drawing;
mod shell;

use crate::key::KeyChord;
use crate::keymap::Keymap;
use crate::looks::Looks;
use crate::model::Model;
use crate::picture::{PictureEncoder, Wish, Worker};
use crate::terminal::input::Input;
use crate::terminal::output::Screen;
use crate::terminal::pacing::Pacer;
use crate::terminal::placements::Placements;
use crate::terminal::probe::{self, Expected};
use crate::terminal::reader::Watch;
use crate::terminal::restore::Guard;
use crate::terminal::signals::Listener;
use crate::terminal::tmux::Tmux;
use crate::terminal::traits::Traits;
use crate::terminal::tty::Tty;
use crate::terminal::wake::Wake;
use crate::terminal::writer::Writer;
use crate::theme::{Depth, Theme};
use anyhow::{Context, Result};
use chaffinch_protocol::{Command, Event};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use crossterm::event::KeyEvent;
use ratatui::Terminal;
use shell::Shell;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Options from the command line or the configuration.
#[derive(Clone, Debug)]
pub struct Options {
    /// A built-in theme's name or a file; empty for the default.
    pub theme: String,
    /// A preset such as `vim`, or a file applied over the default keys.
    pub keymap: Option<PathBuf>,
    /// How pictures are shown: `auto`, `kitty`, `iterm2`, `sixel`, `blocks`, `truecolor`, `256`, `ascii`, `off`.
    pub picture: String,
    /// Click and wheel; the terminal's own selection then needs Shift.
    pub mouse: bool,
    /// Start a scan if the session is not up to date.
    pub scan: bool,
    /// A prepared theme and keymap; they take precedence over theme, keymap and mouse.
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
    /// The user quit and everything was saved.
    Quit,
    /// The user quit, and this many decisions were not confirmed as saved.
    Unsaved(usize),
    /// The user quit, and what was said about this many samples was refused and not said again.
    Refused(usize),
    /// The terminal is gone. Where it really is, the process ends within a second whatever the caller does next;
    /// standard output is gone with it, so nothing may be printed.
    Lost,
    /// A signal requested termination.
    Signal(i32),
    /// The engine exited first.
    EngineGone,
    /// The engine was done with this terminal, for a reason that it has told.
    Dismissed,
}

impl ExitReason {
    /// The exit code of the program.
    pub fn code(self) -> i32 {
        match self {
            ExitReason::Quit => 0,
            ExitReason::Unsaved(_)
            | ExitReason::Refused(_)
            | ExitReason::EngineGone
            | ExitReason::Dismissed => 2,
            ExitReason::Lost => 128 + SIGHUP,
            ExitReason::Signal(signal) => 128 + signal,
        }
    }
}

/// Runs the interface on the terminal of this process until it ends. [`Command::Stop`] is left to the caller, who
/// knows whether the engine is to go on without a screen.
///
/// # Errors
/// If there is no terminal, or a keymap or theme is invalid; nothing has been drawn then.
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
    let model = furnished(Model::new(keymap, theme, size), &options, encoder.as_deref());
    traits.window(tty.window().0, tty.window().1);
    let (wake, woken) = unbounded();
    let encoded = wake.clone();
    let encoders = encoder.zip(wish.characters(depth)).map(|(quick, slow)| [quick, slow]);
    let done = move |result| drop(encoded.send(Wake::Encoded(result)));
    let worker = encoders.map(|encoders| Worker::start(encoders, done));
    let worker = worker.transpose().context("cannot start the picture thread")?;
    let listener = Listener::start(&wake).context("cannot listen for signals")?;
    let expected = Expected::default();
    let watch = Watch::start(&tty, &wake, &expected).context("cannot start the keyboard thread")?;
    let guard = Guard::take(&tty, model.display.mouse, wake.clone())?;
    let writer = Writer::start(&tty, &wake).context("cannot start the screen thread")?;
    let pane = get("TMUX_PANE").filter(|_| traits.needs_passthrough());
    let tmux =
        pane.map(|pane| Tmux::start(pane, &wake)).transpose().context("cannot start the tmux thread")?;
    let terminal = Terminal::new(Screen::new(size)).context("cannot set up the screen")?;
    let knows_questions = probe::worth_asking(&get("TERM").unwrap_or_default());
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
        urgent: false,
        progress: (false, None),
        writing: 0,
        drawn: None,
        over: None,
        suspend: false,
        continued: false,
        asks: traits.curious() && knows_questions,
        asks_ground: depth != Depth::Mono && knows_questions,
        traits,
        expected: expected.clone(),
        placements: Placements::default(),
        pacer: Pacer::default(),
        seen: true,
        told: String::new(),
    };
    shell.ask();
    shell.retarget();
    let reason = shell.run(&woken, &events);
    drop(shell);
    drop(writer);
    if reason == ExitReason::Lost {
        watch.leave_armed();
    } else {
        let unasked = matches!(reason, ExitReason::EngineGone | ExitReason::Dismissed);
        if unasked {
            await_quiet(&woken);
        }
        guard.leave_screen();
        await_answers(&expected, &woken);
        guard.flush(unasked || expected.missing() > 0);
        drop(watch);
    }
    drop(tmux);
    drop(guard);
    drop(listener);
    Ok(reason)
}

/// The model with the options applied.
fn furnished(mut model: Model, options: &Options, encoder: Option<&dyn PictureEncoder>) -> Model {
    model.jobs.scan_when_stale = options.scan;
    model.display.mouse = options.mouse;
    if let Some(looks) = &options.looks {
        looks.furnish(&mut model);
    }
    model.display.pictures_on = encoder.is_some();
    if let Some(encoder) = encoder {
        model.display.cell_pixels = encoder.cell_pixels();
    }
    model
}

/// Swallows the keys of someone who has not yet seen that the interface ends, so that the shell does not run them; Ctrl-C
/// ends that.
fn await_quiet(woken: &Receiver<Wake>) {
    let last = Instant::now() + Duration::from_secs(3);
    let quiet = || (Instant::now() + Duration::from_millis(400)).min(last);
    let mut until = quiet();
    while let Ok(wake) = woken.recv_deadline(until) {
        if interrupts(&wake) {
            return;
        }
        if matches!(wake, Wake::Input(_)) {
            until = quiet();
        }
    }
}

/// Waits for outstanding replies of the terminal, so that the shell does not read them as typed text; Ctrl-C
/// ends that.
fn await_answers(expected: &Expected, woken: &Receiver<Wake>) {
    while !expected.patience().is_zero() {
        match woken.recv_timeout(Duration::from_millis(5)) {
            Ok(wake) if interrupts(&wake) => return,
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Whether waiting ends at once.
fn interrupts(wake: &Wake) -> bool {
    match wake {
        Wake::Input(inputs) => inputs.contains(&Input::from(KeyEvent::from(KeyChord::ctrl('c')))),
        Wake::Lost | Wake::Signal(SIGHUP | SIGINT | SIGQUIT | SIGTERM) => true,
        _ => false,
    }
}
