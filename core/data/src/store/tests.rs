use super::*;
use crate::file_metadata::FileMetadata;
use crate::index;
use crate::manifest::{Manifest, NewSample};
use chaffinch_compute::embedding::{EmbedError, Embedder, Started};
use chaffinch_compute::image::RgbImage;
use chaffinch_compute::job::Job;
use std::io::Cursor;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(crate) const DIM: usize = 6;

/// A model whose vectors come from the pixels, and that can fail on demand.
pub(crate) struct Fake {
    fingerprint: ModelFingerprint,
    pub(crate) images: AtomicUsize,
    largest: AtomicUsize,
    pub(crate) memory: usize,
    pub(crate) stop_at: usize,
    pub(crate) stop: AtomicBool,
    /// For an image whose first byte is this one, it has no vector.
    undefined: Option<u8>,
    pause: Duration,
    /// Calls that it works on at a time.
    pub(crate) ahead: usize,
    unfinished: AtomicUsize,
    most_unfinished: AtomicUsize,
}

/// What a device works on.
struct Later<'a>(&'a Fake, Vec<f32>);

impl Started for Later<'_> {
    fn finish(mut self: Box<Self>) -> std::result::Result<Vec<f32>, EmbedError> {
        Ok(std::mem::take(&mut self.1))
    }
}

impl Drop for Later<'_> {
    fn drop(&mut self) {
        self.0.unfinished.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Fake {
    pub(crate) fn new() -> Fake {
        Fake {
            fingerprint: ModelFingerprint::new("abc123", "v1"),
            images: AtomicUsize::new(0),
            largest: AtomicUsize::new(0),
            memory: usize::MAX,
            stop_at: usize::MAX,
            stop: AtomicBool::new(false),
            undefined: None,
            pause: Duration::ZERO,
            ahead: 1,
            unfinished: AtomicUsize::new(0),
            most_unfinished: AtomicUsize::new(0),
        }
    }
}

impl Embedder for Fake {
    fn name(&self) -> &str {
        "fake"
    }

    fn fingerprint(&self) -> &ModelFingerprint {
        &self.fingerprint
    }

    fn dim(&self) -> usize {
        DIM
    }

    fn device(&self) -> String {
        "none".into()
    }

    fn batch_size(&self) -> usize {
        48
    }

    fn input_len(&self) -> usize {
        12
    }

    fn preprocess(&self, image: &RgbImage) -> Vec<u8> {
        image.as_raw().iter().take(12).copied().collect()
    }

    fn embed_images(&self, pixels: &[u8], count: usize) -> std::result::Result<Vec<f32>, EmbedError> {
        if count > self.memory {
            return Err(EmbedError::OutOfMemory { device: self.device(), batch: count });
        }
        std::thread::sleep(self.pause);
        let before = self.images.fetch_add(count, Ordering::SeqCst);
        self.largest.fetch_max(count, Ordering::SeqCst);
        if before + count >= self.stop_at {
            self.stop.store(true, Ordering::SeqCst);
        }
        // Depends on the position in the batch, as on real devices, so that different batching is visible.
        let one = |(index, input): (usize, &[u8])| {
            let at = |number: usize| f32::from(input[number]) / 255.0;
            (0..DIM)
                .map(|number| match self.undefined == Some(input[0]) {
                    true => f32::NAN,
                    false => at(number) + at(number + 6) * 0.5 + index as f32 * 1e-6,
                })
                .collect::<Vec<_>>()
        };
        Ok(pixels.chunks_exact(12).enumerate().flat_map(one).collect())
    }

    fn ahead(&self) -> usize {
        self.ahead
    }

    fn start_images<'a>(
        &'a self,
        pixels: &[u8],
        count: usize,
    ) -> std::result::Result<Box<dyn Started + 'a>, EmbedError> {
        let vectors = self.embed_images(pixels, count)?;
        let unfinished = self.unfinished.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_unfinished.fetch_max(unfinished, Ordering::SeqCst);
        Ok(Box::new(Later(self, vectors)))
    }

    fn embed_texts(&self, _: &[&str]) -> std::result::Result<Vec<f32>, EmbedError> {
        Err(EmbedError::NoTextTower("fake".into()))
    }

    fn logit_scale(&self) -> f32 {
        1.0
    }
}

