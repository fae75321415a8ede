//! The towers behind the engine's [`Embedder`].

mod loading;

use crate::batches::{Batches, filled_up};
use crate::device::{DeviceContext, Fetched};
use crate::failure::failed;
use crate::lite0::Lite0Tower;
use crate::preprocess::Preprocessing;
use crate::resident::ResidentVectors;
use crate::text::TextTower;
use crate::tokenizer::ClipTokenizer;
use crate::vision::VisionTower;
use crate::vit::VitTower;
use candle_core::{DType, Tensor};
use chaffinch_compute::embedding::{EmbedError, Embedder, ModelFingerprint, Started};
use chaffinch_compute::image::RgbImage;
use chaffinch_compute::neighbors::DeviceVectors;
pub use loading::{load, load_with, load_within};
use std::collections::BTreeMap;

/// Vectors that are not all undefined by chance.
const SUSPICIOUS: usize = 8;
/// The end of a sentence about a model.
const UNDEFINED: &str = "returned no finite vector: its weights are damaged, or need more precision than this device's; try \
                         --device cpu";

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
    batches: Batches,
    /// Of prompts.
    text_batches: Batches,
    /// Bytes of device memory available besides the weights.
    spare: u64,
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

    /// Starts a batch of pictures as [`Preprocessing::apply`] makes them, step by step on the device.
    fn forward_bytes(
        &self,
        bytes: &Tensor,
        preprocessing: &Preprocessing,
        dtype: DType,
    ) -> candle_core::Result<Tensor> {
        if let ImageTower::Clip(tower) = self
            && let Some(vectors) = tower.forward_bytes(bytes, preprocessing.line())
        {
            return vectors;
        }
        self.forward(&preprocessing.normalized_on(bytes, dtype)?)
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

    /// Starts a batch of `count` images, filled up to `rows`.
    fn image_batch(&self, pixels: &[u8], count: usize, rows: usize) -> candle_core::Result<Fetched> {
        let DeviceContext { device, dtype, stepwise, .. } = &self.context;
        let side = self.image_size;
        if *stepwise {
            let bytes = self.context.upload(pixels, (count, rows), &[3, side, side])?;
            let vectors = self.vision.forward_bytes(&bytes, &self.preprocessing, *dtype)?;
            return self.context.fetch(vectors);
        }
        let pixels = self.preprocessing.normalized(&filled_up(pixels, count, rows));
        Ok(Fetched::Here(self.vision.forward(&Tensor::from_vec(pixels, (rows, 3, side, side), device)?)?))
    }

    /// Starts on images.
    fn start(&self, pixels: &[u8], count: usize) -> Result<InFlight<'_>, EmbedError> {
        let len = self.input_len();
        if pixels.len() != len * count {
            let found = pixels.len();
            return Err(EmbedError::Model(format!(
                "expected {count} images of {len} bytes, got {found} bytes"
            )));
        }
        let work = |batch: &[u8], count: usize, rows: usize| {
            let found = self.image_batch(batch, count, rows).map_err(|error| self.failed(&error, count))?;
            Ok((found, count))
        };
        let batches = self.batches.start(pixels, len, work, || self.context.trim())?;
        Ok(InFlight { model: self, batches })
    }
}

/// Images that the tower works on.
struct InFlight<'a> {
    model: &'a ClipEmbedder,
    /// With the images of each that count.
    batches: Vec<(Fetched, usize)>,
}

impl Started for InFlight<'_> {
    fn finish(self: Box<Self>) -> Result<Vec<f32>, EmbedError> {
        let InFlight { model, batches } = *self;
        let dim = model.dim();
        let mut out = Vec::with_capacity(batches.iter().map(|(_, count)| count * dim).sum());
        for (found, count) in batches {
            let numbers =
                model.context.wait(found, count * dim).map_err(|error| model.failed(&error, count))?;
            out.extend(units(numbers, dim));
        }
        if all_undefined(&out, dim) {
            return Err(EmbedError::Model(format!("{} {UNDEFINED}", model.name)));
        }
        Ok(out)
    }
}

