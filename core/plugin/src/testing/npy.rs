//! Reads embeddings saved by another program.

use std::io::{Error, ErrorKind, Result};
use std::path::Path;

/// The numbers of a two-dimensional array of 32-bit floats saved by `numpy.save`, row by row, and its number of
/// columns: what [`MemoryHost::embeddings`](super::MemoryHost::embeddings) takes.
///
/// # Errors
/// When the file cannot be read or contains something else.
pub fn npy(path: &Path) -> Result<(Vec<f32>, usize)> {
    let bytes = std::fs::read(path)?;
    let wrong = || {
        Error::new(
            ErrorKind::InvalidData,
            format!("{} is not a two-dimensional float32 array", path.display()),
        )
    };
    // Magic, version 1.x, two bytes of length, then the header.
    if !bytes.starts_with(b"\x93NUMPY\x01") || bytes.len() < 10 {
        return Err(wrong());
    }
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = bytes.get(10..start).map(String::from_utf8_lossy).ok_or_else(wrong)?;
    let plain = header.contains("'<f4'") && header.contains("'fortran_order': False");
    let shape = header.split_once("'shape': (").and_then(|(_, rest)| rest.split_once(')'));
    let shape = shape.map(|(shape, _)| shape).ok_or_else(wrong)?;
    let sides: Vec<usize> = shape.split(',').filter_map(|side| side.trim().parse().ok()).collect();
    let [rows, cols] = sides[..] else { return Err(wrong()) };
    let data: Vec<f32> = bytes[start..]
        .chunks_exact(4)
        .map(|chunk| f32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]))
        .collect();
    if !plain || rows.checked_mul(cols) != Some(data.len()) {
        return Err(wrong());
    }
    Ok((data, cols))
}

#[cfg(test)]
mod tests {
    use super::npy;

    #[test]
    fn a_matrix_is_read_and_anything_else_refused() {
        let path = std::env::temp_dir().join(format!("chaffinch-npy-{}", std::process::id()));
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }\n";
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.bytes());
        bytes.extend([1.5_f32, -2.0].iter().flat_map(|x| x.to_le_bytes()));
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(npy(&path).unwrap(), (vec![1.5, -2.0], 1));
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert!(npy(&path).unwrap_err().to_string().contains("not a two-dimensional"));
        std::fs::remove_file(&path).unwrap();
        assert!(npy(&path).is_err());
    }
}
