//! The reviewers' decisions, in append-only files.
//!
//! Each reviewer has a file `NAME.jsonl` in the session's folder `decisions`, with one JSON object per line:
//!
//! ```text
//! {"seq":1,"at":"2026-11-21T10:00:00.123Z","reviewer":"anna","samples":[{"hash":"af13…","path":"cat/1.jpg"}],"decision":"remove","tags":["duplicate_exact"]}
//! {"seq":2,"at":"2026-11-21T10:00:04.56Z","undo":1}
//! {"seq":3,"at":"2026-11-21T10:00:05.7Z","redo":1}
//! ```
//!
//! A `decision` is `"keep"`, `"remove"`, `{"relabel":"dog"}`, `"unsure"`, or `null` to clear earlier ones; an entry
//! without it only adds tags (`tags`), removes them (`untags`), or has a note. `"kept":[0]` lists indices of samples in
//! the entry, counted from 0, that are kept while the others get the decision. Characters of a reviewer's name that are
//! not allowed in file names are written as `%XX`, and a path that is not valid UTF-8 is stored under `path_percent`,
//! with `%XX` for every byte that is not printable ASCII, and for `%` itself.
//!
//! - A line is on disk before the call that wrote it returns, and in the file that its path names then. If it cannot be
//!   written completely, the file is truncated to its old length, nothing changes in memory, and the call fails.
//! - What was removed or cut off by another program is written again from what this one holds. A file with other entries
//!   in its place is left as it is: what this program holds is written beside it, and the call fails.
//! - A last line left incomplete by a crash is ignored on reading and truncated by the next entry. Any other invalid
//!   line is an error that names it, except in another reviewer's file, which is left out and named in the notes.
//! - A sample is identified by its content. If several samples have the same content, the path distinguishes them; a
//!   renamed file keeps its decision (`was` is its earlier path), a changed one is a different sample. `copies` counts
//!   the other samples that had the same content, and `twins` names them (up to 64): what is decided about one copy never
//!   goes to another when the first is deleted or changed. `place` is the class and the split of one of several copies, which
//!   tell them apart where all paths are new, such as in another packing. An entry written before the contents were read has no `hash`
//!   and is matched by path alone. Of a path that several rows of a table have, `row` says which is meant: its label and
//!   split as written, a hash of its other columns (`rest`), which of the rows that say the same it is (`nth`, counted
//!   from 0, `of` so many), and how many have its label and split (`alike`). If this does not tell for certain which row
//!   is meant, the entry applies to none of them. Entries for samples that are not in the manifest are kept and apply again when the
//!   sample is back.
//! - Undo and redo are entries too, so they work across restarts. A new decision ends what can be redone.
//! - All reviewers' files are read and only one's own is written. One's own decision takes precedence over others',
//!   among those the latest; if they differ, there is a [`Conflict`].
//! - A decision with the tag `adjudicated` in the same entry settles a conflict: it takes precedence over all that was decided
//!   before it, whoever decided. What is decided otherwise after it opens the conflict again. A program that does not know
//!   the tag reads a decision with a tag.

mod adopt;
mod binding;
mod book;
mod changed;
mod claim;
pub mod codes;
mod copies;
mod decisions;
mod disk;
mod disputes;
mod entry;
mod history;
mod line;
mod live;
mod log;
mod others;

pub use adopt::{Adopted, Said};
pub use changed::{Changed, Now, changed_files};
pub use decisions::{Decisions, Review};
pub(crate) use disk::contents;
pub use disputes::{Conflict, Disagreement, Disputes, Side};
pub use entry::Entry;
pub use history::Told;

use crate::file_metadata::FileMetadata;
use crate::manifest::Manifest;
use crate::same_path::Marks as RowMarks;
use crate::{Error, Result};
use binding::Binding;
use book::Book;
use chaffinch_compute::job::Job;
use chaffinch_protocol::decision::{ADJUDICATED, Choice, Decision};
use chaffinch_protocol::sample::SampleId;
use copies::Copies;
use decisions::Marks;
use disk::{Disk, Storage};
use entry::{Key, What};
use jiff::{SignedDuration, Timestamp};
use log::Log;
use smallvec::SmallVec;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// The effect of a change.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// The samples it affects that are in the manifest.
    pub samples: Vec<SampleId>,
    /// The decision; after an undo or a redo, the first sample's current decision.
    pub decision: Option<Decision>,
    /// The entry in words: `remove`, `relabel to dog`, `clear`, `keep 1 and remove 3`, `tag …`, `note`.
    pub words: String,
    /// What kind of entry it is.
    pub change: Change,
    /// Whether all of it was there already: no entry was made.
    pub unchanged: bool,
}

