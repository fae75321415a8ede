use super::*;
use crate::query::{Source, select};
use crate::ranking::{self, Ranking, Results};
use chaffinch_data::columns::ResultBuilder;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::issue::RunRecord;
use chaffinch_data::journal::Journal;
use chaffinch_data::manifest::{Manifest, NewSample};
use chaffinch_protocol::sample::Split;
use chaffinch_protocol::{EnsembleRule, Query, Sort};
use std::sync::Arc;
use tempfile::TempDir;

const COUNT: usize = 400;
/// Samples that each detector flags: those of `honest` first, then those of `liar`, then those of both.
const EACH: usize = 90;

/// A dataset in which the samples of `honest` are bad, and those of `liar` are fine; in any order of its files.
struct World {
    manifest: Arc<Manifest>,
    file_metadata: FileMetadata,
    results: Results,
    thresholds: BTreeMap<String, f32>,
    ranking: Ranking,
    folder: TempDir,
    /// The row of each sample.
    rows: Vec<u32>,
}

impl World {
    fn new(order: impl Iterator<Item = usize>) -> World {
        let order: Vec<usize> = order.collect();
        let sample = |&number: &usize| NewSample {
            path: format!("{number:04}.png").into(),
            label: Some(format!("class-{}", number % 3)),
            split: Split::None,
        };
        let manifest = Arc::new(Manifest::new("/data", order.iter().map(sample)));
        let hashes: Vec<ContentHash> = order.iter().map(|n| ContentHash::of(&n.to_le_bytes())).collect();
        let file_metadata = FileMetadata { hashes: hashes.into(), ..FileMetadata::default() };
        let result = |name: &str, flags: &dyn Fn(usize) -> bool| {
            let score = |&number: &usize| {
                let shade = (number * 37 % 101) as f32 / 300.0;
                if flags(number) { 0.05 + shade } else { 0.6 + shade }
            };
            let record = RunRecord { name: name.into(), threshold: 0.5, ..RunRecord::default() };
            let mut builder = ResultBuilder::new(COUNT);
            builder.scores(&order.iter().map(score).collect::<Vec<f32>>());
            (name.to_owned(), Arc::new(builder.finish(record, manifest.classes())))
        };
        let results: Results = [
            result("honest", &|number| number < EACH || (2 * EACH..2 * EACH + 20).contains(&number)),
            result("liar", &|number| (EACH..2 * EACH + 20).contains(&number)),
        ]
        .into();
        let thresholds = BTreeMap::new();
        let places = manifest.places();
        let ranking = ranking::rank_reviewed(&results, &thresholds, &EnsembleRule::Or, COUNT, &[], &places);
        let mut rows = vec![0; COUNT];
        (0..).zip(&order).for_each(|(row, &number)| rows[number] = row);
        let folder = tempfile::tempdir().unwrap();
        World { manifest, file_metadata, results, thresholds, ranking, folder, rows }
    }

    fn evidence(&self) -> Evidence<'_> {
        let World { manifest, file_metadata, results, thresholds, ranking, .. } = self;
        Evidence { manifest, file_metadata, results, thresholds, ranking }
    }

    fn journal(&self, reviewer: &str) -> Journal {
        let mut journal = Journal::open(self.folder.path(), reviewer).unwrap();
        journal.bind(&self.manifest, None);
        journal
    }

    /// Decides about samples.
    fn decide(&self, reviewer: &str, samples: impl Iterator<Item = usize>, is_bad: impl Fn(usize) -> bool) {
        let mut journal = self.journal(reviewer);
        let (bad, kept): (Vec<usize>, Vec<usize>) = samples.partition(|number| is_bad(*number));
        for (numbers, choice) in [(bad, Choice::Remove), (kept, Choice::Keep)] {
            let ids: Vec<SampleId> = numbers.iter().map(|&number| SampleId(self.rows[number])).collect();
            if !ids.is_empty() {
                journal.decide(&ids, Some(choice.into())).unwrap();
            }
        }
    }

    fn learned(&self, reviewer: &str) -> Learned {
        self.learned_from(self.journal(reviewer).decisions())
    }

    fn learned_from(&self, decisions: &Decisions) -> Learned {
        Learned::of(self.evidence(), decisions, &|| false).unwrap()
    }

    /// All samples in a learned order, or as they are ranked.
    fn sorted(&self, learned: Option<&Learned>) -> Vec<u32> {
        let source = Source {
            manifest: &self.manifest,
            file_metadata: &self.file_metadata,
            results: &self.results,
            previous: &BTreeMap::new(),
            thresholds: &self.thresholds,
            ranking: &self.ranking,
            decisions: &Decisions::default(),
            atlas: None,
            direction: None,
            learned,
        };
        let sort = if learned.is_some() { Sort::Learned(1) } else { Sort::Rank };
        select(&source, &Query { all: true, sort, ..Query::default() }).unwrap()
    }
}

/// Whether `honest` flags a sample.
fn honest(number: usize) -> bool {
    number < EACH || (2 * EACH..2 * EACH + 20).contains(&number)
}

/// Every third sample that a detector flags.
fn third() -> impl Iterator<Item = usize> {
    (0..2 * EACH + 20).step_by(3)
}

