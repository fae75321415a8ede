//! Settings in layers: built-in, the user's, the session's, flags. `configs/default.toml` documents every key.

mod folders;
mod layer;

pub use folders::{config_home, state_home};

use crate::protocol::EnsembleRule;
use crate::{Error, Result};
use layer::Layer;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The built-in settings, as `chaffinch` prints them.
pub const DEFAULT_CONFIG: &str = include_str!("../../../configs/default.toml");

/// The name of the user's file.
const USER_FILE: &str = "config.toml";

/// The name of the session's file.
const SESSION_FILE: &str = "chaffinch.toml";

/// What the flags of a command say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--model`.
    pub model: Option<String>,
    /// `--device`.
    pub device: Option<String>,
    /// `--reviewer`.
    pub reviewer: Option<String>,
    /// `--detectors`: only these run.
    pub detectors: Option<Vec<String>>,
    /// `--ensemble`: a name that [`EnsembleRule::parse`] takes.
    pub ensemble: Option<String>,
    /// `--plugins`: further folders of detectors.
    pub plugin_folders: Vec<PathBuf>,
    /// `--prompts`: further files of prompts.
    pub prompt_files: Vec<PathBuf>,
}

/// How the screen looks, for the program that draws it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ui {
    /// Name or file of the theme.
    pub theme: String,
    /// Name or file of the keymap.
    pub keymap: String,
    /// How pictures are drawn.
    pub picture: String,
}

/// All settings, resolved.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    model: String,
    device: String,
    reviewer: Option<String>,
    enabled: Vec<String>,
    disabled: Vec<String>,
    thresholds: BTreeMap<String, f32>,
    params: BTreeMap<String, BTreeMap<String, f64>>,
    rule: String,
    rule_by_flag: bool,
    weights: BTreeMap<String, f32>,
    plugin_folders: Vec<PathBuf>,
    prompt_files: Vec<PathBuf>,
    ui: Ui,
}

impl Config {
    /// The built-in settings alone.
    pub fn built_in() -> Config {
        let mut config = Config::default();
        let read = Layer::parse(DEFAULT_CONFIG, Path::new("configs/default.toml"));
        debug_assert!(read.is_ok(), "{read:?}");
        if let Ok(layer) = read {
            config.lay(layer);
        }
        config
    }

    /// The built-in settings, the user's, and where a session is given, that session's.
    ///
    /// # Errors
    /// When a file cannot be read, has an unknown key, or a value of the wrong kind; the error names the line.
    pub fn load(session: Option<&Path>) -> Result<Config> {
        Config::load_from(config_home().as_deref(), session)
    }

    /// The same with a named file in place of the user's, which must be there.
    ///
    /// # Errors
    /// As [`Config::load`], and when there is no such file.
    pub fn load_with(file: &Path, session: Option<&Path>) -> Result<Config> {
        let text = fs::read_to_string(file).map_err(Error::io("read", file))?;
        Config::layered(Some((file.to_path_buf(), text)), session)
    }

    fn load_from(home: Option<&Path>, session: Option<&Path>) -> Result<Config> {
        Config::layered(home.map(|home| read(&home.join(USER_FILE))).transpose()?.flatten(), session)
    }

    fn layered(user: Option<(PathBuf, String)>, session: Option<&Path>) -> Result<Config> {
        let mut config = Config::built_in();
        if let Some((path, text)) = user {
            config.lay(Layer::parse(&text, &path)?);
        }
        if let Some((path, text)) =
            session.map(|session| read(&session.join(SESSION_FILE))).transpose()?.flatten()
        {
            let layer = Layer::parse(&text, &path)?;
            if layer.plugin_folders.is_some() {
                let message = "folders of detectors cannot be set for a session, since detectors are code; set them in the user's config.toml or with --plugins";
                return Err(Error::format(&path, message));
            }
            config.lay(layer);
        }
        Ok(config)
    }

    /// What flags say goes before everything else.
    #[must_use]
    pub fn with_flags(mut self, flags: Flags) -> Config {
        if let Some(model) = flags.model {
            self.model = model;
        }
        if let Some(device) = flags.device {
            self.device = device;
        }
        if flags.reviewer.is_some() {
            self.reviewer = flags.reviewer;
        }
        if let Some(detectors) = flags.detectors {
            self.disabled.retain(|name| !detectors.contains(name));
            self.enabled = detectors;
        }
        if let Some(rule) = flags.ensemble {
            (self.rule, self.rule_by_flag) = (rule, true);
        }
        self.plugin_folders.extend(flags.plugin_folders);
        self.prompt_files.extend(flags.prompt_files);
        self
    }

