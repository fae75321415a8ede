//! Settings in layers: the defaults, then those of the user, the project, the session, the environment, and flags.
//! An unknown key is a warning that names its line. Every setting is declared in `config/declared.rs`, which explains
//! how to add one; `configs/default.toml`, the schema and the table in the manual are generated from it.

mod declared;
mod effective;
mod folders;
mod kinds;
mod layer;
pub(crate) mod renamed;
mod schema;
mod setting;
mod trust;
mod written;

pub use declared::{SECTIONS, SETTINGS, Ui};
pub use effective::{Effective, Origin};
pub use folders::{config_home, data_home, state_home};

pub use schema::schema;
pub use setting::{Limits, Setting};
pub use trust::Offered;

use crate::uses::Uses;
use crate::{Error, Result};
use chaffinch_protocol::EnsembleRule;
use declared::{Detectors, Settings};
use layer::Owner;
use nix::unistd::{Uid, User};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The default settings, as printed by `chaffinch config --default`.
pub const DEFAULT_CONFIG: &str = include_str!("../../../configs/default.toml");

/// The name of the user's file.
const USER_FILE: &str = "config.toml";

/// The name of the session's file.
const SESSION_FILE: &str = "chaffinch.toml";

/// Settings given as flags of a command.
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
    /// `--plugins`: additional folders of detectors.
    pub plugin_folders: Vec<PathBuf>,
    /// `--prompts`: additional prompt files.
    pub prompt_files: Vec<PathBuf>,
    /// `--theme`.
    pub theme: Option<String>,
    /// `--keymap`.
    pub keymap: Option<String>,
}

/// All settings after merging the layers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    settings: Settings,
    thresholds: BTreeMap<String, f32>,
    params: BTreeMap<String, BTreeMap<String, f64>>,
    choices: BTreeMap<String, BTreeMap<String, String>>,
    rule_by_flag: bool,
    /// Whether the session's own file names a model, and a device.
    by_session: (bool, bool),
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
    /// Settings of a project that do not count, because the user has not agreed to them.
    untrusted: Option<Offered>,
    warnings: Vec<String>,
    /// What is accepted and should be written in another way.
    outdated: Vec<String>,
    /// Where values come from that are not the defaults, by the names of their settings.
    origins: BTreeMap<String, Origin>,
}

impl Config {
    /// The default settings alone.
    pub fn built_in() -> Config {
        let mut config = Config::default();
        let read = config.merge(DEFAULT_CONFIG, Path::new("configs/default.toml"), Owner::User);
        debug_assert!(read.is_ok(), "{read:?}");
        config.origins.clear();
        config
    }

    /// The default settings with those of the user and, if given, the session on top.
    ///
    /// # Errors
    /// If a file cannot be read or has a value of the wrong type; the error names the line.
    pub fn load(session: Option<&Path>) -> Result<Config> {
        let home = config_home();
        let user = home.as_deref().map(|home| read(&home.join(USER_FILE))).transpose()?.flatten();
        Config::found(home, user, session)
    }

    /// The same with another file in place of the user's; it must exist.
    ///
    /// # Errors
    /// Like [`Config::load`], and if the file does not exist.
    pub fn load_with(file: &Path, session: Option<&Path>) -> Result<Config> {
        let text = fs::read_to_string(file).map_err(Error::io("read", file))?;
        Config::found(config_home(), Some((file.to_path_buf(), text)), session)
    }

    /// The same with a file that a session names. What only the user may set is refused in it, since a session may come
    /// from someone else.
    ///
    /// # Errors
    /// Like [`Config::load_with`], and if the file sets something that only the user may set.
    pub fn load_kept(file: &Path, session: &Path) -> Result<Config> {
        let text = fs::read_to_string(file).map_err(Error::io("read", file))?;
        Config::built_in().merge(&text, file, Owner::Other)?;
        Config::load_with(file, Some(session))
    }

    /// Adds the project of the working directory, and the environment.
    fn found(
        home: Option<PathBuf>,
        user: Option<(PathBuf, String)>,
        session: Option<&Path>,
    ) -> Result<Config> {
        let offered = Offered::here()?;
        let (trusted, untrusted): (Option<Offered>, Option<Offered>) = match offered {
            Some(offered) if offered.answer == Some(true) => (Some(offered), None),
            offered => (None, offered),
        };
        let project = trusted.map(|offered| offered.folder);
        let mut config = Config::layered(user, project.as_deref(), session)?;
        config.untrusted = untrusted;
        config.folders = home.into_iter().chain(project).collect();
        config.read_variables(|name| std::env::var(name).ok())?;
        Ok(config)
    }

