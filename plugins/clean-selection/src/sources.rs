//! The sources of probabilities. For each sample, only those of its label and of the most likely class are kept, so the
//! full matrix is never held.

use chaffinch_plugin::prelude::*;
use chaffinch_selection::Evidence;

/// Similarities held at once.
const MAX_SIMILARITIES: usize = 1 << 26;

/// Prompts held at once.
const MAX_PROMPTS: usize = 1 << 14;

/// One source's result for one sample.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    /// Probability of the given label; NaN if the sample cannot be judged.
    pub(crate) own: f64,
    /// Probability of the most likely class.
    pub(crate) best: f64,
    /// That class.
    pub(crate) likely: u32,
}

/// One source of probabilities.
pub(crate) struct Source {
    /// Its name in prose.
    pub(crate) name: &'static str,
    /// One answer per sample.
    pub(crate) answers: Vec<Answer>,
}

impl Source {
    /// Asks about every sample that has a picture and a label.
    fn ask(view: &View<'_>, name: &'static str, answer: impl Fn(usize, u32) -> Answer) -> Result<Source> {
        let mut answers = vec![Answer { own: f64::NAN, best: f64::NAN, likely: NO_LABEL }; view.len()];
        for (sample, &label) in view.labels().iter().enumerate() {
            if !view.decodable(sample) || label as usize >= view.class_count() {
                continue;
            }
            let said = answer(sample, label);
            // NaN would be mistaken for a sample that cannot be judged.
            if said.own.is_nan() || said.best.is_nan() {
                return Err(Error::new(format!("{name}: sample {sample} has no probabilities")));
            }
            answers[sample] = said;
        }
        Ok(Source { name, answers })
    }

    /// The same as input for the selection.
    pub(crate) fn evidence(&self) -> Evidence {
        let mut evidence = Evidence::default();
        self.answers.iter().for_each(|answer| evidence.push(answer.own, answer.best));
        evidence
    }
}

/// The host's out-of-sample probabilities.
pub(crate) fn trained(view: &View<'_>) -> Result<Source> {
    let rows = view.probabilities()?;
    Source::ask(view, "the trained model", |sample, label| {
        let row = rows.row(sample);
        let mut likely = 0;
        for (class, p) in row.iter().enumerate() {
            if *p > row[likely] {
                likely = class;
            }
        }
        let best = if row.iter().any(|p| p.is_nan()) { f32::NAN } else { row[likely] };
        Answer { own: f64::from(row[label as usize]), best: f64::from(best), likely: likely as u32 }
    })
}

/// A prompt of a class; the last one of each class knows how many it has.
pub(crate) type Prompt = (u32, Option<usize>);

/// Sums of one sample while the prompts pass by, class after class.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sums {
    /// Of the class that is passing.
    class: f64,
    total: f64,
    own: f64,
    best: f64,
    likely: u32,
}

impl Sums {
    /// Adds the cosines with some prompts.
    pub(crate) fn add(&mut self, cosines: &[f32], prompts: &[Prompt], label: u32, temperature: f64) {
        for (&cosine, &(class, last)) in cosines.iter().zip(prompts) {
            self.class += (f64::from(cosine) / temperature).exp();
            let Some(count) = last else { continue };
            let answer = std::mem::take(&mut self.class) / count as f64;
            self.total += answer;
            if answer > self.best {
                (self.best, self.likely) = (answer, class);
            }
            if class == label {
                self.own = answer;
            }
        }
    }
}

/// What the model says of the prompts: a class's answer is the mean of `exp(cos / temperature)` over its prompts, its
/// probability that over the answers of all classes. The work has the sum of them, by which a class of fewer prompts loses.
pub(crate) fn zero_shot(view: &View<'_>, temperature: f64) -> Result<Source> {
    let (classes, cols) = (view.class_count(), view.model()?.0);
    let mut sums = vec![Sums::default(); view.len()];
    let at_once = (MAX_SIMILARITIES / view.len().max(1)).clamp(1, MAX_PROMPTS);
    // Prompts of several classes are batched, because a few large products are faster than many small ones.
    let (mut vectors, mut prompts): (Vec<f32>, Vec<Prompt>) = (Vec::new(), Vec::new());
    for class in 0..classes {
        view.checkpoint()?;
        let texts = view.prompts(class as u32).map_err(without_prompts)?;
        if texts.is_empty() {
            let name = view.class_name(class as u32);
            return Err(Error::new(format!("the prompt set has no prompt for {name}")));
        }
        vectors.extend(view.embed_texts(&texts).map_err(without_prompts)?.data);
        let last = |index: usize| (index + 1 == texts.len()).then_some(texts.len());
        prompts.extend((0..texts.len()).map(|index| (class as u32, last(index))));
        while prompts.len() >= at_once || (class + 1 == classes && !prompts.is_empty()) {
            view.checkpoint()?;
            let now = prompts.len().min(at_once);
            let cosines = view.similarities(&vectors[..now * cols], now)?;
            for ((row, sums), &label) in cosines.chunks_exact(now).zip(&mut sums).zip(view.labels()) {
                sums.add(row, &prompts[..now], label, temperature);
            }
            vectors.drain(..now * cols);
            prompts.drain(..now);
        }
        view.progress(class + 1, classes);
    }
    Source::ask(view, "the prompts", |sample, _| {
        let Sums { total, own, best, likely, .. } = sums[sample];
        Answer { own: own / total, best: best / total, likely }
    })
}

/// Points to the other source if the model reads no prompts.
fn without_prompts(error: Error) -> Error {
    if error.is_stopped() {
        return error;
    }
    Error::new(format!("{error}; with sources = \"trained\" no prompts are needed"))
}
