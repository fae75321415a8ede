//! The sources of probabilities: those that the user gave; or else a model trained on the labels of the other samples, and, if the model reads text, its
//! zero-shot prompts.

use crate::refused;
use chaffinch_confident::{Pool, Table};
use chaffinch_plugin::prelude::*;
use std::borrow::Cow;

/// Similarities held at once.
const MAX_SIMILARITIES: usize = 1 << 26;
/// Rows to combine between checkpoints.
const ROWS: usize = 4096;

/// Probabilities of the samples that are judged.
pub(crate) struct Sources<'v> {
    /// One row per sample.
    pub(crate) rows: Cow<'v, [f32]>,
    /// The inverse temperature that calibrated them.
    pub(crate) inverse_temperature: f64,
    /// Whether prompts contribute to them.
    pub(crate) joined: bool,
    /// Whether they are the user's own, which are used as they are.
    pub(crate) given: bool,
    /// What was asked, for the note.
    pub(crate) words: String,
}

impl<'v> Sources<'v> {
    pub(crate) fn read(view: &View<'v>, samples: &[u32], labels: &[u32], join: bool) -> Result<Sources<'v>> {
        let trained = Sources::trained(view, samples)?;
        if trained.given || !join {
            return Ok(trained);
        }
        match view.class_vectors() {
            Ok(classes) => trained.with_prompts(view, samples, labels, &classes),
            // Without prompts, the trained model is enough.
            Err(error) if error.is_missing() => {
                Ok(Sources { words: format!("the trained model alone: {error}"), ..trained })
            }
            Err(error) => Err(error),
        }
    }

    fn trained(view: &View<'v>, samples: &[u32]) -> Result<Sources<'v>> {
        let all = view.probabilities()?;
        let in_order = samples.iter().enumerate().all(|(index, &sample)| index == sample as usize);
        let rows = if samples.len() == view.len() && in_order {
            Cow::Borrowed(all.as_slice())
        } else {
            Cow::Owned(samples.iter().flat_map(|&sample| all.row(sample as usize)).copied().collect())
        };
        let inverse_temperature = f64::from(view.inverse_temperature()?);
        let given = view.probabilities_are_given()?;
        let words = if given { "the given probabilities, as they are" } else { "the trained model alone" };
        Ok(Sources { rows, inverse_temperature, joined: false, given, words: words.into() })
    }

    /// Combines them with the prompts' probabilities, weighted by how well each explains the labels.
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
        let pool = Pool::of(&table, self.inverse_temperature, |index, row| {
            view.checkpoint()?;
            let logits = &rows[index * count..(index + 1) * count];
            row.iter_mut().zip(logits).for_each(|(to, &logit)| *to = f64::from(logit));
            Ok(())
        })?;
        for (index, row) in rows.chunks_exact_mut(count).enumerate() {
            if index.is_multiple_of(ROWS) {
                view.checkpoint()?;
            }
            pool.join(&table, index, row);
        }
        let words = format!(
            "the trained model's probabilities to the power of {:.2}, the prompts' to the power of {:.2}",
            pool.first, pool.second
        );
        Ok(Sources {
            rows: Cow::Owned(rows),
            inverse_temperature: pool.inverse_temperature,
            joined: true,
            given: false,
            words,
        })
    }
}

/// The prompts' log-probabilities for the samples, up to a constant: one row per sample.
fn logits(view: &View<'_>, samples: &[u32], classes: &OwnedMatrix) -> Result<Vec<f32>> {
    let (count, scale) = (classes.rows(), view.model()?.1);
    let mut rows = vec![0.0; samples.len() * count];
    // A few classes at a time, because the host keeps a second copy of its response.
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
