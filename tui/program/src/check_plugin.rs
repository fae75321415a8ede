//! `plugins check`: tests detectors on a small generated dataset and reports problems.

use super::drive::{Shown, watch};
use super::libraries;
use super::output::{count, duration, remark, results};
use super::sample_pictures;
use super::setup;
use anyhow::{Context, Result, bail, ensure};
use chaffinch_data::issue::is_built_in;
use chaffinch_data::nearest::hint;
use chaffinch_engine as engine;
use chaffinch_engine::Client;
use chaffinch_host::{
    COLUMNS, CUT_TEXT, LetIn, Limits, LoadedDetector, PluginFolder, Registry, Workers, in_order,
    is_misbehavior, let_in,
};
use chaffinch_plugin::Info;
use chaffinch_plugin::host::NOT_SCORED;
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_protocol::{Command, DetectorSummary, Event, Overview, Overviewed, Query};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Loads what there is in a file or folder and runs each detector in it. Each runs in a process of its own, with this many
/// seconds for each run, so that one that crashes or hangs is reported.
pub(super) fn check(path: &Path, limit: u64) -> Result<ExitCode> {
    let time = Some(Duration::from_secs(limit.max(1)));
    let limits = Limits { time, checking: true, ..Limits::default() };
    // Without a memory: what was set aside is tried again, and what dies here is not set aside.
    let mut registry = Registry::with(Workers::default().within(limits));
    registry.add(path);
    if let Some(refused) = registry.refused().first() {
        bail!("{}", safe_text(&refused.error.to_string()));
    }
    ensure!(
        !registry.detectors().is_empty(),
        "{} has no detectors: no library and no detector.toml",
        safe_path(path)
    );
    // Where it is used, what ships with the program is loaded before it.
    let shipped = Registry::load(&PluginFolder::own());
    if let Some(second) = registry.detectors().iter().find_map(|detector| shipped.clash(detector)) {
        bail!("{}", safe_text(&second.to_string()));
    }
    let names: BTreeSet<&'static str> =
        registry.detectors().iter().map(|detector| detector.info().name()).collect();
    // What they read the scores of ships with the program, or is in the same folder.
    if registry.detectors().iter().any(|detector| !detector.after().is_empty()) {
        registry.add_all(&PluginFolder::own());
    }
    let registry = Arc::new(registry);
    let temp = tempfile::tempdir().context("cannot create a temporary folder")?;
    let dataset = temp.path().join("dataset");
    sample_pictures::write(&dataset)?;
    let single = temp.path().join("single");
    sample_pictures::write_one(&single)?;
    let spawn = |dataset: &Path, session: &str| -> Result<Client> {
        Ok(engine::spawn(setup::for_check(dataset, &temp.path().join(session), registry.clone())?)?)
    };
    let (client, single) = (spawn(&dataset, "session")?, spawn(&single, "single-session")?);
    let mut failed = false;
    let all: Vec<&LoadedDetector> = registry.detectors().iter().collect();
    let (_, circles) = in_order(&all);
    for detector in registry.detectors().iter().filter(|detector| names.contains(detector.info().name())) {
        let circle = circles.iter().find(|circle| circle.detector.info().name() == detector.info().name());
        let outcome = match circle {
            Some(circle) => Outcome { wrong: vec![circle.reason.clone()], ..Outcome::default() },
            None => Outcome::of((&client, &single), &registry, detector),
        };
        failed |= !outcome.wrong.is_empty();
        results(|out| Ok(write!(out, "{}", outcome.text(detector))?))?;
    }
    client.stop()?;
    single.stop()?;
    if !failed {
        agree(path)?;
    }
    Ok(ExitCode::from(if failed { 2 } else { 0 }))
}

/// Whoever checks a detector has agreed to its code: what passes and has run before is pinned as it is now.
fn agree(path: &Path) -> Result<()> {
    let workers = Workers::default().pinning(libraries::pins());
    let (here, all) =
        (std::path::absolute(path).context("cannot find the working directory")?, workers.pins().all()?);
    // Pinned through a link, it is pinned where it lies as well.
    let here = std::fs::canonicalize(&here).unwrap_or(here);
    for pinned in all.keys().filter(|pinned| Path::new(pinned).starts_with(&here)) {
        for changed in let_in(&workers, pinned, None)? {
            if let LetIn::Changed { what, .. } = changed {
                remark(&format!("{}; it is let in as it is now", safe_text(&what)));
            }
        }
    }
    Ok(())
}

