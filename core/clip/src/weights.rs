#![allow(unsafe_code)] // One call: memory-mapping a file of weights.
//! Tensors of a checkpoint: one `*.safetensors` file or several with an index.
//!
//! Loading is strict. A tensor that is missing or has the wrong shape is an error that names it and the file. Half
//! precision is widened if the towers compute in single precision.

use crate::error::ClipError;
use candle_core::{DType, Device, Tensor};
use memmap2::Mmap;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorInfo};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};

/// The bytes of one file.
enum Bytes {
    Static(&'static [u8]),
    Mapped(Mmap),
}

impl Bytes {
    fn get(&self) -> &[u8] {
        match self {
            Bytes::Static(bytes) => bytes,
            Bytes::Mapped(map) => map,
        }
    }
}

struct Part {
    path: PathBuf,
    bytes: Bytes,
    /// Where the tensors begin.
    data: usize,
}

/// All tensors of a checkpoint.
pub(crate) struct Weights {
    parts: Vec<Part>,
    tensors: BTreeMap<String, (usize, TensorInfo)>,
    /// The file to report if a tensor is in none: the index of a sharded checkpoint.
    whole: PathBuf,
}

impl Weights {
    /// Opens `model.safetensors` of a folder, or the files that `model.safetensors.index.json` names, or the only
    /// `*.safetensors` file there is.
    ///
    /// # Errors
    /// When there is none, or one cannot be read or is damaged.
    pub(crate) fn open(folder: &Path) -> Result<Weights, ClipError> {
        let single = folder.join("model.safetensors");
        if single.is_file() {
            return Weights::from_files(single.clone(), vec![single]);
        }
        let index = folder.join("model.safetensors.index.json");
        if index.is_file() {
            let names = shard_names(&index)?;
            return Weights::from_files(index, names.iter().map(|name| folder.join(name)).collect());
        }
        let entries = folder.read_dir().map_err(|source| ClipError::Read { path: folder.into(), source })?;
        let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
        let mut files: Vec<PathBuf> =
            paths.filter(|path| path.extension().is_some_and(|e| e == "safetensors")).collect();
        match (files.pop(), files.is_empty()) {
            (Some(file), true) => Weights::from_files(file.clone(), vec![file]),
            _ => Err(ClipError::NoFile { folder: folder.into(), wanted: "model.safetensors".into() }),
        }
    }

    /// Weights that are part of the program; `name` is for messages.
    ///
    /// # Errors
    /// When they are damaged.
    pub(crate) fn embedded(bytes: &'static [u8], name: &Path) -> Result<Weights, ClipError> {
        let mut weights = Weights { parts: Vec::new(), tensors: BTreeMap::new(), whole: name.into() };
        weights.add(name.into(), Bytes::Static(bytes))?;
        Ok(weights)
    }

    fn from_files(whole: PathBuf, files: Vec<PathBuf>) -> Result<Weights, ClipError> {
        let mut weights = Weights { parts: Vec::new(), tensors: BTreeMap::new(), whole };
        for path in files {
            let bytes = map(&path).map_err(|source| ClipError::Read { path: path.clone(), source })?;
            weights.add(path, Bytes::Mapped(bytes))?;
        }
        Ok(weights)
    }

    fn add(&mut self, path: PathBuf, bytes: Bytes) -> Result<(), ClipError> {
        let read = SafeTensors::read_metadata(bytes.get());
        let (header, metadata) =
            read.map_err(|error| ClipError::Weights { path: path.clone(), reason: error.to_string() })?;
        let part = self.parts.len();
        for name in metadata.offset_keys() {
            if let Some(info) = metadata.info(&name) {
                self.tensors.insert(name, (part, info.clone()));
            }
        }
        self.parts.push(Part { path, bytes, data: header + size_of::<u64>() });
        Ok(())
    }

    /// Feeds the contents of all files to a digest, in their order.
    pub(crate) fn digest(&self, hasher: &mut blake3::Hasher) {
        for part in &self.parts {
            hasher.update(part.bytes.get());
        }
    }

    /// Numbers in all tensors.
    pub(crate) fn numbers(&self) -> u64 {
        self.tensors
            .values()
            .map(|(_, info)| info.shape.iter().map(|&side| side as u64).product::<u64>())
            .sum()
    }

    /// Whether there is a tensor of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// The dimensions of a tensor, if it is there.
    pub(crate) fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|(_, info)| info.shape.as_slice())
    }

    /// The file to name in messages about the checkpoint as a whole.
    pub(crate) fn path(&self) -> &Path {
        &self.whole
    }

    /// A tensor in single precision on the CPU.
    ///
    /// # Errors
    /// When it is missing, has the wrong shape, or an unsupported type.
    pub(crate) fn get(&self, name: &str, shape: &[usize]) -> Result<Tensor, ClipError> {
        let Some((part, info)) = self.tensors.get(name) else {
            return Err(ClipError::MissingTensor { path: self.whole.clone(), name: name.into() });
        };
        let part = &self.parts[*part];
        if info.shape != shape {
            let (expected, found) = (shape.to_vec(), info.shape.clone());
            return Err(ClipError::WrongShape {
                path: part.path.clone(),
                name: name.into(),
                expected,
                found,
            });
        }
        let wrong = |reason: String| ClipError::Weights { path: part.path.clone(), reason };
        let dtype = match info.dtype {
            Dtype::F32 => DType::F32,
            Dtype::F16 => DType::F16,
            Dtype::BF16 => DType::BF16,
            Dtype::F64 => DType::F64,
            other => {
                return Err(wrong(format!("tensor {name} contains {other:?}, not floating-point numbers")));
            }
        };
        let (start, end) = info.data_offsets;
        let bytes = part.bytes.get().get(part.data + start..part.data + end);
        let bytes = bytes.ok_or_else(|| wrong(format!("tensor {name} extends past the end of the file")))?;
        let tensor = Tensor::from_raw_buffer(bytes, dtype, shape, &Device::Cpu);
        let tensor = tensor.and_then(|tensor| tensor.to_dtype(DType::F32));
        tensor.map_err(|error| wrong(format!("tensor {name}: {error}")))
    }
}

/// Names of the files that the index of a sharded checkpoint refers to, in alphabetical order.
///
/// # Errors
/// When the index cannot be read, or refers to anything but files in the same folder.
pub(crate) fn shard_names(index: &Path) -> Result<Vec<String>, ClipError> {
    #[derive(serde::Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let text =
        std::fs::read_to_string(index).map_err(|source| ClipError::Read { path: index.into(), source })?;
    let wrong = |reason: String| ClipError::Config { path: index.into(), reason };
    let read: Index = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let names: BTreeSet<String> = read.weight_map.into_values().collect();
    if let Some(name) =
        names.iter().find(|name| name.contains(['/', '\\']) || !name.ends_with(".safetensors"))
    {
        return Err(wrong(format!("{name:?} is not the name of a safetensors file in the same folder")));
    }
    if names.is_empty() {
        return Err(wrong("it lists no files".into()));
    }
    Ok(names.into_iter().collect())
}

fn map(path: &Path) -> std::io::Result<Mmap> {
    let file = File::open(path)?;
    // SAFETY: the map is private to this process and only read. Truncating the file while it is being loaded stops the
    // program with SIGBUS, as with every memory-mapped model; checkpoints are replaced by renaming, never shortened in
    // place, and the map is dropped as soon as the tensors are made.
    unsafe { Mmap::map(&file) }
}
