//! One text vector per class, stored with the session so that candidate labels can be shown without loading the model
//! again.

use crate::DatasetServices;
use crate::{Error, Result};
use chaffinch_compute::embedding::Embedder;
use chaffinch_plugin::OwnedMatrix;
use chaffinch_protocol::sample::LabelId;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;

/// The classes as the model sees them: each class's prompts embedded, averaged and normalized. Without vectors where the
/// names of classes are not words: then there is nothing to ask, and the file only says which model was used.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassVectors {
    head: VectorsHeader,
    vectors: Vec<f32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct VectorsHeader {
    fingerprint: String,
    classes: Vec<String>,
    dim: usize,
    scale: f32,
}

impl ClassVectors {
    /// Embeds the prompts of every class, if their names are words.
    ///
    /// # Errors
    /// When the model has no text tower or the device fails.
    pub fn compute(
        services: &DatasetServices,
        embedder: &dyn Embedder,
        classes: &[String],
    ) -> Result<ClassVectors> {
        let dim = embedder.dim();
        let classes = if services.nameless().is_some() { &[] } else { classes };
        let mut vectors = Vec::with_capacity(classes.len() * dim);
        for label in 0..classes.len() as u32 {
            let prompts = services.prompts(Some(LabelId(label)));
            let rows = services.embed_texts(&prompts.iter().map(String::as_str).collect::<Vec<_>>())?;
            vectors.extend(OwnedMatrix { data: rows, cols: dim }.mean_direction());
        }
        let head = VectorsHeader {
            fingerprint: embedder.fingerprint().as_str().to_owned(),
            classes: classes.to_vec(),
            dim,
            scale: embedder.logit_scale(),
        };
        Ok(ClassVectors { head, vectors })
    }

    /// Probabilities of all classes for one embedding, most likely first; ties in class order. Empty for a zero
    /// embedding, whose image could not be decoded.
    pub fn probabilities(&self, embedding: &[f32]) -> Vec<(u32, f32)> {
        if self.head.dim == 0 || embedding.len() != self.head.dim || embedding.iter().all(|&x| x == 0.0) {
            return Vec::new();
        }
        let logits: Vec<f32> = self
            .vectors
            .chunks_exact(self.head.dim)
            .map(|class| self.head.scale * class.iter().zip(embedding).map(|(a, b)| a * b).sum::<f32>())
            .collect();
        let best = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let weights: Vec<f32> = logits.iter().map(|logit| (logit - best).exp()).collect();
        let total: f32 = weights.iter().sum();
        let mut ranked: Vec<(u32, f32)> =
            (0_u32..).zip(weights.iter().map(|weight| weight / total)).collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        ranked
    }

    /// The mean of all classes: what their texts have in common, and no single one says. `None` for fewer than two.
    pub fn common(&self) -> Option<Vec<f32>> {
        let count = self.head.classes.len();
        if count < 2 || self.head.dim == 0 {
            return None;
        }
        let mut sum = vec![0.0_f64; self.head.dim];
        for class in self.vectors.chunks_exact(self.head.dim) {
            sum.iter_mut().zip(class).for_each(|(sum, x)| *sum += f64::from(*x));
        }
        Some(sum.into_iter().map(|sum| (sum / count as f64) as f32).collect())
    }

    /// The vector of a class.
    pub fn class(&self, label: usize) -> Option<&[f32]> {
        self.vectors.chunks_exact(self.head.dim.max(1)).nth(label)
    }

    /// Whether these vectors are from this model for these classes.
    pub fn fits(&self, fingerprint: &str, classes: &[String]) -> bool {
        self.head.fingerprint == fingerprint && self.head.classes == classes
    }

    /// The model's fingerprint.
    pub fn fingerprint(&self) -> &str {
        &self.head.fingerprint
    }

    /// The vectors, one after the other.
    pub fn vectors(&self) -> &[f32] {
        &self.vectors
    }

    /// Width of a vector.
    pub fn dim(&self) -> usize {
        self.head.dim
    }

    /// The file's content.
    ///
    /// # Errors
    /// Never for vectors made here.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let invalid = |error: String| Error::Invalid(format!("cannot write the class vectors: {error}"));
        let shape = vec![self.head.classes.len(), self.head.dim];
        let view = TensorView::new(Dtype::F32, shape, bytemuck::cast_slice(&self.vectors))
            .map_err(|error| invalid(error.to_string()))?;
        let head = serde_json::to_string(&self.head).map_err(|error| invalid(error.to_string()))?;
        // Only one key: the order of several would differ between runs.
        let metadata = HashMap::from([("chaffinch".to_owned(), head)]);
        safetensors::serialize([("classes", view)], Some(metadata))
            .map_err(|error| invalid(error.to_string()))
    }

    /// Reads what [`ClassVectors::to_bytes`] wrote.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn load(path: &Path) -> Result<ClassVectors> {
        let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
        let broken = |what: &str| Error::format(path, format!("{what}; delete it and scan again"));
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|error| broken(&error.to_string()))?;
        let head = header.metadata().as_ref().and_then(|map| map.get("chaffinch"));
        let head: VectorsHeader = head
            .and_then(|text| serde_json::from_str(text).ok())
            .ok_or_else(|| broken("it is not a file of class vectors"))?;
        let tensors = SafeTensors::deserialize(&bytes).map_err(|error| broken(&error.to_string()))?;
        let tensor = tensors.tensor("classes").map_err(|error| broken(&error.to_string()))?;
        if tensor.dtype() != Dtype::F32 || tensor.shape() != [head.classes.len(), head.dim] {
            return Err(broken("its size is wrong"));
        }
        let vectors =
            tensor.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        Ok(ClassVectors { head, vectors })
    }
}
