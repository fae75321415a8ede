//! Embeddings of a dataset, row by row.

use crate::{Result, memory};
use memmap2::MmapMut;
use std::fmt;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

/// Above this size it is in a memory file, which other processes can be lent without a copy.
const LENDABLE: u64 = 32 << 20;

/// A row-major matrix with one row per sample: zeros if the sample has no embedding.
pub struct EmbeddingMatrix {
    rows: usize,
    cols: usize,
    data: Data,
}

enum Data {
    Memory(Vec<f32>),
    File(MmapMut, File),
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
        let file = if bytes < LENDABLE {
            None
        } else if bytes < memory::shares().matrix() {
            // Where memory files are forbidden, it cannot be lent without a copy.
            crate::mapped::lendable(bytes).ok()
        } else {
            Some(crate::mapped::scratch(folder, bytes)?)
        };
        let data = match file {
            Some((map, file)) => Data::File(map, file),
            None => Data::Memory(vec![0.0; rows * cols]),
        };
        Ok(EmbeddingMatrix { rows, cols, data })
    }

    /// The file that holds the numbers and nothing else, if it is large: other processes can be lent it without a copy.
    pub fn file(&self) -> Option<BorrowedFd<'_>> {
        match &self.data {
            Data::Memory(_) => None,
            Data::File(_, file) => Some(file.as_fd()),
        }
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
            Data::File(map, _) => bytemuck::cast_slice(map),
        }
    }

    /// All numbers, to be written.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        match &mut self.data {
            Data::Memory(numbers) => numbers,
            Data::File(map, _) => bytemuck::cast_slice_mut(map),
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
        let (map, file) = crate::mapped::scratch(temp.path(), 4096).unwrap();
        let mut matrix = EmbeddingMatrix { rows: 32, cols: 32, data: Data::File(map, file) };
        matrix.as_mut_slice()[33] = 2.0;
        assert_eq!((matrix.row(0)[1], matrix.row(1)[1]), (0.0, 2.0));
        assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_large_matrix_can_be_lent_without_a_copy() {
        let temp = tempfile::tempdir().unwrap();
        let mut matrix = EmbeddingMatrix::zeros(9 << 10, 1 << 10, temp.path()).unwrap();
        matrix.as_mut_slice()[1] = 3.0;
        let mut file = File::from(matrix.file().unwrap().try_clone_to_owned().unwrap());
        let mut first = [0; 8];
        std::io::Read::read_exact(&mut file, &mut first).unwrap();
        assert_eq!(first, [[0; 4], 3.0_f32.to_le_bytes()].concat()[..]);
        assert!(EmbeddingMatrix::zeros(4, 4, temp.path()).unwrap().file().is_none());
    }
}
