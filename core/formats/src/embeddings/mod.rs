//! Embeddings that were computed elsewhere: read, bound to samples, and normalized.
//!
//! # How to add a format
//!
//! One file with a function that returns a `Picked`, a line in `parts`, and a row of the table in `docs/your-own-model.md`.

mod clip_retrieval;
mod fiftyone;
mod texts;

pub use texts::{TextVectors, read_texts};

use crate::arrays::{self, Picked};
use crate::row_names::{self, RowNames};
use crate::rows_of::RowsOf;
use crate::{Error, Result};
use chaffinch_compute::embedding::ModelFingerprint;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::row_order::{FirstGiven, Placed, RowOrders, Told, stay};
use chaffinch_data::uses::EmbeddingFiles;
use chaffinch_protocol::display::{counted, safe_path};
use chaffinch_protocol::sample::SampleId;
use chaffinch_review::label_quality::{Grid, Numbers};
use std::fs::File;
use std::path::{Path, PathBuf};

/// The version of how vectors become those of the session.
const VERSION: &str = "given-1";

/// Hexadecimal digits of a fingerprint that tell the bytes of files without names; as many tell the samples.
const HALF: usize = 16;

/// The option that names rows.
const IDS: &str = "--embedding-ids";

/// The most numbers in a vector.
const MAX_DIM: usize = 1 << 16;

/// Names of a column of vectors, in the order in which they are preferred.
const VECTORS: [&str; 7] =
    ["embedding", "embeddings", "image_embedding", "img_emb", "vector", "vectors", "features"];

/// Vectors of a dataset's samples, as they are in a file.
#[derive(Debug)]
pub struct Vectors {
    file: PathBuf,
    /// The file that names the rows.
    named_by: PathBuf,
    numbers: Numbers,
    rows: usize,
    dim: usize,
    /// Which sample each row is about.
    names: RowNames,
    fingerprint: ModelFingerprint,
    /// Whether rows without names belong to the pictures for which they were taken earlier.
    stay: bool,
    /// What is known of the file if its rows have no names.
    first: FirstGiven,
}

/// Which row of the vectors belongs to each sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VectorRows(RowsOf, Told, Vec<String>);

impl VectorRows {
    /// The row of a sample, if it has one.
    pub fn of(&self, id: SampleId) -> Option<usize> {
        self.0.rows.get(id.index()).copied().flatten().map(|row| row as usize)
    }

    /// What there is to say and to remember of rows without names.
    pub fn told(&self) -> &Told {
        &self.1
    }

    /// What there is to say of rows whose names need not mean the samples that they were taken for.
    pub fn doubts(&self) -> &[String] {
        &self.2
    }

    /// Rows that belong to no sample, and what the first of them names.
    pub fn unmatched(&self) -> (u64, &str) {
        (self.0.unmatched.0, &self.0.unmatched.1)
    }
}

