//! Loads a model.

use anyhow::Result;
use chaffinch_clip::{DeviceChoice, MemoryBudget, ModelSource};
use chaffinch_compute::embedding::{EmbedError, Embedder};
use chaffinch_engine::ModelLoader;
use std::sync::Arc;

/// Returns a function that loads the model when needed. Invalid names, devices and memory sizes fail immediately.
pub(super) fn loader(model: &str, device: &str, budget: Option<&str>) -> Result<ModelLoader> {
    let source = ModelSource::parse(model)?;
    let device: DeviceChoice = device.parse()?;
    let budget: Option<MemoryBudget> = budget.map(str::parse).transpose()?;
    Ok(Arc::new(move || {
        let load = |error: chaffinch_clip::ClipError| EmbedError::Model(error.to_string());
        Ok(Arc::new(chaffinch_clip::load_within(&source, device, budget).map_err(load)?) as Arc<dyn Embedder>)
    }))
}
