//! Embeddings of a dataset, row by row.

use crate::Result;
use memmap2::MmapMut;
use std::fmt;
use std::path::Path;

/// Above this size a matrix is stored in a file instead of in memory.
const IN_MEMORY: u64 = 4 << 30;

/// A row-major matrix with one row per sample: zeros if the sample has no embedding.
pub struct EmbeddingMatrix {
    rows: usize,
    cols: usize,
    data: Data,
}

enum Data {
    Memory(Vec<f32>),
    File(MmapMut),
}

impl EmbeddingMatrix {
    /// A matrix of existing numbers.
    ///
    /// # Panics
    /// When the numbers do not form complete rows.
    pub fn from_vec(data: Vec<f32>, cols: usize) -> EmbeddingMatrix {
        let rows = data.len().checked_div(cols).unwrap_or(0);
        assert_eq!(data.len(), rows * cols, "rows of {cols} numbers");
        EmbeddingMatrix { rows, cols, data: Data::Memory(data) }
    }

    /// A matrix of zeros: in memory, or in an unlinked file in `folder` if it is large.
    pub fn zeros(rows: usize, cols: usize, folder: &Path) -> Result<EmbeddingMatrix> {
        let bytes = rows as u64 * cols as u64 * 4;
        let data = if bytes < IN_MEMORY {
            Data::Memory(vec![0.0; rows * cols])
        } else {
            Data::File(crate::mapped::scratch(folder, bytes)?)
        };
        Ok(EmbeddingMatrix { rows, cols, data })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// One row.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn row(&self, index: usize) -> &[f32] {
        &self.as_slice()[index * self.cols..(index + 1) * self.cols]
    }

    /// All numbers, row by row.
    pub fn as_slice(&self) -> &[f32] {
        match &self.data {
            Data::Memory(numbers) => numbers,
            Data::File(map) => bytemuck::cast_slice(map),
        }
    }

    /// All numbers, to be written.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        match &mut self.data {
            Data::Memory(numbers) => numbers,
            Data::File(map) => bytemuck::cast_slice_mut(map),
        }
    }
}

impl fmt::Debug for EmbeddingMatrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmbeddingMatrix({} x {})", self.rows, self.cols)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scratch_files_have_no_name() {
        let temp = tempfile::tempdir().unwrap();
        let map = crate::mapped::scratch(temp.path(), 4096).unwrap();
        let mut matrix = EmbeddingMatrix { rows: 32, cols: 32, data: Data::File(map) };
        matrix.as_mut_slice()[33] = 2.0;
        assert_eq!((matrix.row(0)[1], matrix.row(1)[1]), (0.0, 2.0));
        assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0);
    }
}
