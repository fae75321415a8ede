//! Probabilities of one or more models, with their columns in a common order.

use crate::arrays;
use crate::{Error, Result};
use chaffinch_protocol::display::{counted, safe_path};
use chaffinch_review::label_quality::{Binding, Grid, Numbers};
use std::path::{Path, PathBuf};

/// The matrices of all models, with columns in the order of the first one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Models {
    pub(super) numbers: Vec<Numbers>,
    pub(super) binding: Binding,
    pub(super) rows: usize,
}

impl Models {
    /// Reads matrices. Columns are matched to classes by name in each file and reordered to match the first file.
    ///
    /// # Errors
    /// With the file's path: when a file cannot be read, its columns cannot be matched, or its classes or number of
    /// rows differ from the first file's.
    pub(super) fn read(files: &[PathBuf], classes: Option<(&Path, &[String])>) -> Result<Models> {
        let mut models: Option<Models> = None;
        for file in files {
            let Grid { numbers, rows, cols, names } = arrays::grid(file)?;
            let binding =
                Binding::new(cols, names.as_deref(), classes.map(|(_, names)| names)).map_err(|error| {
                    Error::format(classes.map_or(file.as_path(), |(path, _)| path), error.to_string())
                })?;
            let Some(models) = &mut models else {
                models = Some(Models { numbers: vec![numbers], binding, rows });
                continue;
            };
            let first = safe_path(&files[0]);
            if rows != models.rows {
                return Err(Error::format(
                    file,
                    format!(
                        "it has {}, but {first} has {}",
                        counted(rows as u64, "row", "rows"),
                        models.rows
                    ),
                ));
            }
            let order = order(models.binding.names(), binding.names()).ok_or_else(|| {
                let message = format!(
                    "its columns are not the classes of {first}; give both the same header, or pass --classes FILE"
                );
                Error::format(file, message)
            })?;
            models.numbers.push(reordered(numbers, &order));
        }
        models.ok_or_else(|| Error::Invalid("no probability file was given".into()))
    }
}

/// For each name in `wanted` its index in `names`; `None` if the two sets of names differ.
fn order(wanted: &[String], names: &[String]) -> Option<Vec<usize>> {
    let index = |name: &String| names.iter().position(|other| other == name);
    if wanted.len() == names.len() { wanted.iter().map(index).collect() } else { None }
}

fn reordered(numbers: Numbers, order: &[usize]) -> Numbers {
    if order.iter().enumerate().all(|(to, &from)| to == from) {
        return numbers;
    }
    fn rows<T: Copy>(data: &[T], order: &[usize]) -> Vec<T> {
        data.chunks_exact(order.len()).flat_map(|row| order.iter().map(|&from| row[from])).collect()
    }
    match numbers {
        Numbers::Single(data) => Numbers::Single(rows(&data, order).into()),
        Numbers::Double(data) => Numbers::Double(rows(&data, order).into()),
    }
}
