//! Class probabilities and labels of the same samples, read from files and matched to classes by name.

mod class_columns;
mod given;
mod models;

pub use given::{GivenModel, Joined, join, read_given};

use crate::arrays;
use crate::{Error, Result};
use chaffinch_protocol::display::{counted, excerpt, safe_path};
use chaffinch_review::label_quality::{BindError, Binding, Input, InputError, Reading, Values};
use models::Models;
use std::path::{Path, PathBuf};

/// Reads and checks files: one matrix of probabilities per model (npy, Parquet, safetensors, or CSV with class names as
/// header), labels (the same or lines; names, or places in the list of classes), class names in the order of places,
/// and the ground truth: either the true labels or whether each label is an error.
///
/// # Errors
/// With the file's path: when it cannot be read, columns and classes cannot be matched by name, a label is not a class,
/// lengths differ, or a row is not a distribution.
pub fn read(
    probabilities: &[PathBuf],
    labels: &Path,
    classes: Option<&Path>,
    truth: Option<&Path>,
) -> Result<Input> {
    let named = classes.map(arrays::names).transpose()?;
    let Models { numbers, binding, rows } = Models::read(probabilities, classes.zip(named.as_deref()))?;
    let first = probabilities.first().map(|path| safe_path(path)).unwrap_or_default();
    let given = arrays::column(labels)?;
    let same_length = |path: &Path, len: usize| {
        if len == rows {
            return Ok(());
        }
        Err(Error::format(
            path,
            format!("it has {}, but {first} has {rows}", counted(len as u64, "row", "rows")),
        ))
    };
    same_length(labels, given.len())?;
    let (bound, reading) =
        binding.labels(&given).map_err(|error| Error::format(labels, error.to_string()))?;
    let errors = truth.map(|path| {
        let values = arrays::column(path)?;
        same_length(path, values.len())?;
        wrong_labels(&binding, &values, &bound, reading)
            .map_err(|error| Error::format(path, error.to_string()))
    });
    let errors = errors.transpose()?;
    // Labels are valid here, so any remaining error is in the matrix.
    let names = binding.names().to_vec();
    Input::new(numbers, binding, bound, errors)
        .map_err(|(model, error)| Error::format(&probabilities[model], words(&error, &names)))
}

/// What is wrong with a matrix, with the names of its columns.
fn words(error: &InputError, names: &[String]) -> String {
    match error {
        InputError::Probability { sample, class, value } => {
            let name = excerpt(&names[*class]);
            format!("row {sample}, class {class} ('{name}'): {value} is not a probability")
        }
        // As a few decimals leave it.
        InputError::Sum { sum, .. } if (sum - 1.0).abs() <= 0.05 => {
            format!("{error}; its numbers look rounded: write more decimals, or divide each row by its sum")
        }
        error => error.to_string(),
    }
}

/// Whether each label is an error. If the true class has no column, any label is wrong.
fn wrong_labels(
    binding: &Binding,
    truth: &Values,
    labels: &[u32],
    reading: Reading,
) -> std::result::Result<Vec<bool>, BindError> {
    if let Values::Flags(flags) = truth {
        return Ok(flags.clone());
    }
    let (classes, _) = binding.columns(truth, reading)?;
    Ok(classes.into_iter().zip(labels).map(|(class, &label)| class != Some(label)).collect())
}

#[cfg(test)]
mod tests;
