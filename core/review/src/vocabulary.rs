//! What samples show in the words of any vocabulary: zero-shot classification over a list of names, and the samples that fit
//! no class of the dataset.
//!
//! The method is CLIP's (Radford et al. 2021, section 3.1): a name is the mean direction of its prompts, and the probabilities of a
//! sample are the softmax of its cosines with all names, times the scale that the model has learned, divided by the temperature.

use crate::Result;
use chaffinch_compute::cut_texts;
use chaffinch_compute::embedding::Embedder;
use chaffinch_compute::linear::{matmul_transposed, most_likely, softmax};
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_data::Error;
use chaffinch_data::manifest::NO_LABEL;
use chaffinch_data::prompts::PromptSet;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Samples of one matrix product.
const BLOCK: usize = 256;
/// Texts of one pass of the model.
const TEXTS: usize = 64;
/// A name is a kind of a class if, of those that are most like it, at least this share of the class's samples get one, and ...
const KIND_SHARE: f64 = 0.05;
/// ... at least this share of the samples that do are of the class.
const KIND_PURITY: f64 = 0.5;
/// The share of the other names that are most like a name and count with it: of a thousand names, the twenty nearest.
const ALIKE: f64 = 0.02;

/// Names as vectors. The classes of the dataset come first, in their order; other names follow.
#[derive(Debug, Clone)]
pub struct Vocabulary {
    names: Vec<String>,
    classes: usize,
    dim: usize,
    /// A row for each name, of length 1.
    vectors: Vec<f32>,
}

/// What a sample shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The likeliest names with their probabilities, the likeliest first.
    pub top: Vec<(u32, f32)>,
    /// The probability that it shows any class of the dataset, or a kind of one.
    pub fits: f32,
}

impl Vocabulary {
    /// Embeds the names of the classes and then all others, each once whatever its case. `step` is told how many texts are done.
    ///
    /// # Errors
    /// When the model has no text tower, the device fails, a name has no direction, or `step` does.
    pub fn embed(
        embedder: &dyn Embedder,
        prompts: &PromptSet,
        (classes, others): (&[String], &[String]),
        step: &dyn Fn(u64, u64) -> Result<()>,
    ) -> Result<Vocabulary> {
        let spoken = |name: &str| prompts.for_class(name).join("\n").to_lowercase();
        let mut seen: BTreeSet<String> = classes.iter().map(|name| spoken(name)).collect();
        let mut names = classes.to_vec();
        names.extend(others.iter().filter(|name| seen.insert(spoken(name))).cloned());
        let texts: Vec<Vec<String>> = names.iter().map(|name| prompts.for_class(name)).collect();
        let (dim, count) = (embedder.dim(), names.len() as u64);
        let mut vectors = Vec::new();
        for (number, part) in texts.chunks(TEXTS).enumerate() {
            step((number * TEXTS) as u64, count)?;
            let all: Vec<&str> = part.iter().flatten().map(String::as_str).collect();
            let embedded = embedder.embed_texts(&all)?;
            let mut rest = embedded.as_slice();
            for texts in part {
                let (own, others) = rest.split_at(texts.len() * dim);
                rest = others;
                vectors.extend(direction(own, dim).ok_or_else(|| {
                    let name = texts.first().map_or("", String::as_str);
                    Error::Invalid(format!("the model gives the text '{name}' no direction"))
                })?);
            }
        }
        Ok(Vocabulary { names, classes: classes.len(), dim, vectors })
    }

    /// That the model reads only the beginning of some texts that it is asked about these names; `None` if it reads all of them.
    pub fn cut(&self, embedder: &dyn Embedder, prompts: &PromptSet) -> Option<String> {
        let texts: Vec<String> = self.names.iter().flat_map(|name| prompts.for_class(name)).collect();
        cut_texts::words(embedder, texts.iter().map(String::as_str))
    }

    /// The names, those of the classes first.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether a name is a class of the dataset.
    pub fn is_class(&self, name: u32) -> bool {
        (name as usize) < self.classes
    }

    /// The direction of a name, of length 1.
    pub fn vector(&self, name: u32) -> &[f32] {
        let from = name as usize * self.dim;
        self.vectors.get(from..from + self.dim).unwrap_or_default()
    }

