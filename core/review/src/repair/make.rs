//! Makes a plan.

use super::best::{Standing, best_of};
use super::policy::stage;
use super::{Change, Conflict, Copies, Counts, Leaks, PathText, Plan, VERSION};
use crate::Result;
use crate::groups;
use crate::query::Source;
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::job::Job;
use chaffinch_data::class_names;
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::display::safe_text;
use chaffinch_protocol::sample::{SampleId, Split};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The policies of a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policies {
    /// For pictures in several splits; `None` leaves them alone.
    pub leaks: Option<Leaks>,
    /// For copies; `None` leaves them alone.
    pub copies: Option<Copies>,
}

/// What is planned for one sample.
#[derive(Debug, Clone, Default)]
struct Wish {
    remove: bool,
    label: Option<String>,
    split: Option<Split>,
    why: Vec<String>,
}

impl Wish {
    /// Adds a reason, unless one has it in it: a copy across splits is a copy, too.
    fn because(&mut self, why: String) {
        if !self.why.iter().any(|known| known.ends_with(&why)) {
            self.why.push(why);
        }
    }
}

/// The plan of a dataset: what people decided, and then what the policies say of samples that nobody decided about.
///
/// # Errors
/// When stopped.
pub fn make(
    source: &Source<'_>,
    dataset: &Path,
    reading: &DatasetOptions,
    policies: Policies,
    job: &Job<'_>,
) -> Result<Plan> {
    let mut making =
        Making { source, wishes: BTreeMap::new(), conflicts: Vec::new(), differing: BTreeSet::new() };
    making.decided(job)?;
    if policies.leaks.is_some() || policies.copies.is_some() {
        let groups = copies(source, job)?;
        let total = groups.len() as u64;
        for (done, group) in (0..).zip(&groups) {
            job.checkpoint()?;
            job.progress(done, total);
            if let Some(policy) = policies.leaks {
                making.leak(group, policy);
            }
            if let Some(policy) = policies.copies {
                making.copies(group, policy);
            }
        }
        job.progress(total, total);
    }
    let manifest = source.manifest;
    let changes: Vec<Change> = (making.wishes.into_iter())
        .filter(|(_, wish)| wish.remove || wish.label.is_some() || wish.split.is_some())
        .map(|(id, wish)| {
            job.checkpoint()?;
            Ok(Change {
                path: PathText::new(manifest.path(id)),
                row: id.0,
                repeated: manifest.rows_of_path(id).len() > 1,
                hash: source.file_metadata.hashes.get(id.index()).copied().unwrap_or_default(),
                label: manifest.label_name(id).to_owned(),
                split: manifest.split(id),
                remove: wish.remove,
                // What goes needs no other class.
                to_label: wish.label.filter(|_| !wish.remove),
                to_split: wish.split.filter(|_| !wish.remove),
                why: wish.why.join("; "),
            })
        })
        .collect::<Result<_>>()?;
    Ok(Plan {
        version: VERSION,
        dataset: PathText::new(dataset),
        reading: reading.clone(),
        samples: manifest.len() as u64,
        policies,
        counts: Counts::of(manifest, &changes, job)?,
        changes,
        conflicts: making.conflicts,
    })
}

/// Groups of copies in the order of their numbers: those of every detector that finds groups, or else files with the same
/// bytes.
fn copies(source: &Source<'_>, job: &Job<'_>) -> Result<Vec<Vec<SampleId>>> {
    let finding = source.results.values().filter(|result| result.record().groups);
    let mut found: Option<Vec<Vec<SampleId>>> = None;
    for result in finding {
        let all = found.get_or_insert_default();
        for members in result.grouped().chunk_by(|a, b| a.0 == b.0) {
            job.checkpoint()?;
            let samples: Vec<SampleId> = members.iter().map(|(_, row)| SampleId(*row)).collect();
            if groups::likeness(result, members[0].0, source.file_metadata, &samples).is_copy() {
                all.push(samples);
            }
        }
    }
    if let Some(found) = found {
        return Ok(found);
    }
    let mut same: BTreeMap<ContentHash, Vec<SampleId>> = BTreeMap::new();
    for (id, hash) in source.manifest.ids().zip(&source.file_metadata.hashes) {
        job.checkpoint()?;
        if *hash != ContentHash::default() {
            same.entry(*hash).or_default().push(id);
        }
    }
    let mut groups: Vec<Vec<SampleId>> = same.into_values().filter(|members| members.len() > 1).collect();
    groups.sort_unstable();
    Ok(groups)
}

struct Making<'a, 'b> {
    source: &'b Source<'a>,
    wishes: BTreeMap<SampleId, Wish>,
    conflicts: Vec<Conflict>,
    /// The first of each group whose labels differ.
    differing: BTreeSet<SampleId>,
}

impl Making<'_, '_> {
    /// What people decided.
    fn decided(&mut self, job: &Job<'_>) -> Result<()> {
        for (id, decision) in self.source.decisions.iter() {
            job.checkpoint()?;
            let who = self.source.decisions.review(id).map_or("", |review| review.reviewer);
            let why = match who {
                "" => "decided".to_owned(),
                who => format!("decided by {who}"),
            };
            match &decision.choice {
                Choice::Remove => {
                    self.wishes.insert(id, Wish { remove: true, why: vec![why], ..Wish::default() });
                }
                Choice::Relabel(label) => {
                    let label = class_names::clean(label);
                    if label != self.source.manifest.label_name(id) {
                        let label = Some(label.into_owned());
                        self.wishes.insert(id, Wish { label, why: vec![why], ..Wish::default() });
                    }
                }
                Choice::Keep | Choice::Unsure => {}
            }
        }
        Ok(())
    }

