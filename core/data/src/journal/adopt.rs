//! What was said about samples elsewhere, written into the journal of the reviewer who said it.

use super::entry::{Entry, Key, What};
use super::{Journal, line, now};
use crate::same_path::Marks as RowMarks;
use crate::{Error, Result};
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use smallvec::{SmallVec, smallvec};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a reviewer said about a sample elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// The decision, if there is one.
    pub choice: Option<Choice>,
    /// Tags.
    pub tags: Vec<String>,
    /// The note; empty if there is none.
    pub note: String,
    /// When it was said, ISO 8601; now, if it is empty or no time.
    pub at: String,
}

impl Said {
    /// Whether it is unknown when it was said, although there is a time.
    pub fn is_undated(&self) -> bool {
        !self.at.trim().is_empty() && time(&self.at).is_none()
    }

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.choice.is_none() && self.tags.is_empty() && self.note.is_empty()
    }
}

/// What became of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Adopted {
    /// Samples about which something was added.
    pub added: u64,
    /// Samples about which all of it was there already.
    pub known: u64,
    /// Samples about which the journal already says something else, which stays.
    pub differing: Vec<SampleId>,
}

impl Journal {
    /// What the reviewer of this journal says now of the samples that it is bound to, in their order, for
    /// [`Journal::adopt`] in another session.
    pub fn said(&self) -> Vec<(SampleId, Said)> {
        let about = |(&row, entries): (&u32, &SmallVec<[u32; 4]>)| {
            let marks = self.own_marks(row);
            let decided = marks.decision().map(|decision| decision.choice.clone());
            let last = entries.last().map(|&index| self.own.entries[index as usize].at);
            let at = if decided.is_some() { Some(marks.at) } else { last };
            let said = Said {
                choice: decided,
                tags: marks.said().tags.clone(),
                note: marks.said().note.clone(),
                at: at.map(|at| at.to_string()).unwrap_or_default(),
            };
            (!said.is_empty()).then_some((SampleId(row), said))
        };
        self.history.iter().filter_map(about).collect()
    }

    /// Adds what the reviewer of this journal said elsewhere. What the journal says already stays: a decision or a note
    /// that differs is not replaced, and tags are only added. Adopting the same twice adds nothing. All entries are on
    /// disk when this returns, with the times at which they were made.
    ///
    /// # Errors
    /// When the journal is not bound, a sample does not exist, a new label is empty, or the entries could not be written;
    /// nothing changes in that case.
    pub fn adopt(&mut self, said: &[(SampleId, Said)]) -> Result<Adopted> {
        let unbound = || Error::Invalid("the dataset has not been read yet".into());
        let manifest = self.manifest.clone().ok_or_else(unbound)?;
        let known = self.file_metadata.clone();
        let mut adopted = Adopted::default();
        let mut entries: Vec<(Entry, Key)> = Vec::new();
        let mut marks_of_rows = RowMarks::default();
        // What is said about a sample twice in the same file is there already the second time.
        let mut pending: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (id, said) in said {
            if id.index() >= manifest.len() {
                let (id, count) = (id.0, manifest.len());
                return Err(Error::Invalid(format!("there is no sample {id}, the dataset has {count}")));
            }
            if matches!(&said.choice, Some(Choice::Relabel(label)) if label.trim().is_empty()) {
                return Err(Error::Invalid("a relabel decision needs the new class".into()));
            }
            let mut marks = self.own_marks(id.0);
            for &index in pending.get(&id.0).map_or(&[][..], Vec::as_slice) {
                marks.add(&entries[index].0, id.0);
            }
            let at = time(&said.at);
            let took_back = |tag: &str| self.took_back(*id, tag, at);
            let (tags, note) = (self.view.tags(*id), self.view.note(*id));
            let (what, differs) = marks.lacks(said, at, tags, note, took_back);
            if differs {
                adopted.differing.push(*id);
            }
            if what == What::default() {
                adopted.known += u64::from(!differs);
                continue;
            }
            adopted.added += 1;
            let metadata = known.as_deref();
            let only = [*id].into();
            let (copied, twins) = self.copies.beside(*id, metadata, &only);
            let row = marks_of_rows.of(&manifest, *id);
            let key = self.binding.key(*id, &manifest, metadata, (copied, &twins), row);
            let seq = self.own.next_seq() + entries.len() as u64;
            pending.entry(id.0).or_default().push(entries.len());
            let at = at.unwrap_or_else(now);
            let what = Arc::new(what);
            entries.push((Entry { seq, at, what, keys: SmallVec::new(), rows: smallvec![id.0] }, key));
        }
        if entries.is_empty() {
            return Ok(adopted);
        }
        let lines: Vec<String> =
            entries.iter().map(|(entry, key)| line::of_entry(entry, [key], &self.own.reviewer)).collect();
        self.log.append(&lines.join("\n"), &self.own)?;
        for (entry, key) in entries {
            let id = SampleId(entry.rows[0]);
            self.binding.written(&[id]);
            let index = self.own.push(entry, vec![key]);
            self.history.entry(id.0).or_default().push(index);
            self.show(id.0);
        }
        Ok(adopted)
    }
}

