//! Settings changed in a session: thresholds, the ensemble's rule, parameters.

use crate::config::renamed::under_names_now;
use crate::set_value::SetValue;
use crate::{Error, Result};
use chaffinch_protocol::EnsembleRule;
use chaffinch_protocol::display::safe_text;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

/// What the user changed while working; everything else comes from the configuration.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The ensemble rule, if it was chosen.
    pub ensemble: Option<EnsembleRule>,
    /// Thresholds by detector.
    pub thresholds: BTreeMap<String, f32>,
    /// Parameters by detector and name.
    pub params: BTreeMap<String, BTreeMap<String, SetValue>>,
    /// Detectors that were enabled or disabled.
    pub enabled: BTreeMap<String, bool>,
}

impl Settings {
    /// Whether a detector was disabled, so that what it found before flags nothing.
    pub fn is_off(&self, detector: &str) -> bool {
        self.enabled.get(detector) == Some(&false)
    }

    pub(super) fn load(path: &Path) -> Result<Settings> {
        match fs::read_to_string(path) {
            Ok(text) => {
                let mut settings: Settings = toml::from_str(&text)
                    .map_err(|error| Error::format(path, error.to_string().trim_end().replace('\n', " ")))?;
                if let Some((name, threshold)) = settings.thresholds.iter().find(|(_, one)| !one.is_finite())
                {
                    let name = safe_text(name);
                    let message = format!(
                        "the threshold of '{name}' is {threshold}, which is no score; remove the line"
                    );
                    return Err(Error::format(path, message));
                }
                under_names_now(&mut settings.params);
                Ok(settings)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Settings::default()),
            Err(error) => Err(Error::io("read", path)(error)),
        }
    }

    pub(super) fn to_toml(&self, path: &Path) -> Result<String> {
        toml::to_string(self).map_err(|error| Error::format(path, error.to_string()))
    }
}
