//! Settings in layers: built-in, the user's, the project's, the session's, the environment, flags.
//! `configs/default.toml` documents every key. A key that is not known is a warning that names its line.

mod environment;
mod folders;
mod layer;

pub use environment::VARIABLES;
pub use folders::{PROJECT, config_home, project_home, state_home};

use crate::{Error, Result};
use chaffinch_protocol::EnsembleRule;
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
    /// `--vram-budget`.
    pub vram_budget: Option<String>,
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
    /// `--theme`.
    pub theme: Option<String>,
    /// `--keymap`.
    pub keymap: Option<String>,
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
    /// `auto`, `on` or `off`.
    pub mouse: String,
    /// `auto`, `unicode` or `ascii`.
    pub glyphs: String,
    /// The reviewer's own tags, offered beside the built-in ones.
    pub tags: Vec<String>,
    /// Percent of the screen's width that the list takes; none leaves it to the width.
    pub list_width: Option<u16>,
    /// Whether the strip of neighbours is shown where there is room.
    pub strip: bool,
}

/// All settings, resolved.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    model: String,
    device: String,
    vram_budget: Option<String>,
    reviewer: Option<String>,
    enabled: Vec<String>,
    disabled: Vec<String>,
    thresholds: BTreeMap<String, f32>,
    params: BTreeMap<String, BTreeMap<String, f64>>,
    choices: BTreeMap<String, BTreeMap<String, String>>,
    rule: String,
    rule_by_flag: bool,
    weights: BTreeMap<String, f32>,
    plugin_folders: Vec<PathBuf>,
    prompt_files: Vec<PathBuf>,
    ui: Ui,
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
    warnings: Vec<String>,
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
        let home = config_home();
        let user = home.as_deref().map(|home| read(&home.join(USER_FILE))).transpose()?.flatten();
        Config::found(home, user, session)
    }

    /// The same with a named file in place of the user's, which must be there.
    ///
    /// # Errors
    /// As [`Config::load`], and when there is no such file.
    pub fn load_with(file: &Path, session: Option<&Path>) -> Result<Config> {
        let text = fs::read_to_string(file).map_err(Error::io("read", file))?;
        Config::found(config_home(), Some((file.to_path_buf(), text)), session)
    }

    /// With the project that the program was started in, and the environment.
    fn found(
        home: Option<PathBuf>,
        user: Option<(PathBuf, String)>,
        session: Option<&Path>,
    ) -> Result<Config> {
        let project = project_home();
        let mut config = Config::layered(user, project.as_deref(), session)?;
        config.folders = home.into_iter().chain(project).collect();
        config.lay(environment::layer(|name| std::env::var(name).ok())?);
        Ok(config)
    }

    fn layered(
        user: Option<(PathBuf, String)>,
        project: Option<&Path>,
        session: Option<&Path>,
    ) -> Result<Config> {
        let mut config = Config::built_in();
        if let Some((path, text)) = user {
            config.lay(Layer::parse(&text, &path)?);
            config.files.push(path);
        }
        let project = project.map(|project| project.join(USER_FILE));
        let session = session.map(|session| session.join(SESSION_FILE));
        for file in [project, session].into_iter().flatten() {
            let Some((path, text)) = read(&file)? else { continue };
            let layer = Layer::parse(&text, &path)?;
            if layer.plugin_folders.is_some() {
                let message = "folders of detectors cannot be set for a project or a session, since detectors are code; set them in the user's config.toml or with --plugins";
                return Err(Error::format(&path, message));
            }
            config.lay(layer);
            config.files.push(path);
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
        self.vram_budget = flags.vram_budget.or(self.vram_budget);
        if flags.reviewer.is_some() {
            self.reviewer = flags.reviewer;
        }
        if let Some(detectors) = flags.detectors {
            self.enable(detectors);
        }
        if let Some(rule) = flags.ensemble {
            (self.rule, self.rule_by_flag) = (rule, true);
        }
        self.ui.theme = flags.theme.unwrap_or(self.ui.theme);
        self.ui.keymap = flags.keymap.unwrap_or(self.ui.keymap);
        self.plugin_folders.extend(flags.plugin_folders);
        self.prompt_files.extend(flags.prompt_files);
        self
    }

    /// Only these run, also those that were switched off before: the defaults do so with some, which would otherwise
    /// have to be named in two lists.
    fn enable(&mut self, detectors: Vec<String>) {
        self.disabled.retain(|name| !detectors.contains(name));
        self.enabled = detectors;
    }

    fn lay(&mut self, layer: Layer) {
        let replace =
            |old: &mut String, new: Option<String>| *old = new.unwrap_or_else(|| std::mem::take(old));
        replace(&mut self.model, layer.model);
        replace(&mut self.device, layer.device);
        self.vram_budget = layer.vram_budget.or(self.vram_budget.take());
        replace(&mut self.rule, layer.rule);
        replace(&mut self.ui.theme, layer.theme);
        replace(&mut self.ui.keymap, layer.keymap);
        replace(&mut self.ui.picture, layer.picture);
        replace(&mut self.ui.mouse, layer.mouse);
        replace(&mut self.ui.glyphs, layer.glyphs);
        self.ui.tags = layer.tags.unwrap_or_else(|| std::mem::take(&mut self.ui.tags));
        self.ui.list_width = layer.list_width.or(self.ui.list_width);
        self.ui.strip = layer.strip.unwrap_or(self.ui.strip);
        self.warnings.extend(layer.warnings);
        for (name, choices) in layer.choices {
            // A name takes the place of a number in an earlier layer.
            for param in choices.keys() {
                self.params.get_mut(&name).and_then(|params| params.remove(param));
            }
            self.choices.entry(name).or_default().extend(choices);
        }
        self.reviewer = layer.reviewer.or(self.reviewer.take());
        self.disabled = layer.disabled.unwrap_or_else(|| std::mem::take(&mut self.disabled));
        if let Some(detectors) = layer.enabled {
            self.enable(detectors);
        }
        self.plugin_folders =
            layer.plugin_folders.unwrap_or_else(|| std::mem::take(&mut self.plugin_folders));
        self.prompt_files = layer.prompt_files.unwrap_or_else(|| std::mem::take(&mut self.prompt_files));
        self.thresholds.extend(layer.thresholds);
        self.weights.extend(layer.weights);
        for (name, params) in layer.params {
            for param in params.keys() {
                self.choices.get_mut(&name).and_then(|choices| choices.remove(param));
            }
            self.params.entry(name).or_default().extend(params);
        }
    }

    /// The model: `bundled`, a name on the hub, or a folder.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// `auto`, `cpu`, `cpu:bf16` or `cuda:N`.
    pub fn device(&self) -> &str {
        &self.device
    }

    /// How much of a GPU's memory may be taken, such as `6GiB`; `None` for all of it.
    pub fn vram_budget(&self) -> Option<&str> {
        self.vram_budget.as_deref()
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

    /// Detectors that somebody named anywhere, so that names of none can be complained about. What the defaults switch off
    /// nobody named.
    pub fn named_detectors(&self) -> Vec<&str> {
        let defaults = Config::built_in().disabled;
        let lists = self.enabled.iter().chain(self.disabled.iter().filter(|name| !defaults.contains(name)));
        let mut names: Vec<&str> = lists
            .chain(self.thresholds.keys())
            .chain(self.params.keys())
            .chain(self.choices.keys())
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

    /// Choices that were set for a detector by their names.
    pub fn detector_choices(&self, name: &str) -> BTreeMap<String, String> {
        self.choices.get(name).cloned().unwrap_or_default()
    }

    /// Keys that are not known and were passed over, each with its file and line.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The files that were read, first the one that others go before.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Folders in which a keymap, a theme or themes may lie, the user's before the project's.
    pub fn folders(&self) -> &[PathBuf] {
        &self.folders
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
