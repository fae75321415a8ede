//! 320 paintings as embeddings, for which published notebooks and cleanlab's Datalab provide figures to compare with.
//!
//! Detectors' own tests include this file by its path: two detectors cannot be linked into one test, because each
//! exports the same symbol. The including file must import `npy` from `chaffinch_plugin::testing`.

use super::npy;
use std::path::PathBuf;

/// The embeddings of the paintings.
#[derive(Debug)]
pub(crate) struct Paintings {
    /// As saved, not normalized; row by row.
    pub(crate) embeddings: Vec<f32>,
    /// Length of a row.
    pub(crate) dim: usize,
    /// What is between `banksy_` and the extension of each file.
    pub(crate) names: Vec<String>,
}

impl Paintings {
    /// Reads them from `data/paintings` in the folder that `CHAFFINCH_SHARED` names, by default `shared` beside the
    /// repository. Tests that use it are ignored unless requested, so missing data is a failure.
    pub(crate) fn read() -> Paintings {
        // `tests` is one folder down, a detector's crate two.
        let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let beside = || {
            let found = here.ancestors().map(|folder| folder.join("shared")).find(|folder| folder.is_dir());
            found.unwrap_or_else(|| here.join("shared"))
        };
        let folder = std::env::var_os("CHAFFINCH_SHARED").map_or_else(beside, PathBuf::from);
        let folder = folder.join("data/paintings");
        let (Ok((embeddings, dim)), Ok(names)) =
            (npy(&folder.join("embeddings.npy")), std::fs::read_to_string(folder.join("names.txt")))
        else {
            panic!(
                "{} is missing: set CHAFFINCH_SHARED to the folder that holds data/paintings",
                folder.display()
            )
        };
        let plain = |name: &str| name.trim_start_matches("banksy_").trim_end_matches(".jpg").to_owned();
        let names: Vec<String> = names.split_whitespace().map(plain).collect();
        assert_eq!((names.len(), embeddings.len()), (320, 320 * dim));
        Paintings { embeddings, dim, names }
    }

    /// The names of some rows, sorted.
    pub(crate) fn names_of(&self, rows: impl IntoIterator<Item = usize>) -> Vec<&str> {
        let mut names: Vec<&str> = rows.into_iter().map(|row| self.names[row].as_str()).collect();
        names.sort_unstable();
        names
    }
}
