//! Embeds prepared images in order of arrival and collects them in chunks.

use super::tail::{Row, Tail};
use super::{CHUNK_ROWS, EmbeddingStore};
use crate::Result;
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::embedding::{EmbedError, Embedder, Started};
use chaffinch_compute::job::Job;
use std::collections::VecDeque;

/// What a fill did, counted in distinct contents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FillReport {
    /// Newly embedded.
    pub embedded: u64,
    /// Found in the store.
    pub reused: u64,
    /// Without an embedding: not a picture, or the model returned no finite vector.
    pub unusable: u64,
    /// Without one because the file has changed since it was indexed; the next scan will handle it.
    pub changed: u64,
}

/// Collects images until there are enough for a batch. Batches never cross chunks.
pub(crate) struct Feeder<'a> {
    batch: Batch<'a>,
    chunk: NewChunk,
    /// Where the chunk is kept until it is written.
    tail: Option<Tail>,
}

impl Feeder<'_> {
    pub(crate) fn new(embedder: &dyn Embedder) -> Feeder<'_> {
        Feeder { batch: Batch::new(embedder), chunk: NewChunk::default(), tail: None }
    }

    /// Goes on with the chunk that an interrupted run left. Its batches are complete, so that those that follow are the
    /// same as without the interruption. From now on, batches are kept; see [`Feeder::keep`].
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn go_on(&mut self, store: &EmbeddingStore) -> Result<()> {
        let (mut tail, rows) = Tail::open(store)?;
        if rows.len() >= CHUNK_ROWS || rows.iter().any(|(hash, ..)| store.knows(hash)) {
            // The chunk was written.
            tail.clear()?;
        } else {
            rows.into_iter().for_each(|row| self.chunk.restore(row));
        }
        self.tail = Some(tail);
        Ok(())
    }

    /// The contents of the current chunk.
    pub(crate) fn hashes(&self) -> &[ContentHash] {
        &self.chunk.hashes
    }

    /// Whether [`Feeder::keep`] has something to do that should not wait.
    pub(crate) fn is_due(&self) -> bool {
        self.tail.as_ref().is_some_and(Tail::is_due)
    }

    /// Syncs the batches that the model has done to disk.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(crate) fn keep(&mut self) -> Result<()> {
        self.tail.as_mut().map_or(Ok(()), Tail::flush)
    }

    /// Contents in the current chunk.
    pub(crate) fn len(&self) -> usize {
        self.chunk.hashes.len()
    }

    /// Adds the next content with its input, or without one if it has no picture. Returns whether the model ran. A device may
    /// still work on the last batch then.
    ///
    /// # Errors
    /// As for [`Feeder::embed`].
    pub(crate) fn push(&mut self, hash: ContentHash, input: Option<&[u8]>, job: &Job<'_>) -> Result<bool> {
        if let Some(input) = input {
            self.batch.push(self.chunk.hashes.len(), input);
        }
        self.chunk.push(hash, self.batch.embedder.dim());
        let full = self.batch.is_full();
        if full {
            self.batch.start(&mut self.chunk, job)?;
            self.note();
        }
        Ok(full)
    }

    /// Embeds the waiting images.
    ///
    /// # Errors
    /// When the model fails, or when stopped.
    pub(crate) fn embed(&mut self, job: &Job<'_>) -> Result<()> {
        self.batch.start(&mut self.chunk, job)?;
        self.batch.finish(&mut self.chunk, 0)?;
        self.note();
        Ok(())
    }

    /// Passes rows to the tail, up to the batch that is not finished.
    fn note(&mut self) {
        if let Some(tail) = &mut self.tail {
            let until = self.batch.first_open().unwrap_or(self.chunk.hashes.len());
            self.chunk.keep(until, self.batch.embedder.dim(), tail);
        }
    }

    /// Writes the chunk, whose images are all embedded, and starts a new one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(&mut self, store: &mut EmbeddingStore, report: &mut FillReport) -> Result<()> {
        let chunk = std::mem::take(&mut self.chunk);
        store.append(&chunk.hashes, &chunk.rows, &chunk.usable)?;
        if let Some(tail) = &mut self.tail {
            tail.clear()?;
        }
        let usable = chunk.usable.iter().filter(|&&usable| usable).count() as u64;
        report.embedded += usable - chunk.restored;
        report.unusable += chunk.usable.len() as u64 - usable;
        Ok(())
    }
}

