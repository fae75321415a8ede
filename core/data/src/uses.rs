//! What a session was scanned with: later commands use the same unless told otherwise.

use chaffinch_protocol::display::{quoted, safe_path};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

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
    /// Where the vectors are from, if they were given instead of a model. The session keeps the vectors themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embeddings: Option<EmbeddingFiles>,
    /// Where the class probabilities are from, if they were given. The session keeps the probabilities themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pred_probs: Option<ProbabilityFiles>,
}

/// Files of embeddings that were computed elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EmbeddingFiles {
    /// The file or folder.
    pub file: PathBuf,
    /// The file that names its rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ids: Option<PathBuf>,
    /// The file with the vectors of texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub texts: Option<PathBuf>,
}

impl EmbeddingFiles {
    /// What stands in the place of a model's name: `embeddings of clip.npy`.
    pub fn name(&self) -> String {
        let file = self.file.file_name().map(Path::new).unwrap_or(&self.file);
        format!("embeddings of {}", safe_path(file))
    }
}

/// Files of class probabilities that were computed elsewhere, one for each model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProbabilityFiles {
    /// The files.
    pub files: Vec<PathBuf>,
    /// The file with the names of their columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classes: Option<PathBuf>,
    /// The file that names their rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ids: Option<PathBuf>,
}

impl ProbabilityFiles {
    /// The names of the files: `probabilities of a.npy and b.npy`.
    pub fn name(&self) -> String {
        let name = |file: &PathBuf| safe_path(file.file_name().map(Path::new).unwrap_or(file));
        let names: Vec<String> = self.files.iter().map(name).collect();
        format!("probabilities of {}", names.join(" and "))
    }
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
        if self.embeddings.is_some() {
            return self.loaded.as_ref().map(|loaded| loaded.name.as_str());
        }
        let loaded = self.loaded.as_ref().map(|loaded| loaded.name.as_str());
        match self.model.as_deref() {
            // A word for one of two: only the loaded one says which.
            Some("bundled") => loaded.or(self.model.as_deref()),
            named => named.or(loaded),
        }
    }

    /// The option that returns to the model of the current results: `--model NAME`.
    pub fn model_option(&self) -> Option<String> {
        match &self.embeddings {
            Some(files) => {
                let ids = files.ids.as_ref().map(|ids| format!(" --embedding-ids {}", quoted(ids)));
                Some(format!("--embeddings {}{}", quoted(&files.file), ids.unwrap_or_default()))
            }
            None => Some(format!("--model {}", self.model_words()?)),
        }
    }
}
