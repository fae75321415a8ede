//! `plugins disable`, `enable`, `remove` and `restore`: what detectors found in a session, be they loaded or not.

use super::args::Global;
use super::libraries;
use super::output::{remark, results};
use super::{place, prompt_set, settings};
use anyhow::{Result, bail, ensure};
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::issue::is_built_in;
use chaffinch_data::journal::{Journal, codes};
use chaffinch_data::session::Session;
use chaffinch_engine::outdated::{self, Now, Outdated};
use chaffinch_engine::unloaded::{is_absent, is_of_detector};
use chaffinch_host::Registry;
use chaffinch_protocol::DetectorState;
use chaffinch_protocol::display::{quoted, safe_path, safe_text};
use chaffinch_review::verdict::is_flagged;
use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A detector of a session.
#[derive(Debug, Args)]
pub(super) struct Of {
    /// Folder of a session, or its dataset
    #[arg(value_name = "SESSION")]
    target: PathBuf,
    /// Detector
    #[arg(value_name = "DETECTOR")]
    detector: String,
}

/// The results of a detector that is not loaded, for scripts.
#[derive(Serialize)]
pub(super) struct AbsentEntry {
    name: String,
    version: String,
    summary: String,
    /// `not-loaded`, or `disabled`.
    state: DetectorState,
    /// When they were written.
    results_from: String,
    /// Whether they were taken out of the session and can be put back.
    removed: bool,
    scored: u64,
    flagged: u64,
}

/// The results in a session of detectors that are not loaded: those that count, and those that were removed.
pub(super) fn absent(dir: &Path, registry: &Registry) -> Result<Vec<AbsentEntry>> {
    let session = Session::open_to_read(dir)?;
    let Some((manifest, _)) = session.load_samples()? else { return Ok(Vec::new()) };
    let settings = session.load_settings()?;
    let (known, removed) = all(&session, manifest.len(), manifest.classes());
    let entry = |result: &DetectorResult, removed: bool| {
        let record = result.record();
        let scores = result.scores().iter().filter(|score| !score.is_nan());
        let threshold = settings.thresholds.get(&record.name).copied().unwrap_or(record.threshold);
        AbsentEntry {
            name: record.name.clone(),
            version: record.version.clone(),
            summary: record.summary.clone(),
            state: match settings.is_off(&record.name) && !removed {
                true => DetectorState::Disabled,
                false => DetectorState::NotLoaded,
            },
            results_from: session.result_time(&record.name).unwrap_or_default(),
            removed,
            flagged: scores.clone().filter(|score| is_flagged(**score, threshold)).count() as u64,
            scored: scores.count() as u64,
        }
    };
    let removed = removed.iter().filter(|(name, _)| !known.contains_key(*name));
    let every = known.values().map(|one| (one, false)).chain(removed.map(|(_, one)| (one, true)));
    Ok(every
        .filter(|(result, _)| is_absent(result, registry))
        .map(|(result, gone)| entry(result, gone))
        .collect())
}

/// The results that a session has, and those that were taken out of it.
fn all(
    session: &Session,
    count: usize,
    classes: &[String],
) -> (BTreeMap<String, DetectorResult>, BTreeMap<String, DetectorResult>) {
    (session.load_results(count, classes).0, session.load_removed(count, classes))
}

/// The detectors whose results are from before the dataset, their code or the decisions that they read changed, as this reviewer
/// sees them.
pub(super) fn outdated(
    session: &Session,
    registry: &Registry,
    reviewer: &str,
    global: &Global,
) -> Result<BTreeMap<String, Outdated>> {
    let Some((manifest, file_metadata)) = session.load_samples()? else { return Ok(BTreeMap::new()) };
    let (there, _) = all(session, manifest.len(), manifest.classes());
    let mut journal = Journal::open(&session.decisions_dir(), reviewer)?;
    journal.set_blind(session.load_blind(reviewer).is_some());
    journal.bind(&Arc::new(manifest), Some(&Arc::new(file_metadata)));
    let prompts = prompt_set::digest(session, session.dataset(), global);
    let now = Now { decisions: &codes::digest(&journal.codes()), prompts: &prompts };
    Ok(outdated::all(there.values(), registry, now))
}

/// Writes them as text.
pub(super) fn write(out: &mut dyn Write, entries: &[AbsentEntry]) -> Result<()> {
    for entry in entries {
        let AbsentEntry { name, version, summary, results_from, .. } = entry;
        writeln!(out, "{} {}: {}", safe_text(name), safe_text(version), safe_text(summary))?;
        let what = match entry.removed {
            true => "its results were removed and can be put back".to_owned(),
            false => format!("results from {results_from}: {} flagged of {}", entry.flagged, entry.scored),
        };
        let state = match entry.state {
            DetectorState::NotLoaded => String::new(),
            state => format!(", {}", state.words()),
        };
        writeln!(out, "  {}{state}; {what}", DetectorState::NotLoaded.words().to_uppercase())?;
    }
    Ok(())
}

