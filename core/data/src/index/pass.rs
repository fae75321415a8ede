//! One reading of all files for all consumers: each file that is new or changed, or has missing data, is read and
//! decoded once; file metadata, the model's input and the detectors' measures come from the same pixels.
//!
//! Groups of files are prepared ahead (`groups`); the calling thread takes them in row order, runs the model and
//! writes. The row order alone determines batches and chunks, so the embedding store gets the same bytes that
//! [`store::fill`](crate::store::fill) would have written.

use super::IndexReport;
use super::known::{Known, KnownRow};
use super::row::Row;
use super::shard::Shard;
use super::unfinished::{Recovered, Unfinished};
use crate::faults::because;
use crate::file_metadata::FileMetadata;
use crate::groups;
use crate::manifest::Manifest;
use crate::measures::{Measurer, Measures, MeasuresWriter, SamplesDigest};
use crate::remote::{Threads, Watch};
use crate::store::{CHUNK_ROWS, EmbeddingStore, Feeder, FillReport};
use crate::{Error, Result};
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::embedding::Embedder;
use chaffinch_compute::image::decode::Decoded;
use chaffinch_compute::image::source;
use chaffinch_compute::job::Job;
use chaffinch_plugin::Dimensions;
use chaffinch_protocol::sample::SampleId;
use rayon::prelude::*;
use std::collections::HashSet;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;

/// Files prepared together if no model is waiting for them.
const GROUP: usize = 512;
/// The model may take this many times longer than reading ...
const PATIENCE: f64 = 8.0;
/// ... or this many seconds for everything that is left.
const SHORT: f64 = 600.0;

/// The destination of embeddings.
pub struct Vectors<'a> {
    /// The store that receives them.
    pub store: &'a mut EmbeddingStore,
    /// The model that computes them.
    pub embedder: &'a dyn Embedder,
}

/// What is stored between readings, in addition to the file metadata.
pub struct Keep<'a> {
    /// The folder of measured records.
    pub measures: &'a Path,
    /// The file with the progress of an interrupted reading.
    pub unfinished: &'a Path,
    /// The only part to read, whose rows stay in that file, and none of whose measures are stored; `None` for everything.
    pub shard: Option<Shard>,
    /// The files with the rows of shards that were read elsewhere.
    pub shards: &'a [PathBuf],
}

/// What to read, and for whom.
pub struct Pass<'a> {
    /// The samples.
    pub manifest: &'a Manifest,
    /// What an earlier pass found.
    pub previous: Option<(&'a Manifest, &'a FileMetadata)>,
    /// The measurers to run on each picture.
    pub measurers: &'a [&'a dyn Measurer],
    /// Where to store measures and an unfinished pass; if `None`, they are not stored.
    pub keep: Option<Keep<'a>>,
}

/// The result of a pass.
#[derive(Default)]
pub struct Passed {
    /// What is known of each file; nothing of those of other shards.
    pub file_metadata: FileMetadata,
    /// How many files were read.
    pub report: IndexReport,
    /// What was embedded during the pass.
    pub filled: FillReport,
    /// The records of each measurer, or why there are none.
    pub measures: Vec<std::result::Result<Measures, String>>,
}

/// What was read from one file.
struct Looked {
    row: Row,
    /// All its records, concatenated.
    measures: Vec<u8>,
    /// The model's input, if requested and available.
    input: Option<Vec<u8>>,
    /// Whether anything in it is new.
    news: bool,
}

/// The store, and the content of the current chunk.
struct Contents<'a> {
    store: &'a mut EmbeddingStore,
    pending: HashSet<ContentHash>,
}

impl Contents<'_> {
    fn lacks(&self, hash: &ContentHash) -> bool {
        !self.pending.contains(hash) && !self.store.knows(hash)
    }
}

