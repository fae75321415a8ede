//! Loads a model onto a device.

use super::{ClipEmbedder, ImageTower};
use crate::batches::{Batches, LEAST_ROWS};
use crate::budget::{Memory, MemoryBudget, usual_batch};
use crate::config::{Backbone, Family};
use crate::device::{DeviceChoice, DeviceContext};
use crate::error::ClipError;
use crate::failure::{Meaning, first_line};
use crate::hub::FetchProgress;
use crate::layers::Loader;
use crate::lite0::Lite0Tower;
use crate::preprocess::{PREPROCESSING_VERSION, Preprocessing};
use crate::source::{Checkpoint, ModelSource};
use crate::text::TextTower;
use crate::vision::VisionTower;
use crate::vit::VitTower;
use candle_core::DType;
use chaffinch_compute::embedding::ModelFingerprint;
use std::sync::atomic::AtomicUsize;

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

/// [`load_within`] that requests nothing from the hub if `offline`, and tells the progress of downloads. With
/// [`DeviceChoice::Auto`], a model that a GPU cannot hold or run is loaded on the CPU, and a note says why.
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
    let context = DeviceContext::new(device)?;
    let checkpoint = Checkpoint::open(source, offline, progress)?;
    load_on(source, context, checkpoint, budget, device == DeviceChoice::Auto)
}

/// Loads a checkpoint on a device, or on the CPU if it does not work there and that is `allowed`.
pub(super) fn load_on(
    source: &ModelSource,
    context: DeviceContext,
    checkpoint: Checkpoint,
    budget: Option<MemoryBudget>,
    allowed: bool,
) -> Result<ClipEmbedder, ClipError> {
    let (context, loaded) = match Loaded::new(&context, &checkpoint, budget) {
        Ok(loaded) => (context, loaded),
        Err(error) if allowed && context.stepwise && error.is_of_device() => {
            let context = DeviceContext::instead_of_gpu(&error);
            let loaded = Loaded::new(&context, &checkpoint, None)?;
            (context, loaded)
        }
        Err(error) => return Err(error),
    };
    let Loaded { vision, text, logit_scale, batch, spare } = loaded;
    let Checkpoint { config, preprocessing, tokenizer, digest, revision, mut notes, .. } = checkpoint;
    notes.extend(context.notes.iter().cloned());
    // Half precision gives different numbers, and so does another batch on a GPU: they are part of the fingerprint.
    let precision = match context.dtype {
        _ if context.in_tiles => "-bf16",
        DType::F32 => "",
        _ => "-f16",
    };
    let usual = usual_batch(&config);
    let batched = if context.stepwise && batch != usual { format!("-b{batch}") } else { String::new() };
    if !batched.is_empty() {
        notes.push(format!(
            "GPU memory suffices for batches of {batch} instead of {usual}, whose vectors differ in the last digits and are \
             stored apart"
        ));
    }
    let batches = |size: usize| match context.stepwise {
        true => Batches::Always(AtomicUsize::new(size)),
        false => Batches::AtMost(size),
    };
    Ok(ClipEmbedder {
        name: source.to_string(),
        fingerprint: ModelFingerprint::new(&digest, &format!("{PREPROCESSING_VERSION}{precision}{batched}")),
        vision,
        text: text.zip(tokenizer),
        preprocessing,
        image_size: config.vision.image_size,
        logit_scale,
        batches: batches(batch),
        text_batches: batches(LEAST_ROWS),
        context,
        spare,
        revision,
        notes,
    })
}

/// What a device holds of a checkpoint.
struct Loaded {
    vision: ImageTower,
    text: Option<TextTower>,
    logit_scale: f32,
    batch: usize,
    /// Bytes of device memory left besides the weights.
    spare: u64,
}

impl Loaded {
    fn new(
        context: &DeviceContext,
        checkpoint: &Checkpoint,
        budget: Option<MemoryBudget>,
    ) -> Result<Loaded, ClipError> {
        let Checkpoint { config, weights, tokenizer, .. } = checkpoint;
        let (mut batch, spare) = if context.stepwise {
            let memory = Memory::new(budget, context.free);
            (memory.batch(config, weights.numbers())?, memory.beside(weights.numbers()))
        } else {
            // Every thread gets at least eight images at a time.
            ((8 * candle_core::utils::get_num_threads()).clamp(LEAST_ROWS, 256), u64::MAX)
        };
        let loader = Loader {
            weights,
            device: &context.device,
            dtype: context.dtype,
            stepwise: context.stepwise,
            in_tiles: context.in_tiles,
            device_name: &context.name,
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
        let text = match (&config.text, tokenizer) {
            (Some(tower), Some(_)) => Some(TextTower::load(&loader, config, tower)?),
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
            batch = try_out(&vision, context, &checkpoint.preprocessing, batch, &loader)?;
        }
        Ok(Loaded { vision, text, logit_scale, batch, spare })
    }
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
