//! What the kinds look at: the samples that are compared, their neighbors, probabilities and clusters.

use super::{Unchecked, because, partition};
use crate::{Error, Result};
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::job::Job;
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_compute::neighbors::{self, NeighborLists};
use chaffinch_compute::out_of_sample::{self, OutOfSample};
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::display::{counted, safe_text};
use chaffinch_protocol::sample::SampleId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Samples that are compared with each other, at most: evenly spaced over the dataset.
pub const MOST: usize = 20_000;
/// At least so many are compared, however many classes there are.
const LEAST: usize = 4_000;
/// Multiplications of one pass of the models that give probabilities.
const WORK: usize = 500_000_000;
/// Neighbors of each sample, as in Datalab.
pub(super) const NEIGHBORS: usize = 10;
/// What numbers of the same embedding may differ by.
const SAME: f32 = 1e-5;

/// What a session has beside its results.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// Probabilities from elsewhere; without them they are computed here.
    pub given: Option<OutOfSample>,
    /// The vector of each class's name by the model, one after the other; empty if it knows no texts.
    pub names: Vec<f32>,
}

/// A session as the kinds need it.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    /// The samples.
    pub manifest: &'a Manifest,
    /// What reading the files found.
    pub file_metadata: &'a FileMetadata,
    /// The results of detectors, whose attributes are properties of pictures.
    pub results: &'a BTreeMap<String, Arc<DetectorResult>>,
    /// Embeddings, zeros for samples without one.
    pub matrix: Option<&'a EmbeddingMatrix>,
    /// What else there is.
    pub beside: &'a Beside,
}

/// The inputs, and what several kinds derive from them. Everything but the inputs counts only the compared samples.
pub(super) struct Look<'a> {
    pub(super) inputs: Inputs<'a>,
    /// The row of each in the dataset, ascending.
    pub(super) rows: Vec<u32>,
    /// The label of each; out of range for none.
    pub(super) labels: Vec<u32>,
    pub(super) matrix: EmbeddingMatrix,
    pub(super) neighbors: NeighborLists,
    /// Probabilities by class of each, row by row; empty if there are none.
    pub(super) probabilities: Vec<f32>,
    /// Whether a sample has probabilities.
    pub(super) judged: Vec<bool>,
    /// The cluster of each.
    pub(super) clusters: Vec<u32>,
}

impl<'a> Look<'a> {
    /// Looks at a dataset, which is the first two of so many steps.
    pub(super) fn new(inputs: Inputs<'a>, steps: u64, job: &Job<'_>) -> Result<Look<'a>> {
        let classes = inputs.manifest.classes().len();
        let rows = inputs.matrix.map_or(Vec::new(), |matrix| compared(&inputs, matrix, classes));
        let labels: Vec<u32> = rows.iter().map(|&row| inputs.manifest.labels()[row as usize]).collect();
        let (matrix, cols) = match inputs.matrix {
            Some(matrix) => {
                (rows.iter().flat_map(|&row| matrix.row(row as usize)).copied().collect(), matrix.cols())
            }
            None => (Vec::new(), 1),
        };
        let matrix = EmbeddingMatrix::from_vec(matrix, cols);
        let neighbors = job.step(0, steps, |job| neighbors::nearest(&matrix, &|_| true, NEIGHBORS, job))?;
        let mut look = Look {
            clusters: partition::clusters(&matrix),
            inputs,
            judged: vec![false; rows.len()],
            rows,
            labels,
            matrix,
            neighbors,
            probabilities: Vec::new(),
        };
        job.step(1, steps, |job| look.judge(classes, job))?;
        Ok(look)
    }

    /// Fills in probabilities: those from elsewhere, or out-of-sample ones. Too few classes are no error here.
    fn judge(&mut self, classes: usize, job: &Job<'_>) -> Result<()> {
        if self.rows.is_empty() || classes < 2 {
            return Ok(());
        }
        if let Some(given) = self.inputs.beside.given.as_ref().filter(|given| given.classes == classes) {
            for (judged, &row) in self.judged.iter_mut().zip(&self.rows) {
                let start = row as usize * classes;
                let numbers = &given.matrix[start..start + classes];
                self.probabilities.extend_from_slice(numbers);
                *judged = numbers.iter().any(|p| *p > 0.0);
            }
            return Ok(());
        }
        let hashes = &self.inputs.file_metadata.hashes;
        let contents: Vec<ContentHash> = self.rows.iter().map(|&row| hashes[row as usize]).collect();
        match out_of_sample::compute_cleaned(&self.matrix, &self.labels, classes, &contents, &|_| true, job) {
            Ok(found) => {
                self.probabilities = found.matrix;
                self.judged = found.folds.iter().map(|fold| *fold != u32::MAX).collect();
            }
            Err(chaffinch_compute::Error::Stopped) => return Err(Error::Stopped),
            // Fewer than two classes with several samples.
            Err(_) => {}
        }
        Ok(())
    }

    /// How many samples are compared.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn class_count(&self) -> usize {
        self.inputs.manifest.classes().len()
    }

    /// A class as it stands in a sentence.
    pub(super) fn class(&self, class: u32) -> String {
        let classes = self.inputs.manifest.classes();
        classes.get(class as usize).map_or(String::new(), |name| format!("'{}'", safe_text(name)))
    }

    /// Whether all embeddings are one, as those of one picture many times are.
    fn is_one(&self) -> bool {
        let same = |row: usize| {
            self.matrix.row(row).iter().zip(self.matrix.row(0)).all(|(a, b)| (a - b).abs() <= SAME)
        };
        self.len() > 1 && (1..self.len()).all(same)
    }

    /// Refuses to judge without embeddings, by a handful, or by embeddings that are all the same.
    pub(super) fn several(&self, least: usize) -> std::result::Result<(), Unchecked> {
        match self.len() {
            0 => because("there are no embeddings: scan with a model"),
            few if few < least => {
                let few = counted(few as u64, "sample with an embedding is", "samples with embeddings are");
                because(format!("{few} too few: it takes {least}"))
            }
            _ if self.is_one() => {
                because("the embeddings of all pictures are the same, so they tell nothing")
            }
            _ => Ok(()),
        }
    }

    /// Those of the compared samples that have a label and probabilities.
    pub(super) fn known(&self) -> Vec<usize> {
        let classes = self.class_count();
        let labeled = |&at: &usize| self.judged[at] && (self.labels[at] as usize) < classes;
        (0..self.len()).filter(labeled).collect()
    }

    /// The probability of a sample's own label.
    pub(super) fn confidence(&self, at: usize) -> f64 {
        f64::from(self.probabilities[at * self.class_count() + self.labels[at] as usize])
    }
}

/// The samples with an embedding, or an even share of them.
fn compared(inputs: &Inputs<'_>, matrix: &EmbeddingMatrix, classes: usize) -> Vec<u32> {
    let usable = |row: &u32| {
        inputs.file_metadata.decodable(SampleId(*row)) && matrix.row(*row as usize).iter().any(|x| *x != 0.0)
    };
    let count = matrix.rows().min(inputs.manifest.len()) as u32;
    let rows: Vec<u32> = (0..count).filter(usable).collect();
    let room = (WORK / (matrix.cols() * classes).max(1)).clamp(LEAST, MOST);
    let take = rows.len().min(room);
    (0..take).map(|at| rows[at * rows.len() / take]).collect()
}
