//! The current state of each sample.

use super::Said;
use super::entry::{Entry, What};
use chaffinch_protocol::decision::{ADJUDICATED, Choice, Decision};
use chaffinch_protocol::sample::SampleId;
use jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Samples per shard: few enough that copying one is cheap.
const SHARD_BITS: u32 = 12;

/// The state of one sample.
#[derive(Debug, Clone)]
pub(super) struct Marks {
    /// Tags and note always apply, the choice only if `decided`.
    said: Decision,
    decided: bool,
    /// When it was decided.
    pub(super) at: Timestamp,
    /// The reviewer, as an index into the list of reviewers.
    by: u16,
    /// The reviewer whose note is in `said`.
    noted_by: u16,
    /// Whether reviewers decided differently, and it was not settled since.
    disputed: bool,
    /// Whether the decision settles what reviewers decided differently.
    adjudicates: bool,
    /// What the reviewer decided as one among others, which an adjudication by the same reviewer leaves as it was.
    opinion: Option<(Choice, Timestamp)>,
    /// The notes of all reviewers, where several wrote one, by reviewer.
    notes: Vec<(u16, String)>,
}

impl Marks {
    pub(super) fn new(by: u16) -> Marks {
        Marks {
            said: Choice::Unsure.into(),
            decided: false,
            at: Timestamp::UNIX_EPOCH,
            by,
            noted_by: by,
            disputed: false,
            adjudicates: false,
            opinion: None,
            notes: Vec::new(),
        }
    }

    /// Applies a later entry to a row.
    pub(super) fn add(&mut self, entry: &Entry, row: u32) {
        if let Some(choice) = entry.choice(row) {
            let adjudicates = choice.is_some() && entry.adjudicates();
            if !adjudicates {
                self.opinion = choice.clone().map(|choice| (choice, entry.at));
                self.said.tags.retain(|tag| tag != ADJUDICATED);
            }
            self.adjudicates = adjudicates;
            self.decided = choice.is_some();
            self.said.choice = choice.unwrap_or(Choice::Unsure);
            self.at = entry.at;
        }
        self.add_tags(&entry.what.tags);
        self.said.tags.retain(|tag| !entry.what.untags.contains(tag));
        if self.adjudicates && entry.what.untags.iter().any(|tag| tag == ADJUDICATED) {
            // Without the mark it is a decision like any other.
            self.adjudicates = false;
            self.opinion = Some((self.said.choice.clone(), self.at));
        }
        if entry.what.unnote {
            self.said.note.clear();
        }
        if !entry.what.note.is_empty() {
            self.said.note.clone_from(&entry.what.note);
        }
    }

    /// What of something said elsewhere is missing here, and whether these marks say something else. `tags` and `note` are
    /// those of all reviewers; a tag that was taken back here since is not said again.
    pub(super) fn lacks(
        &self,
        said: &Said,
        at: Option<Timestamp>,
        tags: &[String],
        note: &str,
        took_back: impl Fn(&str) -> bool,
    ) -> (What, bool) {
        let mut add = None;
        let mut differs = false;
        // The same reviewer settled a conflict since: a decision of before is no other opinion.
        let settles = said.tags.iter().any(|tag| tag == ADJUDICATED) && at > Some(self.at);
        match (self.decision(), &said.choice) {
            (_, None) => {}
            (None, Some(choice)) => add = Some(choice),
            (Some(_), Some(choice)) if settles => add = Some(choice),
            (Some(own), Some(choice)) => differs |= own.choice != *choice,
        }
        let missing =
            |tag: &&String| !tag.trim().is_empty() && !tags.contains(tag) && !self.said.tags.contains(tag);
        // A tag that says how it was decided goes with the decision.
        let goes = |tag: &&String| if *tag == ADJUDICATED { add.is_some() } else { missing(tag) };
        let tags = said.tags.iter().filter(goes).filter(|tag| !took_back(tag)).cloned().collect();
        let choice = add.map(|choice| Some(choice.clone()));
        let mut what = What { choice, tags, ..What::default() };
        if !said.note.is_empty() && said.note != note && said.note != self.said.note {
            match self.said.note.is_empty() {
                true => what.note.clone_from(&said.note),
                false => differs = true,
            }
        }
        (what, differs)
    }

    /// Tags and the note, and the choice if one is made.
    pub(super) fn said(&self) -> &Decision {
        &self.said
    }

    fn add_tags(&mut self, tags: &[String]) {
        for tag in tags {
            if !self.said.tags.contains(tag) {
                self.said.tags.push(tag.clone());
            }
        }
    }

