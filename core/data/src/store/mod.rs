//! Embeddings on disk, keyed by file content instead of file name.
//!
//! One folder for each model (`DIR/<fingerprint>/chunk-000000.safetensors` and so on), so that a renamed file is a hit,
//! and a changed file or another model a miss. Chunks are complete or absent: they are written under a temporary name,
//! synced and published whole, contain a checksum, and never change afterwards.

mod chunk;
mod feeder;
mod fill;
mod kept;
mod shards;
mod tail;
mod undefined;

pub(crate) use feeder::Feeder;
pub use feeder::FillReport;
pub use fill::fill;
pub use kept::kept;
pub use undefined::undefined;

use crate::{Error, Result, atomic};
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::embedding::ModelFingerprint;
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_protocol::display::safe_path;
use chunk::Chunk;
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Rows of a full chunk.
pub const CHUNK_ROWS: usize = 2048;

/// The location of a row: chunk number and row in it.
type Location = (u32, u32);

/// The embeddings of one model.
pub struct EmbeddingStore {
    folder: PathBuf,
    /// Where the chunk under construction is.
    tail: PathBuf,
    fingerprint: ModelFingerprint,
    dim: usize,
    chunks: BTreeMap<u32, Chunk>,
    /// By the first eight bytes of the hash, which is nearly always enough.
    locations: HashMap<u64, Location>,
    /// The few whose first eight bytes collide.
    collided: HashMap<ContentHash, Location>,
    notes: Vec<String>,
}

impl EmbeddingStore {
    /// Opens or creates the store of a model in `dir`. Every chunk is checked; a damaged one is renamed (`*.damaged`),
    /// noted and recomputed.
    ///
    /// # Errors
    /// When the folder cannot be created or read.
    pub fn open(dir: &Path, fingerprint: &ModelFingerprint, dim: usize) -> Result<EmbeddingStore> {
        let folder = dir.join(fingerprint.as_str());
        fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
        atomic::sweep_old(&folder);
        let mut store = EmbeddingStore {
            tail: folder.clone(),
            folder,
            fingerprint: fingerprint.clone(),
            dim,
            chunks: BTreeMap::new(),
            locations: HashMap::new(),
            collided: HashMap::new(),
            notes: Vec::new(),
        };
        let numbers = store.numbers_on_disk()?;
        let read = |&number: &u32| (number, Chunk::read(&store.path(number), fingerprint, dim));
        let chunks: Vec<_> = numbers.par_iter().map(read).collect();
        for (number, chunk) in chunks {
            match chunk {
                Ok(chunk) => store.add(number, chunk),
                Err(chunk::Unusable::Damaged(reason)) => store.set_aside(number, &reason)?,
                Err(chunk::Unusable::Io(error)) => return Err(error),
            }
        }
        Ok(store)
    }

    /// The same, with the chunk under construction in another folder: several programs may fill a store that they share, each
    /// with a chunk of its own.
    ///
    /// # Errors
    /// When the folder cannot be created.
    pub fn unfinished_in(mut self, dir: &Path) -> Result<EmbeddingStore> {
        self.tail = dir.join(self.fingerprint.as_str());
        fs::create_dir_all(&self.tail).map_err(Error::io("create", &self.tail))?;
        Ok(self)
    }

    /// Problems found on opening, one sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The folder of this model's chunks.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The model.
    pub fn fingerprint(&self) -> &ModelFingerprint {
        &self.fingerprint
    }

