//! Turns what was asked for into an engine's setup: which session, which settings, which detectors, which model.

use super::args::{DatasetArgs, EngineArgs, Global};
use super::listing::Listing;
use super::models::loader;
use super::output::warning;
use super::plugins::{self, looked_in};
use anyhow::{Result, bail};
use chaffinch_data::config;
use chaffinch_data::config::{Config, Flags};
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::issue::UNREADABLE;
use chaffinch_data::journal::Journal;
use chaffinch_data::prompts::PromptSet;
use chaffinch_data::session;
use chaffinch_data::session::{Place, Session};
use chaffinch_engine as engine;
use chaffinch_engine::Setup;
use chaffinch_host::Registry;
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_review::ranking;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The configuration: of the user or the file that was named, with the session's on top.
pub(super) fn config(global: &Global, session: Option<&Path>) -> Result<Config> {
    let config = match &global.config {
        Some(file) => Config::load_with(file, session)?,
        None => Config::load(session)?,
    };
    Ok(config)
}

/// Says which keys of the configuration were passed over.
pub(super) fn complain(config: &Config) {
    for text in config.warnings() {
        warning("configuration", text);
    }
}

/// Where the configuration came from, for `doctor` and `config check`.
pub(super) fn config_words(global: &Global) -> Result<String> {
    let config = config(global, None)?;
    let users = config::config_home().map(|home| home.join("config.toml"));
    let files: Vec<String> = config.files().iter().rev().map(|file| safe_path(file)).collect();
    let set = |(name, _): &&(&str, &str)| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let mut layers: Vec<String> =
        config::VARIABLES.iter().filter(set).map(|(name, _)| (*name).into()).collect();
    layers.extend(files);
    Ok(match users {
        _ if !layers.is_empty() => format!("{} over the defaults", layers.join(" over ")),
        Some(file) => format!("the defaults (there is no {})", safe_path(&file)),
        None => "the defaults (there is no home folder)".to_owned(),
    })
}

/// The folder that sessions are kept in.
pub(super) fn sessions_folder(global: &Global) -> Result<PathBuf> {
    match (&global.session, config::state_home()) {
        (Some(folder), _) => Ok(folder.clone()),
        (None, Some(home)) => Ok(home.join("sessions")),
        (None, None) => {
            bail!("there is no home folder to keep sessions in; set HOME or name a place with --session")
        }
    }
}

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

/// How a dataset is to be read.
pub(super) fn options(reading: &DatasetArgs) -> DatasetOptions {
    DatasetOptions {
        path_column: reading.path_column.clone(),
        label_column: reading.label_column.clone(),
        split_column: reading.split_column.clone(),
        root: reading.root.clone(),
        ..DatasetOptions::default()
    }
}

/// For a command that is given a dataset.
pub(super) fn for_dataset(
    dataset: &Path,
    global: &Global,
    engine: &EngineArgs,
    reading: &DatasetArgs,
) -> Result<Setup> {
    // Before anything is created for it: a folder without images must not leave an empty session behind.
    let place = session::resolve(dataset, global.session.as_deref())?;
    if !place.dir.join("samples.arrow").is_file() {
        chaffinch_formats::dataset::open(&place.dataset, &options(reading))?;
    }
    for_place(&place, global, engine, reading)
}

/// For a command that is given a dataset or a session.
pub(super) fn for_target(
    target: &Path,
    global: &Global,
    engine: &EngineArgs,
    reading: &DatasetArgs,
) -> Result<Setup> {
    for_dataset(target, global, engine, reading)
}

fn for_place(place: &Place, global: &Global, engine: &EngineArgs, reading: &DatasetArgs) -> Result<Setup> {
    let config = config(global, Some(&place.dir))?.with_flags(flags(engine));
    complain(&config);
    let registry = registry(&config, &engine.detectors)?;
    let prompts = prompts(&config)?;
    let model = loader(config.model(), config.device(), config.vram_budget())?;
    Ok(Setup {
        dataset: place.dataset.clone(),
        dataset_options: options(reading),
        session: open_session(place)?,
        config,
        registry: Arc::new(registry),
        prompts,
        model,
    })
}

/// A session whose dataset is gone can still be looked at and decided about.
fn open_session(place: &Place) -> Result<Session> {
    Ok(match place.dataset.exists() {
        true => Session::open_or_create(&place.dir, &place.dataset)?,
        false => Session::open(&place.dir)?,
    })
}

/// All detectors; refused libraries are named, and having none at all is an error.
fn registry(config: &Config, wanted: &[String]) -> Result<Registry> {
    let folders = plugins::folders(config);
    let registry = Registry::load(&folders);
    for refused in registry.refused() {
        warning("refused", &refused.error.to_string());
    }
    let names: Vec<&str> = registry.detectors().iter().map(|detector| detector.info().name()).collect();
    if names.is_empty() {
        let places: Vec<String> = folders.iter().map(|folder| safe_path(folder.path())).collect();
        bail!("no detector was found, so nothing could be looked for. {}", looked_in(&places));
    }
    if let Some(unknown) = wanted.iter().find(|name| !names.contains(&name.as_str())) {
        bail!("there is no detector '{}' (there are: {})", safe_text(unknown), names.join(", "));
    }
    Ok(registry)
}

fn prompts(config: &Config) -> Result<PromptSet> {
    let prompts = PromptSet::load(config.prompt_files())?;
    for text in prompts.warnings() {
        warning("prompts", text);
    }
    Ok(prompts)
}

/// For `plugins check`: built-in settings, the bundled model, and only the libraries to be checked.
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

/// What a scan left and a person decided, without locking the session: somebody may be working in it.
pub(super) fn read(target: &Path, global: &Global, rule: Option<&str>) -> Result<Listing> {
    let place = session::resolve(target, global.session.as_deref())?;
    let session = Session::open_to_read(&place.dir)?;
    let Some((manifest, facts)) = session.load_samples()? else {
        bail!("{} has no results yet; run chaffinch scan first", safe_path(session.dir()));
    };
    let (results, damaged) = session.load_results(manifest.len(), manifest.classes());
    for text in damaged {
        warning("session", &text);
    }
    let mut results: BTreeMap<_, _> =
        results.into_iter().map(|(name, result)| (name, Arc::new(result))).collect();
    let broken = engine::unreadable(&facts, manifest.classes());
    results.insert(UNREADABLE.into(), Arc::new(broken));
    let flags = Flags { ensemble: rule.map(str::to_owned), ..Flags::default() };
    let config = config(global, Some(&place.dir))?.with_flags(flags);
    let settings = session.load_settings()?;
    let mut thresholds: BTreeMap<String, f32> =
        results.iter().map(|(name, result)| (name.clone(), result.record().threshold)).collect();
    thresholds.extend(config.thresholds());
    thresholds.extend(settings.thresholds);
    thresholds.retain(|name, _| results.contains_key(name));
    let rule = config.ensemble_over(settings.ensemble);
    let (manifest, facts) = (Arc::new(manifest), Arc::new(facts));
    let mut journal = Journal::open(&session.decisions_dir(), &config.reviewer())?;
    journal.bind(&manifest, Some(&facts));
    let set = thresholds;
    let thresholds = ranking::thresholds_under(&rule, set.clone());
    let reviewed = ranking::reviewed(journal.decisions());
    let ranking = ranking::rank_reviewed(&results, &thresholds, &rule, manifest.len(), &reviewed);
    if !ranking.note.is_empty() {
        warning("ensemble", &ranking.note);
    }
    Ok(Listing { manifest, facts, results, thresholds, set, weights: config.weights(), ranking, journal })
}
