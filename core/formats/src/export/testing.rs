//! What tests of exports share.

use super::*;
use chaffinch_compute::job::Job;
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::journal::Decisions;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::EnsembleRule;
use chaffinch_review::ranking::{self, Results};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Exports a dataset of which nothing but these decisions is known.
pub(super) fn exporting<T>(
    manifest: &Arc<Manifest>,
    decisions: &Decisions,
    run: impl FnOnce(&Export<'_>) -> T,
) -> T {
    let results = Results::default();
    let ranking = ranking::rank(&results, &BTreeMap::new(), &EnsembleRule::Or, manifest.len());
    let source = Source {
        manifest,
        file_metadata: &FileMetadata::default(),
        results: &results,
        previous: &results,
        thresholds: &BTreeMap::new(),
        ranking: &ranking,
        decisions,
        atlas: None,
        direction: None,
        learned: None,
    };
    run(&Export { source, dataset: "made", place: None, embeddings: &|| Some(atlas(manifest)) })
}

/// Embeddings of as many samples, each a direction of its own in a plane.
pub(super) fn atlas(manifest: &Arc<Manifest>) -> Atlas {
    let turn = |row: usize| row as f32 / manifest.len() as f32;
    let vectors = (0..manifest.len()).flat_map(|row| [turn(row).cos(), turn(row).sin(), 0.0]).collect();
    Atlas::new(
        Arc::new(EmbeddingMatrix::from_vec(vectors, 3)),
        manifest.clone(),
        Arc::new(FileMetadata::default()),
    )
}

/// A cleaned copy.
pub(super) fn cleaned(export: &Export<'_>, copy: &Path) -> CleanReport {
    let stop = AtomicBool::new(false);
    export.cleaned(copy, CopyMode::Copy, &Job::new(&stop, &|_, _| {})).unwrap()
}
