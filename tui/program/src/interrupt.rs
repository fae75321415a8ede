//! Ctrl-C during long work: the first stops cleanly, the second ends the program.

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, unbounded};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The status shells give to a command that was interrupted.
pub(super) const INTERRUPTED: u8 = 130;

/// A message for each SIGINT or SIGTERM from now on. Whoever asks for this has to obey it: the signals no longer
/// end the program by themselves.
pub(super) fn listen() -> Result<Receiver<()>> {
    let mut signals = Signals::new([SIGINT, SIGTERM]).context("cannot listen for Ctrl-C")?;
    let (sender, receiver) = unbounded();
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            for (place, _) in signals.forever().enumerate() {
                if place > 0 {
                    std::process::exit(i32::from(INTERRUPTED));
                }
                // Nobody listens once the work is over; the next one ends the program.
                let _ = sender.send(());
            }
        })
        .context("cannot start a thread")?;
    Ok(receiver)
}

/// A flag that the first SIGINT or SIGTERM raises; the second ends the program. The same holds as for [`listen`].
pub(super) fn flag() -> Result<Arc<AtomicBool>> {
    let raised = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal finds the flag down, passes, and raises it.
        flag::register_conditional_shutdown(signal, i32::from(INTERRUPTED), raised.clone())
            .and_then(|_| flag::register(signal, raised.clone()))
            .context("cannot listen for Ctrl-C")?;
    }
    Ok(raised)
}