    /// Reads the environment.
    fn read_variables(&mut self, get: impl Fn(&str) -> Option<String>) -> Result<()> {
        for setting in self.settings.read_variables(get)? {
            let variable = setting.variable.unwrap_or_default();
            self.note(setting.section, setting.key, Origin::Variable(variable));
        }
        Ok(())
    }

    fn layered(
        user: Option<(PathBuf, String)>,
        project: Option<&Path>,
        session: Option<&Path>,
    ) -> Result<Config> {
        let mut config = Config::built_in();
        if let Some((path, text)) = user {
            config.merge(&text, &path, Owner::User)?;
            config.files.push(path);
        }
        let project = project.map(|project| project.join(USER_FILE));
        let session = session.map(|session| session.join(SESSION_FILE));
        for (file, by_session) in [(project, false), (session, true)] {
            let Some((path, text)) = file.map(|file| read(&file)).transpose()?.flatten() else { continue };
            let found = config.merge(&text, &path, Owner::Other)?;
            let names =
                |key: &str| found.iter().any(|setting| setting.section.is_empty() && setting.key == key);
            if by_session {
                config.by_session = (names("model"), names("device"));
            }
            config.files.push(path);
        }
        Ok(config)
    }

    /// Applies what the session was scanned with, which overrides everything but flags and the settings that its owner
    /// wrote into the session's own file.
    #[must_use]
    pub fn with_uses(mut self, uses: &Uses) -> Config {
        let general = &mut self.settings.general;
        let mut from_session = Vec::new();
        let mut set = |key: &'static str, value: &mut String, used: &Option<String>, named: bool| {
            if let Some(used) = used.as_ref().filter(|used| !named && *used != value) {
                value.clone_from(used);
                from_session.push(("", key));
            }
        };
        set("model", &mut general.model, &uses.model, self.by_session.0);
        set("device", &mut general.device, &uses.device, self.by_session.1);
        if let Some(budget) = &uses.vram_budget {
            general.vram_budget = Some(budget.clone());
            from_session.push(("", "vram-budget"));
        }
        if !uses.detectors.is_empty() {
            self.enable(uses.detectors.clone());
            from_session.push(("detectors", "enabled"));
        }
        from_session.into_iter().for_each(|(section, key)| self.note(section, key, Origin::Session));
        self
    }

    /// Applies flags, which override everything else.
    #[must_use]
    pub fn with_flags(mut self, flags: Flags) -> Config {
        let named = [
            ("", "model", flags.model.is_some()),
            ("", "device", flags.device.is_some()),
            ("", "vram-budget", flags.vram_budget.is_some()),
            ("", "reviewer", flags.reviewer.is_some()),
            ("detectors", "enabled", flags.detectors.is_some()),
            ("ensemble", "rule", flags.ensemble.is_some()),
            ("plugins", "folders", !flags.plugin_folders.is_empty()),
            ("prompts", "files", !flags.prompt_files.is_empty()),
            ("ui", "theme", flags.theme.is_some()),
            ("ui", "keymap", flags.keymap.is_some()),
        ];
        for (section, key, _) in named.into_iter().filter(|(_, _, named)| *named) {
            self.note(section, key, Origin::Flag);
        }
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

    /// Runs only these detectors, including disabled ones: otherwise those that the defaults disable would have to be
    /// named in two lists.
    fn enable(&mut self, detectors: Vec<String>) {
        self.settings.detectors.disabled.retain(|name| !detectors.contains(name));
        self.settings.detectors.enabled = detectors;
    }

    /// The model: `bundled`, a name on the Hugging Face Hub, or a folder.
    pub fn model(&self) -> &str {
        &self.settings.general.model
    }

    /// `auto`, `cpu`, `cpu:bf16`, `cuda`, `cuda:N` or `cuda:N,M`.
    pub fn device(&self) -> &str {
        &self.settings.general.device
    }

    /// How much GPU memory to use, such as `6GiB`; `None` for all of it.
    pub fn vram_budget(&self) -> Option<&str> {
        self.settings.general.vram_budget.as_deref()
    }

    /// The reviewer's name: `--reviewer`, or else the setting, or else the login name: of the environment, or else of the
    /// system's list of users. A user without a name there is called by their number, so that two of them stay apart.
    pub fn reviewer(&self) -> String {
        let named = |name: &String| !name.trim().is_empty();
        let set = self.settings.general.reviewer.clone().filter(named);
        let variable = || ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok().filter(named));
        set.or_else(variable).unwrap_or_else(|| login_name(Uid::current()))
    }

    /// Whether a detector runs by default.
    pub fn detector_enabled(&self, name: &str) -> bool {
        let named = |list: &[String]| list.iter().any(|other| other == name);
        let Detectors { enabled, disabled } = &self.settings.detectors;
        (enabled.is_empty() || named(enabled)) && !named(disabled)
    }

    /// All detectors named in any layer but the defaults, so that unknown names can be reported.
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

    /// Configured thresholds, by detector.
    pub fn thresholds(&self) -> BTreeMap<String, f32> {
        self.thresholds.clone()
    }

    /// Configured parameters of a detector.
    pub fn detector_params(&self, name: &str) -> BTreeMap<String, f64> {
        self.params.get(name).cloned().unwrap_or_default()
    }

    /// Configured choices of a detector, by name.
    pub fn detector_choices(&self, name: &str) -> BTreeMap<String, String> {
        self.choices.get(name).cloned().unwrap_or_default()
    }

    /// Unknown keys that were ignored, each with its file and line.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// What was accepted although it is outdated, each with its file and what to write instead.
    pub fn outdated(&self) -> &[String] {
        &self.outdated
    }

    /// Settings of the project of the working directory that do not count, because the user has not agreed to them.
    pub fn untrusted(&self) -> Option<&Offered> {
        self.untrusted.as_ref()
    }

    /// The files that were read; later ones override earlier ones.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Folders that may contain a keymap, a theme or themes: the user's, then the project's.
    pub fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// How detectors are combined.
    pub fn ensemble(&self) -> EnsembleRule {
        EnsembleRule::parse(&self.settings.ensemble.rule, &self.settings.ensemble.weights).unwrap_or_default()
    }

    /// How detectors are combined in a session in which another rule may have been chosen, which overrides files but not
    /// flags.
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

    /// Folders of the user's own detectors.
    pub fn plugin_folders(&self) -> &[PathBuf] {
        &self.settings.plugins.folders
    }

    /// Whether the program's own detectors run in processes of their own, too.
    pub fn detectors_in_processes(&self) -> bool {
        self.settings.plugins.own_process
    }

    /// Seconds that a run of a detector may take that does not ship with the program, if that is limited by the user.
    pub fn detector_time_limit(&self) -> Option<u16> {
        self.settings.plugins.time_limit
    }

    /// How much memory the program may use, such as `8GiB`, if that is limited by the user.
    pub fn memory(&self) -> Option<&str> {
        self.settings.general.memory.as_deref()
    }

    /// How much memory such a detector may use, such as `8GiB`, if that is limited by the user.
    pub fn detector_memory_limit(&self) -> Option<&str> {
        self.settings.plugins.memory_limit.as_deref()
    }

    /// Prompt files, for [`crate::prompts::PromptSet::load`].
    pub fn prompt_files(&self) -> &[PathBuf] {
        &self.settings.prompts.files
    }

    /// Files that say what classes are called, for [`crate::prompts::PromptSet::for_dataset`].
    pub fn class_name_files(&self) -> &[PathBuf] {
        &self.settings.prompts.class_names
    }

    /// How the interface looks.
    pub fn ui(&self) -> &Ui {
        &self.settings.ui
    }
}

/// The login name of a user.
fn login_name(user: Uid) -> String {
    let known = User::from_uid(user).ok().flatten().map(|user| user.name);
    known.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| format!("user-{user}"))
}

/// A file's path and text, or `None` if it does not exist.
fn read(path: &Path) -> Result<Option<(PathBuf, String)>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some((path.to_path_buf(), text))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read", path)(error)),
    }
}

#[cfg(test)]
mod tests;