/// Kinds of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The same decision on all samples.
    Decided,
    /// Decisions that differ between the samples.
    DecidedEach,
    /// Decisions were cleared.
    Cleared,
    /// Tags were added or removed, and perhaps a note written.
    Tagged,
    /// A note was written.
    Noted,
}

/// The decisions about one dataset: one reviewer's own, and those of others.
pub struct Journal {
    own: Book,
    others: Vec<Book>,
    /// What was ignored on reading, one sentence each.
    notes: Vec<String>,
    log: Log,
    manifest: Option<Arc<Manifest>>,
    file_metadata: Option<Arc<FileMetadata>>,
    binding: Binding,
    copies: Copies,
    /// For each sample the applied entries of `own`, in order.
    history: BTreeMap<u32, SmallVec<[u32; 4]>>,
    /// For each sample what others say, with their indices in `others`.
    said: BTreeMap<u32, Vec<(u16, Marks)>>,
    /// For each sample the entries of others about it, applied or undone: which of `others`, and its entry.
    told: BTreeMap<u32, Vec<(u16, u32)>>,
    /// Whether what others said is left out of everything that is shown.
    blind: bool,
    view: Decisions,
}

impl Journal {
    /// Reads all reviewers' files in `dir`. Nothing is written before the first decision.
    ///
    /// # Errors
    /// When the reviewer's own file cannot be read, or a line of it other than the last one is invalid.
    pub fn open(dir: &Path, reviewer: &str) -> Result<Journal> {
        Journal::open_for(dir, reviewer, &Job::unwatched())
    }

    /// The same for a job that may be stopped.
    ///
    /// # Errors
    /// Also when it is stopped.
    pub fn open_for(dir: &Path, reviewer: &str, job: &Job<'_>) -> Result<Journal> {
        let path = dir.join(book::file_name(reviewer)?);
        Journal::open_with(dir, reviewer, Box::new(Disk::new(path)), job)
    }

    fn open_with(dir: &Path, reviewer: &str, storage: Box<dyn Storage>, job: &Job<'_>) -> Result<Journal> {
        let name = book::file_name(reviewer)?;
        let own = Book::read(&dir.join(&name), reviewer, job)?;
        let (others, mut notes) = others::read(dir, &name, job)?;
        notes.extend(std::iter::once(&own).chain(&others).filter_map(|book| book.note.clone()));
        let reviewers = std::iter::once(&own).chain(&others).map(|book| book.reviewer.clone()).collect();
        Ok(Journal {
            log: Log::new(storage, &own),
            own,
            others,
            notes,
            manifest: None,
            file_metadata: None,
            binding: Binding::default(),
            copies: Copies::default(),
            history: BTreeMap::new(),
            said: BTreeMap::new(),
            told: BTreeMap::new(),
            blind: false,
            view: Decisions::new(reviewers),
        })
    }

    /// Finds the samples of all entries. Must be called again whenever the manifest or the file metadata changes.
    pub fn bind(&mut self, manifest: &Arc<Manifest>, file_metadata: Option<&Arc<FileMetadata>>) {
        let file_metadata = file_metadata.filter(|file_metadata| file_metadata.len() == manifest.len());
        let mut books: Vec<&mut Book> = std::iter::once(&mut self.own).chain(&mut self.others).collect();
        self.binding = Binding::new(&mut books, manifest, file_metadata.map(Arc::as_ref));
        self.manifest = Some(manifest.clone());
        self.file_metadata = file_metadata.cloned();
        self.copies = Copies::default();
        self.history.clear();
        for &index in &self.own.applied {
            for row in self.own.entries[index as usize].rows() {
                self.history.entry(row).or_default().push(index);
            }
        }
        self.index_others();
        self.show_all();
    }

    /// Leaves what other reviewers said out of everything that is shown, for a second review that nothing sways; or takes it
    /// in again. What is written is the same.
    pub fn set_blind(&mut self, blind: bool) {
        self.blind = blind;
        self.show_all();
    }

    /// Whether what other reviewers said is left out.
    pub fn is_blind(&self) -> bool {
        self.blind
    }

    /// Samples that others have decided, in manifest order, also while these decisions are left out.
    pub fn decided_by_others(&self) -> Vec<SampleId> {
        let decided =
            self.said.iter().filter(|(_, sides)| sides.iter().any(|(_, marks)| marks.decision().is_some()));
        decided.map(|(&row, _)| SampleId(row)).collect()
    }

