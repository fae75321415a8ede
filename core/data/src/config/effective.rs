//! The settings in force, and where each value comes from.

use super::declared::SETTINGS;
use super::{Config, Setting, written};
use std::fmt;
use std::path::PathBuf;

/// Where a value comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Origin {
    /// Nothing sets it.
    #[default]
    Default,
    /// A file.
    File(PathBuf),
    /// An environment variable.
    Variable(&'static str),
    /// What the session was scanned with.
    Session,
    /// A flag of the command.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(path) => f.write_str(&chaffinch_protocol::display::safe_path(path)),
            Origin::Variable(name) => write!(f, "${name}"),
            Origin::Session => f.write_str("the session's last scan"),
            Origin::Flag => f.write_str("command line"),
        }
    }
}

/// A setting in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// Its name with its section: `ui.theme`, `detectors.duplicates.threshold`.
    pub name: String,
    /// Its value as it would be written in a file; `None` if it has none.
    pub value: Option<String>,
    /// Where the value comes from.
    pub origin: Origin,
}

/// The name of a setting with its section.
fn named(section: &str, key: &str) -> String {
    if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") }
}

impl Config {
    /// Notes where a value comes from. Lists to which layers add come from the last that did.
    pub(super) fn note(&mut self, section: &str, key: &str, origin: Origin) {
        self.origins.insert(named(section, key), origin);
    }

    /// Notes that of declared settings, unless they are those of the defaults.
    pub(super) fn note_all(&mut self, settings: &[&'static Setting], origin: &Origin) {
        for setting in settings {
            self.note(setting.section, setting.key, origin.clone());
        }
    }

    /// Every setting in force with where its value comes from: those of the file in its order, then the thresholds and
    /// parameters of detectors.
    pub fn effective(&self) -> Vec<Effective> {
        let origin = |name: &str| self.origins.get(name).cloned().unwrap_or_default();
        let values = self.settings.written();
        let mut all: Vec<Effective> = (SETTINGS.iter().zip(values))
            .map(|(setting, value)| {
                let name = named(setting.section, setting.key);
                // Who decides is always somebody.
                let value = value.or_else(|| (name == "reviewer").then(|| written::text(&self.reviewer())));
                Effective { origin: origin(&name), name, value }
            })
            .collect();
        let mut detector = |name: &str, key: &str, value: String| {
            let name = named(&format!("detectors.{name}"), key);
            all.push(Effective { origin: origin(&name), name, value: Some(value) });
        };
        for (name, threshold) in &self.thresholds {
            detector(name, "threshold", threshold.to_string());
        }
        for (name, params) in &self.params {
            params.iter().for_each(|(param, value)| detector(name, param, value.to_string()));
        }
        for (name, choices) in &self.choices {
            choices.iter().for_each(|(param, word)| detector(name, param, written::text(word)));
        }
        all
    }
}
