//! What differs between two sessions: samples that came, went, or got another label or split, and findings that went up.
//! Samples are the same if their contents are, whatever their names.

use crate::query::Source;
use chaffinch_compute::content::ContentHash;
use chaffinch_protocol::sample::SampleId;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A sample that only one of the two has, or that has another label or split in the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// In the first.
    pub old: Option<SampleId>,
    /// In the second.
    pub new: Option<SampleId>,
}

/// What one detector flags in both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Flagged {
    /// The detector.
    pub detector: String,
    /// Samples it flags in the first; `None` without results.
    pub before: Option<u64>,
    /// In the second.
    pub after: Option<u64>,
}

impl Flagged {
    /// Whether it flags more in the second.
    pub fn is_more(&self) -> bool {
        matches!((self.before, self.after), (Some(before), Some(after)) if after > before)
    }
}

/// The differences, each list in the order of the second dataset, or of the first where it has no such sample.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Samples of the second only.
    pub added: Vec<Pair>,
    /// Samples of the first only.
    pub removed: Vec<Pair>,
    /// Samples with another label.
    pub relabeled: Vec<Pair>,
    /// Samples in another split.
    pub moved: Vec<Pair>,
    /// Samples with another path and the same label and split.
    pub renamed: Vec<Pair>,
    /// By detector, in name order.
    pub flagged: Vec<Flagged>,
}

/// Samples by what they are known by: their content, or their path if it could not be read.
type Known = BTreeMap<(Option<ContentHash>, Vec<u8>), Vec<SampleId>>;

fn known(source: &Source<'_>) -> Known {
    use std::os::unix::ffi::OsStrExt;
    let mut all = Known::new();
    for id in source.manifest.ids() {
        let hash = source.file_metadata.hashes.get(id.index()).copied();
        let hash = hash.filter(|hash| *hash != ContentHash::default());
        let path = || source.manifest.path(id).as_os_str().as_bytes().to_vec();
        let key = (hash, if hash.is_some() { Vec::new() } else { path() });
        all.entry(key).or_default().push(id);
    }
    all
}

/// Compares two sessions.
pub fn difference(old: &Source<'_>, new: &Source<'_>) -> Difference {
    let (before, after) = (known(old), known(new));
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let mut found = Difference::default();
    for key in keys {
        let of = |known: &Known| known.get(key).cloned().unwrap_or_default();
        let (mut olds, mut news) = (of(&before), of(&after));
        // Copies have the same content: those that agree in most are the same one.
        let label = |source: &Source<'_>, id: SampleId| source.manifest.label_name(id).to_owned();
        let agree: [&dyn Fn(SampleId, SampleId) -> bool; 5] = [
            &|a, b| {
                old.manifest.path(a) == new.manifest.path(b)
                    && label(old, a) == label(new, b)
                    && old.manifest.split(a) == new.manifest.split(b)
            },
            &|a, b| old.manifest.path(a) == new.manifest.path(b),
            &|a, b| label(old, a) == label(new, b) && old.manifest.split(a) == new.manifest.split(b),
            &|a, b| label(old, a) == label(new, b),
            &|_, _| true,
        ];
        for same in agree {
            olds.retain(|&a| match news.iter().position(|&b| same(a, b)) {
                None => true,
                Some(place) => {
                    let b = news.remove(place);
                    let pair = || Pair { old: Some(a), new: Some(b) };
                    let relabeled = label(old, a) != label(new, b);
                    let moved = old.manifest.split(a) != new.manifest.split(b);
                    if relabeled {
                        found.relabeled.push(pair());
                    }
                    if moved {
                        found.moved.push(pair());
                    }
                    if !relabeled && !moved && old.manifest.path(a) != new.manifest.path(b) {
                        found.renamed.push(pair());
                    }
                    false
                }
            });
        }
        found.removed.extend(olds.into_iter().map(|old| Pair { old: Some(old), new: None }));
        found.added.extend(news.into_iter().map(|new| Pair { old: None, new: Some(new) }));
    }
    for list in
        [&mut found.added, &mut found.removed, &mut found.relabeled, &mut found.moved, &mut found.renamed]
    {
        list.sort_by_key(|pair| (pair.new.map(|id| id.0), pair.old.map(|id| id.0)));
    }
    found.flagged = flagged(old, new);
    found
}

fn flagged(old: &Source<'_>, new: &Source<'_>) -> Vec<Flagged> {
    let counts = |source: &Source<'_>, name: &str| {
        let place = source.results.keys().position(|known| known == name)?;
        source.ranking.counts.get(place).map(|counts| counts.flagged)
    };
    let names: BTreeSet<&String> = old.results.keys().chain(new.results.keys()).collect();
    let one = |name: &String| Flagged {
        detector: name.clone(),
        before: counts(old, name),
        after: counts(new, name),
    };
    names.into_iter().map(one).collect()
}
