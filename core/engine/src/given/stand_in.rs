//! Stands in for a model whose vectors were computed elsewhere.

use crate::{Error, Result};
use chaffinch_compute::embedding::{EmbedError, Embedder, ModelFingerprint};
use chaffinch_compute::image::RgbImage;
use chaffinch_data::uses::LoadedModel;
use chaffinch_formats::embeddings::TextVectors;
use chaffinch_protocol::display::safe_text;

/// The factor for cosines without vectors of texts, where nothing is multiplied by it.
const LOGIT_SCALE: f32 = 100.0;

/// The name, the fingerprint and the vectors of texts; those of pictures are in the store.
pub(crate) struct StandIn {
    name: String,
    fingerprint: ModelFingerprint,
    dim: usize,
    texts: Option<(TextVectors, String)>,
}

impl StandIn {
    /// For vectors that were just read.
    pub(crate) fn new(
        name: String,
        fingerprint: ModelFingerprint,
        dim: usize,
        texts: Option<TextVectors>,
    ) -> StandIn {
        let texts = texts.map(|texts| {
            let digest = texts.digest();
            (texts, digest)
        });
        StandIn { name, fingerprint, dim, texts }
    }

    /// For vectors that the session keeps.
    ///
    /// # Errors
    /// When the session does not know them.
    pub(crate) fn kept(loaded: Option<LoadedModel>, texts: Option<TextVectors>) -> Result<StandIn> {
        let loaded = loaded.ok_or_else(|| {
            Error::Invalid(
                "the session does not have the embeddings that it names; pass --embeddings again".into(),
            )
        })?;
        let fingerprint = ModelFingerprint::stored(&loaded.fingerprint);
        let texts = texts.filter(|texts| texts.dim() == loaded.dim);
        Ok(StandIn::new(loaded.name, fingerprint, loaded.dim, texts))
    }

    /// Why it cannot read prompts; `None` if it can.
    pub(crate) fn no_texts(&self) -> Option<String> {
        self.texts.is_none().then(|| {
            format!(
                "the {} come without vectors of texts, so pictures cannot be compared with prompts; pass \
                 --text-embeddings FILE",
                self.name
            )
        })
    }

    /// The vectors of texts.
    pub(crate) fn texts(&self) -> Option<&TextVectors> {
        self.texts.as_ref().map(|(texts, _)| texts)
    }
}

impl Embedder for StandIn {
    fn name(&self) -> &str {
        &self.name
    }

    fn fingerprint(&self) -> &ModelFingerprint {
        &self.fingerprint
    }

    fn dim(&self) -> usize {
        self.dim
    }

    fn device(&self) -> String {
        String::new()
    }

    fn batch_size(&self) -> usize {
        1
    }

    fn input_len(&self) -> usize {
        0
    }

    fn sees(&self) -> bool {
        false
    }

    fn reads(&self, text: &str) -> bool {
        self.texts().is_some_and(|texts| texts.get(text).is_some())
    }

    fn texts_fingerprint(&self) -> &str {
        self.texts.as_ref().map_or("", |(_, digest)| digest)
    }

    fn preprocess(&self, _: &RgbImage) -> Vec<u8> {
        Vec::new()
    }

    fn embed_images(&self, _: &[u8], _: usize) -> std::result::Result<Vec<f32>, EmbedError> {
        Err(EmbedError::Model(format!("the {} cannot embed pictures", self.name)))
    }

    fn embed_texts(&self, texts: &[&str]) -> std::result::Result<Vec<f32>, EmbedError> {
        let Some(known) = self.texts() else {
            return Err(EmbedError::NoTextVector(self.no_texts().unwrap_or_default()));
        };
        let mut vectors = Vec::with_capacity(texts.len() * self.dim);
        for text in texts {
            let vector = known.get(text).ok_or_else(|| {
                let text = safe_text(text);
                EmbedError::NoTextVector(format!("the text embeddings have no vector for '{text}'"))
            })?;
            vectors.extend_from_slice(vector);
        }
        Ok(vectors)
    }

    fn logit_scale(&self) -> f32 {
        self.texts().map_or(LOGIT_SCALE, TextVectors::logit_scale)
    }
}
