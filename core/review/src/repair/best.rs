//! Which of several copies a policy keeps.

use super::Copies;
use super::kept::{Looked, is_whole, look_at};
use super::policy::stage;
use crate::query::Source;
use chaffinch_likeness::Standing as Sight;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::{SampleId, Split};
use std::cell::OnceCell;
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
    /// What it was kept for.
    pub because: Because,
}

/// What speaks for the member that a policy keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// What the policy goes by.
    Policy,
    /// It is not damaged, and those that the policy alone would have preferred are.
    Intact,
    /// It is in color, upright, or without noise, and those that the policy alone would have preferred are not.
    Sight,
    /// The policy prefers none: damage, size, colors, bytes and then the contents decided.
    Equal,
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
    let group = Group::new(source, &left);
    let of = |policy: Copies| {
        let keep = group.best(policy, standing)?;
        let own = group.first(policy, keep, &standing(keep));
        let others: Vec<First> =
            left.iter().filter(|id| **id != keep).map(|&id| group.first(policy, id, &standing(id))).collect();
        let any = |wrong: &dyn Fn(&First) -> bool| others.iter().any(wrong);
        let because = if any(&|first| *first >= own) {
            Because::Equal
        } else if any(&|first| own.whole && !first.whole && first.policy >= own.policy) {
            Because::Intact
        } else if any(&|first| first.sight < own.sight && first.policy >= own.policy) {
            Because::Sight
        } else {
            Because::Policy
        };
        Some(Best { policy, keep, because })
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
    Group::new(source, left).best(policy, standing)
}

/// Copies of one picture, which are only looked at where that decides.
struct Group<'a> {
    source: &'a Source<'a>,
    left: &'a [SampleId],
    looked: OnceCell<BTreeMap<SampleId, Looked>>,
}

impl<'a> Group<'a> {
    fn new(source: &'a Source<'a>, left: &'a [SampleId]) -> Group<'a> {
        Group { source, left, looked: OnceCell::new() }
    }

    /// What is seen of a member. Files with the same bytes show the same.
    fn looked(&self, id: SampleId) -> Looked {
        let content = |id: SampleId| self.source.file_metadata.hashes.get(id.index());
        let all = self.looked.get_or_init(|| match self.left {
            [first, others @ ..] if others.iter().any(|&id| content(id) != content(*first)) => {
                look_at(self.source.manifest, self.source.file_metadata, self.left)
            }
            _ => BTreeMap::new(),
        });
        all.get(&id).copied().unwrap_or_default()
    }

    fn best(&self, policy: Copies, standing: impl Fn(SampleId) -> Standing) -> Option<SampleId> {
        let (source, left) = (self.source, self.left);
        let decided = |id: &SampleId| source.decisions.get(*id).is_some();
        let wanted: Vec<SampleId> = left.iter().copied().filter(decided).collect();
        let of = if wanted.is_empty() { left } else { &wanted };
        let size = |id: SampleId| source.file_metadata.dimensions.get(id.index());
        let pixels = |id: SampleId| u64::from(size(id).width) * u64::from(size(id).height);
        let standing_out = |id: SampleId| (self.first(policy, id, &standing(id)), pixels(id));
        let most = of.iter().map(|&id| standing_out(id)).max()?;
        let equal: Vec<SampleId> = of.iter().copied().filter(|&id| standing_out(id) == most).collect();
        // Pictures are only read where they decide: other files are no more than the same bytes.
        let content = |id: SampleId| source.file_metadata.hashes.get(id.index());
        let differ = equal.iter().any(|&id| content(id) != content(equal[0]));
        let kept = |id: SampleId| if differ { self.looked(id).kept } else { Default::default() };
        // Rather one that need not be moved; then the content decides, as for the detector, so that both keep the same one.
        let better = |&id: &SampleId| {
            (kept(id), size(id).bytes, standing(id).still, Reverse(content(id)), Reverse(id))
        };
        equal.into_iter().max_by_key(better)
    }

    fn first(&self, policy: Copies, id: SampleId, standing: &Standing) -> First {
        First {
            labeled: policy == Copies::KeepLabeled && standing.labeled,
            whole: is_whole(self.source.file_metadata, id),
            sight: match policy {
                Copies::KeepSharper => self.looked(id).kept.in_sight(),
                _ => Sight::default(),
            },
            policy: self.measured(policy, id, standing),
        }
    }

    /// What a policy goes by: more is better.
    fn measured(&self, policy: Copies, id: SampleId, standing: &Standing) -> u64 {
        match policy {
            Copies::KeepLarger => {
                let size = self.source.file_metadata.dimensions.get(id.index());
                u64::from(size.width) * u64::from(size.height)
            }
            Copies::KeepSharper => u64::MAX - self.looked(id).sharper as u64,
            Copies::KeepLabeled => u64::from(standing.labeled),
            Copies::KeepOlder => {
                let modified =
                    self.source.file_metadata.modified.get(id.index()).copied().unwrap_or(i64::MAX);
                // Older is better, before 1970, too.
                u64::MAX - (modified as u64 ^ (1 << 63))
            }
            Copies::KeepTest => stage(standing.split).map_or(0, |stage| u64::from(stage) + 1),
        }
    }
}

/// What decides first: more is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct First {
    /// Whether it has the label that the policy is about: without it, a picture is of no use.
    labeled: bool,
    /// Whether nothing of it is lost. What is left of a damaged picture may be large, sharp and old.
    whole: bool,
    /// What shows in the picture beside its detail, where the policy goes by that: gray, swapped and noisy ones may be sharp.
    sight: Sight,
    /// What the policy goes by.
    policy: u64,
}
