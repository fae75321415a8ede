//! Errors of computing.

use std::io;
use std::path::{Path, PathBuf};

/// The result of computing.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a model failed.
#[derive(Debug, thiserror::Error)]
pub enum EmbedError {
    /// The device is out of memory; a smaller batch may work.
    #[error("out of memory on {device} with a batch of {batch}")]
    OutOfMemory {
        /// The device, for display.
        device: String,
        /// Images in the batch.
        batch: usize,
    },
    /// The model has no text tower.
    #[error("the model {0} has no text tower, so it cannot read prompts")]
    NoTextTower(String),
    /// Vectors that were computed elsewhere have none for a text, with a full sentence.
    #[error("{0}")]
    NoTextVector(String),
    /// Anything else, with a full sentence.
    #[error("{0}")]
    Model(String),
}

/// Everything that can go wrong while computing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("cannot {action} {}: {reason}", path.display())]
    Io {
        /// The failed action: `read`, `write`, `create`, `map`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        reason: io::Error,
    },
    /// A request that cannot be carried out, with the reason.
    #[error("{0}")]
    Invalid(String),
    /// The user asked to stop.
    #[error("stopped")]
    Stopped,
    /// The model failed.
    #[error(transparent)]
    Embed(#[from] EmbedError),
}

impl Error {
    /// For `map_err` on I/O: `.map_err(Error::io("read", path))`.
    pub fn io(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Error {
        let path = path.as_ref().to_path_buf();
        move |reason| Error::Io { action, path, reason }
    }
}
