use super::*;
use crate::index::refresh;
use crate::store;
use crate::store::EmbeddingStore;
use crate::store::tests::{DIM, Fake, dataset, files, listed, picture};
use chaffinch_plugin::Source;
use image::RgbImage;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;
use tempfile::TempDir;

/// Records the first four bytes of a picture and the number of its file's format.
struct Corner {
    name: &'static str,
    version: &'static str,
    asked: AtomicUsize,
    /// Fails at this picture, counted from 1.
    fails_at: usize,
    stop: AtomicBool,
    stops_at: usize,
}

fn corner(name: &'static str) -> Corner {
    let (stop, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    Corner { name, version: "1", asked, fails_at: usize::MAX, stop, stops_at: usize::MAX }
}

impl Corner {
    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Measurer for Corner {
    fn name(&self) -> &str {
        self.name
    }

    fn identity(&self) -> String {
        self.version.into()
    }

    fn bytes(&self) -> usize {
        5
    }

    fn measure(
        &self,
        image: &RgbImage,
        source: Source,
        record: &mut [u8],
    ) -> std::result::Result<(), String> {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        if asked == self.fails_at {
            return Err(format!("cannot measure picture {asked}"));
        }
        if asked == self.stops_at {
            self.stop.store(true, Ordering::SeqCst);
        }
        record[..4].copy_from_slice(&image.as_raw()[..4]);
        record[4] = source.format as u8;
        Ok(())
    }
}

/// A folder and its content.
struct Storage {
    dir: TempDir,
    model: Fake,
}

impl Storage {
    fn new() -> Storage {
        Storage { dir: tempfile::tempdir().unwrap(), model: Fake::new() }
    }

    fn unfinished(&self) -> PathBuf {
        self.dir.path().join("unfinished")
    }

    fn run(
        &self,
        manifest: &Manifest,
        previous: Option<(&Manifest, &FileMetadata)>,
        measurers: &[&dyn Measurer],
        stop: &AtomicBool,
    ) -> Result<Passed> {
        let store_dir = self.dir.path().join("store");
        let mut store = EmbeddingStore::open(&store_dir, self.model.fingerprint(), DIM).unwrap();
        let (measures, unfinished) = (self.dir.path().join("measures"), self.unfinished());
        let keep = Some(Keep { measures: &measures, unfinished: &unfinished, shard: None, shards: &[] });
        let vectors = Vectors { store: &mut store, embedder: &self.model };
        let job = Job::new(stop, &|done, total| assert!(done <= total));
        Pass { manifest, previous, measurers, keep }.run(Some(vectors), &job)
    }

    fn store(&self) -> BTreeMap<String, Vec<u8>> {
        files(&self.dir.path().join("store"), &self.model)
    }

    fn embedded(&self) -> usize {
        self.model.images.load(Ordering::SeqCst)
    }
}

static GO: AtomicBool = AtomicBool::new(false);

fn records(passed: &Passed, measurer: usize) -> &[u8] {
    passed.measures[measurer].as_ref().unwrap().records()
}

#[test]
fn one_pass_leaves_what_index_and_fill_leave_and_a_second_one_does_nothing() {
    let (files_dir, manifest, file_metadata) = dataset();
    let (apart, together) = (Storage::new(), Storage::new());
    let dir = apart.dir.path().join("store");
    let mut store = EmbeddingStore::open(&dir, apart.model.fingerprint(), DIM).unwrap();
    let filled =
        store::fill(&mut store, &manifest, &file_metadata, &apart.model, &Job::new(&GO, &|_, _| {})).unwrap();

    let (one, two) = (corner("one"), corner("two"));
    let passed = together.run(&manifest, None, &[&one, &two], &GO).unwrap();
    assert_eq!(passed.file_metadata, file_metadata);
    assert_eq!(passed.filled.embedded, filled.embedded);
    assert_eq!(together.store(), apart.store());
    let pictures = manifest.len() - file_metadata.unreadable.len();
    assert_eq!((one.asked(), two.asked()), (pictures, pictures), "each picture is measured once");
    let record = |row: usize| &records(&passed, 1)[row * 5..][..5];
    let pixels = chaffinch_compute::image::decode::decode(&picture(9)).unwrap().image;
    assert_eq!((&record(9)[..4], record(9)[4]), (&pixels.as_raw()[..4], 5));
    assert_eq!(record(700), [0; 5], "what cannot be decoded has no measures");

    // Nothing is decoded again: neither measured nor embedded.
    let (embedded, previous) = (together.embedded(), Some((&manifest, &file_metadata)));
    let again = together.run(&manifest, previous, &[&one, &two], &GO).unwrap();
    assert_eq!((&again.file_metadata, again.report.read), (&file_metadata, 0));
    assert_eq!((one.asked(), together.embedded()), (pictures, embedded));
    assert_eq!(records(&again, 1), records(&passed, 1));

    // Another build of a measurer measures again; only a newly added file is embedded.
    fs::write(files_dir.path().join("00000a.bmp"), picture(50_000)).unwrap();
    let (newer, rebuilt) = (listed(files_dir.path()), Corner { version: "2", ..corner("two") });
    let third = together.run(&newer, previous, &[&one, &rebuilt], &GO).unwrap();
    assert_eq!(rebuilt.asked(), pictures + 1);
    assert_eq!((third.report.read, third.filled.embedded), (1, 1));
    assert_eq!(third.file_metadata, refresh(&newer, None, &Job::new(&GO, &|_, _| {})).unwrap().0);
    assert_eq!(&records(&third, 1)[10 * 5..11 * 5], record(9), "rows moved by one");
}

#[test]
fn a_stopped_pass_goes_on_where_it_was_and_leaves_the_same_bytes() {
    let (_files, manifest, file_metadata) = dataset();
    let whole = Storage::new();
    let expected = whole.run(&manifest, None, &[&corner("one")], &GO).unwrap();
    for (stops_at, ahead) in [(10, 1), (CHUNK_ROWS + 700, 1), (CHUNK_ROWS + 900, 2), (2 * CHUNK_ROWS + 20, 2)]
    {
        let mut storage = Storage::new();
        storage.model.ahead = ahead;
        let first = Corner { stops_at, ..corner("one") };
        let stopped = storage.run(&manifest, None, &[&first], &first.stop);
        assert!(matches!(stopped, Err(Error::Stopped)));
        // A frame that was being written when the power failed.
        if let Ok(bytes) = fs::read(storage.unfinished()) {
            fs::write(storage.unfinished(), [&bytes[..], &[9; 77]].concat()).unwrap();
        }
        let second = corner("one");
        let passed = storage.run(&manifest, None, &[&second], &GO).unwrap();
        assert_eq!(passed.file_metadata, file_metadata);
        assert_eq!(storage.store(), whole.store());
        assert_eq!(records(&passed, 0), records(&expected, 0));
        // Files are measured up to four groups before they are embedded, and batches are kept as a whole.
        let kept = stops_at.saturating_sub(5 * 48);
        let most = manifest.len() - kept;
        assert!(second.asked() <= most, "{} were measured again, at most {most}", second.asked());
    }
}

#[test]
fn what_is_left_of_another_dataset_or_is_garbage_is_not_taken() {
    let (_files, manifest, file_metadata) = dataset();
    let storage = Storage::new();
    for garbage in [&b""[..], b"short", &[7; 500]] {
        fs::write(storage.unfinished(), garbage).unwrap();
        assert_eq!(storage.run(&manifest, None, &[], &GO).unwrap().file_metadata, file_metadata);
    }
    // Rows measured by another measurer are read again.
    let (one, two) = (corner("one"), corner("two"));
    storage.run(&manifest, None, &[&one], &GO).unwrap();
    storage.run(&manifest, None, &[&two], &GO).unwrap();
    assert_eq!(two.asked(), manifest.len() - file_metadata.unreadable.len());
}

#[test]
fn a_file_that_changed_is_measured_and_embedded_as_it_is_now() {
    let (storage, files_dir) = (Storage::new(), tempfile::tempdir().unwrap());
    for number in 0..40 {
        fs::write(files_dir.path().join(format!("{number:02}.bmp")), picture(number)).unwrap();
    }
    let manifest = listed(files_dir.path());
    let before = storage.run(&manifest, None, &[&corner("one")], &GO).unwrap();
    let path = files_dir.path().join("07.bmp");
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, picture(1_000)).unwrap();
    let later = time + std::time::Duration::from_secs(9);
    fs::File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
    let one = corner("one");
    let after = storage.run(&manifest, Some((&manifest, &before.file_metadata)), &[&one], &GO).unwrap();
    assert_eq!((one.asked(), after.report.read, after.filled.embedded), (1, 1, 1));
    let pixels = chaffinch_compute::image::decode::decode(&picture(1_000)).unwrap().image;
    assert_eq!(records(&after, 0)[7 * 5..][..4], pixels.as_raw()[..4]);
    assert_eq!(records(&after, 0)[..7 * 5], records(&before, 0)[..7 * 5]);
}

#[test]
fn one_that_fails_does_not_stop_the_others() {
    let (_files, manifest, file_metadata) = dataset();
    let mut storage = Storage::new();
    storage.model.memory = 0;
    let (one, two) = (Corner { fails_at: 300, ..corner("one") }, corner("two"));
    let passed = storage.run(&manifest, None, &[&one, &two], &GO).unwrap();
    assert_eq!(passed.file_metadata, file_metadata);
    assert_eq!(passed.measures[0].as_ref().err().map(String::as_str), Some("cannot measure picture 300"));
    assert_eq!(records(&passed, 1).len(), manifest.len() * 5);
    assert_eq!((passed.filled.embedded, storage.store().len()), (0, 0), "the model never had memory");
}

#[test]
fn a_slow_model_gets_a_turn_of_its_own() {
    assert!(keeps_up(7.0, 1.0, 1e6), "as long as it is not much slower than reading");
    assert!(keeps_up(70.0, 1.0, 60.0), "or is done soon");
    assert!(!keeps_up(70.0, 1.0, 1e6));
}
