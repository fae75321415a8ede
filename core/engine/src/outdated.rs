//! Results that are not about the dataset as it is now, not of the code that is there now, not of what is decided now, not of
//! the prompts now, or of scores for which that holds.

use chaffinch_data::columns::DetectorResult;
use chaffinch_data::moved::is_from_before;
use chaffinch_host::Registry;
use chaffinch_protocol::display::listed;
use std::collections::{BTreeMap, BTreeSet};

/// What the greeting of a session is about that says whose results are out of date; a scan says anew whose stay so.
pub const RESULTS: &str = "results";

/// What has changed since a result was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outdated {
    /// The code of the detector.
    Code,
    /// The dataset.
    Dataset,
    /// What was decided, which the detector reads.
    Decisions,
    /// The prompts that it is asked with.
    Prompts,
    /// The scores of another detector, which it reads: they are out of date, or were when it ran.
    Scores,
    /// Pictures that it was to see: they were away, or others than those that were indexed.
    Pictures,
}

impl Outdated {
    /// What it means for what was found.
    pub fn means(self) -> &'static str {
        match self {
            Outdated::Code => {
                "its code has changed since it found this, which is what the earlier code finds"
            }
            Outdated::Dataset => {
                "it has no results since the dataset changed: what it found stays with its pictures, and new ones were not looked at"
            }
            Outdated::Decisions => {
                "it has no results since the decisions changed, which it reads: what it found is based on the earlier ones"
            }
            Outdated::Prompts => {
                "it has no results since the prompts changed: what it found is based on the earlier ones"
            }
            Outdated::Scores => "it reads scores of another detector that are out of date",
            Outdated::Pictures => {
                "pictures were away or changed while it ran: it runs again, and has not looked at all of them until then"
            }
        }
    }
}

/// What results are of, unless they are out of date: digests, an empty one of which is not known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Now<'a> {
    /// Of the decisions.
    pub decisions: &'a str,
    /// Of the prompts.
    pub prompts: &'a str,
}

/// Why a result is out of date, given the digest of the code that is there now; an empty one is not known.
pub fn why(result: &DetectorResult, code: &str, now: Now<'_>) -> Option<Outdated> {
    let record = result.record();
    if !record.is_of_code(code) {
        return Some(Outdated::Code);
    }
    if is_from_before(result) {
        return Some(Outdated::Dataset);
    }
    if record.missed_pictures {
        return Some(Outdated::Pictures);
    }
    if !record.is_of_decisions(now.decisions) {
        return Some(Outdated::Decisions);
    }
    if !record.is_of_prompts(now.prompts) {
        return Some(Outdated::Prompts);
    }
    record.read_outdated.then_some(Outdated::Scores)
}

/// The digest of the code of a detector that is there now, be it let in or not; empty if there is none.
pub fn code_now<'a>(registry: &'a Registry, name: &str) -> &'a str {
    let changed = || registry.changed().find(|changed| changed.names.iter().any(|one| one == name));
    match registry.find(name) {
        Some(detector) => detector.digest(),
        None => changed().map_or("", |changed| changed.now),
    }
}

/// Which of these results are out of date, and why: those that read scores that are, too.
pub fn all<'a>(
    results: impl Iterator<Item = &'a DetectorResult>,
    registry: &Registry,
    now: Now<'_>,
) -> BTreeMap<String, Outdated> {
    let (mut found, mut current) = (BTreeMap::new(), BTreeSet::new());
    for result in results {
        let name = &result.record().name;
        match why(result, code_now(registry, name), now) {
            Some(why) => _ = found.insert(name.clone(), why),
            None => _ = current.insert(name.clone()),
        }
    }
    // Each time around adds one at least.
    loop {
        let reads = |name: &&String| {
            let after = registry.find(name).map(|detector| detector.after()).unwrap_or_default();
            after.iter().any(|read| found.contains_key(*read))
        };
        let Some(name) = current.iter().find(reads).cloned() else { return found };
        current.remove(&name);
        found.insert(name, Outdated::Scores);
    }
}

/// That these detectors have no results since something changed, be it that they have not run or that they failed, a clause for each change, and what that means; nothing if there are
/// none.
pub fn words(all: &BTreeMap<String, Outdated>) -> Option<String> {
    let clause = |what: Outdated| {
        let names: Vec<&str> = all.iter().filter(|one| *one.1 == what).map(|one| one.0.as_str()).collect();
        let one = names.len() == 1;
        let (has, their, reads) = if one { ("has", "its", "reads") } else { ("have", "their", "read") };
        let none_since = |since: &str, means: &str| format!("{has} no results since {since}: {means}");
        let words = match what {
            Outdated::Code => {
                none_since(&format!("{their} code changed"), "what was found is what the earlier code finds")
            }
            Outdated::Dataset => none_since(
                "the dataset changed",
                "what was found stays with its pictures, and new ones were not looked at",
            ),
            Outdated::Decisions => {
                none_since("the decisions changed", "what was found is based on the earlier ones")
            }
            Outdated::Prompts => {
                none_since("the prompts changed", "what was found is based on the earlier ones")
            }
            Outdated::Scores => format!("{reads} scores that are out of date"),
            Outdated::Pictures => format!("{has} not looked at all pictures, some of which were away"),
        };
        (!names.is_empty()).then(|| format!("{} {words}", listed(&names, "and")))
    };
    let all = [
        Outdated::Code,
        Outdated::Dataset,
        Outdated::Decisions,
        Outdated::Prompts,
        Outdated::Scores,
        Outdated::Pictures,
    ];
    let clauses: Vec<String> = all.into_iter().filter_map(clause).collect();
    (!clauses.is_empty()).then(|| clauses.join("; "))
}