/// State shared by all threads.
struct Work<'a> {
    pass: &'a Pass<'a>,
    known: Known<'a>,
    job: &'a Job<'a>,
    embedder: Option<&'a dyn Embedder>,
    contents: Option<RwLock<Contents<'a>>>,
    /// Whether the model still accepts images.
    feeding: AtomicBool,
    /// Why a measurer was disabled.
    failures: Vec<OnceLock<String>>,
    /// Threads for samples that come over a network, and are waited for rather than computed.
    threads: Threads,
    /// Total nanoseconds of all threads for files that were read.
    busy: AtomicU64,
}

impl Pass<'_> {
    /// Reads.
    ///
    /// # Errors
    /// When stopped, or when its output cannot be written. If the model fails, embedding ends and reading continues.
    pub fn run(&self, vectors: Option<Vectors<'_>>, job: &Job<'_>) -> Result<Passed> {
        let measurers = self.measurers;
        let record = measurers.iter().map(|measurer| measurer.bytes()).sum();
        let (mut unfinished, recovered) = match &self.keep {
            Some(keep) => {
                let (file, mut rows) = match keep.shard {
                    // A shard may be of a copy of the dataset on another machine's disk.
                    Some(_) => Unfinished::open(keep.unfinished, &self.identity_anywhere(), record)?,
                    None => Unfinished::open(keep.unfinished, &self.identity(), record)?,
                };
                rows.add_shards(keep.shards, &self.identity_anywhere())?;
                (Some(file), rows)
            }
            None => (None, Recovered::default()),
        };
        let old = self.old_measures();
        let writers = self.keep.as_ref().filter(|keep| keep.shard.is_none()).map(|keep| {
            let old = old
                .clone()
                .map_or_else(|| vec![None; measurers.len()], |old| old.into_iter().map(Some).collect());
            let pairs = measurers.iter().zip(old);
            pairs.map(|(measurer, old)| Some(MeasuresWriter::new(keep.measures, *measurer, old))).collect()
        });
        let (mut embedder, mut contents, mut feeder) = (None, None, None);
        if let Some(Vectors { store, embedder: model }) = vectors {
            let mut new = Feeder::new(model);
            new.go_on(store)?;
            let pending = new.hashes().iter().copied().collect();
            (embedder, feeder) = (Some(model), Some(new));
            contents = Some(RwLock::new(Contents { store, pending }));
        }
        let work = Work {
            pass: self,
            known: Known::new(self.manifest, self.previous, old, recovered),
            job,
            embedder,
            feeding: AtomicBool::new(contents.is_some()),
            contents,
            failures: measurers.iter().map(|_| OnceLock::new()).collect(),
            threads: Threads::of(self.manifest, embedder),
            busy: AtomicU64::new(0),
        };
        work.run(feeder, &mut unfinished, writers.unwrap_or_default())
    }

    /// The records of the last reading, if it has those of all measurers.
    fn old_measures(&self) -> Option<Vec<Measures>> {
        let ((before, file_metadata), keep) = (self.previous?, self.keep.as_ref()?);
        if self.measurers.is_empty() || file_metadata.len() != before.len() {
            return None;
        }
        let mut digest = SamplesDigest::default();
        for id in before.ids() {
            digest.push(
                before.path(id),
                &file_metadata.hashes[id.index()],
                file_metadata.modified[id.index()],
            );
        }
        let samples = digest.finish();
        self.measurers.iter().map(|measurer| Measures::load(keep.measures, *measurer, &samples)).collect()
    }

    /// The only part to read.
    fn shard(&self) -> Option<Shard> {
        self.keep.as_ref().and_then(|keep| keep.shard)
    }

    /// Identifies this reading, so that rows of an unfinished one can be reused.
    fn identity(&self) -> [u8; 32] {
        self.identity_below(self.manifest.root().as_os_str().as_encoded_bytes())
    }

    /// The same wherever the dataset lies.
    fn identity_anywhere(&self) -> [u8; 32] {
        self.identity_below(b"")
    }

    fn identity_below(&self, root: &[u8]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(root);
        hasher.update(self.manifest.ground().to_string().as_bytes());
        hasher.update(self.manifest.rendering().depths.to_string().as_bytes());
        for measurer in self.measurers {
            let text = format!("\0{} {} {}", measurer.name(), measurer.bytes(), measurer.identity());
            hasher.update(text.as_bytes());
        }
        *hasher.finalize().as_bytes()
    }
}