    /// Merges another reviewer's state: one's own decision takes precedence, then the latest of the others.
    pub(super) fn join(&mut self, other: &Marks) {
        let own = self.decided && self.by == 0;
        self.disputed |= self.decided && other.decided && self.said.choice != other.said.choice;
        if other.decided && !own && (!self.decided || other.at > self.at) {
            self.decided = true;
            self.said.choice = other.said.choice.clone();
            (self.at, self.by) = (other.at, other.by);
        }
        if self.is_empty() {
            self.by = other.by;
        }
        self.add_tags(&other.said.tags);
        let note = &other.said.note;
        if self.said.note.is_empty() {
            self.said.note.clone_from(note);
            self.noted_by = other.noted_by;
        } else if !note.is_empty() {
            if self.notes.is_empty() {
                self.notes.push((self.noted_by, self.said.note.clone()));
            }
            self.notes.push((other.noted_by, note.clone()));
        }
    }

    /// Lets the last adjudication settle what these reviewers decided, one's own marks first: it is in force, and only what
    /// was decided differently after it is a dispute again. One's own later decision stays in force for oneself.
    pub(super) fn settle(&mut self, sides: &[&Marks]) {
        let settles = sides.iter().filter(|marks| marks.settles());
        let Some(last) = settles.max_by_key(|marks| (marks.at, Reverse(marks.by))) else { return };
        let reopens = |marks: &Marks| {
            marks.decided && !marks.adjudicates && marks.at > last.at && marks.said.choice != last.said.choice
        };
        self.disputed = sides.iter().any(|marks| reopens(marks));
        self.adjudicates = !sides.iter().any(|marks| marks.by == 0 && reopens(marks));
        if self.adjudicates {
            self.decided = true;
            self.said.choice = last.said.choice.clone();
            (self.at, self.by) = (last.at, last.by);
        }
    }

    /// Whether it is a decision that settles a dispute.
    pub(super) fn settles(&self) -> bool {
        self.decided && self.adjudicates
    }

    /// What the reviewer decided as one among others, and when.
    pub(super) fn opinion(&self) -> Option<(Timestamp, Decision)> {
        let (choice, at) = self.opinion.as_ref()?;
        Some((*at, Decision { choice: choice.clone(), ..self.said.clone() }))
    }

    pub(super) fn decision(&self) -> Option<&Decision> {
        self.decided.then_some(&self.said)
    }

    /// Whether this is said here and nothing else, whenever it was said.
    pub(super) fn says_what(&self, other: &Marks) -> bool {
        self.decision().map(|said| &said.choice) == other.decision().map(|said| &said.choice)
            && (&self.said.tags, &self.said.note) == (&other.said.tags, &other.said.note)
    }

    pub(super) fn has_any(&self, tags: &[String]) -> bool {
        self.said.tags.iter().any(|tag| tags.contains(tag))
    }

    fn is_empty(&self) -> bool {
        !self.decided && self.said.tags.is_empty() && self.said.note.is_empty()
    }
}

/// A decision with its reviewer and time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Review<'a> {
    /// The decision, `None` if there are only tags or a note.
    pub decision: Option<&'a Decision>,
    /// Tags, also without a decision.
    pub tags: &'a [String],
    /// The note, also without a decision.
    pub note: &'a str,
    /// Who decided; empty if no one did.
    pub reviewer: &'a str,
    /// Who decided, or if no one did, who first gave it a tag or a note: one's own name before others.
    pub author: &'a str,
    /// Whether the decision settled what reviewers had decided differently.
    pub adjudicated: bool,
    /// When it was decided.
    at: Timestamp,
}

impl Review<'_> {
    /// When it was decided, ISO 8601 in UTC; empty if undecided.
    pub fn at(&self) -> String {
        self.decision.map_or(String::new(), |_| self.at.to_string())
    }
}

/// A snapshot of all decisions. Clones share unchanged parts, so that a clone is nearly free and a later decision
/// copies at most a few thousand samples.
#[derive(Debug, Clone, Default)]
pub struct Decisions {
    shards: BTreeMap<u32, Arc<BTreeMap<u32, Marks>>>,
    by_choice: [u64; 4],
    disputed: u64,
    reviewers: Arc<[String]>,
}

impl Decisions {
    pub(super) fn new(reviewers: Vec<String>) -> Decisions {
        Decisions { reviewers: reviewers.into(), ..Decisions::default() }
    }

    /// The reviewers with a journal, one's own first, whether it has an entry or not.
    pub fn reviewers(&self) -> &[String] {
        &self.reviewers
    }

