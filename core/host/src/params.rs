//! The parameters a detector is given: numbers, or choices by name; and what they require from the host.

use super::LoadedDetector;
use crate::{Error, Result};
use chaffinch_data::config::Config;
use chaffinch_data::nearest::hint;
use chaffinch_plugin::{Info, Needs, ParamKind, host};
use std::collections::BTreeMap;

/// The configured values, overridden by changes in the session. Bounds are checked when the detector runs.
///
/// # Errors
/// For a word instead of a number, and for an unknown choice.
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

/// The index of a choice by name.
///
/// # Errors
/// When the parameter is not a choice, or has no such name; the error lists the names.
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
        Some(index) => Ok(index as f64),
        None => Err(Error::Invalid(format!(
            "{}: {name} = '{word}' is not one of {}{}",
            info.name(),
            choices.join(", "),
            hint(word, choices.iter().copied())
        ))),
    }
}

/// Checks that a detector accepts its configuration.
///
/// # Errors
/// For an unknown parameter, an unknown choice, or a value out of bounds.
pub fn check_params(detector: &LoadedDetector, config: &Config) -> Result<()> {
    let given = params_in_force(detector.info(), config, None)?;
    resolve_params(detector, &given).map(|_| ())
}

/// The values a detector runs with: the given ones, checked against its declaration, and defaults for the rest.
///
/// # Errors
/// For an unknown parameter, or a value out of bounds.
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
