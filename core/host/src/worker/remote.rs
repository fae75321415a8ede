//! The engine as a library in a worker sees it: every service is a request over the protocol, and what the engine lends is
//! mapped from its files.

use super::death::{CUT_OFF, LOST};
use super::message::{
    Array, BoxOf, FromWorker, Hash, Item, Kind, Out, Pictures, RegionsOf, Run, ToWorker, Wanted,
};
use crate::exported::Exported;
use bytemuck::Pod;
use chaffinch_compute::mapped;
use chaffinch_plugin::host::{Dataset, HostServices, Look, Memo, OutOfSample, Reported};
use chaffinch_plugin::{
    Dimensions, Error, HashKind, HashPair, Matrix, Neighbors, Pixels, Region, Result, Severity, Source,
};
use memmap2::Mmap;
use rayon::prelude::*;
use rustix::io::Errno;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Results for single samples in one message.
const ITEMS: usize = 500;
/// Progress is reported at most this often.
const OFTEN: Duration = Duration::from_millis(50);
/// A detector that only looks whether it should stop still shows that it is alive.
const ALIVE: Duration = Duration::from_secs(1);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a descriptor of this process was closed behind its back.
fn is_closed(error: &std::io::Error) -> bool {
    error.raw_os_error() == Some(Errno::BADF.raw_os_error())
}

/// Why a lent file cannot be read or written. It has no other name than that of its descriptor.
fn lost(path: &str, error: impl std::fmt::Display) -> Error {
    match Path::new(path).exists() {
        true => Error::new(format!("{path}: {error}")),
        false => Error::new(format!("the detector {LOST}")),
    }
}

/// Where messages are written.
pub(super) struct Line(Mutex<File>);

impl Line {
    pub(super) fn new(output: File) -> Line {
        Line(Mutex::new(output))
    }

    /// Sends a message. If nobody reads it, the engine is gone, and this process has no reason to go on.
    pub(super) fn send(&self, message: &FromWorker) {
        let Ok(mut text) = serde_json::to_vec(message) else { return };
        text.push(b'\n');
        if let Err(error) = lock(&self.0).write_all(&text) {
            std::process::exit(if is_closed(&error) { CUT_OFF.into() } else { 1 });
        }
    }
}

/// What the engine said to a request.
type Answered = (u64, std::result::Result<Value, (Kind, String)>);

/// The engine.
pub(super) struct Remote {
    run: Run,
    detector: Exported,
    line: Line,
    /// Held from a request to its answer.
    answers: Mutex<Receiver<Answered>>,
    next: AtomicU64,
    stop: Arc<AtomicBool>,
    out: File,
    dimensions: Vec<Dimensions>,
    hashes: Vec<[u8; 32]>,
    maps: Memo<String, Mmap>,
    neighbors: Memo<usize, (Array, Array, usize)>,
    probabilities: Memo<(), (Array, Array, f32)>,
    pairs: Memo<(HashKind, u32), Vec<HashPair>>,
    prompts: Memo<Option<u32>, Vec<String>>,
    embeddings: OnceLock<Array>,
    hash_arrays: Memo<HashKind, Array>,
    measures: OnceLock<Vec<u8>>,
    columns: Memo<String, Vec<String>>,
    scores_of: Memo<String, Array>,
    items: Mutex<Vec<Item>>,
    told: Mutex<Instant>,
    alive: Mutex<Instant>,
}