/// The findings about one detector.
#[derive(Default)]
struct Outcome {
    wrong: Vec<String>,
    odd: Vec<String>,
    fine: Vec<String>,
    /// The last lines that it printed.
    printed: Vec<String>,
}

impl Outcome {
    fn of((client, single): (&Client, &Client), registry: &Registry, detector: &LoadedDetector) -> Outcome {
        let info = detector.info();
        let mut outcome = Outcome::default();
        outcome.declaration(info);
        // The generated dataset is a folder, and has no columns of its own.
        if let Some(column) = detector.columns().iter().find(|name| !COLUMNS.contains(name)) {
            let hint = hint(column, COLUMNS);
            outcome.odd.push(format!(
                "not run, because it judges the column {column}, which only a dataset of yours has{hint}; try it with: scan DATASET --plugins"
            ));
            return outcome;
        }
        // What reading the files finds needs no run.
        for name in detector.after().into_iter().filter(|name| !is_built_in(name)) {
            // In both datasets; why it cannot run is what its own check says.
            let ran = registry.find(name).map(|_| {
                let single = run(single, name, &BTreeMap::new()).map(|_| ());
                run(client, name, &BTreeMap::new()).and(single)
            });
            if ran.is_none_or(|ran| ran.is_err()) {
                let why = registry.unknown(name).unwrap_or_else(|| "it has none here".into());
                outcome.odd.push(format!(
                    "not run, because it reads the scores of {name} (under after): {why}; try it with: scan DATASET --plugins"
                ));
                return outcome;
            }
        }
        let failed = outcome.runs(client, info).err().map(|error| error.to_string());
        match printed(client, info.name()) {
            Ok(lines) => outcome.printed = lines,
            Err(error) => outcome.odd.push(format!("what it printed is not known: {error}")),
        }
        match run(single, info.name(), &BTreeMap::new()) {
            Ok(_) => outcome.fine.push("a dataset of one picture is judged".into()),
            // It is not the one picture that is the matter.
            Err(_) if failed.is_some() => {}
            Err(error) if raised(&error) => {
                outcome
                    .odd
                    .push(format!("with one picture: {error}; say what it needs with a Failure instead"));
            }
            Err(error) if broke(&error) => {
                outcome.wrong.push(format!("with one picture: {error}"));
            }
            Err(error) => {
                outcome.fine.push(format!("one picture is too little for it, which it says: {error}"))
            }
        }
        outcome.wrong.extend(failed);
        outcome
    }

    /// Checks its declaration.
    fn declaration(&mut self, info: &Info) {
        if info.summary().trim().is_empty() {
            self.odd.push("no summary; pass Info::new one line that says what the detector finds".into());
        }
        let headings = ["What it finds", "Why it matters", "Score", "Blind spots"];
        let missing: Vec<&str> =
            headings.into_iter().filter(|heading| !info.docs_text().contains(heading)).collect();
        if !missing.is_empty() {
            self.odd.push(format!("missing in its documentation: {}", missing.join(", ")));
        }
        for param in info.parameters().iter().filter(|param| param.help().trim().is_empty()) {
            self.odd.push(format!("parameter {} has no help", param.name()));
        }
    }

