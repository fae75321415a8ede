//! Tensors in safetensors files.

use super::half_floats::{bf16_bytes, f16_bytes};
use super::{Picked, beside};
use crate::headings::is_id;
use crate::row_names::SideColumn;
use crate::{Error, Result};
use chaffinch_compute::mapped;
use chaffinch_protocol::display::{counted, excerpt};
use chaffinch_review::label_quality::{Grid, Numbers, Values};
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensorError, SafeTensors};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Reads the only matrix of a file.
///
/// # Errors
/// When the file cannot be read, or does not have one matrix of floating-point numbers.
pub(super) fn grid(path: &Path) -> Result<Grid> {
    with_tensor(path, 2, |name, tensor| matrix(path, name, tensor))
}

/// A tensor of two dimensions.
fn matrix(path: &Path, name: &str, tensor: &TensorView<'_>) -> Result<Grid> {
    let data = tensor.data();
    let &[rows, cols] = tensor.shape() else {
        let dimensions = counted(tensor.shape().len() as u64, "dimension", "dimensions");
        let message = format!("tensor '{name}' has {dimensions}; expected two");
        return Err(Error::format(path, message));
    };
    let numbers = match tensor.dtype() {
        Dtype::F16 => Numbers::Single(f16_bytes(data, false).into()),
        Dtype::BF16 => Numbers::Single(bf16_bytes(data, false).into()),
        Dtype::F32 => Numbers::Single(data.as_chunks().0.iter().map(|&n| f32::from_le_bytes(n)).collect()),
        Dtype::F64 => Numbers::Double(data.as_chunks().0.iter().map(|&n| f64::from_le_bytes(n)).collect()),
        other => {
            let message = format!("tensor '{name}' contains {other:?}, not floating-point numbers");
            return Err(Error::format(path, message));
        }
    };
    Ok(Grid { numbers, rows, cols, names: None })
}

/// A matrix and the metadata beside it.
pub(crate) struct Named {
    pub(crate) grid: Grid,
    metadata: HashMap<String, String>,
    /// Tensors of a whole number for each row of the matrix.
    numbered: Vec<SideColumn>,
    /// What is wrong with a tensor that is called like one of ids.
    wrong: Option<String>,
    /// Tensors of one number.
    scalars: HashMap<String, f32>,
}

impl Named {
    /// A list of texts in the metadata, as JSON.
    ///
    /// # Errors
    /// When there is a value that is no such list, or one of another length than the matrix has rows.
    pub(crate) fn texts(&self, path: &Path, key: &str, len: usize) -> Result<Option<Vec<String>>> {
        let Some(text) = self.metadata.get(key) else { return Ok(None) };
        let texts: Vec<String> = serde_json::from_str(text).map_err(|error| {
            let message = format!("'{key}' in its metadata is not a list of texts as JSON: {error}");
            Error::format(path, message)
        })?;
        if texts.len() != len {
            let message = format!("'{key}' in its metadata has {} entries instead of {len}", texts.len());
            return Err(Error::format(path, message));
        }
        Ok(Some(texts))
    }

    /// What is said of each row, in whatever words: lists in the metadata, and tensors of whole numbers.
    ///
    /// # Errors
    /// When what is called like a list of samples is none, or one of another length than the matrix has rows.
    pub(crate) fn beside_rows(&self, path: &Path) -> Result<Vec<SideColumn>> {
        let mut columns = self.numbered.clone();
        let sorted: BTreeMap<&String, &String> =
            self.metadata.iter().filter(|(key, _)| *key != "classes").collect();
        for (key, text) in sorted {
            let found = beside::text(key, text, self.grid.rows);
            columns.extend(found.map_err(|why| Error::format(path, why))?);
        }
        if let Some(why) = &self.wrong {
            return Err(Error::format(path, why.clone()));
        }
        Ok(columns)
    }

    /// A number in the metadata, or a tensor of one; `None` if there is none.
    pub(crate) fn number(&self, key: &str) -> Option<f32> {
        let written = self.metadata.get(key).map(|text| text.trim().parse().unwrap_or(f32::NAN));
        written.or_else(|| self.scalars.get(key).copied())
    }
}

