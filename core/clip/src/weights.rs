#![allow(unsafe_code)] // One call: memory-mapping a file of weights.
//! Tensors of a checkpoint: one `*.safetensors` file or several with an index.
//!
//! Loading is strict. A tensor that is missing or has the wrong shape is an error that names it and the file. Half
//! precision is widened if the towers compute in single precision.

use crate::error::ClipError;
use crate::files::{FileSet, INDEX, Layout, pickle, shard_names};
use crate::naming::{Naming, Origin};
use candle_core::{DType, Device, Tensor};
use memmap2::Mmap;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorInfo};
use std::collections::BTreeMap;
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
    /// How the checkpoint names what the towers ask for.
    naming: Naming,
}

impl Weights {
    /// Opens the weights among the files of a checkpoint: the layout's single file, or the files that
    /// `model.safetensors.index.json` names, or the only `*.safetensors` file there is. `folder` is for messages.
    ///
    /// # Errors
    /// When there is none, or one cannot be read or is damaged.
    pub(crate) fn open(files: &FileSet, layout: Layout, folder: &Path) -> Result<Weights, ClipError> {
        if let Some(single) = files.get(layout.weights()) {
            return Weights::from_files(single.into(), vec![single.into()]);
        }
        if let Some(index) = files.get(INDEX).filter(|_| layout == Layout::HuggingFace) {
            let names = shard_names(index)?;
            let path = |name: &String| files.get(name).map_or_else(|| folder.join(name), Path::to_path_buf);
            return Weights::from_files(index.into(), names.iter().map(path).collect());
        }
        let mut named = files.iter().filter(|(name, _)| name.ends_with(".safetensors"));
        match (named.next(), named.next()) {
            (Some((_, file)), None) => Weights::from_files(file.into(), vec![file.into()]),
            _ => match pickle(&|name| files.has(name)) {
                Some(name) => Err(ClipError::Pickle { path: folder.join(name), wanted: layout.weights() }),
                None => Err(ClipError::NoFile { folder: folder.into(), wanted: layout.weights().into() }),
            },
        }
    }

    /// The same weights, with tensors looked up as that naming has them.
    pub(crate) fn named(self, naming: Naming) -> Weights {
        Weights { naming, ..self }
    }

    /// Weights that are part of the program; `name` is for messages.
    ///
    /// # Errors
    /// When they are damaged.
    pub(crate) fn embedded(bytes: &'static [u8], name: &Path) -> Result<Weights, ClipError> {
        let mut weights = Weights {
            parts: Vec::new(),
            tensors: BTreeMap::new(),
            whole: name.into(),
            naming: Naming::Transformers,
        };
        weights.add(name.into(), Bytes::Static(bytes))?;
        Ok(weights)
    }

    fn from_files(whole: PathBuf, files: Vec<PathBuf>) -> Result<Weights, ClipError> {
        let mut weights =
            Weights { parts: Vec::new(), tensors: BTreeMap::new(), whole, naming: Naming::Transformers };
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

    fn origin(&self, name: &str) -> Origin {
        self.naming.origin(name, &|name| self.tensors.contains_key(name))
    }

    /// Whether there is a tensor of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.origin(name).names.iter().all(|name| self.tensors.contains_key(name))
    }

    /// The dimensions of a tensor that is stored as the towers use it, if it is there.
    pub(crate) fn shape(&self, name: &str) -> Option<&[usize]> {
        let origin = self.origin(name);
        let name = origin.names.first().filter(|_| origin.is_plain())?;
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
        let origin = self.origin(name);
        let name = origin.names.first().map_or(name, String::as_str);
        if origin.is_plain() {
            return self.stored(name, Some(shape));
        }
        let mut needed = shape.to_vec();
        if origin.transposed {
            needed.reverse();
        }
        if let (Some((_, of)), Some(rows)) = (origin.part, needed.first_mut()) {
            *rows *= of;
        }
        let parts: Vec<Tensor> = match origin.names.as_slice() {
            [one] => vec![self.stored(one, Some(&needed))?],
            several => several.iter().map(|name| self.stored(name, None)).collect::<Result<_, _>>()?,
        };
        let made = || -> candle_core::Result<Tensor> {
            let mut tensor = if parts.len() == 1 { parts[0].clone() } else { Tensor::cat(&parts, 0)? };
            if let Some((index, _)) = origin.part {
                tensor = tensor.narrow(0, index * shape[0], shape[0])?.contiguous()?;
            }
            if origin.transposed {
                tensor = tensor.t()?.contiguous()?;
            }
            Ok(tensor)
        };
        let wrong = |error: candle_core::Error| ClipError::Weights {
            path: self.whole.clone(),
            reason: format!("tensor {name}: {error}"),
        };
        let mut tensor = made().map_err(wrong)?;
        if tensor.dims() != shape {
            return Err(ClipError::WrongShape {
                path: self.whole.clone(),
                name: origin.names.join(" + "),
                expected: shape.to_vec(),
                found: tensor.dims().to_vec(),
            });
        }
        if let Some(scale) = &origin.scale {
            let scale = self.stored(scale, Some(&shape[..1]))?;
            let mut rows = vec![1; shape.len()];
            rows[0] = shape[0];
            tensor = scale.reshape(rows).and_then(|scale| tensor.broadcast_mul(&scale)).map_err(wrong)?;
        }
        Ok(tensor)
    }

    /// A tensor as it is stored. A shape may differ from the stored one by leading dimensions of one.
    fn stored(&self, name: &str, shape: Option<&[usize]>) -> Result<Tensor, ClipError> {
        let Some((part, info)) = self.tensors.get(name) else {
            return Err(ClipError::MissingTensor { path: self.whole.clone(), name: name.into() });
        };
        let part = &self.parts[*part];
        let shape = shape.unwrap_or(&info.shape);
        let bare =
            |shape: &[usize]| -> Vec<usize> { shape.iter().copied().skip_while(|&side| side == 1).collect() };
        if info.shape != shape && (self.naming == Naming::Transformers || bare(&info.shape) != bare(shape)) {
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

fn map(path: &Path) -> std::io::Result<Mmap> {
    let file = File::open(path)?;
    // SAFETY: the map is private to this process and only read. Truncating the file while it is being loaded stops the
    // program with SIGBUS, as with every memory-mapped model; checkpoints are replaced by renaming, never shortened in
    // place, and the map is dropped as soon as the tensors are made.
    unsafe { Mmap::map(&file) }
}
