//! Class probabilities from elsewhere: from their files into the session, from there to detectors, and whether they look
//! like those of a model that has not seen the samples.

use super::{Complaints, remember, settle};
use crate::findings::Findings;
use crate::setup::ProbabilityWish;
use crate::{Error, Result, Setup};
use chaffinch_compute::out_of_sample::OutOfSample;
use chaffinch_data::issue::PROBABILITIES;
use chaffinch_data::probabilities::{Bound, GivenProbabilities};
use chaffinch_formats::probabilities::{GivenModel, Joined, join};
use chaffinch_plugin::GIVEN_FOLD;
use chaffinch_protocol::display::counted;
use chaffinch_protocol::sample::SampleId;
use std::io::ErrorKind;

/// What detectors get in place of the host's own probabilities, or why they get none, and a digest of it.
type Probabilities = (std::result::Result<OutOfSample, String>, String);

/// The probabilities that were just named, or else those that the session keeps; `None` if there are none.
///
/// # Errors
/// When those named cannot be matched to samples, or be kept.
pub(crate) fn probabilities(
    setup: &Setup,
    models: Option<Vec<GivenModel>>,
    findings: &mut Findings,
) -> Result<Option<Probabilities>> {
    let path = setup.session.probabilities_path();
    let mut notes = Vec::new();
    let given = match (&setup.given.probabilities, models) {
        (Some(ProbabilityWish::Take(named)), Some(models)) => {
            let joined = join(&models, named.name(), &findings.manifest, &findings.file_metadata)?;
            let Joined { probabilities, remarks, told } = joined;
            notes.extend(remember(setup, &told)?);
            probabilities.save(&path)?;
            notes.extend(remarks.into_iter().map(|remark| ("remark".to_owned(), remark)));
            Some(Ok(probabilities))
        }
        (Some(ProbabilityWish::Drop), _) => match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(Error::io("remove", &path)(error));
            }
            _ => None,
        },
        _ => GivenProbabilities::load(&path).transpose(),
    };
    let Some(given) = given else {
        settle(setup, PROBABILITIES, None, findings)?;
        return Ok(None);
    };
    let bound = given.and_then(|given| {
        let bound = given.bind(&findings.manifest, &findings.file_metadata)?;
        Ok((bound, given))
    });
    let (Bound { found, bad, missing }, given) = match bound {
        Ok(bound) => bound,
        // Detectors that ask for them say so; the others run.
        Err(error) => return Ok(Some((Err(error.to_string()), error.to_string()))),
    };
    let (bad, missing): (Vec<_>, Vec<_>) = {
        let decodable = |id: &SampleId| findings.file_metadata.decodable(*id);
        (bad.into_iter().filter(decodable).collect(), missing.into_iter().filter(decodable).collect())
    };
    let source = given.source();
    let agreement = Agreement::of(&found, findings.manifest.labels());
    for doubt in [agreement.seen_before(), agreement.guessed()].into_iter().flatten() {
        notes.push(("warning".to_owned(), doubt));
    }
    let mut warn = |text: String| notes.push(("not judged".to_owned(), text));
    let of = |count: usize, what: &str| {
        let pictures = counted(count as u64, "picture has", "pictures have");
        format!("{pictures} {what} in the {source}, so labels were not judged by them there")
    };
    if !bad.is_empty() {
        warn(of(bad.len(), "no distribution"));
    }
    if !missing.is_empty() {
        warn(of(missing.len(), "no row"));
    }
    let complaints = Complaints {
        name: PROBABILITIES,
        summary: "The picture has no class probabilities, so its label was not judged by them",
        bad: (
            &bad,
            format!("its row in the {source} is not a distribution: numbers from 0 to 1 that add up to 1"),
        ),
        missing: (&missing, format!("the {source} have no row for it, so its label was not judged by them")),
        notes,
    };
    let result = complaints.result(findings.manifest.len(), findings.manifest.classes());
    settle(setup, PROBABILITIES, result, findings)?;
    Ok(Some((Ok(found), given.digest())))
}

/// Samples from which agreement alone says that a model has seen the labels.
const MANY: usize = 1000;
/// Agreement with the labels that no out-of-sample model reaches on so many: labels that somebody gave have more mistakes.
const TOO_GOOD: f64 = 0.9995;
/// Samples from which a model that is never wrong and never unsure has seen them.
const SOME: usize = 50;
/// What it says of each label at least.
const TOO_SURE: f32 = 0.95;

/// How far probabilities agree with the given labels.
#[derive(Debug, Clone, Copy)]
struct Agreement {
    classes: usize,
    /// Samples with a label and a row.
    judged: usize,
    /// Those of them whose label is the most likely class.
    agreed: usize,
    /// The least probability of a given label.
    least: f32,
}

