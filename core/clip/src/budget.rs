//! How much of a GPU's memory the model takes, and how many images at a time that allows.
//!
//! The memory of a layer is computed from the model's shape, plus half as much for the device's allocator. Kernels of candle
//! count numbers in 32 bits with sign, which also limits batches.

use crate::config::{Backbone, ModelConfig};
use crate::error::ClipError;
use crate::lite0;
use bytesize::ByteSize;
use std::fmt;
use std::str::FromStr;

/// Most images of a batch.
const MOST: usize = 256;
/// Memory that a batch takes where there is enough: from here on, larger products are not faster.
const USUAL: u64 = 512 << 20;
/// What a program takes on a GPU before the first number: the driver's context, kernels, and cuBLAS's workspace.
pub(crate) const CONTEXT: u64 = 512 << 20;
/// The most numbers that one tensor may have.
const COUNTABLE: u64 = (1 << 31) - 1;

/// Bytes per number in GPU precision.
const HALF: u64 = 2;

/// A budget in bytes, read from `6GiB`, `500 MB` and the like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryBudget(u64);

impl FromStr for MemoryBudget {
    type Err = ClipError;

    fn from_str(text: &str) -> Result<MemoryBudget, ClipError> {
        match text.parse::<ByteSize>() {
            Ok(size) if size.as_u64() > 0 => Ok(MemoryBudget(size.as_u64())),
            _ => Err(ClipError::UnknownBudget { text: text.into() }),
        }
    }
}

impl fmt::Display for MemoryBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", ByteSize(self.0))
    }
}

/// The memory for one model.
pub(crate) struct Memory {
    /// Bytes for weights, activations and what stays on the device, without the context; unlimited where unknown.
    bytes: u64,
    /// What it was before it was reduced, for messages.
    words: String,
}

impl Memory {
    /// The smaller of a budget, which the context is part of, and what was free when the context was there. A sixteenth of
    /// that stays free: memory is handed out in large pieces.
    pub(crate) fn new(budget: Option<MemoryBudget>, free: Option<u64>) -> Memory {
        let budgeted = budget.map(|budget| budget.0.saturating_sub(CONTEXT));
        let unused = free.map(|free| free - free / 16);
        let bytes = budgeted.unwrap_or(u64::MAX).min(unused.unwrap_or(u64::MAX));
        let words = match budget {
            Some(budget) if budgeted == Some(bytes) => format!("the memory budget of {budget}"),
            _ => format!("the {} of free GPU memory", ByteSize(free.unwrap_or_default())),
        };
        Memory { bytes, words }
    }

    /// What is left besides this many numbers of weights.
    pub(crate) fn beside(&self, weights: u64) -> u64 {
        self.bytes.saturating_sub(weights * HALF)
    }

    /// The batch of a model with this many numbers of weights: [`usual_batch`], or half of it, a quarter and so on if there is
    /// less memory.
    ///
    /// # Errors
    /// When not even the weights and one image fit.
    pub(crate) fn batch(&self, config: &ModelConfig, weights: u64) -> Result<usize, ClipError> {
        let image = image_bytes(config);
        let fitting = self.beside(weights) / image.max(1);
        if fitting == 0 {
            let needed = ByteSize(CONTEXT + weights * HALF + image).to_string();
            return Err(ClipError::Budget { memory: self.words.clone(), needed });
        }
        let mut batch = usual_batch(config);
        while batch as u64 > fitting {
            batch /= 2;
        }
        Ok(batch)
    }
}

/// Images of a batch on a GPU, a power of two that depends on the model's shape alone.
pub(crate) fn usual_batch(config: &ModelConfig) -> usize {
    let (image, numbers) = (image_bytes(config).max(1), largest_tensor(config).max(1));
    let fitting = (USUAL / image).min(COUNTABLE / numbers).clamp(1, MOST as u64);
    1 << fitting.ilog2()
}

/// Tokens of an image.
fn tokens(config: &ModelConfig) -> u64 {
    let vision = &config.vision;
    (vision.image_size as u64 / vision.patch_size.max(1) as u64).pow(2) + 1 + vision.registers as u64
}

/// Numbers of one image in the largest tensor.
fn largest_tensor(config: &ModelConfig) -> u64 {
    let (vision, encoder) = (&config.vision, &config.vision.encoder);
    let size = vision.image_size as u64;
    if vision.backbone == Backbone::Lite0 {
        // The windows under the stem's kernel, and the first wide convolution.
        return (size / 2).pow(2) * 96;
    }
    let (tokens, heads) = (tokens(config), encoder.num_attention_heads as u64);
    let widest = (3 * encoder.hidden_size).max(encoder.intermediate_size) as u64;
    (3 * size * size).max(tokens * widest).max(heads * tokens * tokens)
}

/// Memory for one image in the widest layer.
fn image_bytes(config: &ModelConfig) -> u64 {
    let vision = &config.vision;
    let size = vision.image_size as u64;
    // The image as bytes, in single and in half precision.
    let image = 3 * size * size * (1 + 4 + HALF);
    if vision.backbone == Backbone::Lite0 {
        return (image + (size / 2).pow(2) * lite0::WIDEST as u64 * HALF) * 3 / 2;
    }
    let (hidden, inner) = (vision.encoder.hidden_size as u64, vision.encoder.intermediate_size as u64);
    let (tokens, heads) = (tokens(config), vision.encoder.num_attention_heads as u64);
    // What the layer is added to, its norm, queries, keys, values, what comes of them and its copy; the inner layer before
    // and behind its activation; scores and shares of attention.
    let layer = tokens * (7 * hidden + 2 * inner) * HALF;
    let attention = 2 * heads * tokens * tokens * HALF;
    (image + layer + attention) * 3 / 2
}

#[cfg(test)]
mod tests;