impl Remote {
    /// Begins to listen to the engine.
    ///
    /// # Errors
    /// When what it lends cannot be read.
    pub(super) fn new(run: Run, detector: Exported, line: Line, input: BufReader<File>) -> Result<Remote> {
        let out = File::options().read(true).write(true).open(&run.out);
        let out = out.map_err(|error| Error::new(format!("cannot open {}: {error}", run.out)))?;
        let stop = Arc::new(AtomicBool::new(false));
        let (said, answers) = channel();
        let stopping = stop.clone();
        thread::spawn(move || {
            for text in input.lines() {
                let text = match text {
                    Ok(text) => text,
                    Err(error) if is_closed(&error) => std::process::exit(CUT_OFF.into()),
                    Err(_) => break,
                };
                match serde_json::from_str(&text) {
                    Ok(ToWorker::Stop) => stopping.store(true, Ordering::Relaxed),
                    Ok(ToWorker::Answer { id, value }) => _ = said.send((id, Ok(value))),
                    Ok(ToWorker::Refused { id, kind, message }) => _ = said.send((id, Err((kind, message)))),
                    Ok(ToWorker::Run(_)) | Err(_) => {}
                }
            }
            // The engine is gone, or has what it wanted.
            std::process::exit(0);
        });
        let now = Instant::now();
        let mut remote = Remote {
            run,
            detector,
            line,
            answers: Mutex::new(answers),
            next: AtomicU64::new(1),
            stop,
            out,
            dimensions: Vec::new(),
            hashes: Vec::new(),
            maps: Memo::default(),
            neighbors: Memo::default(),
            probabilities: Memo::default(),
            pairs: Memo::default(),
            prompts: Memo::default(),
            embeddings: OnceLock::new(),
            hash_arrays: Memo::default(),
            measures: OnceLock::new(),
            columns: Memo::default(),
            scores_of: Memo::default(),
            items: Mutex::default(),
            told: Mutex::new(now),
            alive: Mutex::new(now),
        };
        let sizes = remote.lent::<u32>(&remote.run.sizes)?;
        let bytes = remote.lent::<u64>(&remote.run.file_sizes)?;
        let dimensions = sizes.chunks_exact(2).zip(bytes);
        let dimensions =
            dimensions.map(|(size, &bytes)| Dimensions { width: size[0], height: size[1], bytes }).collect();
        let hashes = remote.lent::<u8>(&remote.run.contents)?.as_chunks::<32>().0.to_vec();
        // What the dataset lends must be there, since it cannot fail later.
        for array in [&remote.run.labels, &remote.run.relabels] {
            remote.lent::<u32>(array)?;
        }
        for array in [&remote.run.splits, &remote.run.decodable, &remote.run.decisions] {
            remote.lent::<u8>(array)?;
        }
        (remote.dimensions, remote.hashes) = (dimensions, hashes);
        Ok(remote)
    }

    /// Says how the run ended.
    pub(super) fn finish(&self, ended: Result<()>) {
        match ended {
            Ok(()) => {
                self.flush();
                self.line.send(&FromWorker::Done);
            }
            Err(error) => {
                let kind = match () {
                    () if error.is_stopped() => Kind::Stopped,
                    () if error.is_missing() => Kind::Missing,
                    () => Kind::Failed,
                };
                self.line.send(&FromWorker::Failed { message: error.to_string(), kind });
            }
        }
    }

    fn ask<T: DeserializeOwned>(&self, wanted: Wanted) -> Result<T> {
        let answers = lock(&self.answers);
        let value = self.asked(&answers, wanted)?;
        serde_json::from_value(value)
            .map_err(|error| Error::new(format!("the engine's answer is odd: {error}")))
    }

