//! The towers behind the engine's [`Embedder`].

mod loading;
mod placed;
mod spread;

use crate::batches::filled_up;
use crate::device::{DeviceContext, Fetched};
use crate::failure::failed;
use crate::lite0::Lite0Tower;
use crate::preprocess::Preprocessing;
use crate::resident::ResidentVectors;
use crate::tokenizer::ClipTokenizer;
use crate::vision::VisionTower;
use crate::vit::VitTower;
use candle_core::{DType, Tensor};
use chaffinch_compute::embedding::{EmbedError, Embedder, ModelFingerprint, Parts, Started};
use chaffinch_compute::image::RgbImage;
use chaffinch_compute::neighbors::DeviceVectors;
pub use loading::{load, load_with, load_within};
use placed::Placed;
use spread::{Busy, Spread};
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
    /// `None` without a text tower.
    tokenizer: Option<ClipTokenizer>,
    preprocessing: Preprocessing,
    image_size: usize,
    /// The towers, on one device or several.
    spread: Spread,
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

    /// What the parts of one image `[1, 3, size, size]` add to its vector, in single precision, and the sides of their grid.
    fn parts(&self, images: &Tensor) -> candle_core::Result<(Tensor, [usize; 2])> {
        match self {
            ImageTower::Clip(tower) => tower.parts(images),
            ImageTower::Lite0(tower) => tower.parts(images),
            ImageTower::Vit(_) => {
                candle_core::bail!("a model of type vit reads no texts to explain a picture by")
            }
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
        let tokenizer = self.tokenizer.as_ref()?;
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
        self.tokenizer.is_some()
    }

    /// Waits until all GPUs on which images are embedded from now on hold the model. They are opened when many images come, while
    /// others are embedded.
    pub fn wait_for_devices(&self) {
        self.spread.wait();
    }

    fn failed(&self, placed: &Placed, error: &candle_core::Error, batch: usize) -> EmbedError {
        failed(&format!("{} on {}", self.name, placed.context.name), error, batch)
    }

    /// Starts on images on a device, in batches that may be halved or not.
    fn start_on(&self, placed: &Placed, pixels: &[u8], may_halve: bool) -> Result<Batched, EmbedError> {
        let work = |batch: &[u8], count: usize, rows: usize| {
            let found = placed.start(&self.preprocessing, batch, (count, rows));
            Ok((found.map_err(|error| self.failed(placed, &error, count))?, count))
        };
        placed.batches.start(pixels, self.input_len(), work, || placed.context.trim(), may_halve)
    }

    /// Waits for vectors.
    fn collect(&self, placed: &Placed, batches: Batched) -> Result<Vec<f32>, EmbedError> {
        let dim = self.dim();
        let mut out = Vec::with_capacity(batches.iter().map(|(_, count)| count * dim).sum());
        for (found, count) in batches {
            let numbers = placed.context.wait(found, count * dim);
            out.extend(units(numbers.map_err(|error| self.failed(placed, &error, count))?, dim));
        }
        Ok(out)
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
        let (chosen, batches) =
            self.spread.run(|placed, may_halve| self.start_on(placed, pixels, may_halve))?;
        let copy = chosen.may_have_others.then(|| self.spread.copy(pixels));
        Ok(InFlight { model: self, busy: Busy::new(chosen.placed), batches, copy })
    }

    /// Vectors of prompts that are `tokens` long.
    fn embed_tokens(
        &self,
        placed: &Placed,
        ids: &[u32],
        tokens: usize,
        may_halve: bool,
    ) -> Result<Vec<f32>, EmbedError> {
        let Some(tower) = &placed.text else { return Err(EmbedError::NoTextTower(self.name.clone())) };
        let work = |batch: &[u32], count: usize, rows: usize| {
            let batch = filled_up(batch, count, rows);
            let found = tower.forward(&batch, tokens, &placed.context.device);
            Ok((Fetched::Here(found.map_err(|error| self.failed(placed, &error, count))?), count))
        };
        let relieve = || placed.context.trim();
        self.collect(placed, placed.text_batches.start(ids, tokens, work, relieve, may_halve)?)
    }
}

/// Batches that a device works on, with the images or prompts of each that count.
type Batched = Vec<(Fetched, usize)>;

