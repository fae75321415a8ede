//! Limits the GPU memory of the model and its activations, for shared GPUs.
//!
//! The memory of a layer is computed from the model's shape, plus half as much for the device's allocator.

use crate::config::{Backbone, ModelConfig};
use crate::error::ClipError;
use crate::lite0;
use bytesize::ByteSize;
use std::fmt;
use std::str::FromStr;

/// Minimum number of rows of a matrix product. A product with a single row takes a different path through the kernels
/// and sums in a different order, so the same image would get different bits alone than in a batch.
pub(crate) const LEAST_ROWS: usize = 32;

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

impl MemoryBudget {
    /// Batch size, at most `most`.
    ///
    /// # Errors
    /// When the weights and the smallest batch exceed the budget.
    pub(crate) fn batch(self, config: &ModelConfig, weights: u64, most: usize) -> Result<usize, ClipError> {
        let weights = weights * HALF;
        let image = image_bytes(config);
        let fitting = self.0.saturating_sub(weights) / image.max(1);
        if fitting < LEAST_ROWS as u64 {
            let needed = ByteSize(weights + LEAST_ROWS as u64 * image).to_string();
            return Err(ClipError::Budget { budget: self.to_string(), needed });
        }
        Ok(usize::try_from(fitting).unwrap_or(most).min(most))
    }

    /// What is left besides this many numbers of weights.
    pub(crate) fn beside(self, weights: u64) -> u64 {
        self.0.saturating_sub(weights * HALF)
    }
}

/// Memory for one image in the widest layer.
fn image_bytes(config: &ModelConfig) -> u64 {
    let vision = &config.vision;
    if vision.backbone == Backbone::Lite0 {
        let size = vision.image_size as u64;
        let image = 3 * size * size * (4 + HALF);
        return (image + (size / 2).pow(2) * lite0::WIDEST as u64 * HALF) * 3 / 2;
    }
    let (size, patch) = (vision.image_size as u64, vision.patch_size.max(1) as u64);
    let (hidden, inner) = (vision.encoder.hidden_size as u64, vision.encoder.intermediate_size as u64);
    let heads = vision.encoder.num_attention_heads as u64;
    let tokens = (size / patch).pow(2) + 1;
    // The image in both precisions; what the layer is added to, its norm, queries, keys, values, what comes of them and
    // its copy; the inner layer before and behind its activation; scores and shares of attention.
    let image = 3 * size * size * (4 + HALF);
    let layer = tokens * (7 * hidden + 2 * inner) * HALF;
    let attention = 2 * heads * tokens * tokens * HALF;
    (image + layer + attention) * 3 / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn budget(text: &str) -> MemoryBudget {
        text.parse().unwrap()
    }

    /// ViT-B/32 with the given patches.
    fn config(patch: usize) -> ModelConfig {
        let text = format!(
            r#"{{"model_type":"clip_vision_model","hidden_size":768,"intermediate_size":3072,"num_hidden_layers":12,
            "num_attention_heads":12,"image_size":224,"patch_size":{patch},"projection_dim":512,"hidden_act":"quick_gelu"}}"#
        );
        ModelConfig::parse(&text, Path::new("config.json")).unwrap()
    }

    #[test]
    fn budgets_are_read_as_people_write_them() {
        assert_eq!(budget("2GiB"), budget("2048 MiB"));
        assert_eq!(budget("1 GB").to_string(), ByteSize(1_000_000_000).to_string());
        for wrong in ["", "0", "much", "-1GB", "2 quarts"] {
            let error = wrong.parse::<MemoryBudget>().unwrap_err().to_string();
            assert!(error.contains("such as 6GiB"), "{wrong}: {error}");
        }
    }

    #[test]
    fn a_batch_gets_what_the_weights_leave() {
        let (config, weights) = (config(32), 88_000_000);
        let batch = |text: &str| budget(text).batch(&config, weights, 256);
        assert_eq!(batch("8GiB").unwrap(), 256);
        let few = batch("300MiB").unwrap();
        assert!((LEAST_ROWS..256).contains(&few), "{few}");
        assert!(batch("400MiB").unwrap() > few);
        let error = batch("180MB").unwrap_err().to_string();
        assert!(error.contains("memory budget") && error.contains("--vram-budget"), "{error}");
        // Smaller patches are more of them.
        assert!(budget("1GiB").batch(&super::tests::config(14), weights, 256).unwrap() < 256);
    }
}