    /// What others said about a row, unless that is left out.
    fn others_about(&self, row: u32) -> &[(u16, Marks)] {
        if self.blind { &[] } else { self.said.get(&row).map_or(&[], Vec::as_slice) }
    }

    fn show_all(&mut self) {
        self.view = Decisions::new(self.view.reviewers().to_vec());
        let rows: BTreeSet<u32> = self.history.keys().chain(self.said.keys()).copied().collect();
        for row in rows {
            self.show(row);
        }
    }

    /// Decides on several samples at once; `None` clears earlier decisions of this reviewer. The entry is on disk when
    /// this returns.
    ///
    /// # Errors
    /// When the journal is not bound, a sample does not exist, a new label is empty, or the entry could not be written;
    /// nothing changes in that case.
    pub fn decide(&mut self, samples: &[SampleId], decision: Option<Decision>) -> Result<Applied> {
        let what = match &decision {
            Some(Decision { choice: Choice::Relabel(label), .. }) if label.trim().is_empty() => {
                return Err(Error::Invalid("a relabel decision needs the new class".into()));
            }
            Some(Decision { choice, tags, note }) => {
                let choice = Some(Some(choice.clone()));
                What { choice, tags: tags.clone(), note: note.clone(), ..What::default() }
            }
            None => What { choice: Some(None), ..What::default() },
        };
        self.enter(samples, what, decision)
    }

    /// Keeps one sample and removes others, in one entry that is undone as a whole.
    ///
    /// # Errors
    /// As [`Journal::decide`], and when the sample to keep is among the others.
    pub fn keep_only(&mut self, keep: SampleId, remove: &[SampleId]) -> Result<Applied> {
        if remove.contains(&keep) {
            return Err(Error::Invalid(format!("sample {} cannot be both kept and removed", keep.0)));
        }
        let samples: Vec<SampleId> = std::iter::once(keep).chain(remove.iter().copied()).collect();
        let what = What { choice: Some(Some(Choice::Remove)), kept: vec![0], ..What::default() };
        self.enter(&samples, what, Some(Choice::Remove.into()))
    }

    /// Decides on samples, on each differently, in one entry that is undone as a whole. Of a sample named twice the first
    /// decision counts.
    ///
    /// # Errors
    /// As [`Journal::decide`], and when decisions have a note, or tags that are not the same for all, which belong to entries of
    /// their own.
    pub fn decide_each(&mut self, decisions: &[(SampleId, Decision)]) -> Result<Applied> {
        let mut seen = BTreeSet::new();
        let decisions: Vec<&(SampleId, Decision)> =
            decisions.iter().filter(|(id, _)| seen.insert(*id)).collect();
        for (_, Decision { choice, tags, note }) in &decisions {
            if matches!(choice, Choice::Relabel(label) if label.trim().is_empty()) {
                return Err(Error::Invalid("a relabel decision needs the new class".into()));
            }
            if decisions[0].1.tags != *tags || !note.is_empty() {
                return Err(Error::Invalid("decide first, then add tags or a note".into()));
            }
        }
        let samples: Vec<SampleId> = decisions.iter().map(|(id, _)| *id).collect();
        let each = decisions.iter().map(|(_, decision)| decision.choice.clone()).collect();
        let first = decisions.first().map(|(_, decision)| decision.clone());
        let tags = first.as_ref().map_or_else(Vec::new, |first| first.tags.clone());
        self.enter(&samples, What { each, tags, ..What::default() }, first)
    }

    /// Adds tags to samples without deciding; a note replaces the earlier one if it is not empty.
    ///
    /// # Errors
    /// As [`Journal::decide`], and when there are neither tags nor a note.
    pub fn tag(&mut self, samples: &[SampleId], tags: &[String], note: &str) -> Result<Applied> {
        if note.is_empty() && tags.iter().all(|tag| tag.trim().is_empty()) {
            return Err(Error::Invalid("enter a tag or a note".into()));
        }
        let tags = tags.iter().filter(|tag| !tag.trim().is_empty()).cloned().collect();
        self.enter(samples, What { tags, note: note.to_owned(), ..What::default() }, None)
    }

    /// Removes tags from samples. Tags of other reviewers can only be removed by them.
    ///
    /// # Errors
    /// As [`Journal::decide`], and when no sample has any of the tags from this reviewer.
    pub fn untag(&mut self, samples: &[SampleId], tags: &[String]) -> Result<Applied> {
        let own = |id: &SampleId| self.own_marks(id.0).has_any(tags);
        if !samples.iter().any(own) {
            let what = tags.join(", ");
            return Err(Error::Invalid(format!("you have not given any of these samples the tag '{what}'")));
        }
        self.enter(samples, What { untags: tags.to_vec(), ..What::default() }, None)
    }

