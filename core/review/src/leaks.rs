//! Images that are in both the training set and the test set.
//!
//! Three methods, each pair of images reported by the first that finds it: equal bytes, near perceptual hashes
//! (ImageHash's `phash`, Hamming distance), near embeddings (cosine; the nearest training image of each test image). A
//! file that cannot be decoded has no perceptual hash and no embedding, and can only leak by its bytes. Pictures of a
//! single flat color share a hash without being similar and are left to the other methods. Pictures of pairs that do not have
//! equal bytes are read once more, and small copies of both say whether they are the same picture.

mod cut;
mod look;
mod report;

pub use report::{Counts, method_named, summary_path, write_csv, write_summary};

use crate::{Error, Result};
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::hamming;
use chaffinch_compute::job::Job;
use chaffinch_compute::linear::matmul_transposed;
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_data::faults::Fault;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::manifest::Manifest;
use chaffinch_plugin::is_flat;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Ledger, RemarkKind};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// More pairs than this mean that the threshold is too loose or that both sets contain black images.
const MAX_PAIRS: usize = 10_000_000;
/// Rows of each side in one matrix product.
const BLOCK: usize = 512;

/// How a pair was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// The same bytes.
    Exact,
    /// Near perceptual hashes.
    Perceptual,
    /// Near embeddings.
    Semantic,
}

/// How alike the pictures of a pair are, surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// The same bytes.
    SameBytes,
    /// Other bytes, and the same pixels.
    SamePixels,
    /// The same picture, saved or scaled another way.
    SamePicture,
    /// Another picture, however alike: a template, a burst, a crop.
    Alike,
    /// A file could not be read a second time.
    Unknown,
}

impl Likeness {
    /// As it stands in reports.
    pub fn name(self) -> &'static str {
        match self {
            Likeness::SameBytes => "same_bytes",
            Likeness::SamePixels => "same_pixels",
            Likeness::SamePicture => "same_picture",
            Likeness::Alike => "alike",
            Likeness::Unknown => "unknown",
        }
    }
}

/// One of the two sets.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// Its samples.
    pub manifest: &'a Manifest,
    /// The file metadata of each.
    pub file_metadata: &'a FileMetadata,
    /// Normalized embeddings, one row per sample, zeros if there is none; needed for [`Method::Semantic`] only.
    pub embeddings: Option<&'a EmbeddingMatrix>,
    /// What reading this set left out, guessed or found doubtful.
    pub ledger: &'a Ledger,
}

impl Side<'_> {
    /// Pictures of this set that could not be compared: files that could not be read, or decoded where a method needs
    /// pixels, pictures in formats that are not read, and one for each folder that could not be listed.
    fn unknown(&self, methods: &BTreeSet<Method>) -> usize {
        let bytes_suffice = methods.iter().all(|method| *method == Method::Exact);
        let compared = |fault: Fault| bytes_suffice && fault == Fault::Undecodable;
        let ids = self.file_metadata.unreadable.keys();
        let unread =
            ids.filter_map(|&id| Fault::of(self.file_metadata, id)).filter(|&fault| !compared(fault));
        let left_out = self.ledger.unread_pictures() + self.ledger.count(RemarkKind::FoldersNotListed);
        unread.count() + left_out as usize
    }
}

/// What to look for.
#[derive(Debug, Clone)]
pub struct Options {
    /// The methods.
    pub methods: BTreeSet<Method>,
    /// Maximum differing bits of the pHash, 0..=16.
    pub phash_threshold: u32,
    /// Minimum cosine of embeddings, 0..=1; `None` for one that follows the model and the data.
    pub semantic_threshold: Option<f32>,
}

/// One pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leak {
    /// The training image.
    pub train: SampleId,
    /// The test image.
    pub test: SampleId,
    /// How it was found.
    pub method: Method,
    /// 1 for the same bytes, `1 - bits / 64` for hashes, the cosine for embeddings.
    pub similarity: f32,
    /// Differing bits, for hashes.
    pub distance: Option<u32>,
    /// How alike the pictures are at a second look at their pixels.
    pub likeness: Likeness,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// All leaks, most similar first, then by method, test image and training image.
    pub leaks: Vec<Leak>,
    /// The minimum cosine of embeddings that was used, if they were compared.
    pub semantic_cut: Option<f32>,
}

/// Looks for leaks.
///
/// # Errors
/// When a threshold is out of range, embeddings are needed but missing, there are more than ten million pairs, or when
/// stopped.
pub fn find(train: Side<'_>, test: Side<'_>, options: &Options, job: &Job<'_>) -> Result<Found> {
    if options.phash_threshold > hamming::MAX_RADIUS {
        return Err(Error::Invalid(format!(
            "the pHash threshold {} is too large: use at most {} bits",
            options.phash_threshold,
            hamming::MAX_RADIUS
        )));
    }
    if let Some(threshold) = options.semantic_threshold.filter(|cosine| !(0.0..=1.0).contains(cosine)) {
        return Err(Error::Invalid(format!(
            "the semantic threshold {threshold} is not a cosine similarity: use 0 to 1"
        )));
    }
    let mut semantic_cut = None;
    let mut leaks: BTreeMap<(u32, u32), Leak> = BTreeMap::new();
    for method in &options.methods {
        let found = match method {
            Method::Exact => exact(train, test)?,
            Method::Perceptual => perceptual(train, test, options.phash_threshold, job)?,
            Method::Semantic => {
                let nearest = nearest(train, test, job)?;
                let cut = options.semantic_threshold.unwrap_or_else(|| cut::follow(&nearest));
                semantic_cut = Some(cut);
                nearest.into_iter().filter(|leak| leak.similarity >= cut && leak.similarity > 0.0).collect()
            }
        };
        // The methods run in order, so the first one to find a pair keeps it.
        for leak in found {
            leaks.entry((leak.test.0, leak.train.0)).or_insert(leak);
        }
        refuse_too_many(leaks.len())?;
    }
    let mut leaks: Vec<Leak> = leaks.into_values().collect();
    look::look_twice(&mut leaks, train, test, job)?;
    leaks.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.method.cmp(&b.method)));
    Ok(Found { leaks, semantic_cut })
}