impl<'a> Work<'a> {
    /// Consumes groups in order: file metadata, records, and images for the model.
    fn run(
        &self,
        feeder: Option<Feeder<'_>>,
        unfinished: &mut Option<Unfinished>,
        mut writers: Vec<Option<MeasuresWriter>>,
    ) -> Result<Passed> {
        let manifest = self.pass.manifest;
        let samples = manifest.len();
        let rows = self.pass.shard().map_or(0..samples, |shard| shard.rows(samples));
        let size = self.embedder.map_or(GROUP, groups::size_for);
        let size = size.min(self.threads.group().unwrap_or(size));
        let groups: Vec<Range<usize>> =
            rows.clone().step_by(size).map(|start| start..rows.end.min(start + size)).collect();
        let total = rows.len() as u64;
        let mut passed = Passed::default();
        passed.skip(rows.start);
        let mut digest = SamplesDigest::default();
        let mut feeding = feeder.map(|feeder| Feeding { feeder, seconds: 0.0 });
        self.job.progress(0, total);
        let ran = groups::in_turn(&groups, self.job, &|group| self.prepare(group), |group, looked| {
            for (row, looked) in group.clone().zip(looked) {
                let Looked { row: seen, measures, input, news } = looked?;
                let id = SampleId(row as u32);
                if news && let Some(unfinished) = unfinished.as_mut() {
                    unfinished.push(manifest.path(id), &seen, &measures)?;
                }
                if !writers.is_empty() {
                    digest.push(manifest.path(id), &seen.hash, seen.modified);
                    self.write_records(&mut writers, &measures)?;
                }
                if let Some(model) = &mut feeding
                    && seen.trouble.is_none()
                    && let Err(error) =
                        self.feed(model, seen.hash, input.as_deref(), row, unfinished, &mut passed.filled)
                {
                    if matches!(error, Error::Stopped) {
                        return Err(error);
                    }
                    // Not reported here: the store still lacks them, which surfaces when embeddings are needed.
                    self.feeding.store(false, Ordering::Relaxed);
                }
                if !self.feeding.load(Ordering::Relaxed) {
                    feeding = None;
                }
                passed.push(id, seen);
                let done = row + 1 - rows.start;
                if done.is_multiple_of(16) {
                    self.job.progress(done as u64, total);
                }
            }
            // Nothing that came over a network is asked for again.
            match (self.threads.group(), unfinished.as_mut()) {
                (Some(_), Some(unfinished)) => unfinished.flush(),
                _ => Ok(()),
            }
        });
        if let Err(error) = ran {
            // What was done before is kept, too.
            let rows = unfinished.as_mut().map_or(Ok(()), Unfinished::flush);
            let vectors = feeding.as_mut().map_or(Ok(()), |model| model.feeder.keep());
            rows.and(vectors)?;
            return Err(error);
        }
        if let Some(model) = &mut feeding {
            let ended = self.end_chunk(model, unfinished, &mut passed.filled);
            ended.or_else(|error| if matches!(error, Error::Stopped) { Err(error) } else { Ok(()) })?;
        }
        if let (Some(_), Some(unfinished)) = (self.pass.shard(), unfinished.as_mut()) {
            unfinished.flush()?;
        }
        passed.skip(samples - rows.end);
        self.job.progress(total, total);
        let samples = digest.finish();
        for (writer, failure) in writers.into_iter().zip(&self.failures) {
            passed.measures.push(match (failure.get(), writer) {
                (None, Some(writer)) => Ok(writer.finish(samples)?),
                (failure, _) => Err(failure.cloned().unwrap_or_default()),
            });
        }
        Ok(passed)
    }