    /// Removes the notes of this reviewer on samples.
    ///
    /// # Errors
    /// As [`Journal::decide`].
    pub fn remove_note(&mut self, samples: &[SampleId]) -> Result<Applied> {
        self.enter(samples, What { unnote: true, ..What::default() }, None)
    }

    fn enter(&mut self, samples: &[SampleId], what: What, decision: Option<Decision>) -> Result<Applied> {
        let unbound = || Error::Invalid("the dataset has not been read yet".into());
        let manifest = self.manifest.clone().ok_or_else(unbound)?;
        let mut seen = BTreeSet::new();
        let samples: Vec<SampleId> = samples.iter().copied().filter(|id| seen.insert(*id)).collect();
        if samples.is_empty() {
            return Err(Error::Invalid("no sample is selected".into()));
        }
        if let Some(id) = samples.iter().find(|id| id.index() >= manifest.len()) {
            return Err(Error::Invalid(format!(
                "there is no sample {}, the dataset has {}",
                id.0,
                manifest.len()
            )));
        }
        let rows = samples.iter().map(|id| id.0).collect();
        let at = self.time_of(&what, &samples);
        let what = Arc::new(what);
        let mut entry = Entry { seq: self.own.next_seq(), at, what, keys: SmallVec::new(), rows };
        let changed: Vec<SampleId> =
            samples.iter().copied().filter(|id| self.changes(&entry, id.0)).collect();
        if changed.is_empty() {
            // An entry that changes nothing would be undone by the next undo, which would then seem to do nothing.
            let (words, change) = (entry.words(), entry.change());
            let decision = self.decision(samples[0]).cloned();
            return Ok(Applied { samples, decision, words, change, unchanged: true });
        }
        // What is taken back is taken back where there is some of it.
        let samples = if entry.removes() { changed } else { samples };
        entry.rows = samples.iter().map(|id| id.0).collect();
        let known = self.file_metadata.as_deref();
        let mut rows = RowMarks::default();
        let keys: Vec<Key> = samples
            .iter()
            .map(|&id| {
                let (copied, twins) = self.copies.beside(id, known, &seen);
                self.binding.key(id, &manifest, known, (copied, &twins), rows.of(&manifest, id))
            })
            .collect();
        self.log.append(&line::of_entry(&entry, &keys, &self.own.reviewer), &self.own)?;
        let (words, change) = (entry.words(), entry.change());
        self.binding.written(&samples);
        let index = self.own.push(entry, keys);
        for id in &samples {
            self.history.entry(id.0).or_default().push(index);
            self.show(id.0);
        }
        Ok(Applied { samples, decision, words, change, unchanged: false })
    }

    /// When something is said: now, but what settles a conflict is after all that was decided, whatever the clocks of others say.
    fn time_of(&self, what: &What, samples: &[SampleId]) -> Timestamp {
        let now = now();
        if !what.tags.iter().any(|tag| tag == ADJUDICATED) {
            return now;
        }
        let said = samples.iter().filter_map(|id| self.said.get(&id.0)).flatten();
        let latest =
            said.map(|(_, marks)| marks.at).chain(samples.iter().map(|id| self.own_marks(id.0).at)).max();
        let after = latest.and_then(|at| at.checked_add(SignedDuration::from_millis(1)).ok());
        after.map_or(now, |after| after.max(now))
    }

    /// Whether an entry would change what this reviewer said about a row.
    fn changes(&self, entry: &Entry, row: u32) -> bool {
        let before = self.own_marks(row);
        let mut after = before.clone();
        after.add(entry, row);
        // The same again settles what was decided otherwise since.
        let settles = after.settles() && self.view.is_disputed(SampleId(row));
        settles || !after.says_what(&before)
    }

    /// Undoes the last entry of this reviewer; `None` if there is none.
    ///
    /// # Errors
    /// When it could not be written; nothing changes in that case.
    pub fn undo(&mut self) -> Result<Option<Applied>> {
        let Some(&index) = self.own.applied.last() else { return Ok(None) };
        let (seq, at, of) = (self.own.next_seq(), now(), self.own.entries[index as usize].seq);
        self.log.append(&line::of_undo(seq, at, of), &self.own)?;
        self.own.undo(seq, at, of);
        let rows = self.own.entries[index as usize].rows();
        for &row in &rows {
            if let Some(history) = self.history.get_mut(&row) {
                history.retain(|other| *other != index);
                if history.is_empty() {
                    self.history.remove(&row);
                }
            }
            self.show(row);
        }
        Ok(Some(self.applied(index, rows)))
    }