/// Reads the matrix of a name, or the only one, with the metadata.
///
/// # Errors
/// When the file cannot be read, or has no such matrix of floating-point numbers.
pub(crate) fn named(path: &Path, name: &str) -> Result<Named> {
    with_file(path, |tensors, metadata| {
        let (taken, tensor) = match tensors.tensor(name) {
            Ok(tensor) => (name.to_owned(), tensor),
            Err(_) => only(path, tensors, 2)?,
        };
        let grid = matrix(path, &excerpt(&taken), &tensor)?;
        let scalar = |(name, tensor): (&str, TensorView<'_>)| {
            let bytes: [u8; 4] = tensor.data().try_into().ok().filter(|_| tensor.dtype() == Dtype::F32)?;
            Some((name.to_owned(), f32::from_le_bytes(bytes)))
        };
        let (mut numbered, mut wrong) = (Vec::new(), None);
        // In the order of their names: that of the file is none.
        let others: BTreeMap<&str, TensorView<'_>> =
            tensors.iter().filter(|(other, _)| *other != taken).collect();
        for (name, tensor) in &others {
            match beside::tensor(name, tensor, grid.rows) {
                Ok(column) => numbered.extend(column),
                Err(why) => wrong = wrong.or(Some(why)),
            }
        }
        let scalars = tensors.iter().filter_map(scalar).collect();
        Ok(Named { grid, metadata, numbered, wrong, scalars })
    })
}

/// Reads the tensor `probabilities`, or the only matrix, with `paths` and `classes` of the metadata.
///
/// # Errors
/// As for [`named`].
pub(super) fn picked(path: &Path) -> Result<Picked> {
    let mut found = named(path, "probabilities")?;
    let ids = found.texts(path, "paths", found.grid.rows)?;
    // Beside paths, ids are only compared with them.
    let side = found.beside_rows(path);
    let side = if ids.is_none() { side? } else { side.unwrap_or_default() };
    found.grid.names = found.texts(path, "classes", found.grid.cols)?;
    Ok(Picked { grid: found.grid, ids, rest: Vec::new(), side })
}

/// Reads the only one-dimensional tensor of a file.
///
/// # Errors
/// When the file cannot be read, or does not have one such tensor of integers or booleans.
pub(super) fn column(path: &Path) -> Result<Values> {
    with_tensor(path, 1, |name, tensor| {
        if tensor.dtype() == Dtype::BOOL {
            return Ok(Values::Flags(tensor.data().iter().map(|&byte| byte != 0).collect()));
        }
        beside::integers(tensor).map(Values::Numbers).ok_or_else(|| {
            let message = format!("tensor '{name}' contains {:?}, not integers or booleans", tensor.dtype());
            Error::format(path, message)
        })
    })
}

fn with_tensor<T>(
    path: &Path,
    dimensions: usize,
    read: impl FnOnce(&str, &TensorView<'_>) -> Result<T>,
) -> Result<T> {
    with_file(path, |tensors, _| {
        let (name, tensor) = only(path, tensors, dimensions)?;
        read(&excerpt(&name), &tensor)
    })
}

/// Reads a file of tensors, which is mapped: it may be as large as all pictures.
fn with_file<T>(
    path: &Path,
    read: impl FnOnce(&SafeTensors<'_>, HashMap<String, String>) -> Result<T>,
) -> Result<T> {
    if std::fs::metadata(path).map_err(Error::io("read", path))?.len() == 0 {
        return Err(Error::format(path, "it is empty"));
    }
    let bytes = mapped::read(path)?;
    let broken = |error: SafeTensorError| Error::format(path, error.to_string());
    let tensors = SafeTensors::deserialize(&bytes).map_err(broken)?;
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(broken)?;
    read(&tensors, metadata.metadata().clone().unwrap_or_default())
}

/// The only tensor of so many dimensions, and its name. A column of ids is not a matrix.
fn only<'t>(path: &Path, tensors: &SafeTensors<'t>, dimensions: usize) -> Result<(String, TensorView<'t>)> {
    let is_list = |name: &str, tensor: &TensorView<'_>| {
        dimensions == 2 && is_id(&beside::heading(name)) && tensor.shape().contains(&1)
    };
    let mut fitting =
        tensors.iter().filter(|(name, tensor)| tensor.shape().len() == dimensions && !is_list(name, tensor));
    match (fitting.next(), fitting.next()) {
        (Some((name, tensor)), None) => Ok((name.to_owned(), tensor)),
        (None, _) => {
            let message = format!("it has no tensor of {dimensions} dimensions");
            Err(Error::format(path, message))
        }
        (Some(_), Some(_)) => {
            let message = format!("it has several tensors of {dimensions} dimensions; save one alone");
            Err(Error::format(path, message))
        }
    }
}
