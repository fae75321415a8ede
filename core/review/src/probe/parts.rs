//! What probes are trained on and asked about: a split that is trusted, or parts that take turns.

use crate::Result;
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::out_of_sample;
use chaffinch_data::Error;
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::manifest::{Manifest, NO_LABEL};
use chaffinch_protocol::sample::{SampleId, Split};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Where the samples are whose labels are trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trusted {
    /// In a split, on which no probe is trained.
    Split(Split),
    /// There is none: each fifth of the samples is asked about by a probe that was trained on the others, against the labels as
    /// decided.
    Folds,
}

impl Trusted {
    /// The split `test` if it has labels, else the split `val`, else none.
    pub fn of(manifest: &Manifest) -> Trusted {
        let has = |split: Split| {
            manifest.ids().any(|id| manifest.split(id) == split && manifest.labels()[id.index()] != NO_LABEL)
        };
        let others = |split: Split| manifest.ids().any(|id| manifest.split(id) != split);
        let found = [Split::Test, Split::Validation].into_iter().find(|&split| has(split) && others(split));
        found.map_or(Trusted::Folds, Trusted::Split)
    }
}

/// The contents of samples, where those of one group of any detector that finds copies have one content, the least of theirs: copies
/// that were saved again, mirrored or cropped are not samples of their own. Groups that share a sample are one.
pub fn merged<'a>(
    contents: &[ContentHash],
    results: impl Iterator<Item = &'a DetectorResult>,
) -> Vec<ContentHash> {
    let mut parent: Vec<u32> = (0..contents.len() as u32).collect();
    for result in results.filter(|result| result.record().groups && result.len() == contents.len()) {
        let mut first: HashMap<u32, u32> = HashMap::new();
        for &(group, row) in result.grouped() {
            let one = *first.entry(group).or_insert(row);
            let (a, b) = (root(&mut parent, one), root(&mut parent, row));
            let (a, b) = if contents[a as usize] <= contents[b as usize] { (a, b) } else { (b, a) };
            parent[b as usize] = a;
        }
    }
    (0..contents.len() as u32).map(|row| contents[root(&mut parent, row) as usize]).collect()
}

/// The sample that stands for the group of another, whose way there is shortened.
fn root(parent: &mut [u32], mut row: u32) -> u32 {
    while parent[row as usize] != row {
        let above = parent[parent[row as usize] as usize];
        parent[row as usize] = above;
        row = above;
    }
    row
}

/// One probe's share of the samples.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// Whether it is trained on a sample, if that has a label.
    pub(super) trains: Vec<bool>,
    /// The trusted samples that it is asked about.
    pub(super) asks: Vec<u32>,
}

/// Which samples probes are trained on, and which they are asked about.
#[derive(Debug, Clone)]
pub struct Parts {
    parts: Vec<Part>,
    truth: Vec<u32>,
    classes: usize,
    /// Samples that are not trained on since a trusted one is a copy of them.
    pub copies: usize,
}

impl Parts {
    /// `truth` are the labels as decided, [`NO_LABEL`] for samples without one or that are to be removed; `contents` are as [`merged`]
    /// makes them.
    ///
    /// # Errors
    /// When no sample is trusted, or none is left to train on.
    pub fn new(
        manifest: &Manifest,
        (file_metadata, contents): (&FileMetadata, &[ContentHash]),
        truth: Vec<u32>,
        trusted: Trusted,
    ) -> Result<Parts> {
        let classes = manifest.classes().len();
        let usable = |row: usize| file_metadata.decodable(SampleId(row as u32));
        let known = |row: &usize| usable(*row) && (truth[*row] as usize) < classes;
        let count = manifest.len();
        let mut copies = 0;
        let parts = match trusted {
            Trusted::Split(split) => {
                let of = |row: usize| manifest.split(SampleId(row as u32));
                let asks: Vec<u32> =
                    (0..count).filter(|&row| of(row) == split).filter(known).map(|row| row as u32).collect();
                let inside: HashSet<_> =
                    (0..count).filter(|&row| of(row) == split).map(|row| contents[row]).collect();
                // Of several other splits, the one for training is trained on.
                let train = (0..count).any(|row| of(row) == Split::Train) && split != Split::Train;
                let wanted = |row: usize| if train { of(row) == Split::Train } else { of(row) != split };
                let mut trains = vec![false; count];
                for (row, trains) in
                    trains.iter_mut().enumerate().filter(|(row, _)| usable(*row) && wanted(*row))
                {
                    *trains = !inside.contains(&contents[row]);
                    copies += usize::from(!*trains);
                }
                vec![Part { trains, asks }]
            }
            Trusted::Folds => {
                let folds = out_of_sample::folds(&truth, classes, contents, &usable);
                let all: BTreeSet<u32> = folds.iter().copied().filter(|&fold| fold != u32::MAX).collect();
                let part = |fold: u32| Part {
                    trains: folds.iter().enumerate().map(|(row, &of)| of != fold && usable(row)).collect(),
                    asks: (0..count)
                        .filter(|&row| folds[row] == fold)
                        .filter(known)
                        .map(|row| row as u32)
                        .collect(),
                };
                all.into_iter().map(part).collect()
            }
        };
        if parts.iter().all(|part| part.asks.is_empty()) {
            return Err(Error::Invalid("no sample that a probe could be asked about has a label".into()));
        }
        if parts.iter().any(|part| !part.trains.contains(&true)) {
            return Err(Error::Invalid("no sample outside the trusted split is left to train on".into()));
        }
        Ok(Parts { parts, truth, classes, copies })
    }

    pub(super) fn all(&self) -> &[Part] {
        &self.parts
    }

    pub(super) fn classes(&self) -> usize {
        self.classes
    }

    pub(super) fn truth(&self, sample: u32) -> u32 {
        self.truth[sample as usize]
    }

    /// Whether any probe is trained on a sample.
    pub fn trains(&self, row: usize) -> bool {
        self.parts.iter().any(|part| part.trains[row])
    }
}
