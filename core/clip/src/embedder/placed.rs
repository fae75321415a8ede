//! The towers on one device.

use super::ImageTower;
use crate::batches::{Batches, LEAST_ROWS, filled_up};
use crate::budget::{Memory, MemoryBudget};
use crate::config::{Backbone, Family};
use crate::device::{DeviceContext, Fetched};
use crate::error::ClipError;
use crate::failure::{Meaning, first_line};
use crate::layers::Loader;
use crate::lite0::Lite0Tower;
use crate::preprocess::Preprocessing;
use crate::source::Checkpoint;
use crate::text::TextTower;
use crate::vision::VisionTower;
use crate::vit::VitTower;
use candle_core::{DType, Tensor};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};

/// What towers are made of.
pub(super) struct Basis {
    pub(super) checkpoint: Checkpoint,
    /// Whether there is a text tower.
    pub(super) reads: bool,
    /// For each device.
    pub(super) budget: Option<MemoryBudget>,
    /// Set when towers that are being loaded are no longer wanted.
    pub(super) stop: Arc<AtomicBool>,
}

/// The sides of a grid with its numbers, and the length of their sum.
type GridAndLength = (([usize; 2], Vec<f32>), f32);

/// Towers on a device.
pub(super) struct Placed {
    pub(super) context: DeviceContext,
    pub(super) vision: ImageTower,
    pub(super) text: Option<TextTower>,
    pub(super) logit_scale: f32,
    /// Images of a batch, unless memory ends later.
    pub(super) batch: usize,
    pub(super) batches: Batches,
    /// Of prompts.
    pub(super) text_batches: Batches,
    /// Bytes of device memory available besides the weights.
    pub(super) spare: u64,
    /// Calls that it works on.
    pub(super) unfinished: AtomicUsize,
}

impl Placed {
    /// Loads the towers, to compute the same bits as others if there are some.
    pub(super) fn new(
        context: DeviceContext,
        basis: &Basis,
        like: Option<&Placed>,
    ) -> Result<Placed, ClipError> {
        let Checkpoint { config, weights, preprocessing, .. } = &basis.checkpoint;
        // Before anything takes memory there.
        like.map_or(Ok(()), |like| of_one_kind(&context, &like.context))?;
        let (mut batch, spare) = if context.stepwise {
            let memory = Memory::new(basis.budget, context.free);
            (memory.batch(config, weights.numbers())?, memory.beside(weights.numbers()))
        } else {
            // Every thread gets at least eight images at a time.
            ((8 * candle_core::utils::get_num_threads()).clamp(LEAST_ROWS, 256), u64::MAX)
        };
        if let Some(like) = like {
            suffices(&context, batch, like.batch)?;
            batch = like.batch;
        }
        let loader = Loader {
            weights,
            device: &context.device,
            dtype: context.dtype,
            stepwise: context.stepwise,
            in_tiles: context.in_tiles,
            device_name: &context.name,
            stop: &basis.stop,
        };
        let vision = match config.family {
            Family::Clip if config.vision.backbone == Backbone::Lite0 => {
                ImageTower::Lite0(Box::new(Lite0Tower::load(&loader, config)?))
            }
            Family::Clip | Family::Siglip | Family::Dinov2 => {
                ImageTower::Clip(Box::new(VisionTower::load(&loader, config)?))
            }
            Family::Vit if context.in_tiles => {
                let reason = "models of type vit do not support bf16; use --device cpu";
                return Err(ClipError::Device { device: context.name.clone(), reason: reason.into() });
            }
            Family::Vit => ImageTower::Vit(VitTower::load(&loader, config)?),
        };
        let text = match &config.text {
            Some(tower) if basis.reads => Some(TextTower::load(&loader, config, tower)?),
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
        if context.stepwise {
            batch = try_out(&vision, &context, preprocessing, batch, &loader)?;
        }
        like.map_or(Ok(()), |like| suffices(&context, batch, like.batch))?;
        let batches = |size: usize| match context.stepwise {
            true => Batches::Always(AtomicUsize::new(size)),
            false => Batches::AtMost(size),
        };
        let (batches, text_batches) = (batches(batch), batches(LEAST_ROWS));
        let unfinished = AtomicUsize::new(0);
        Ok(Placed { context, vision, text, logit_scale, batch, batches, text_batches, spare, unfinished })
    }

    /// Whether its vectors are the same bits as those of another device.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn is_like(&self, other: &Placed) -> Result<(), ClipError> {
        of_one_kind(&self.context, &other.context)?;
        suffices(&self.context, self.batch, other.batch)
    }

