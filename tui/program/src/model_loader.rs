//! Loads a model, and downloads it in the foreground where a command starts.

use super::args::Global;
use super::output::warning;
use super::progress::Downloads;
use anyhow::Result;
use chaffinch_clip::{ClipEmbedder, DeviceChoice, MemoryBudget, ModelSource};
use chaffinch_compute::embedding::{EmbedError, Embedder};
use chaffinch_engine::ModelLoader;
use std::sync::Arc;

/// Returns a function that loads the model when needed. Invalid names, devices and memory sizes fail immediately.
pub(super) fn loader(model: &str, device: &str, budget: Option<&str>, offline: bool) -> Result<ModelLoader> {
    let source = ModelSource::parse(model)?;
    let device: DeviceChoice = device.parse()?;
    let budget: Option<MemoryBudget> = budget.map(str::parse).transpose()?;
    Ok(Arc::new(move || {
        let load = |error: chaffinch_clip::ClipError| EmbedError::Model(error.to_string());
        let model = chaffinch_clip::load_with(&source, device.clone(), budget, offline, &mut |_| ());
        Ok(Arc::new(model.map_err(load)?) as Arc<dyn Embedder>)
    }))
}

/// Checks what was named on the command line, without loading anything.
///
/// # Errors
/// When it is not a model, device or memory size.
pub(super) fn check(model: Option<&str>, device: Option<&str>, budget: Option<&str>) -> Result<()> {
    model.map(ModelSource::parse).transpose()?;
    device.map(str::parse::<DeviceChoice>).transpose()?;
    budget.map(str::parse::<MemoryBudget>).transpose()?;
    Ok(())
}

/// Downloads a model that is not in the cache yet, with its progress on stderr.
///
/// # Errors
/// When the model cannot be had. A session can be reviewed without it, so this need not be the end.
pub(super) fn download(model: &str, global: &Global) -> Result<(), EmbedError> {
    let Ok(source) = ModelSource::parse(model) else { return Ok(()) };
    if global.offline || !source.needs_download() {
        return Ok(());
    }
    let mut downloads = Downloads::new(&source.to_string(), global.quiet);
    let fetched =
        source.fetch(false, &mut |progress| downloads.show(progress.file, progress.done, progress.total));
    downloads.finish();
    fetched.map(drop).map_err(|error| EmbedError::Model(error.to_string()))
}

/// A loader that fails with that.
pub(super) fn failing(error: EmbedError) -> ModelLoader {
    let error = error.to_string();
    Arc::new(move || Err(EmbedError::Model(error.clone()).into()))
}

/// Loads a model here and now: downloads it with progress, and prints what is worth knowing about it.
pub(super) fn open(model: &str, device: &str, budget: Option<&str>, global: &Global) -> Result<ClipEmbedder> {
    open_with(model, device, budget, global, true)
}

/// [`open`], with or without what is worth knowing.
pub(super) fn open_with(
    model: &str,
    device: &str,
    budget: Option<&str>,
    global: &Global,
    notes: bool,
) -> Result<ClipEmbedder> {
    let source = ModelSource::parse(model)?;
    let device: DeviceChoice = device.parse()?;
    let budget: Option<MemoryBudget> = budget.map(str::parse).transpose()?;
    let mut downloads = Downloads::new(&source.to_string(), global.quiet);
    let mut show = |progress: chaffinch_clip::FetchProgress| {
        downloads.show(progress.file, progress.done, progress.total);
    };
    let model = chaffinch_clip::load_with(&source, device, budget, global.offline, &mut show);
    downloads.finish();
    let model = model?;
    if notes {
        model.notes().iter().for_each(|note| warning("model", note));
    }
    Ok(model)
}
