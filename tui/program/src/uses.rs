//! What a command uses: what was named on the command line, or else what the session was scanned with, or else the
//! configuration.

use super::args::{EngineArgs, Global};
use super::ask;
use super::bundled;
use super::model_loader;
use super::output::remark;
use super::settings;
use anyhow::{Result, bail};
use chaffinch_clip::Bundled;
use chaffinch_compute::image::decode::Ground;
use chaffinch_data::Error;
use chaffinch_data::config::{Config, Flags};
use chaffinch_data::dataset::{DatasetOptions, Folders, LabelFiles};
use chaffinch_data::reserved::USUAL;
use chaffinch_data::session::{Session, SessionLocation};
use chaffinch_data::uses::{EmbeddingFiles, ProbabilityFiles, Uses};
use chaffinch_engine::{Given, ProbabilityWish};
use chaffinch_protocol::display::safe_text;
use std::fs;
use std::path::{Path, PathBuf};

/// What a command uses.
pub(super) struct Resolved {
    /// The configuration with everything applied.
    pub(super) config: Config,
    /// How to read the dataset.
    pub(super) reading: DatasetOptions,
    /// What the session keeps once a scan has used it.
    pub(super) uses: Uses,
    /// Embeddings and probabilities that were named.
    pub(super) given: Given,
    /// What comes from the session and would be different without it: `model X`, `label column species`.
    from_session: Vec<String>,
    /// What the session was scanned with.
    pub(super) before: Uses,
}