    /// What the parts of one image add to its vector, `[rows * columns, dim]` with the sides of the grid, and the vector's length.
    pub(super) fn parts(
        &self,
        preprocessing: &Preprocessing,
        pixels: &[u8],
    ) -> candle_core::Result<GridAndLength> {
        let DeviceContext { device, dtype, .. } = &self.context;
        let side = preprocessing.side();
        let images = Tensor::from_vec(preprocessing.normalized(pixels), (1, 3, side, side), device)?;
        let images = images.to_dtype(*dtype)?;
        let (parts, cells) = self.vision.parts(&images)?;
        let vector: Vec<f32> =
            self.vision.forward(&images)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        Ok(((cells, parts.flatten_all()?.to_vec1()?), length))
    }

    /// Starts a batch of `count` images, filled up to `rows`.
    pub(super) fn start(
        &self,
        preprocessing: &Preprocessing,
        pixels: &[u8],
        (count, rows): (usize, usize),
    ) -> candle_core::Result<Fetched> {
        let DeviceContext { device, dtype, stepwise, .. } = &self.context;
        let side = preprocessing.side();
        if *stepwise {
            let bytes = self.context.upload(pixels, (count, rows), &[3, side, side])?;
            let vectors = self.vision.forward_bytes(&bytes, preprocessing, *dtype)?;
            return self.context.fetch(vectors);
        }
        let pixels = preprocessing.normalized(&filled_up(pixels, count, rows));
        let pixels = Tensor::from_vec(pixels, (rows, 3, side, side), device)?;
        Ok(Fetched::Here(self.vision.forward(&pixels)?))
    }
}

/// Refuses a GPU that may round otherwise.
fn of_one_kind(context: &DeviceContext, wanted: &DeviceContext) -> Result<(), ClipError> {
    let [kind, usual] = [context, wanted].map(|context| context.gpu.as_ref().map(|gpu| &gpu.kind));
    if kind == usual {
        return Ok(());
    }
    let reason =
        format!("it is of another kind than {}, so its vectors would differ in the last digits", wanted.name);
    Err(ClipError::Device { device: context.name.clone(), reason })
}

/// Refuses a device that has no memory for batches of the size that others have.
fn suffices(context: &DeviceContext, batch: usize, wanted: usize) -> Result<(), ClipError> {
    if batch >= wanted {
        return Ok(());
    }
    let reason = format!(
        "its free memory suffices for batches of {batch} instead of {wanted}, whose vectors differ in the last digits; end other \
         programs on it, see nvidia-smi"
    );
    Err(ClipError::Device { device: context.name.clone(), reason })
}

/// Runs a batch, so that what does not work fails here, where the CPU can take over. Halves it until its memory suffices.
fn try_out(
    vision: &ImageTower,
    context: &DeviceContext,
    preprocessing: &Preprocessing,
    batch: usize,
    loader: &Loader,
) -> Result<usize, ClipError> {
    if context.device.is_cpu() {
        return Ok(batch);
    }
    let mut batch = batch;
    loop {
        let run = || -> candle_core::Result<Vec<f32>> {
            let (side, black) = (preprocessing.side(), vec![0; preprocessing.len()]);
            let bytes = context.upload(&black, (1, batch), &[3, side, side])?;
            let vectors = vision.forward_bytes(&bytes, preprocessing, context.dtype)?;
            context.wait(context.fetch(vectors)?, batch * vision.dim())
        };
        match run() {
            Ok(_) => return Ok(batch),
            Err(error) if batch > 1 && Meaning::of(&first_line(&error)) == Some(Meaning::NoMemory) => {
                context.trim();
                batch /= 2;
            }
            Err(error) => return loader.check(Err(error)),
        }
    }
}