impl Journal {
    /// Whether the reviewer of this journal removed a tag at this time or later.
    fn took_back(&self, id: SampleId, tag: &str, at: Option<Timestamp>) -> bool {
        let entries = self.history.get(&id.0).map_or(&[][..], SmallVec::as_slice);
        let later = entries.iter().map(|&index| &self.own.entries[index as usize]);
        later
            .filter(|entry| Some(entry.at) >= at)
            .any(|entry| entry.what.untags.iter().any(|other| other == tag))
    }
}

/// A time as programs write it: ISO 8601 with or without a time zone, which is UTC then, or a date. `None` if it is none of
/// these.
fn time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let in_utc = |time: DateTime| time.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse::<Timestamp>()
        .ok()
        .or_else(|| text.parse::<DateTime>().ok().and_then(in_utc))
        .or_else(|| text.parse::<civil::Date>().ok().and_then(|date| in_utc(date.at(0, 0, 0, 0))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_metadata::FileMetadata;
    use crate::manifest::{Manifest, NewSample};
    use chaffinch_compute::content::ContentHash;
    use chaffinch_protocol::decision::ADJUDICATED;
    use chaffinch_protocol::sample::Split;
    use std::fs;
    use std::path::Path;
    use std::sync::Arc;

    fn open(dir: &Path, reviewer: &str) -> Journal {
        let sample = |n: u8| NewSample { path: format!("{n}.png").into(), label: None, split: Split::None };
        let hashes = (0..3_u8).map(|n| ContentHash::of(&[n])).collect();
        let manifest = Arc::new(Manifest::new("/data", (0..3).map(sample)));
        let mut journal = Journal::open(dir, reviewer).unwrap();
        journal.bind(&manifest, Some(&Arc::new(FileMetadata { hashes, ..FileMetadata::default() })));
        journal
    }

    fn said(choice: Option<Choice>, tags: &[&str], note: &str, at: &str) -> Said {
        let tags = tags.iter().map(|&tag| tag.to_owned()).collect();
        Said { choice, tags, note: note.into(), at: at.into() }
    }

    #[test]
    fn what_was_said_elsewhere_is_added_once_with_its_time() {
        let temp = tempfile::tempdir().unwrap();
        let all = [
            (
                SampleId(0),
                said(Some(Choice::Remove), &["duplicate_exact"], "twice", "2026-01-02T03:04:05.6Z"),
            ),
            (SampleId(1), said(Some(Choice::Relabel("dog".into())), &[], "", "2025-01-15T10:30:00")),
            (SampleId(2), said(None, &["ambiguous_class"], "", "")),
        ];
        let adopted = open(temp.path(), "anna").adopt(&all).unwrap();
        assert_eq!(adopted, Adopted { added: 3, ..Adopted::default() });
        let file = temp.path().join("anna.jsonl");
        let bytes = fs::read(&file).unwrap();
        let mut again = open(temp.path(), "anna");
        assert_eq!(again.adopt(&all).unwrap(), Adopted { known: 3, ..Adopted::default() });
        assert_eq!(fs::read(&file).unwrap(), bytes, "the second time changes nothing");
        let review = again.decisions().review(SampleId(0)).unwrap();
        assert_eq!((review.reviewer, review.at().as_str()), ("anna", "2026-01-02T03:04:05.6Z"));
        assert_eq!((review.tags, review.note), (&["duplicate_exact".to_owned()][..], "twice"));
        assert_eq!(again.decisions().review(SampleId(1)).unwrap().at(), "2025-01-15T10:30:00Z");
        assert_eq!(again.decision(SampleId(2)), None);
    }

    #[test]
    fn what_the_journal_says_stays() {
        let temp = tempfile::tempdir().unwrap();
        let mut anna = open(temp.path(), "anna");
        anna.decide(&[SampleId(0)], Some(Choice::Keep.into())).unwrap();
        anna.tag(&[SampleId(1)], &["crop".into()], "mine").unwrap();
        let all = [
            (SampleId(0), said(Some(Choice::Remove), &["x"], "", "")),
            (SampleId(1), said(Some(Choice::Unsure), &["crop"], "theirs", "")),
        ];
        let adopted = anna.adopt(&all).unwrap();
        assert_eq!((adopted.added, adopted.differing), (2, vec![SampleId(0), SampleId(1)]));
        let kept = anna.decision(SampleId(0)).unwrap();
        assert_eq!((&kept.choice, &kept.tags), (&Choice::Keep, &vec!["x".to_owned()]));
        let review = anna.decisions().review(SampleId(1)).unwrap();
        assert_eq!(review.decision.map(|decision| &decision.choice), Some(&Choice::Unsure));
        assert_eq!((review.tags, review.note), (&["crop".to_owned()][..], "mine"));
        // Another reviewer's journal says it beside.
        let mut bob = open(temp.path(), "bob");
        assert_eq!(bob.adopt(&all[..1]).unwrap().added, 1);
        assert_eq!(bob.conflicts().len(), 1);
        assert!(bob.adopt(&[(SampleId(9), Said::default())]).is_err());
    }

    #[test]
    fn what_settles_a_conflict_comes_whole_and_what_was_taken_back_does_not_return() {
        let temp = tempfile::tempdir().unwrap();
        let mut anna = open(temp.path(), "anna");
        anna.decide(&[SampleId(0)], Some(Choice::Keep.into())).unwrap();
        anna.decide(&[SampleId(1)], Some(Choice::Keep.into())).unwrap();
        anna.tag(&[SampleId(2)], &["crop".into()], "").unwrap();
        anna.untag(&[SampleId(2)], &["crop".into()]).unwrap();
        let dog = Choice::Relabel("dog".into());
        let (later, before) = ("2200-01-01T00:00:00Z", "2001-01-01T00:00:00Z");
        let all = [
            (SampleId(0), said(Some(dog.clone()), &[ADJUDICATED], "", later)),
            (SampleId(1), said(Some(dog.clone()), &[ADJUDICATED], "", before)),
            (SampleId(2), said(None, &["crop"], "", before)),
        ];
        let adopted = anna.adopt(&all).unwrap();
        assert_eq!((adopted.added, adopted.differing), (1, vec![SampleId(1)]));
        let settled = anna.decision(SampleId(0)).unwrap();
        assert_eq!((&settled.choice, &settled.tags[..]), (&dog, &[ADJUDICATED.to_owned()][..]));
        let kept = anna.decision(SampleId(1)).unwrap();
        assert_eq!((&kept.choice, kept.tags.len()), (&Choice::Keep, 0), "no half of it");
        assert!(anna.decisions().tags(SampleId(2)).is_empty());
        assert_eq!(anna.adopt(&all).unwrap().added, 0, "the second time changes nothing");
    }
}
