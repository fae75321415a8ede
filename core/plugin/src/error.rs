//! The one error of a detector: a sentence for the person who reads the report.

use std::fmt;

/// Why a detector gave up. The host shows the sentence beside the detector's name and goes on without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    message: String,
    stopped: bool,
}

/// The result of everything a detector asks of the host.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error with a sentence that says what was wrong and what to do.
    pub fn new(message: impl Into<String>) -> Error {
        Error { message: message.into(), stopped: false }
    }

    /// The person asked to stop: not a failure.
    pub fn stopped() -> Error {
        Error { message: "stopped".into(), stopped: true }
    }

    /// Whether this is an obeyed stop rather than a failure.
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
