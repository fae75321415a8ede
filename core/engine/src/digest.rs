//! Tells whether a detector's result is still up to date.

use crate::findings::Findings;
use chaffinch_compute::embedding::Embedder;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::prompts::PromptSet;
use chaffinch_host::LoadedDetector;
use chaffinch_plugin::Needs;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Digest of everything a detector's result depends on.
pub(crate) struct InputDigest {
    base: blake3::Hasher,
    manifest: Arc<Manifest>,
    /// The model's fingerprint; empty without one.
    model: String,
    /// Of probabilities from elsewhere; empty without any.
    probabilities: String,
    /// Of what was decided.
    decisions: String,
    /// Of the prompts.
    prompts: String,
}

impl InputDigest {
    pub(crate) fn new(
        findings: &Findings,
        prompts: &PromptSet,
        embedder: Option<&dyn Embedder>,
        probabilities: Option<&str>,
        decisions: String,
    ) -> InputDigest {
        let (manifest, file_metadata) = (&findings.manifest, &findings.file_metadata);
        let mut hasher = blake3::Hasher::new();
        hasher.update(bytemuck::cast_slice(&file_metadata.hashes));
        hasher.update(bytemuck::cast_slice(manifest.labels()));
        hasher.update(manifest.splits());
        for text in manifest.classes() {
            hasher.update(text.as_bytes()).update(&[0]);
        }
        for size in file_metadata.dimensions.iter() {
            hasher.update(&size.width.to_le_bytes()).update(&size.height.to_le_bytes());
        }
        for id in file_metadata.unreadable.keys() {
            hasher.update(&id.0.to_le_bytes());
        }
        hasher.update(manifest.ground().to_string().as_bytes());
        hasher.update(manifest.rendering().depths.to_string().as_bytes());
        let mut model = embedder.map_or("", |embedder| embedder.fingerprint().as_str()).to_owned();
        model += embedder.map_or("", |embedder| embedder.texts_fingerprint());
        InputDigest {
            base: hasher,
            manifest: findings.manifest.clone(),
            model,
            probabilities: probabilities.unwrap_or_default().to_owned(),
            decisions,
            prompts: prompts.digest(),
        }
    }

    /// The digest of the prompts that a detector with these needs is asked with; empty if it reads none.
    pub(crate) fn prompts(&self, needs: Needs) -> &str {
        if needs.contains(Needs::TEXTS) { &self.prompts } else { "" }
    }

    /// The digest of the decisions that a detector with these needs sees; empty if it sees none.
    pub(crate) fn decisions(&self, needs: Needs) -> &str {
        if needs.contains(Needs::DECISIONS) { &self.decisions } else { "" }
    }

    /// For a detector with these parameters and needs. If it does not use the model, it stays up to date when another one is
    /// chosen; the same holds for probabilities from elsewhere.
    ///
    /// `decided` is the digest of the decisions that it sees ([`InputDigest::decisions`]), `before` are the scores that it reads, by
    /// detector, and whether they are out of date.
    pub(crate) fn of<'a>(
        &self,
        detector: &LoadedDetector,
        params: &BTreeMap<String, f64>,
        needs: Needs,
        decided: &str,
        before: impl Iterator<Item = (&'a str, &'a [f32], bool)>,
    ) -> String {
        let mut hasher = self.base.clone();
        if uses_model(needs) {
            hasher.update(self.model.as_bytes());
        }
        if needs.contains(Needs::PROBABILITIES) {
            hasher.update(self.probabilities.as_bytes());
        }
        hasher.update(self.prompts(needs).as_bytes());
        hasher.update(decided.as_bytes());
        hasher.update(detector.digest().as_bytes());
        for name in detector.columns() {
            if let Some(column) = self.manifest.extra().iter().find(|column| column.name == name) {
                for value in &column.values {
                    hasher.update(value.as_bytes()).update(&[0]);
                }
            } else if name == "path" {
                hasher.update(self.manifest.path_columns().0);
            }
        }
        for (name, scores, outdated) in before {
            hasher.update(name.as_bytes()).update(&[0]).update(bytemuck::cast_slice(scores));
            if outdated {
                hasher.update(b"outdated");
            }
        }
        for (name, value) in params {
            hasher.update(name.as_bytes()).update(&value.to_le_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }
}

/// Whether a detector with these needs uses the model.
pub(crate) fn uses_model(needs: Needs) -> bool {
    [Needs::EMBEDDINGS, Needs::NEIGHBORS, Needs::TEXTS, Needs::PROBABILITIES]
        .iter()
        .any(|need| needs.contains(*need))
}
