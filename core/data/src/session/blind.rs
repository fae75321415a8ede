//! Blind reviews that were begun and not ended, which go on when the session is opened again.

use super::Session;
use crate::{Error, Result};
use chaffinch_protocol::BlindWish;
use std::fs;
use std::io::ErrorKind;

/// Of the file in which one is kept.
const EXTENSION: &str = "blind";

impl Session {
    /// The blind review that this reviewer began and has not ended. Where what is kept of it cannot be read, it is one of all
    /// samples: what was seen cannot be unseen.
    pub fn load_blind(&self, reviewer: &str) -> Option<BlindWish> {
        let path = self.views_path(reviewer, EXTENSION).ok()?;
        match fs::read(path) {
            Ok(bytes) => Some(serde_json::from_slice(&bytes).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(_) => Some(BlindWish::default()),
        }
    }

    /// Keeps the blind review of this reviewer, or that there is none.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn save_blind(&self, reviewer: &str, wish: Option<BlindWish>) -> Result<()> {
        let path = self.views_path(reviewer, EXTENSION)?;
        let Some(wish) = wish else {
            self.writable()?;
            return super::removed(fs::remove_file(&path), &path);
        };
        let text = serde_json::to_vec(&wish).map_err(|error| Error::Invalid(error.to_string()))?;
        self.write_view(&path, &text)
    }
}
