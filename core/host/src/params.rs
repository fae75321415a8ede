//! The parameters a detector is given: numbers as they are, choices also by their names; and what they ask of the host.

use super::LoadedDetector;
use crate::{Error, Result};
use chaffinch_data::config::Config;
use chaffinch_data::nearest::hint;
use chaffinch_plugin::{Info, Needs, ParamKind, host};
use std::collections::BTreeMap;

/// What the configuration says, with what was moved in the session over it. Bounds are checked when it runs.
///
/// # Errors
/// For a word where a number belongs, and for a choice that is none.
pub fn params_in_force(
    info: &Info,
    config: &Config,
    moved: Option<&BTreeMap<String, f64>>,
) -> Result<BTreeMap<String, f64>> {
    let mut given = config.detector_params(info.name());
    for (name, word) in config.detector_choices(info.name()) {
        given.insert(name.clone(), choice(info, &name, &word)?);
    }
    if let Some(moved) = moved {
        given.extend(moved.iter().map(|(name, value)| (name.clone(), *value)));
    }
    Ok(given)
}

/// The place of a choice's name.
///
/// # Errors
/// When the parameter is no choice, or has no such name; the error says which names it has.
fn choice(info: &Info, name: &str, word: &str) -> Result<f64> {
    let Some(param) = info.parameters().iter().find(|param| param.name() == name) else {
        let known: Vec<&str> = info.parameters().iter().map(|param| param.name()).collect();
        let hint = hint(name, known.iter().copied());
        return Err(Error::Invalid(format!("{} has no parameter '{name}'{hint}", info.name())));
    };
    if param.kind() != ParamKind::Choice {
        let message = format!("{}: '{name}' must be a number, true or false, not '{word}'", info.name());
        return Err(Error::Invalid(message));
    }
    let choices = param.choices();
    match choices.iter().position(|choice| *choice == word) {
        Some(place) => Ok(place as f64),
        None => Err(Error::Invalid(format!(
            "{}: {name} = '{word}' is not one of {}{}",
            info.name(),
            choices.join(", "),
            hint(word, choices.iter().copied())
        ))),
    }
}

/// Whether a detector would take what the configuration says.
///
/// # Errors
/// For a parameter it does not have, a choice that is none, or a value outside its bounds.
pub fn check_params(detector: &LoadedDetector, config: &Config) -> Result<()> {
    let given = params_in_force(detector.info(), config, None)?;
    resolve_params(detector, &given).map(|_| ())
}

/// The values a detector runs with: what was given, checked against its declaration, and defaults for the rest.
///
/// # Errors
/// For a parameter the detector does not have, or a value outside its bounds.
pub fn resolve_params(
    detector: &LoadedDetector,
    given: &BTreeMap<String, f64>,
) -> Result<BTreeMap<String, f64>> {
    host::resolve_params(detector.info(), given).map_err(|error| Error::Invalid(error.to_string()))
}

/// What a detector needs with the parameters it was given.
pub fn needs_of(detector: &LoadedDetector, given: &BTreeMap<String, f64>) -> Needs {
    host::needs_of(detector.info(), given)
}
