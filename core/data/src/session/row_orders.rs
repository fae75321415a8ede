//! Whose the rows of files without names are, a file each, by the digest of that file's bytes.

use super::Session;
use crate::row_order::RowOrder;
use crate::{Error, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// The folder of all of them.
pub(super) const FOLDER: &str = "rows";

impl Session {
    /// What the session in `dir` knows of the file with this digest.
    pub fn row_order_in(dir: &Path, digest: &str) -> PathBuf {
        dir.join(FOLDER).join(format!("{digest}.arrow"))
    }

    /// Remembers whose the rows of the file with this digest are.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_row_order(&self, digest: &str, order: &RowOrder) -> Result<()> {
        self.writable()?;
        let folder = self.dir().join(FOLDER);
        fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
        order.save(&Session::row_order_in(self.dir(), digest))
    }
}