/// Resolves the model, the device, the detectors and the columns of a command on a session. `given` is how to read the
/// dataset as far as the command line says.
pub(super) fn resolve(
    location: &SessionLocation,
    global: &Global,
    engine: &EngineArgs,
    given: &DatasetOptions,
) -> Result<Resolved> {
    let session = Session::open_to_read(&location.dir).ok();
    let before = session.as_ref().map(Session::uses).unwrap_or_default();
    let known = session.map(|session| session.load_reading()).transpose()?.flatten().unwrap_or_default();
    let plain = settings::config(global, Some(&location.dir))?;
    let named = flags(engine);
    // What was mistyped must not be asked about, nor start an engine.
    model_loader::check(named.model.as_deref(), named.device.as_deref(), named.vram_budget.as_deref())?;
    let given_now = named_given(engine)?;
    let config = plain.clone().with_uses(&kept(&before, engine)).with_flags(named.clone());
    let embeddings = match (&given_now.embeddings, &named.model) {
        (Some(files), _) => Some(files.clone()),
        (None, Some(_)) => None,
        (None, None) => before.embeddings.clone(),
    };
    let pred_probs = match &given_now.probabilities {
        Some(ProbabilityWish::Take(files)) => Some(files.clone()),
        Some(ProbabilityWish::Drop) => None,
        None => before.pred_probs.clone(),
    };
    let mut from_session = Vec::new();
    let mut told = |flag: bool, differs: bool, words: String| {
        if !flag && differs {
            from_session.push(words);
        }
    };
    let model = |config: &Config| lasting(config.model());
    match &embeddings {
        Some(files) => told(given_now.embeddings.is_some(), true, format!("model {}", files.name())),
        None => {
            told(named.model.is_some(), model(&config) != model(&plain), format!("model {}", config.model()));
        }
    }
    if let Some(files) = &pred_probs {
        told(given_now.probabilities.is_some(), true, files.name());
    }
    told(named.device.is_some(), config.device() != plain.device(), format!("device {}", config.device()));
    if let Some(budget) = config.vram_budget() {
        let differs = config.vram_budget() != plain.vram_budget();
        told(named.vram_budget.is_some(), differs, format!("memory budget {budget}"));
    }
    if let Some(file) = &before.config {
        told(global.config.is_some(), file.exists(), format!("configuration {}", file.display()));
    }
    let detectors = before.detectors.join(", ");
    told(!engine.detectors.is_empty(), !before.detectors.is_empty(), format!("detectors {detectors}"));
    let column = |given: &Option<String>, known: &Option<String>| given.clone().or(known.clone());
    let all = [
        ("path column", &given.path_column, &known.path_column),
        ("label column", &given.label_column, &known.label_column),
        ("split column", &given.split_column, &known.split_column),
    ];
    for (name, given, known) in all {
        if let Some(known) = known {
            told(given.is_some(), true, format!("{name} {known}"));
        }
    }
    // One source of labels replaces the other.
    let kept_labels = if given.label_pattern.is_some() { None } else { known.labels.clone() };
    let kept_pattern = if given.labels.is_some() { None } else { known.label_pattern.clone() };
    let kept_key = known.key.clone().filter(|_| given.labels.is_none() && kept_labels.is_some());
    if let Some(file) = &kept_labels {
        told(given.labels.is_some(), true, format!("labels {}", file.display()));
    }
    if let Some(pattern) = &kept_pattern {
        told(given.label_pattern.is_some(), true, format!("label pattern {pattern}"));
    }
    if let Some(root) = &known.root {
        told(given.root.is_some(), true, format!("root {}", root.display()));
    }
    if known.folders != Folders::Auto {
        told(given.folders != Folders::Auto, true, format!("layout {}", known.folders.name()));
    }
    if known.ground != Ground::default() {
        told(given.ground != Ground::default(), true, format!("ground {}", known.ground));
    }
    if known.keep_null_labels {
        told(given.keep_null_labels, true, "words for \"no label\" as classes".to_owned());
    }
    if known.label_files == LabelFiles::Ignore {
        told(given.label_files != LabelFiles::Auto, true, "label files ignored".to_owned());
    }
    let rest = if *given == DatasetOptions::default() { known.clone() } else { given.clone() };
    let reading = DatasetOptions {
        path_column: column(&given.path_column, &known.path_column),
        label_column: column(&given.label_column, &known.label_column),
        split_column: column(&given.split_column, &known.split_column),
        root: given.root.clone().or(known.root.clone()),
        labels: given.labels.clone().or(kept_labels),
        key: given.key.clone().or(kept_key),
        label_pattern: given.label_pattern.clone().or(kept_pattern),
        folders: if given.folders == Folders::Auto { known.folders } else { given.folders },
        ground: if given.ground == Ground::default() { known.ground } else { given.ground },
        keep_null_labels: given.keep_null_labels || known.keep_null_labels,
        label_files: if given.label_files == LabelFiles::Auto {
            known.label_files
        } else {
            given.label_files
        },
        ..rest
    };
    chaffinch_formats::dataset::refuse_unread(&location.dataset, given, &reading)?;
    let uses = Uses {
        model: embeddings.is_none().then(|| lasting(config.model())),
        device: named.device.or(before.device.clone()),
        vram_budget: named.vram_budget.or(before.vram_budget.clone()),
        detectors: named_detectors(engine).unwrap_or(before.detectors.clone()),
        config: global
            .config
            .as_ref()
            .and_then(|file| std::path::absolute(file).ok())
            .or(before.config.clone()),
        loaded: None,
        embeddings,
        pred_probs,
    };
    Ok(Resolved { config, reading, uses, given: given_now, from_session, before })
}

impl Resolved {
    /// Says in one line what comes from the session.
    pub(super) fn tell(&self, global: &Global) {
        if !global.quiet && !self.from_session.is_empty() {
            let all = safe_text(&self.from_session.join(", ")).into_owned();
            remark(&format!("using what this session was scanned with: {all}; options override it"));
        }
    }

    /// The same for a command that only uses the model.
    pub(super) fn tell_model(mut self, global: &Global) -> Config {
        self.from_session
            .retain(|words| ["model ", "device ", "memory "].iter().any(|kind| words.starts_with(kind)));
        self.tell(global);
        self.config
    }

