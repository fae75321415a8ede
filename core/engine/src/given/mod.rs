//! Embeddings and class probabilities that were computed elsewhere: taken from files when they are named, and from the
//! session afterwards.

mod embeddings;
mod probabilities;
mod stand_in;

pub(crate) use embeddings::{fill, report};
pub(crate) use probabilities::probabilities;
pub(crate) use stand_in::StandIn;

use crate::setup::ProbabilityWish;
use crate::{Result, Setup};
use chaffinch_data::columns::{DetectorResult, ResultBuilder};
use chaffinch_data::issue::{Issue, RunRecord};
use chaffinch_data::manifest::Manifest;
use chaffinch_data::row_order::{RowOrders, Told};
use chaffinch_formats::embeddings::{self as files, TextVectors, Vectors};
use chaffinch_formats::probabilities::{GivenModel, read_given};
use chaffinch_protocol::sample::SampleId;

/// The score of a sample whose row is unusable.
const BAD_SCORE: f32 = 0.1;
/// The score of a sample without a row: said, and no suspect.
const MISSING_SCORE: f32 = 0.6;

/// The contents of the files that were named.
pub(crate) struct Named {
    pub(crate) vectors: Option<(Vectors, Option<TextVectors>)>,
    pub(crate) models: Option<Vec<GivenModel>>,
}

/// Remembers whose the rows without names are. Returns what there is to say of it, as notes of a result.
///
/// # Errors
/// When it cannot be written.
fn remember(setup: &Setup, told: &Told) -> Result<Vec<(String, String)>> {
    for (digest, order) in &told.keep {
        setup.session.keep_row_order(digest, order)?;
    }
    let of = |kind: &'static str, all: &[String]| {
        all.iter().map(|text| (kind.to_owned(), text.clone())).collect::<Vec<_>>()
    };
    Ok([of("warning", &told.warnings), of("remark", &told.notes)].concat())
}

/// Reads the files that were named for a scan, and checks what can be checked before the pictures are read, which may
/// take hours.
///
/// # Errors
/// When a file cannot be read, or does not fit the dataset.
pub(crate) fn open(setup: &Setup, manifest: &Manifest) -> Result<Named> {
    let orders = RowOrders::new(&setup.session);
    let vectors = setup.given.embeddings.as_ref().map(|named| {
        let mut folder = setup.session.own_embeddings_dir();
        folder.extend(manifest.rendering().folders());
        let in_use = setup.session.uses().loaded.map(|loaded| loaded.fingerprint).unwrap_or_default();
        let vectors = files::read(named, manifest, &embeddings::kept(&folder, &in_use)?, &orders)?;
        let texts = named.texts.as_ref().map(|path| {
            let texts = files::read_texts(path)?;
            texts.fit(path, vectors.file(), vectors.dim())?;
            Ok::<_, crate::Error>(texts)
        });
        Ok::<_, crate::Error>((vectors, texts.transpose()?))
    });
    let models = match &setup.given.probabilities {
        Some(ProbabilityWish::Take(named)) => Some(read_given(named, manifest, &orders)?),
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
