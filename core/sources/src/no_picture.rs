//! Samples without a picture.

use std::io;

/// That a sample has no picture: its cell is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its cell is empty")]
pub struct NoPicture;

pub(crate) fn no_picture() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, NoPicture)
}
