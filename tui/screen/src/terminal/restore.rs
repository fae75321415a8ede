//! Setting up the terminal and restoring it: on exit, on suspension, after a panic.

use super::commands::{DisableMouseButtons, EnableMouseButtons, EndString, ansi};
use super::tty::Tty;
use super::wake::Wake;
use super::writer;
use anyhow::{Context, Result};
use crossbeam_channel::Sender;
use crossterm::cursor::Show;
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::style::{Attribute, SetAttribute};
use crossterm::terminal::{
    Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use rustix::termios::{QueueSelector, tcflush};
use std::panic::PanicHookInfo;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

/// Alternate screen, bracketed paste; the title is left alone. Where the cursor is does not matter: the first frame
/// moves it to where it is needed.
fn enter_screen(mouse: bool) -> String {
    let mut out = ansi!(
        EnterAlternateScreen,
        EnableBracketedPaste,
        SetAttribute(Attribute::Reset),
        Clear(ClearType::All),
    );
    if mouse {
        out.push_str(&ansi!(EnableMouseButtons));
    }
    out
}

/// Ends everything that could have been switched on, also by a frame or a picture that was cut off, in the reverse
/// order.
fn exit_screen(farewell: &str) -> String {
    let modes = ansi!(
        EndSynchronizedUpdate,
        DisableMouseButtons,
        DisableBracketedPaste,
        SetAttribute(Attribute::Reset),
        Show,
        LeaveAlternateScreen,
    );
    ansi!(EndString) + farewell + &modes
}

struct Taken {
    tty: Tty,
    mouse: bool,
    thread: ThreadId,
    log: Sender<Wake>,
    /// What deletes our pictures from the terminal.
    farewell: String,
    /// The screen is given back already; the line modes are not.
    left: bool,
    /// Replies may still arrive, and must not reach the shell.
    flush: bool,
}

static TAKEN: Mutex<Option<Taken>> = Mutex::new(None);
static HOOK: Once = Once::new();

fn taken() -> MutexGuard<'static, Option<Taken>> {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Guards the terminal; dropping this restores it.
pub struct Guard(());

impl Guard {
    /// Takes the terminal: raw, alternate screen, bracketed paste.
    ///
    /// # Errors
    /// If a terminal call fails.
    pub fn take(tty: &Tty, mouse: bool, log: Sender<Wake>) -> Result<Guard> {
        let thread = std::thread::current().id();
        HOOK.call_once(|| {
            let previous = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| on_panic(info, &*previous)));
        });
        *taken() = Some(Taken {
            tty: tty.clone(),
            mouse,
            thread,
            log,
            farewell: String::new(),
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
    /// If a terminal call fails.
    pub fn enter(&self) -> Result<()> {
        if let Some(taken) = &mut *taken() {
            taken.left = false;
            // crossterm makes a terminal raw once and keeps what it found; a shell may have changed the modes since, if
            // something else than us stopped the process.
            let _ = disable_raw_mode();
            enable_raw_mode().context("cannot put the terminal into raw mode")?;
            put(&taken.tty, &enter_screen(taken.mouse));
        }
        Ok(())
    }

    /// Captures clicks and the wheel, or leaves them to the terminal. Returns what to write.
    pub fn mouse(&self, on: bool) -> String {
        if let Some(taken) = &mut *taken() {
            taken.mouse = on;
        }
        if on { ansi!(EnableMouseButtons) } else { ansi!(DisableMouseButtons) }
    }

    /// Leaves the modes temporarily.
    pub fn leave(&self) {
        if let Some(taken) = &mut *taken() {
            give_back(taken);
        }
    }

    /// Restores the screen, but keeps the line raw, so that late replies are not echoed.
    pub fn leave_screen(&self) {
        if let Some(taken) = &mut *taken() {
            leave_screen(taken);
        }
    }

    /// What to write before the screen is restored, also after a panic.
    pub fn farewell(&self, sequences: String) {
        if let Some(taken) = &mut *taken() {
            taken.farewell = sequences;
        }
    }

    /// Whether restoring the line modes discards unread input: replies that came too late.
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
fn put(tty: &Tty, sequences: &str) {
    let limit = Instant::now() + Duration::from_millis(500);
    writer::write(tty, sequences.as_bytes(), || Instant::now() > limit);
}

fn leave_screen(taken: &mut Taken) {
    if !std::mem::replace(&mut taken.left, true) {
        put(&taken.tty, &exit_screen(&taken.farewell));
    }
}

fn give_back(taken: &mut Taken) {
    leave_screen(taken);
    if taken.flush {
        let _ = tcflush(&taken.tty, QueueSelector::IFlush);
    }
    let _ = disable_raw_mode();
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
