//! The one error of a detector: a sentence for the person who reads the report.

use std::fmt;

/// Why a detector gave up. The host shows the sentence beside the detector's name and goes on without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    message: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Failed,
    Missing,
    Stopped,
}

/// The result of everything a detector asks of the host.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error with a sentence that says what was wrong and what to do.
    pub fn new(message: impl Into<String>) -> Error {
        Error { message: message.into(), kind: Kind::Failed }
    }

    /// As [`Error::new`], where nothing failed but the model or the dataset does not have what was asked for: a text tower, a
    /// prompt. A detector that can do without it goes on.
    pub fn missing(message: impl Into<String>) -> Error {
        Error { message: message.into(), kind: Kind::Missing }
    }

    /// The person asked to stop: not a failure.
    pub fn stopped() -> Error {
        Error { message: "stopped".into(), kind: Kind::Stopped }
    }

    /// Whether this is an obeyed stop rather than a failure.
    pub fn is_stopped(&self) -> bool {
        self.kind == Kind::Stopped
    }

    /// Whether what was asked for is not there, rather than broken.
    pub fn is_missing(&self) -> bool {
        self.kind == Kind::Missing
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