impl Agreement {
    fn of(found: &OutOfSample, labels: &[u32]) -> Agreement {
        let mut all = Agreement { classes: found.classes, judged: 0, agreed: 0, least: 1.0 };
        let rows = found.matrix.chunks_exact(found.classes.max(1));
        for ((row, &label), &fold) in rows.zip(labels).zip(&found.folds) {
            let Some(&own) = row.get(label as usize).filter(|_| fold == GIVEN_FOLD) else { continue };
            all.judged += 1;
            all.agreed += usize::from(row.iter().all(|&p| p <= own));
            all.least = all.least.min(own);
        }
        all
    }

    /// Why they look like those of a model that was trained on these labels, if they do: it agrees with at least 99.95 % of a
    /// thousand labels or more, or with all of fifty or more and has no doubt about any.
    fn seen_before(self) -> Option<String> {
        let Agreement { classes, judged, agreed, least } = self;
        let share = agreed as f64 / judged.max(1) as f64;
        let too_good = judged >= MANY && share >= TOO_GOOD;
        let too_sure = judged >= SOME && agreed == judged && least >= TOO_SURE;
        (classes > 1 && (too_good || too_sure)).then(|| {
            format!(
                "{agreed} of {} agree with the given probabilities, which no model reaches on samples that it was not \
                 trained on; such probabilities hide wrong labels, so use cross-validation",
                counted(judged as u64, "label", "labels")
            )
        })
    }

    /// Why rows or columns look as if they were in another order, if they do: the most likely class is the label no more often than
    /// by chance (three standard deviations above one in as many as there are classes, of fifty samples or more).
    fn guessed(self) -> Option<String> {
        let Agreement { classes, judged, agreed, .. } = self;
        let chance = 1.0 / classes.max(1) as f64;
        let by_chance = chance + 3.0 * (chance * (1.0 - chance) / judged.max(1) as f64).sqrt();
        let guessed = classes > 1 && judged >= SOME && agreed as f64 <= by_chance * judged as f64;
        guessed.then(|| {
            format!(
                "only {agreed} of {} agree with the given probabilities, no more than by chance: check the order of their \
                 rows and of their classes",
                counted(judged as u64, "label", "labels")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two classes; `wrong` samples have a label that the model contradicts, and it is this sure of all others.
    fn said(count: usize, wrong: usize, sure: f32) -> (OutOfSample, Vec<u32>) {
        let labels: Vec<u32> = (0..count).map(|row| u32::from(row % 2 == 0)).collect();
        let row = |(row, &label): (usize, &u32)| {
            let own = if row < wrong { 0.1 } else { sure };
            if label == 0 { [own, 1.0 - own] } else { [1.0 - own, own] }
        };
        let matrix = labels.iter().enumerate().flat_map(row).collect();
        let folds = vec![GIVEN_FOLD; count];
        (OutOfSample { matrix, classes: 2, folds, inverse_temperature: 1.0 }, labels)
    }

    fn doubted(count: usize, wrong: usize, sure: f32) -> bool {
        let (found, labels) = said(count, wrong, sure);
        Agreement::of(&found, &labels).seen_before().is_some()
    }

    #[test]
    fn what_agrees_with_every_label_was_trained_on_them() {
        assert!(doubted(2000, 0, 0.7) && doubted(2000, 1, 0.7));
        assert!(
            !doubted(2000, 2, 0.7),
            "one in a thousand is what the best models reach on the easiest datasets"
        );
        assert!(!doubted(999, 0, 0.7), "a good model may be right about a few hundred");
        assert!(doubted(50, 0, 0.99) && !doubted(49, 0, 0.99) && !doubted(50, 1, 0.99));
    }

    #[test]
    fn what_agrees_no_more_than_by_chance_is_in_another_order() {
        let guessed = |count: usize, wrong: usize| {
            let (found, labels) = said(count, wrong, 0.7);
            Agreement::of(&found, &labels).guessed().is_some()
        };
        assert!(guessed(100, 100) && guessed(100, 50) && guessed(1000, 460));
        assert!(!guessed(100, 30) && !guessed(1000, 440), "a poor model is not a mistake");
        assert!(!guessed(49, 49), "there are too few to tell");
    }

    #[test]
    fn samples_without_a_row_or_a_label_say_nothing() {
        let (mut found, mut labels) = said(1100, 101, 0.7);
        found.folds[..101].fill(u32::MAX);
        assert!(Agreement::of(&found, &labels).seen_before().is_none(), "there are not a thousand left");
        let (mut found_more, mut labels_more) = said(1200, 101, 0.7);
        found_more.folds[..100].fill(u32::MAX);
        labels_more[100] = u32::MAX;
        assert!(Agreement::of(&found_more, &labels_more).seen_before().is_some());
        labels.fill(u32::MAX);
        assert!(Agreement::of(&found, &labels).seen_before().is_none());
    }
}
