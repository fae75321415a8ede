//! Reading every file of a dataset once, and again only when it changed.

use crate::Result;
use crate::content::ContentHash;
use crate::facts::Facts;
use crate::image::decode::decode;
use crate::image::phash;
use crate::job::Job;
use crate::manifest::Manifest;
use crate::sample::SampleId;
use chaffinch_plugin::Dimensions;
use rayon::prelude::*;
use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Samples between two looks at the columns, so that what is under way stays small.
const BLOCK: usize = 16_384;

/// Files beyond this size are hashed but not decoded.
pub const MAX_FILE_BYTES: u64 = 1 << 30;

/// What a refresh did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IndexReport {
    /// Files that were read, or tried.
    pub read: u64,
    /// Files with the path, size and time of last time, which were not read again.
    pub unchanged: u64,
}

/// One sample's row of the facts.
struct Row {
    hash: ContentHash,
    dimensions: Dimensions,
    modified: i64,
    phash: u64,
    dhash: u64,
    trouble: Option<String>,
    unchanged: bool,
}

/// Brings the facts up to date: content hash, sizes and perceptual hashes of every file. A file that is missing,
/// unreadable or no picture is noted with its reason and stops nothing.
///
/// # Errors
/// Only when stopped.
pub fn refresh(
    manifest: &Manifest,
    previous: Option<(&Manifest, &Facts)>,
    job: &Job<'_>,
) -> Result<(Facts, IndexReport)> {
    let known = previous.map(|(before, facts)| Known::new(manifest, before, facts));
    let (mut facts, mut report) = (Facts::default(), IndexReport::default());
    let (done, total) = (AtomicU64::new(0), manifest.len() as u64);
    for start in (0..manifest.len()).step_by(BLOCK) {
        let ids: Vec<SampleId> =
            (start..manifest.len().min(start + BLOCK)).map(|row| SampleId(row as u32)).collect();
        let look = |&id: &SampleId| {
            job.checkpoint()?;
            let row = look(manifest, id, known.as_ref());
            job.progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
            Ok(row)
        };
        let rows: Vec<Row> = ids.par_iter().with_max_len(16).map(look).collect::<Result<_>>()?;
        for (id, row) in ids.into_iter().zip(rows) {
            if row.unchanged {
                report.unchanged += 1;
            } else {
                report.read += 1;
            }
            facts.hashes.push(row.hash);
            facts.dimensions.push(row.dimensions);
            facts.modified.push(row.modified);
            facts.phash.push(row.phash);
            facts.dhash.push(row.dhash);
            if let Some(trouble) = row.trouble {
                facts.unreadable.insert(id, trouble);
            }
        }
    }
    Ok((facts, report))
}

/// What was known before, found by path.
struct Known<'a> {
    facts: &'a Facts,
    rows: Option<HashMap<&'a Path, SampleId>>,
}

impl<'a> Known<'a> {
    fn new(manifest: &Manifest, before: &'a Manifest, facts: &'a Facts) -> Known<'a> {
        let facts_fit = facts.len() == before.len() && manifest.root() == before.root();
        let same_rows =
            before.len() == manifest.len() && manifest.ids().all(|id| manifest.path(id) == before.path(id));
        let rows = match (facts_fit, same_rows) {
            (true, true) => None,
            (true, false) => Some(before.ids().map(|id| (before.path(id), id)).collect()),
            (false, _) => Some(HashMap::new()),
        };
        Known { facts, rows }
    }

    /// The old row of a file, where it was read and has not changed since.
    fn row(&self, manifest: &Manifest, id: SampleId, size: u64, modified: i64) -> Option<Row> {
        let old = match &self.rows {
            None => id,
            Some(rows) => *rows.get(manifest.path(id))?,
        };
        let facts = self.facts;
        let (hash, dimensions) = (facts.hashes[old.index()], facts.dimensions.get(old.index()));
        let same = dimensions.bytes == size && facts.modified[old.index()] == modified;
        (same && hash != ContentHash::default()).then(|| Row {
            hash,
            dimensions,
            modified,
            phash: facts.phash[old.index()],
            dhash: facts.dhash[old.index()],
            trouble: facts.unreadable.get(&old).cloned(),
            unchanged: true,
        })
    }
}

fn look(manifest: &Manifest, id: SampleId, known: Option<&Known<'_>>) -> Row {
    let path = manifest.full_path(id);
    let metadata = match std::fs::metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) => return Row::failed(0, 0, because(&error)),
    };
    let (size, modified) = (metadata.len(), modified(&metadata));
    if let Some(row) = known.and_then(|known| known.row(manifest, id, size, modified)) {
        return row;
    }
    // A pipe or a device may give bytes for ever.
    if !metadata.is_file() {
        let what = if metadata.is_dir() { "it is a folder" } else { "it is no ordinary file" };
        return Row::failed(0, modified, what.into());
    }
    match read(&path, size) {
        Ok((bytes, hash)) => Row::of(&bytes, hash, size, modified),
        Err(error) => Row::failed(size, modified, because(&error)),
    }
}

