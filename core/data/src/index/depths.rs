//! The depths of a dataset's 16-bit pictures, which must be known before the first of them is shown.

use super::known::Known;
use super::unfinished::Recovered;
use crate::file_metadata::FileMetadata;
use crate::frames::{Earlier, Frames, key};
use crate::manifest::Manifest;
use crate::remote::{Threads, Watch};
use crate::{Error, Result};
use bytemuck::{Pod, Zeroable};
use chaffinch_compute::image::decode::{Depths, Remark, depth_of};
use chaffinch_compute::job::Job;
use chaffinch_protocol::sample::SampleId;
use chaffinch_sources::{Kind, Source, Stamp};
use rayon::prelude::*;
use std::ffi::OsStr;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Extensions of files that may have 16 bits per channel.
const DEEP: [&str; 5] = ["png", "apng", "tif", "tiff", "btf"];
/// The format of the entries of what is kept.
const KIND: [u8; 8] = *b"chfdeep1";

/// Finds the depths of all 16-bit pictures. Only these are decoded, and those that were read before and have not changed
/// are not even opened. The order of files does not matter. `unfinished` is where to keep what was found until the reading
/// that needs it is saved; an interrupted one goes on from there.
///
/// # Errors
/// When stopped, when a server cannot be reached, or when what was found cannot be kept.
pub fn depths(
    manifest: &Manifest,
    previous: Option<(&Manifest, &FileMetadata)>,
    unfinished: Option<&Path>,
    job: &Job<'_>,
) -> Result<Depths> {
    let known = Known::new(manifest, previous, None, Recovered::default());
    let (mut kept, mut earlier) = (None, Found::default());
    if let Some(path) = unfinished {
        let identity = blake3::hash(manifest.root().as_os_str().as_encoded_bytes());
        let (frames, entries) = Frames::open(path, KIND, identity.as_bytes())?;
        (kept, earlier) = (Some(Mutex::new(frames)), Found::new(entries));
    }
    let one = |row: u32| {
        if job.stopped() {
            return Err(Error::Stopped);
        }
        let id = SampleId(row);
        let path = manifest.path(id);
        if !may_be_deep(path) {
            return Ok(None);
        }
        let source = manifest.source(id);
        let Some(stamp) = source.stamp().ok().filter(|stamp| stamp.kind == Kind::Bytes) else {
            return Ok(None);
        };
        if let Some(known) = known.row(id, stamp) {
            return Ok(known.row.remarks.iter().find_map(|remark| match remark {
                Remark::Deep { bits, .. } => Some(*bits),
                _ => None,
            }));
        }
        if stamp.is_too_large() {
            return Ok(None);
        }
        if let Some(found) = earlier.of(path, stamp) {
            return Ok(found);
        }
        let found = look(&source)?;
        if let (Some(kept), Some(found)) = (&kept, found) {
            let entry = Entry::new(path, stamp, found);
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(&[bytemuck::bytes_of(&entry)])?;
        }
        Ok(found.flatten())
    };
    let all = || (0..manifest.len() as u32).into_par_iter().map(one).collect::<Result<Vec<Option<u8>>>>();
    let used = Threads::of(manifest, None).install(all);
    // What was found before an error is kept, too.
    if let Some(kept) = kept {
        kept.into_inner().unwrap_or_else(PoisonError::into_inner).flush()?;
    }
    let mut depths = Depths::default();
    used?.into_iter().flatten().for_each(|bits| depths.add(bits));
    Ok(depths)
}

fn may_be_deep(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str);
    extension.is_some_and(|extension| DEEP.iter().any(|deep| extension.eq_ignore_ascii_case(deep)))
}

/// The depth of one picture; the outer `None` if it could not be read.
fn look(source: &Source<'_>) -> Result<Option<Option<u8>>> {
    let watch = Watch::new(source);
    let Ok(bytes) = source.open() else {
        watch.check(source)?;
        return Ok(None);
    };
    let mut bytes = Watched { bytes, failed: false };
    let found = depth_of(BufReader::new(&mut bytes));
    if bytes.failed {
        watch.check(source)?;
        return Ok(None);
    }
    Ok(Some(found))
}