    fn asked(&self, answers: &Receiver<Answered>, wanted: Wanted) -> Result<Value> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.line.send(&FromWorker::Request { id, wanted });
        loop {
            match answers.recv() {
                Ok((of, answer)) if of == id => {
                    return answer.map_err(|(kind, message)| match kind {
                        Kind::Failed => Error::new(message),
                        Kind::Missing => Error::missing(message),
                        Kind::Stopped => Error::stopped(),
                    });
                }
                Ok(_) => {}
                Err(_) => return Err(Error::stopped()),
            }
        }
    }

    /// The numbers of an array, which stay there until this ends.
    fn lent<T: Pod>(&self, array: &Array) -> Result<&[T]> {
        let count: usize = array.shape.iter().product();
        if count == 0 {
            return Ok(&[]);
        }
        let (from, to) = (array.offset as usize, array.offset as usize + count * size_of::<T>());
        // An answer is appended to a file that was mapped before: the new map includes it.
        let key = format!("{} {to}", array.path);
        let map = self.maps.get_or_compute(key, || mapped::read(Path::new(&array.path)));
        let map = map.map_err(|error| lost(&array.path, error))?;
        let bytes = map.get(from..to).ok_or_else(|| Error::new(format!("{} is too short", array.path)))?;
        bytemuck::try_cast_slice(bytes).map_err(|error| Error::new(format!("{}: {error}", array.path)))
    }

    /// The numbers of an array that was checked before.
    fn known<T: Pod>(&self, array: &Array) -> &[T] {
        self.lent(array).unwrap_or_default()
    }

    /// Asks for numbers that are only there until the next request.
    fn copied(&self, name: &str, wanted: impl FnOnce() -> Result<Wanted>) -> Result<Vec<f32>> {
        let answers = lock(&self.answers);
        let value = self.asked(&answers, wanted()?)?;
        let array: Array = serde_json::from_value(value[name].clone())
            .map_err(|error| Error::new(format!("the engine's answer is odd: {error}")))?;
        let mut numbers = vec![0_f32; array.shape.iter().product()];
        let file = File::open(&array.path).map_err(|error| lost(&array.path, error))?;
        file.read_exact_at(bytemuck::cast_slice_mut(&mut numbers), array.offset)
            .map_err(|error| lost(&array.path, error))?;
        Ok(numbers)
    }

    /// Writes bytes where the engine reads them; `region` is theirs until its next use.
    fn write(&self, region: u64, bytes: &[u8], length: usize) -> Result<Out> {
        self.out.write_all_at(bytes, region).map_err(|error| match is_closed(&error) {
            true => Error::new(format!("the detector {LOST}")),
            false => Error::new(format!("cannot write to {}: {error}", self.run.out)),
        })?;
        Ok(Out { offset: region, length })
    }

    /// Behind the scores.
    fn arguments(&self) -> u64 {
        (self.run.count as u64 * 4).next_multiple_of(64)
    }

    fn flush(&self) {
        let items = std::mem::take(&mut *lock(&self.items));
        if !items.is_empty() {
            self.line.send(&FromWorker::Issues { items });
        }
    }

    /// Asks for pictures from a sample on, passes them to `look`, and returns the sample to go on with.
    fn look_at(
        &self,
        from: usize,
        count: usize,
        max_side: u32,
        look: Look<'_>,
    ) -> Result<(usize, Option<usize>)> {
        let answers = lock(&self.answers);
        let value = self.asked(&answers, Wanted::Pixels { from, count, max_side })?;
        let lent: Pictures = serde_json::from_value(value)
            .map_err(|error| Error::new(format!("the engine's answer is odd: {error}")))?;
        let bytes = lent.pictures.iter().map(|one| one.offset as usize + one.width * one.height * 3).max();
        let mut rgb = vec![0; bytes.unwrap_or(0)];
        let file = File::open(&lent.path).map_err(|error| lost(&lent.path, error))?;
        file.read_exact_at(&mut rgb, 0).map_err(|error| lost(&lent.path, error))?;
        drop(answers);
        lent.pictures.par_iter().try_for_each(|one| {
            let start = one.offset as usize;
            let [format, named, channels, orientation, frames] = one.source;
            let pixels = Pixels {
                rgb: &rgb[start..start + one.width * one.height * 3],
                width: one.width,
                height: one.height,
                full_width: one.full_width,
                full_height: one.full_height,
                source: Source { format, named, channels, orientation, frames },
            };
            look(one.sample, &pixels)
        })?;
        Ok((lent.pictures.len(), lent.next))
    }
}

fn hash(kind: HashKind) -> Hash {
    match kind {
        HashKind::Phash => Hash::Phash,
        HashKind::Dhash => Hash::Dhash,
        HashKind::TurnedPhash => Hash::TurnedPhash,
    }
}