/// Images that a device works on.
struct InFlight<'a> {
    model: &'a ClipEmbedder,
    busy: Busy,
    batches: Batched,
    /// Those images, if another device could compute them.
    copy: Option<Vec<u8>>,
}

impl Started for InFlight<'_> {
    fn finish(self: Box<Self>) -> Result<Vec<f32>, EmbedError> {
        let InFlight { model, busy, batches, copy } = *self;
        let found = model.collect(&busy.0, batches);
        let out = match (found, &copy) {
            // A device that failed since is not trusted with what it computed before either.
            (Ok(found), Some(_)) if model.spread.works(&busy.0) => found,
            (found, Some(pixels)) => {
                if let Err(error) = found {
                    model.spread.fail(&busy.0, error)?;
                }
                let again = |placed: &Placed, may_halve: bool| {
                    model.collect(placed, model.start_on(placed, pixels, may_halve)?)
                };
                model.spread.run(again)?.1
            }
            (found, None) => found?,
        };
        model.spread.take_back(copy);
        if all_undefined(&out, model.dim()) {
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
        self.spread.first().vision.dim()
    }

    fn device(&self) -> String {
        self.spread.names()
    }

    fn happened(&self) -> Vec<String> {
        self.spread.happened()
    }

    fn batch_size(&self) -> usize {
        self.spread.leading().batches.call()
    }

    fn input_len(&self) -> usize {
        self.preprocessing.len()
    }

    fn preprocess(&self, image: &RgbImage) -> Vec<u8> {
        self.preprocessing.apply(image)
    }

    fn embed_images(&self, pixels: &[u8], count: usize) -> Result<Vec<f32>, EmbedError> {
        Box::new(self.start(pixels, count)?).finish()
    }

    fn seen(&self, width: u32, height: u32) -> [f32; 4] {
        self.preprocessing.seen(width, height)
    }

    fn parts(&self, pixels: &[u8]) -> Result<Parts, EmbedError> {
        let len = self.input_len();
        if pixels.len() != len {
            return Err(EmbedError::Model(format!(
                "expected one image of {len} bytes, got {} bytes",
                pixels.len()
            )));
        }
        let (_, (parts, length)) = self.spread.run(|placed, _| {
            placed.parts(&self.preprocessing, pixels).map_err(|error| self.failed(placed, &error, 1))
        })?;
        let ([rows, columns], mut vectors) = parts;
        // In the measure of the vector of unit length.
        vectors.iter_mut().for_each(|x| *x /= length);
        if !vectors.iter().all(|x| x.is_finite()) {
            return Err(EmbedError::Model(format!("{} {UNDEFINED}", self.name)));
        }
        Ok(Parts { rows, columns, vectors })
    }

    fn ahead(&self) -> usize {
        if self.spread.first().context.stepwise { 2 * self.spread.count() } else { 1 }
    }

    fn start_images<'a>(&'a self, pixels: &[u8], count: usize) -> Result<Box<dyn Started + 'a>, EmbedError> {
        self.spread.give(count);
        Ok(Box::new(self.start(pixels, count)?))
    }

    fn embed_texts(&self, texts: &[&str]) -> Result<Vec<f32>, EmbedError> {
        let Some(tokenizer) = &self.tokenizer else {
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
            let work = |placed: &Placed, may_halve: bool| self.embed_tokens(placed, &ids, tokens, may_halve);
            let (_, vectors) = self.spread.run(work)?;
            if vectors.iter().any(|number| number.is_nan()) {
                return Err(EmbedError::Model(format!("{} {UNDEFINED}", self.name)));
            }
            for ((index, _), vector) in prompts.iter().zip(vectors.chunks_exact(dim)) {
                out[index * dim..][..dim].copy_from_slice(vector);
            }
        }
        Ok(out)
    }

    fn reads_only(&self, text: &str) -> Option<usize> {
        self.tokenizer.as_ref()?.cut(text)
    }

    fn keep_on_device(&self, vectors: &[f32]) -> Result<Option<Box<dyn DeviceVectors>>, EmbedError> {
        let Placed { context, spare, .. } = &*self.spread.leading();
        if !context.stepwise {
            return Ok(None);
        }
        // What the towers leave: their batches are done.
        context.trim();
        keep(context, vectors, self.dim(), *spare)
    }

    fn logit_scale(&self) -> f32 {
        self.spread.first().logit_scale
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
