//! Vectors of texts that belong to embeddings from elsewhere: of prompts, or of the names of classes.
//!
//! A safetensors file has a tensor `embeddings` and in its metadata `texts`, a JSON list with one text a row, and may have
//! `logit_scale`, there or as a tensor of one number. A NumPy file `X.npy` has its texts beside it in `X.txt`, one a line. A Parquet file has the columns `text`
//! and `embedding`.

use super::{VECTORS, push_unit};
use crate::arrays::{self, Picked};
use crate::{Error, Result};
use chaffinch_data::atomic;
use chaffinch_protocol::display::{counted, excerpt, safe_path};
use safetensors::tensor::{Dtype, TensorView};
use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::Path;

/// The factor for cosines where a file has none: that of OpenAI's CLIP.
const LOGIT_SCALE: f32 = 100.0;

/// Unit vectors of texts.
#[derive(Debug, Clone, PartialEq)]
pub struct TextVectors {
    vectors: BTreeMap<String, Vec<f32>>,
    dim: usize,
    logit_scale: f32,
}

/// Reads texts and their vectors.
///
/// # Errors
/// When a file cannot be read, has other texts than vectors, a text twice, or a vector that is not a direction.
pub fn read_texts(path: &Path) -> Result<TextVectors> {
    let extension = path.extension().and_then(|name| name.to_str()).unwrap_or_default().to_lowercase();
    let mut logit_scale = None;
    let Picked { grid, ids: texts, .. } = match extension.as_str() {
        "npy" => {
            let beside = path.with_extension("txt");
            let texts = if beside.is_file() { Some(arrays::lines(&beside)?) } else { None };
            Picked { ids: texts, ..arrays::npy::grid(path)?.into() }
        }
        "safetensors" => {
            let found = arrays::safetensors::named(path, "embeddings")?;
            logit_scale = found.number("logit_scale");
            Picked { ids: found.texts(path, "texts", found.grid.rows)?, ..found.grid.into() }
        }
        "parquet" | "pq" => arrays::parquet::vectors(path, &VECTORS, &["text", "prompt", "class"])?,
        _ => return Err(Error::format(path, "unsupported file type; use .safetensors, .npy or .parquet")),
    };
    let Some(texts) = texts else {
        let message = "it does not say which texts its vectors are of: write them to the metadata of a safetensors file as \
                       'texts', to a file of the same name that ends in .txt, or to a column 'text'";
        return Err(Error::format(path, message));
    };
    if texts.len() != grid.rows {
        let (texts, rows) =
            (counted(texts.len() as u64, "text", "texts"), counted(grid.rows as u64, "row", "rows"));
        return Err(Error::format(path, format!("it has {rows}, but there are {texts}")));
    }
    let logit_scale = logit_scale.unwrap_or(LOGIT_SCALE);
    if !(logit_scale.is_finite() && logit_scale > 0.0) {
        return Err(Error::format(path, "'logit_scale' in its metadata is not a positive number"));
    }
    let mut vectors = BTreeMap::new();
    for (row, text) in texts.into_iter().enumerate() {
        let numbers =
            (row * grid.cols..(row + 1) * grid.cols).map(|index| arrays::number(&grid.numbers, index));
        let mut vector = Vec::with_capacity(grid.cols);
        if !push_unit(numbers, grid.cols, &mut vector) {
            let message =
                format!("the vector of '{}' is not a direction: zero, or not finite", excerpt(&text));
            return Err(Error::format(path, message));
        }
        if vectors.insert(text.clone(), vector).is_some() {
            return Err(Error::format(path, format!("the text '{}' has two vectors", excerpt(&text))));
        }
    }
    Ok(TextVectors { vectors, dim: grid.cols, logit_scale })
}

impl TextVectors {
    /// The vector of a text.
    pub fn get(&self, text: &str) -> Option<&[f32]> {
        self.vectors.get(text).map(Vec::as_slice)
    }

    /// Numbers in a vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The factor for cosines before a softmax.
    pub fn logit_scale(&self) -> f32 {
        self.logit_scale
    }

    /// Changes whenever any of them changes.
    pub fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.logit_scale.to_le_bytes());
        for (text, vector) in &self.vectors {
            hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
            hasher.update(bytemuck::cast_slice(vector));
        }
        hasher.finalize().to_hex().to_string()
    }

    /// Checks that they fit vectors of pictures.
    ///
    /// # Errors
    /// When they have another length.
    pub fn fit(&self, path: &Path, pictures: &Path, dim: usize) -> Result<()> {
        if self.dim == dim {
            return Ok(());
        }
        let message =
            format!("its vectors have {} numbers, but those of {} have {dim}", self.dim, safe_path(pictures));
        Err(Error::format(path, message))
    }

    /// Writes them as [`read_texts`] reads them.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let invalid = |error: String| Error::format(path, error);
        let texts: Vec<&String> = self.vectors.keys().collect();
        let texts = serde_json::to_string(&texts).map_err(|error| invalid(error.to_string()))?;
        let numbers: Vec<f32> = self.vectors.values().flatten().copied().collect();
        let shape = vec![self.vectors.len(), self.dim];
        let view = TensorView::new(Dtype::F32, shape, bytemuck::cast_slice(&numbers))
            .map_err(|error| invalid(error.to_string()))?;
        let scale = self.logit_scale.to_le_bytes();
        let scale =
            TensorView::new(Dtype::F32, vec![1], &scale).map_err(|error| invalid(error.to_string()))?;
        // One key: the order of several would be that of a hash table.
        let metadata = HashMap::from([("texts".to_owned(), texts)]);
        let bytes = safetensors::serialize([("embeddings", view), ("logit_scale", scale)], Some(metadata))
            .map_err(|error| invalid(error.to_string()))?;
        atomic::write(path, |out| out.write_all(&bytes))
    }
}
