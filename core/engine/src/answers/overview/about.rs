//! Where detectors come from, what they need, and what became of them.

use super::{Absent, Known};
use crate::outdated::Outdated;
use chaffinch_data::session::Session;
use chaffinch_host::{Confinement, LoadedDetector, NEEDS, Place, PluginError, Refused, confinement};
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_protocol::{DetectorAbout, DetectorForm, DetectorState};
use chaffinch_review::query::Source;
use std::sync::OnceLock;

/// Why scans do not run a detector that was not disabled.
const LEFT_OUT: &str = "not among the detectors of the configuration, or of the last scan";

/// The same of one with results, or without.
fn left_out(ran: bool) -> String {
    format!("{LEFT_OUT}{}", if ran { COUNTS } else { "" })
}

/// What becomes of results of a detector that does not run, and is not disabled.
const COUNTS: &str = "; what it found before counts";

/// About a detector that is loaded. `enabled` is whether scans run it.
pub(super) fn about(
    detector: &LoadedDetector,
    enabled: bool,
    source: &Source<'_>,
    known: &Known,
) -> DetectorAbout {
    let info = detector.info();
    let name = info.name();
    let (aside, failed) = (detector.aside(), known.failed.get(name));
    let result = source.results.get(name);
    let outdated = result.and_then(|_| known.outdated.get(name).copied());
    // What the configuration or the last scan left out was not disabled: what it found counts.
    let unchosen = !enabled && known.enabled.get(name) != Some(&false);
    let disabled = !enabled && !unchosen;
    let state = match DetectorState::of(disabled, aside.is_some(), failed.is_some(), outdated.is_some()) {
        DetectorState::Ready if unchosen => DetectorState::NotChosen,
        state => state,
    };
    let why = match state {
        DetectorState::Disabled => {
            let why = "disabled in this session";
            // Enabled, it would still not run.
            let aside = aside.map(|aside| format!("; it is set aside as well, because {}", aside.clause()));
            format!("{why}{}", aside.unwrap_or_default())
        }
        DetectorState::SetAside => aside.map(|aside| aside.reason).unwrap_or_default(),
        DetectorState::Failed if source.results.contains_key(name) => {
            let failed = failed.map(String::as_str).unwrap_or_default();
            format!("{failed}; what it found before stays")
        }
        DetectorState::NotChosen => left_out(result.is_some()),
        DetectorState::Outdated => {
            let why = outdated.map(Outdated::means).unwrap_or_default();
            if unchosen { format!("{why}; {}", left_out(true)) } else { why.to_owned() }
        }
        _ => failed.cloned().unwrap_or_default(),
    };
    let texts = |names: Vec<&str>| names.into_iter().map(|name| safe_text(name).into_owned()).collect();
    let needs = NEEDS.iter().filter(|(_, need)| info.needed().contains(*need));
    let cost = known.costs.get(name);
    let apart = detector.place() == Place::Worker;
    DetectorAbout {
        state,
        why: safe_text(&why).into_owned(),
        origin: detector.origin().words().into(),
        path: safe_path(detector.path()),
        digest: detector.digest().into(),
        pinned: detector.pinned(),
        speaks: detector.speaks().into(),
        apart,
        limits: detector.limits().map(ToString::to_string).unwrap_or_default(),
        confined: if apart { confined().into() } else { String::new() },
        needs: needs.map(|(name, _)| (*name).to_owned()).collect(),
        columns: texts(detector.columns()),
        after: texts(detector.after()),
        seconds: cost.map(|cost| cost.seconds).filter(|seconds| *seconds > 0.0),
        memory: cost.map(|cost| cost.memory).filter(|bytes| *bytes > 0),
        printed: cost.map(|cost| lines(&cost.printed)).unwrap_or_default(),
        written: String::new(),
        removed: false,
        flagged: source.flagged(name),
        compared: source.compared(name),
    }
}

