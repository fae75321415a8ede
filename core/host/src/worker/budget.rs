//! What a run may ask of the engine, so that a worker that asks without end fills neither its memory nor its time. The limits
//! are far above what a detector needs; one that exceeds them is ended.

use super::message::Wanted;
use std::collections::{BTreeMap, BTreeSet};

/// Requests, and how many more for each sample.
const REQUESTS: (u64, u64) = (100_000, 100);
/// The most neighbors of each sample that may be asked for; more are refused, which costs nothing.
pub(super) const NEIGHBORS: usize = 10_000;
/// Different numbers of neighbors, each of which is a search of its own.
const SEARCHES: usize = 32;
/// Texts to embed, and how many more for each class. The engine keeps their vectors for the next detector.
const TEXTS: (u64, u64) = (100_000, 1000);
/// Bytes of answers that stay until the end of the run, and how many more for each sample; never more than half of what is
/// free, unless that is less than the first.
const ANSWERS: (u64, u64) = (1 << 30, 64 << 10);

/// Names under which bytes are kept for later runs, and all of these bytes.
const KEPT: (usize, usize) = (100, 512 << 20);
/// Parts of pictures, and how many more for each sample.
const BOXES: (u64, u64) = (1_000_000, 16);

/// What a run may ask for, and what it has asked for.
#[derive(Debug)]
pub(super) struct Budget {
    samples: u64,
    /// The limits.
    most: Counts,
    /// What was asked for so far.
    asked: Counts,
    searches: BTreeSet<usize>,
    answers: u64,
    kept: BTreeMap<String, usize>,
}

#[derive(Debug, Default)]
struct Counts {
    requests: u64,
    texts: u64,
    boxes: u64,
}

impl Budget {
    /// For a run on so many samples of so many classes, with so many bytes of free memory.
    pub(super) fn new(samples: usize, classes: usize, free: u64) -> Budget {
        let (samples, classes) = (samples as u64, classes as u64);
        let most = Counts {
            requests: REQUESTS.0 + REQUESTS.1 * samples,
            texts: TEXTS.0 + TEXTS.1 * classes,
            boxes: BOXES.0 + BOXES.1 * samples,
        };
        let answers = (ANSWERS.0 + ANSWERS.1 * samples).min((free / 2).max(ANSWERS.0));
        let (asked, searches, kept) = (Counts::default(), BTreeSet::new(), BTreeMap::new());
        Budget { samples, most, asked, searches, answers, kept }
    }

    /// Counts a request before it is answered; `kept` bytes of answers stay so far.
    ///
    /// # Errors
    /// When it is too much, as the predicate of a sentence.
    pub(super) fn ask(&mut self, wanted: &Wanted, kept: u64) -> Result<(), String> {
        let Budget { most, asked, .. } = self;
        asked.requests += 1;
        if asked.requests > most.requests {
            return Err(format!("made more than {} requests, the limit for this dataset,", most.requests));
        }
        match wanted {
            Wanted::EmbedTexts { texts } => {
                asked.texts += texts.len() as u64;
                if asked.texts > most.texts {
                    return Err(format!(
                        "asked for the embeddings of more than {} texts, the limit for this dataset,",
                        most.texts
                    ));
                }
            }
            Wanted::Neighbors { k } if *k <= NEIGHBORS && !self.searches.contains(k) => {
                if self.searches.len() >= SEARCHES {
                    return Err(format!(
                        "asked for more than {SEARCHES} different numbers of neighbors, the limit,"
                    ));
                }
                self.searches.insert(*k);
                // An index and a similarity of four bytes each; known before they are computed.
                self.holds(kept.saturating_add(8 * self.samples.saturating_mul(*k as u64)))?;
            }
            Wanted::Keep { name, bytes } => {
                self.kept.insert(name.clone(), bytes.length);
                if self.kept.len() > KEPT.0 {
                    return Err(format!("keeps bytes under more than {} names, the limit,", KEPT.0));
                }
                if self.kept.values().fold(0, |sum: usize, &bytes| sum.saturating_add(bytes)) > KEPT.1 {
                    return Err(format!("keeps more than {} MiB, the limit,", KEPT.1 >> 20));
                }
            }
            _ => {}
        }
        self.holds(kept)
    }