    /// What each sample shows: its `count` likeliest names. Samples that are not usable show nothing, and nothing is said of how they
    /// fit. A name that many samples of one class get, and few others, counts as a kind of that class, together with the names that
    /// are most like it.
    pub fn classify(
        &self,
        matrix: &EmbeddingMatrix,
        labels: &[u32],
        (scale, count): (f32, usize),
        usable: &(dyn Fn(usize) -> bool + Sync),
    ) -> Vec<Option<Seen>> {
        let all = self.names.len();
        let rows = matrix.rows();
        let best: Vec<Option<u32>> = self.each(matrix, usable, rows, &|row| Some(most_likely(row)));
        let kinds = kinds(&best, labels, self.classes, &self.alike());
        let own = |name: usize| name < self.classes || kinds[name] != NO_LABEL;
        self.each(matrix, usable, rows, &|row| {
            row.iter_mut().for_each(|cosine| *cosine *= scale);
            softmax(row);
            let fits: f64 = (0..all).filter(|&name| own(name)).map(|name| f64::from(row[name])).sum();
            let mut order: Vec<u32> = (0..all as u32).collect();
            let taken = count.min(all);
            let worse = |a: &u32, b: &u32| row[*b as usize].total_cmp(&row[*a as usize]).then(a.cmp(b));
            if taken > 0 && taken < all {
                order.select_nth_unstable_by(taken - 1, worse);
            }
            order.truncate(taken);
            order.sort_unstable_by(worse);
            Some(Seen {
                top: order.into_iter().map(|name| (name, row[name as usize])).collect(),
                fits: fits as f32,
            })
        })
    }

    /// For each name, itself and the other names that are not classes and are most like it.
    fn alike(&self) -> Vec<Vec<u32>> {
        let (all, dim) = (self.names.len(), self.dim);
        let count = ((all - self.classes) as f64 * ALIKE) as usize;
        let row = |name: usize| &self.vectors[name * dim..(name + 1) * dim];
        let of = |name: usize| {
            let mut near: Vec<(f32, u32)> = (self.classes..all)
                .filter(|&other| other != name)
                .map(|other| (row(name).iter().zip(row(other)).map(|(a, b)| a * b).sum(), other as u32))
                .collect();
            near.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            near.into_iter().take(count).map(|one| one.1).chain([name as u32]).collect()
        };
        (0..all).into_par_iter().map(of).collect()
    }

    /// Passes the cosines of each usable sample with all names to `look`, in parallel.
    fn each<T: Send + Clone>(
        &self,
        matrix: &EmbeddingMatrix,
        usable: &(dyn Fn(usize) -> bool + Sync),
        rows: usize,
        look: &(dyn Fn(&mut [f32]) -> Option<T> + Sync),
    ) -> Vec<Option<T>> {
        let (dim, all) = (self.dim, self.names.len());
        let mut found = vec![None; rows];
        found.par_chunks_mut(BLOCK).enumerate().for_each(|(block, found)| {
            let from = block * BLOCK;
            let samples = &matrix.as_slice()[from * dim..(from + found.len()) * dim];
            let mut cosines = vec![0.0; found.len() * all];
            matmul_transposed(samples, found.len(), &self.vectors, all, dim, &mut cosines);
            for (index, (row, found)) in cosines.chunks_exact_mut(all.max(1)).zip(found).enumerate() {
                if usable(from + index) {
                    *found = look(row);
                }
            }
        });
        found
    }
}

/// The class that each name is a kind of, [`NO_LABEL`] if of none: `tabby cat` of `cat`, where at least a twentieth of the samples of
/// `cat` look most like it or a name that is `alike`, and at least half of the samples that do are of `cat`. Names of classes are their
/// own.
fn kinds(best: &[Option<u32>], labels: &[u32], classes: usize, alike: &[Vec<u32>]) -> Vec<u32> {
    let mut sizes = vec![0_u64; classes];
    let mut counts = vec![BTreeMap::<u32, u64>::new(); alike.len()];
    for (best, &label) in best.iter().zip(labels) {
        let Some(best) = *best else { continue };
        if let Some(size) = sizes.get_mut(label as usize) {
            *size += 1;
        }
        *counts[best as usize].entry(label).or_default() += 1;
    }
    let kind = |(name, alike): (usize, &Vec<u32>)| {
        if name < classes {
            return name as u32;
        }
        let mut together = BTreeMap::<u32, u64>::new();
        for (&label, &count) in alike.iter().flat_map(|&other| &counts[other as usize]) {
            *together.entry(label).or_default() += count;
        }
        let all: u64 = together.values().sum();
        let most = together.iter().max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0)));
        let Some((&label, &count)) = most.filter(|(label, _)| (**label as usize) < classes) else {
            return NO_LABEL;
        };
        let (share, purity) = (count as f64 / sizes[label as usize] as f64, count as f64 / all as f64);
        if share >= KIND_SHARE && purity >= KIND_PURITY { label } else { NO_LABEL }
    };
    alike.iter().enumerate().map(kind).collect()
}

