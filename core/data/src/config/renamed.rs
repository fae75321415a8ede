//! Parameters of detectors that once had another name. The names are unlike those of any other parameter, so the detector
//! need not be known.

use std::collections::BTreeMap;

/// The earlier name of a parameter, and the name that it has now.
const RENAMED: [(&str, &str); 2] = [("no-colour", "no-color"), ("grey-prevalence", "gray-prevalence")];

/// The name that a parameter has now.
pub(crate) fn name_now(param: &str) -> &str {
    RENAMED.iter().find(|(old, _)| *old == param).map_or(param, |(_, new)| new)
}

/// Values of parameters by detector under the names that these have now.
pub(crate) fn under_names_now<V>(params: &mut BTreeMap<String, BTreeMap<String, V>>) {
    for values in params.values_mut() {
        // What is set under the name of now wins.
        let (now, before): (Vec<_>, Vec<_>) =
            std::mem::take(values).into_iter().partition(|(param, _)| name_now(param) == param);
        values.extend(before.into_iter().map(|(param, value)| (name_now(&param).to_owned(), value)));
        values.extend(now);
    }
}
