//! The thread that reads the terminal, and the thread that notices when it is gone. `docs/terminal-input.md` says why
//! crossterm's reader does neither for us.

use super::input::Input;
use super::parser::Parser;
use super::probe::Expected;
use super::tty::Tty;
use super::wake::Wake;
use crossbeam_channel::Sender;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{PipeReader, PipeWriter, pipe};
use std::os::fd::AsFd;
use std::thread::JoinHandle;
use std::time::Duration;

/// After this pause a lone Escape is the key and not the start of a sequence.
const SHORT: Duration = Duration::from_millis(50);
/// After this pause an unfinished sequence is dropped.
const LONG: Duration = Duration::from_millis(400);
/// How long the loop may take to leave after the terminal was lost.
const GRACE: Duration = Duration::from_millis(800);

/// The two threads. They end when this is dropped.
pub struct Watch {
    stop: Option<PipeWriter>,
    threads: Vec<JoinHandle<()>>,
}

impl Watch {
    /// Starts both.
    ///
    /// # Errors
    /// If the system gives no thread or pipe.
    pub fn start(tty: &Tty, wake: &Sender<Wake>, expected: &Expected) -> std::io::Result<Watch> {
        let (stopped, stop) = pipe()?;
        let spawn = |name: &str| std::thread::Builder::new().name(name.to_owned());
        let reader = {
            let (tty, wake, stopped) = (tty.clone(), wake.clone(), stopped.try_clone()?);
            let expected = expected.clone();
            spawn("input").spawn(move || read(&tty, &wake, &stopped, &expected))?
        };
        let watchdog = {
            let (tty, wake) = (tty.clone(), wake.clone());
            spawn("watchdog").spawn(move || watch(&tty, &wake, &stopped))?
        };
        Ok(Watch { stop: Some(stop), threads: vec![reader, watchdog] })
    }

    /// Lets go without stopping the watchdog, which then ends the process in any case.
    pub fn leave_armed(mut self) {
        self.threads.clear();
        std::mem::forget(self.stop.take());
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn timespec(time: Duration) -> Timespec {
    Timespec { tv_sec: time.as_secs() as i64, tv_nsec: i64::from(time.subsec_nanos()) }
}

/// Waits for the terminal or for the order to stop.
fn wait(tty: &Tty, stopped: &PipeReader, events: PollFlags, time: Option<Duration>) -> Option<PollFlags> {
    let time = time.map(timespec);
    loop {
        let mut fds = [PollFd::new(tty, events), PollFd::new(stopped, PollFlags::IN)];
        match poll(&mut fds, time.as_ref()) {
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return None,
            Ok(_) if !fds[1].revents().is_empty() => return None,
            Ok(_) => return Some(fds[0].revents()),
        }
    }
}

fn read(tty: &Tty, wake: &Sender<Wake>, stopped: &PipeReader, expected: &Expected) {
    let mut parser = Parser::default();
    let mut bytes = [0u8; 4096];
    let mut silent = LONG;
    loop {
        // Silence is only measured while it can mean something.
        let time = match silent {
            silent if silent >= LONG => None,
            silent if silent >= SHORT => Some(LONG),
            _ => Some(SHORT),
        };
        let Some(events) = wait(tty, stopped, PollFlags::IN, time) else { return };
        let mut inputs = Vec::new();
        parser.expect(expected.any());
        if events.is_empty() {
            silent = if silent < SHORT { SHORT } else { LONG };
            if silent == SHORT {
                parser.short_silence(&mut inputs);
            } else {
                parser.long_silence();
            }
        } else {
            match rustix::io::read(tty, &mut bytes) {
                Ok(0) => return drop(wake.send(Wake::Lost)),
                Ok(count) => {
                    expected.heard();
                    parser.feed(&bytes[..count], &mut inputs);
                    silent = if parser.pending() { Duration::ZERO } else { LONG };
                }
                Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
                Err(_) => return drop(wake.send(Wake::Lost)),
            }
        }
        for input in &inputs {
            if let Input::Reply(bytes) = input {
                expected.came(bytes);
            }
        }
        if !inputs.is_empty() && wake.send(Wake::Input(inputs)).is_err() {
            return;
        }
    }
}

fn watch(tty: &Tty, wake: &Sender<Wake>, stopped: &PipeReader) {
    let gone = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
    loop {
        let Some(events) = wait(tty, stopped, PollFlags::empty(), None) else { return };
        if events.intersects(gone) {
            break;
        }
    }
    let _ = wake.send(Wake::Lost);
    // The loop has a moment to hand over what it still holds; then nothing keeps a process without a terminal.
    let mut fds = [PollFd::from_borrowed_fd(stopped.as_fd(), PollFlags::IN)];
    let limit = std::time::Instant::now() + GRACE;
    while let Some(rest) = limit.checked_duration_since(std::time::Instant::now()) {
        match poll(&mut fds, Some(&timespec(rest))) {
            Err(rustix::io::Errno::INTR) => {}
            Ok(1..) => return,
            _ => break,
        }
    }
    std::process::exit(129);
}