/// The mean direction of some vectors; nothing if it has none.
fn direction(vectors: &[f32], dim: usize) -> Option<Vec<f32>> {
    let mut sum = vec![0.0_f64; dim];
    for row in vectors.chunks_exact(dim) {
        let norm = row.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
        sum.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x) / norm);
    }
    let norm = sum.iter().map(|x| x * x).sum::<f64>().sqrt();
    (norm > 0.0 && norm.is_finite()).then(|| sum.iter().map(|x| (x / norm) as f32).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names along the axes, of which the first `classes` are classes.
    fn axes(dim: usize, classes: usize) -> Vocabulary {
        let vectors = (0..dim * dim).map(|at| f32::from(u8::from(at / dim == at % dim))).collect();
        Vocabulary { names: (0..dim).map(|name| format!("n{name}")).collect(), classes, dim, vectors }
    }

    /// A sample near an axis.
    fn near(axis: usize, dim: usize) -> Vec<f32> {
        (0..dim).map(|at| if at == axis { 0.9 } else { 0.1 }).collect()
    }

    #[test]
    fn the_likeliest_names_come_first_and_probabilities_sum_to_one() {
        let vocabulary = axes(4, 2);
        let matrix = EmbeddingMatrix::from_vec([near(0, 4), near(3, 4)].concat(), 4);
        let seen = vocabulary.classify(&matrix, &[0, NO_LABEL], (10.0, 4), &|row| row < 2);
        let names: Vec<u32> = seen[1].iter().flat_map(|seen| seen.top.iter().map(|one| one.0)).collect();
        assert_eq!(names, [3, 0, 1, 2], "ties are in the order of the names");
        for seen in seen.iter().flatten() {
            let sum: f32 = seen.top.iter().map(|one| one.1).sum();
            assert!((sum - 1.0).abs() < 1e-5, "{sum}");
        }
        let fits: Vec<f32> = seen.iter().flatten().map(|seen| seen.fits).collect();
        assert!(fits[0] > 0.9 && fits[1] < 0.1, "{fits:?}");
        assert!(vocabulary.is_class(1) && !vocabulary.is_class(2));
        assert!(vocabulary.classify(&matrix, &[0, 0], (10.0, 4), &|row| row < 1)[1].is_none());
        // A higher temperature is a smaller scale: less sure, in the same order.
        let warm = vocabulary.classify(&matrix, &[0, 0], (1.0, 1), &|_| true);
        let sure = |seen: &Option<Seen>| seen.as_ref().map_or(0.0, |seen| seen.top[0].1);
        assert!(sure(&warm[0]) < sure(&seen[0]));
        assert_eq!(warm[0].as_ref().map(|seen| seen.top[0].0), Some(0));
    }

    #[test]
    fn a_name_that_much_of_a_class_gets_is_a_kind_of_it() {
        // Of forty samples of class 0, thirty look like name 2, its kind; one like name 3, which is foreign.
        let axis = |row: usize| {
            if row < 30 {
                2
            } else if row == 30 {
                3
            } else {
                0
            }
        };
        let matrix = EmbeddingMatrix::from_vec((0..40).flat_map(|row| near(axis(row), 4)).collect(), 4);
        let seen = axes(4, 2).classify(&matrix, &[0; 40], (20.0, 1), &|_| true);
        let unfit: Vec<usize> =
            (0..40).filter(|&row| seen[row].as_ref().is_some_and(|seen| seen.fits < 0.5)).collect();
        assert_eq!(unfit, [30]);
        // Names that no class has most of are kinds of none.
        let labels: Vec<u32> = (0..40).map(|row| row % 4).collect();
        let alone: Vec<Vec<u32>> = (0..6).map(|name| vec![name]).collect();
        let found = kinds(&vec![Some(5); 40], &labels, 4, &alone);
        assert_eq!(found, [0, 1, 2, 3, NO_LABEL, NO_LABEL]);
        // Forty breeds that one sample each gets are a kind together, the odd name that is like none of them is not.
        let best: Vec<Option<u32>> = (0..41).map(|row| Some(1 + row)).collect();
        let alike: Vec<Vec<u32>> = (0..42_u32)
            .map(|name| if (1..41).contains(&name) { (1..41).collect() } else { vec![name] })
            .collect();
        let found = kinds(&best, &[0; 41], 1, &alike);
        assert_eq!((&found[1..41], found[41]), (&[0; 40][..], NO_LABEL));
    }
}
