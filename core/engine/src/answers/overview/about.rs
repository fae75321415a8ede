//! Where detectors come from, what they need, and what became of them.

use super::Known;
use chaffinch_host::{Confinement, LoadedDetector, NEEDS, Place, PluginError, Refused, confinement};
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_protocol::{DetectorAbout, DetectorForm, DetectorState};
use chaffinch_review::query::Source;
use std::sync::OnceLock;

/// About a detector that is loaded. `enabled` is whether scans run it.
pub(super) fn about(
    detector: &LoadedDetector,
    enabled: bool,
    source: &Source<'_>,
    known: &Known,
) -> DetectorAbout {
    let info = detector.info();
    let name = info.name();
    let (state, why) = match (detector.aside(), known.failed.get(name)) {
        _ if known.enabled.get(name) == Some(&false) => (DetectorState::Off, "disabled in this session"),
        _ if !enabled => {
            (DetectorState::Off, "not among the detectors of the configuration, or of the last scan")
        }
        (Some(aside), _) => (DetectorState::SetAside, aside.reason.as_str()),
        (None, Some(why)) => (DetectorState::Failed, why.as_str()),
        (None, None) => (DetectorState::On, ""),
    };
    let texts = |names: Vec<&str>| names.into_iter().map(|name| safe_text(name).into_owned()).collect();
    let needs = NEEDS.iter().filter(|(_, need)| info.needed().contains(*need));
    let cost = known.costs.get(name);
    let apart = detector.place() == Place::Worker;
    DetectorAbout {
        state,
        why: safe_text(why).into_owned(),
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
        seconds: cost.map(|cost| cost.seconds),
        memory: cost.map(|cost| cost.memory).filter(|bytes| *bytes > 0),
        flagged: source.flagged(name),
        compared: source.compared(name),
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
        let about = DetectorAbout {
            state,
            why: safe_text(&refused.error.to_string()).into_owned(),
            path: safe_path(path),
            digest: digest.clone(),
            seconds: cost.map(|cost| cost.seconds),
            memory: cost.map(|cost| cost.memory).filter(|bytes| *bytes > 0),
            flagged: source.flagged(&name),
            compared: source.compared(&name),
            ..DetectorAbout::default()
        };
        DetectorForm { ran: source.results.contains_key(&name), name, about, ..DetectorForm::default() }
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
