//! tmux around us: it passes nothing on to the terminal unless configured to, it drops output for a window
//! that is not visible, and it never redraws a picture by itself. A thread handles all of that.

use super::wake::{TmuxNews, Wake};
use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use std::process::{Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often tmux is asked which clients are watching.
const EVERY: Duration = Duration::from_millis(400);

/// The thread. When it is dropped, tmux is as it was.
pub struct Tmux {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Tmux {
    /// Starts the thread for this pane (`$TMUX_PANE`).
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(pane: String, wake: &Sender<Wake>) -> std::io::Result<Tmux> {
        let (stop, stopped) = bounded::<()>(0);
        let wake = wake.clone();
        let thread = std::thread::Builder::new().name("tmux".to_owned()).spawn(move || {
            let Some(before) = open(&pane, &wake) else { return };
            let mut last = look(&pane);
            let _ = wake.send(Wake::Tmux(TmuxNews::Ready));
            let tell = |news| drop(wake.send(Wake::Tmux(news)));
            if let Some((false, _)) = last {
                tell(TmuxNews::Seen(false));
            }
            while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                let now = look(&pane);
                if let (Some((seen, clients)), Some((was_seen, before))) = (&now, &last) {
                    if clients != before {
                        tell(TmuxNews::Clients);
                    }
                    if seen != was_seen {
                        tell(TmuxNews::Seen(*seen));
                    }
                }
                last = now.or(last);
            }
            close(&pane, before.as_deref());
        })?;
        Ok(Tmux { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Runs tmux. Its output, or what it complained of.
fn run(args: &[&str]) -> Result<String, String> {
    let ran = Command::new("tmux").args(args).stdin(Stdio::null()).output();
    let ran = ran.map_err(|error| error.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if ran.status.success() { Ok(text(&ran.stdout)) } else { Err(text(&ran.stderr)) }
}

const OPTION: &str = "allow-passthrough";

/// Enables passthrough for our pane. Returns the pane's previous value, if it had one; none if that fails.
fn open(pane: &str, wake: &Sender<Wake>) -> Option<Option<String>> {
    let before = match run(&["show-options", "-p", "-v", "-t", pane, OPTION]) {
        // Up to tmux 3.2 everything is handed on and there is no such option.
        Err(error) if error.contains("invalid option") || error.contains("unknown option") => {
            return Some(None);
        }
        Err(error) => {
            let _ = wake.send(Wake::Log(format!("cannot query tmux: {error}")));
            return None;
        }
        Ok(value) => Some(value).filter(|value| !value.is_empty()),
    };
    // `all` is not known to 3.3, and not needed: nothing is sent while no client is watching.
    match run(&["set-option", "-p", "-t", pane, OPTION, "on"]) {
        Ok(_) => Some(before),
        Err(error) => {
            let _ = wake.send(Wake::Log(format!("tmux does not pass pictures through: {error}")));
            None
        }
    }
}

fn close(pane: &str, before: Option<&str>) {
    // A closed pane has lost its options.
    let _ = match before {
        Some(value) => run(&["set-option", "-p", "-t", pane, OPTION, value]),
        None => run(&["set-option", "-p", "-u", "-t", pane, OPTION]),
    };
}

/// Whether our pane is visible, and which clients are attached.
fn look(pane: &str) -> Option<(bool, String)> {
    let seen = "#{&&:#{window_active},#{session_attached}} #{?window_zoomed_flag,#{pane_active},1}";
    let clients = "#{client_pid} #{client_created} #{client_termname}";
    let text =
        run(&["display-message", "-p", "-t", pane, seen, ";", "list-clients", "-t", pane, "-F", clients]);
    let text = text.ok()?;
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    Some((first.trim() == "1 1", rest.to_owned()))
}
