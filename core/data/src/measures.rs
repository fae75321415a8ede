//! What detectors measure for single pictures while these are decoded, stored row by row with the file metadata.
//!
//! `DIR/NAME.measures`: one record of fixed length per sample, then a trailer with the measurer, the samples, and a
//! checksum. A file that does not match counts as absent.

use crate::{Error, Result, atomic};
use bytemuck::{Pod, Zeroable};
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::image::RgbImage;
use chaffinch_compute::mapped;
use chaffinch_plugin::Source;
use memmap2::Mmap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const MAGIC: [u8; 8] = *b"chfmeas1";
const TRAILER: usize = size_of::<Trailer>();

/// Something that measures pictures, one record of fixed length each.
pub trait Measurer: Sync {
    /// Its name, safe as a file name.
    fn name(&self) -> &str;

    /// Changes whenever its records may change.
    fn identity(&self) -> String;

    /// Length of a record, above 0.
    fn bytes(&self) -> usize;

    /// Writes the record of one full-size picture; `record` is zeroed.
    ///
    /// # Errors
    /// With a sentence, after which this measurer is not called again.
    fn measure(&self, image: &RgbImage, source: Source, record: &mut [u8])
    -> std::result::Result<(), String>;
}

/// The trailer after the records.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Trailer {
    magic: [u8; 8],
    identity: [u8; 32],
    samples: [u8; 32],
    bytes: u64,
    count: u64,
    checksum: [u8; 32],
}

/// The records of a dataset's samples, row-aligned with its manifest.
#[derive(Clone)]
pub struct Measures {
    map: Arc<Mmap>,
    bytes: usize,
    count: usize,
    samples: [u8; 32],
}

impl Measures {
    /// The records in `dir`, if they are from this measurer and for these samples.
    pub fn load(dir: &Path, measurer: &dyn Measurer, samples: &[u8; 32]) -> Option<Measures> {
        let path = path(dir, measurer.name());
        let length = fs::metadata(&path).ok()?.len();
        if length < TRAILER as u64 {
            return None;
        }
        let map = mapped::read(&path).ok()?;
        let (records, trailer) = map.split_at(map.len() - TRAILER);
        let trailer: Trailer = bytemuck::try_pod_read_unaligned(trailer).ok()?;
        let (bytes, count) = (trailer.bytes as usize, trailer.count as usize);
        let fits = trailer.magic == MAGIC
            && bytes == measurer.bytes()
            && bytes.checked_mul(count) == Some(records.len())
            && trailer.identity == identity(measurer)
            && trailer.samples == *samples
            && *blake3::hash(records).as_bytes() == trailer.checksum;
        fits.then(|| Measures { map: Arc::new(map), bytes, count, samples: trailer.samples })
    }

    /// All records, concatenated.
    pub fn records(&self) -> &[u8] {
        &self.map[..self.bytes * self.count]
    }

    /// One sample's record.
    pub fn row(&self, row: usize) -> &[u8] {
        self.records().get(row * self.bytes..(row + 1) * self.bytes).unwrap_or_default()
    }
}

/// A digest of the samples that records are for, fed row by row.
#[derive(Default)]
pub struct SamplesDigest(blake3::Hasher);

impl SamplesDigest {
    /// Adds a sample: its path, content and modification time.
    pub fn push(&mut self, path: &Path, hash: &ContentHash, modified: i64) {
        let name = path.as_os_str().as_encoded_bytes();
        self.0.update(&(name.len() as u64).to_le_bytes()).update(name);
        self.0.update(&hash.0).update(&modified.to_le_bytes());
    }

    /// The digest of the samples added so far.
    pub fn finish(&self) -> [u8; 32] {
        *self.0.finalize().as_bytes()
    }
}

/// Writes records in row order. As long as they are unchanged, nothing is written.
pub struct MeasuresWriter {
    path: PathBuf,
    old: Option<Measures>,
    out: Option<BufWriter<File>>,
    checksum: blake3::Hasher,
    identity: [u8; 32],
    bytes: usize,
    count: usize,
}

impl MeasuresWriter {
    /// `old` are the previous records, for any samples.
    pub fn new(dir: &Path, measurer: &dyn Measurer, old: Option<Measures>) -> MeasuresWriter {
        MeasuresWriter {
            path: path(dir, measurer.name()),
            old,
            out: None,
            checksum: blake3::Hasher::new(),
            identity: identity(measurer),
            bytes: measurer.bytes(),
            count: 0,
        }
    }

    /// Appends the record of the next row.
    pub fn push(&mut self, record: &[u8]) -> Result<()> {
        let same = |old: &Measures| self.count < old.count && old.row(self.count) == record;
        if self.out.is_none() && self.old.as_ref().is_some_and(same) {
            self.count += 1;
            return Ok(());
        }
        self.count += 1;
        let before = self.count - 1;
        let out = self.begun(before)?;
        out.write_all(record).map_err(Error::io("write", &self.path))?;
        self.checksum.update(record);
        Ok(())
    }

    /// The new file, starting with this many of the old records.
    fn begun(&mut self, before: usize) -> Result<&mut BufWriter<File>> {
        let out = match self.out.take() {
            Some(out) => out,
            None => {
                if let Some(dir) = self.path.parent() {
                    fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
                }
                let new = self.new_path();
                let mut out =
                    BufWriter::with_capacity(1 << 18, File::create(&new).map_err(Error::io("create", &new))?);
                let records = self.old.as_ref().map_or(&[][..], |old| &old.records()[..before * self.bytes]);
                out.write_all(records).map_err(Error::io("write", &new))?;
                self.checksum.update(records);
                out
            }
        };
        Ok(self.out.insert(out))
    }

    fn new_path(&self) -> PathBuf {
        self.path.with_extension("measures.new")
    }

    /// Moves the file into place.
    pub fn finish(mut self, samples: [u8; 32]) -> Result<Measures> {
        let same = |old: &Measures| old.count == self.count && old.samples == samples;
        if let Some(old) = self.old.as_ref().filter(|old| self.out.is_none() && same(old)) {
            return Ok(old.clone());
        }
        let (count, bytes, identity) = (self.count, self.bytes, self.identity);
        let new = self.new_path();
        self.begun(count)?;
        let checksum = *self.checksum.finalize().as_bytes();
        let out = self.begun(count)?;
        let trailer =
            Trailer { magic: MAGIC, identity, samples, bytes: bytes as u64, count: count as u64, checksum };
        let written = out.write_all(bytemuck::bytes_of(&trailer)).and_then(|()| out.flush());
        written.and_then(|()| out.get_ref().sync_all()).map_err(Error::io("write", &new))?;
        fs::rename(&new, &self.path).map_err(Error::io("rename", &new))?;
        if let Some(folder) = self.path.parent() {
            atomic::sync_folder(folder)?;
        }
        let map = Arc::new(mapped::read(&self.path)?);
        Ok(Measures { map, bytes, count, samples })
    }
}

fn path(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.measures"))
}

fn identity(measurer: &dyn Measurer) -> [u8; 32] {
    let text = format!("{} {} {}", measurer.name(), measurer.bytes(), measurer.identity());
    *blake3::hash(text.as_bytes()).as_bytes()
}
