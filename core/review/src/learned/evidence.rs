//! What an order is learned from: what each detector says of a sample, its class, and where the rank has it.

use crate::calibration::Calibration;
use crate::ranking::{Ranking, Results};
use crate::verdict;
use chaffinch_compute::content::ContentHash;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::manifest::{Manifest, NO_LABEL};
use chaffinch_protocol::sample::SampleId;
use std::collections::BTreeMap;

/// Numbers that say what a detector thinks of a sample.
pub(super) const SAYS: usize = 3;

/// How far the first samples of the rank are apart: those of this many count as about equally suspicious.
const AHEAD: f64 = 20.0;

/// A dataset, what its detectors found, and the rank that was made of that.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// The samples.
    pub manifest: &'a Manifest,
    /// Their file metadata; may be empty.
    pub file_metadata: &'a FileMetadata,
    /// The detectors' results.
    pub results: &'a Results,
    /// Thresholds by detector.
    pub thresholds: &'a BTreeMap<String, f32>,
    /// The rank that the order starts from.
    pub ranking: &'a Ranking,
}

impl<'a> Evidence<'a> {
    /// The detectors that judged these samples, in name order.
    pub(super) fn detectors(&self) -> Vec<Detector<'a>> {
        let fitting = self.results.iter().filter(|(_, result)| result.len() == self.manifest.len());
        let detector = |(name, result): (&'a String, &'a std::sync::Arc<_>)| {
            let result: &chaffinch_data::columns::DetectorResult = result;
            let threshold = verdict::threshold(self.thresholds, name, result);
            let calibration = Calibration::new(threshold);
            Detector { name, scores: result.scores(), threshold, calibration }
        };
        fitting.map(detector).collect()
    }

    /// The class of a sample.
    pub(super) fn class(&self, row: u32) -> Option<u32> {
        self.manifest.labels().get(row as usize).copied().filter(|&label| label != NO_LABEL)
    }

    /// What the rank says of these samples. The order of all is made only if one of them is no suspect: among ten million that takes a
    /// while.
    pub(super) fn ranked(&self, rows: impl IntoIterator<Item = u32>) -> Ranked {
        let is_suspect = |row: u32| self.ranking.flags.get(row as usize).is_some_and(|flags| *flags > 0);
        let suspects = rows.into_iter().all(is_suspect);
        let order = if suspects { &self.ranking.order[..] } else { self.ranking.full_order() };
        let count = self.manifest.len();
        let mut places = vec![count as u32; count];
        for (place, &row) in (0..).zip(order) {
            places[row as usize] = place;
        }
        Ranked(places)
    }

    /// What identifies a sample whatever it is called: its contents, or its path where those are not known.
    pub(super) fn key(&self, row: u32) -> ContentHash {
        let known = self.file_metadata.hashes.get(row as usize).copied();
        let known = known.filter(|hash| *hash != ContentHash::default());
        known.unwrap_or_else(|| {
            ContentHash::of(self.manifest.path(SampleId(row)).as_os_str().as_encoded_bytes())
        })
    }
}

/// The place of each sample in the rank.
pub(super) struct Ranked(Vec<u32>);

impl Ranked {
    /// The log-odds that a sample is bad, as far as its place says: one less each time that the list is longer by a factor of e.
    pub(super) fn log_odds(&self, row: u32) -> f64 {
        let place = self.0.get(row as usize).copied().unwrap_or(u32::MAX);
        ((self.0.len() as f64 + AHEAD) / (f64::from(place) + AHEAD)).ln()
    }
}

/// The scores of one detector.
pub(super) struct Detector<'a> {
    pub(super) name: &'a str,
    scores: &'a [f32],
    threshold: f32,
    calibration: Calibration,
}

impl Detector<'_> {
    pub(super) fn flags(&self, row: u32) -> bool {
        verdict::is_flagged(self.scores[row as usize], self.threshold)
    }

    /// Whether it flags a sample, how sure it is then, and how near it comes to that; nothing without a score.
    pub(super) fn says(&self, row: u32) -> [f64; SAYS] {
        let c = f64::from(self.calibration.of(self.scores[row as usize]));
        if c.is_nan() {
            return [0.0; SAYS];
        }
        [
            f64::from(u8::from(self.flags(row))),
            (1.0 - 2.0 * c).clamp(0.0, 1.0),
            (2.0 - 2.0 * c).clamp(0.0, 1.0),
        ]
    }
}