/// A chunk under construction.
#[derive(Default)]
struct NewChunk {
    hashes: Vec<ContentHash>,
    rows: Vec<f32>,
    usable: Vec<bool>,
    /// How many of its rows are in the tail.
    kept: usize,
    /// How many of its vectors are from an interrupted run.
    restored: u64,
}

impl NewChunk {
    fn restore(&mut self, (hash, usable, vector): Row) {
        self.hashes.push(hash);
        self.rows.extend(vector);
        self.usable.push(usable);
        self.restored += u64::from(usable);
        self.kept += 1;
    }

    /// Passes the rows on that are not in the tail yet, up to one.
    fn keep(&mut self, until: usize, dim: usize, tail: &mut Tail) {
        for row in self.kept..until {
            tail.push(&self.hashes[row], self.usable[row], &self.rows[row * dim..(row + 1) * dim]);
        }
        self.kept = self.kept.max(until);
    }

    /// A row without a vector, until [`NewChunk::set`].
    fn push(&mut self, hash: ContentHash, dim: usize) {
        self.hashes.push(hash);
        self.rows.resize(self.rows.len() + dim, 0.0);
        self.usable.push(false);
    }

    fn set(&mut self, row: usize, vector: &[f32]) {
        if vector.iter().all(|number| number.is_finite()) {
            let dim = vector.len();
            self.rows[row * dim..(row + 1) * dim].copy_from_slice(vector);
            self.usable[row] = true;
        }
    }
}

/// Images waiting for the model, and those that it works on.
struct Batch<'a> {
    embedder: &'a dyn Embedder,
    size: usize,
    inputs: Vec<u8>,
    rows: Vec<usize>,
    /// With the rows of each, oldest first.
    started: VecDeque<(Box<dyn Started + 'a>, Vec<usize>)>,
}

impl Batch<'_> {
    fn new(embedder: &dyn Embedder) -> Batch<'_> {
        Batch {
            embedder,
            size: embedder.batch_size().clamp(1, CHUNK_ROWS),
            inputs: Vec::new(),
            rows: Vec::new(),
            started: VecDeque::new(),
        }
    }

    fn push(&mut self, row: usize, input: &[u8]) {
        self.inputs.extend_from_slice(input);
        self.rows.push(row);
    }

    fn is_full(&self) -> bool {
        self.rows.len() >= self.size
    }

    /// The first row whose vector is missing.
    fn first_open(&self) -> Option<usize> {
        let started = self.started.front().and_then(|(_, rows)| rows.first());
        started.or(self.rows.first()).copied()
    }

    /// Starts on the waiting images, and finishes what was started before, as far as the model wants it. If the device runs out of
    /// memory, this and all later batches are halved.
    fn start(&mut self, chunk: &mut NewChunk, job: &Job<'_>) -> Result<()> {
        let length = self.embedder.input_len();
        let mut done = 0;
        while done < self.rows.len() {
            job.checkpoint()?;
            let count = self.size.min(self.rows.len() - done);
            match self.embedder.start_images(&self.inputs[done * length..(done + count) * length], count) {
                Ok(started) => {
                    self.started.push_back((started, self.rows[done..done + count].to_vec()));
                    done += count;
                    self.finish(chunk, self.embedder.ahead().saturating_sub(1))?;
                }
                Err(EmbedError::OutOfMemory { .. }) if count > 1 => self.size = count.div_ceil(2),
                Err(error) => return Err(error.into()),
            }
        }
        self.inputs.clear();
        self.rows.clear();
        Ok(())
    }

    /// Waits for the oldest until only that many are left.
    fn finish(&mut self, chunk: &mut NewChunk, left: usize) -> Result<()> {
        let dim = self.embedder.dim();
        while self.started.len() > left
            && let Some((started, rows)) = self.started.pop_front()
        {
            let vectors = started.finish()?;
            let (given, expected) = (vectors.len(), rows.len() * dim);
            if given != expected {
                let count = rows.len();
                let message =
                    format!("the model returned {given} numbers for {count} images, expected {expected}");
                return Err(EmbedError::Model(message).into());
            }
            for (vector, row) in vectors.chunks_exact(dim).zip(rows) {
                chunk.set(row, vector);
            }
        }
        Ok(())
    }
}
