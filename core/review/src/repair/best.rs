//! Which of several copies a policy keeps.

use super::Copies;
use super::kept::{is_whole, kept};
use super::policy::stage;
use super::sharpness::sharpness;
use crate::query::Source;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::{SampleId, Split};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// How a sample stands with what is planned for it already.
pub(super) struct Standing {
    /// Whether it has a label.
    pub(super) labeled: bool,
    /// Its split.
    pub(super) split: Split,
    /// Whether it need not be moved.
    pub(super) still: bool,
}

/// The member of a group that a policy keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Best {
    /// The policy.
    pub policy: Copies,
    /// The member.
    pub keep: SampleId,
    /// Whether the policy prefers it to all others; otherwise damage, size, colors, bytes and then the contents decided.
    pub clear: bool,
    /// Whether the policy alone would not have preferred it, and those that it would are damaged.
    pub intact: bool,
}

/// For each policy the member of a group that it keeps, as a plan would: of those that people decided about and did not
/// remove, or else of all that they did not remove. Empty if all are removed. A damaged one is only kept if all of these are, or
/// for its label, where the policy goes by labels.
pub fn best(source: &Source<'_>, group: &[SampleId]) -> Vec<Best> {
    let removed = |id: SampleId| source.decisions.get(id).is_some_and(|said| said.choice == Choice::Remove);
    let left: Vec<SampleId> = group.iter().copied().filter(|&id| !removed(id)).collect();
    let standing = |id: SampleId| Standing {
        labeled: !source.manifest.label_name(id).is_empty(),
        split: source.manifest.split(id),
        still: true,
    };
    let of = |policy: Copies| {
        let firsts: BTreeMap<SampleId, First> =
            left.iter().map(|&id| (id, first(source, policy, id, &standing(id)))).collect();
        let keep = best_by(source, &left, standing, |id| firsts[&id])?;
        let clear = firsts.iter().all(|(id, first)| *id == keep || *first < firsts[&keep]);
        let own = firsts[&keep];
        let intact = own.whole && firsts.values().any(|first| !first.whole && first.policy >= own.policy);
        Some(Best { policy, keep, clear, intact })
    };
    Copies::ALL.into_iter().filter_map(of).collect()
}

/// The one to keep: of those that people keep, or else of all.
pub(super) fn best_of(
    source: &Source<'_>,
    left: &[SampleId],
    policy: Copies,
    standing: impl Fn(SampleId) -> Standing,
) -> Option<SampleId> {
    best_by(source, left, &standing, |id| first(source, policy, id, &standing(id)))
}

fn best_by(
    source: &Source<'_>,
    left: &[SampleId],
    standing: impl Fn(SampleId) -> Standing,
    first: impl Fn(SampleId) -> First,
) -> Option<SampleId> {
    let decided = |id: &SampleId| source.decisions.get(*id).is_some();
    let wanted: Vec<SampleId> = left.iter().copied().filter(decided).collect();
    let of = if wanted.is_empty() { left } else { &wanted };
    let size = |id: SampleId| source.file_metadata.dimensions.get(id.index());
    let pixels = |id: SampleId| u64::from(size(id).width) * u64::from(size(id).height);
    let standing_out = |id: SampleId| (first(id), pixels(id));
    let most = of.iter().map(|&id| standing_out(id)).max()?;
    let equal: Vec<SampleId> = of.iter().copied().filter(|&id| standing_out(id) == most).collect();
    // Pictures are only read where they decide: other files are no more than the same bytes.
    let content = |id: SampleId| source.file_metadata.hashes.get(id.index());
    let kept = match equal.iter().any(|&id| content(id) != content(equal[0])) {
        true => kept(source.manifest, source.file_metadata, left),
        false => BTreeMap::new(),
    };
    let kept = |id: SampleId| kept.get(&id).copied().unwrap_or_default();
    // Rather one that need not be moved; then the content decides, as for the detector, so that both keep the same one.
    let better =
        |&id: &SampleId| (kept(id), size(id).bytes, standing(id).still, Reverse(content(id)), Reverse(id));
    equal.into_iter().max_by_key(better)
}

/// What decides first: more is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct First {
    /// Whether it has the label that the policy is about: without it, a picture is of no use.
    labeled: bool,
    /// Whether nothing of it is lost. What is left of a damaged picture may be large, sharp and old.
    whole: bool,
    /// What the policy goes by.
    policy: u64,
}

fn first(source: &Source<'_>, policy: Copies, id: SampleId, standing: &Standing) -> First {
    First {
        labeled: policy == Copies::KeepLabeled && standing.labeled,
        whole: is_whole(source.file_metadata, id),
        policy: measured(source, policy, id, standing),
    }
}

/// What a policy goes by: more is better.
fn measured(source: &Source<'_>, policy: Copies, id: SampleId, standing: &Standing) -> u64 {
    match policy {
        Copies::KeepLarger => {
            let size = source.file_metadata.dimensions.get(id.index());
            u64::from(size.width) * u64::from(size.height)
        }
        // Of positive numbers, the bits are in the order of the numbers.
        Copies::KeepSharper => sharpness(source.manifest, id).map_or(0, |detail| detail.max(0.0).to_bits()),
        Copies::KeepLabeled => u64::from(standing.labeled),
        Copies::KeepOlder => {
            let modified = source.file_metadata.modified.get(id.index()).copied().unwrap_or(i64::MAX);
            // Older is better, before 1970, too.
            u64::MAX - (modified as u64 ^ (1 << 63))
        }
        Copies::KeepTest => stage(standing.split).map_or(0, |stage| u64::from(stage) + 1),
    }
}
