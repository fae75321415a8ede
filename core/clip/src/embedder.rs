//! The towers behind the engine's [`Embedder`].

use crate::budget::{LEAST_ROWS, MemoryBudget};
use crate::config::{Backbone, Family};
use crate::device::{DeviceChoice, DeviceContext};
use crate::error::ClipError;
use crate::failure::failed;
use crate::hub::FetchProgress;
use crate::layers::Loader;
use crate::lite0::Lite0Tower;
use crate::preprocess::{PREPROCESSING_VERSION, Preprocessing};
use crate::resident::ResidentVectors;
use crate::source::{Checkpoint, ModelSource};
use crate::text::TextTower;
use crate::tokenizer::ClipTokenizer;
use crate::vision::VisionTower;
use crate::vit::VitTower;
use candle_core::{DType, Tensor};
use chaffinch_compute::embedding::{EmbedError, Embedder, ModelFingerprint};
use chaffinch_compute::image::RgbImage;
use chaffinch_compute::neighbors::DeviceVectors;
use std::collections::BTreeMap;

/// Prompts per batch.
const TEXT_BATCH: usize = 32;

/// A loaded checkpoint, ready to embed pictures and prompts.
pub struct ClipEmbedder {
    name: String,
    fingerprint: ModelFingerprint,
    vision: ImageTower,
    text: Option<(TextTower, ClipTokenizer)>,
    preprocessing: Preprocessing,
    image_size: usize,
    logit_scale: f32,
    context: DeviceContext,
    /// Bytes of device memory available besides the weights, if limited.
    spare: Option<u64>,
    /// The commit of a model from the hub.
    revision: Option<String>,
    /// Sentences worth showing whoever loads it.
    notes: Vec<String>,
}

/// How a model's texts are tokenized.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextInput {
    /// The longest text in tokens, the first and last one included.
    pub context: usize,
    /// Token and its text with which shorter ones are filled up; `None` if they keep their length.
    pub padding: Option<(u32, String)>,
    /// Whether the padding goes in front.
    pub pads_left: bool,
}

/// Loads a model: finds or downloads its files, checks them for consistency, and puts the weights on the device.
///
/// # Errors
/// One sentence that names the file, the tensor, the device or the hub concerned, and what to do.
pub fn load(source: &ModelSource, device: DeviceChoice) -> Result<ClipEmbedder, ClipError> {
    load_within(source, device, None)
}

/// [`load`] with at most `budget` of GPU memory. It does not limit CPU memory.
///
/// # Errors
/// Those of [`load`], and when the budget is too small for the model.
pub fn load_within(
    source: &ModelSource,
    device: DeviceChoice,
    budget: Option<MemoryBudget>,
) -> Result<ClipEmbedder, ClipError> {
    load_with(source, device, budget, false, &mut |_| ())
}

