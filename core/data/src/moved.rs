//! Results that stay with the contents that they are about, wherever these are in another manifest.

use crate::columns::{DetectorResult, ResultBuilder};
use crate::file_metadata::FileMetadata;
use crate::issue::RunRecord;
use crate::keys::Keys;
use crate::manifest::Manifest;
use chaffinch_protocol::sample::SampleId;
use std::collections::BTreeSet;

/// What the digest of a result ends with that is for other samples than those that it was found for.
const OTHERS: &str = " for other samples";

/// Whether a result was found before the dataset changed, and has not been found again since.
pub fn is_from_before(result: &DetectorResult) -> bool {
    result.record().input_digest.ends_with(OTHERS)
}

/// Where the samples of a manifest are in another one.
#[derive(Debug)]
pub struct Moved(Vec<Option<SampleId>>);

impl Moved {
    /// From a manifest to another one, with the samples at these places, as [`whereabouts`] finds them. A sample with another label
    /// or split than before is another sample: what was said of it may have been about that.
    pub fn between(known: &Manifest, manifest: &Manifest, places: &[Option<SampleId>]) -> Moved {
        let same = |(id, place): (SampleId, Option<SampleId>)| {
            place.filter(|place| {
                known.label_name(id) == manifest.label_name(*place)
                    && known.split(id) == manifest.split(*place)
            })
        };
        Moved(known.ids().zip(places.iter().copied()).map(same).collect())
    }

    /// A result about the samples of the first manifest for those of the second one, `manifest`, to whose classes its suggestions
    /// refer. Samples that are new have no score, and the result does not count as up to date.
    pub fn result(&self, result: &DetectorResult, manifest: &Manifest) -> DetectorResult {
        let digest = result.record().input_digest.trim_end_matches(OTHERS);
        rebuilt(result, &self.0, manifest, format!("{digest}{OTHERS}"))
    }
}

/// Where each sample of a manifest is in another one, whatever its label and its split are there.
pub fn whereabouts(
    (known, known_metadata): (&Manifest, &FileMetadata),
    (manifest, file_metadata): (&Manifest, &FileMetadata),
) -> Vec<Option<SampleId>> {
    Keys::of(known.ids(), known, known_metadata).places(manifest, file_metadata)
}

/// A result whose rows are about these samples of a manifest.
pub(crate) fn rebuilt(
    result: &DetectorResult,
    places: &[Option<SampleId>],
    manifest: &Manifest,
    input_digest: String,
) -> DetectorResult {
    let mut builder = ResultBuilder::new(manifest.len());
    let rows = || (0..result.len() as u32).map(SampleId).zip(places.iter().copied());
    // Labels that no sample has, but may have later.
    let others: BTreeSet<&str> = rows().filter_map(|(row, _)| result.suggested_other(row)).collect();
    let others: Vec<String> = others.into_iter().map(str::to_owned).collect();
    for (row, place) in rows() {
        let Some((place, mut issue)) = place.zip(result.issue(row)) else { continue };
        let there = |(id, similarity): (SampleId, f32)| Some((places[id.index()]?, similarity));
        issue.related = issue.related.into_iter().filter_map(there).collect();
        if let Some(name) = result.suggested_other(row) {
            let other = others.binary_search_by(|other| other.as_str().cmp(name)).ok();
            issue.suggested = other.map(|other| (manifest.classes().len() + other) as u32);
        }
        builder.issue(place, issue);
    }
    for name in result.attributes() {
        let mut values = vec![f32::NAN; manifest.len()];
        for (row, place) in rows() {
            if let (Some(place), Some(value)) = (place, result.attribute(name, row)) {
                values[place.index()] = value;
            }
        }
        builder.attribute(name, result.unit(name), &values);
    }
    if result.has_regions() {
        for (row, place) in rows() {
            let regions = result.regions(row);
            if let (Some(place), false) = (place, regions.is_empty()) {
                builder.regions(place, regions);
            }
        }
    }
    let mut findings = result.record().findings.clone();
    for found in &mut findings {
        let row = |row: &u32| Some(places.get(*row as usize).copied().flatten()?.0);
        found.evidence = found.evidence.iter().filter_map(row).collect();
    }
    let record = RunRecord { input_digest, findings, ..result.record().clone() };
    builder.finish_naming(record, manifest.classes(), &others)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issue::{Boxed, Found, Issue};
    use crate::manifest::NewSample;
    use chaffinch_compute::content::ContentHash;
    use chaffinch_protocol::sample::Split;

    fn dataset(samples: &[(&str, &str, &str)]) -> (Manifest, FileMetadata) {
        let sample = |(path, _, label): &(&str, &str, &str)| NewSample {
            path: path.into(),
            label: Some((*label).to_owned()),
            split: Split::None,
        };
        let hashes = samples.iter().map(|(_, content, _)| ContentHash::of(content.as_bytes())).collect();
        (
            Manifest::new("/data", samples.iter().map(sample)),
            FileMetadata { hashes, ..FileMetadata::default() },
        )
    }

    #[test]
    fn what_was_found_stays_with_the_contents() {
        let (known, known_metadata) = dataset(&[
            ("a.jpg", "A", "cat"),
            ("b.jpg", "B", "cat"),
            ("c.jpg", "C", "dog"),
            ("d.jpg", "D", "dog"),
        ]);
        // One is renamed to the front, one has other contents, one another label, and one is new.
        let (now, metadata) = dataset(&[
            ("0.jpg", "C", "dog"),
            ("a.jpg", "A", "cat"),
            ("b.jpg", "new", "cat"),
            ("d.jpg", "D", "ape"),
        ]);
        let mut builder = ResultBuilder::new(4);
        builder.scores(&[0.1, 0.2, 0.3, 0.4]);
        let reason = "looks like a cat".to_owned();
        let related = vec![(SampleId(0), 0.5), (SampleId(1), 0.25)];
        builder.issue(
            SampleId(2),
            Issue { score: 0.3, reason, related, suggested: Some(0), ..Issue::default() },
        );
        builder.attribute("sharpness", "", &[1.0, 2.0, 3.0, 4.0]);
        let boxed = Boxed { edges: [0.0, 0.0, 0.5, 0.5], label: "eye".to_owned() };
        builder.regions(SampleId(2), vec![boxed.clone()]);
        let found = Found { severity: "info".to_owned(), text: "x".to_owned(), evidence: vec![0, 1, 2] };
        let record =
            RunRecord { findings: vec![found], input_digest: "1".to_owned(), ..RunRecord::default() };
        let result = builder.finish(record, now.classes());
        let places = whereabouts((&known, &known_metadata), (&now, &metadata));
        let moved = Moved::between(&known, &now, &places).result(&result, &now);
        let scores: Vec<Option<f32>> = now.ids().map(|id| moved.score(id)).collect();
        assert_eq!(scores, [Some(0.3), Some(0.1), None, None]);
        let issue = moved.issue(SampleId(0)).unwrap();
        assert_eq!((issue.reason.as_str(), issue.related), ("looks like a cat", vec![(SampleId(1), 0.5)]));
        assert_eq!(issue.suggested.map(|class| now.classes()[class as usize].as_str()), Some("ape"));
        assert_eq!(moved.attribute("sharpness", SampleId(1)), Some(1.0));
        assert_eq!(moved.attribute("sharpness", SampleId(2)), None);
        assert_eq!(moved.regions(SampleId(0)), [boxed]);
        assert_eq!(moved.record().findings[0].evidence, [1, 0]);
        assert_ne!(moved.record().input_digest, "1");
        assert!(is_from_before(&moved) && !is_from_before(&result));
    }
}
