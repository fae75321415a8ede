//! Errors of a dataset, its session and its files: what is wrong, in which file, and where it helps, what to do.

use chaffinch_protocol::display::quoted;
use std::io;
use std::path::{Path, PathBuf};

/// The result of working on a dataset.
pub type Result<T> = std::result::Result<T, Error>;

/// Everything that can go wrong with a dataset and its session.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("cannot {action} {}: {reason}", path.display())]
    Io {
        /// The failed action: `read`, `write`, `create`, `list`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not. It is part of the message, so it is not a source: printing a chain would repeat it.
        reason: io::Error,
    },
    /// A file exists but its content is invalid.
    #[error("{}: {message}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do, with the line number for text files.
        message: String,
    },
    /// The dataset cannot be used.
    #[error("dataset {}: {message}", path.display())]
    Dataset {
        /// The dataset.
        path: PathBuf,
        /// What went wrong and what to do.
        message: String,
    },
    /// Another program is using the session.
    #[error("session {} is in use by {holder}; quit it, or choose another folder with --session", path.display())]
    SessionInUse {
        /// The session's folder.
        path: PathBuf,
        /// Who holds it, if known.
        holder: String,
    },
    /// The session belongs to another dataset than the one that was named.
    #[error("{}", other_dataset(session, bound, named))]
    OtherDataset {
        /// The session's folder.
        session: PathBuf,
        /// Its dataset.
        bound: PathBuf,
        /// The dataset that was named.
        named: PathBuf,
    },
    /// A request that cannot be carried out, with the reason.
    #[error("{0}")]
    Invalid(String),
    /// A word of a filter cannot be understood, or names what is not there.
    #[error("{message}")]
    Filter {
        /// What is wrong and what to write instead.
        message: String,
        /// Where the word stands in the filter, in bytes: its first, and the one after its last.
        at: (usize, usize),
    },
    /// The user asked to stop.
    #[error("stopped")]
    Stopped,
    /// The model failed.
    #[error(transparent)]
    Embed(#[from] chaffinch_compute::embedding::EmbedError),
}

/// What is wrong, and what to do if the dataset has moved.
fn other_dataset(session: &Path, bound: &Path, named: &Path) -> String {
    let gone = match crate::dataset::is_there(bound) {
        true => String::new(),
        false => {
            let (session, named) = (quoted(session), quoted(named));
            format!(
                ", which is gone; if it has moved, bind the session to its new place with: \
                 chaffinch session move {session} {named}"
            )
        }
    };
    let (session, bound, named) = (session.display(), bound.display(), named.display());
    format!("the session {session} belongs to the dataset {bound}, not {named}{gone}")
}

impl Error {
    /// Whether something may not be written, as opposed to a disk that failed or is full.
    pub fn forbids_writing(&self) -> bool {
        use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
        matches!(self, Error::Io { reason, .. } if matches!(reason.kind(), PermissionDenied | ReadOnlyFilesystem))
    }

    /// For `map_err` on I/O: `.map_err(Error::io("read", path))`.
    pub fn io(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Error {
        let path = path.as_ref().to_path_buf();
        move |reason| Error::Io { action, path, reason }
    }

    /// An error for a file with invalid content.
    pub fn format(path: impl AsRef<Path>, message: impl Into<String>) -> Error {
        Error::Format { path: path.as_ref().to_path_buf(), message: message.into() }
    }
}

impl From<chaffinch_compute::Error> for Error {
    fn from(error: chaffinch_compute::Error) -> Error {
        use chaffinch_compute::Error as Compute;
        match error {
            Compute::Io { action, path, reason } => Error::Io { action, path, reason },
            Compute::Invalid(message) => Error::Invalid(message),
            Compute::Stopped => Error::Stopped,
            Compute::Embed(error) => Error::Embed(error),
            // New errors of `chaffinch-compute` keep their message here.
            other => Error::Invalid(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;

    /// Printing an error prints its sources, too.
    #[test]
    fn a_reason_stands_once_in_a_chain() {
        let reason = || io::Error::from_raw_os_error(22);
        let compute = chaffinch_compute::Error::io("map", "there")(reason());
        for error in [Error::io("lock", "here")(reason()), Error::from(compute)] {
            let text = error.to_string();
            assert_eq!(text.matches("os error 22").count(), 1, "{text}");
            assert!(error.source().is_none(), "{text}: {:?}", error.source());
        }
    }
}
