//! Clusters of pictures that are the same or nearly, as detectors and other programs found them, and which of them reach
//! from training into other splits.

use super::{Export, Finders};
use chaffinch_protocol::sample::{SampleId, Split};
use chaffinch_review::groups;
use chaffinch_review::verdict::is_flagged;
use std::collections::{BTreeMap, BTreeSet};

/// Pictures that are the same or nearly.
pub(super) struct Cluster {
    /// Counted from 1, in the order of its first sample.
    pub(super) number: usize,
    /// Sorted; at least two.
    pub(super) members: Vec<SampleId>,
    /// Whether they are the same picture, or another program says so: what is merely alike is for people to look at.
    pub(super) same: bool,
    /// The labels of its members, sorted, without empty ones.
    pub(super) labels: Vec<String>,
}

impl Cluster {
    /// Whether its members have several labels.
    pub(super) fn is_multi_label(&self) -> bool {
        self.labels.len() > 1
    }

    /// The members in training.
    pub(super) fn train(&self, export: &Export<'_>) -> Vec<SampleId> {
        let split = |id: &SampleId| export.source.manifest.split(*id) == Split::Train;
        self.members.iter().copied().filter(split).collect()
    }

    /// The members in validation and test sets.
    pub(super) fn held_out(&self, export: &Export<'_>) -> Vec<SampleId> {
        let split = |id: &SampleId| !matches!(export.source.manifest.split(*id), Split::Train | Split::None);
        self.members.iter().copied().filter(split).collect()
    }

    /// Whether it is in training and held out. A cluster of several labels in one split is none.
    pub(super) fn is_leak(&self, export: &Export<'_>) -> bool {
        !self.train(export).is_empty() && !self.held_out(export).is_empty()
    }
}

/// All clusters that detectors found, each once: groups, and what the detectors of leaks name beside a picture.
pub(super) fn clusters(export: &Export<'_>, finders: &Finders) -> Vec<Cluster> {
    let source = &export.source;
    let (mut all, mut same) = (BTreeSet::new(), BTreeSet::new());
    for result in source.results.values().filter(|result| result.record().groups) {
        for group in result.grouped().chunk_by(|a, b| a.0 == b.0) {
            let mut members: Vec<SampleId> = group.iter().map(|(_, row)| SampleId(*row)).collect();
            members.sort_unstable();
            if members.len() < 2 {
                continue;
            }
            let copies = groups::likeness(result, group[0].0, source.file_metadata, &members).is_copy();
            if copies || result.record().is_imported() {
                same.insert(members.clone());
            }
            all.insert(members);
        }
    }
    let verdicts = source.verdicts();
    for (name, result) in finders.leaks.iter().filter_map(|name| source.results.get_key_value(*name)) {
        for id in source.manifest.ids() {
            if !result.score(id).is_some_and(|score| is_flagged(score, verdicts.threshold(name, result))) {
                continue;
            }
            let related = result.issue(id).map(|issue| issue.related).unwrap_or_default();
            let members: BTreeSet<SampleId> =
                related.into_iter().map(|(other, _)| other).chain([id]).collect();
            let members: Vec<SampleId> =
                members.into_iter().filter(|id| id.index() < source.manifest.len()).collect();
            let known = all.iter().any(|group: &Vec<SampleId>| members.iter().all(|id| group.contains(id)));
            if members.len() > 1 && !known {
                let hash = |id: &SampleId| source.file_metadata.hashes.get(id.index()).copied();
                if members.iter().all(|id| hash(id).is_some() && hash(id) == hash(&members[0])) {
                    same.insert(members.clone());
                }
                all.insert(members);
            }
        }
    }
    let labels = |members: &[SampleId]| -> Vec<String> {
        let labels: BTreeSet<&str> = members.iter().map(|&id| source.manifest.label_name(id)).collect();
        labels.into_iter().filter(|label| !label.is_empty()).map(str::to_owned).collect()
    };
    (1..)
        .zip(all)
        .map(|(number, members)| {
            let (same, labels) = (same.contains(&members), labels(&members));
            Cluster { number, members, same, labels }
        })
        .collect()
}

/// The held-out samples of leaks; whether each is the same picture as one in training.
pub(super) fn leaked(export: &Export<'_>, clusters: &[Cluster]) -> BTreeMap<SampleId, bool> {
    let mut all = BTreeMap::new();
    for cluster in clusters.iter().filter(|cluster| cluster.is_leak(export)) {
        for id in cluster.held_out(export) {
            *all.entry(id).or_default() |= cluster.same;
        }
    }
    all
}