/// [`load_within`] that requests nothing from the hub if `offline`, and tells the progress of downloads.
///
/// # Errors
/// Those of [`load_within`], and when the model is not in the cache and `offline`.
pub fn load_with(
    source: &ModelSource,
    device: DeviceChoice,
    budget: Option<MemoryBudget>,
    offline: bool,
    progress: &mut dyn FnMut(FetchProgress),
) -> Result<ClipEmbedder, ClipError> {
    let mut context = DeviceContext::new(device)?;
    let Checkpoint { config, weights, preprocessing, tokenizer, digest, revision, mut notes } =
        Checkpoint::open(source, offline, progress)?;
    notes.extend(context.note.take());
    let budget = budget.filter(|_| !context.device.is_cpu());
    if let Some(budget) = budget {
        context.batch = budget.batch(&config, weights.numbers(), context.batch)?;
    }
    let spare = budget.map(|budget| budget.beside(weights.numbers()));
    let loader = Loader {
        weights: &weights,
        device: &context.device,
        dtype: context.dtype,
        in_tiles: context.in_tiles,
        device_name: &context.name,
    };
    let vision = match config.family {
        Family::Clip if config.vision.backbone == Backbone::Lite0 => {
            ImageTower::Lite0(Box::new(Lite0Tower::load(&loader, &config)?))
        }
        Family::Clip | Family::Siglip | Family::Dinov2 => {
            ImageTower::Clip(Box::new(VisionTower::load(&loader, &config)?))
        }
        Family::Vit if context.in_tiles => {
            let reason = "models of type vit do not support bf16; use --device cpu";
            return Err(ClipError::Device { device: context.name, reason: reason.into() });
        }
        Family::Vit => ImageTower::Vit(VitTower::load(&loader, &config)?),
    };
    let text = match (&config.text, tokenizer) {
        (Some(tower), Some(tokenizer)) => Some((TextTower::load(&loader, &config, tower)?, tokenizer)),
        _ => None,
    };
    let logit_scale = match text {
        // SigLIP stores it as a list of one.
        Some(_) => {
            let shape: &[usize] = if weights.shape("logit_scale") == Some(&[1]) { &[1] } else { &[] };
            let scale = weights.get("logit_scale", shape)?;
            loader.check(scale.flatten_all().and_then(|scale| scale.get(0)?.to_scalar::<f32>()))?.exp()
        }
        None => 1.0,
    };
    // Half precision gives different numbers, so it is part of the fingerprint.
    let precision = match context.dtype {
        _ if context.in_tiles => "-bf16",
        DType::F32 => "",
        _ => "-f16",
    };
    Ok(ClipEmbedder {
        name: source.to_string(),
        fingerprint: ModelFingerprint::new(&digest, &format!("{PREPROCESSING_VERSION}{precision}")),
        vision,
        text,
        preprocessing,
        image_size: config.vision.image_size,
        logit_scale,
        context,
        spare,
        revision,
        notes,
    })
}

/// The image tower.
enum ImageTower {
    Clip(Box<VisionTower>),
    Vit(VitTower),
    Lite0(Box<Lite0Tower>),
}

impl ImageTower {
    fn dim(&self) -> usize {
        match self {
            ImageTower::Clip(tower) => tower.dim(),
            ImageTower::Vit(tower) => tower.dim(),
            ImageTower::Lite0(tower) => tower.dim(),
        }
    }

    fn forward(&self, images: &Tensor) -> candle_core::Result<Tensor> {
        match self {
            ImageTower::Clip(tower) => tower.forward(images),
            ImageTower::Vit(tower) => tower.forward(images),
            ImageTower::Lite0(tower) => tower.forward(images),
        }
    }
}

impl ClipEmbedder {
    /// How texts are tokenized; `None` without a text tower.
    pub fn text_input(&self) -> Option<TextInput> {
        let (_, tokenizer) = self.text.as_ref()?;
        let padding = tokenizer.padding();
        Some(TextInput {
            context: tokenizer.context(),
            pads_left: padding.as_ref().is_some_and(|(_, _, left)| *left),
            padding: padding.map(|(id, text, _)| (id, text)),
        })
    }

    /// Side of the square picture that the image tower takes, in pixels.
    pub fn image_size(&self) -> usize {
        self.image_size
    }

    /// Whether it can embed prompts.
    pub fn has_text_tower(&self) -> bool {
        self.text.is_some()
    }

    fn failed(&self, error: &candle_core::Error, batch: usize) -> EmbedError {
        failed(&format!("{} on {}", self.name, self.context.name), error, batch)
    }

    fn image_batch(&self, pixels: &[f32], count: usize) -> candle_core::Result<Vec<f32>> {
        let size = self.image_size;
        let filled = fill_up(pixels, count);
        let shape = (filled.len() / (3 * size * size), 3, size, size);
        let images =
            Tensor::from_slice(&filled, shape, &self.context.device)?.to_dtype(self.context.dtype)?;
        rows(&self.vision.forward(&images)?.narrow(0, 0, count)?)
    }

    /// Prompts of one length in tokens.
    fn text_batch(&self, tower: &TextTower, ids: &[u32], tokens: usize) -> candle_core::Result<Vec<f32>> {
        let count = ids.len() / tokens.max(1);
        rows(&tower.forward(&fill_up(ids, count), tokens, &self.context.device)?.narrow(0, 0, count)?)
    }
}

/// The batch, padded with its first row to [`LEAST_ROWS`].
fn fill_up<T: Copy>(batch: &[T], count: usize) -> std::borrow::Cow<'_, [T]> {
    if count == 0 || count >= LEAST_ROWS {
        return batch.into();
    }
    let row = &batch[..batch.len() / count];
    let mut filled = batch.to_vec();
    (count..LEAST_ROWS).for_each(|_| filled.extend_from_slice(row));
    filled.into()
}

