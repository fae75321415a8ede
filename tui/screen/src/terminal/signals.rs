//! Signals as messages to the loop.

use super::wake::Wake;
use crossbeam_channel::Sender;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::iterator::{Handle, Signals};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// The thread that waits for signals. When it is dropped, signals do again what they do by default.
pub struct Listener {
    handle: Handle,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Starts listening.
    ///
    /// # Errors
    /// If the system refuses a handler.
    pub fn start(wake: &Sender<Wake>) -> std::io::Result<Listener> {
        let over = Arc::new(AtomicBool::new(false));
        for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP] {
            // A handler cannot be taken out again; this one does the default once we no longer listen.
            signal_hook::flag::register_conditional_default(signal, over.clone())?;
        }
        let mut signals = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGCONT, SIGWINCH])?;
        let handle = signals.handle();
        let wake = wake.clone();
        let thread = std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for signal in signals.forever() {
                if wake.send(Wake::Signal(signal)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Listener { handle, over, thread: Some(thread) })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.handle.close();
        self.over.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Stops this process and what was started together with it, as Ctrl-Z would; returns when it goes on.
pub fn stop_here() {
    let _ = rustix::process::kill_current_process_group(rustix::process::Signal::STOP);
}