pub(crate) fn picture(number: usize) -> Vec<u8> {
    let mut image = RgbImage::new(2, 2);
    for (index, value) in image.iter_mut().enumerate() {
        *value = (number.wrapping_mul(2_654_435_761) >> (index % 8)) as u8 ^ index as u8;
    }
    image.put_pixel(0, 0, image::Rgb([number as u8, (number >> 8) as u8, 7]));
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Bmp).unwrap();
    bytes.into_inner()
}

/// Three chunks of pictures, with two copies and one broken file.
pub(crate) fn dataset() -> (TempDir, Manifest, FileMetadata) {
    let temp = tempfile::tempdir().unwrap();
    let total = 2 * CHUNK_ROWS + 100;
    for number in 0..total {
        let bytes = match number {
            500 => picture(3),
            4000 => picture(2500),
            700 => b"BM, but no picture".to_vec(),
            other => picture(other),
        };
        fs::write(temp.path().join(format!("{number:05}.bmp")), bytes).unwrap();
    }
    let manifest = listed(temp.path());
    let file_metadata = file_metadata(&manifest);
    (temp, manifest, file_metadata)
}

pub(crate) fn listed(folder: &Path) -> Manifest {
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    let sample =
        |name: std::ffi::OsString| NewSample { path: name.into(), label: None, split: Default::default() };
    Manifest::new(folder, names.into_iter().map(sample))
}

fn file_metadata(manifest: &Manifest) -> FileMetadata {
    let stop = AtomicBool::new(false);
    index::refresh(manifest, None, &Job::new(&stop, &|_, _| {})).unwrap().0
}

fn run(dir: &Path, manifest: &Manifest, file_metadata: &FileMetadata, model: &Fake) -> Result<FillReport> {
    let mut store = EmbeddingStore::open(dir, model.fingerprint(), DIM)?;
    fill(
        &mut store,
        manifest,
        file_metadata,
        model,
        &Job::new(&model.stop, &|done, total| assert!(done <= total)),
    )
}

/// Every file of the store, by name.
pub(crate) fn files(dir: &Path, model: &Fake) -> BTreeMap<String, Vec<u8>> {
    let folder = dir.join(model.fingerprint().as_str());
    let entry = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.unwrap().path();
        (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(path).unwrap())
    };
    fs::read_dir(folder).unwrap().map(entry).collect()
}

#[test]
fn a_stopped_run_resumes_to_the_same_bytes() {
    let (_place, manifest, file_metadata) = dataset();
    let whole = tempfile::tempdir().unwrap();
    let model = Fake::new();
    let report = run(whole.path(), &manifest, &file_metadata, &model).unwrap();
    let contents = 2 * CHUNK_ROWS as u64 + 100 - 3;
    assert_eq!(report, FillReport { embedded: contents, reused: 0, unusable: 1, changed: 0 });
    let expected = files(whole.path(), &model);
    assert_eq!(expected.len(), 3);

    for stop_at in [1, CHUNK_ROWS - 100, CHUNK_ROWS + 300, 2 * CHUNK_ROWS + 10] {
        let parts = tempfile::tempdir().unwrap();
        let stopped = Fake { stop_at, ..Fake::new() };
        assert!(matches!(run(parts.path(), &manifest, &file_metadata, &stopped), Err(Error::Stopped)));
        let left = files(parts.path(), &model);
        assert_eq!(left.len(), stop_at / CHUNK_ROWS, "finished chunks stay, and only they");
        // Leftovers of a killed writer.
        let folder = parts.path().join(model.fingerprint().as_str());
        let half = folder.join(format!(".chunk-{:06}.safetensors.4711.new", left.len()));
        fs::write(&half, b"half").unwrap();
        let long_ago = std::time::SystemTime::now() - Duration::from_secs(2 * 24 * 60 * 60);
        fs::File::options().write(true).open(&half).unwrap().set_modified(long_ago).unwrap();
        let again = Fake::new();
        let report = run(parts.path(), &manifest, &file_metadata, &again).unwrap();
        assert_eq!(report.reused, (left.len() * CHUNK_ROWS) as u64);
        assert_eq!(report.embedded as usize, again.images.load(Ordering::SeqCst));
        assert_eq!(files(parts.path(), &model), expected);
    }
}

