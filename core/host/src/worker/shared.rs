//! Memory that is lent to workers: files without a name and without a place on a disk.

use super::message::Array;
use bytemuck::Pod;
use chaffinch_plugin::NO_LABEL;
use chaffinch_plugin::host::Dataset;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::fs::FileExt;

/// Where the first lent file is in a worker; the others follow.
pub(super) const FIRST: RawFd = 100;
/// The data of every run, which all workers share.
pub(super) const DATA: RawFd = FIRST;
/// Answers that stay valid.
pub(super) const ANSWERS: RawFd = FIRST + 1;
/// Answers that are valid until the next request.
pub(super) const BRIEF: RawFd = FIRST + 2;
/// What the worker writes.
pub(super) const OUT: RawFd = FIRST + 3;
/// The embeddings, if it needs them.
pub(super) const EMBEDDINGS: RawFd = FIRST + 4;

/// The path of a lent file in a worker.
pub(super) fn path(number: RawFd) -> String {
    format!("/proc/self/fd/{number}")
}

/// The type of numbers, as NumPy writes it.
pub(super) trait Number: Pod {
    const DTYPE: &'static str;
}

impl Number for f32 {
    const DTYPE: &'static str = "<f4";
}
impl Number for f64 {
    const DTYPE: &'static str = "<f8";
}
impl Number for u32 {
    const DTYPE: &'static str = "<u4";
}
impl Number for u64 {
    const DTYPE: &'static str = "<u8";
}
impl Number for u8 {
    const DTYPE: &'static str = "|u1";
}

/// A file of memory.
#[derive(Debug)]
pub(super) struct Memory {
    file: File,
    end: u64,
}

impl Memory {
    pub(super) fn new(name: &str) -> io::Result<Memory> {
        let file = memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        Ok(Memory { file: file.into(), end: 0 })
    }

    /// Appends numbers and says where a worker finds them under this descriptor.
    pub(super) fn put<T: Number>(
        &mut self,
        numbers: &[T],
        shape: &[usize],
        number: RawFd,
    ) -> io::Result<Array> {
        // A whole number of cache lines: aligned for every type.
        let offset = self.end.next_multiple_of(64);
        let bytes: &[u8] = bytemuck::cast_slice(numbers);
        self.file.write_all_at(bytes, offset)?;
        self.end = offset + bytes.len() as u64;
        Ok(Array { path: path(number), offset, dtype: T::DTYPE.into(), shape: shape.into(), brief: false })
    }

    /// Appends bytes and returns where they begin.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<u64> {
        let offset = self.end;
        self.file.write_all_at(bytes, offset)?;
        self.end += bytes.len() as u64;
        Ok(offset)
    }

    /// Starts again at the beginning. What was there before stays until it is overwritten, unless it was large.
    pub(super) fn restart(&mut self) -> io::Result<()> {
        self.end = 0;
        if self.written()? > 256 << 20 {
            self.file.set_len(0)?;
        }
        Ok(())
    }

    /// The file.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Bytes up to the end of what was put here.
    pub(super) fn len(&self) -> u64 {
        self.end
    }

    /// The length of the file, whoever wrote to it.
    pub(super) fn written(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Reads numbers that a worker wrote.
    pub(super) fn get<T: Number>(&self, offset: u64, length: usize) -> io::Result<Vec<T>> {
        // Before as much memory is taken as a worker says.
        let end = (length as u64).saturating_mul(size_of::<T>() as u64).saturating_add(offset);
        if end > self.written()? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut numbers = vec![T::zeroed(); length];
        self.file.read_exact_at(bytemuck::cast_slice_mut(&mut numbers), offset)?;
        Ok(numbers)
    }

    /// Nobody can change it any more.
    fn seal(&self) {
        seal(&self.file);
    }

    pub(super) fn as_raw(&self) -> RawFd {
        self.file.as_raw_fd()
    }
}