    fn prepare(&self, group: Range<usize>) -> Vec<Result<Looked>> {
        let one = |row: usize| match self.job.stopped() {
            true => Err(Error::Stopped),
            false => self.look(SampleId(row as u32)),
        };
        let at_once = if self.threads.group().is_some() { 1 } else { 4 };
        self.threads.install(|| group.into_par_iter().with_max_len(at_once).map(one).collect())
    }

    fn contents(&self) -> Option<RwLockReadGuard<'_, Contents<'a>>> {
        let contents = self.contents.as_ref().filter(|_| self.feeding.load(Ordering::Relaxed))?;
        Some(contents.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn contents_mut(&self) -> Option<RwLockWriteGuard<'_, Contents<'a>>> {
        let contents = self.contents.as_ref().filter(|_| self.feeding.load(Ordering::Relaxed))?;
        Some(contents.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether a file with this row should be embedded.
    fn wanted(&self, row: &Row) -> bool {
        row.trouble.is_none() && self.contents().is_some_and(|contents| contents.lacks(&row.hash))
    }

    /// Reads one file, if anything about it is missing.
    ///
    /// # Errors
    /// When a server cannot be reached.
    fn look(&self, id: SampleId) -> Result<Looked> {
        let source = self.pass.manifest.source(id);
        let length: usize = self.pass.measurers.iter().map(|measurer| measurer.bytes()).sum();
        let watch = Watch::new(&source);
        let stamp = match source.stamp() {
            Ok(stamp) => stamp,
            Err(error) => {
                watch.check(&source)?;
                let row = Row::failed(0, 0, because(&error));
                return Ok(Looked { row, measures: vec![0; length], input: None, news: false });
            }
        };
        let known = self.known.row(id, stamp);
        let known = known.filter(|known| known.row.fits(self.pass.manifest.rendering().depths));
        let (row, measures) = match known {
            Some(KnownRow { row, measures }) => {
                let measures = if row.trouble.is_some() { Some(vec![0; length]) } else { measures };
                let measures = if length == 0 { Some(Vec::new()) } else { measures };
                match measures {
                    Some(measures) if !self.wanted(&row) => {
                        return Ok(Looked { row, measures, input: None, news: false });
                    }
                    measures => (Some(row), measures),
                }
            }
            None => (None, None),
        };
        let started = Instant::now();
        let before = row.as_ref().map(|row| row.hash);
        let (row, decoded) = Row::read(&source, self.pass.manifest.rendering(), stamp, row);
        if row.hash == ContentHash::default() {
            watch.check(&source)?;
        }
        // Measures of other content are useless.
        let measured = measures.filter(|_| before == Some(row.hash));
        let news = measured.is_none() || !row.unchanged;
        let measures = measured.unwrap_or_else(|| match &decoded {
            Some(decoded) => self.measure(self.pass.manifest.path(id), decoded, length),
            None => vec![0; length],
        });
        let model = self.embedder.filter(|_| self.wanted(&row));
        let input = model.zip(decoded).and_then(|(embedder, decoded)| {
            let input = catch_unwind(AssertUnwindSafe(|| embedder.preprocess(&decoded.image))).ok()?;
            (input.len() == embedder.input_len()).then_some(input)
        });
        self.busy.fetch_add(started.elapsed().as_nanos() as u64, Ordering::Relaxed);
        Ok(Looked { row, measures, input, news })
    }

    /// The records of one picture.
    fn measure(&self, path: &Path, decoded: &Decoded, length: usize) -> Vec<u8> {
        let mut records = vec![0; length];
        let mut rest = records.as_mut_slice();
        let source = source::record(decoded.format, path, decoded.stored);
        for (measurer, failure) in self.pass.measurers.iter().zip(&self.failures) {
            let record;
            (record, rest) = rest.split_at_mut(measurer.bytes());
            if failure.get().is_none()
                && let Err(sentence) = measurer.measure(&decoded.image, source, record)
            {
                let _ = failure.set(sentence);
            }
        }
        records
    }

    fn write_records(&self, writers: &mut [Option<MeasuresWriter>], mut records: &[u8]) -> Result<()> {
        for (writer, (measurer, failure)) in
            writers.iter_mut().zip(self.pass.measurers.iter().zip(&self.failures))
        {
            let record;
            (record, records) = records.split_at(measurer.bytes());
            if failure.get().is_some() {
                *writer = None;
            }
            if let Some(writer) = writer {
                writer.push(record)?;
            }
        }
        Ok(())
    }

    /// Passes a content to the model if the store lacks it.
    fn feed(
        &self,
        model: &mut Feeding<'_>,
        hash: ContentHash,
        input: Option<&[u8]>,
        row: usize,
        unfinished: &mut Option<Unfinished>,
        filled: &mut FillReport,
    ) -> Result<()> {
        match self.contents_mut() {
            Some(mut contents) if contents.lacks(&hash) => contents.pending.insert(hash),
            _ => return Ok(()),
        };
        let started = Instant::now();
        model.feeder.push(hash, input, self.job)?;
        model.seconds += started.elapsed().as_secs_f64();
        if model.feeder.len() < CHUNK_ROWS {
            if model.feeder.is_due() {
                // Embedded files must not be read again either.
                unfinished.as_mut().map_or(Ok(()), Unfinished::flush)?;
                model.feeder.keep()?;
            }
            return Ok(());
        }
        self.end_chunk(model, unfinished, filled)?;
        let reading = self.busy.load(Ordering::Relaxed) as f64 / 1e9 / rayon::current_num_threads() as f64;
        let left = (self.pass.manifest.len() - row - 1) as f64 * model.seconds / (row + 1) as f64;
        // What has a shard has nothing else to do.
        if self.pass.shard().is_none() && !keeps_up(model.seconds, reading, left) {
            self.feeding.store(false, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Embeds the waiting images and writes the chunk.
    fn end_chunk(
        &self,
        model: &mut Feeding<'_>,
        unfinished: &mut Option<Unfinished>,
        filled: &mut FillReport,
    ) -> Result<()> {
        let started = Instant::now();
        model.feeder.embed(self.job)?;
        model.seconds += started.elapsed().as_secs_f64();
        // Embedded files must not be read again either.
        if let Some(unfinished) = unfinished {
            unfinished.flush()?;
        }
        if let Some(mut contents) = self.contents_mut() {
            let Contents { store, pending } = &mut *contents;
            model.feeder.write(store, filled)?;
            pending.clear();
        }
        Ok(())
    }
}

/// The running model.
struct Feeding<'a> {
    feeder: Feeder<'a>,
    seconds: f64,
}

/// Whether to continue embedding while files are read. If the model is by far the slower part and has a long way to go,
/// it is better to index all files soon: the rest is decoded a second time for the model, which adds less than a ninth.
fn keeps_up(model: f64, reading: f64, left: f64) -> bool {
    model <= PATIENCE * reading || left <= SHORT
}

impl Passed {
    /// Rows of other shards, which are not known.
    fn skip(&mut self, rows: usize) {
        let file_metadata = &mut self.file_metadata;
        for _ in 0..rows {
            file_metadata.hashes.push(ContentHash::default());
            file_metadata.dimensions.push(Dimensions { width: 0, height: 0, bytes: 0 });
            file_metadata.modified.push(0);
            file_metadata.phash.push(0);
            file_metadata.dhash.push(0);
        }
    }

    fn push(&mut self, id: SampleId, row: Row) {
        if row.unchanged {
            self.report.unchanged += 1;
        } else {
            self.report.read += 1;
        }
        let file_metadata = &mut self.file_metadata;
        file_metadata.hashes.push(row.hash);
        file_metadata.dimensions.push(row.dimensions);
        file_metadata.modified.push(row.modified);
        file_metadata.phash.push(row.phash);
        file_metadata.dhash.push(row.dhash);
        if let Some(trouble) = row.trouble {
            file_metadata.unreadable.insert(id, trouble);
        }
        if !row.remarks.is_empty() {
            file_metadata.remarks.insert(id, row.remarks);
        }
    }
}

#[cfg(test)]
mod tests;