/// Reads embeddings, and checks them against a dataset as far as that is possible before its pictures are read.
///
/// `kept` are those of the session. Rows without names were once those of the samples in their order, and stay with these pictures
/// when a move, a new label or a sorted table changes that order: nothing in the file says that it changed, too. `orders` say the
/// same of vectors that are not kept.
///
/// # Errors
/// When a file cannot be read or has no vectors; when rows without names are not as many as the samples, and none are kept.
pub fn read(
    files: &EmbeddingFiles,
    manifest: &Manifest,
    kept: &[ModelFingerprint],
    orders: &RowOrders<'_>,
) -> Result<Vectors> {
    let EmbeddingFiles { file, ids, .. } = files;
    let mut hasher = blake3::Hasher::new();
    let Picked { grid: Grid { numbers, rows, cols: dim, .. }, ids: own, side, .. } =
        parts(file, &mut hasher)?;
    if dim == 0 || dim > MAX_DIM {
        return Err(Error::format(
            file,
            format!("its vectors have {}", counted(dim as u64, "number", "numbers")),
        ));
    }
    let named = ids.as_ref().map(|path| {
        hash_file(path, &mut hasher)?;
        arrays::lines(path)
    });
    let named = named.transpose()?;
    if let (Some(path), Some(named)) = (ids, &named)
        && named.len() != rows
    {
        let lines = counted(named.len() as u64, "line", "lines");
        let message =
            format!("it has {lines}, but {} has {}", safe_path(file), counted(rows as u64, "row", "rows"));
        return Err(Error::format(path, message));
    }
    let bytes = hasher.finalize().to_hex();
    let of_bytes = &bytes[..HALF];
    let mut same = kept.iter().filter(|kept| kept.as_str().starts_with(of_bytes)).peekable();
    let first = if ids.is_none() { orders.find(&bytes) } else { FirstGiven::default() };
    let known = first.is_known() || same.peek().is_some();
    let ids_file = ids.as_deref().unwrap_or(file);
    let wrong = |why: String| Error::format(ids_file, why);
    let mut names = match (named, own) {
        (Some(names), _) => row_names::of_names(names, manifest),
        (None, Some(own)) => row_names::of_paths(own, &side, manifest, "--embedding-ids FILE"),
        (None, None) => row_names::find(side, known, manifest, "--embedding-ids FILE"),
    }
    .map_err(wrong)?;
    let all = counted(rows as u64, "row", "rows");
    names.said = names.said.map(|said| format!("{all} of {} {said}", safe_path(file)));
    // The same rows of other samples are other vectors.
    names.identify(manifest, &mut hasher);
    let all = hasher.finalize().to_hex();
    let (mut fingerprint, mut stay) = (ModelFingerprint::new(all.as_str(), VERSION), false);
    if names.ids.is_none() {
        fingerprint = ModelFingerprint::new(&format!("{of_bytes}{}", &all[..HALF]), VERSION);
        match same.clone().any(|kept| *kept == fingerprint) {
            false if let Some(earlier) = same.next() => (fingerprint, stay) = (earlier.clone(), true),
            _ if first.is_known() => {}
            _ => in_order(rows, manifest.len(), IDS).map_err(wrong)?,
        }
    }
    let named_by = ids_file.to_path_buf();
    Ok(Vectors { file: file.clone(), named_by, numbers, rows, dim, names, fingerprint, stay, first })
}

/// Whether rows without names can be those of the samples, in their order. The error also says what to do.
pub(crate) fn in_order(rows: usize, samples: usize, option: &str) -> std::result::Result<(), String> {
    if rows == samples {
        return Ok(());
    }
    Err(format!(
        "it has {}, but the dataset has {}; name the rows with {option} FILE, which has a path, stem or content hash on \
         each line",
        counted(rows as u64, "row", "rows"),
        counted(samples as u64, "sample", "samples")
    ))
}

/// Whose rows without names are: those of the pictures that they were first given for, or else of the samples in their order. The
/// error also says what to do.
pub(crate) fn placed(
    first: &FirstGiven,
    (rows, option): (usize, &str),
    manifest: &Manifest,
    file_metadata: &FileMetadata,
) -> std::result::Result<Placed, String> {
    match first.place(Some(rows), manifest, file_metadata) {
        Some(placed) => Ok(placed),
        None => {
            in_order(rows, manifest.len(), option)?;
            Ok(first.place_in_order(manifest, file_metadata))
        }
    }
}

/// What binds rows anew that stay with their pictures.
pub(crate) fn by_names(option: &str) -> String {
    format!("name its rows with {option} FILE")
}

