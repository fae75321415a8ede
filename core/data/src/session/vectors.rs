//! Where the vectors of a session are: in a store of its own, or in one that sessions share.

use super::Session;
use crate::Result;
use std::path::{Path, PathBuf};

impl Session {
    /// The folder of the embedding store: the shared one, if there is one and the vectors are not from elsewhere.
    pub fn embeddings_dir(&self) -> PathBuf {
        let shared = self.store().filter(|_| self.uses().embeddings.is_none());
        shared.unwrap_or_else(|| self.own_embeddings_dir())
    }

    /// The folder of vectors that only this session has.
    pub fn own_embeddings_dir(&self) -> PathBuf {
        Session::embeddings_in(&self.dir)
    }

    /// The folder of the embedding store that it shares with other sessions, absolute.
    pub fn store(&self) -> Option<PathBuf> {
        self.head().store
    }

    /// From now on, keeps what models of this program embed in a store that sessions share, or in one of its own.
    ///
    /// # Errors
    /// When `session.toml` cannot be written.
    pub fn use_store(&self, store: Option<PathBuf>) -> Result<()> {
        self.change_head(|head| head.store = store)
    }

    /// The folder of the embedding store of the session in `dir`.
    pub fn embeddings_in(dir: &Path) -> PathBuf {
        dir.join("embeddings")
    }

    /// The class vectors of the last scan.
    pub fn class_vectors_path(&self) -> PathBuf {
        self.own_embeddings_dir().join("classes.safetensors")
    }

    /// The vectors of texts that came with embeddings from elsewhere.
    pub fn text_vectors_path(&self) -> PathBuf {
        self.own_embeddings_dir().join("texts.safetensors")
    }
}
