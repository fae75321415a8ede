//! Embeddings and class probabilities that were computed elsewhere: taken from files when they are named, and from the
//! session afterwards.

mod embeddings;
mod probabilities;
mod stand_in;

pub(crate) use embeddings::{fill, report};
pub(crate) use probabilities::probabilities;
pub(crate) use stand_in::StandIn;

use crate::setup::ProbabilityWish;
use crate::{Error, Result, Setup};
use chaffinch_data::columns::{DetectorResult, ResultBuilder};
use chaffinch_data::issue::{Issue, RunRecord};
use chaffinch_data::manifest::Manifest;
use chaffinch_data::probabilities::GivenProbabilities;
use chaffinch_data::uses::ProbabilityFiles;
use chaffinch_formats::embeddings::{self as files, TextVectors, Vectors};
use chaffinch_formats::probabilities::{GivenModel, read_given};
use chaffinch_protocol::sample::SampleId;
use std::fs::File;

/// The score of a sample whose row is unusable.
const BAD_SCORE: f32 = 0.1;
/// The score of a sample without a row: said, and no suspect.
const MISSING_SCORE: f32 = 0.6;

/// The contents of the files that were named.
pub(crate) struct Named {
    pub(crate) vectors: Option<(Vectors, Option<TextVectors>)>,
    pub(crate) models: Option<Models>,
}

/// Probabilities that were named.
pub(crate) enum Models {
    /// Those of the files. With a digest of their bytes where rows are those of the samples in their order.
    Read(Vec<GivenModel>, String),
    /// The session has what the same files said of these pictures in another order.
    Stay(Box<GivenProbabilities>),
}

/// That rows without names stay with the pictures for which they were taken earlier: nothing in the file says that it is in a new
/// order, too. `option` would name them.
fn stay(source: &str, option: &str) -> String {
    format!(
        "the {source} stay with the pictures that they were first given for, because the samples are others now, or in another \
         order; if the file is in the new order, name its rows with {option} FILE"
    )
}

/// A digest of the bytes of all files.
fn digest(named: &ProbabilityFiles) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    for path in named.files.iter().chain(&named.classes).chain(&named.ids) {
        let mut one = blake3::Hasher::new();
        let file = File::open(path).map_err(Error::io("read", path))?;
        one.update_reader(file).map_err(Error::io("read", path))?;
        hasher.update(one.finalize().as_bytes());
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// Reads the files that were named for a scan, and checks what can be checked before the pictures are read, which may
/// take hours.
///
/// # Errors
/// When a file cannot be read, or does not fit the dataset.
pub(crate) fn open(setup: &Setup, manifest: &Manifest) -> Result<Named> {
    let vectors = setup.given.embeddings.as_ref().map(|named| {
        let mut folder = setup.session.own_embeddings_dir();
        folder.extend(manifest.rendering().folders());
        let in_use = setup.session.uses().loaded.map(|loaded| loaded.fingerprint).unwrap_or_default();
        let vectors = files::read(named, manifest, &embeddings::kept(&folder, &in_use)?)?;
        let texts = named.texts.as_ref().map(|path| {
            let texts = files::read_texts(path)?;
            texts.fit(path, vectors.file(), vectors.dim())?;
            Ok::<_, crate::Error>(texts)
        });
        Ok::<_, crate::Error>((vectors, texts.transpose()?))
    });
    let models = match &setup.given.probabilities {
        Some(ProbabilityWish::Take(named)) => {
            let bytes = digest(named)?;
            // What is damaged is written anew.
            let kept = GivenProbabilities::load(&setup.session.probabilities_path()).ok().flatten();
            Some(match kept.filter(|kept| kept.stay(&bytes, manifest)) {
                Some(kept) => Models::Stay(Box::new(kept)),
                None => Models::Read(read_given(named, manifest)?, bytes),
            })
        }
        _ => None,
    };
    Ok(Named { vectors: vectors.transpose()?, models })
}

/// What is wrong with what was given for single samples, and with all of it, as a result like those of detectors.
struct Complaints<'a> {
    name: &'static str,
    summary: &'static str,
    bad: (&'a [SampleId], String),
    missing: (&'a [SampleId], String),
    /// Sentences on the whole, as notes of the kinds `warning`, `not judged` and `remark`.
    notes: Vec<(String, String)>,
}

impl Complaints<'_> {
    /// `None` if there is nothing to say.
    fn result(self, samples: usize, classes: &[String]) -> Option<DetectorResult> {
        let Complaints { name, summary, bad, missing, notes } = self;
        if bad.0.is_empty() && missing.0.is_empty() && notes.is_empty() {
            return None;
        }
        let mut result = ResultBuilder::new(samples);
        result.scores(&vec![1.0; samples]);
        for ((ids, reason), score) in [(bad, BAD_SCORE), (missing, MISSING_SCORE)] {
            for &id in ids {
                result.issue(id, Issue { score, reason: reason.clone(), ..Issue::default() });
            }
        }
        let record = RunRecord {
            name: name.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: summary.into(),
            threshold: 0.5,
            notes,
            ..RunRecord::default()
        };
        Some(result.finish(record, classes))
    }
}

/// Makes a result the current one, or removes the one before.
fn settle(
    setup: &Setup,
    name: &str,
    result: Option<DetectorResult>,
    findings: &mut crate::findings::Findings,
) -> Result<()> {
    match result {
        Some(result) => {
            setup.session.save_result(&result)?;
            findings.results.insert(name.to_owned(), std::sync::Arc::new(result));
        }
        None => {
            setup.session.remove_result(name)?;
            findings.results.remove(name);
        }
    }
    Ok(())
}
