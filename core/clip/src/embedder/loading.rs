//! Loads a model onto a device.

use super::ClipEmbedder;
use super::placed::{Basis, Placed};
use super::spread::Spread;
use crate::budget::{MemoryBudget, usual_batch};
use crate::device::{DeviceChoice, DeviceContext, Gpus};
use crate::error::ClipError;
use crate::hub::FetchProgress;
use crate::preprocess::PREPROCESSING_VERSION;
use crate::source::{Checkpoint, ModelSource};
use candle_core::DType;
use chaffinch_compute::embedding::ModelFingerprint;
use std::sync::Arc;

/// Loads a model: finds or downloads its files, checks them for consistency, and puts the weights on the device.
///
/// # Errors
/// One sentence that names the file, the tensor, the device or the hub concerned, and what to do.
pub fn load(source: &ModelSource, device: DeviceChoice) -> Result<ClipEmbedder, ClipError> {
    load_within(source, device, None)
}

/// [`load`] with at most `budget` of the memory of each GPU. It does not limit CPU memory.
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
/// [`DeviceChoice::Auto`], a model that no GPU can hold or run is loaded on the CPU, and a note says why. With it and
/// [`DeviceChoice::Cuda`], one GPU holds the model until there is much to embed, and then all that compute the same bits do.
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
    let mut gpus = Gpus::of(&device);
    // A device that cannot be used is said before a model is downloaded.
    let context = DeviceContext::first(&device, &mut gpus)?;
    let checkpoint = Checkpoint::open(source, offline, progress)?;
    load_on(source, context, gpus, checkpoint, budget)
}

/// Loads a checkpoint on a device, or on what its GPUs say where it does not work there.
pub(super) fn load_on(
    source: &ModelSource,
    context: DeviceContext,
    gpus: Gpus,
    mut checkpoint: Checkpoint,
    budget: Option<MemoryBudget>,
) -> Result<ClipEmbedder, ClipError> {
    let tokenizer = checkpoint.tokenizer.take();
    let preprocessing = checkpoint.preprocessing.clone();
    let (digest, revision) = (std::mem::take(&mut checkpoint.digest), checkpoint.revision.take());
    let mut notes = std::mem::take(&mut checkpoint.notes);
    let (usual, image_size) = (usual_batch(&checkpoint.config), checkpoint.config.vision.image_size);
    let basis = Basis { checkpoint, reads: tokenizer.is_some(), budget, stop: Arc::default() };
    let (spread, more) = Spread::new(context, gpus, basis)?;
    notes.extend(more);
    let Placed { context, batch, .. } = spread.first();
    // Half precision gives different numbers, and so does another batch on a GPU: they are part of the fingerprint.
    let precision = match context.dtype {
        _ if context.in_tiles => "-bf16",
        DType::F32 => "",
        _ => "-f16",
    };
    let batched = if context.stepwise && *batch != usual { format!("-b{batch}") } else { String::new() };
    if !batched.is_empty() {
        notes.push(format!(
            "GPU memory suffices for batches of {batch} instead of {usual}, whose vectors differ in the last digits and are \
             stored apart"
        ));
    }
    Ok(ClipEmbedder {
        name: source.to_string(),
        fingerprint: ModelFingerprint::new(&digest, &format!("{PREPROCESSING_VERSION}{precision}{batched}")),
        tokenizer: spread.first().text.as_ref().and(tokenizer),
        preprocessing,
        image_size,
        spread,
        revision,
        notes,
    })
}