/// The bytes and their hash; no bytes of a file too large to be decoded.
fn read(path: &Path, size: u64) -> io::Result<(Vec<u8>, ContentHash)> {
    if size > MAX_FILE_BYTES {
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(File::open(path)?)?;
        return Ok((Vec::new(), ContentHash(*hasher.finalize().as_bytes())));
    }
    let bytes = std::fs::read(path)?;
    let hash = ContentHash::of(&bytes);
    Ok((bytes, hash))
}

/// An I/O error as a sentence without a path.
fn because(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "the file is missing".into(),
        io::ErrorKind::PermissionDenied => "the file may not be read: permission denied".into(),
        _ => format!("the file cannot be read: {error}"),
    }
}

fn modified(metadata: &Metadata) -> i64 {
    metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec())
}

impl Row {
    fn of(bytes: &[u8], hash: ContentHash, size: u64, modified: i64) -> Row {
        let mut row = Row { hash, ..Row::failed(size, modified, String::new()) };
        if size > MAX_FILE_BYTES {
            row.trouble = Some("the file is larger than a picture may be (1 GiB)".into());
            return row;
        }
        match decode(bytes) {
            Ok(decoded) => {
                (row.dimensions.width, row.dimensions.height) = decoded.image.dimensions();
                (row.phash, row.dhash) = phash::hashes(&decoded.image);
                row.trouble = None;
            }
            Err(error) => row.trouble = Some(error.to_string()),
        }
        row
    }

    fn failed(bytes: u64, modified: i64, reason: String) -> Row {
        Row {
            hash: ContentHash::default(),
            dimensions: Dimensions { width: 0, height: 0, bytes },
            modified,
            phash: 0,
            dhash: 0,
            trouble: Some(reason),
            unchanged: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{self, DatasetOptions};
    use crate::image::RgbImage;
    use std::fs;
    use std::sync::atomic::AtomicBool;
    use std::time::{Duration, SystemTime};

    fn png(seed: u8, width: u32, height: u32) -> Vec<u8> {
        let pixel = |x, y| image::Rgb([seed, (x * 7) as u8, (y * 11) as u8]);
        let mut bytes = io::Cursor::new(Vec::new());
        RgbImage::from_fn(width, height, pixel).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    fn go(manifest: &Manifest, previous: Option<(&Manifest, &Facts)>) -> (Facts, IndexReport) {
        let stop = AtomicBool::new(false);
        refresh(manifest, previous, &Job::new(&stop, &|_, _| {})).unwrap()
    }

    #[test]
    fn only_what_changed_is_read_again() {
        let place = tempfile::tempdir().unwrap();
        for (name, seed) in [("a.png", 1), ("b.png", 2), ("c.png", 3)] {
            fs::write(place.path().join(name), png(seed, 20, 10)).unwrap();
        }
        fs::write(place.path().join("broken.png"), b"\x89PNG\r\n\x1a\nno").unwrap();
        std::os::unix::fs::symlink("nowhere", place.path().join("gone.png")).unwrap();
        let open = || dataset::open(place.path(), &DatasetOptions::default()).unwrap().manifest;
        let before = open();
        let (old, report) = go(&before, None);
        assert_eq!(report, IndexReport { read: 5, unchanged: 0 });
        assert_eq!(
            old.dimensions.get(0),
            Dimensions { width: 20, height: 10, bytes: png(1, 20, 10).len() as u64 }
        );
        assert_eq!(old.hashes[1], ContentHash::of(&png(2, 20, 10)));
        assert_eq!(old.unreadable.len(), 2);
        assert!(!old.decodable(SampleId(2)) && old.hashes[2] != ContentHash::default());
        assert_eq!(old.unreadable[&SampleId(4)], "the file is missing");
        assert_eq!(go(&before, Some((&before, &old))), (old.clone(), IndexReport { read: 1, unchanged: 4 }));

        // One is renamed, one rewritten with the same size, one comes before all others.
        fs::rename(place.path().join("c.png"), place.path().join("d.png")).unwrap();
        fs::write(place.path().join("a.png"), png(9, 20, 10)).unwrap();
        let later = SystemTime::now() + Duration::from_secs(10);
        File::options().write(true).open(place.path().join("a.png")).unwrap().set_modified(later).unwrap();
        fs::write(place.path().join("0.png"), png(4, 5, 5)).unwrap();
        let after = open();
        let (new, report) = go(&after, Some((&before, &old)));
        assert_eq!(report, IndexReport { read: 4, unchanged: 2 });
        assert_eq!(new, go(&after, None).0);
    }

    #[test]
    fn pipes_folders_and_stops() {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("x.png")).unwrap();
        let sample = |path: &str| crate::manifest::NewSample {
            path: path.into(),
            label: None,
            split: Default::default(),
        };
        let manifest = Manifest::new(place.path(), [sample("x.png"), sample("/dev/zero")]);
        let (facts, _) = go(&manifest, None);
        assert_eq!(facts.unreadable[&SampleId(0)], "it is a folder");
        assert_eq!(facts.unreadable[&SampleId(1)], "it is no ordinary file");
        let stop = AtomicBool::new(true);
        let stopped = refresh(&manifest, None, &Job::new(&stop, &|_, _| {}));
        assert!(matches!(stopped, Err(crate::Error::Stopped)));
    }
}