#[test]
fn a_model_that_works_ahead_leaves_the_same_bytes() {
    let (_place, manifest, file_metadata) = dataset();
    let mut stores = Vec::new();
    for ahead in [1, 2, 3] {
        let dir = tempfile::tempdir().unwrap();
        let model = Fake { ahead, ..Fake::new() };
        let report = run(dir.path(), &manifest, &file_metadata, &model).unwrap();
        let most = model.most_unfinished.load(Ordering::SeqCst);
        assert_eq!((most, model.unfinished.load(Ordering::SeqCst)), (ahead, 0));
        stores.push((files(dir.path(), &model), report));
    }
    assert!(stores.iter().all(|store| *store == stores[0]));
}

/// The process that the next test kills: a slow fill of the folders in the environment.
#[test]
#[ignore = "runs as a child of killed_runs_resume_to_the_same_bytes"]
fn slow_fill() {
    let (Some(images), Some(dir)) = (std::env::var_os("CHILD_IMAGES"), std::env::var_os("CHILD_STORE"))
    else {
        return;
    };
    let manifest = listed(Path::new(&images));
    let model = Fake { pause: Duration::from_millis(10), ..Fake::new() };
    run(Path::new(&dir), &manifest, &file_metadata(&manifest), &model).unwrap();
}

#[test]
fn killed_runs_resume_to_the_same_bytes() {
    let (temp, manifest, file_metadata) = dataset();
    let (whole, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let model = Fake::new();
    run(whole.path(), &manifest, &file_metadata, &model).unwrap();
    let chunk = |number: usize| {
        killed.path().join(model.fingerprint.as_str()).join(format!("chunk-{number:06}.safetensors"))
    };
    for number in 0..2 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "store::tests::slow_fill"])
            .env("CHILD_IMAGES", temp.path())
            .env("CHILD_STORE", killed.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let start = Instant::now();
        while !chunk(number).exists() && start.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(20));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(chunk(number).exists() && !chunk(2).exists(), "killed in the middle");
    }
    let again = Fake::new();
    let report = run(killed.path(), &manifest, &file_metadata, &again).unwrap();
    assert_eq!(report.reused as usize, 2 * CHUNK_ROWS);
    assert_eq!(files(killed.path(), &model), files(whole.path(), &model));
}

