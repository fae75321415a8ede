//! What the model answers for each sample, without ever holding all samples times all classes.

use chaffinch_plugin::prelude::*;

/// Similarities held at once.
const MAX_SIMILARITIES: usize = 1 << 26;

/// One vector per class, and one each alternative.
pub(crate) struct Prompts {
    /// Class vectors, then alternatives, row by row.
    pub(crate) vectors: OwnedMatrix,
    /// Number of alternatives.
    pub(crate) alternatives: usize,
}

impl Prompts {
    /// Embeds the prompts of all classes and the alternatives.
    pub(crate) fn read(view: &View<'_>) -> Result<Prompts> {
        let OwnedMatrix { mut data, cols } = view.class_vectors()?;
        let alternatives = view.alternatives()?;
        if !alternatives.is_empty() {
            data.extend(view.embed_texts(&alternatives)?.data);
        }
        Ok(Prompts { vectors: OwnedMatrix { data, cols }, alternatives: alternatives.len() })
    }
}

/// What the model says of one sample.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    /// Probability of the given label among the classes; 0 without a label.
    pub(crate) given: f32,
    /// The most probable class.
    pub(crate) best: u32,
    /// Logit of the given label minus that of the nearest alternative.
    pub(crate) lead: f32,
}

/// Sums of one sample while the classes pass by.
#[derive(Clone, Copy)]
struct Sums {
    /// Sum of exp(logit − highest).
    total: f32,
    highest: f32,
    best: u32,
    given: f32,
    alternative: f32,
}

/// Asks for all samples.
pub(crate) fn ask(view: &View<'_>, prompts: &Prompts, scale: f32) -> Result<Vec<Answer>> {
    let classes = view.class_count();
    let none = f32::NEG_INFINITY;
    let mut sums =
        vec![Sums { total: 0.0, highest: none, best: 0, given: none, alternative: none }; view.len()];
    let all = prompts.vectors.rows();
    let at_once = (MAX_SIMILARITIES / view.len().max(1)).clamp(1, all);
    for from in (0..all).step_by(at_once) {
        view.checkpoint()?;
        let to = (from + at_once).min(all);
        let cols = prompts.vectors.cols;
        let cosines = view.similarities(&prompts.vectors.data[from * cols..to * cols], to - from)?;
        for ((row, sums), &label) in cosines.chunks_exact(to - from).zip(&mut sums).zip(view.labels()) {
            for (index, cosine) in row.iter().enumerate() {
                let (class, logit) = (from + index, cosine * scale);
                if class < classes {
                    sums.add(class as u32, logit, label);
                } else {
                    sums.alternative = sums.alternative.max(logit);
                }
            }
        }
        view.progress(to, all);
    }
    Ok(sums.iter().map(Sums::answer).collect())
}

impl Sums {
    fn add(&mut self, class: u32, logit: f32, label: u32) {
        if logit > self.highest {
            self.total = self.total * (self.highest - logit).exp() + 1.0;
            self.highest = logit;
            self.best = class;
        } else {
            self.total += (logit - self.highest).exp();
        }
        if class == label {
            self.given = logit;
        }
    }

    fn answer(&self) -> Answer {
        Answer {
            given: (self.given - self.highest).exp() / self.total,
            best: self.best,
            lead: self.given - self.alternative,
        }
    }
}
