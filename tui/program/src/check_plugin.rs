//! `plugins check`: tries a library on a small generated dataset and says what is wrong with it.

use super::drive::{Shown, watch};
use super::output::{count, duration, results};
use super::sample_pictures;
use super::setup;
use anyhow::{Context, Result, bail, ensure};
use chaffinch_engine as engine;
use chaffinch_engine::Client;
use chaffinch_host::{LoadedDetector, Registry};
use chaffinch_plugin::Info;
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_protocol::{Command, DetectorSummary, Event, Query};
use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ExitCode, ExitStatus};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Runs the check in a process of its own: a library that crashes or hangs is a finding, not the end of us.
pub(super) fn guarded(file: &Path, limit: u64) -> Result<ExitCode> {
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let mut command = std::process::Command::new(program);
    command.args(["plugins", "check", "--unguarded", "--limit", &limit.to_string(), "--"]).arg(file);
    let mut child = command.spawn().context("cannot start the check")?;
    let Some(status) = wait(&mut child, Duration::from_secs(limit))? else {
        let _ = child.kill();
        let _ = child.wait();
        bail!("{}: no end after {limit} s; see which detector was running last above", safe_path(file));
    };
    if let Some(signal) = status.signal() {
        bail!("{}: crashed with signal {signal}, which would have ended the engine", safe_path(file));
    }
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(2)))
}

fn wait(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().context("cannot wait for the check")? {
            return Ok(Some(status));
        }
        if started.elapsed() > limit {
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Loads the library and runs each detector in it.
pub(super) fn unguarded(file: &Path) -> Result<ExitCode> {
    let mut registry = Registry::default();
    registry.add(file);
    if let Some(refused) = registry.refused().first() {
        bail!("{}", safe_text(&refused.error.to_string()));
    }
    let registry = Arc::new(registry);
    let place = tempfile::tempdir().context("cannot create a temporary folder")?;
    let dataset = place.path().join("dataset");
    sample_pictures::write(&dataset)?;
    let client = engine::spawn(setup::for_check(&dataset, &place.path().join("session"), registry.clone())?)?;
    let mut failed = false;
    for detector in registry.detectors() {
        let outcome = Outcome::of(&client, detector.info());
        failed |= !outcome.wrong.is_empty();
        results(|out| Ok(write!(out, "{}", outcome.text(detector))?))?;
    }
    client.stop()?;
    Ok(ExitCode::from(if failed { 2 } else { 0 }))
}

/// What came of one detector.
#[derive(Default)]
struct Outcome {
    wrong: Vec<String>,
    odd: Vec<String>,
    fine: Vec<String>,
}

impl Outcome {
    fn of(client: &Client, info: &'static Info) -> Outcome {
        let mut outcome = Outcome::default();
        outcome.declaration(info);
        if let Err(error) = outcome.runs(client, info) {
            outcome.wrong.push(error.to_string());
        }
        outcome
    }

    /// What it says of itself.
    fn declaration(&mut self, info: &Info) {
        if info.summary().trim().is_empty() {
            self.odd.push("it has no summary: give Info::new one line that says what it finds".into());
        }
        let headings = ["What it finds", "Why it matters", "Score", "Blind spots"];
        let missing: Vec<&str> =
            headings.into_iter().filter(|heading| !info.docs_text().contains(heading)).collect();
        if !missing.is_empty() {
            self.odd.push(format!("its documentation has no heading {}", missing.join(", ")));
        }
        for param in info.parameters().iter().filter(|param| param.help().trim().is_empty()) {
            self.odd.push(format!("its parameter {} has no help", param.name()));
        }
    }

    /// One run with defaults, the same again, and one at each end of every parameter.
    fn runs(&mut self, client: &Client, info: &'static Info) -> Result<()> {
        let name = info.name();
        let first = run(client, name, &BTreeMap::new())?;
        let listed = order(client, name)?;
        self.fine.push(format!(
            "{} scored, {} flagged, {}",
            count(first.scored, "sample", "samples"),
            first.flagged,
            duration(first.seconds)
        ));
        if first.scored == 0 {
            self.odd.push("it gave no sample a score".into());
        }
        run(client, name, &BTreeMap::new())?;
        if order(client, name)? == listed {
            self.fine.push("a second run gives the same".into());
        } else {
            self.wrong.push("a second run on the same samples gives other scores".into());
        }
        let defaults: BTreeMap<String, f64> =
            info.parameters().iter().map(|param| (param.name().to_owned(), param.default())).collect();
        let (mut tried, ends) = (0, 2 * info.parameters().len() as u64);
        for param in info.parameters() {
            let (low, high) = param.bounds();
            for value in [low, high] {
                let mut params = defaults.clone();
                params.insert(param.name().to_owned(), value);
                match run(client, name, &params) {
                    Ok(_) => tried += 1,
                    // Bounds may ask for more than so small a dataset has; a panic is never right.
                    Err(error) => {
                        let panicked = error.to_string().starts_with("panicked");
                        let kind = if panicked { &mut self.wrong } else { &mut self.odd };
                        kind.push(format!("with {} = {value}: {error}", param.name()));
                    }
                }
            }
        }
        if tried > 0 {
            self.fine.push(format!("{tried} of {ends} runs at the ends of its parameters gave a result"));
        }
        Ok(())
    }

    fn text(&self, detector: &LoadedDetector) -> String {
        let info = detector.info();
        let mut text = format!("{} {}: {}\n", info.name(), info.version_text(), info.summary());
        let kinds = [("ok     ", &self.fine), ("odd    ", &self.odd), ("WRONG  ", &self.wrong)];
        for (kind, lines) in kinds {
            lines.iter().for_each(|line| text += &format!("  {kind}{line}\n"));
        }
        text.lines().map(|line| format!("{}\n", safe_text(line))).collect()
    }
}

/// Runs one detector, and nothing else twice.
fn run(client: &Client, name: &str, params: &BTreeMap<String, f64>) -> Result<DetectorSummary> {
    let command = Command::Rerun { detector: name.to_owned(), params: params.clone() };
    let report = watch(client, command, Shown { quiet: true, silent: true, verbose: false }, false)?.report;
    if let Some((_, reason)) = report.failed.iter().find(|(about, _)| about == name) {
        bail!(reason.clone());
    }
    let summary = report.detectors.into_iter().find(|detector| detector.name == name);
    summary.context("it ran and left no result")
}

/// All samples as this detector ranks them, with everything a row shows.
fn order(client: &Client, name: &str) -> Result<String> {
    let query =
        Query { all: true, sort: chaffinch_protocol::Sort::Detector(name.into()), ..Query::default() };
    let rows = super::rows::fetch(client, query)?;
    let mut text = String::new();
    for row in &rows {
        client.commands.send(Command::Detail { sample: row.sample }).ok().context("the engine ended")?;
        let detail = loop {
            match client.events.recv().context("the engine ended")? {
                Event::Detail(detail) => break detail,
                Event::Refused { message } => bail!(message),
                _ => {}
            }
        };
        let issue = detail.issues.iter().find(|issue| issue.detector == name);
        text += &format!("{} {issue:?}\n", row.sample.0);
    }
    ensure!(!rows.is_empty(), "there are no samples to compare");
    Ok(text)
}
