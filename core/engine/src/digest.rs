//! Tells whether a detector's result is still up to date.

use crate::findings::Findings;
use chaffinch_compute::embedding::Embedder;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::prompts::PromptSet;
use chaffinch_host::LoadedDetector;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Digest of everything a detector's result depends on.
pub(crate) struct InputDigest {
    base: blake3::Hasher,
    manifest: Arc<Manifest>,
    /// The model's fingerprint; empty without one.
    model: String,
}

impl InputDigest {
    pub(crate) fn new(
        findings: &Findings,
        prompts: &PromptSet,
        embedder: Option<&dyn Embedder>,
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
        hasher.update(prompts.digest().as_bytes());
        let model = embedder.map_or("", |embedder| embedder.fingerprint().as_str()).to_owned();
        InputDigest { base: hasher, manifest: findings.manifest.clone(), model }
    }

    /// For a detector with these parameters. `vectors` is whether it uses the model: the others stay up to date when
    /// another one is chosen.
    pub(crate) fn of(
        &self,
        detector: &LoadedDetector,
        params: &BTreeMap<String, f64>,
        vectors: bool,
    ) -> String {
        let mut hasher = self.base.clone();
        if vectors {
            hasher.update(self.model.as_bytes());
        }
        hasher.update(detector.digest().as_bytes());
        for name in detector.columns() {
            if let Some(column) = self.manifest.extra().iter().find(|column| column.name == *name) {
                for value in &column.values {
                    hasher.update(value.as_bytes()).update(&[0]);
                }
            } else if name == "path" {
                hasher.update(self.manifest.path_columns().0);
            }
        }
        for (name, value) in params {
            hasher.update(name.as_bytes()).update(&value.to_le_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }
}
