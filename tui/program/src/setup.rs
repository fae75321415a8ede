//! Resolves arguments into an engine's setup: session, settings, detectors, and model.

use super::args::{DatasetArgs, EngineArgs, Global, ReadingArgs};
use super::finders::FINDERS;
use super::libraries::{Consent, load, registry};
use super::model_loader::loader;
use super::output::warning;
use super::settings;
use super::uses::Resolved;
use super::{bundled, memory_budget, place, prompt_set, uses};
use anyhow::Result;
use chaffinch_clip::Bundled;
use chaffinch_data::config::Config;
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::prompts::PromptSet;
use chaffinch_data::session;
use chaffinch_data::session::{Session, SessionLocation};
use chaffinch_data::uses::Uses;
use chaffinch_engine::{Detectors, Given, Setup};
use chaffinch_host::Registry;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// Options for reading a dataset.
pub(super) fn options(reading: &DatasetArgs) -> DatasetOptions {
    DatasetOptions {
        labels: reading
            .labels
            .as_ref()
            .map(|file| std::path::absolute(file).unwrap_or_else(|_| file.clone())),
        key: reading.key.clone(),
        label_pattern: reading.label_pattern.clone(),
        ..own_options(&reading.own)
    }
}

/// The same for a dataset with labels of its own.
pub(super) fn own_options(reading: &ReadingArgs) -> DatasetOptions {
    DatasetOptions {
        path_column: reading.path_column.clone(),
        label_column: reading.label_column.clone(),
        split_column: reading.split_column.clone(),
        root: reading.root.clone(),
        keep_null_labels: reading.keep_null_labels,
        folders: reading.layout.map(Into::into).unwrap_or_default(),
        ground: reading.ground.unwrap_or_default(),
        label_files: reading.label_files.map(Into::into).unwrap_or_default(),
        ..DatasetOptions::default()
    }
}

/// For commands that scan a dataset. Says what comes from the session, and asks on a terminal before another model's
/// results become the current ones, and about a doubtful layout before the first scan.
pub(super) fn for_dataset(
    dataset: &Path,
    global: &Global,
    engine: &EngineArgs,
    reading: &DatasetArgs,
) -> Result<Setup> {
    let location = place::find(dataset, global)?;
    let resolved = uses::resolve(&location, global, engine, &options(reading))?;
    resolved.tell(global);
    resolved.confirm()?;
    for_location(&location, resolved, global, engine, Some(reading))
}

/// For the engine of `open`, which has said and asked everything.
pub(super) fn for_target(
    target: &Path,
    global: &Global,
    engine: &EngineArgs,
    reading: &DatasetArgs,
) -> Result<Setup> {
    let location = session::resolve(target, global.session.as_deref())?;
    let resolved = uses::resolve(&location, global, engine, &options(reading))?;
    for_location(&location, resolved, global, engine, None)
}

fn for_location(
    location: &SessionLocation,
    resolved: Resolved,
    global: &Global,
    engine: &EngineArgs,
    ask: Option<&DatasetArgs>,
) -> Result<Setup> {
    memory_budget::check()?;
    let Resolved { config, mut reading, uses, given, before, .. } = resolved;
    // Check first, so that a folder without images does not leave an empty session behind.
    let mut listed = None;
    if !location.dir.join("samples.arrow").is_file() {
        chaffinch_formats::repair::require_whole(&location.dataset)?;
        let opened = chaffinch_formats::dataset::open(&location.dataset, &reading)?;
        if let Some(args) = ask
            && let Some(folders) = super::reading::settle(&opened.ledger, args, global)?
        {
            reading.folders = folders;
        }
        listed = Some(opened.manifest);
    }
    settings::warn(&config);
    // A session that is in use ends this before any code is let in.
    let known = session::is_session(&location.dir);
    let opened = known.then(|| open_session(location, ask.is_none())).transpose()?;
    let named = if engine.detectors.is_empty() { &[][..] } else { &uses.detectors };
    let consent = match (engine.allow_changed, ask.is_some()) {
        (true, _) => Consent::Given,
        (false, true) => Consent::Ask,
        (false, false) => Consent::Later,
    };
    let registry = registry(&config, named, consent)?;
    let changed: BTreeSet<&String> = registry.changed().flat_map(|changed| changed.names).collect();
    let there = |name: &String| registry.find(name).is_some() || changed.contains(name);
    for missing in uses.detectors.iter().filter(|name| !there(name)) {
        let words =
            "this session was scanned with it, but it is not there now; add its folder with --plugins";
        warning(missing, words);
    }
    let prompts = prompt_set::configured(&config, &location.dataset)?;
    prompts.warnings().iter().for_each(|text| warning("prompts", text));
    let no_model = uses.embeddings.is_some();
    let name = match uses.model.as_deref().unwrap_or(config.model()) {
        Bundled::EITHER if no_model => Bundled::Small.name(),
        Bundled::EITHER => match bundled::kept(&before) {
            Some(model) => model.name(),
            None => {
                let choice = suiting(listed.as_ref(), location);
                if ask.is_some() && !global.quiet {
                    choice.tell();
                }
                choice.name()
            }
        },
        named => named,
    };
    let model = loader(name, config.device(), config.vram_budget(), global.offline)?;
    let again = config.clone();
    let session = match opened {
        Some(session) => session,
        None => open_session(location, ask.is_none())?,
    };
    if ask.is_some() {
        prompt_set::tell(&session, global);
    }
    Ok(Setup {
        dataset: location.dataset.clone(),
        dataset_options: reading,
        session,
        config,
        detectors: Detectors::new(registry).loaded_by(Arc::new(move || load(&again))),
        prompts,
        model,
        given,
        uses,
        program: super::named_version(),
        finders: FINDERS,
    })
}

/// The bundled model for the pictures of a dataset: of its list if it was just read, and otherwise by the sizes that the
/// session knows.
fn suiting(listed: Option<&Manifest>, location: &SessionLocation) -> bundled::Choice {
    if let Some(manifest) = listed {
        return bundled::Choice::for_manifest(manifest);
    }
    let known = Session::open_to_read(&location.dir).and_then(|session| session.load_samples());
    let sizes = known.ok().flatten().map(|(_, file_metadata)| file_metadata.dimensions);
    bundled::Choice::for_sizes(sizes.iter().flat_map(|sizes| sizes.iter()))
}

/// Opens the session. Even if its dataset is gone, it can still be reviewed; and where nothing can be written, it can be
/// looked at, if that is enough.
fn open_session(location: &SessionLocation, to_look: bool) -> Result<Session> {
    let opened = match chaffinch_data::dataset::is_there(&location.dataset) {
        true => Session::open_or_create(&location.dir, &location.dataset),
        false => Session::open(&location.dir),
    };
    match opened {
        Err(error) if to_look && error.forbids_writing() => Ok(Session::open_to_look(&location.dir, &error)?),
        opened => Ok(opened?),
    }
}

/// For `plugins check`: default settings, the bundled model, and only the libraries to check.
pub(super) fn for_check(dataset: &Path, session: &Path, registry: Arc<Registry>) -> Result<Setup> {
    let config = Config::built_in();
    Ok(Setup {
        dataset: dataset.to_path_buf(),
        dataset_options: DatasetOptions::default(),
        session: Session::open_or_create(session, dataset)?,
        prompts: PromptSet::bundled(),
        model: loader(Bundled::Small.name(), "cpu", None, true)?,
        detectors: Detectors::new(registry),
        config,
        given: Given::default(),
        uses: Uses::default(),
        program: super::named_version(),
        finders: FINDERS,
    })
}
