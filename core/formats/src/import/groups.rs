//! Groups of samples from pairs of them.

use chaffinch_protocol::sample::SampleId;
use std::collections::BTreeMap;

/// Samples that belong together, directly or through others.
#[derive(Debug, Default)]
pub(super) struct Groups {
    parent: BTreeMap<SampleId, SampleId>,
}

impl Groups {
    /// Says that two samples belong together.
    pub(super) fn join(&mut self, one: SampleId, other: SampleId) {
        let (one, other) = (self.root(one), self.root(other));
        self.parent.insert(one.max(other), one.min(other));
    }

    fn root(&mut self, id: SampleId) -> SampleId {
        let mut root = id;
        while let Some(&up) = self.parent.get(&root).filter(|up| **up != root) {
            root = up;
        }
        // Shorter for the next one.
        let mut at = id;
        while at != root {
            at = self.parent.insert(at, root).unwrap_or(root);
        }
        self.parent.entry(root).or_insert(root);
        root
    }

    /// Each sample with its group, numbered in the order of their first samples.
    pub(super) fn all(mut self) -> Vec<(SampleId, u32)> {
        let ids: Vec<SampleId> = self.parent.keys().copied().collect();
        let mut numbers: BTreeMap<SampleId, u32> = BTreeMap::new();
        let mut all = Vec::with_capacity(ids.len());
        for id in ids {
            let root = self.root(id);
            let next = numbers.len() as u32;
            all.push((id, *numbers.entry(root).or_insert(next)));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_are_one_group() {
        let mut groups = Groups::default();
        for (one, other) in [(5, 3), (8, 7), (3, 1), (9, 8), (5, 1)] {
            groups.join(SampleId(one), SampleId(other));
        }
        let all: Vec<(u32, u32)> = groups.all().into_iter().map(|(id, group)| (id.0, group)).collect();
        assert_eq!(all, [(1, 0), (3, 0), (5, 0), (7, 1), (8, 1), (9, 1)]);
    }
}
