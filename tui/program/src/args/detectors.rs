//! `--plugins`: a folder of detectors.

use clap::builder::{PathBufValueParser, TypedValueParser};
use std::path::PathBuf;

/// A folder that is there: what somebody names on the command line is never left out with a mere warning.
pub(crate) fn detectors() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path: PathBuf| match path.metadata() {
        Ok(_) => Ok(path),
        Err(error) => Err(error),
    })
}
