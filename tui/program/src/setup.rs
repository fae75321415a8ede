//! Resolves arguments into an engine's setup: session, settings, detectors, and model.

use super::args::{DatasetArgs, EngineArgs, Global};
use super::libraries::registry;
use super::model_loader::loader;
use super::output::warning;
use super::settings;
use anyhow::Result;
use chaffinch_data::config::{Config, Flags};
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::prompts::PromptSet;
use chaffinch_data::session;
use chaffinch_data::session::{Session, SessionLocation};
use chaffinch_engine::Setup;
use chaffinch_host::Registry;
use std::path::Path;
use std::sync::Arc;

fn flags(engine: &EngineArgs) -> Flags {
    Flags {
        model: engine.model.clone(),
        device: engine.device.clone(),
        vram_budget: engine.vram_budget.clone(),
        detectors: (!engine.detectors.is_empty()).then(|| engine.detectors.clone()),
        ensemble: engine.ensemble.clone(),
        plugin_folders: engine.plugins.clone(),
        ..Flags::default()
    }
}

/// Options for reading a dataset.
pub(super) fn options(reading: &DatasetArgs) -> DatasetOptions {
    DatasetOptions {
        path_column: reading.path_column.clone(),
        label_column: reading.label_column.clone(),
        split_column: reading.split_column.clone(),
        root: reading.root.clone(),
        ground: reading.ground.unwrap_or_default(),
        ..DatasetOptions::default()
    }
}

/// For commands that take a dataset.
pub(super) fn for_dataset(
    dataset: &Path,
    global: &Global,
    engine: &EngineArgs,
    reading: &DatasetArgs,
) -> Result<Setup> {
    // Check first, so that a folder without images does not leave an empty session behind.
    let location = session::resolve(dataset, global.session.as_deref())?;
    if !location.dir.join("samples.arrow").is_file() {
        chaffinch_formats::dataset::open(&location.dataset, &options(reading))?;
    }
    for_location(&location, global, engine, reading)
}

/// For commands that take a dataset or a session.
pub(super) fn for_target(
    target: &Path,
    global: &Global,
    engine: &EngineArgs,
    reading: &DatasetArgs,
) -> Result<Setup> {
    for_dataset(target, global, engine, reading)
}

fn for_location(
    location: &SessionLocation,
    global: &Global,
    engine: &EngineArgs,
    reading: &DatasetArgs,
) -> Result<Setup> {
    let config = settings::config(global, Some(&location.dir))?.with_flags(flags(engine));
    settings::warn(&config);
    let registry = registry(&config, &engine.detectors)?;
    let prompts = prompts(&config)?;
    let model = loader(config.model(), config.device(), config.vram_budget())?;
    Ok(Setup {
        dataset: location.dataset.clone(),
        dataset_options: options(reading),
        session: open_session(location)?,
        config,
        registry: Arc::new(registry),
        prompts,
        model,
    })
}

/// Opens the session. Even if its dataset is gone, it can still be reviewed.
fn open_session(location: &SessionLocation) -> Result<Session> {
    Ok(match location.dataset.exists() {
        true => Session::open_or_create(&location.dir, &location.dataset)?,
        false => Session::open(&location.dir)?,
    })
}

fn prompts(config: &Config) -> Result<PromptSet> {
    let prompts = PromptSet::load(config.prompt_files())?;
    for text in prompts.warnings() {
        warning("prompts", text);
    }
    Ok(prompts)
}

/// For `plugins check`: default settings, the bundled model, and only the libraries to check.
pub(super) fn for_check(dataset: &Path, session: &Path, registry: Arc<Registry>) -> Result<Setup> {
    let config = Config::built_in();
    Ok(Setup {
        dataset: dataset.to_path_buf(),
        dataset_options: DatasetOptions::default(),
        session: Session::open_or_create(session, dataset)?,
        prompts: PromptSet::bundled(),
        model: loader("bundled", "cpu", None)?,
        registry,
        config,
    })
}
