//! Ctrl-C during long-running work: the first one stops cleanly, the second one quits.

use anyhow::{Context, Result};
use chaffinch_data::Error;
use crossbeam_channel::{Receiver, unbounded};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The exit status of an interrupted command.
pub(super) const INTERRUPTED: u8 = 130;

/// The exit status of work that is done, or that was interrupted.
///
/// # Errors
/// Why it failed.
pub(super) fn status(outcome: Result<()>) -> Result<ExitCode> {
    match outcome {
        Err(error) if matches!(error.downcast_ref(), Some(Error::Stopped)) => Ok(ExitCode::from(INTERRUPTED)),
        outcome => outcome.map(|()| ExitCode::SUCCESS),
    }
}

/// Sends a message for each SIGINT or SIGTERM from now on. The caller must act on it: the signals no longer end the
/// program by themselves.
pub(super) fn listen() -> Result<Receiver<()>> {
    let mut signals = Signals::new([SIGINT, SIGTERM]).context("cannot listen for Ctrl-C")?;
    let (sender, receiver) = unbounded();
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            for (earlier, _) in signals.forever().enumerate() {
                if earlier > 0 {
                    std::process::exit(i32::from(INTERRUPTED));
                }
                // Nothing listens once the work is done; the next signal ends the program.
                let _ = sender.send(());
            }
        })
        .context("cannot start a thread")?;
    Ok(receiver)
}

/// A flag set by the first SIGINT or SIGTERM; the second one ends the program. See [`listen`] for the consequences.
pub(super) fn flag() -> Result<Arc<AtomicBool>> {
    let raised = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // The order matters: the first signal must find the flag unset before setting it.
        flag::register_conditional_shutdown(signal, i32::from(INTERRUPTED), raised.clone())
            .and_then(|_| flag::register(signal, raised.clone()))
            .context("cannot listen for Ctrl-C")?;
    }
    Ok(raised)
}
