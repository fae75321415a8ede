//! Reads every file of a dataset once, and again only if it changed.

mod depths;
mod known;
mod pass;
mod row;
mod shard;
mod unfinished;

pub use crate::groups::MAX_FILE_BYTES;

pub use depths::depths;
pub use pass::{Keep, Pass, Passed, Vectors};
pub use shard::{Shard, ShardRecord};
pub use unfinished::remove as remove_unfinished;

use crate::Result;
use crate::file_metadata::FileMetadata;
use crate::manifest::Manifest;
use chaffinch_compute::job::Job;

/// What a refresh did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IndexReport {
    /// Files that were read, or attempted.
    pub read: u64,
    /// Files with unchanged path, size and time.
    pub unchanged: u64,
}

/// Brings the file metadata up to date: content hash, sizes and perceptual hashes of every file. A file that is
/// missing, unreadable or not a picture is recorded with its reason and does not stop the scan.
///
/// # Errors
/// When stopped, or when a server cannot be reached.
pub fn refresh(
    manifest: &Manifest,
    previous: Option<(&Manifest, &FileMetadata)>,
    job: &Job<'_>,
) -> Result<(FileMetadata, IndexReport)> {
    let passed = Pass { manifest, previous, measurers: &[], keep: None }.run(None, job)?;
    Ok((passed.file_metadata, passed.report))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::NewSample;
    use chaffinch_compute::content::ContentHash;
    use chaffinch_compute::image::RgbImage;
    use chaffinch_compute::image::decode::Remark;
    use chaffinch_plugin::Dimensions;
    use chaffinch_protocol::sample::SampleId;
    use std::fs::{self, File};
    use std::io;
    use std::sync::atomic::AtomicBool;
    use std::time::{Duration, SystemTime};

    fn png(seed: u8, width: u32, height: u32) -> Vec<u8> {
        let pixel = |x, y| image::Rgb([seed, (x * 7) as u8, (y * 11) as u8]);
        let mut bytes = io::Cursor::new(Vec::new());
        RgbImage::from_fn(width, height, pixel).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    fn go(manifest: &Manifest, previous: Option<(&Manifest, &FileMetadata)>) -> (FileMetadata, IndexReport) {
        let stop = AtomicBool::new(false);
        refresh(manifest, previous, &Job::new(&stop, &|_, _| {})).unwrap()
    }

    #[test]
    fn only_what_changed_is_read_again() {
        let temp = tempfile::tempdir().unwrap();
        for (name, seed) in [("a.png", 1), ("b.png", 2), ("c.png", 3)] {
            fs::write(temp.path().join(name), png(seed, 20, 10)).unwrap();
        }
        fs::write(temp.path().join("broken.png"), b"\x89PNG\r\n\x1a\nno").unwrap();
        std::os::unix::fs::symlink("nowhere", temp.path().join("gone.png")).unwrap();
        let open = || {
            let entries = fs::read_dir(temp.path()).unwrap().map(|entry| entry.unwrap().file_name());
            let sample = |name| NewSample { path: name, label: None, split: Default::default() };
            let mut names: Vec<_> = entries.collect();
            names.sort();
            Manifest::new(temp.path(), names.into_iter().map(|name| sample(name.into())))
        };
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
        fs::rename(temp.path().join("c.png"), temp.path().join("d.png")).unwrap();
        fs::write(temp.path().join("a.png"), png(9, 20, 10)).unwrap();
        let later = SystemTime::now() + Duration::from_secs(10);
        File::options().write(true).open(temp.path().join("a.png")).unwrap().set_modified(later).unwrap();
        fs::write(temp.path().join("0.png"), png(4, 5, 5)).unwrap();
        let after = open();
        let (new, report) = go(&after, Some((&before, &old)));
        assert_eq!(report, IndexReport { read: 4, unchanged: 2 });
        assert_eq!(new, go(&after, None).0);
    }

    #[test]
    fn frames_of_one_sensor_have_one_range_whatever_comes_later() {
        let temp = tempfile::tempdir().unwrap();
        let frame = |name: &str, highest: u16| {
            let image = image::ImageBuffer::from_fn(8, 8, |x, y| {
                image::Luma([(x * y * u32::from(highest) / 49) as u16])
            });
            image.save(temp.path().join(name)).unwrap();
        };
        let sample = |path: &str| NewSample { path: path.into(), label: None, split: Default::default() };
        let stop = AtomicBool::new(false);
        let read = |names: &[&str], previous: Option<(&Manifest, &FileMetadata)>| {
            let manifest = Manifest::new(temp.path(), names.iter().map(|name| sample(name)));
            let job = Job::new(&stop, &|_, _| {});
            let manifest = manifest.clone().with_depths(depths(&manifest, previous, None, &job).unwrap());
            let (file_metadata, report) = go(&manifest, previous);
            (manifest, file_metadata, report)
        };
        frame("a.png", 1000);
        frame("b.png", 1100);
        frame("z.png", 5000);
        let (before, old, _) = read(&["a.png", "b.png"], None);
        assert_eq!(before.rendering().depths.to_string(), "10-12");
        let ranges = |file_metadata: &FileMetadata| -> Vec<u8> {
            let all = file_metadata.remarks.values().flatten();
            all.filter_map(|remark| if let Remark::Deep { range, .. } = remark { Some(*range) } else { None })
                .collect()
        };
        assert_eq!(ranges(&old), [12, 12]);
        // A frame that uses more: the others are shown by its range, too, as if all had come at once.
        let (after, new, report) = read(&["a.png", "b.png", "z.png"], Some((&before, &old)));
        assert_eq!((ranges(&new), report.read), (vec![14; 3], 3));
        assert_eq!(new, read(&["a.png", "b.png", "z.png"], None).1);
        let (_, again, report) = read(&["a.png", "b.png", "z.png"], Some((&after, &new)));
        assert_eq!((again, report.read), (new, 0));
    }

    #[test]
    fn pipes_folders_and_stops() {
        let temp = tempfile::tempdir().unwrap();
        fs::create_dir(temp.path().join("x.png")).unwrap();
        let sample = |path: &str| NewSample { path: path.into(), label: None, split: Default::default() };
        let manifest = Manifest::new(temp.path(), [sample("x.png"), sample("/dev/zero")]);
        let (file_metadata, _) = go(&manifest, None);
        assert_eq!(file_metadata.unreadable[&SampleId(0)], "it is a folder");
        assert_eq!(file_metadata.unreadable[&SampleId(1)], "it is not an ordinary file");
        let stop = AtomicBool::new(true);
        let stopped = refresh(&manifest, None, &Job::new(&stop, &|_, _| {}));
        assert!(matches!(stopped, Err(crate::Error::Stopped)));
    }
}
