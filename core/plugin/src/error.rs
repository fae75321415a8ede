//! The error type of detectors: a message for whoever reads the report.

use std::fmt;

/// Why a detector failed. The host shows the message with the detector's name and continues with the others.
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

/// The result of every request to the host.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error with a message that says what is wrong and what to do.
    pub fn new(message: impl Into<String>) -> Error {
        Error { message: message.into(), kind: Kind::Failed }
    }

    /// As [`Error::new`], but nothing failed: the model or the dataset does not have what was requested, such as a text tower
    /// or a prompt. A detector that can do without it continues.
    pub fn missing(message: impl Into<String>) -> Error {
        Error { message: message.into(), kind: Kind::Missing }
    }

    /// The user requested a stop; this is not a failure.
    pub fn stopped() -> Error {
        Error { message: "stopped".into(), kind: Kind::Stopped }
    }

    /// Whether this is a requested stop, not a failure.
    pub fn is_stopped(&self) -> bool {
        self.kind == Kind::Stopped
    }

    /// Whether what was requested does not exist, as opposed to a failure.
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