    fn removed(&self, id: SampleId) -> bool {
        self.wishes.get(&id).is_some_and(|wish| wish.remove)
    }

    fn split(&self, id: SampleId) -> Split {
        let planned = self.wishes.get(&id).and_then(|wish| wish.split);
        planned.unwrap_or_else(|| self.source.manifest.split(id))
    }

    fn label(&self, id: SampleId) -> &str {
        let planned = self.wishes.get(&id).and_then(|wish| wish.label.as_deref());
        planned.unwrap_or_else(|| self.source.manifest.label_name(id))
    }

    fn named(&self, id: SampleId) -> String {
        class_names::of_bytes(std::os::unix::ffi::OsStrExt::as_bytes(
            self.source.manifest.path(id).as_os_str(),
        ))
    }

    fn conflict(&mut self, id: SampleId, text: String) {
        self.conflicts.push(Conflict { path: PathText::new(self.source.manifest.path(id)), text });
    }

    /// Removes a sample unless somebody decided that it stays.
    fn remove(&mut self, id: SampleId, policy: &str, why: String) {
        if let Some(decision) = self.source.decisions.get(id) {
            if decision.choice != Choice::Remove {
                let text = format!(
                    "stays, because it was decided as {}, though {policy} would remove it: {why}",
                    safe_text(&decision.choice.to_string())
                );
                self.conflict(id, text);
            }
            return;
        }
        let wish = self.wishes.entry(id).or_default();
        wish.remove = true;
        wish.because(why);
    }

    /// Moves a sample to another split unless somebody decided that it is fine as it is.
    fn move_to(&mut self, id: SampleId, split: Split, policy: &str, why: String) {
        match self.source.decisions.get(id).map(|decision| &decision.choice) {
            Some(Choice::Remove) => return,
            Some(choice @ (Choice::Keep | Choice::Unsure)) => {
                let text = format!(
                    "stays in {}, because it was decided as {choice}, though {policy} would move it to {split}: {why}",
                    self.source.manifest.split(id)
                );
                self.conflict(id, text);
                return;
            }
            _ => {}
        }
        let wish = self.wishes.entry(id).or_default();
        wish.split = Some(split);
        wish.because(why);
    }

    fn left(&self, group: &[SampleId]) -> Vec<SampleId> {
        group.iter().copied().filter(|&id| !self.removed(id)).collect()
    }

    /// Whether copies have different labels, of which no policy can choose one: a conflict, which is listed once.
    fn differ(&mut self, left: &[SampleId], policy: &str) -> bool {
        let labels: BTreeSet<&str> =
            left.iter().map(|&id| self.label(id)).filter(|label| !label.is_empty()).collect();
        let labels: Vec<String> = labels.iter().map(|label| format!("'{}'", safe_text(label))).collect();
        if labels.len() < 2 {
            return false;
        }
        if self.differing.insert(left[0]) {
            let text = format!(
                "stays with its copies, because they have different labels ({}), of which {policy} can choose none; decide \
                 about them first",
                labels.join(", ")
            );
            self.conflict(left[0], text);
        }
        true
    }

    /// Treats a group that is in several splits.
    fn leak(&mut self, group: &[SampleId], policy: Leaks) {
        let left = self.left(group);
        let in_split: BTreeMap<u8, SampleId> =
            left.iter().rev().filter_map(|&id| Some((stage(self.split(id))?, id))).collect();
        let (Some((&first, &early)), Some((&last, &late))) =
            (in_split.first_key_value(), in_split.last_key_value())
        else {
            return;
        };
        if first == last || self.differ(&left, policy.name()) {
            return;
        }
        let (early_split, name) = (self.split(early), policy.name());
        for id in left {
            let Some(own) = stage(self.split(id)) else { continue };
            let copy_of = |other: SampleId| format!("leak: a copy of {}", self.named(other));
            match policy {
                Leaks::MoveToTrain if own > first => self.move_to(id, early_split, name, copy_of(early)),
                Leaks::RemoveTrain if own < last => self.remove(id, name, copy_of(late)),
                Leaks::RemoveTest if own > first => self.remove(id, name, copy_of(early)),
                _ => {}
            }
        }
    }

    /// Keeps one of a group.
    fn copies(&mut self, group: &[SampleId], policy: Copies) {
        let left = self.left(group);
        if left.len() < 2 || self.differ(&left, policy.name()) {
            return;
        }
        let Some(best) = self.best(&left, policy) else { return };
        for id in left.into_iter().filter(|&id| id != best) {
            let why = format!("a copy of {}", self.named(best));
            self.remove(id, policy.name(), why);
        }
    }

    /// The one to keep.
    fn best(&self, left: &[SampleId], policy: Copies) -> Option<SampleId> {
        let planned = |id: SampleId| Standing {
            labeled: !self.label(id).is_empty(),
            split: self.split(id),
            still: self.wishes.get(&id).is_none_or(|wish| wish.split.is_none()),
        };
        best_of(self.source, left, policy, planned)
    }
}
