//! Reviewers who decide at the same time, in one program: what is written to one journal is taken into the others, from
//! memory and in the order in which it was written.

use super::book::{self, Book};
use super::decisions::{Decisions, Marks};
use super::{Journal, SampleId};
use std::collections::BTreeMap;

impl Journal {
    /// The reviewer whose decisions are written.
    pub fn reviewer(&self) -> &str {
        &self.own.reviewer
    }

    /// Takes another reviewer's journal in as it is in this program, in place of what was read from the file, if anything.
    /// From then on [`Journal::hear`] keeps up with it. Both must be bound to the same manifest.
    pub fn meet(&mut self, other: &Journal) {
        let reviewer = &other.own.reviewer;
        let Ok(name) = book::file_name(reviewer) else { return };
        if *reviewer == self.own.reviewer {
            return;
        }
        let copy = other.own.read_only();
        match self.others.iter().position(|book| book.reviewer == *reviewer) {
            Some(place) => self.others[place] = copy,
            // Where it would be if it were read from its file.
            None => {
                let before = |book: &Book| book::file_name(&book.reviewer).is_ok_and(|other| other < name);
                let place = self.others.partition_point(before);
                self.others.insert(place, copy);
            }
        }
        let reviewers = std::iter::once(&self.own).chain(&self.others).map(|book| book.reviewer.clone());
        self.view = Decisions::new(reviewers.collect());
        self.index_others();
        self.show_all();
    }

    /// Takes in what a journal that was met has said since, which is about these samples.
    pub fn hear(&mut self, other: &Journal, samples: &[SampleId]) {
        let met = self.others.iter().position(|book| book.reviewer == other.own.reviewer);
        let Some((place, number)) = met.and_then(|place| Some((place, u16::try_from(place).ok()?))) else {
            return;
        };
        let first = self.others[place].entries.len();
        self.others[place].follow(&other.own);
        for (index, entry) in (0_u32..).zip(&self.others[place].entries).skip(first) {
            for row in entry.rows() {
                self.told.entry(row).or_default().push((number, index));
            }
        }
        for id in samples {
            let marks = other.history.contains_key(&id.0).then(|| other.own_marks_as(id.0, number + 1));
            self.say_of(id.0, number, marks);
            self.show(id.0);
        }
    }

    /// What another reviewer says about a row now; `None` if that is nothing.
    fn say_of(&mut self, row: u32, number: u16, marks: Option<Marks>) {
        let sides = self.said.entry(row).or_default();
        let place = sides.binary_search_by_key(&number, |(side, _)| *side);
        match (place, marks) {
            (Ok(place), Some(marks)) => sides[place].1 = marks,
            (Err(place), Some(marks)) => sides.insert(place, (number, marks)),
            (Ok(place), None) => drop(sides.remove(place)),
            (Err(_), None) => {}
        }
        if sides.is_empty() {
            self.said.remove(&row);
        }
    }