#[test]
fn renamed_files_are_hits_and_changed_ones_misses() {
    let (temp, manifest, known) = dataset();
    let dir = tempfile::tempdir().unwrap();
    let model = Fake::new();
    run(dir.path(), &manifest, &known, &model).unwrap();
    fs::rename(temp.path().join("00009.bmp"), temp.path().join("zz.bmp")).unwrap();
    fs::write(temp.path().join("00010.bmp"), picture(60_000)).unwrap();
    let (manifest, store_before) = (listed(temp.path()), files(dir.path(), &model));
    let known = file_metadata(&manifest);
    let again = Fake::new();
    let report = run(dir.path(), &manifest, &known, &again).unwrap();
    assert_eq!((report.embedded, again.images.load(Ordering::SeqCst)), (1, 1));
    let after = files(dir.path(), &model);
    assert_eq!(after.len(), store_before.len() + 1, "new rows make a new chunk");
    assert!(store_before.iter().all(|(name, bytes)| after[name] == *bytes), "and change no old one");

    let store = EmbeddingStore::open(dir.path(), &model.fingerprint, DIM).unwrap();
    let matrix = store.gather(&known.hashes).unwrap();
    assert_eq!(matrix.rows(), manifest.len());
    let renamed = manifest.ids().find(|&id| manifest.path(id) == Path::new("zz.bmp")).unwrap();
    let expected = model.preprocess(&chaffinch_compute::image::decode::decode(&picture(9)).unwrap().image);
    let at = |number: usize| f32::from(expected[number]) / 255.0;
    assert!((matrix.row(renamed.index())[0] - at(0) - at(6) * 0.5).abs() < 1e-3);
    let broken = *known.unreadable.keys().next().unwrap();
    assert!(matrix.row(broken.index()).iter().all(|&number| number == 0.0));
    assert!(store.missing(&[ContentHash::default(), known.hashes[0]]).is_empty());
    assert_eq!(store.missing(&[ContentHash([9; 32]), ContentHash([8; 32]), ContentHash([9; 32])]), [0, 1]);
}

#[test]
fn what_the_model_has_no_vector_for_costs_itself_alone() {
    let temp = tempfile::tempdir().unwrap();
    for number in 0..100 {
        fs::write(temp.path().join(format!("{number:05}.bmp")), picture(number)).unwrap();
    }
    let (manifest, dir) = (listed(temp.path()), tempfile::tempdir().unwrap());
    let known = file_metadata(&manifest);
    // The first byte of a picture is its number.
    let model = Fake { undefined: Some(40), ..Fake::new() };
    let report = run(dir.path(), &manifest, &known, &model).unwrap();
    assert_eq!((report.embedded, report.unusable), (99, 1));
    let store = EmbeddingStore::open(dir.path(), &model.fingerprint, DIM).unwrap();
    assert!(known.hashes.iter().enumerate().all(|(row, hash)| store.get(hash).is_some() == (row != 40)));
    assert!(store.missing(&known.hashes).is_empty(), "the next run does not ask again");
    let note = undefined(&store, &manifest, &known).unwrap();
    assert!(note.contains("for 1 picture, which is not compared") && note.contains("00040.bmp"), "{note}");
    let (_place, all, known) = dataset();
    let complete = tempfile::tempdir().unwrap();
    run(complete.path(), &all, &known, &Fake::new()).unwrap();
    let store = EmbeddingStore::open(complete.path(), &model.fingerprint, DIM).unwrap();
    assert_eq!(undefined(&store, &all, &known), None, "a broken file has another remark");
}

#[test]
fn damaged_chunks_are_set_aside_and_computed_anew() {
    let (_place, manifest, file_metadata) = dataset();
    let dir = tempfile::tempdir().unwrap();
    let model = Fake::new();
    run(dir.path(), &manifest, &file_metadata, &model).unwrap();
    let whole = files(dir.path(), &model);
    let folder = dir.path().join(model.fingerprint().as_str());
    let damage = |number: usize, bytes: &[u8]| {
        fs::write(folder.join(format!("chunk-{number:06}.safetensors")), bytes).unwrap()
    };
    let first = &whole["chunk-000000.safetensors"];
    let second = &whole["chunk-000001.safetensors"];
    let mut flipped = first.clone();
    flipped[first.len() / 2] ^= 1;
    damage(0, &flipped);
    damage(1, &second[..second.len() - 40]);
    let store = EmbeddingStore::open(dir.path(), &model.fingerprint, DIM).unwrap();
    assert_eq!(store.notes().len(), 2, "{:?}", store.notes());
    assert!(
        store.notes()[0].contains("checksum")
            && store.notes()[0].contains("chunk-000000.safetensors.damaged")
    );
    assert_eq!(store.len(), 100 - 3);
    drop(store);
    let again = Fake::new();
    let report = run(dir.path(), &manifest, &file_metadata, &again).unwrap();
    assert_eq!(report.embedded, 2 * CHUNK_ROWS as u64);
    let mut repaired = files(dir.path(), &model);
    assert!(repaired.remove("chunk-000000.safetensors.damaged").is_some());
    assert!(repaired.remove("chunk-000001.safetensors.damaged").is_some());
    assert_eq!(repaired, whole);
    for garbage in [b"".as_slice(), b"\xff\xff\xff\xff\xff\xff\xff\xff", b"{}", &first[..100]] {
        damage(0, garbage);
        assert_eq!(EmbeddingStore::open(dir.path(), &model.fingerprint, DIM).unwrap().notes().len(), 1);
    }
}

