//! One sample.

use crate::stamp::{Kind, Stamp};
use crate::{Container, Holds, MAX_BYTES};
use std::fs::{self, File};
use std::io::{self, Cursor, Read, Seek};
use std::path::{Path, PathBuf};

/// Where the bytes of a sample are.
#[derive(Debug, Clone)]
pub enum Source<'a> {
    /// In a file of its own.
    File(PathBuf),
    /// In a file with others.
    Packed(Packed<'a>),
}

/// A sample in a container.
#[derive(Debug, Clone)]
pub struct Packed<'a> {
    /// What holds it.
    pub container: &'a Container,
    /// The sample's name in the dataset, for messages.
    pub name: &'a Path,
    /// Where it starts; or its row; or when it was changed, if it is an object.
    pub start: u64,
    /// How many bytes it has; 0 if that is known only when it is read.
    pub length: u64,
}

impl Source<'_> {
    /// What is known without reading.
    ///
    /// # Errors
    /// When the file, or what holds the sample, cannot be looked at.
    pub fn stamp(&self) -> io::Result<Stamp> {
        match self {
            Source::File(path) => fs::metadata(path).map(|metadata| Stamp::of(&metadata)),
            // What the listing said; asking again for each would take a request.
            Source::Packed(packed) if packed.container.holds() == &Holds::Objects => {
                Ok(Stamp { bytes: Some(packed.length), modified: packed.start as i64, kind: Kind::Bytes })
            }
            Source::Packed(packed) => Ok(Stamp {
                bytes: (packed.length > 0).then_some(packed.length),
                modified: packed.container.modified()?,
                kind: Kind::Bytes,
            }),
        }
    }

    /// All its bytes.
    ///
    /// # Errors
    /// When they cannot be read, or there are more than [`MAX_BYTES`].
    pub fn read(&self) -> io::Result<Vec<u8>> {
        match self {
            Source::File(path) => fs::read(path),
            Source::Packed(packed) if packed.length > MAX_BYTES => {
                Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 1 GiB"))
            }
            Source::Packed(packed) if packed.container.holds() == &Holds::Objects => {
                packed.container.read_object(packed.name, packed.length)
            }
            Source::Packed(packed) => packed.container.read(packed.start, packed.length),
        }
    }

    /// Its bytes from the first on, for those who need only some. Of a file, only what is asked for is read.
    ///
    /// # Errors
    /// When they cannot be read, or it is no ordinary file.
    pub fn open(&self) -> io::Result<Box<dyn ReadSeek>> {
        match self {
            Source::File(path) => {
                // Opening something else, such as a pipe, could wait forever.
                if !fs::metadata(path)?.is_file() {
                    return Err(io::Error::other("it is no ordinary file"));
                }
                Ok(Box::new(io::BufReader::new(File::open(path)?)))
            }
            Source::Packed(packed) if packed.container.holds() == &Holds::Objects => {
                let object = packed.container.object(packed.name, packed.length, packed.start as i64)?;
                Ok(Box::new(object.reader(0)))
            }
            Source::Packed(_) => Ok(Box::new(Cursor::new(self.read()?))),
        }
    }

    /// The file that it is, or its name below the file that holds it, for messages.
    pub fn shown(&self) -> PathBuf {
        match self {
            Source::File(path) => path.clone(),
            Source::Packed(packed) => packed.container.path().join(packed.name),
        }
    }
}

/// Bytes that can be read from anywhere.
pub trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}