    fn lay(&mut self, layer: Layer) {
        let replace =
            |old: &mut String, new: Option<String>| *old = new.unwrap_or_else(|| std::mem::take(old));
        replace(&mut self.model, layer.model);
        replace(&mut self.device, layer.device);
        replace(&mut self.rule, layer.rule);
        replace(&mut self.ui.theme, layer.theme);
        replace(&mut self.ui.keymap, layer.keymap);
        replace(&mut self.ui.picture, layer.picture);
        self.reviewer = layer.reviewer.or(self.reviewer.take());
        self.enabled = layer.enabled.unwrap_or_else(|| std::mem::take(&mut self.enabled));
        self.disabled = layer.disabled.unwrap_or_else(|| std::mem::take(&mut self.disabled));
        self.plugin_folders =
            layer.plugin_folders.unwrap_or_else(|| std::mem::take(&mut self.plugin_folders));
        self.prompt_files = layer.prompt_files.unwrap_or_else(|| std::mem::take(&mut self.prompt_files));
        self.thresholds.extend(layer.thresholds);
        self.weights.extend(layer.weights);
        for (name, params) in layer.params {
            self.params.entry(name).or_default().extend(params);
        }
    }

    /// The model: `bundled`, a name on the hub, or a folder.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// `auto`, `cpu` or `cuda:N`.
    pub fn device(&self) -> &str {
        &self.device
    }

    /// Who decides: what was set, else the name the person is logged in with.
    pub fn reviewer(&self) -> String {
        let logged_in = || ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
        let named = self.reviewer.clone().or_else(logged_in).filter(|name| !name.trim().is_empty());
        named.unwrap_or_else(|| "reviewer".to_owned())
    }

    /// Whether a detector runs when nothing else is said.
    pub fn detector_enabled(&self, name: &str) -> bool {
        let named = |list: &[String]| list.iter().any(|other| other == name);
        (self.enabled.is_empty() || named(&self.enabled)) && !named(&self.disabled)
    }

    /// Detectors that are named anywhere, so that names of none can be complained about.
    pub fn named_detectors(&self) -> Vec<&str> {
        let lists = self.enabled.iter().chain(&self.disabled);
        let mut names: Vec<&str> = lists
            .chain(self.thresholds.keys())
            .chain(self.params.keys())
            .chain(self.weights.keys())
            .map(String::as_str)
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Thresholds that were set, by detector.
    pub fn thresholds(&self) -> BTreeMap<String, f32> {
        self.thresholds.clone()
    }

    /// Parameters that were set for a detector.
    pub fn detector_params(&self, name: &str) -> BTreeMap<String, f64> {
        self.params.get(name).cloned().unwrap_or_default()
    }

    /// How detectors are joined.
    pub fn ensemble(&self) -> EnsembleRule {
        EnsembleRule::parse(&self.rule, &self.weights).unwrap_or_default()
    }

    /// How detectors are joined in a session in which another rule may have been chosen: what a flag says goes before
    /// that, what files say comes after.
    pub fn ensemble_over(&self, chosen: Option<EnsembleRule>) -> EnsembleRule {
        match chosen {
            Some(rule) if !self.rule_by_flag => rule,
            _ => self.ensemble(),
        }
    }

    /// Weights of the rule `weighted`, by detector.
    pub fn weights(&self) -> BTreeMap<String, f32> {
        self.weights.clone()
    }

    /// Folders with the user's own detectors.
    pub fn plugin_folders(&self) -> &[PathBuf] {
        &self.plugin_folders
    }

    /// Files of prompts, for [`crate::prompts::PromptSet::load`].
    pub fn prompt_files(&self) -> &[PathBuf] {
        &self.prompt_files
    }

    /// How the screen looks.
    pub fn ui(&self) -> &Ui {
        &self.ui
    }
}

/// A file's path and text, or nothing where there is no file.
fn read(path: &Path) -> Result<Option<(PathBuf, String)>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some((path.to_path_buf(), text))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read", path)(error)),
    }
}

#[cfg(test)]
mod tests;
