//! Taking the terminal and giving it back: at the end, on suspension, after a panic.

use super::{Tty, Wake, stage, writer};
use anyhow::{Context, Result};
use crossbeam_channel::Sender;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use std::panic::PanicHookInfo;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

/// Alternate screen, bracketed paste; the title is left alone.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?2004h\x1b[m\x1b[2J\x1b[H";
const MOUSE: &[u8] = b"\x1b[?1000h\x1b[?1006h";
const NO_MOUSE: &[u8] = b"\x1b[?1006l\x1b[?1000l";
/// Everything that could have been switched on, also by a frame that was cut off, in the reverse order.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[?1006l\x1b[?1000l\x1b[?2004l\x1b[m\x1b[?25h\x1b[?1049l";

struct Taken {
    tty: Tty,
    before: Termios,
    mouse: bool,
    thread: ThreadId,
    log: Sender<Wake>,
    /// What makes the terminal forget our pictures.
    farewell: Vec<u8>,
    /// The screen is given back already; the line modes are not.
    left: bool,
    /// Answers may still come, which must not reach the shell.
    flush: bool,
}

static TAKEN: Mutex<Option<Taken>> = Mutex::new(None);
static HOOK: Once = Once::new();

fn taken() -> MutexGuard<'static, Option<Taken>> {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Holds the terminal; giving it back is dropping this.
pub struct Guard(());

impl Guard {
    /// Takes the terminal: raw, alternate screen, bracketed paste.
    ///
    /// # Errors
    /// If the terminal refuses.
    pub fn take(tty: &Tty, mouse: bool, log: Sender<Wake>) -> Result<Guard> {
        let before = tcgetattr(tty).context("the terminal does not tell its modes")?;
        let thread = std::thread::current().id();
        HOOK.call_once(|| {
            let previous = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| on_panic(info, &*previous)));
        });
        *taken() = Some(Taken {
            tty: tty.clone(),
            before,
            mouse,
            thread,
            log,
            farewell: Vec::new(),
            left: false,
            flush: false,
        });
        let guard = Guard(());
        guard.enter()?;
        Ok(guard)
    }

    /// Enters the modes, at first and after every suspension.
    ///
    /// # Errors
    /// If the terminal refuses.
    pub fn enter(&self) -> Result<()> {
        if let Some(taken) = &mut *taken() {
            taken.left = false;
            let mut raw = taken.before.clone();
            raw.make_raw();
            tcsetattr(&taken.tty, OptionalActions::Now, &raw).context("the terminal cannot be made raw")?;
            put(&taken.tty, ENTER);
            if taken.mouse {
                put(&taken.tty, MOUSE);
            }
        }
        Ok(())
    }

    /// Takes clicks and the wheel, or leaves them to the terminal. Returns what is to be written for it.
    pub fn mouse(&self, on: bool) -> &'static [u8] {
        if let Some(taken) = &mut *taken() {
            taken.mouse = on;
        }
        if on { MOUSE } else { NO_MOUSE }
    }

    /// Leaves the modes for a while.
    pub fn leave(&self) {
        if let Some(taken) = &mut *taken() {
            give_back(taken);
        }
    }

    /// Gives the screen back, but keeps the line raw, so that what the terminal still answers is not echoed.
    pub fn leave_screen(&self) {
        if let Some(taken) = &mut *taken() {
            leave_screen(taken);
        }
    }

    /// What is written before the screen is given back, also after a panic.
    pub fn farewell(&self, bytes: Vec<u8>) {
        if let Some(taken) = &mut *taken() {
            taken.farewell = bytes;
        }
    }

    /// Whether unread input is thrown away with the line modes: answers that came too late.
    pub fn flush(&self, unread: bool) {
        if let Some(taken) = &mut *taken() {
            taken.flush = unread;
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(mut taken) = taken().take() {
            give_back(&mut taken);
        }
    }
}

/// Writes, waiting a moment for a terminal that is still busy with the last frame.
fn put(tty: &Tty, bytes: &[u8]) {
    let limit = Instant::now() + Duration::from_millis(500);
    writer::write(tty, bytes, || Instant::now() > limit);
}

fn leave_screen(taken: &mut Taken) {
    if !std::mem::replace(&mut taken.left, true) {
        put(&taken.tty, &[stage::CLOSE, &taken.farewell, LEAVE].concat());
    }
}

fn give_back(taken: &mut Taken) {
    leave_screen(taken);
    let when = if taken.flush { OptionalActions::Flush } else { OptionalActions::Now };
    let _ = tcsetattr(&taken.tty, when, &taken.before);
}

/// A panic of the loop gives the terminal back before anything is printed. Any other thread's goes to the log: the
/// work it did is reported as failed by whoever waits for it, and its message must not tear the screen.
fn on_panic(info: &PanicHookInfo<'_>, previous: &(dyn Fn(&PanicHookInfo<'_>) + Send + Sync)) {
    let mut holder = taken();
    match &*holder {
        Some(taken) if taken.thread != std::thread::current().id() => {
            let name = std::thread::current().name().unwrap_or("?").to_owned();
            let _ = taken.log.send(Wake::Log(format!("thread {name}: {info}")));
        }
        _ => {
            if let Some(mut taken) = holder.take() {
                give_back(&mut taken);
            }
            drop(holder);
            previous(info);
        }
    }
}
