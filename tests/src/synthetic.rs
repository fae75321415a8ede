//! Sessions of any size without pictures, created in seconds, for measuring the interface, lists and memory.

use crate::random::Random;
use chaffinch_compute::content::ContentHash;
use chaffinch_data::Error;
use chaffinch_data::columns::ResultBuilder;
use chaffinch_data::config::Config;
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::issue::{Issue, RunRecord};
use chaffinch_data::manifest::{Manifest, NewSample};
use chaffinch_data::prompts::PromptSet;
use chaffinch_data::session::Session;
use chaffinch_data::uses::Uses;
use chaffinch_engine::{Client, Detectors, Given, Setup};
use chaffinch_host::Registry;
use chaffinch_protocol::Event;
use chaffinch_protocol::sample::{SampleId, Split};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// An engine for such a session, in this process.
pub fn engine(session: &Path, data: &Path) -> Client {
    let setup = Setup {
        dataset: data.to_path_buf(),
        dataset_options: DatasetOptions::default(),
        session: Session::open(session).unwrap(),
        config: Config::built_in(),
        detectors: Detectors::new(Registry::load(&[])),
        prompts: PromptSet::bundled(),
        model: Arc::new(|| Err(Error::Invalid("no model is needed here".into()))),
        given: Given::default(),
        uses: Uses::default(),
        program: String::new(),
        finders: Default::default(),
    };
    chaffinch_engine::spawn(setup).unwrap()
}

/// The first event of an engine that is one of these.
pub fn next<T>(client: &Client, mut of: impl FnMut(&Event) -> Option<T>) -> T {
    loop {
        let event = client.events.recv_timeout(Duration::from_secs(180)).unwrap();
        if let Some(found) = of(&event) {
            return found;
        }
    }
}

/// Class names.
fn class(number: usize) -> String {
    format!("class-{number:03}")
}

/// One sample in this many is a suspect.
const SUSPECTS: usize = 20;

/// Writes a session with this many samples in `classes` classes, for the dataset folder `data`, with the results of
/// three detectors. The same numbers give the same bytes.
pub fn session(place: &Path, data: &Path, count: usize, classes: usize) {
    std::fs::create_dir_all(data).unwrap();
    let mut random = Random::new(9);
    let labels: Vec<usize> = (0..count).map(|_| random.below(classes)).collect();
    let samples = labels.iter().enumerate().map(|(number, &label)| NewSample {
        path: format!("train/{}/{number:08}.jpg", class(label)).into(),
        label: Some(class(label)),
        split: if number % 10 == 0 { Split::Test } else { Split::Train },
    });
    let manifest = Manifest::new(data, samples);
    let hash = |number: usize| {
        let mut random = Random::new(number as u64);
        let mut hash = [0; 32];
        hash.chunks_exact_mut(8).for_each(|part| part.copy_from_slice(&random.bits().to_le_bytes()));
        ContentHash(hash)
    };
    let file_metadata = FileMetadata {
        hashes: (0..count).map(hash).collect(),
        dimensions: (0..count).map(|_| Default::default()).collect(),
        modified: (0..count).map(|number| number as i64).collect(),
        phash: (0..count).map(|_| random.bits()).collect(),
        dhash: (0..count).map(|_| random.bits()).collect(),
        unreadable: (0..count.min(5)).map(|n| (SampleId((n * 7) as u32), "it is empty".to_owned())).collect(),
        remarks: BTreeMap::new(),
    };
    let session = Session::open_or_create(place, data).unwrap();
    session.save_samples(&manifest, &file_metadata).unwrap();
    drop(file_metadata);
    for (name, groups) in [("duplicates", true), ("image-quality", false), ("label-quality", false)] {
        let scores: Vec<f32> = (0..count).map(|_| random.between(0.5, 1.0)).collect();
        let mut builder = ResultBuilder::new(count);
        builder.scores(&scores);
        drop(scores);
        for number in 0..count / SUSPECTS / 3 {
            let row = random.below(count);
            let issue = Issue {
                score: random.between(0.0, 0.5),
                suggested: (!groups).then(|| random.below(classes) as u32),
                group: groups.then_some((number / 3) as u32),
                related: Vec::new(),
                reason: if number % 4 == 0 {
                    "it looks like another class".to_owned()
                } else {
                    String::new()
                },
            };
            builder.issue(SampleId(row as u32), issue);
        }
        let record = RunRecord {
            name: name.into(),
            version: "1.0.0".into(),
            summary: "Made for measurements".into(),
            groups,
            threshold: 0.5,
            input_digest: "synthetic".into(),
            ..RunRecord::default()
        };
        session.save_result(&builder.finish(record, manifest.classes())).unwrap();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_can_be_opened() {
        let place = tempfile::tempdir().unwrap();
        let (dir, data) = (place.path().join("session"), place.path().join("data"));
        session(&dir, &data, 1_000, 7);
        let session = Session::open(&dir).unwrap();
        let (manifest, file_metadata) = session.load_samples().unwrap().unwrap();
        assert_eq!((manifest.len(), file_metadata.len(), manifest.classes().len()), (1_000, 1_000, 7));
        let (results, damaged) = session.load_results(manifest.len(), manifest.classes());
        assert_eq!((results.len(), damaged), (3, Vec::new()));
    }
}
