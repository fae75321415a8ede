//! Settings in layers: built-in, the user's, the project's, the session's, the environment, flags.
//! A key that is not known is a warning that names its line. Every setting is declared in `config/declared.rs`, which
//! says how to add one; `configs/default.toml`, the schema and the manual's table are made from there.

mod declared;
mod folders;
mod kinds;
mod layer;
mod schema;
mod setting;

pub use declared::{SECTIONS, SETTINGS, Ui};
pub use folders::{PROJECT, config_home, project_home, state_home};

pub use schema::schema;
pub use setting::{Limits, Setting};

use crate::{Error, Result};
use chaffinch_protocol::EnsembleRule;
use declared::{Detectors, Settings};
use layer::Owner;
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

/// All settings, resolved.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    settings: Settings,
    thresholds: BTreeMap<String, f32>,
    params: BTreeMap<String, BTreeMap<String, f64>>,
    choices: BTreeMap<String, BTreeMap<String, String>>,
    rule_by_flag: bool,
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
    warnings: Vec<String>,
}

impl Config {
    /// The built-in settings alone.
    pub fn built_in() -> Config {
        let mut config = Config::default();
        let read = config.lay(DEFAULT_CONFIG, Path::new("configs/default.toml"), Owner::User);
        debug_assert!(read.is_ok(), "{read:?}");
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
        config.settings.read_variables(|name| std::env::var(name).ok())?;
        Ok(config)
    }

    fn layered(
        user: Option<(PathBuf, String)>,
        project: Option<&Path>,
        session: Option<&Path>,
    ) -> Result<Config> {
        let mut config = Config::built_in();
        if let Some((path, text)) = user {
            config.lay(&text, &path, Owner::User)?;
            config.files.push(path);
        }
        let project = project.map(|project| project.join(USER_FILE));
        let session = session.map(|session| session.join(SESSION_FILE));
        for file in [project, session].into_iter().flatten() {
            let Some((path, text)) = read(&file)? else { continue };
            config.lay(&text, &path, Owner::Other)?;
            config.files.push(path);
        }
        Ok(config)
    }

    /// What flags say goes before everything else.
    #[must_use]
    pub fn with_flags(mut self, flags: Flags) -> Config {
        let Settings { general, ensemble, plugins, prompts, ui, .. } = &mut self.settings;
        let set = |value: &mut String, flag: Option<String>| *value = flag.unwrap_or(std::mem::take(value));
        set(&mut general.model, flags.model);
        set(&mut general.device, flags.device);
        general.vram_budget = flags.vram_budget.or(general.vram_budget.take());
        general.reviewer = flags.reviewer.or(general.reviewer.take());
        set(&mut ui.theme, flags.theme);
        set(&mut ui.keymap, flags.keymap);
        plugins.folders.extend(flags.plugin_folders);
        prompts.files.extend(flags.prompt_files);
        if let Some(rule) = flags.ensemble {
            (ensemble.rule, self.rule_by_flag) = (rule, true);
        }
        if let Some(detectors) = flags.detectors {
            self.enable(detectors);
        }
        self
    }

    /// Only these run, also those that were switched off before: the defaults do so with some, which would otherwise
    /// have to be named in two lists.
    fn enable(&mut self, detectors: Vec<String>) {
        self.settings.detectors.disabled.retain(|name| !detectors.contains(name));
        self.settings.detectors.enabled = detectors;
    }

    /// The model: `bundled`, a name on the hub, or a folder.
    pub fn model(&self) -> &str {
        &self.settings.general.model
    }

    /// `auto`, `cpu`, `cpu:bf16` or `cuda:N`.
    pub fn device(&self) -> &str {
        &self.settings.general.device
    }

    /// How much of a GPU's memory may be taken, such as `6GiB`; `None` for all of it.
    pub fn vram_budget(&self) -> Option<&str> {
        self.settings.general.vram_budget.as_deref()
    }

    /// Who decides: what was set, else the name the person is logged in with.
    pub fn reviewer(&self) -> String {
        let logged_in = || ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
        let named =
            self.settings.general.reviewer.clone().or_else(logged_in).filter(|name| !name.trim().is_empty());
        named.unwrap_or_else(|| "reviewer".to_owned())
    }

    /// Whether a detector runs when nothing else is said.
    pub fn detector_enabled(&self, name: &str) -> bool {
        let named = |list: &[String]| list.iter().any(|other| other == name);
        let Detectors { enabled, disabled } = &self.settings.detectors;
        (enabled.is_empty() || named(enabled)) && !named(disabled)
    }

    /// Detectors that somebody named anywhere, so that names of none can be complained about. What the defaults switch off
    /// nobody named.
    pub fn named_detectors(&self) -> Vec<&str> {
        let defaults = Config::built_in().settings.detectors.disabled;
        let Detectors { enabled, disabled } = &self.settings.detectors;
        let lists = enabled.iter().chain(disabled.iter().filter(|name| !defaults.contains(name)));
        let mut names: Vec<&str> = lists
            .chain(self.thresholds.keys())
            .chain(self.params.keys())
            .chain(self.choices.keys())
            .chain(self.settings.ensemble.weights.keys())
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
        EnsembleRule::parse(&self.settings.ensemble.rule, &self.settings.ensemble.weights).unwrap_or_default()
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
        self.settings.ensemble.weights.clone()
    }

    /// Folders with the user's own detectors.
    pub fn plugin_folders(&self) -> &[PathBuf] {
        &self.settings.plugins.folders
    }

    /// Files of prompts, for [`crate::prompts::PromptSet::load`].
    pub fn prompt_files(&self) -> &[PathBuf] {
        &self.settings.prompts.files
    }

    /// How the screen looks.
    pub fn ui(&self) -> &Ui {
        &self.settings.ui
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
