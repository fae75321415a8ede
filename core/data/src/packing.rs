//! Where samples are that are not files of their own, by column.

use crate::columns::Column;
use chaffinch_sources::Packed;
pub use chaffinch_sources::bucket::{Bucket, Object, is_address};
pub use chaffinch_sources::{
    Blob, BlobReader, Chosen, Container, Holds, NO_PICTURE, NoPicture, Pixels, ReadSeek, Source, Written,
};
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The container of a sample that is a file of its own.
pub const NO_CONTAINER: u32 = u32::MAX;

/// Where the samples of a dataset are in its containers.
#[derive(Debug, Clone)]
pub struct Packing {
    containers: Arc<[Container]>,
    /// One number per sample, or [`NO_CONTAINER`].
    of: Column<u32>,
    starts: Column<u64>,
    lengths: Column<u64>,
}

/// A container as it is stored: its path relative to the dataset, if it is below it, and what it holds.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct StoredContainer {
    /// The path, if it is valid UTF-8.
    path: Option<String>,
    /// Its bytes otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path_bytes: Option<Vec<u8>>,
    #[serde(flatten)]
    holds: Holds,
}

impl StoredContainer {
    fn new(path: &Path, holds: &Holds) -> StoredContainer {
        let text = path.to_str().map(str::to_owned);
        let path_bytes = text.is_none().then(|| path.as_os_str().as_bytes().to_vec());
        StoredContainer { path: text, path_bytes, holds: holds.clone() }
    }

    fn container(self, root: &Path) -> Container {
        let bytes = self.path.map(String::into_bytes).or(self.path_bytes).unwrap_or_default();
        Container::new(below(root, Path::new(&OsString::from_vec(bytes))), self.holds)
    }
}

/// Collects where samples are.
#[derive(Debug, Default)]
pub struct PackingBuilder {
    containers: Vec<Container>,
    of: Vec<u32>,
    starts: Vec<u64>,
    lengths: Vec<u64>,
}

impl PackingBuilder {
    /// Adds a container; the samples that follow are in it. Returns its number.
    pub fn container(&mut self, path: impl Into<PathBuf>, holds: Holds) -> u32 {
        self.containers.push(Container::new(path, holds));
        self.containers.len() as u32 - 1
    }

    /// Adds a sample in the last container: `length` bytes from `start` on, or a row and 0.
    pub fn push(&mut self, start: u64, length: u64) {
        self.push_in((self.containers.len() as u32).wrapping_sub(1), start, length);
    }

    /// Adds a sample in the container of this number.
    pub fn push_in(&mut self, container: u32, start: u64, length: u64) {
        self.of.push(container);
        self.starts.push(start);
        self.lengths.push(length);
    }

    /// Adds a sample that is a file of its own.
    pub fn push_file(&mut self) {
        self.of.push(NO_CONTAINER);
        self.starts.push(0);
        self.lengths.push(0);
    }

    /// The samples, in the order in which they were added.
    #[must_use]
    pub fn finish(self) -> Packing {
        Packing {
            containers: self.containers.into(),
            of: self.of.into(),
            starts: self.starts.into(),
            lengths: self.lengths.into(),
        }
    }
}

/// A path below the dataset, which may be the container itself: a file does not end in a slash.
pub fn below(root: &Path, path: &Path) -> PathBuf {
    if path.as_os_str().is_empty() { root.to_path_buf() } else { root.join(path) }
}

impl Packing {
    /// Restores what was stored. `None` if it is inconsistent.
    pub(crate) fn from_columns(
        root: &Path,
        containers: Vec<StoredContainer>,
        of: Column<u32>,
        starts: Column<u64>,
        lengths: Column<u64>,
    ) -> Option<Packing> {
        let fits = of.len() == starts.len()
            && of.len() == lengths.len()
            && of.iter().all(|&one| one == NO_CONTAINER || (one as usize) < containers.len());
        let containers = containers.into_iter().map(|stored| stored.container(root));
        fits.then(|| Packing { containers: containers.collect(), of, starts, lengths })
    }

    /// The columns: containers, starts, lengths.
    pub(crate) fn columns(&self) -> (&[u32], &[u64], &[u64]) {
        (&self.of, &self.starts, &self.lengths)
    }

    /// The containers as they are stored.
    pub(crate) fn stored(&self, root: &Path) -> Vec<StoredContainer> {
        let stored = |one: &Container| {
            StoredContainer::new(one.path().strip_prefix(root).unwrap_or(one.path()), one.holds())
        };
        self.containers.iter().map(stored).collect()
    }

    /// How many samples there are.
    pub(crate) fn len(&self) -> usize {
        self.of.len()
    }

    /// The containers, in the order of the dataset.
    pub fn containers(&self) -> &[Container] {
        &self.containers
    }

    /// The same in another folder.
    pub(crate) fn moved(&self, from: &Path, to: &Path) -> Packing {
        let moved = |container: &Container| {
            let path = match container.path().strip_prefix(from) {
                Ok(path) => below(to, path),
                Err(_) => container.path().to_path_buf(),
            };
            Container::new(path, container.holds().clone())
        };
        Packing { containers: self.containers.iter().map(moved).collect(), ..self.clone() }
    }

    /// The sample of this row and name; `None` if it is a file of its own.
    pub(crate) fn source<'a>(&'a self, row: usize, name: &'a Path) -> Option<Source<'a>> {
        let container = self.containers.get(self.of[row] as usize)?;
        let (start, length) = (self.starts[row], self.lengths[row]);
        Some(Source::Packed(Packed { container, name, start, length }))
    }
}
