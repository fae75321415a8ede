//! Prompts that were edited in a session, which count in the place of those of the configuration.

use super::Session;
use crate::prompts::PromptSet;
use crate::{Error, Result};
use chaffinch_protocol::PromptWords;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

pub(super) const FILE: &str = "prompts.toml";

impl Session {
    /// Where they are, if there are any.
    pub fn prompts_path(&self) -> PathBuf {
        self.dir().join(FILE)
    }

    /// The set in use: that of the session if it has one, on top of what the configuration says that classes are called.
    ///
    /// # Errors
    /// When there is a set of the session that cannot be read.
    pub fn prompts(&self, configured: &PromptSet) -> Result<PromptSet> {
        Ok(match self.load_prompts()? {
            Some(words) => configured.edit(&words),
            None => configured.clone(),
        })
    }

    /// The set of the session, if it has one.
    ///
    /// # Errors
    /// When it cannot be read, or is not valid.
    pub fn load_prompts(&self) -> Result<Option<PromptWords>> {
        let path = self.prompts_path();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", &path)(error)),
        };
        let mut set = PromptSet::default();
        let words = set.overlay(&text, &path).map(|()| set.edited())?;
        match words.fault() {
            None => Ok(Some(words)),
            Some(fault) => {
                let how = "chaffinch prompts SESSION --reset returns to the set of the configuration";
                Err(Error::format(&path, format!("{fault}; {how}")))
            }
        }
    }

    /// Stores a set, or that there is none.
    ///
    /// # Errors
    /// When the set is not valid, or cannot be written.
    pub fn save_prompts(&self, words: Option<&PromptWords>) -> Result<()> {
        self.writable()?;
        let path = self.prompts_path();
        let Some(words) = words else { return super::removed(fs::remove_file(&path), &path) };
        if let Some(fault) = words.fault() {
            return Err(Error::Invalid(fault));
        }
        let text = toml::to_string_pretty(words).map_err(|error| Error::format(&path, error.to_string()))?;
        self.write(&path, |out| {
            out.write_all(b"# Edited with chaffinch; as configs/prompts/default.toml describes it.\n\n")?;
            out.write_all(text.as_bytes())
        })
    }
}
