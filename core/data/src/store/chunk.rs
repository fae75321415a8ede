//! One chunk of embeddings: a safetensors file with the tensors `embeddings` (F32 `[rows, dim]`), `hashes` (U8
//! `[rows, 32]`) and `usable` (U8 `[rows]`).

use crate::{Error, Result, atomic};
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::embedding::ModelFingerprint;
use chaffinch_compute::mapped;
use memmap2::Mmap;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::ops::Range;
use std::path::Path;

/// The format version of a chunk.
const FORMAT: u32 = 1;

/// The only key of the file's metadata, because the order of several would be that of a hash table.
const KEY: &str = "chaffinch";

/// The metadata, as JSON.
#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    fingerprint: String,
    checksum: String,
}

/// A checked chunk.
pub(super) struct Chunk {
    map: Mmap,
    dim: usize,
    embeddings: Range<usize>,
    hashes: Range<usize>,
    usable: Range<usize>,
}

/// Why a chunk cannot be used.
pub(super) enum Unusable {
    /// Its content is invalid; the reason.
    Damaged(String),
    /// It could not be read.
    Io(Error),
}

impl Chunk {
    /// Maps a chunk and checks its shape, model and checksum.
    pub(super) fn read(
        path: &Path,
        fingerprint: &ModelFingerprint,
        dim: usize,
    ) -> std::result::Result<Chunk, Unusable> {
        let size = fs::metadata(path).map_err(|error| Unusable::Io(Error::io("read", path)(error)))?.len();
        if size == 0 {
            return Err(Unusable::Damaged("it is empty".into()));
        }
        let map = mapped::read(path).map_err(|error| Unusable::Io(error.into()))?;
        Chunk::check(map, fingerprint, dim).map_err(Unusable::Damaged)
    }

    fn check(map: Mmap, fingerprint: &ModelFingerprint, dim: usize) -> std::result::Result<Chunk, String> {
        let (_, metadata) = SafeTensors::read_metadata(&map).map_err(|error| error.to_string())?;
        let header = metadata.metadata().as_ref().and_then(|metadata| metadata.get(KEY));
        let header: Header = header
            .and_then(|header| serde_json::from_str(header).ok())
            .ok_or_else(|| "it has no header".to_owned())?;
        if header.format != FORMAT || header.fingerprint != fingerprint.as_str() {
            return Err("it belongs to another model or version".into());
        }
        let tensors = SafeTensors::deserialize(&map).map_err(|error| error.to_string())?;
        let find = |name: &str, dtype: Dtype| {
            let tensor = tensors.tensor(name).map_err(|error| error.to_string())?;
            if tensor.dtype() != dtype {
                return Err(format!("{name} has the wrong type"));
            }
            let start = tensor.data().as_ptr() as usize - map.as_ptr() as usize;
            Ok((start..start + tensor.data().len(), tensor.shape().to_vec()))
        };
        let (embeddings, shape) = find("embeddings", Dtype::F32)?;
        let (hashes, hashes_shape) = find("hashes", Dtype::U8)?;
        let (usable, usable_shape) = find("usable", Dtype::U8)?;
        let rows = usable_shape.first().copied().unwrap_or(0);
        if shape != [rows, dim] || hashes_shape != [rows, 32] || usable_shape != [rows] {
            return Err("its tensors are inconsistent".into());
        }
        let sum = checksum(&map[embeddings.clone()], &map[hashes.clone()], &map[usable.clone()]);
        if sum != header.checksum {
            return Err("its checksum does not match".into());
        }
        if bytemuck::try_cast_slice::<u8, f32>(&map[embeddings.clone()]).is_err() {
            return Err("its numbers are not aligned".into());
        }
        Ok(Chunk { map, dim, embeddings, hashes, usable })
    }

    /// The content hashes, row by row.
    pub(super) fn hashes(&self) -> &[ContentHash] {
        bytemuck::cast_slice(&self.map[self.hashes.clone()])
    }

    /// One row's content hash.
    pub(super) fn hash(&self, row: usize) -> &ContentHash {
        &self.hashes()[row]
    }

    /// One row's vector.
    pub(super) fn row(&self, row: usize) -> &[f32] {
        let all: &[f32] = bytemuck::cast_slice(&self.map[self.embeddings.clone()]);
        &all[row * self.dim..(row + 1) * self.dim]
    }

    /// Whether the row's vector is valid.
    pub(super) fn usable(&self, row: usize) -> bool {
        self.map[self.usable.clone()][row] == 1
    }
}

/// Writes a chunk under a temporary name, syncs it, and gives it its own, unless there is one of that name: then it returns false.
/// The bytes depend only on the arguments.
pub(super) fn write(
    path: &Path,
    fingerprint: &ModelFingerprint,
    dim: usize,
    hashes: &[ContentHash],
    rows: &[f32],
    usable: &[bool],
) -> Result<bool> {
    let embeddings: &[u8] = bytemuck::cast_slice(rows);
    let hashes_bytes: &[u8] = bytemuck::cast_slice(hashes);
    let usable: Vec<u8> = usable.iter().map(|&usable| u8::from(usable)).collect();
    let view = |dtype, shape: &[usize], data| {
        TensorView::new(dtype, shape.to_vec(), data).map_err(|error| Error::format(path, error.to_string()))
    };
    let count = hashes.len();
    let tensors = [
        ("embeddings", view(Dtype::F32, &[count, dim], embeddings)?),
        ("hashes", view(Dtype::U8, &[count, 32], hashes_bytes)?),
        ("usable", view(Dtype::U8, &[count], &usable)?),
    ];
    let header = Header {
        format: FORMAT,
        fingerprint: fingerprint.as_str().to_owned(),
        checksum: checksum(embeddings, hashes_bytes, &usable),
    };
    let header = serde_json::to_string(&header).map_err(|error| Error::format(path, error.to_string()))?;
    let metadata = HashMap::from([(KEY.to_owned(), header)]);
    let bytes = safetensors::serialize(tensors, Some(metadata))
        .map_err(|error| Error::format(path, error.to_string()))?;

    atomic::write_new(path, |out| out.write_all(&bytes))
}

fn checksum(embeddings: &[u8], hashes: &[u8], usable: &[u8]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in [embeddings, hashes, usable] {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    hasher.finalize().to_hex().to_string()
}