/// Bytes, and whether reading them failed, which the decoder does not tell from bytes that are no picture.
struct Watched<R> {
    bytes: R,
    failed: bool,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.bytes.read(into).inspect_err(|_| self.failed = true)
    }
}

impl<R: Seek> Seek for Watched<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.bytes.seek(to)
    }
}

/// What was found of one picture.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Entry {
    path: [u8; 16],
    bytes: u64,
    modified: i64,
    /// 0 if it has no 16 bits per channel.
    depth: u64,
}

impl Entry {
    fn new(path: &Path, stamp: Stamp, depth: Option<u8>) -> Entry {
        Entry {
            path: key(path),
            bytes: stamp.bytes.unwrap_or_default(),
            modified: stamp.modified,
            depth: u64::from(depth.unwrap_or(0)),
        }
    }
}

/// What an interrupted run found, sorted by path.
#[derive(Default)]
struct Found(Vec<Entry>);

impl Found {
    fn new(earlier: Earlier) -> Found {
        let Some((map, frames)) = earlier else { return Found::default() };
        let entries = frames.into_iter().flat_map(|frame| map[frame].chunks_exact(size_of::<Entry>()));
        let mut entries: Vec<Entry> = entries.map(bytemuck::pod_read_unaligned).collect();
        // Of a picture that was looked at twice, the later entry comes last.
        entries.sort_by_key(|entry| entry.path);
        Found(entries)
    }

    /// The depth of a picture that has not changed since.
    fn of(&self, path: &Path, stamp: Stamp) -> Option<Option<u8>> {
        let key = key(path);
        let index = self.0.partition_point(|entry| entry.path <= key).checked_sub(1)?;
        let entry = self.0[index];
        let same = entry.path == key && stamp.is_same(entry.bytes, entry.modified);
        same.then(|| u8::try_from(entry.depth).ok().filter(|depth| *depth > 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::NewSample;
    use chaffinch_protocol::sample::Split;
    use std::fs;
    use std::sync::atomic::AtomicBool;

    #[test]
    fn what_an_interrupted_run_found_is_not_looked_at_again() {
        let temp = tempfile::tempdir().unwrap();
        let kept = temp.path().join("depths.unfinished");
        let frame = |name: &str, highest: u16| {
            let image = image::ImageBuffer::from_fn(8, 8, |x, y| {
                image::Luma([(x * y * u32::from(highest) / 49) as u16])
            });
            image.save(temp.path().join(name)).unwrap();
        };
        frame("a.png", 1000);
        frame("b.png", 4000);
        image::GrayImage::new(4, 4).save(temp.path().join("c.png")).unwrap();
        let sample = |path: &str| NewSample { path: path.into(), label: None, split: Split::None };
        let manifest = Manifest::new(temp.path(), ["a.png", "b.png", "c.png"].map(sample));
        let stop = AtomicBool::new(false);
        let find = || depths(&manifest, None, Some(&kept), &Job::new(&stop, &|_, _| {})).unwrap().to_string();
        assert_eq!(find(), "10-12");
        // Same size and time, other bytes: only who opens them sees it.
        for name in ["a.png", "b.png", "c.png"] {
            let path = temp.path().join(name);
            let (length, time) =
                (fs::metadata(&path).unwrap().len(), fs::metadata(&path).unwrap().modified().unwrap());
            fs::write(&path, vec![0; length as usize]).unwrap();
            fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        }
        assert_eq!(find(), "10-12");
        // A changed picture is looked at.
        frame("a.png", 60_000);
        assert_eq!(find(), "12-16");
        // A torn end is not used, the frames before it are.
        let bytes = fs::read(&kept).unwrap();
        fs::write(&kept, &bytes[..bytes.len() - 1]).unwrap();
        assert_eq!(find(), "12-16");
        fs::write(&kept, b"chfdeep1 of another kind, which is replaced").unwrap();
        assert_eq!(find(), "16");
    }
}
