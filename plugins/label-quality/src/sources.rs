//! Where probabilities come from: what a model learned from the other samples' labels, and, where the model reads text, what
//! it takes the classes for by their prompts.

use crate::refused;
use chaffinch_confident::{Pool, Table};
use chaffinch_plugin::prelude::*;
use std::borrow::Cow;

/// Similarities held at once.
const MAX_SIMILARITIES: usize = 1 << 26;
/// Rows that are joined before it is asked whether to go on.
const ROWS: usize = 4096;

/// Probabilities of the samples that are judged.
pub(crate) struct Sources<'v> {
    /// One row a sample.
    pub(crate) rows: Cow<'v, [f32]>,
    /// The power to which they were raised to be as sure as they are right.
    pub(crate) inverse_temperature: f64,
    /// Whether prompts are in them.
    pub(crate) joined: bool,
    /// What was asked, for the note.
    pub(crate) words: String,
}

impl<'v> Sources<'v> {
    pub(crate) fn read(view: &View<'v>, samples: &[u32], labels: &[u32], join: bool) -> Result<Sources<'v>> {
        let trained = Sources::trained(view, samples)?;
        if !join {
            return Ok(trained);
        }
        match view.class_vectors() {
            Ok(classes) => trained.with_prompts(view, samples, labels, &classes),
            // A model that reads no prompts is no reason to judge nothing.
            Err(error) if error.is_missing() => {
                Ok(Sources { words: format!("the trained model alone: {error}"), ..trained })
            }
            Err(error) => Err(error),
        }
    }

    fn trained(view: &View<'v>, samples: &[u32]) -> Result<Sources<'v>> {
        let all = view.probabilities()?;
        // A copy only where some samples are left out: with a thousand classes the matrix is large.
        let rows = if samples.len() == view.len() {
            Cow::Borrowed(all.as_slice())
        } else {
            Cow::Owned(samples.iter().flat_map(|&sample| all.row(sample as usize)).copied().collect())
        };
        let inverse_temperature = f64::from(view.inverse_temperature()?);
        Ok(Sources { rows, inverse_temperature, joined: false, words: "the trained model alone".into() })
    }

    /// Joins them with what the prompts say, each with the weight that the labels give it.
    fn with_prompts(
        self,
        view: &View<'v>,
        samples: &[u32],
        labels: &[u32],
        classes: &OwnedMatrix,
    ) -> Result<Sources<'v>> {
        let count = classes.rows();
        let table = Table::new(&self.rows, count, labels).map_err(refused)?;
        let mut rows = logits(view, samples, classes)?;
        let pool = Pool::of(&table, self.inverse_temperature, |place, row| {
            view.checkpoint()?;
            let logits = &rows[place * count..(place + 1) * count];
            row.iter_mut().zip(logits).for_each(|(to, &logit)| *to = f64::from(logit));
            Ok(())
        })?;
        for (place, row) in rows.chunks_exact_mut(count).enumerate() {
            if place.is_multiple_of(ROWS) {
                view.checkpoint()?;
            }
            pool.join(&table, place, row);
        }
        let words = format!(
            "the trained model's probabilities to the power of {:.2}, the prompts' to the power of {:.2}",
            pool.first, pool.second
        );
        Ok(Sources {
            rows: Cow::Owned(rows),
            inverse_temperature: pool.inverse_temperature,
            joined: true,
            words,
        })
    }
}

/// What the prompts say of the samples, as logarithms of probabilities up to a constant: one row a sample.
fn logits(view: &View<'_>, samples: &[u32], classes: &OwnedMatrix) -> Result<Vec<f32>> {
    let (count, scale) = (classes.rows(), view.model()?.1);
    let mut rows = vec![0.0; samples.len() * count];
    // Some classes at a time: the host holds what it answers once more.
    let at_once = (MAX_SIMILARITIES / view.len().max(1)).clamp(1, count);
    for from in (0..count).step_by(at_once) {
        view.checkpoint()?;
        let to = (from + at_once).min(count);
        let cosines = view.similarities(&classes.data[from * classes.cols..to * classes.cols], to - from)?;
        for (row, &sample) in rows.chunks_exact_mut(count).zip(samples) {
            let cosines = &cosines[sample as usize * (to - from)..(sample as usize + 1) * (to - from)];
            row[from..to].iter_mut().zip(cosines).for_each(|(logit, cosine)| *logit = scale * cosine);
        }
    }
    Ok(rows)
}
