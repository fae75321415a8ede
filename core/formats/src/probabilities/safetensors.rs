//! Tensors in safetensors files.

use super::half_floats::{bf16_bytes, f16_bytes};
use crate::{Error, Result};
use chaffinch_protocol::display::safe_text;
use chaffinch_review::label_quality::{Grid, Numbers, Values};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use std::path::Path;

/// Reads the only matrix of a file.
///
/// # Errors
/// When the file cannot be read, or does not have one matrix of floating-point numbers.
pub(super) fn grid(path: &Path) -> Result<Grid> {
    with_tensor(path, 2, |name, tensor| {
        let data = tensor.data();
        let numbers = match tensor.dtype() {
            Dtype::F16 => Numbers::Single(f16_bytes(data, false).into()),
            Dtype::BF16 => Numbers::Single(bf16_bytes(data, false).into()),
            Dtype::F32 => {
                Numbers::Single(data.as_chunks().0.iter().map(|&n| f32::from_le_bytes(n)).collect())
            }
            Dtype::F64 => {
                Numbers::Double(data.as_chunks().0.iter().map(|&n| f64::from_le_bytes(n)).collect())
            }
            other => {
                let message = format!("tensor '{name}' contains {other:?}, not floating-point numbers");
                return Err(Error::format(path, message));
            }
        };
        Ok(Grid { numbers, rows: tensor.shape()[0], cols: tensor.shape()[1], names: None })
    })
}

/// Reads the only one-dimensional tensor of a file.
///
/// # Errors
/// When the file cannot be read, or does not have one such tensor of integers or booleans.
pub(super) fn column(path: &Path) -> Result<Values> {
    with_tensor(path, 1, |name, tensor| {
        let data = tensor.data();
        Ok(match tensor.dtype() {
            Dtype::BOOL => Values::Flags(data.iter().map(|&byte| byte != 0).collect()),
            Dtype::U8 => Values::Numbers(data.iter().map(|&byte| i64::from(byte)).collect()),
            Dtype::I8 => Values::Numbers(data.iter().map(|&byte| i64::from(byte as i8)).collect()),
            Dtype::I16 => {
                Values::Numbers(data.as_chunks().0.iter().map(|&n| i16::from_le_bytes(n).into()).collect())
            }
            Dtype::I32 => {
                Values::Numbers(data.as_chunks().0.iter().map(|&n| i32::from_le_bytes(n).into()).collect())
            }
            Dtype::I64 => {
                Values::Numbers(data.as_chunks().0.iter().map(|&n| i64::from_le_bytes(n)).collect())
            }
            other => {
                let message = format!("tensor '{name}' contains {other:?}, not integers or booleans");
                return Err(Error::format(path, message));
            }
        })
    })
}

fn with_tensor<T>(
    path: &Path,
    dimensions: usize,
    read: impl FnOnce(&str, &TensorView<'_>) -> Result<T>,
) -> Result<T> {
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|error| Error::format(path, error.to_string()))?;
    let mut fitting = tensors.iter().filter(|(_, tensor)| tensor.shape().len() == dimensions);
    match (fitting.next(), fitting.next()) {
        (Some((name, tensor)), None) => read(&safe_text(name), &tensor),
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