/// `[rows, dim]` as concatenated unit vectors.
fn rows(vectors: &Tensor) -> candle_core::Result<Vec<f32>> {
    let dim = vectors.dim(1)?;
    let mut numbers: Vec<f32> = vectors.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
    for row in numbers.chunks_exact_mut(dim.max(1)) {
        let length = row.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
        if !length.is_finite() || length == 0.0 {
            candle_core::bail!(
                "the model returned a vector of length zero: its weights are damaged or need more precision"
            );
        }
        row.iter_mut().for_each(|x| *x = (f64::from(*x) / length) as f32);
    }
    Ok(numbers)
}

impl Embedder for ClipEmbedder {
    fn name(&self) -> &str {
        &self.name
    }

    fn fingerprint(&self) -> &ModelFingerprint {
        &self.fingerprint
    }

    fn revision(&self) -> Option<&str> {
        self.revision.as_deref()
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn dim(&self) -> usize {
        self.vision.dim()
    }

    fn device(&self) -> String {
        self.context.name.clone()
    }

    fn batch_size(&self) -> usize {
        self.context.batch
    }

    fn input_len(&self) -> usize {
        self.preprocessing.len()
    }

    fn preprocess(&self, image: &RgbImage) -> Vec<f32> {
        self.preprocessing.apply(image)
    }

    fn embed_images(&self, pixels: &[f32], count: usize) -> Result<Vec<f32>, EmbedError> {
        let len = self.input_len();
        if pixels.len() != len * count {
            let found = pixels.len();
            return Err(EmbedError::Model(format!(
                "expected {count} images of {len} numbers, got {found} numbers"
            )));
        }
        let mut out = Vec::with_capacity(count * self.dim());
        for batch in pixels.chunks(len * self.context.batch) {
            let count = batch.len() / len;
            out.extend(self.image_batch(batch, count).map_err(|error| self.failed(&error, count))?);
        }
        Ok(out)
    }

    fn embed_texts(&self, texts: &[&str]) -> Result<Vec<f32>, EmbedError> {
        let Some((tower, tokenizer)) = &self.text else {
            return Err(EmbedError::NoTextTower(self.name.clone()));
        };
        // Prompts of the same length are batched together, so that a prompt's vector does not depend on the others.
        let mut lengths: BTreeMap<usize, Vec<(usize, Vec<u32>)>> = BTreeMap::new();
        for (index, text) in texts.iter().enumerate() {
            let ids = tokenizer.encode(text).map_err(EmbedError::Model)?;
            lengths.entry(ids.len()).or_default().push((index, ids));
        }
        let dim = self.dim();
        let mut out = vec![0.0; texts.len() * dim];
        for (tokens, prompts) in lengths {
            for batch in prompts.chunks(TEXT_BATCH) {
                let ids: Vec<u32> = batch.iter().flat_map(|(_, ids)| ids.iter().copied()).collect();
                let vectors = self.text_batch(tower, &ids, tokens);
                let vectors = vectors.map_err(|error| self.failed(&error, batch.len()))?;
                for ((index, _), vector) in batch.iter().zip(vectors.chunks_exact(dim)) {
                    out[index * dim..][..dim].copy_from_slice(vector);
                }
            }
        }
        Ok(out)
    }

    fn keep_on_device(&self, vectors: &[f32]) -> Result<Option<Box<dyn DeviceVectors>>, EmbedError> {
        let DeviceContext { device, name, .. } = &self.context;
        if device.is_cpu() {
            return Ok(None);
        }
        let rows = vectors.len() / self.dim();
        let spare = self.spare.unwrap_or(u64::MAX);
        let Some(products) = ResidentVectors::room_for_products(vectors.len(), rows, spare) else {
            // The search on the CPU finds the same.
            return Ok(None);
        };
        let kept = ResidentVectors::new(vectors, self.dim(), products, device, name);
        Ok(Some(Box::new(kept.map_err(|error| failed(name, &error, rows))?)))
    }

    fn logit_scale(&self) -> f32 {
        self.logit_scale
    }
}
