//! The values a detector's parameters have in a run, and what they ask of the host.

use super::LoadedDetector;
use crate::{Error, Result};
use chaffinch_plugin::Needs;
use std::collections::BTreeMap;

/// The values a detector runs with: what was given, checked against its declaration, and defaults for the rest.
///
/// # Errors
/// For a parameter the detector does not have, or a value outside its bounds.
pub(crate) fn resolve_params(
    detector: &LoadedDetector,
    given: &BTreeMap<String, f64>,
) -> Result<BTreeMap<String, f64>> {
    let info = detector.info();
    let mut params: BTreeMap<String, f64> =
        info.parameters().iter().map(|param| (param.name().to_owned(), param.default())).collect();
    for (name, &value) in given {
        let Some(param) = info.parameters().iter().find(|param| param.name() == name) else {
            let known: Vec<&str> = info.parameters().iter().map(|param| param.name()).collect();
            return Err(Error::Invalid(format!(
                "{} has no parameter '{name}' (it has: {})",
                info.name(),
                if known.is_empty() { "none".into() } else { known.join(", ") }
            )));
        };
        let (low, high) = param.bounds();
        if !(low..=high).contains(&value) {
            return Err(Error::Invalid(format!(
                "{}: {name} = {value} is not within {low}..={high}",
                info.name()
            )));
        }
        params.insert(name.clone(), value);
    }
    Ok(params)
}

/// What a detector needs with the parameters it was given: what it declares, and what a parameter asks for that is
/// not at its default.
pub(crate) fn needs_of(detector: &LoadedDetector, given: &BTreeMap<String, f64>) -> Needs {
    let info = detector.info();
    let extra = info.parameters().iter().filter_map(|param| Some(param.needed_at(*given.get(param.name())?)));
    extra.fold(info.needed(), Needs::and)
}
