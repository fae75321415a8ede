//! What the host computes on request: vectors, neighbors, probabilities, texts and perceptual hashes.
#![allow(unsafe_code)] // Calls the host's function table.

use super::{View, check};
use crate::abi::{MatrixTable, NeighborsTable, ProbabilitiesTable, Slice, Str};
use crate::{Error, GIVEN_FOLD, HashKind, HashPair, Matrix, NO_LABEL, Neighbors, OwnedMatrix, Result};

impl<'h> View<'h> {
    /// One unit-length embedding per sample; zeros if it could not be decoded. Needs
    /// [`Needs::EMBEDDINGS`](crate::Needs::EMBEDDINGS).
    ///
    /// # Errors
    /// When the host has none.
    pub fn embeddings(&self) -> Result<Matrix<'h>> {
        let mut table = MatrixTable { data: Slice::empty(), rows: 0, cols: 0 };
        // SAFETY: the table outlives the call.
        check(self.host, unsafe { (self.host.embeddings)(self.host.ctx, &raw mut table) })?;
        let data = self.lent(table.data);
        if data.len() != table.rows * table.cols || table.rows != self.len() {
            return Err(Error::new("the host's embedding matrix has the wrong size"));
        }
        Ok(Matrix { data, rows: table.rows, cols: table.cols })
    }

    /// The `k` nearest neighbors of every sample by cosine, computed once for all detectors. A sample has fewer if the
    /// dataset has, and none if it could not be decoded. Needs [`Needs::NEIGHBORS`](crate::Needs::NEIGHBORS).
    ///
    /// # Errors
    /// When the host has no embeddings, or was stopped.
    pub fn neighbors(&self, k: usize) -> Result<Neighbors<'h>> {
        let mut table = NeighborsTable { indices: Slice::empty(), similarities: Slice::empty(), k: 0 };
        // SAFETY: the table outlives the call.
        check(self.host, unsafe { (self.host.neighbors)(self.host.ctx, k, &raw mut table) })?;
        let (indices, similarities) = (self.lent(table.indices), self.lent(table.similarities));
        if indices.len() != self.len() * table.k || similarities.len() != indices.len() {
            return Err(Error::new("the host's neighbor lists have the wrong size"));
        }
        Ok(Neighbors { indices, similarities, k: table.k })
    }

    /// Class probabilities, one row per sample and one column per class, from a model that was **not** trained on that
    /// sample; computed once for all detectors. Rows sum to one, or are zero if the image could not be decoded. Needs [`Needs::PROBABILITIES`](crate::Needs::PROBABILITIES).
    ///
    /// # Errors
    /// When the host has no embeddings, there are fewer than two classes to separate, or it was stopped.
    pub fn probabilities(&self) -> Result<Matrix<'h>> {
        let MatrixTable { data, rows, cols } = self.out_of_sample()?.matrix;
        Ok(Matrix { data: self.lent(data), rows, cols })
    }

    /// The fold of each sample: its row of [`View::probabilities`] comes from the model trained on the other
    /// folds. `u32::MAX` if it has no row; [`GIVEN_FOLD`] if it was given by the user.
    ///
    /// # Errors
    /// As for [`View::probabilities`].
    pub fn folds(&self) -> Result<&'h [u32]> {
        Ok(self.lent(self.out_of_sample()?.folds))
    }

    /// Whether [`View::probabilities`] are the user's, from a model of their own: they are used as they are.
    ///
    /// # Errors
    /// As for [`View::probabilities`].
    pub fn probabilities_are_given(&self) -> Result<bool> {
        Ok(self.folds()?.contains(&GIVEN_FOLD))
    }

    /// The inverse temperature that calibrates [`View::probabilities`]: every row was raised to this power and divided by
    /// its sum, so `p.powf(1.0 / inverse_temperature)` is proportional to the model's output. 1 if not calibrated.
    ///
    /// # Errors
    /// As for [`View::probabilities`].
    pub fn inverse_temperature(&self) -> Result<f32> {
        Ok(self.out_of_sample()?.inverse_temperature)
    }

    fn out_of_sample(&self) -> Result<ProbabilitiesTable> {
        let matrix = MatrixTable { data: Slice::empty(), rows: 0, cols: 0 };
        let mut table =
            ProbabilitiesTable { matrix, folds: Slice::empty(), inverse_temperature: 1.0, reserved: 0 };
        // SAFETY: the table outlives the call.
        check(self.host, unsafe { (self.host.probabilities)(self.host.ctx, &raw mut table) })?;
        let MatrixTable { data, rows, cols } = table.matrix;
        let right = data.len == rows * cols && rows == self.len() && cols == self.class_count();
        if !right || table.folds.len != self.len() {
            return Err(Error::new("the host's probabilities have the wrong size"));
        }
        Ok(table)
    }

    /// Cosines of all samples with the given vectors (row-major, of any norm): `result[sample * count + vector]`. Needs
    /// [`Needs::EMBEDDINGS`](crate::Needs::EMBEDDINGS).
    ///
    /// # Errors
    /// When the vectors and the embeddings differ in dimension, or the host has no embeddings.
    pub fn similarities(&self, vectors: &[f32], count: usize) -> Result<Vec<f32>> {
        let mut out = vec![0.0; self.len() * count];
        if vectors.len() != count * self.embeddings()?.cols() {
            return Err(Error::new("the vectors and the embeddings have different dimensions"));
        }
        // SAFETY: both buffers outlive the call and their lengths are passed or were just checked.
        let status = unsafe {
            (self.host.similarities)(self.host.ctx, vectors.as_ptr(), count, out.as_mut_ptr(), out.len())
        };
        check(self.host, status)?;
        Ok(out)
    }

    /// Cosines of some samples with others, as one matrix product: `result[row * cols.len() + col]`. Needs
    /// [`Needs::EMBEDDINGS`](crate::Needs::EMBEDDINGS).
    ///
    /// # Errors
    /// When the host has no embeddings, or a sample does not exist.
    pub fn block(&self, rows: &[u32], cols: &[u32]) -> Result<Vec<f32>> {
        let mut out = vec![0.0; rows.len() * cols.len()];
        // SAFETY: all buffers outlive the call and carry their lengths.
        let status = unsafe {
            (self.host.block)(self.host.ctx, Slice::new(rows), Slice::new(cols), out.as_mut_ptr(), out.len())
        };
        check(self.host, status)?;
        Ok(out)
    }

    /// Dimension of an embedding, and the model's logit scale (100 for OpenAI's CLIP). Needs
    /// [`Needs::EMBEDDINGS`](crate::Needs::EMBEDDINGS) or [`Needs::TEXTS`](crate::Needs::TEXTS).
    ///
    /// # Errors
    /// When the host has no model.
    pub fn model(&self) -> Result<(usize, f32)> {
        let (mut dim, mut scale) = (0, 0.0);
        // SAFETY: both outlive the call.
        check(self.host, unsafe { (self.host.model)(self.host.ctx, &raw mut dim, &raw mut scale) })?;
        Ok((dim, scale))
    }

    /// Unit-length embeddings of the given texts, one row each. Needs [`Needs::TEXTS`](crate::Needs::TEXTS).
    ///
    /// # Errors
    /// When the model has no text tower (see [`Error::is_missing`]), or the device fails.
    pub fn embed_texts<S: AsRef<str>>(&self, texts: &[S]) -> Result<OwnedMatrix> {
        let cols = self.model()?.0;
        let views: Vec<Str> = texts.iter().map(|text| Str::new(text.as_ref())).collect();
        let mut data = vec![0.0; texts.len() * cols];
        // SAFETY: all buffers outlive the call and carry their lengths.
        let status = unsafe {
            (self.host.embed_texts)(self.host.ctx, Slice::new(&views), data.as_mut_ptr(), data.len())
        };
        check(self.host, status)?;
        Ok(OwnedMatrix { data, cols })
    }

    /// The prompts for a class, from the prompt sets: every template with every synonym. Needs
    /// [`Needs::TEXTS`](crate::Needs::TEXTS).
    ///
    /// # Errors
    /// When there is no such class, or the names of classes are not words (see [`Error::is_missing`]).
    pub fn prompts(&self, label: u32) -> Result<Vec<String>> {
        let mut table = Slice::empty();
        // SAFETY: the table outlives the call.
        check(self.host, unsafe { (self.host.prompts)(self.host.ctx, label, &raw mut table) })?;
        // SAFETY: lent like the slice.
        Ok(self.lent(table).iter().map(|text| unsafe { text.as_str() }.to_owned()).collect())
    }

    /// The prompts for anything else ("a photo of something"), to compare with those of a class.
    ///
    /// # Errors
    /// When the host has no prompt sets.
    pub fn alternatives(&self) -> Result<Vec<String>> {
        self.prompts(NO_LABEL)
    }

    /// The text vector of each class: the normalized mean of its prompts' embeddings, one row per class.
    ///
    /// # Errors
    /// When class names are not words, a class has no prompt or the model no text tower (see [`Error::is_missing`]), or
    /// the device fails.
    pub fn class_vectors(&self) -> Result<OwnedMatrix> {
        let cols = self.model()?.0;
        let mut data = Vec::with_capacity(self.class_count() * cols);
        for label in 0..self.class_count() as u32 {
            self.checkpoint()?;
            let texts = self.prompts(label)?;
            if texts.is_empty() {
                let name = self.class_name(label);
                return Err(Error::missing(format!("the prompt set has no prompt for {name}")));
            }
            data.extend(self.embed_texts(&texts)?.mean_direction());
        }
        Ok(OwnedMatrix { data, cols })
    }

    /// Perceptual hashes, one per sample, 0 if it could not be decoded. Needs [`Needs::HASHES`](crate::Needs::HASHES).
    ///
    /// # Errors
    /// When the host has none.
    pub fn hashes(&self, kind: HashKind) -> Result<&'h [u64]> {
        let mut table = Slice::empty();
        // SAFETY: the table outlives the call.
        check(self.host, unsafe { (self.host.hashes)(self.host.ctx, kind.code(), &raw mut table) })?;
        Ok(self.lent(table))
    }

    /// All pairs of samples whose hashes differ in at most `radius` bits (0..=16), sorted. Needs
    /// [`Needs::HASHES`](crate::Needs::HASHES).
    ///
    /// # Errors
    /// When the host has no hashes, or the radius is too large.
    pub fn near_hashes(&self, kind: HashKind, radius: u32) -> Result<&'h [HashPair]> {
        let mut table = Slice::empty();
        // SAFETY: the table outlives the call.
        check(self.host, unsafe {
            (self.host.near_hashes)(self.host.ctx, kind.code(), radius, &raw mut table)
        })?;
        Ok(self.lent(table))
    }
}