/// Disables a detector in a session, or enables it.
pub(super) fn enable(of: &Of, enabled: bool, global: &Global) -> Result<()> {
    let session = open(of, global)?;
    let mut settings = session.load_settings()?;
    let found = known(&session, of, false);
    // One without results may have been disabled, or be there to be run.
    let registry = registry(global)?;
    let is_loaded = registry.find(&of.detector).is_some();
    let is_there = is_loaded || settings.enabled.contains_key(&of.detector);
    let name = match found {
        Err(_) if is_there => of.detector.clone(),
        found => found?,
    };
    settings.enabled.insert(name.clone(), enabled);
    session.save_settings(&settings)?;
    let word = if enabled { "enabled" } else { "disabled" };
    results(|out| Ok(writeln!(out, "{word} {} in {}", safe_text(&name), safe_path(session.dir()))?))?;
    let config = settings::config(global, Some(session.dir()))?;
    let words = if enabled { valid(&session, &name, &registry, (&config.reviewer(), global))? } else { None };
    if let Some(words) = words.filter(|_| !global.quiet) {
        // A scan runs what it finds in its folders.
        let with = if is_loaded { "" } else { " --plugins FOLDER" };
        remark(&format!("{words}: chaffinch scan {}{with}", quoted(session.dir())));
    }
    Ok(())
}

/// Why what a detector found is not up to date, and what a scan does about it; nothing if it is.
fn valid(
    session: &Session,
    name: &str,
    registry: &Registry,
    (reviewer, global): (&str, &Global),
) -> Result<Option<String>> {
    let words = match outdated(session, registry, reviewer, global)?.get(name) {
        _ if registry.has_changed(name) => {
            let let_in = format!("chaffinch plugins let-in {}", safe_text(name));
            return Ok(Some(format!("Its code has changed; let it in with {let_in}, then run it")));
        }
        _ if session.result_modified(name).is_none() => "It has no results in this session; a scan runs it",
        None => return Ok(None),
        Some(Outdated::Dataset) => "Its results are from before the dataset changed; a scan runs it again",
        Some(Outdated::Code) => "Its results are of its earlier code; a scan runs it again",
        Some(Outdated::Decisions) => {
            "Its results are from before the decisions changed; a scan runs it again"
        }
        Some(Outdated::Prompts) => "Its results are from before the prompts changed; a scan runs it again",
        Some(Outdated::Pictures) => "Pictures were away or changed while it ran; a scan runs it again",
        Some(Outdated::Scores) => {
            "It reads scores of another detector that are out of date; a scan runs both again"
        }
    };
    Ok(Some(words.to_owned()))
}

/// The detectors that there are.
fn registry(global: &Global) -> Result<Registry> {
    Ok(libraries::load(&settings::config(global, None)?))
}

/// Takes the results of a detector out of a session, or puts them back.
pub(super) fn remove(of: &Of, back: bool, global: &Global) -> Result<()> {
    let session = open(of, global)?;
    let name = known(&session, of, back)?;
    if !back && registry(global)?.find(&name).is_some() {
        bail!(
            "the detector {} is loaded, and the next scan would bring its results back; to take them out as long as you \
             like: chaffinch plugins disable {} {}",
            safe_text(&name),
            quoted(session.dir()),
            safe_text(&name)
        );
    }
    let moved = match back {
        true => session.put_back_result(&name)?,
        false => session.take_out_result(&name)?,
    };
    ensure!(moved, "the results of {} are gone meanwhile", safe_text(&name));
    let word = if back { "put back" } else { "removed" };
    results(|out| Ok(writeln!(out, "{word} the results of {}", safe_text(&name))?))?;
    if !back && !global.quiet {
        let dir = quoted(session.dir());
        remark(&format!("Put them back with: chaffinch plugins restore {dir} {}", safe_text(&name)));
    }
    Ok(())
}

fn open(of: &Of, global: &Global) -> Result<Session> {
    let location = place::find(&of.target, global)?;
    place::scanned(&location, global)?;
    Ok(Session::open(&location.dir)?)
}

/// The detector that is named, if it has results: among those that count, or among those that were removed.
fn known(session: &Session, of: &Of, among_removed: bool) -> Result<String> {
    let Some((manifest, _)) = session.load_samples()? else { return Err(place::no_results(session)) };
    let (there, removed) = all(session, manifest.len(), manifest.classes());
    let wanted = if among_removed { &removed } else { &there };
    let shown = safe_text(&of.detector);
    match wanted.get(&of.detector) {
        Some(result) if result.record().is_imported() => {
            bail!("{shown} was imported; chaffinch import --remove {shown} removes it")
        }
        Some(_) if !is_built_in(&of.detector) => Ok(of.detector.clone()),
        _ => {
            let names: Vec<&str> = wanted
                .values()
                .filter(|one| is_of_detector(one))
                .map(|one| one.record().name.as_str())
                .collect();
            let what = if among_removed { "removed results" } else { "results" };
            let all = match (names.as_slice(), among_removed) {
                ([], true) => "none are kept; a scan of a dataset that has changed drops them".to_owned(),
                ([], false) => "there are none of any detector".to_owned(),
                (names, true) => format!("removed are those of {}", names.join(", ")),
                (names, false) => format!("there are those of {}", names.join(", ")),
            };
            bail!("this session has no {what} of a detector '{shown}' ({})", safe_text(&all))
        }
    }
}