/// Rows of `dim` numbers as unit vectors. One that has no direction is not a number.
fn units(mut numbers: Vec<f32>, dim: usize) -> Vec<f32> {
    for row in numbers.chunks_exact_mut(dim.max(1)) {
        let length = row.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
        if length.is_finite() && length > 0.0 {
            row.iter_mut().for_each(|x| *x = (f64::from(*x) / length) as f32);
        } else {
            row.fill(f32::NAN);
        }
    }
    numbers
}

/// Whether no row of many is a vector: that is not the images' fault.
fn all_undefined(numbers: &[f32], dim: usize) -> bool {
    numbers.len() >= SUSPICIOUS * dim.max(1) && numbers.iter().all(|number| number.is_nan())
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
        self.batches.call()
    }

    fn input_len(&self) -> usize {
        self.preprocessing.len()
    }

    fn preprocess(&self, image: &RgbImage) -> Vec<u8> {
        self.preprocessing.apply(image)
    }

    #[cfg(feature = "cuda")]
    fn preprocess_on_device(&self, images: &[RgbImage]) -> Result<Option<Vec<u8>>, EmbedError> {
        let candle_core::Device::Cuda(device) = &self.context.device else { return Ok(None) };
        let made = crate::ops::half::card::inputs(device, images, &self.preprocessing);
        let made = made.and_then(|made| device.clone_dtoh(&made));
        made.map(Some).map_err(|error| self.failed(&error, images.len()))
    }

    fn embed_images(&self, pixels: &[u8], count: usize) -> Result<Vec<f32>, EmbedError> {
        Box::new(self.start(pixels, count)?).finish()
    }

    fn ahead(&self) -> usize {
        if self.context.stepwise { 2 } else { 1 }
    }

    fn start_images<'a>(&'a self, pixels: &[u8], count: usize) -> Result<Box<dyn Started + 'a>, EmbedError> {
        Ok(Box::new(self.start(pixels, count)?))
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
            let ids: Vec<u32> = prompts.iter().flat_map(|(_, ids)| ids.iter().copied()).collect();
            let mut vectors = Vec::with_capacity(prompts.len() * dim);
            let work = |batch: &[u32], count: usize, rows: usize| {
                let batch = filled_up(batch, count, rows);
                let found = tower.forward(&batch, tokens, &self.context.device);
                Ok((found.map_err(|error| self.failed(&error, count))?, count))
            };
            for (found, count) in self.text_batches.start(&ids, tokens, work, || self.context.trim())? {
                let numbers = self.context.wait(Fetched::Here(found), count * dim);
                vectors.extend(units(numbers.map_err(|error| self.failed(&error, count))?, dim));
            }
            if vectors.iter().any(|number| number.is_nan()) {
                return Err(EmbedError::Model(format!("{} {UNDEFINED}", self.name)));
            }
            for ((index, _), vector) in prompts.iter().zip(vectors.chunks_exact(dim)) {
                out[index * dim..][..dim].copy_from_slice(vector);
            }
        }
        Ok(out)
    }

    fn keep_on_device(&self, vectors: &[f32]) -> Result<Option<Box<dyn DeviceVectors>>, EmbedError> {
        if !self.context.stepwise {
            return Ok(None);
        }
        // What the towers leave: their batches are done.
        self.context.trim();
        keep(&self.context, vectors, self.dim(), self.spare)
    }

    fn logit_scale(&self) -> f32 {
        self.logit_scale
    }
}

/// Keeps unit vectors on a device for the neighbor search, if `spare` bytes of its memory suffice; the search on the CPU finds
/// the same.
pub(crate) fn keep(
    context: &DeviceContext,
    vectors: &[f32],
    dim: usize,
    spare: u64,
) -> Result<Option<Box<dyn DeviceVectors>>, EmbedError> {
    let DeviceContext { device, dtype, name, .. } = context;
    let rows = vectors.len() / dim.max(1);
    let Some(products) = ResidentVectors::room_for_products(rows, dim, *dtype, spare) else {
        return Ok(None);
    };
    let kept = ResidentVectors::new(vectors, dim, products, (device, *dtype), name);
    Ok(Some(Box::new(kept.map_err(|error| failed(name, &error, rows))?)))
}

#[cfg(test)]
mod tests;
