//! Groups of copies as a list, worst first, and which member of each is the best.

use super::rows as answers;
use crate::state::State;
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::journal::Decisions;
use chaffinch_data::manifest::NO_LABEL;
use chaffinch_protocol::display;
use chaffinch_protocol::sample::{SampleId, Split};
use chaffinch_protocol::{GroupBest, GroupMember, GroupView, Ticket, ViewEvent};
use chaffinch_review::groups::{self, Group as Key};
use chaffinch_review::repair::{self, Because, Best, Copies};
use chaffinch_review::verdict::is_flagged;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A snapshot of the list of groups.
pub(crate) struct Groups {
    pub(crate) ticket: Ticket,
    state: Arc<State>,
    keys: Vec<Key>,
    /// All of these.
    listed: BTreeSet<Key>,
}

impl Groups {
    /// The flagged groups in the order in which a list sorted by group has them.
    pub(crate) fn new(ticket: Ticket, state: Arc<State>, leaks: bool) -> Groups {
        let splits = state.findings.manifest.splits();
        let mut listed = BTreeSet::new();
        for (detector, (name, result)) in (0_u16..).zip(&state.findings.results) {
            if !result.record().groups {
                continue;
            }
            let scores = result.scores();
            for members in result.grouped().chunk_by(|a, b| a.0 == b.0).filter(|members| members.len() > 1) {
                let worst = members.iter().map(|(_, row)| scores[*row as usize]).fold(f32::NAN, f32::min);
                let leak = || reached(splits, members.iter().map(|(_, row)| *row)).len() > 1;
                if is_flagged(worst, state.thresholds[name]) && (!leaks || leak()) {
                    listed.insert(Key { detector, group: members[0].0 });
                }
            }
        }
        let order = groups::worst_first(&state.findings.results, &state.ranking);
        let keys = order.into_iter().filter(|key| listed.contains(key)).collect();
        Groups { ticket, state, keys, listed }
    }

    fn result(&self, key: &Key) -> Option<(&str, &Arc<DetectorResult>)> {
        self.state
            .findings
            .results
            .iter()
            .nth(usize::from(key.detector))
            .map(|(name, result)| (name.as_str(), result))
    }

    fn members(&self, key: &Key) -> Vec<SampleId> {
        self.result(key).map(|(_, result)| result.group_members(key.group)).unwrap_or_default()
    }

    fn decided(&self, key: &Key, decisions: &Decisions) -> bool {
        self.members(key).iter().all(|id| decisions.get(*id).is_some())
    }

    /// The summary of the list for a client.
    pub(crate) fn summary(&self, sample: Option<SampleId>, decisions: &Decisions) -> ViewEvent {
        let of = |sample: SampleId| {
            self.keys.iter().position(|key| {
                self.result(key).is_some_and(|(_, result)| result.group(sample) == Some(key.group))
            })
        };
        ViewEvent::Groups {
            ticket: self.ticket,
            total: self.keys.len() as u64,
            decided: self.all_decided(decisions),
            place: sample.and_then(of).map(|place| place as u64),
        }
    }

    /// Groups with nothing undecided. Only those are looked at that have a decided member.
    fn all_decided(&self, decisions: &Decisions) -> u64 {
        let mut begun: BTreeSet<Key> = BTreeSet::new();
        for (detector, result) in (0_u16..).zip(self.state.findings.results.values()) {
            if result.record().groups {
                let groups = decisions.iter().filter_map(|(id, _)| result.group(id));
                begun.extend(
                    groups.map(|group| Key { detector, group }).filter(|key| self.listed.contains(key)),
                );
            }
        }
        begun.iter().filter(|key| self.decided(key, decisions)).count() as u64
    }

    /// The next group with something undecided.
    pub(crate) fn find(&self, from: u64, forward: bool, decisions: &Decisions) -> ViewEvent {
        let from = usize::try_from(from).unwrap_or(usize::MAX).min(self.keys.len());
        let open = |place: &usize| !self.decided(&self.keys[*place], decisions);
        let place = if forward {
            ((from + 1).min(self.keys.len())..self.keys.len()).find(open)
        } else {
            (0..from).rev().find(open)
        };
        ViewEvent::GroupFound { ticket: self.ticket, place: place.map(|place| place as u64) }
    }

    /// Which member of a group each policy would keep.
    pub(crate) fn best(&self, place: u64, decisions: &Decisions) -> Option<ViewEvent> {
        let key = self.keys.get(usize::try_from(place).ok()?)?;
        let samples = self.members(key);
        let manifest = &self.state.findings.manifest;
        let of = |best: Best| GroupBest {
            policy: best.policy.name().to_owned(),
            rule: best.policy.rule().to_owned(),
            keep: best.keep,
            path: display::safe_path(manifest.path(best.keep)),
            because: self.because(&best),
        };
        let best = repair::best(&self.state.source(decisions), &samples).into_iter().map(of).collect();
        Some(ViewEvent::GroupBest { ticket: self.ticket, place, samples, best })
    }

