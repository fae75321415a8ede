//! What a session was scanned with: later commands use the same unless told otherwise.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What a session was scanned with. How its dataset is read is stored separately, see
/// [`Session::load_reading`](crate::session::Session::load_reading).
///
/// Folders of detectors are not part of it: they hold code, and a session may come from someone else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Uses {
    /// The model as it was named: `bundled`, a name on the Hugging Face Hub, or an absolute folder. `None` before a
    /// scan has loaded one.
    pub model: Option<String>,
    /// The device, if one was named on the command line.
    pub device: Option<String>,
    /// The GPU memory to use, if it was named on the command line.
    pub vram_budget: Option<String>,
    /// The detectors to run, if they were named on the command line; empty for those of the configuration.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub detectors: Vec<String>,
    /// The configuration file, absolute, if it was named on the command line.
    pub config: Option<PathBuf>,
    /// The model that made the current results.
    pub loaded: Option<LoadedModel>,
}

/// A model as it was loaded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LoadedModel {
    /// Its name, as shown.
    pub name: String,
    /// The commit it was loaded from, if it has one.
    pub revision: Option<String>,
    /// Identifies its vectors.
    pub fingerprint: String,
    /// Length of its vectors.
    pub dim: usize,
    /// Where it ran, as shown.
    pub device: String,
}

impl Uses {
    /// The model of the current results, as one would name it; `None` before a scan has loaded one.
    pub fn model_words(&self) -> Option<&str> {
        let loaded = self.loaded.as_ref().map(|loaded| loaded.name.as_str());
        match self.model.as_deref() {
            // A word for one of two: only the loaded one says which.
            Some("bundled") => loaded.or(self.model.as_deref()),
            named => named.or(loaded),
        }
    }
}