/// Forbids all changes but through mappings that exist already. Kernels before 5.1 cannot, and others lend a file that is
/// no memory file; a worker opens it to read only in any case.
fn seal(file: impl AsFd) {
    let seals = SealFlags::FUTURE_WRITE | SealFlags::SHRINK | SealFlags::GROW;
    let _ = fcntl_add_seals(file, seals);
}

/// What every worker on a dataset is lent.
#[derive(Debug)]
pub(crate) struct SharedData {
    memory: Memory,
    pub(super) labels: Array,
    pub(super) splits: Array,
    pub(super) decodable: Array,
    pub(super) contents: Array,
    pub(super) sizes: Array,
    pub(super) file_sizes: Array,
    pub(super) decisions: Array,
    pub(super) relabels: Array,
    /// The same where nothing is decided, for detectors that do not declare that they read decisions.
    pub(super) undecided: (Array, Array),
}

impl SharedData {
    /// Copies the arrays of a dataset, once for all workers.
    ///
    /// # Errors
    /// When there is no memory.
    pub(crate) fn new(data: &Dataset<'_>) -> io::Result<SharedData> {
        let count = data.labels.len();
        let mut memory = Memory::new("chaffinch-data")?;
        let sizes: Vec<u32> = data.dimensions.iter().flat_map(|size| [size.width, size.height]).collect();
        let bytes: Vec<u64> = data.dimensions.iter().map(|size| size.bytes).collect();
        let shared = SharedData {
            labels: memory.put(data.labels, &[count], DATA)?,
            splits: memory.put(data.splits, &[count], DATA)?,
            decodable: memory.put(data.decodable, &[count], DATA)?,
            contents: memory.put(data.hashes.as_flattened(), &[count, 32], DATA)?,
            sizes: memory.put(&sizes, &[count, 2], DATA)?,
            file_sizes: memory.put(&bytes, &[count], DATA)?,
            decisions: memory.put(data.decisions, &[count], DATA)?,
            relabels: memory.put(data.relabels, &[count], DATA)?,
            undecided: (
                memory.put(&vec![0_u8; count], &[count], DATA)?,
                memory.put(&vec![NO_LABEL; count], &[count], DATA)?,
            ),
            memory,
        };
        shared.memory.seal();
        Ok(shared)
    }

    pub(super) fn as_raw(&self) -> RawFd {
        self.memory.as_raw()
    }
}

/// Embeddings as they are lent: the file of the matrix itself, or a copy of a small one.
#[derive(Debug)]
pub(super) enum Rows<'a> {
    Own(BorrowedFd<'a>),
    Copied(Memory),
}

impl<'a> Rows<'a> {
    /// Lends the file of a matrix, or copies its numbers if it has none.
    pub(super) fn new(file: Option<BorrowedFd<'a>>, numbers: &[f32]) -> io::Result<Rows<'a>> {
        if let Some(file) = file {
            seal(file);
            return Ok(Rows::Own(file));
        }
        let mut memory = Memory::new("chaffinch-embeddings")?;
        memory.put(numbers, &[numbers.len()], EMBEDDINGS)?;
        memory.seal();
        Ok(Rows::Copied(memory))
    }

    pub(super) fn as_raw(&self) -> RawFd {
        match self {
            Rows::Own(file) => file.as_raw_fd(),
            Rows::Copied(memory) => memory.as_raw(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_and_a_seal_holds() {
        let mut memory = Memory::new("test").unwrap();
        memory.put(&[1_u8], &[1], DATA).unwrap();
        let array = memory.put(&[1.5_f32, -2.0], &[2, 1], DATA).unwrap();
        assert_eq!((array.offset, &*array.dtype, &*array.path), (64, "<f4", "/proc/self/fd/100"));
        assert_eq!(memory.get::<f32>(64, 2).unwrap(), [1.5, -2.0]);
        assert!(memory.get::<f32>(64, 3).is_err());
        memory.seal();
        assert!(memory.append(b"x").is_err());
        let again = std::fs::File::options().write(true).open(format!("/proc/self/fd/{}", memory.as_raw()));
        assert!(again.is_err() || again.unwrap().write_all_at(b"x", 0).is_err());
    }
}
