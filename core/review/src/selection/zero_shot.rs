//! Zero-shot probabilities from a text-image model with described classes.

use super::Evidence;
use crate::Result;
use chaffinch_compute::embedding::Embedder;
use chaffinch_compute::linear::matmul_transposed;
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_data::prompts::PromptSet;
use rayon::prelude::*;

/// The softmax temperature, as published.
const TEMPERATURE: f32 = 0.07;
/// Samples of one matrix product.
const BLOCK: usize = 256;

/// How the answers to a class's prompts are combined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Pooling {
    /// Their mean: a class with fewer prompts is not at a disadvantage.
    #[default]
    Mean,
    /// Their sum, as published.
    Sum,
}

/// The prompts of all classes as vectors, class by class.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassPrompts {
    vectors: Vec<f32>,
    /// Number of prompts of each class.
    counts: Vec<usize>,
}

impl ClassPrompts {
    /// Embeds the prompts of every class.
    ///
    /// # Errors
    /// When the model has no text tower or the device fails.
    pub fn embed(embedder: &dyn Embedder, prompts: &PromptSet, classes: &[String]) -> Result<ClassPrompts> {
        let (mut vectors, mut counts) = (Vec::new(), Vec::new());
        for class in classes {
            let texts = prompts.for_class(class);
            vectors.extend(embedder.embed_texts(&texts.iter().map(String::as_str).collect::<Vec<_>>())?);
            counts.push(texts.len());
        }
        Ok(ClassPrompts { vectors, counts })
    }

    /// From existing vectors, `counts` of them for each class.
    pub fn new(vectors: Vec<f32>, counts: Vec<usize>) -> ClassPrompts {
        ClassPrompts { vectors, counts }
    }
}

/// Classifies every sample: a class's answer is the sum or mean of `exp(cos / 0.07)` over its prompts, its probability
/// that over the answers of all classes.
pub fn zero_shot(
    matrix: &EmbeddingMatrix,
    labels: &[u32],
    prompts: &ClassPrompts,
    pooling: Pooling,
    usable: &(dyn Fn(usize) -> bool + Sync),
) -> Evidence {
    let (dim, all) = (matrix.cols(), prompts.counts.iter().sum::<usize>());
    let blocks: Vec<Vec<(f64, f64)>> = labels
        .par_chunks(BLOCK)
        .enumerate()
        .map(|(block, labels)| {
            let from = block * BLOCK;
            let rows = &matrix.as_slice()[from * dim..(from + labels.len()) * dim];
            let mut cosines = vec![0.0; labels.len() * all];
            matmul_transposed(rows, labels.len(), &prompts.vectors, all, dim, &mut cosines);
            let rows = cosines.chunks_exact(all.max(1)).zip(labels).enumerate();
            rows.map(|(index, (row, &label))| {
                let known = usable(from + index) && (label as usize) < prompts.counts.len();
                if known {
                    answer(row, &prompts.counts, label as usize, pooling)
                } else {
                    (f64::NAN, f64::NAN)
                }
            })
            .collect()
        })
        .collect();
    let mut evidence = Evidence::default();
    blocks.into_iter().flatten().for_each(|(own, best)| evidence.push(own, best));
    evidence
}

/// Probabilities of the label and of the most likely class.
fn answer(cosines: &[f32], counts: &[usize], label: usize, pooling: Pooling) -> (f64, f64) {
    let (mut rest, mut own, mut best, mut sum) = (cosines, 0.0, 0.0_f64, 0.0);
    for (class, &count) in counts.iter().enumerate() {
        let (prompts, others) = rest.split_at(count);
        rest = others;
        let mut answer: f64 = prompts.iter().map(|cosine| f64::from(cosine / TEMPERATURE).exp()).sum();
        if pooling == Pooling::Mean {
            answer /= count.max(1) as f64;
        }
        sum += answer;
        best = best.max(answer);
        if class == label {
            own = answer;
        }
    }
    (own / sum, best / sum)
}