    /// What speaks for the member that a policy keeps.
    fn because(&self, best: &Best) -> String {
        match best.because {
            Because::Equal => return "several are equal".to_owned(),
            Because::Intact => return "not damaged".to_owned(),
            Because::Sight => return "its colors, direction or lack of noise".to_owned(),
            Because::Policy => (),
        }
        let findings = &self.state.findings;
        let size = findings.file_metadata.dimensions.get(best.keep.index());
        let words = match best.policy {
            Copies::KeepLarger => format!("{}×{}", size.width, size.height),
            Copies::KeepSharper => "the most detail".to_owned(),
            Copies::KeepLabeled => format!("labeled {}", findings.manifest.label_name(best.keep)),
            Copies::KeepOlder => "the oldest file".to_owned(),
            Copies::KeepTest => format!("in {}", findings.manifest.split(best.keep).name()),
        };
        display::safe_text(&words).into_owned()
    }

    /// One group with a window of its members.
    pub(crate) fn group(&self, place: u64, start: u64, len: u32, decisions: &Decisions) -> Option<GroupView> {
        let key = self.keys.get(usize::try_from(place).ok()?)?;
        let (name, result) = self.result(key)?;
        let (state, findings) = (&self.state, &self.state.findings);
        let mut samples = result.group_members(key.group);
        if let Some(best) = best(state, result, &samples) {
            samples.retain(|sample| *sample != best);
            samples.insert(0, best);
        }
        let alike = samples.first().and_then(|best| result.issue(*best)).map(|issue| issue.related);
        let alike = alike.unwrap_or_default();
        let worst = samples.iter().min_by(|a, b| {
            let score = |id: &SampleId| result.score(*id).unwrap_or(f32::INFINITY);
            score(a).total_cmp(&score(b))
        });
        let reason = worst.map(|worst| display::safe_text(result.reason(*worst)).into_owned());
        let reached = reached(findings.manifest.splits(), samples.iter().map(|id| id.0));
        let from = usize::try_from(start).unwrap_or(usize::MAX).min(samples.len());
        let to = from.saturating_add(len.min(4096) as usize).min(samples.len());
        let member = |id: &SampleId| {
            let size = findings.file_metadata.dimensions.get(id.index());
            GroupMember {
                row: answers::row(state, decisions, *id),
                width: size.width,
                height: size.height,
                bytes: size.bytes,
                score: result.score(*id),
                similarity: alike.iter().find(|(other, _)| other == id).map(|(_, similarity)| *similarity),
            }
        };
        Some(GroupView {
            ticket: self.ticket,
            place,
            groups_decided: self.all_decided(decisions),
            detector: name.to_owned(),
            leak: if reached.len() > 1 {
                reached.iter().map(|split| split.name().to_owned()).collect()
            } else {
                Vec::new()
            },
            likeness: groups::likeness(result, key.group, &findings.file_metadata, &samples),
            labels_differ: differ(findings.manifest.labels(), &samples),
            reason: reason.unwrap_or_default(),
            rule:
                // Whole at 80 columns.
                "best: not damaged, best score, train before test, most pixels, most bytes"
                    .to_owned(),
            members: samples[from..to].iter().map(member).collect(),
            start: from as u64,
            samples,
        })
    }
}

/// Whether samples have different labels; one without a label differs from none.
fn differ(labels: &[u32], samples: &[SampleId]) -> bool {
    let mut given = samples.iter().map(|id| labels[id.index()]).filter(|label| *label != NO_LABEL);
    given.next().is_some_and(|first| given.any(|label| label != first))
}

/// The member to keep: [`GroupView::rule`] says how it is chosen.
fn best(state: &State, result: &DetectorResult, samples: &[SampleId]) -> Option<SampleId> {
    let findings = &state.findings;
    let key = |id: &SampleId| {
        let split = match findings.manifest.split(*id) {
            Split::Train => 0,
            Split::None => 1,
            Split::Validation => 2,
            Split::Test => 3,
        };
        let size = findings.file_metadata.dimensions.get(id.index());
        // Scores are in 0..=1, where floats sort like their bits.
        let score = result.score(*id).unwrap_or(0.0).max(0.0).to_bits();
        let area = u64::from(size.width) * u64::from(size.height);
        let damaged = !repair::is_whole(&findings.file_metadata, *id);
        let content = findings.file_metadata.hashes.get(id.index());
        (damaged, Reverse(score), split, Reverse(area), Reverse(size.bytes), content, id.0)
    };
    samples.iter().copied().min_by_key(key)
}

/// The splits of some rows; a row without a split is not a side of a leak.
fn reached(splits: &[u8], rows: impl Iterator<Item = u32>) -> Vec<Split> {
    let bits = rows.fold(0_u8, |bits, row| bits | 1 << splits[row as usize]);
    [Split::Train, Split::Validation, Split::Test]
        .into_iter()
        .filter(|split| bits >> split.code() & 1 == 1)
        .collect()
}