    /// Redoes what was last undone; `None` if there is nothing.
    ///
    /// # Errors
    /// When it could not be written; nothing changes in that case.
    pub fn redo(&mut self) -> Result<Option<Applied>> {
        let Some(&index) = self.own.undone.last() else { return Ok(None) };
        let (seq, at, of) = (self.own.next_seq(), now(), self.own.entries[index as usize].seq);
        self.log.append(&line::of_redo(seq, at, of), &self.own)?;
        self.own.redo(seq, at, of);
        let rows = self.own.entries[index as usize].rows();
        for &row in &rows {
            self.history.entry(row).or_default().push(index);
            self.show(row);
        }
        Ok(Some(self.applied(index, rows)))
    }

    fn applied(&self, index: u32, rows: Vec<u32>) -> Applied {
        let samples: Vec<SampleId> = rows.into_iter().map(SampleId).collect();
        let decision = samples.first().and_then(|&id| self.decision(id).cloned());
        let entry = &self.own.entries[index as usize];
        Applied { samples, decision, words: entry.words(), change: entry.change(), unchanged: false }
    }

    /// What this reviewer said about a row.
    fn own_marks(&self, row: u32) -> Marks {
        self.own_marks_as(row, 0)
    }

    /// The same as said by the reviewer with this index.
    fn own_marks_as(&self, row: u32, by: u16) -> Marks {
        let mut own = Marks::new(by);
        for &index in self.history.get(&row).map_or(&[][..], SmallVec::as_slice) {
            own.add(&self.own.entries[index as usize], row);
        }
        own
    }

    fn show(&mut self, row: u32) {
        let own = self.own_marks(row);
        let others = self.others_about(row);
        let mut all = own.clone();
        others.iter().for_each(|(_, marks)| all.join(marks));
        let sides: Vec<&Marks> = std::iter::once(&own).chain(others.iter().map(|(_, marks)| marks)).collect();
        all.settle(&sides);
        self.view.set(row, all);
    }

    /// The current state of a sample.
    pub fn decision(&self, id: SampleId) -> Option<&Decision> {
        self.view.get(id)
    }

    /// A cheap snapshot of all decisions, to be read elsewhere while new ones are made.
    pub fn snapshot(&self) -> Decisions {
        self.view.clone()
    }

    /// Whether this can be the name of a reviewer.
    ///
    /// # Errors
    /// When it is empty or too long for the name of a file.
    pub fn check_reviewer(name: &str) -> Result<()> {
        book::file_name(name).map(drop)
    }

    /// The name of a reviewer as the beginning of the names of their files.
    ///
    /// # Errors
    /// As [`Journal::check_reviewer`].
    pub fn stem(name: &str) -> Result<String> {
        book::stem(name)
    }

    /// All decisions.
    pub fn decisions(&self) -> &Decisions {
        &self.view
    }

    /// Samples with a decision.
    pub fn decided_count(&self) -> usize {
        self.view.decided()
    }

    /// Samples with a keep, remove, relabel or unsure decision, in this order.
    pub fn counts_by_choice(&self) -> [u64; 4] {
        self.view.by_choice()
    }

    /// Entries that can be undone.
    pub fn undoable(&self) -> usize {
        self.own.applied.len()
    }

    /// Entries that can be redone.
    pub fn redoable(&self) -> usize {
        self.own.undone.len()
    }

    /// This reviewer's entries, oldest first, including undone ones.
    pub fn entries(&self) -> &[Entry] {
        &self.own.entries
    }

    /// Samples of entries that are not (or no longer) in the manifest, each once.
    pub fn orphans(&self) -> usize {
        self.binding.orphans()
    }

    /// What was ignored on reading, one sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Sees to it that all of this reviewer's entries are on disk, where they are expected. What another program took away
    /// is written again.
    ///
    /// # Errors
    /// When they are not, and what is there cannot be completed.
    pub fn settle(&mut self) -> Result<()> {
        // Nothing is written before the first decision.
        if self.own.lines() == 0 { Ok(()) } else { self.log.settle(&self.own) }
    }

    /// What was repaired on disk since this was last asked, one sentence each.
    pub fn take_remarks(&mut self) -> Vec<String> {
        self.log.take_remarks()
    }

    /// What was decided, as in the detector contract.
    pub fn codes(&self) -> Vec<(SampleId, u8, u32)> {
        codes::codes(&self.view, self.manifest.as_deref())
    }
}

/// The time to the millisecond.
fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

#[cfg(test)]
mod kept_tests;
#[cfg(test)]
mod tests;