    /// Finds out for each sample what others say about it, from their entries.
    pub(super) fn index_others(&mut self) {
        self.said.clear();
        self.told.clear();
        for (number, book) in (0_u16..).zip(&self.others) {
            let mut rows: BTreeMap<u32, Marks> = BTreeMap::new();
            for &index in &book.applied {
                let entry = &book.entries[index as usize];
                for row in entry.rows() {
                    rows.entry(row).or_insert_with(|| Marks::new(number + 1)).add(entry, row);
                }
            }
            for (row, marks) in rows {
                self.said.entry(row).or_default().push((number, marks));
            }
            for (index, entry) in (0_u32..).zip(&book.entries) {
                for row in entry.rows() {
                    self.told.entry(row).or_default().push((number, index));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::journal::Journal;
    use crate::manifest::{Manifest, NewSample};
    use chaffinch_protocol::decision::Choice;
    use chaffinch_protocol::sample::{SampleId, Split};
    use std::path::Path;
    use std::sync::Arc;

    fn manifest(count: usize) -> Arc<Manifest> {
        let sample = |number: usize| NewSample {
            path: format!("{number}.png").into(),
            label: Some("cat".into()),
            split: Split::None,
        };
        Arc::new(Manifest::new("/data", (0..count).map(sample)))
    }

    fn opened(folder: &Path, reviewer: &str, manifest: &Arc<Manifest>) -> Journal {
        let mut journal = Journal::open(folder, reviewer).unwrap();
        journal.bind(manifest, None);
        journal
    }

    /// Everything that is shown about each sample.
    fn shown(journal: &Journal, count: usize) -> Vec<String> {
        let decisions = journal.decisions();
        let one = |row: usize| {
            let id = SampleId(row as u32);
            let (review, history) = (decisions.review(id), journal.history_of(id));
            format!("{review:?} {:?} {} {history:?}", decisions.notes(id), decisions.is_disputed(id))
        };
        let counts = (decisions.by_choice(), decisions.disputed(), decisions.reviewers());
        std::iter::once(format!("{counts:?}")).chain((0..count).map(one)).collect()
    }

    #[test]
    fn what_is_heard_is_what_is_read_from_the_files() {
        const COUNT: usize = 12;
        let temp = tempfile::tempdir().unwrap();
        let manifest = manifest(COUNT);
        let mut all = ["ben", "anna", "carl"].map(|name| opened(temp.path(), name, &manifest));
        // Carl has decided something before the others come.
        all[2].decide(&[SampleId(0)], Some(Choice::Keep.into())).unwrap();
        for (place, other) in [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)] {
            let [one, two] = all.get_disjoint_mut([place, other]).unwrap();
            one.meet(two);
        }
        let mut state = 7_u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for step in 0..400 {
            let who = random(3) as usize;
            let samples: Vec<SampleId> =
                (0..1 + random(3)).map(|_| SampleId(random(COUNT as u64) as u32)).collect();
            let choices = [Choice::Keep, Choice::Remove, Choice::Unsure, Choice::Relabel("dog".into())];
            let choice = choices[random(4) as usize].clone();
            let journal = &mut all[who];
            let applied = match random(8) {
                0 => journal.undo().unwrap(),
                1 => journal.redo().unwrap(),
                2 => Some(journal.tag(&samples, &["blur".into()], "a note").unwrap()),
                3 => Some(journal.decide(&samples, None).unwrap()),
                4 if samples.len() > 1 && !samples[1..].contains(&samples[0]) => {
                    Some(journal.keep_only(samples[0], &samples[1..]).unwrap())
                }
                _ => Some(journal.decide(&samples, Some(choice.into())).unwrap()),
            };
            for other in (0..3).filter(|other| *other != who) {
                let [said, hears] = all.get_disjoint_mut([who, other]).unwrap();
                hears.hear(said, applied.as_ref().map_or(&[], |applied| &applied.samples));
            }
            if step % 20 == 0 {
                for journal in &all {
                    let read = opened(temp.path(), journal.reviewer(), &manifest);
                    // Who has not written yet has no file.
                    let there = |journal: &Journal| shown(journal, COUNT)[1..].to_vec();
                    assert_eq!(there(journal), there(&read), "step {step}, {}", journal.reviewer());
                }
            }
        }
        for journal in &all {
            let read = opened(temp.path(), journal.reviewer(), &manifest);
            assert_eq!(shown(journal, COUNT), shown(&read, COUNT), "{}", journal.reviewer());
        }
    }

    #[test]
    fn while_others_are_left_out_they_are_heard_and_not_shown() {
        let temp = tempfile::tempdir().unwrap();
        let manifest = manifest(2);
        let mut anna = opened(temp.path(), "anna", &manifest);
        let mut ben = opened(temp.path(), "ben", &manifest);
        ben.meet(&anna);
        ben.set_blind(true);
        let applied = anna.decide(&[SampleId(0)], Some(Choice::Remove.into())).unwrap();
        ben.hear(&anna, &applied.samples);
        assert_eq!((ben.decision(SampleId(0)), ben.decided_count()), (None, 0));
        assert!(ben.history_of(SampleId(0)).is_empty());
        assert_eq!(ben.decided_by_others(), [SampleId(0)]);
        ben.set_blind(false);
        assert_eq!(ben.decision(SampleId(0)).map(|said| &said.choice), Some(&Choice::Remove));
    }
}
