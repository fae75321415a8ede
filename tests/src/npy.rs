//! Matrices as NumPy writes them.

use std::fs;
use std::path::Path;

/// Writes a matrix of 32-bit numbers.
pub fn write<const N: usize>(path: &Path, rows: &[[f32; N]]) {
    let head = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {N}), }}", rows.len());
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(118_u16.to_le_bytes());
    bytes.extend(format!("{head:<117}\n").as_bytes());
    bytes.extend(rows.iter().flatten().flat_map(|number| number.to_le_bytes()));
    fs::write(path, bytes).unwrap();
}
