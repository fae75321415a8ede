//! Results that are not about the dataset as it is now, or not of the code that is there now.

use chaffinch_data::columns::DetectorResult;
use chaffinch_data::moved::is_from_before;
use chaffinch_protocol::display::listed;

/// Whether a result is from before the dataset changed, or from other code than that with this digest; an empty one is not known.
pub fn is_outdated(result: &DetectorResult, code: &str) -> bool {
    is_from_before(result) || !result.record().is_of_code(code)
}

/// That these detectors have not run since the dataset changed; nothing if there are none.
pub fn words(names: &[String]) -> Option<String> {
    let verb = if names.len() == 1 { "has" } else { "have" };
    (!names.is_empty()).then(|| format!("{} {verb} not run since the dataset changed", listed(names, "and")))
}