fn refuse_too_many(pairs: usize) -> Result<()> {
    if pairs <= MAX_PAIRS {
        return Ok(());
    }
    Err(Error::Invalid(format!("more than {MAX_PAIRS} pairs match: use a stricter threshold")))
}

fn exact(train: Side<'_>, test: Side<'_>) -> Result<Vec<Leak>> {
    let mut known: BTreeMap<ContentHash, Vec<SampleId>> = BTreeMap::new();
    for (id, hash) in train.manifest.ids().zip(&train.file_metadata.hashes) {
        if *hash != ContentHash::default() {
            known.entry(*hash).or_default().push(id);
        }
    }
    let mut leaks = Vec::new();
    for (id, hash) in test.manifest.ids().zip(&test.file_metadata.hashes) {
        let same = known.get(hash).map_or(&[][..], Vec::as_slice);
        refuse_too_many(leaks.len() + same.len())?;
        leaks.extend(same.iter().map(|&train| Leak {
            train,
            test: id,
            method: Method::Exact,
            similarity: 1.0,
            distance: None,
            likeness: Likeness::SameBytes,
        }));
    }
    Ok(leaks)
}

/// Samples by pHash, without those that have no meaningful hash.
fn by_hash(side: Side<'_>) -> BTreeMap<u64, Vec<SampleId>> {
    let mut hashes: BTreeMap<u64, Vec<SampleId>> = BTreeMap::new();
    for id in side.manifest.ids().filter(|&id| side.file_metadata.decodable(id)) {
        let (phash, dhash) = (side.file_metadata.phash[id.index()], side.file_metadata.dhash[id.index()]);
        if !is_flat(phash, dhash) {
            hashes.entry(phash).or_default().push(id);
        }
    }
    hashes
}

fn perceptual(train: Side<'_>, test: Side<'_>, radius: u32, job: &Job<'_>) -> Result<Vec<Leak>> {
    let (train, test) = (by_hash(train), by_hash(test));
    // Only distinct hashes, so that the search sees no groups; equal ones are the same key on both sides.
    let values: Vec<u64> =
        train.keys().chain(test.keys()).copied().collect::<BTreeSet<_>>().into_iter().collect();
    let near = hamming::near_pairs(&values, &|_| true, radius, job)?;
    let same = values.iter().map(|&value| (value, value, 0));
    let others = near.iter().flat_map(|pair| {
        let (a, b) = (values[pair.first as usize], values[pair.second as usize]);
        let bits = (a ^ b).count_ones();
        [(a, b, bits), (b, a, bits)]
    });
    let mut leaks = Vec::new();
    for (a, b, bits) in same.chain(others) {
        let (Some(train), Some(test)) = (train.get(&a), test.get(&b)) else { continue };
        refuse_too_many(leaks.len().saturating_add(train.len().saturating_mul(test.len())))?;
        for &test in test {
            leaks.extend(train.iter().map(|&train| Leak {
                train,
                test,
                method: Method::Perceptual,
                similarity: 1.0 - bits as f32 / 64.0,
                distance: Some(bits),
                likeness: Likeness::Unknown,
            }));
        }
    }
    Ok(leaks)
}

/// The nearest training image of each test image by their embeddings.
fn nearest(train: Side<'_>, test: Side<'_>, job: &Job<'_>) -> Result<Vec<Leak>> {
    let (Some(known), Some(asked)) = (train.embeddings, test.embeddings) else {
        return Err(Error::Invalid("semantic leaks need embeddings of both sets".into()));
    };
    let d = known.cols();
    if d != asked.cols() {
        return Err(Error::Invalid("the two sets were embedded by different models".into()));
    }
    let blocks: Vec<usize> = (0..asked.rows()).step_by(BLOCK).collect();
    let nearest = |&start: &usize| -> Result<Vec<Leak>> {
        job.checkpoint()?;
        let end = asked.rows().min(start + BLOCK);
        let rows = &asked.as_slice()[start * d..end * d];
        let mut best = vec![(f32::NEG_INFINITY, 0_usize); end - start];
        let mut cosines = Vec::new();
        for first in (0..known.rows()).step_by(BLOCK) {
            let last = known.rows().min(first + BLOCK);
            cosines.resize((end - start) * (last - first), 0.0);
            let block = &known.as_slice()[first * d..last * d];
            matmul_transposed(rows, end - start, block, last - first, d, &mut cosines);
            for (best, cosines) in best.iter_mut().zip(cosines.chunks_exact(last - first)) {
                for (column, &cosine) in cosines.iter().enumerate() {
                    // Ties keep the first.
                    if cosine > best.0 {
                        *best = (cosine, first + column);
                    }
                }
            }
        }
        let found = best.into_iter().enumerate().filter(|(_, (cosine, _))| cosine.is_finite());
        Ok(found
            .map(|(row, (cosine, train))| Leak {
                train: SampleId(train as u32),
                test: SampleId((start + row) as u32),
                method: Method::Semantic,
                similarity: cosine.min(1.0),
                distance: None,
                likeness: Likeness::Unknown,
            })
            .collect())
    };
    let parts: Vec<Vec<Leak>> = blocks.par_iter().map(nearest).collect::<Result<_>>()?;
    Ok(parts.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests;
