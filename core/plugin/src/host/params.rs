//! The parameter values of a run, and what they need.

use crate::{Error, Info, Needs, Result};
use std::collections::BTreeMap;

/// The parameter values of a run: the given ones, checked against the declaration, and defaults for the rest.
///
/// # Errors
/// For a parameter the detector does not have, or a value outside its bounds.
pub fn resolve_params(info: &Info, given: &BTreeMap<String, f64>) -> Result<BTreeMap<String, f64>> {
    let mut params: BTreeMap<String, f64> =
        info.parameters().iter().map(|param| (param.name().to_owned(), param.default())).collect();
    for (name, &value) in given {
        let Some(param) = info.parameters().iter().find(|param| param.name() == name) else {
            let known: Vec<&str> = info.parameters().iter().map(|param| param.name()).collect();
            let known = if known.is_empty() { "none".into() } else { known.join(", ") };
            return Err(Error::new(format!("it has no parameter '{name}' (it has: {known})")));
        };
        let (low, high) = param.bounds();
        if !(low..=high).contains(&value) {
            return Err(Error::new(format!("{name} = {value} is not from {low} to {high}")));
        }
        params.insert(name.clone(), value);
    }
    Ok(params)
}

/// What a detector needs with the given parameters: what it declares, plus the needs of parameters that are not at their
/// default.
pub fn needs_of(info: &Info, given: &BTreeMap<String, f64>) -> Needs {
    let extra = info.parameters().iter().filter_map(|param| Some(param.needed_at(*given.get(param.name())?)));
    extra.fold(info.needed(), Needs::and)
}
