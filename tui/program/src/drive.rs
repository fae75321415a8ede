//! Runs a scan through the engine without a screen, and reports its way.

use super::args::Global;
use super::interrupt;
use super::progress::Display;
use anyhow::{Result, bail};
use chaffinch_engine as engine;
use chaffinch_engine::{Client, Setup};
use chaffinch_protocol::{Command, Event, ScanReport, SessionSummary};
use crossbeam_channel::{never, select};

/// A scan that came to its end.
pub(super) struct Scanned {
    /// The session afterwards.
    pub(super) summary: SessionSummary,
    /// What was done.
    pub(super) report: ScanReport,
    /// Whether it was stopped by Ctrl-C.
    pub(super) interrupted: bool,
}

/// How a scan shows itself.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shown {
    /// Nothing but warnings.
    pub(super) quiet: bool,
    /// The engine's log as well.
    pub(super) verbose: bool,
    /// No warnings either: the caller reads them from the report.
    pub(super) silent: bool,
}

impl From<&Global> for Shown {
    fn from(global: &Global) -> Shown {
        Shown { quiet: global.quiet, verbose: global.verbose, silent: false }
    }
}

/// Scans. What failed on the way is said on stderr and stands in the report.
///
/// # Errors
/// When the engine cannot start or the scan as a whole fails.
pub(super) fn scan(setup: Setup, detectors: &[String], shown: Shown) -> Result<Scanned> {
    let client = engine::spawn(setup)?;
    let outcome = watch(&client, Command::Scan { detectors: detectors.to_vec() }, shown, true);
    client.stop()?;
    outcome
}

/// Sends a command that ends in [`Event::ScanDone`] and waits for that.
pub(super) fn watch(client: &Client, command: Command, shown: Shown, interruptible: bool) -> Result<Scanned> {
    let interrupts = if interruptible { interrupt::listen()? } else { never() };
    let mut display = Display::new(shown.quiet);
    let mut summary = SessionSummary::default();
    let mut interrupted = false;
    if client.commands.send(command).is_err() {
        bail!("the engine ended before it began; run again with -v to see more");
    }
    let report = loop {
        let event = select! {
            recv(client.events) -> event => event,
            recv(interrupts) -> _ => {
                interrupted = true;
                display.line("stopping: what is finished is kept; press Ctrl-C again to stop at once");
                let _ = client.commands.send(Command::Cancel);
                continue;
            }
        };
        match event {
            Ok(Event::Session(new)) => summary = *new,
            Ok(Event::Progress(progress)) => display.progress(&progress),
            Ok(Event::ScanDone(report)) => break *report,
            // The scan's own failure is the error this returns.
            Ok(Event::Trouble { about, message }) if about != "scan" && !shown.silent => {
                display.trouble(&about, &message)
            }
            Ok(Event::Log { line }) if shown.verbose => display.line(&line),
            Ok(Event::Refused { message }) => {
                display.finish();
                bail!(message);
            }
            Ok(Event::Bye) | Err(_) => {
                display.finish();
                bail!(
                    "the engine ended in the middle of the scan; what was finished is kept, so run it again"
                );
            }
            Ok(_) => {}
        }
    };
    display.finish();
    if let Some((_, reason)) = report.failed.iter().find(|(about, _)| about == "scan" && !interrupted) {
        bail!(reason.clone());
    }
    Ok(Scanned { summary, report, interrupted })
}
