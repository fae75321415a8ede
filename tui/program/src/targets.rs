//! Files that commands write.

use anyhow::{Result, ensure};
use chaffinch_protocol::display::safe_path;
use std::path::Path;

/// Refuses to replace what is there, unless that `may` be.
///
/// # Errors
/// When it may not be replaced.
pub(super) fn replace(path: &Path, may: bool) -> Result<()> {
    ensure!(may, "{} already exists; choose another path, or use --force to replace it", safe_path(path));
    Ok(())
}