    /// Counts parts of pictures.
    ///
    /// # Errors
    /// When they are too many, as the predicate of a sentence.
    pub(super) fn boxes(&mut self, boxes: usize) -> Result<(), String> {
        self.asked.boxes += boxes as u64;
        match self.asked.boxes <= self.most.boxes {
            true => Ok(()),
            false => {
                Err(format!("gave more than {} regions in all, the limit for this dataset,", self.most.boxes))
            }
        }
    }

    /// Whether this many bytes of answers may stay.
    ///
    /// # Errors
    /// When they are too many, as the predicate of a sentence.
    pub(super) fn holds(&self, bytes: u64) -> Result<(), String> {
        if bytes <= self.answers {
            return Ok(());
        }
        let limit = self.answers >> 20;
        Err(format!("asked for more than {limit} MiB of arrays, the limit for this dataset and memory,"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::message::Out;

    #[test]
    fn what_is_asked_for_again_and_again_ends() {
        let free = 64 << 30;
        let mut budget = Budget::new(10, 2, free);
        let ends = |budget: &mut Budget, wanted: &dyn Fn(usize) -> Wanted| {
            (0..10_000_000).find_map(|number| Some((number, budget.ask(&wanted(number), 0).err()?)))
        };
        let (asked, why) = ends(&mut budget, &|k| Wanted::Neighbors { k }).unwrap();
        assert_eq!((asked, why.contains("32 different numbers of neighbors")), (SEARCHES, true), "{why}");
        // The same number again is no other search, and what is refused is none.
        budget.ask(&Wanted::Neighbors { k: NEIGHBORS + 1 }, 0).unwrap();
        budget.ask(&Wanted::Neighbors { k: 7 }, 0).unwrap();
        let texts = |_| Wanted::EmbedTexts { texts: vec![String::new(); 1000] };
        let (asked, why) = ends(&mut budget, &texts).unwrap();
        assert_eq!((asked, why.contains("more than 102000 texts")), (102, true), "{why}");
        let (asked, why) = ends(&mut Budget::new(10, 2, free), &|_| Wanted::Model).unwrap();
        assert_eq!((asked, why.contains("more than 101000 requests")), (101_000, true), "{why}");
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let keep = |name: usize, length: usize| Wanted::Keep {
            name: format!("name-{name}"),
            bytes: Out { offset: 0, length },
        };
        let mut budget = Budget::new(10, 2, 0);
        // The same name again takes the place of what it had.
        (0..100).for_each(|_| budget.ask(&keep(0, 60 << 20), 0).unwrap());
        assert!(
            (1..20).find_map(|name| budget.ask(&keep(name, 60 << 20), 0).err()).unwrap().contains("512 MiB")
        );
        assert!(Budget::new(10, 2, 0).ask(&keep(0, usize::MAX), 0).is_err());
        let mut budget = Budget::new(10, 2, 0);
        let why = (0..200).find_map(|name| Some((name, budget.ask(&keep(name, 1), 0).err()?))).unwrap();
        assert_eq!((why.0, why.1.contains("100 names")), (100, true), "{why:?}");
        budget.boxes(1_000_160).unwrap();
        assert!(budget.boxes(1).unwrap_err().contains("1000160 regions"));
    }

    #[test]
    fn answers_are_counted_before_they_are_computed() {
        let mut budget = Budget::new(1_000_000, 2, 1 << 40);
        budget.ask(&Wanted::Neighbors { k: 1000 }, 0).unwrap();
        let why = budget.ask(&Wanted::Neighbors { k: 10_000 }, 0).unwrap_err();
        assert!(why.contains("MiB of arrays"), "{why}");
        assert!(budget.ask(&Wanted::Model, 1 << 40).is_err());
        budget.ask(&Wanted::Model, 1 << 30).unwrap();
        let mut little = Budget::new(1_000_000, 2, 8 << 30);
        little.ask(&Wanted::Neighbors { k: 500 }, 0).unwrap();
        assert!(little.ask(&Wanted::Neighbors { k: 1000 }, 0).is_err(), "more than half of what is free");
        Budget::new(10, 2, 0).ask(&Wanted::Neighbors { k: 1000 }, 0).unwrap();
    }
}