/// The matrix in a file or folder, whose bytes go into the fingerprint.
fn parts(path: &Path, hasher: &mut blake3::Hasher) -> Result<Picked> {
    if path.is_dir() {
        return clip_retrieval::read(path, hasher);
    }
    hash_file(path, hasher)?;
    let extension = path.extension().and_then(|name| name.to_str()).unwrap_or_default().to_lowercase();
    match extension.as_str() {
        "npy" => Ok(arrays::npy::grid(path)?.into()),
        "safetensors" => {
            let found = arrays::safetensors::named(path, "embeddings")?;
            let ids = match found.texts(path, "paths", found.grid.rows)? {
                Some(paths) => Some(paths),
                None => found.texts(path, "ids", found.grid.rows)?,
            };
            // Beside paths, ids are only compared with them.
            let side = found.beside_rows(path);
            let side = if ids.is_none() { side? } else { side.unwrap_or_default() };
            Ok(Picked { ids, side, ..found.grid.into() })
        }
        "parquet" | "pq" => arrays::parquet::vectors(path, &VECTORS, &[]),
        "json" => fiftyone::read(path),
        _ => Err(Error::format(
            path,
            "unsupported file type; use .npy, .safetensors, .parquet, FiftyOne's .json, or a folder of clip-retrieval",
        )),
    }
}

fn hash_file(path: &Path, hasher: &mut blake3::Hasher) -> Result<()> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    hasher.update_reader(file).map_err(Error::io("read", path))?;
    Ok(())
}

impl Vectors {
    /// Identifies them: by the bytes of their files, and by the order of the samples where that says whose they are.
    pub fn fingerprint(&self) -> &ModelFingerprint {
        &self.fingerprint
    }

    /// Numbers in a vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// How it was found which sample each row is about, if the file does not say it.
    pub fn said(&self) -> Option<&str> {
        self.names.said.as_deref()
    }

    /// Finds the row of each sample.
    ///
    /// # Errors
    /// When a row may be about several samples, several rows are about one, or none is about any.
    pub fn bind(&self, manifest: &Manifest, file_metadata: &FileMetadata) -> Result<VectorRows> {
        if self.names.ids.is_some() {
            let rows = self.names.rows_of(&self.named_by, manifest, file_metadata)?;
            let doubts = self.names.doubts(&rows, manifest);
            return Ok(VectorRows(rows, Told::default(), doubts));
        }
        let placed = placed(&self.first, (self.rows, IDS), manifest, file_metadata)
            .map_err(|why| Error::format(&self.named_by, why))?;
        let mut told = Told::default();
        told.add(("embeddings", &self.file), (&self.first, &placed), &by_names(IDS), manifest);
        Ok(VectorRows(RowsOf { rows: placed.rows, ..RowsOf::default() }, told, Vec::new()))
    }

    /// That rows without names belong to the pictures for which they were taken earlier, if they do.
    pub fn stays(&self) -> Option<String> {
        let source = format!("embeddings of {}", safe_path(&self.file));
        self.stay.then(|| stay(&source, "", &by_names(IDS)))
    }

    /// Appends a row at unit length. Returns false, and appends zeros, if it has no direction: a number that is not finite,
    /// or nothing but zeros.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn push_unit(&self, row: usize, to: &mut Vec<f32>) -> bool {
        let range = row * self.dim..(row + 1) * self.dim;
        match &self.numbers {
            Numbers::Single(data) => push_unit(data[range].iter().map(|&x| f64::from(x)), self.dim, to),
            Numbers::Double(data) => push_unit(data[range].iter().copied(), self.dim, to),
        }
    }
}

/// Divides by the largest number first, so that squares are never too large or too small.
fn push_unit(row: impl Iterator<Item = f64> + Clone, dim: usize, to: &mut Vec<f32>) -> bool {
    let finite = row.clone().all(f64::is_finite);
    let largest = row.clone().fold(0.0, |largest: f64, x| largest.max(x.abs()));
    if !finite || largest == 0.0 {
        to.extend(std::iter::repeat_n(0.0, dim));
        return false;
    }
    let norm = row.clone().map(|x| (x / largest).powi(2)).sum::<f64>().sqrt();
    to.extend(row.map(|x| (x / largest / norm) as f32));
    true
}

#[cfg(test)]
mod tests;