    pub(super) fn set(&mut self, row: u32, marks: Marks) {
        let shard = Arc::make_mut(self.shards.entry(row >> SHARD_BITS).or_default());
        let new = marks.decision().map(|decision| decision.choice.index());
        self.disputed += u64::from(marks.disputed);
        let old = if marks.is_empty() { shard.remove(&row) } else { shard.insert(row, marks) };
        if shard.is_empty() {
            self.shards.remove(&(row >> SHARD_BITS));
        }
        self.disputed -= u64::from(old.as_ref().is_some_and(|old| old.disputed));
        if let Some(old) = old.and_then(|old| old.decision().map(|decision| decision.choice.index())) {
            self.by_choice[old] -= 1;
        }
        if let Some(new) = new {
            self.by_choice[new] += 1;
        }
    }

    /// The same as if nothing had been said about these samples.
    #[must_use]
    pub fn without(mut self, samples: impl IntoIterator<Item = SampleId>) -> Decisions {
        for id in samples {
            self.set(id.0, Marks::new(0));
        }
        self
    }

    fn marks(&self, id: SampleId) -> Option<&Marks> {
        self.shards.get(&(id.0 >> SHARD_BITS))?.get(&id.0)
    }

    /// The decision on a sample.
    pub fn get(&self, id: SampleId) -> Option<&Decision> {
        self.marks(id)?.decision()
    }

    /// Tags of a sample, with or without a decision.
    pub fn tags(&self, id: SampleId) -> &[String] {
        self.marks(id).map_or(&[], |marks| &marks.said.tags)
    }

    /// The notes on a sample by reviewer, one's own first, with or without a decision.
    pub fn notes(&self, id: SampleId) -> Vec<(&str, &str)> {
        let Some(marks) = self.marks(id) else { return Vec::new() };
        let name = |by: u16| self.reviewers.get(usize::from(by)).map_or("", String::as_str);
        match marks.notes.as_slice() {
            [] if marks.said.note.is_empty() => Vec::new(),
            [] => vec![(name(marks.noted_by), marks.said.note.as_str())],
            all => all.iter().map(|(by, note)| (name(*by), note.as_str())).collect(),
        }
    }

    /// The note on a sample, with or without a decision; where several reviewers wrote one, one's own or the first;
    /// empty if there is none.
    pub fn note(&self, id: SampleId) -> &str {
        self.marks(id).map_or("", |marks| &marks.said.note)
    }

    /// The whole state of a sample.
    pub fn review(&self, id: SampleId) -> Option<Review<'_>> {
        let marks = self.marks(id)?;
        let author = self.reviewers.get(usize::from(marks.by)).map_or("", String::as_str);
        Some(Review {
            decision: marks.decision(),
            tags: &marks.said.tags,
            note: &marks.said.note,
            reviewer: if marks.decided { author } else { "" },
            author,
            adjudicated: marks.settles(),
            at: marks.at,
        })
    }

    /// Samples that have any tags, in manifest order.
    pub fn tagged(&self) -> impl Iterator<Item = (SampleId, &[String])> {
        let all = self.shards.values().flat_map(|shard| shard.iter());
        all.map(|(&row, marks)| (SampleId(row), marks.said.tags.as_slice()))
            .filter(|(_, tags)| !tags.is_empty())
    }

    /// Decided samples with their decisions, in manifest order.
    pub fn iter(&self) -> impl Iterator<Item = (SampleId, &Decision)> {
        let all = self.shards.values().flat_map(|shard| shard.iter());
        all.filter_map(|(&row, marks)| Some((SampleId(row), marks.decision()?)))
    }

    /// Samples about which reviewers disagree, in manifest order.
    pub fn disputed_samples(&self) -> impl Iterator<Item = SampleId> {
        let all = self.shards.values().flat_map(|shard| shard.iter());
        all.filter(|(_, marks)| marks.disputed).map(|(&row, _)| SampleId(row))
    }

    /// Whether reviewers disagree about a sample.
    pub fn is_disputed(&self, id: SampleId) -> bool {
        self.marks(id).is_some_and(|marks| marks.disputed)
    }

    /// How many these are.
    pub fn disputed(&self) -> u64 {
        self.disputed
    }

    /// Samples with a decision.
    pub fn decided(&self) -> usize {
        self.by_choice.iter().sum::<u64>() as usize
    }

    /// Samples with a keep, remove, relabel or unsure decision, in this order.
    pub fn by_choice(&self) -> [u64; 4] {
        self.by_choice
    }
}
