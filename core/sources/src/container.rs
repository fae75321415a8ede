//! Files that hold many samples.

use crate::blob::Blob;
use crate::bucket::{self, Bucket, Facts, Remote};
use crate::cells::Cells;
use crate::handles;
use crate::no_picture::no_picture;
use crate::pixels::Pixels;
use crate::stamp::modified;
use std::fs;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// What a container's samples are in it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", tag = "holds")]
pub enum Holds {
    /// Ranges of its bytes: members of a tar file, values of an Arrow file.
    Ranges,
    /// Pixels without a header, of pictures of one size: records of CIFAR and MNIST. They are read as BMP files, so that
    /// whoever looks at them needs no other way.
    Pixels(Pixels),
    /// Objects of a bucket, by their names.
    Objects,
    /// Cells of a Parquet file's column, by row.
    Cells {
        /// The column's path in the schema, such as `image.bytes`.
        column: String,
    },
}

/// Where a sample starts that has no picture: in an Arrow file, an empty cell.
pub const NO_PICTURE: u64 = u64::MAX;

/// A file that holds many samples.
#[derive(Debug)]
pub struct Container {
    path: PathBuf,
    holds: Holds,
    cells: OnceLock<Cells>,
}

impl Container {
    /// A container at an absolute path. Nothing is opened yet.
    pub fn new(path: impl Into<PathBuf>, holds: Holds) -> Container {
        Container { path: path.into(), holds, cells: OnceLock::new() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What its samples are in it.
    pub fn holds(&self) -> &Holds {
        &self.holds
    }

    /// The bytes of an object.
    ///
    /// # Errors
    /// When it is gone, has more bytes than expected, or the server does not answer.
    pub(crate) fn read_object(&self, name: &Path, length: u64) -> io::Result<Vec<u8>> {
        let name = name.to_str().ok_or_else(|| io::Error::other("its name is not valid UTF-8"))?;
        let bytes = Bucket::of(&self.path)?.read(name, length)?;
        match bytes.len() as u64 == length {
            true => Ok(bytes),
            false => Err(io::Error::other("it has another size than when it was listed; scan again")),
        }
    }

    /// An object, to be read in part.
    ///
    /// # Errors
    /// When its name cannot be one.
    pub(crate) fn object(&self, name: &Path, size: u64, modified: i64) -> io::Result<Blob> {
        let name = name.to_str().ok_or_else(|| io::Error::other("its name is not valid UTF-8"))?;
        let address = Bucket::of(&self.path)?.object(name);
        Ok(Blob::of_object(Remote::listed(address, Facts { size, modified })))
    }

    /// When it was changed, in nanoseconds since 1970.
    ///
    /// # Errors
    /// When it cannot be looked at.
    pub fn modified(&self) -> io::Result<i64> {
        match bucket::is_address(&self.path) {
            true => bucket::facts(&self.path).map(|facts| facts.modified),
            false => fs::metadata(&self.path).map(|metadata| modified(&metadata)),
        }
    }

    /// Whether its samples come over a network.
    pub fn is_remote(&self) -> bool {
        bucket::is_address(&self.path)
    }

    /// The bytes of a sample: `length` bytes from `start` on, or the cell of the row `start`.
    ///
    /// # Errors
    /// When they cannot be read: the file is gone, cut, or damaged.
    pub fn read(&self, start: u64, length: u64) -> io::Result<Vec<u8>> {
        match &self.holds {
            Holds::Objects => Err(io::Error::other("objects are read by their names")),
            Holds::Ranges if start == NO_PICTURE => Err(no_picture()),
            Holds::Ranges => {
                if self.is_remote() {
                    return Blob::open(&self.path)?.bytes(start, length).map_err(|error| self.cut(error));
                }
                let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
                handles::open(&self.path)?
                    .read_exact_at(&mut bytes, start)
                    .map_err(|error| self.cut(error))?;
                Ok(bytes)
            }
            Holds::Pixels(pixels) => {
                let mut bytes = vec![0; pixels.len()];
                handles::open(&self.path)?
                    .read_exact_at(&mut bytes, start)
                    .map_err(|error| self.cut(error))?;
                Ok(pixels.bmp(&bytes))
            }
            Holds::Cells { column } => {
                self.cells.get_or_init(|| Cells::new(self.path.clone(), column.clone())).read(start)
            }
        }
    }

    /// Says which file has fewer bytes than it should have.
    fn cut(&self, error: io::Error) -> io::Error {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                let name = self.path.file_name().unwrap_or_default().to_string_lossy();
                io::Error::new(io::ErrorKind::UnexpectedEof, format!("{name} ends too early"))
            }
            _ => error,
        }
    }
}
