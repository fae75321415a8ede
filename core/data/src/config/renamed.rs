//! Parameters of detectors that once had another name.

use std::collections::BTreeMap;

/// A detector, the earlier name of one of its parameters, and the name that it has now.
const RENAMED: [(&str, &str, &str); 2] =
    [("image-quality", "no-colour", "no-color"), ("image-quality", "grey-prevalence", "gray-prevalence")];

/// The name that a parameter has now.
pub(super) fn name_now<'a>(detector: &str, param: &'a str) -> &'a str {
    let renamed = RENAMED.iter().find(|(of, old, _)| *of == detector && *old == param);
    renamed.map_or(param, |(_, _, new)| new)
}

/// Values of parameters by detector under the names that these have now.
pub(crate) fn under_names_now(params: &mut BTreeMap<String, BTreeMap<String, f64>>) {
    for (detector, values) in params {
        let old = std::mem::take(values);
        // What is set under the name of now wins.
        let (now, before): (Vec<_>, Vec<_>) =
            old.into_iter().partition(|(param, _)| name_now(detector, param) == param);
        values
            .extend(before.into_iter().map(|(param, value)| (name_now(detector, &param).to_owned(), value)));
        values.extend(now);
    }
}
