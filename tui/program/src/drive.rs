//! Runs a scan through the engine without the interface, and reports its progress.

use super::args::Global;
use super::interrupt;
use super::progress::Display;
use anyhow::{Result, bail};
use chaffinch_engine as engine;
use chaffinch_engine::{Client, Setup, outdated};
use chaffinch_protocol::{Command, Event, ScanReport, SessionSummary};
use crossbeam_channel::{never, select};

/// A finished scan.
pub(super) struct Scanned {
    /// The session afterwards.
    pub(super) summary: SessionSummary,
    /// Its report.
    pub(super) report: ScanReport,
    /// Whether Ctrl-C stopped it.
    pub(super) interrupted: bool,
}

/// What a scan prints.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shown {
    /// Only warnings.
    pub(super) quiet: bool,
    /// Also the engine's log.
    pub(super) verbose: bool,
    /// No warnings either; the caller reads them from the report.
    pub(super) silent: bool,
}

impl From<&Global> for Shown {
    fn from(global: &Global) -> Shown {
        Shown { quiet: global.quiet, verbose: global.verbose, silent: false }
    }
}

/// Scans. Partial failures are printed to stderr and listed in the report.
///
/// # Errors
/// If the engine cannot start or the scan as a whole fails.
pub(super) fn scan(setup: Setup, detectors: &[String], shown: Shown) -> Result<Scanned> {
    let client = engine::spawn(setup)?;
    let outcome =
        watch(&client, Command::Scan { detectors: detectors.to_vec(), opening: false }, shown, true);
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
        bail!("the engine exited before it started; run again with -v to see its log");
    }
    let report = loop {
        let event = select! {
            recv(client.events) -> event => event,
            recv(interrupts) -> _ => {
                interrupted = true;
                display.line("stopping: finished work is kept; press Ctrl-C again to quit immediately");
                let _ = client.commands.send(Command::Cancel);
                continue;
            }
        };
        match event {
            Ok(Event::Session(new)) => summary = *new,
            Ok(Event::Progress(progress)) => display.progress(&progress),
            Ok(Event::ScanDone(report)) => break *report,
            // A failure of the scan itself is returned as an error, and what is out of date before it may not be after it.
            Ok(Event::Trouble { about, message })
                if about != "scan" && about != outdated::RESULTS && !shown.silent =>
            {
                display.trouble(&about, &message)
            }
            Ok(Event::Log { line }) if shown.verbose => display.line(&line),
            Ok(Event::Refused { message }) => {
                display.finish();
                bail!(message);
            }
            Ok(Event::Bye { .. }) | Err(_) => {
                display.finish();
                bail!("the engine exited during the scan; finished work is kept, so run it again");
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