impl HostServices for Remote {
    fn dataset(&self) -> Dataset<'_> {
        Dataset {
            labels: self.known(&self.run.labels),
            splits: self.known(&self.run.splits),
            decodable: self.known(&self.run.decodable),
            hashes: &self.hashes,
            dimensions: &self.dimensions,
            classes: &self.run.classes,
            decisions: self.known(&self.run.decisions),
            relabels: self.known(&self.run.relabels),
        }
    }

    fn log(&self, level: u32, text: &str) {
        self.line.send(&FromWorker::Log { level, text: text.into() });
    }

    fn progress(&self, done: u64, total: u64) {
        let mut told = lock(&self.told);
        if told.elapsed() >= OFTEN || done == total {
            *told = Instant::now();
            self.line.send(&FromWorker::Progress { done, total });
        }
    }

    fn stopped(&self) -> bool {
        let mut alive = lock(&self.alive);
        if alive.elapsed() >= ALIVE {
            *alive = Instant::now();
            self.line.send(&FromWorker::Alive);
        }
        self.stop.load(Ordering::Relaxed)
    }

    fn embeddings(&self) -> Result<Matrix<'_>> {
        let array = match self.embeddings.get() {
            Some(array) => array,
            None => {
                let answer: Rows = self.ask(Wanted::Embeddings)?;
                self.embeddings.get_or_init(|| answer.rows)
            }
        };
        let [rows, cols] = array.shape[..] else { return Err(Error::new("the embeddings are no matrix")) };
        Ok(Matrix::new(self.lent(array)?, rows, cols))
    }

    fn neighbors(&self, k: usize) -> Result<Neighbors<'_>> {
        let (indices, similarities, k) = self.neighbors.get_or_compute(k, || {
            let answer: Lists = self.ask(Wanted::Neighbors { k })?;
            Ok::<_, Error>((answer.indices, answer.similarities, answer.k))
        })?;
        Ok(Neighbors::new(self.lent(indices)?, self.lent(similarities)?, *k))
    }

    fn similarities(&self, vectors: &[f32], count: usize) -> Result<Vec<f32>> {
        self.copied("cosines", || {
            let vectors = self.write(self.arguments(), bytemuck::cast_slice(vectors), vectors.len())?;
            Ok(Wanted::Similarities { vectors, count })
        })
    }

    fn block(&self, rows: &[u32], cols: &[u32]) -> Result<Vec<f32>> {
        self.copied("cosines", || Ok(Wanted::Block { rows: rows.to_vec(), cols: cols.to_vec() }))
    }

    fn model(&self) -> Result<(usize, f32)> {
        let model: Model = self.ask(Wanted::Model)?;
        Ok((model.dimension, model.logit_scale))
    }

    fn embed_texts(&self, texts: &[&str]) -> Result<Vec<f32>> {
        let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
        self.copied("rows", || Ok(Wanted::EmbedTexts { texts }))
    }

    fn prompts(&self, class: Option<u32>) -> Result<&[String]> {
        let texts = self
            .prompts
            .get_or_compute(class, || Ok::<_, Error>(self.ask::<Texts>(Wanted::Prompts { class })?.texts))?;
        Ok(texts)
    }

    fn hashes(&self, kind: HashKind) -> Result<&[u64]> {
        let array = self.hash_arrays.get_or_compute(kind, || {
            Ok::<_, Error>(self.ask::<Hashes>(Wanted::Hashes { hash: hash(kind) })?.hashes)
        })?;
        self.lent(array)
    }

    fn near_hashes(&self, kind: HashKind, radius: u32) -> Result<&[HashPair]> {
        let pairs = self.pairs.get_or_compute((kind, radius), || {
            let answer: Pairs = self.ask(Wanted::NearHashes { hash: hash(kind), radius })?;
            let numbers = self.lent::<u32>(&answer.pairs)?.as_chunks::<3>().0;
            let pair = |&[first, second, distance]: &[u32; 3]| HashPair { first, second, distance };
            Ok::<_, Error>(numbers.iter().map(pair).collect::<Vec<HashPair>>())
        })?;
        Ok(pairs)
    }

    fn probabilities(&self) -> Result<OutOfSample<'_>> {
        let (rows, folds, inverse_temperature) = self.probabilities.get_or_compute((), || {
            let answer: Probabilities = self.ask(Wanted::Probabilities)?;
            Ok::<_, Error>((answer.rows, answer.folds, answer.inverse_temperature))
        })?;
        let [count, classes] = rows.shape[..] else {
            return Err(Error::new("the probabilities are no matrix"));
        };
        let matrix = Matrix::new(self.lent(rows)?, count, classes);
        Ok(OutOfSample { matrix, folds: self.lent(folds)?, inverse_temperature: *inverse_temperature })
    }

    fn pixels(&self, sample: usize, max_side: u32, look: Look<'_>) -> Result<()> {
        match self.look_at(sample, 1, max_side, look)? {
            (0, _) => Err(Error::new(format!("sample {sample} can no longer be decoded"))),
            _ => Ok(()),
        }
    }

    fn each_pixels(&self, max_side: u32, look: Look<'_>) -> Result<()> {
        let mut next = Some(0).filter(|_| self.run.count > 0);
        while let Some(from) = next {
            if self.stop.load(Ordering::Relaxed) {
                return Err(Error::stopped());
            }
            next = self.look_at(from, self.run.count, max_side, look)?.1;
        }
        Ok(())
    }

    fn measures(&self) -> Result<&[u8]> {
        if let Some(records) = self.measures.get() {
            return Ok(records);
        }
        let (bytes, side) = self
            .detector
            .measured()
            .ok_or_else(|| Error::new("it asks for measures but measures nothing"))?;
        let records: Vec<Mutex<Vec<u8>>> = (0..self.run.count).map(|_| Mutex::new(vec![0; bytes])).collect();
        self.each_pixels(side, &|sample, pixels| {
            self.detector.measure(*pixels, &mut lock(&records[sample])).map_err(Error::new)
        })?;
        let flat =
            records.into_iter().flat_map(|one| one.into_inner().unwrap_or_else(PoisonError::into_inner));
        let flat: Vec<u8> = flat.collect();
        Ok(self.measures.get_or_init(|| flat))
    }

    fn kept(&self, name: &str, version: Option<u32>) -> Result<Option<(u32, &[u8])>> {
        let answer: Kept = self.ask(Wanted::Kept { name: name.into(), version })?;
        match answer.bytes {
            Some(bytes) if answer.version > 0 => Ok(Some((answer.version, self.lent(&bytes)?))),
            _ => Ok(None),
        }
    }

    fn keep(&self, name: &str, bytes: &[u8]) -> Result<u32> {
        let answers = lock(&self.answers);
        let bytes = self.write(self.arguments(), bytes, bytes.len())?;
        let value = self.asked(&answers, Wanted::Keep { name: name.into(), bytes })?;
        Ok(value["version"].as_u64().unwrap_or_default() as u32)
    }

    fn issue(&self, issue: Reported<'_>) {
        let Reported { sample, score, suggested, group, related, reason } = issue;
        let related = related.iter().map(|other| (other.sample, other.similarity)).collect();
        let item = Item { sample, score, suggested, group, related, reason: reason.to_owned() };
        let mut items = lock(&self.items);
        items.push(item);
        if items.len() >= ITEMS {
            let items = std::mem::take(&mut *items);
            self.line.send(&FromWorker::Issues { items });
        }
    }

    fn scores(&self, scores: &[f32]) {
        // Results so far come first, as they were written.
        self.flush();
        match self.write(0, bytemuck::cast_slice(scores), scores.len()) {
            Ok(out) => self.line.send(&FromWorker::Scores { values: None, out: Some(out) }),
            Err(error) => {
                self.line.send(&FromWorker::Failed { message: error.to_string(), kind: Kind::Failed })
            }
        }
    }

    fn note(&self, name: &str, text: &str) {
        self.line.send(&FromWorker::Note { name: name.into(), text: text.into() });
    }

    fn column(&self, name: &str) -> Result<&[String]> {
        let texts = self.columns.get_or_compute(name.to_owned(), || {
            let answer: Values = self.ask(Wanted::Column { name: name.into() })?;
            Ok::<_, Error>(answer.values)
        })?;
        Ok(texts)
    }

    fn scores_of(&self, detector: &str) -> Result<&[f32]> {
        let scores = self.scores_of.get_or_compute(detector.to_owned(), || {
            let answer: Scores = self.ask(Wanted::ScoresOf { detector: detector.into() })?;
            Ok::<_, Error>(answer.scores)
        })?;
        self.lent(scores)
    }

    fn attribute(&self, name: &str, unit: &str, values: &[f32]) {
        let values = Some(values.iter().map(|value| (!value.is_nan()).then_some(*value)).collect());
        let (name, unit) = (name.into(), unit.into());
        self.line.send(&FromWorker::Attribute { name, unit, values, out: None });
    }

    fn finding(&self, severity: Severity, text: &str, evidence: &[u32]) {
        let (severity, text) = (severity.name().into(), text.into());
        self.line.send(&FromWorker::Finding { severity, text, evidence: evidence.to_vec() });
    }

    fn regions(&self, sample: usize, regions: &[Region<'_>]) {
        let boxed = |region: &Region<'_>| BoxOf {
            edges: [region.left, region.top, region.right, region.bottom],
            label: region.label.to_owned(),
        };
        let items = vec![RegionsOf { sample, boxes: regions.iter().map(boxed).collect() }];
        self.line.send(&FromWorker::Regions { items });
    }
}

#[derive(serde::Deserialize)]
struct Rows {
    rows: Array,
}

#[derive(serde::Deserialize)]
struct Lists {
    k: usize,
    indices: Array,
    similarities: Array,
}

#[derive(serde::Deserialize)]
struct Model {
    dimension: usize,
    logit_scale: f32,
}

#[derive(serde::Deserialize)]
struct Texts {
    texts: Vec<String>,
}

#[derive(serde::Deserialize)]
struct Hashes {
    hashes: Array,
}

#[derive(serde::Deserialize)]
struct Pairs {
    pairs: Array,
}

#[derive(serde::Deserialize)]
struct Probabilities {
    rows: Array,
    folds: Array,
    inverse_temperature: f32,
}

#[derive(serde::Deserialize)]
struct Kept {
    version: u32,
    #[serde(default)]
    bytes: Option<Array>,
}

#[derive(serde::Deserialize)]
struct Values {
    values: Vec<String>,
}

#[derive(serde::Deserialize)]
struct Scores {
    scores: Array,
}