    /// Asks on a terminal before another model's results become the current ones. A script has answered by naming the
    /// model.
    pub(super) fn confirm(&self) -> Result<()> {
        let (Some(old), Some(new)) = (self.before.model_words(), self.uses.model_words()) else {
            return Ok(());
        };
        let bundled = bundled::kept(&self.before).map(Bundled::name);
        let old = bundled.unwrap_or(old);
        let new = self.uses.embeddings.as_ref().map_or(new.to_owned(), EmbeddingFiles::name);
        let return_option = self.before.model_option().unwrap_or_default();
        if self.before.loaded.is_none() || old == new || bundled.is_some() && new == Bundled::EITHER {
            return Ok(());
        }
        let question = format!(
            "The results of this session are those of the model {old}. Compute them with {new} instead? Those of \
             {old} are kept, and {return_option} returns to them."
        );
        if ask::yes(&question, false) == Some(false) {
            bail!("nothing was changed; name no model to use {old}");
        }
        Ok(())
    }
}

/// The word for the host's own probabilities, to return to them.
const NO_FILE: &str = "none";

/// Embeddings and probabilities of the command line, by absolute paths.
///
/// # Errors
/// When a file is not there: before anything is started.
fn named_given(engine: &EngineArgs) -> Result<Given> {
    let place = |path: &PathBuf| {
        fs::metadata(path).map_err(Error::io("open", path))?;
        absolute(path)
            .ok_or_else(|| Error::format(path, "its path is not valid UTF-8, so a session cannot name it"))
    };
    let option = |path: &Option<PathBuf>| path.as_ref().map(place).transpose();
    let embeddings = engine.embeddings.as_ref().map(|file| {
        let (ids, texts) = (option(&engine.embedding_ids)?, option(&engine.text_embeddings)?);
        Ok::<_, Error>(EmbeddingFiles { file: place(file)?, ids, texts })
    });
    let probabilities = match engine.pred_probs.as_slice() {
        [] => None,
        [word] if word.as_os_str() == NO_FILE => Some(ProbabilityWish::Drop),
        files => {
            let files = files.iter().map(place).collect::<std::result::Result<_, _>>()?;
            let (classes, ids) = (option(&engine.classes)?, option(&engine.pred_probs_ids)?);
            Some(ProbabilityWish::Take(ProbabilityFiles { files, classes, ids }))
        }
    };
    Ok(Given { embeddings: embeddings.transpose()?, probabilities, ..Given::default() })
}

/// What of the session's uses is not overridden.
fn kept(before: &Uses, engine: &EngineArgs) -> Uses {
    match named_detectors(engine) {
        Some(_) => Uses { detectors: Vec::new(), ..before.clone() },
        None => before.clone(),
    }
}

/// The detectors of the command line; `default` is an empty list, which means those of the configuration.
fn named_detectors(engine: &EngineArgs) -> Option<Vec<String>> {
    match engine.detectors.as_slice() {
        [] => None,
        [one] if one == USUAL => Some(Vec::new()),
        named => Some(named.to_vec()),
    }
}

/// The flags of the command line.
pub(super) fn flags(engine: &EngineArgs) -> Flags {
    Flags {
        model: engine.model.as_deref().map(lasting),
        device: engine.device.clone(),
        vram_budget: engine.vram_budget.clone(),
        detectors: named_detectors(engine).filter(|named| !named.is_empty()),
        ensemble: engine.ensemble.clone(),
        plugin_folders: engine.plugins.clone(),
        reviewer: engine.reviewer.clone(),
        ..Flags::default()
    }
}

/// A model's name that means the same in every working directory: a folder becomes an absolute path.
fn lasting(model: &str) -> String {
    let path = Path::new(model);
    if !path.is_dir() {
        return model.to_owned();
    }
    absolute(path).and_then(|path| path.to_str().map(str::to_owned)).unwrap_or_else(|| model.to_owned())
}

/// The absolute path; `None` if it cannot be written into `session.toml`, because it is not valid UTF-8.
fn absolute(path: &Path) -> Option<PathBuf> {
    std::path::absolute(path).ok().filter(|path| path.to_str().is_some())
}