    /// Length of a vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Number of contents in the store, including those without a vector.
    pub fn len(&self) -> usize {
        self.locations.len() + self.collided.len()
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The vector of a content; `None` if it is unknown, or known to have none.
    pub fn get(&self, hash: &ContentHash) -> Option<&[f32]> {
        let (number, row) = self.location(hash)?;
        let chunk = self.chunks.get(&number)?;
        chunk.usable(row as usize).then(|| chunk.row(row as usize))
    }

    /// Whether the store knows a content, be it that it has no vector.
    pub fn knows(&self, hash: &ContentHash) -> bool {
        self.location(hash).is_some()
    }

    /// Indices of the hashes that are not in the store: the first of each, in order. Zero hashes (files that could not
    /// be read) are skipped.
    pub fn missing(&self, hashes: &[ContentHash]) -> Vec<usize> {
        let mut seen = HashSet::new();
        let new = |(_, hash): &(usize, &ContentHash)| {
            **hash != ContentHash::default() && self.location(hash).is_none() && seen.insert(**hash)
        };
        hashes.iter().enumerate().filter(new).map(|(location, _)| location).collect()
    }

    /// Writes one more chunk: `rows` holds a vector for each hash, `usable` says which of them are valid. It is on disk
    /// when this returns. Damaged chunks are replaced before a new number is used.
    ///
    /// # Errors
    /// When the lengths are inconsistent, or the chunk cannot be written.
    pub fn append(&mut self, hashes: &[ContentHash], rows: &[f32], usable: &[bool]) -> Result<()> {
        if hashes.is_empty() {
            return Ok(());
        }
        if hashes.len() > CHUNK_ROWS || rows.len() != hashes.len() * self.dim || usable.len() != hashes.len()
        {
            return Err(Error::Invalid(format!(
                "a chunk of {} hashes, {} numbers and {} marks does not match vectors of length {}",
                hashes.len(),
                rows.len(),
                usable.len(),
                self.dim
            )));
        }
        // Programs on several machines may fill one store, and neither locks nor lists of a network file system need tell them of
        // each other: a number that is taken in between is left to whoever took it.
        let taken = self.numbers_on_disk()?;
        let mut free = (0..).filter(|number| taken.binary_search(number).is_err());
        let (number, path) = loop {
            let number =
                free.next().ok_or_else(|| Error::Invalid("there is no number for another chunk".into()))?;
            let path = self.path(number);
            if chunk::write(&path, &self.fingerprint, self.dim, hashes, rows, usable)? {
                break (number, path);
            }
        };
        atomic::sync_folder(&self.folder)?;
        match Chunk::read(&path, &self.fingerprint, self.dim) {
            Ok(chunk) => self.add(number, chunk),
            Err(chunk::Unusable::Io(error)) => return Err(error),
            Err(chunk::Unusable::Damaged(reason)) => {
                let message = format!("what was just written cannot be read back ({reason}): check the disk");
                return Err(Error::format(path, message));
            }
        }
        Ok(())
    }

    /// The vectors of all hashes, row by row, zeros if there is none.
    ///
    /// # Errors
    /// When a matrix that exceeds its share of memory cannot be placed in a file.
    pub fn gather(&self, hashes: &[ContentHash]) -> Result<EmbeddingMatrix> {
        let mut matrix = EmbeddingMatrix::zeros(hashes.len(), self.dim, &self.folder)?;
        if self.dim > 0 {
            let rows = matrix.as_mut_slice().par_chunks_mut(self.dim).zip(hashes);
            rows.with_min_len(256).for_each(|(row, hash)| {
                if let Some(vector) = self.get(hash) {
                    row.copy_from_slice(vector);
                }
            });
        }
        Ok(matrix)
    }

    fn location(&self, hash: &ContentHash) -> Option<Location> {
        let location = *self.locations.get(&prefix(hash))?;
        let stored = self.chunks.get(&location.0).map(|chunk| chunk.hash(location.1 as usize));
        if stored == Some(hash) { Some(location) } else { self.collided.get(hash).copied() }
    }

    /// Adds a chunk. Existing entries stay unchanged.
    fn add(&mut self, number: u32, chunk: Chunk) {
        let hashes: Vec<ContentHash> = chunk.hashes().to_vec();
        self.chunks.insert(number, chunk);
        for (row, hash) in hashes.into_iter().enumerate() {
            let location = (number, row as u32);
            if self.location(&hash).is_some() {
                continue;
            }
            if let std::collections::hash_map::Entry::Vacant(entry) = self.locations.entry(prefix(&hash)) {
                entry.insert(location);
            } else {
                self.collided.insert(hash, location);
            }
        }
    }

    fn set_aside(&mut self, number: u32, reason: &str) -> Result<()> {
        let path = self.path(number);
        let aside = path.with_extension("safetensors.damaged");
        match fs::rename(&path, &aside) {
            // Another program has done so.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            renamed => renamed.map_err(Error::io("rename", &path))?,
        }
        let name = safe_path(&aside);
        self.notes.push(format!(
            "a chunk of embeddings is damaged ({reason}): it was renamed to {name} and will be recomputed"
        ));
        Ok(())
    }

    fn path(&self, number: u32) -> PathBuf {
        self.folder.join(format!("chunk-{number:06}.safetensors"))
    }

    /// Numbers of the existing chunks, sorted.
    fn numbers_on_disk(&self) -> Result<Vec<u32>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(Error::io("list", &self.folder))? {
            let name = entry.map_err(Error::io("list", &self.folder))?.file_name();
            let number =
                name.to_str().and_then(|name| name.strip_prefix("chunk-")?.strip_suffix(".safetensors"));
            numbers.extend(number.and_then(|number| number.parse::<u32>().ok()));
        }
        numbers.sort_unstable();
        numbers.dedup();
        Ok(numbers)
    }
}

fn prefix(hash: &ContentHash) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = hash.0;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
pub(crate) mod tests;
