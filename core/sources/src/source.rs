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
            Source::File(path) => read_file(path),
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
    /// When they cannot be read, or it is not an ordinary file.
    pub fn open(&self) -> io::Result<Box<dyn ReadSeek>> {
        match self {
            Source::File(path) => Ok(match open_file(path)? {
                (_, 0) => Box::new(Cursor::new(Vec::new())),
                (file, _) => Box::new(io::BufReader::new(file)),
            }),
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

/// Opens a file, and says how long it is: what was looked at is what is read.
fn open_file(path: &Path) -> io::Result<(File, u64)> {
    let ordinary = |metadata: &fs::Metadata| match metadata.is_file() {
        true => Ok(()),
        false => Err(io::Error::other("it is not an ordinary file")),
    };
    // Opening something else, such as a pipe, could wait forever.
    ordinary(&fs::metadata(path)?)?;
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    ordinary(&metadata)?;
    Ok((file, metadata.len()))
}

/// Reads as much as the file says it has. Files of the kernel say 0, and reading them could wait forever.
fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let (file, length) = open_file(path)?;
    if length > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 1 GiB"));
    }
    let mut bytes = Vec::with_capacity(length as usize);
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Bytes that can be read from anywhere.
pub trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_kernel_is_empty_and_never_waited_for() {
        // It says that it is an ordinary file of 0 bytes; reading it would wait for the kernel.
        for path in ["/proc/kmsg", "/proc/self/status"] {
            let source = Source::File(path.into());
            match source.read() {
                Ok(bytes) => assert_eq!(bytes, [] as [u8; 0], "{path}"),
                // Not everyone may open it.
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{path}"),
            }
            if let Ok(mut opened) = source.open() {
                assert_eq!(opened.read(&mut [0; 8]).unwrap(), 0, "{path}");
            }
        }
        for path in ["/dev/zero", "/"] {
            assert!(Source::File(path.into()).read().is_err(), "{path}");
        }
    }

    #[test]
    fn a_hollow_file_of_terabytes_is_refused_before_it_is_read() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("hollow.jpg");
        File::create(&path).unwrap().set_len(4 << 40).unwrap();
        let error = Source::File(path).read().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }
}
