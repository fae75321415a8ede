//! Why a Parquet file is not rewritten.

use super::refusal::changed;
use crate::Error;
use parquet::errors::ParquetError;
use std::io;
use std::path::{Path, PathBuf};

/// What went wrong in a column.
#[derive(Debug)]
pub(super) enum Fault {
    Io(io::Error),
    Parquet(ParquetError),
    /// The picture with this path is not the one that was decided about.
    Changed(PathBuf),
}

impl Fault {
    pub(super) fn general(text: impl Into<String>) -> Fault {
        Fault::Parquet(ParquetError::General(text.into()))
    }

    /// The error about the file, or about the dataset that it is in.
    pub(super) fn of(self, dataset: &Path, file: &Path, column: &str) -> Error {
        match self {
            Fault::Changed(path) => changed(dataset, &path),
            Fault::Parquet(error) => Error::format(file, format!("column '{column}': {error}")),
            Fault::Io(error) => match error.kind() {
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                    Error::format(file, format!("column '{column}' is damaged: {error}"))
                }
                _ => Error::io("rewrite", file)(error),
            },
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        Fault::Io(error)
    }
}

impl From<ParquetError> for Fault {
    fn from(error: ParquetError) -> Fault {
        match error {
            ParquetError::External(source) => match source.downcast::<io::Error>() {
                Ok(error) => Fault::Io(*error),
                Err(source) => Fault::Parquet(ParquetError::External(source)),
            },
            other => Fault::Parquet(other),
        }
    }
}
