//! Computes missing embeddings.
//!
//! Groups of images are prepared ahead (`groups`); the calling thread runs the model. Batches never cross chunks and
//! always have the same images in the same order, so that an interrupted and resumed run leaves the same bytes as an
//! uninterrupted one.

use super::feeder::{Feeder, FillReport};
use super::{CHUNK_ROWS, EmbeddingStore};
use crate::file_metadata::FileMetadata;
use crate::groups;
use crate::manifest::Manifest;
use crate::pictures;
use crate::remote::{Threads, Watch};
use crate::{Error, Result};
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::embedding::Embedder;
use chaffinch_compute::image::decode::decode_on;
use chaffinch_compute::job::Job;
use chaffinch_protocol::display::safe_path;
use chaffinch_protocol::sample::SampleId;
use chaffinch_sources::Kind;
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An image on its way to the model.
enum Prepared {
    /// Its input to the tower.
    Input(Vec<u8>),
    /// Not an image, though the file is unchanged.
    NoPicture,
    /// The file is gone or has changed.
    Changed,
    /// It could not be asked for.
    Failed(Error),
}

/// Embeds every content of the dataset that is not in the store yet. Finished chunks stay, even if it fails.
///
/// # Errors
/// When the model fails (for out of memory: even with a batch of one), a chunk cannot be written, a server cannot be
/// reached, or when stopped.
pub fn fill(
    store: &mut EmbeddingStore,
    manifest: &Manifest,
    file_metadata: &FileMetadata,
    embedder: &dyn Embedder,
    job: &Job<'_>,
) -> Result<FillReport> {
    if embedder.fingerprint() != store.fingerprint() || embedder.dim() != store.dim() {
        return Err(Error::Invalid(format!(
            "the store in {} belongs to another model",
            safe_path(store.folder())
        )));
    }
    let mut wanted = file_metadata.hashes.to_vec();
    let mut report = FillReport::default();
    let mut broken = HashSet::new();
    for id in file_metadata.unreadable.keys() {
        let hash = std::mem::take(&mut wanted[id.index()]);
        if hash != ContentHash::default() && broken.insert(hash) {
            report.unusable += 1;
        }
    }
    let missing = store.missing(&wanted);
    let (mut different, mut copies) = (HashSet::new(), HashMap::<ContentHash, Vec<u32>>::new());
    for (row, hash) in wanted.iter().enumerate().filter(|(_, hash)| **hash != ContentHash::default()) {
        if !different.insert(*hash) {
            copies.entry(*hash).or_default().push(row as u32);
        }
    }
    report.reused = (different.len() - missing.len()) as u64;
    drop(different);
    let threads = Threads::of(manifest, Some(embedder));
    let work = Work { manifest, file_metadata, embedder, job, missing: &missing, copies: &copies, threads };
    work.run(store, &mut report)?;
    Ok(report)
}

/// State shared by all threads.
struct Work<'a> {
    manifest: &'a Manifest,
    file_metadata: &'a FileMetadata,
    embedder: &'a dyn Embedder,
    job: &'a Job<'a>,
    missing: &'a [usize],
    /// Later samples with the content of an earlier one.
    copies: &'a HashMap<ContentHash, Vec<u32>>,
    threads: Threads,
}

impl Work<'_> {
    /// Consumes groups in order, embeds them in batches and writes chunks.
    fn run(&self, store: &mut EmbeddingStore, report: &mut FillReport) -> Result<()> {
        let groups = self.groups();
        let total = self.missing.len() as u64;
        self.job.progress(0, total);
        let mut feeder = Feeder::new(self.embedder);
        groups::in_turn(&groups, self.job, &|group| self.prepare(group), |group, prepared| {
            for (&row, prepared) in self.missing[group.clone()].iter().zip(prepared) {
                match prepared {
                    Prepared::Changed => report.changed += 1,
                    Prepared::Failed(error) => return Err(error),
                    Prepared::NoPicture => {
                        feeder.push(self.file_metadata.hashes[row], None, self.job)?;
                    }
                    Prepared::Input(input) => {
                        if feeder.push(self.file_metadata.hashes[row], Some(&input), self.job)? {
                            self.job.progress((group.end as u64).min(total), total);
                        }
                    }
                }
            }
            let chunk_ends = group.end % CHUNK_ROWS == 0 || group.end == self.missing.len();
            if chunk_ends {
                feeder.embed(self.job)?;
                feeder.write(store, report)?;
                self.job.progress(group.end as u64, total);
            }
            Ok(())
        })
    }

    /// Ranges of `missing` that are prepared together; a group never crosses a chunk.
    fn groups(&self) -> Vec<Range<usize>> {
        let size = groups::size_for(self.embedder);
        let chunks = (0..self.missing.len()).step_by(CHUNK_ROWS);
        let groups = chunks.flat_map(|start| {
            let end = self.missing.len().min(start + CHUNK_ROWS);
            (start..end).step_by(size).map(move |start| start..end.min(start + size))
        });
        groups.collect()
    }

    fn prepare(&self, group: Range<usize>) -> Vec<Prepared> {
        let one = |&row: &usize| {
            if self.job.stopped() {
                return Prepared::Changed;
            }
            let prepared = catch_unwind(AssertUnwindSafe(|| self.prepare_content(row)));
            prepared.unwrap_or(Prepared::NoPicture)
        };
        self.threads.install(|| self.missing[group].par_iter().with_max_len(1).map(one).collect())
    }

    /// Prepares a content from the first of its files that works.
    fn prepare_content(&self, row: usize) -> Prepared {
        let hash = self.file_metadata.hashes[row];
        let first = self.prepare_file(row, hash);
        if !matches!(first, Prepared::Changed) {
            return first;
        }
        let others = self.copies.get(&hash).into_iter().flatten().map(|&other| other as usize);
        let mut prepared = others.map(|other| self.prepare_file(other, hash));
        prepared.find(|prepared| !matches!(prepared, Prepared::Changed)).unwrap_or(Prepared::Changed)
    }

    fn prepare_file(&self, row: usize, hash: ContentHash) -> Prepared {
        let source = self.manifest.source(SampleId(row as u32));
        let watch = Watch::new(&source);
        let stamp = source.stamp().ok().filter(|stamp| stamp.kind == Kind::Bytes && !stamp.is_too_large());
        let room = stamp.and_then(|stamp| pictures::room(stamp.bytes).ok());
        let bytes = room.as_ref().and_then(|_| source.read().ok());
        let Some(bytes) = bytes.filter(|bytes| ContentHash::of(bytes) == hash) else {
            return watch.check(&source).map_or_else(Prepared::Failed, |()| Prepared::Changed);
        };
        let decoded = match decode_on(&bytes, self.manifest.rendering()) {
            Ok(decoded) => decoded,
            // With more memory, it is one.
            Err(error) if error.is_too_large() => return Prepared::Changed,
            Err(_) => return Prepared::NoPicture,
        };
        drop((bytes, room));
        let input = self.embedder.preprocess(&decoded.image);
        if input.len() == self.embedder.input_len() { Prepared::Input(input) } else { Prepared::NoPicture }
    }
}
