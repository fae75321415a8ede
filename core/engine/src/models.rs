//! Which model's results are current. When a scan uses another model, those of the one before are set aside, and come
//! back when it is used again.

use crate::Setup;
use crate::findings::Findings;
use crate::{Error, Result};
use chaffinch_compute::embedding::Embedder;
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::issue::is_built_in;
use chaffinch_data::uses::{LoadedModel, Uses};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Makes a loaded model the session's, and returns results that it made before, which may still be up to date.
/// `depends` tells which detectors' results depend on the model; `trouble` takes a subject and a message.
pub(crate) fn settle(
    setup: &Setup,
    trouble: &dyn Fn(&str, &str),
    embedder: &dyn Embedder,
    depends: &dyn Fn(&str) -> bool,
    findings: &mut Findings,
) -> Result<BTreeMap<String, Arc<DetectorResult>>> {
    let session = &setup.session;
    let fingerprint = embedder.fingerprint().as_str();
    let before = session.uses();
    if let Some(old) = before.loaded.as_ref().filter(|old| old.fingerprint != fingerprint) {
        let own = findings
            .results
            .iter()
            .filter(|(name, result)| !is_built_in(name) && !result.record().is_imported() && depends(name));
        let names: Vec<String> = own.map(|(name, _)| name.clone()).collect();
        if !names.is_empty() {
            session.set_aside(&before, &names)?;
            names.iter().for_each(|name| drop(findings.results.remove(name)));
            trouble("model", &set_aside(&before, old, &setup.uses));
        }
    }
    findings.model = match embedder.sees() {
        true => format!("{} on {}", embedder.name(), embedder.device()),
        false => embedder.name().to_owned(),
    };
    let loaded = LoadedModel {
        name: embedder.name().to_owned(),
        revision: embedder.revision().map(str::to_owned),
        fingerprint: fingerprint.to_owned(),
        dim: embedder.dim(),
        device: embedder.device(),
    };
    session.keep_uses(&findings.model, &Uses { loaded: Some(loaded), ..setup.uses.clone() })?;
    let earlier = session.load_earlier(fingerprint, findings.manifest.len(), findings.manifest.classes())?;
    Ok(earlier.into_iter().map(|(name, result)| (name, Arc::new(result))).collect())
}

/// Keeps what a scan used that did not need the model.
pub(crate) fn keep_rest(setup: &Setup) -> Result<()> {
    let before = setup.session.uses();
    let Uses { detectors, config, pred_probs, .. } = setup.uses.clone();
    setup.session.keep_uses(&setup.session.model_name(), &Uses { detectors, config, pred_probs, ..before })
}

/// Forgets detectors that were named and failed, unless the session was scanned with them before: later commands would ask for
/// them again. `before` are those from before this scan.
pub(crate) fn forget_failed(setup: &Setup, before: &[String], failed: &[(String, String)]) -> Result<()> {
    let broke = |name: &&String| failed.iter().any(|(one, _)| one == *name) && !before.contains(name);
    let named = &setup.uses.detectors;
    if !named.iter().any(|name| broke(&name)) {
        return Ok(());
    }
    let left: Vec<String> = named.iter().filter(|name| !broke(name)).cloned().collect();
    let detectors = if left.is_empty() { before.to_vec() } else { left };
    let (session, uses) = (&setup.session, setup.session.uses());
    session.keep_uses(&session.model_name(), &Uses { detectors, ..uses })
}

/// What happened to the results of the model before.
fn set_aside(before: &Uses, old: &LoadedModel, now: &Uses) -> String {
    let name = before.model_words().unwrap_or(&old.name);
    match now.model_words() == Some(name) {
        true => format!(
            "{name} is not the model it was in the last scan (its files or its preprocessing changed); the earlier \
             results are kept aside in the session"
        ),
        false => format!(
            "the results of {name} are kept aside; scan with {} to return to them",
            before.model_option().unwrap_or_default()
        ),
    }
}

/// Why a scan has no model.
pub(crate) enum NoModel {
    /// It cannot be loaded.
    NotLoaded(Error),
    /// It runs on another device than in the last scan, with other numbers: a sentence.
    Elsewhere(String),
}

impl From<Error> for NoModel {
    fn from(error: Error) -> NoModel {
        NoModel::NotLoaded(error)
    }
}

impl From<NoModel> for Error {
    fn from(why: NoModel) -> Error {
        match why {
            NoModel::NotLoaded(error) => error,
            NoModel::Elsewhere(why) => Error::Invalid(why),
        }
    }
}

/// Checks that a model which was named in the same way gives the numbers that the session has. A GPU in half precision and a CPU
/// do not, and to open a session on the other kind of machine must not compute everything anew.
///
/// # Errors
/// When only the device is another one, and with it the numbers.
pub(crate) fn ran_alike(setup: &Setup, embedder: &dyn Embedder) -> std::result::Result<(), NoModel> {
    let before = setup.session.uses().loaded;
    let device = embedder.device();
    let other = |old: &LoadedModel| {
        let alike = old.name == embedder.name() && old.revision.as_deref() == embedder.revision();
        alike && old.fingerprint != embedder.fingerprint().as_str() && old.device != device
    };
    match before.filter(other) {
        None => Ok(()),
        Some(old) => Err(NoModel::Elsewhere(format!(
            "in the last scan it ran on {}, and {device} gives other numbers; a scan computes all of them here",
            old.device
        ))),
    }
}

/// The error of a scan that has no model, with what that means for the results.
pub(crate) fn unusable(setup: &Setup, none: &NoModel) -> Error {
    let (verb, why) = match none {
        NoModel::NotLoaded(error) => ("load", error.to_string()),
        NoModel::Elsewhere(why) => ("use", why.clone()),
    };
    if setup.uses.embeddings.is_some() {
        return Error::Invalid(why);
    }
    let wish = match setup.uses.model_words() {
        Some(model) => format!("the model {model}"),
        None => "the model".to_owned(),
    };
    let shown = match setup.session.uses().model_words() {
        Some(model) => format!("; the results are still those of the model {model}"),
        None => String::new(),
    };
    Error::Invalid(format!("cannot {verb} {wish}: {why}{shown}"))
}
