//! What the last run of each detector took. Not in its result, whose bytes depend on the dataset alone.

use super::Session;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

/// What a run took.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Seconds.
    pub seconds: f64,
    /// The most memory in bytes that its process had to itself; 0 if it had none of its own.
    #[serde(default)]
    pub memory: u64,
    /// The last lines that it printed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub printed: String,
}

impl Session {
    /// What the last runs took, by detector. A file that cannot be read says nothing.
    pub fn load_costs(&self) -> BTreeMap<String, Cost> {
        let text = std::fs::read_to_string(self.costs_path()).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Stores what the last runs took.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save_costs(&self, costs: &BTreeMap<String, Cost>) -> Result<()> {
        let path = self.costs_path();
        let text =
            serde_json::to_string_pretty(costs).map_err(|error| Error::format(&path, error.to_string()))?;
        self.write(&path, |out| out.write_all(text.as_bytes()))
    }

    fn costs_path(&self) -> PathBuf {
        self.dir().join("costs.json")
    }
}