#[test]
fn without_decisions_it_is_the_rank() {
    let world = World::new(0..COUNT);
    let nothing = world.learned_from(&Decisions::default());
    assert_eq!(world.sorted(Some(&nothing)), world.sorted(None));
    assert!(!nothing.is_better() && nothing.note().starts_with("not yet: 0 decisions; needs 30"));
    // One decision does not turn the list over.
    world.decide("anna", [5].into_iter(), |_| false);
    let (one, ranked) = (world.sorted(Some(&world.learned("anna"))), world.sorted(None));
    let far = |(place, row): (usize, &u32)| {
        let now = one.iter().position(|other| other == row).unwrap();
        place.abs_diff(now)
    };
    let farthest = ranked.iter().enumerate().map(far).max().unwrap();
    assert!(farthest < COUNT / 8, "{farthest}");
}

#[test]
fn what_decisions_contradict_counts_less() {
    let world = World::new(0..COUNT);
    let bad_ones = |order: &[u32]| order[..EACH].iter().filter(|&&row| honest(row as usize)).count();
    assert!(bad_ones(&world.sorted(None)) < 70, "the rank takes both for the same");
    world.decide("anna", third(), honest);
    let learned = world.learned("anna");
    assert!(learned.is_better(), "{}", learned.note());
    assert_eq!(bad_ones(&world.sorted(Some(&learned))), EACH);
    let note = learned.note();
    let weight = |name: &str| -> f64 {
        let rest = &note[note.find(&format!("{name} ×")).unwrap() + name.len() + " ×".len()..];
        rest.split(',').next().unwrap().trim().parse().unwrap()
    };
    assert!(note.starts_with("learned from 67 decisions: weighs "), "{note}");
    assert!(weight("honest") > 1.1 && weight("liar") < 0.9, "{note}");
    let moved = |number: u32| learned.moved(world.evidence(), SampleId(number));
    assert!(moved(1).starts_with("moved up: honest"), "{}", moved(1));
    assert!(moved(EACH as u32 + 1).starts_with("moved down: liar"), "{}", moved(EACH as u32 + 1));
}

#[test]
fn neither_the_order_of_files_nor_threads_change_a_byte() {
    let (plain, turned) = (World::new(0..COUNT), World::new((0..COUNT).rev()));
    let scores = |world: &World| -> Vec<u32> {
        world.decide("anna", third(), honest);
        let learned = world.learned("anna");
        let scores = learned.scores(world.evidence(), &world.rows);
        world.rows.iter().map(|&row| scores(row).to_bits()).collect()
    };
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let expected = scores(&plain);
    assert_eq!(scores(&turned), expected);
    assert_eq!(one.install(|| scores(&World::new((0..COUNT).rev()))), expected);
    assert_eq!(plain.learned("anna").note(), turned.learned("anna").note());
}

#[test]
fn few_decisions_are_not_enough() {
    let world = World::new(0..COUNT);
    world.decide("anna", third().take(12), |number| number % 2 == 0);
    let note = world.learned("anna").note();
    assert_eq!(
        note,
        "not yet: 12 decisions; needs 30, 8 of them kept (6 now) and 8 removed or relabeled (6 now)"
    );
    world.decide("anna", third(), |_| true);
    let learned = world.learned("anna");
    assert!(
        !learned.is_better() && learned.note().ends_with("kept (0 now) and 8 removed or relabeled (67 now)"),
        "{}",
        learned.note()
    );
}

#[test]
fn what_the_rank_knows_already_is_not_offered() {
    let world = World::new(0..COUNT);
    let ranked = world.sorted(None);
    let first: Vec<usize> = ranked[..COUNT / 8].iter().map(|&row| row as usize).collect();
    world.decide("anna", (0..COUNT).step_by(4), |number| first.contains(&number));
    let learned = world.learned("anna");
    assert!(!learned.is_better(), "{}", learned.note());
    assert!(
        learned.note().starts_with("not yet: 100 decisions; it puts a bad sample before"),
        "{}",
        learned.note()
    );
}

#[test]
fn chance_is_not_offered() {
    let offered = (0..20_usize).filter(|seed| {
        let world = World::new(0..COUNT);
        let coin = |number: usize| ContentHash::of(&[*seed as u8, number as u8]).0[0].is_multiple_of(2);
        world.decide("anna", third(), coin);
        world.learned("anna").is_better()
    });
    let offered = offered.count();
    assert!(offered <= 3, "{offered} of 20");
}

#[test]
fn a_blind_review_learns_from_its_own_decisions() {
    let world = World::new(0..COUNT);
    world.decide("ben", third(), honest);
    world.decide("anna", [300, 301].into_iter(), |_| false);
    let mut journal = world.journal("anna");
    assert!(world.learned_from(journal.decisions()).is_better());
    journal.set_blind(true);
    let blind = world.learned_from(journal.decisions());
    assert_eq!(blind.decisions(), 2);
    assert!(!blind.is_better() && !blind.note().contains("honest"), "{}", blind.note());
}

#[test]
fn it_can_be_stopped_and_needs_no_detector() {
    let world = World::new(0..COUNT);
    world.decide("anna", third(), honest);
    let journal = world.journal("anna");
    let stopped = Learned::of(world.evidence(), journal.decisions(), &|| true);
    assert!(matches!(stopped, Err(crate::Error::Stopped)));
    let bare = World { results: Results::new(), ..world };
    let learned = bare.learned_from(journal.decisions());
    assert_eq!(learned.decisions(), 67);
    assert_eq!(learned.moved(bare.evidence(), SampleId(COUNT as u32)), "");
}