#[test]
fn what_changed_under_the_index_is_left_for_the_next() {
    let (temp, manifest, file_metadata) = dataset();
    let dir = tempfile::tempdir().unwrap();
    fs::write(temp.path().join("00001.bmp"), picture(70_000)).unwrap();
    fs::remove_file(temp.path().join("00002.bmp")).unwrap();
    // A copy of it is still there.
    fs::remove_file(temp.path().join("00003.bmp")).unwrap();
    let report = run(dir.path(), &manifest, &file_metadata, &Fake::new()).unwrap();
    assert_eq!(report.changed, 2);
    let store = EmbeddingStore::open(dir.path(), Fake::new().fingerprint(), DIM).unwrap();
    assert_eq!(store.missing(&file_metadata.hashes), [1, 2, 700]);
    assert!(store.get(&file_metadata.hashes[3]).is_some());
}

#[test]
fn batches_shrink_when_memory_does() {
    let (_place, manifest, file_metadata) = dataset();
    let dir = tempfile::tempdir().unwrap();
    let small = Fake { memory: 13, ..Fake::new() };
    run(dir.path(), &manifest, &file_metadata, &small).unwrap();
    assert_eq!(small.largest.load(Ordering::SeqCst), 12);
    let none = Fake { memory: 0, ..Fake::new() };
    let error = run(tempfile::tempdir().unwrap().path(), &manifest, &file_metadata, &none).unwrap_err();
    assert_eq!(error.to_string(), "out of memory on none with a batch of 1");
    let other = Fake { fingerprint: ModelFingerprint::new("def", "v1"), ..Fake::new() };
    let mut store = EmbeddingStore::open(dir.path(), other.fingerprint(), DIM).unwrap();
    assert!(store.is_empty(), "another model has another store");
    let stop = AtomicBool::new(false);
    assert!(fill(&mut store, &manifest, &file_metadata, &small, &Job::new(&stop, &|_, _| {})).is_err());
}

#[test]
fn vectors_that_are_no_numbers_are_marked() {
    let dir = tempfile::tempdir().unwrap();
    let fingerprint = ModelFingerprint::new("abc", "v1");
    let mut store = EmbeddingStore::open(dir.path(), &fingerprint, 2).unwrap();
    let hashes = [ContentHash([1; 32]), ContentHash([2; 32])];
    store.append(&hashes, &[1.0, 2.0, 0.0, 0.0], &[true, false]).unwrap();
    assert_eq!(store.get(&hashes[0]), Some([1.0, 2.0].as_slice()));
    assert_eq!((store.get(&hashes[1]), store.len()), (None, 2));
    assert!(store.missing(&hashes).is_empty());
    assert!(store.append(&hashes, &[1.0], &[true, true]).is_err());
    // Two hashes with the same beginning are distinguished.
    let mut twin = ContentHash([1; 32]);
    twin.0[31] = 0;
    store.append(&[twin], &[5.0, 6.0], &[true]).unwrap();
    let store = EmbeddingStore::open(dir.path(), &fingerprint, 2).unwrap();
    assert_eq!(store.get(&twin), Some([5.0, 6.0].as_slice()));
    assert_eq!(store.get(&hashes[0]), Some([1.0, 2.0].as_slice()));
}