/// What was printed, as shown.
fn lines(printed: &str) -> String {
    printed.lines().map(|line| safe_text(line).into_owned()).collect::<Vec<String>>().join("\n")
}

/// A detector that is not loaded, of which there are results.
pub(super) fn absent(absent: &Absent, session: &Session, source: &Source<'_>, known: &Known) -> DetectorForm {
    let record = absent.result.record();
    let name = &record.name;
    let written = session.result_time(name).unwrap_or_default();
    let disabled = known.enabled.get(name) == Some(&false);
    let from = if written.is_empty() { String::new() } else { format!(" from {written}") };
    let (state, why) = match (absent.removed, disabled) {
        (true, _) => {
            (DetectorState::NotLoaded, format!("its results{from} were removed and can be put back"))
        }
        (_, true) => {
            (DetectorState::Disabled, format!("disabled in this session, and not loaded; results{from}"))
        }
        _ => (DetectorState::NotLoaded, format!("what it found still counts: results{from}")),
    };
    let about = DetectorAbout {
        state,
        why,
        written,
        removed: absent.removed,
        flagged: source.flagged(name),
        compared: source.compared(name),
        ..DetectorAbout::default()
    };
    DetectorForm {
        name: name.clone(),
        version: safe_text(&record.version).into_owned(),
        summary: safe_text(&record.summary).into_owned(),
        enabled: !disabled,
        ran: source.results.contains_key(name),
        threshold: Some(record.threshold),
        params: Vec::new(),
        about,
    }
}

/// What is not loaded: code that has changed, by its names, and what cannot be loaded, by its file.
pub(super) fn refused(refused: &Refused, source: &Source<'_>, known: &Known) -> Vec<DetectorForm> {
    let path = match &refused.error {
        PluginError::Changed { path, .. } => path,
        _ => &refused.path,
    };
    let file = || {
        // A description is called like any other; its folder is not.
        let named = if path.ends_with("detector.toml") { path.parent().unwrap_or(path) } else { path };
        named.file_name().map_or_else(|| safe_path(path), |name| safe_path(name.as_ref()))
    };
    let (state, names, digest) = match &refused.error {
        PluginError::Changed { names, now, .. } => (DetectorState::Changed, names.clone(), now.clone()),
        _ => (DetectorState::Refused, Vec::new(), String::new()),
    };
    let names = if names.is_empty() { vec![file()] } else { names };
    let form = |name: String| {
        let cost = known.costs.get(&name).filter(|_| state == DetectorState::Changed);
        let (enabled, ran) = (known.enabled.get(&name) != Some(&false), source.results.contains_key(&name));
        let why = refused.error.to_string();
        // Code that is not known by a name cannot be disabled.
        let (state, why) = match state {
            DetectorState::Changed if !enabled => {
                (DetectorState::Disabled, format!("disabled in this session; besides, {why}"))
            }
            state => (state, format!("{why}{}", if ran { COUNTS } else { "" })),
        };
        let about = DetectorAbout {
            state,
            why: safe_text(&why).into_owned(),
            path: safe_path(path),
            digest: digest.clone(),
            seconds: cost.map(|cost| cost.seconds),
            memory: cost.map(|cost| cost.memory).filter(|bytes| *bytes > 0),
            flagged: source.flagged(&name),
            compared: source.compared(&name),
            ..DetectorAbout::default()
        };
        // That of its last run; what its code says now is not known.
        let threshold = source.results.get(&name).map(|result| result.record().threshold);
        DetectorForm { ran, enabled, threshold, name, about, ..DetectorForm::default() }
    };
    names.into_iter().map(form).collect()
}

/// What of its confinement this kernel enforces.
fn confined() -> &'static str {
    static TRIED: OnceLock<Confinement> = OnceLock::new();
    match TRIED.get_or_init(confinement) {
        Confinement::Full => "writes only to temporary folders, caches and its own folder",
        Confinement::Partial => "confined in part, as this kernel is old",
        Confinement::None => "not confined by this kernel",
    }
}
