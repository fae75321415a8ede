//! Results of detectors that are not loaded: their files are gone, or their folder was only named for an earlier scan. What
//! they found still counts, so it is said.

use chaffinch_data::columns::DetectorResult;
use chaffinch_data::issue::is_built_in;
use chaffinch_data::session::Session;
use chaffinch_host::{Origin, Registry};
use chaffinch_protocol::display::{quoted, safe_text};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Names that are listed in the sentence.
const NAMED: usize = 3;

/// Whether a result is of a detector, which these detectors do not have. One whose code has changed is there.
pub fn is_absent(result: &DetectorResult, registry: &Registry) -> bool {
    let name = &result.record().name;
    is_of_detector(result) && registry.find(name).is_none() && !registry.has_changed(name)
}

/// Whether a result was computed by a detector: neither by reading the files nor by another program.
pub fn is_of_detector(result: &DetectorResult) -> bool {
    !is_built_in(&result.record().name) && !result.record().is_imported()
}

/// What a session remembers of these detectors.
pub(crate) fn loaded(registry: &Registry) -> BTreeMap<String, Option<PathBuf>> {
    let all = registry.detectors().iter().map(|detector| {
        // Where the program is may change with each of its versions.
        let own = matches!(detector.origin(), Origin::Program | Origin::Beside);
        (detector.info().name().to_owned(), (!own).then(|| detector.path().to_path_buf()))
    });
    let changed = registry.changed();
    let changed = changed.flat_map(|one| one.names.iter().map(|name| (name.clone(), Some(one.path.into()))));
    changed.chain(all).collect()
}

/// That the scores of these detectors take part, and what to do about it; nothing if there are none.
pub fn words(names: &[&str], session: &Session) -> Option<String> {
    let first = names.first()?;
    let from = session.result_time(first).map(|time| format!(" (results from {time})")).unwrap_or_default();
    let more = match names.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let shown: Vec<String> = names.iter().take(NAMED).map(|name| safe_text(name).into_owned()).collect();
    let such = if names.len() == 1 { "it is" } else { "they are" };
    Some(format!(
        "the scores of {}{more} take part although {such} not loaded{from}: add the folder with --plugins, or take them out \
         with chaffinch plugins remove {} {}",
        shown.join(", "),
        quoted(session.dir()),
        safe_text(first)
    ))
}
