//! Tensors in safetensors files.

use super::half_floats::{bf16_bytes, f16_bytes};
use super::labels::{FLAGS, LABELS};
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

/// The tensor of class probabilities, where a file has several matrices.
const PROBABILITIES: &str = "probabilities";

/// Reads the tensor `probabilities`, or the only matrix, with `classes` of the metadata.
///
/// # Errors
/// As for [`named`].
pub(super) fn grid(path: &Path) -> Result<Grid> {
    let found = named(path, PROBABILITIES)?;
    let names = found.classes(path)?;
    Ok(Grid { names, ..found.grid })
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

/// The tensors beside one that has a row for each sample.
struct Beside {
    /// Those of a whole number for each row.
    numbered: Vec<SideColumn>,
    /// What is wrong with one that is called like one of ids.
    wrong: Option<String>,
}

impl Beside {
    /// Of the tensor `taken`, which has so many rows.
    fn of(tensors: &SafeTensors<'_>, taken: &str, rows: usize) -> Beside {
        let (mut numbered, mut wrong) = (Vec::new(), None);
        // In the order of their names: that of the file is none.
        let others: BTreeMap<&str, TensorView<'_>> =
            tensors.iter().filter(|(other, _)| *other != taken).collect();
        for (name, tensor) in &others {
            match beside::tensor(name, tensor, rows) {
                Ok(column) => numbered.extend(column),
                Err(why) => wrong = wrong.or(Some(why)),
            }
        }
        Beside { numbered, wrong }
    }

    /// With the lists in the metadata.
    ///
    /// # Errors
    /// When what is called like a list of samples is none, or one of another length than there are rows.
    fn columns(
        &self,
        path: &Path,
        metadata: &HashMap<String, String>,
        rows: usize,
    ) -> Result<Vec<SideColumn>> {
        let mut columns = self.numbered.clone();
        // Labels that are numbers, as what they stand for in this file.
        let names = metadata.get("classes").and_then(|text| serde_json::from_str::<Vec<String>>(text).ok());
        if let Some(names) = names {
            columns.extend(self.numbered.iter().filter_map(|column| beside::named_labels(column, &names)));
        }
        let sorted: BTreeMap<&String, &String> =
            metadata.iter().filter(|(key, _)| *key != "classes").collect();
        for (key, text) in sorted {
            let found = beside::text(key, text, rows);
            columns.extend(found.map_err(|why| Error::format(path, why))?);
        }
        if let Some(why) = &self.wrong {
            return Err(Error::format(path, why.clone()));
        }
        Ok(columns)
    }
}

/// A list of texts in the metadata, as JSON.
fn texts(
    path: &Path,
    metadata: &HashMap<String, String>,
    key: &str,
    len: usize,
) -> Result<Option<Vec<String>>> {
    let Some(text) = metadata.get(key) else { return Ok(None) };
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

/// The class of each column by `classes` of the metadata. Numbers that count the columns are no names.
fn classes_in(path: &Path, metadata: &HashMap<String, String>, cols: usize) -> Result<Option<Vec<String>>> {
    let names = texts(path, metadata, "classes", cols)?;
    let counts =
        |names: &Vec<String>| (0..).zip(names).all(|(column, name)| *name == i32::to_string(&column));
    Ok(names.filter(|names| !counts(names)))
}

/// A matrix and the metadata beside it.
pub(crate) struct Named {
    pub(crate) grid: Grid,
    metadata: HashMap<String, String>,
    beside: Beside,
    /// Tensors of one number.
    scalars: HashMap<String, f32>,
}

impl Named {
    /// A list of texts in the metadata, as JSON.
    ///
    /// # Errors
    /// When there is a value that is no such list, or one of another length than the matrix has rows.
    pub(crate) fn texts(&self, path: &Path, key: &str, len: usize) -> Result<Option<Vec<String>>> {
        texts(path, &self.metadata, key, len)
    }

    /// The class of each column.
    ///
    /// # Errors
    /// As of [`Named::texts`].
    fn classes(&self, path: &Path) -> Result<Option<Vec<String>>> {
        classes_in(path, &self.metadata, self.grid.cols)
    }

    /// What is said of each row, in whatever words: lists in the metadata, and tensors of whole numbers.
    ///
    /// # Errors
    /// When what is called like a list of samples is none, or one of another length than the matrix has rows.
    pub(crate) fn beside_rows(&self, path: &Path) -> Result<Vec<SideColumn>> {
        self.beside.columns(path, &self.metadata, self.grid.rows)
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
        let (taken, tensor) = called(path, tensors, name)?;
        let grid = matrix(path, &excerpt(&taken), &tensor)?;
        let scalar = |(name, tensor): (&str, TensorView<'_>)| {
            let bytes: [u8; 4] = tensor.data().try_into().ok().filter(|_| tensor.dtype() == Dtype::F32)?;
            Some((name.to_owned(), f32::from_le_bytes(bytes)))
        };
        let beside = Beside::of(tensors, &taken, grid.rows);
        let scalars = tensors.iter().filter_map(scalar).collect();
        Ok(Named { grid, metadata, beside, scalars })
    })
}

/// Reads the tensor `probabilities`, or the only matrix, with `paths` and `classes` of the metadata.
///
/// # Errors
/// As for [`named`].
pub(super) fn picked(path: &Path) -> Result<Picked> {
    let mut found = named(path, PROBABILITIES)?;
    let ids = found.texts(path, "paths", found.grid.rows)?;
    // Beside paths, ids are only compared with them.
    let side = found.beside_rows(path);
    let side = if ids.is_none() { side? } else { side.unwrap_or_default() };
    found.grid.names = found.classes(path)?;
    Ok(Picked { grid: found.grid, ids, rest: Vec::new(), side })
}

/// The class of each column of the matrix by the metadata, if it says it, and how many columns there are.
///
/// # Errors
/// When the file cannot be read, has no such matrix, or its list is none of the columns.
pub(super) fn classes(path: &Path) -> Result<(Option<Vec<String>>, usize)> {
    with_file(path, |tensors, metadata| {
        let (_, tensor) = called(path, tensors, PROBABILITIES)?;
        let cols = tensor.shape().last().copied().unwrap_or_default();
        Ok((classes_in(path, &metadata, cols)?, cols))
    })
}

/// What is said of each row of the matrix, or of the labels where there is none.
///
/// # Errors
/// When the file cannot be read, or what is called like a list of samples is none.
pub(super) fn beside_rows(path: &Path) -> Result<Vec<SideColumn>> {
    with_file(path, |tensors, metadata| {
        let taken = called(path, tensors, PROBABILITIES);
        let (taken, tensor) = taken.or_else(|why| labels(path, tensors).map_err(|_| why))?;
        let rows = tensor.shape().first().copied().unwrap_or_default();
        let columns = Beside::of(tensors, &taken, rows).columns(path, &metadata, rows);
        match texts(path, &metadata, "paths", rows)? {
            None => columns,
            // Beside paths, ids are only compared with them.
            Some(cells) => Ok(std::iter::once(SideColumn { heading: "path".to_owned(), cells })
                .chain(columns.unwrap_or_default().into_iter().filter(|column| column.heading != "path"))
                .collect()),
        }
    })
}

/// Reads the tensor of labels: one that is called so, or the only one of one dimension.
///
/// # Errors
/// When the file cannot be read, or does not have one such tensor of integers or booleans.
pub(super) fn column(path: &Path) -> Result<Values> {
    with_file(path, |tensors, _| {
        let (name, tensor) = labels(path, tensors)?;
        if tensor.dtype() == Dtype::BOOL {
            return Ok(Values::Flags(tensor.data().iter().map(|&byte| byte != 0).collect()));
        }
        beside::integers(&tensor).map(Values::Numbers).ok_or_else(|| {
            let (name, kind) = (excerpt(&name), tensor.dtype());
            let message = format!("tensor '{name}' contains {kind:?}, not integers or booleans");
            Error::format(path, message)
        })
    })
}

/// The tensor of this name, or the only matrix.
fn called<'t>(path: &Path, tensors: &SafeTensors<'t>, name: &str) -> Result<(String, TensorView<'t>)> {
    match tensors.tensor(name) {
        Ok(tensor) => Ok((name.to_owned(), tensor)),
        Err(_) => only(path, tensors, 2),
    }
}

/// The tensor of labels. Beside others, ids are none.
fn labels<'t>(path: &Path, tensors: &SafeTensors<'t>) -> Result<(String, TensorView<'t>)> {
    let lists = || tensors.iter().filter(|(_, tensor)| tensor.shape().len() == 1);
    let named = FLAGS
        .iter()
        .chain(&LABELS)
        .find_map(|label| lists().find(|(name, _)| name.eq_ignore_ascii_case(label)));
    let mut others = lists().filter(|(name, _)| !is_id(&beside::heading(name)));
    match named.or_else(|| others.next().filter(|_| others.next().is_none())) {
        Some((name, tensor)) => Ok((name.to_owned(), tensor)),
        None => only(path, tensors, 1),
    }
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