    /// Runs it with defaults, again to compare, and with both bounds of every parameter.
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
            self.odd.push(
                "no sample was scored, so it can flag nothing: it returned None, NaN or nothing for every picture. If it \
                 judges what these pictures do not have, try it with: scan DATASET --plugins; otherwise print what it \
                 computes for the first of them"
                    .into(),
            );
        }
        for (_, what) in first.notes.iter().filter(|(note, _)| note == NOT_SCORED) {
            self.wrong.push(format!("not scored: {what}"));
        }
        let cut = first.notes.iter().filter(|(note, _)| note == CUT_TEXT);
        self.odd.extend(cut.map(|(_, what)| what.clone()));
        run(client, name, &BTreeMap::new())?;
        if order(client, name)? == listed {
            self.fine.push("a second run gives the same result".into());
        } else {
            self.wrong.push("a second run on the same samples gives different results".into());
        }
        let defaults: BTreeMap<String, f64> =
            info.parameters().iter().map(|param| (param.name().to_owned(), param.default())).collect();
        let (mut tried, mut ends) = (0, 0_u64);
        for param in info.parameters() {
            let (low, high) = param.bounds();
            // Each choice may be other code.
            let choices = param.choices();
            let values = match choices.len() {
                0 => vec![low, high],
                all => (0..all).map(|index| index as f64).collect(),
            };
            for value in values {
                ends += 1;
                let mut params = defaults.clone();
                params.insert(param.name().to_owned(), value);
                match run(client, name, &params) {
                    Ok(_) => tried += 1,
                    // Bounds may need more than such a small dataset has; a panic is always wrong.
                    Err(error) => {
                        let kind = if broke(&error) { &mut self.wrong } else { &mut self.odd };
                        let value = match choices.get(value as usize) {
                            Some(choice) => format!("'{choice}'"),
                            None => value.to_string(),
                        };
                        kind.push(format!("with {} = {value}: {error}", param.name()));
                    }
                }
            }
        }
        if tried > 0 {
            self.fine.push(format!(
                "{tried} of {ends} runs with its choices and at the bounds of its other parameters succeeded"
            ));
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
        for (number, line) in self.printed.iter().enumerate() {
            text += &format!("  {} {line}\n", if number == 0 { "printed" } else { "       " });
        }
        text.lines().map(|line| format!("{}\n", safe_text(line))).collect()
    }
}

/// Whether a run failed by an exception that the detector did not foresee.
fn raised(error: &anyhow::Error) -> bool {
    error.to_string().starts_with("raised ")
}

/// Whether a run failed in a way that is never right.
fn broke(error: &anyhow::Error) -> bool {
    is_misbehavior(&error.to_string())
}

/// Runs one detector; everything else is reused.
fn run(client: &Client, name: &str, params: &BTreeMap<String, f64>) -> Result<DetectorSummary> {
    let command = Command::Rerun { detector: name.to_owned(), params: params.clone() };
    let report = watch(client, command, Shown { quiet: true, silent: true, verbose: false }, false)?.report;
    if let Some((_, reason)) = report.failed.iter().find(|(about, _)| about == name) {
        bail!(reason.clone());
    }
    let summary = report.detectors.into_iter().find(|detector| detector.name == name);
    summary.context("it ran without a result")
}

/// The last lines that the last run of a detector printed.
fn printed(client: &Client, name: &str) -> Result<Vec<String>> {
    let command = Command::Overview { ticket: 1, about: Overview::Forms };
    client.commands.send(command).ok().context("the engine exited")?;
    loop {
        match client.events.recv().context("the engine exited")? {
            Event::Overview { overview: Overviewed::Forms(forms), .. } => {
                let form = forms.into_iter().find(|form| form.name == name);
                let text = form.map(|form| form.about.printed).unwrap_or_default();
                return Ok(text.lines().map(str::to_owned).collect());
            }
            Event::Refused { message } => bail!(message),
            _ => {}
        }
    }
}

/// All samples in the order of this detector, with everything shown about each.
fn order(client: &Client, name: &str) -> Result<String> {
    let query =
        Query { all: true, sort: chaffinch_protocol::Sort::Detector(name.into()), ..Query::default() };
    let rows = super::rows::fetch(client, query)?;
    let mut text = String::new();
    for row in &rows {
        client.commands.send(Command::Detail { sample: row.sample }).ok().context("the engine exited")?;
        let detail = loop {
            match client.events.recv().context("the engine exited")? {
                Event::Detail(detail) => break detail,
                Event::Refused { message } => bail!(message),
                _ => {}
            }
        };
        let issue = detail.issues.iter().find(|issue| issue.detector == name);
        let attributes = detail.attributes.iter().filter(|one| one.detector == name);
        let regions = detail.regions.iter().filter(|one| one.detector == name);
        let said = (attributes.collect::<Vec<_>>(), regions.collect::<Vec<_>>());
        text += &format!("{} {issue:?} {said:?}\n", row.sample.0);
    }
    ensure!(!rows.is_empty(), "no samples to compare");
    Ok(text)
}
