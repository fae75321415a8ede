#![doc = include_str!("docs.md")]

mod classes;
mod ensemble;
mod member;
mod rng;
mod texts;
mod words;

use chaffinch_plugin::abi::Str;
use chaffinch_plugin::prelude::*;
use ensemble::{Data, Ensemble};
use member::Features;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use texts::Texts;

/// Threads that train at once.
const MAX_THREADS: usize = 8;

/// Trains classifiers of what is typical for each class.
pub struct Pollution;

impl Detector for Pollution {
    const INFO: Info = Info::new("pollution", "Trains classifiers of each class and flags what they reject")
        .version(env!("CARGO_PKG_VERSION"))
        .docs(include_str!("docs.md"))
        .needs(Needs::EMBEDDINGS.and(Needs::LABELS))
        .threshold(0.48)
        .params(&[
            Param::integer("members", 5, 1, 50, "Classifiers a class"),
            Param::number(
                "gate",
                0.9,
                0.5,
                0.999,
                "Share of its class that a member must call clean to join",
            ),
            Param::number(
                "member-threshold",
                0.48,
                0.05,
                0.95,
                "P(clean) below which a member calls a sample polluted",
            ),
            Param::number(
                "clean-share",
                0.98,
                0.5,
                0.999,
                "Share of clean samples that is taken for granted",
            ),
            Param::choice(
                "features",
                &[Str::new("embedding"), Str::new("engineered"), Str::new("both")],
                "What the classifiers look at",
            ),
            Param::integer("max-training", 2000, 50, 100_000, "Examples a classifier at most"),
        ]);

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        let settings = Settings::read(view)?;
        let rows = view.embeddings()?;
        let classes = classes::read(view, rows)?;
        if classes.iter().all(|class| class.ids.len() < classes::MIN_CLASS) {
            let least = classes::MIN_CLASS;
            return Err(Error::new(format!(
                "no class has {least} labelled images: there is nothing to learn from"
            )));
        }
        let texts = Texts::read(view)?;
        let data = Data { rows, classes: &classes, texts: texts.as_ref() };
        let all = train_all(view, &data, &settings)?;
        let mut scores = vec![f32::NAN; view.len()];
        for (class, ensemble) in classes.iter().zip(&all) {
            let judged = ensemble.iter().flat_map(|ensemble| &ensemble.scores);
            class.ids.iter().zip(judged).for_each(|(&id, &score)| scores[id as usize] = score);
        }
        report.scores(&scores)?;
        words::notes(view, report, &data, &all, &settings.features)?;
        words::issues(view, report, &data, &all)
    }
}

export_detector!(Pollution);

/// The parameters of a run.
pub(crate) struct Settings {
    members: usize,
    gate: f32,
    threshold: f32,
    clean_share: f32,
    features: Vec<Features>,
    max_training: usize,
}

impl Settings {
    fn read(view: &View<'_>) -> Result<Settings> {
        Ok(Settings {
            members: view.count("members")?,
            gate: view.number("gate")? as f32,
            threshold: view.number("member-threshold")? as f32,
            clean_share: view.number("clean-share")? as f32,
            features: match view.choice("features")? {
                0 => vec![Features::Embedding],
                1 => vec![Features::Engineered],
                _ => vec![Features::Embedding, Features::Engineered],
            },
            max_training: view.count("max-training")?,
        })
    }
}

/// Trains the classes side by side. Each depends on its own number only, so the result does not depend on the
/// number of threads.
fn train_all(view: &View<'_>, data: &Data<'_>, settings: &Settings) -> Result<Vec<Option<Ensemble>>> {
    let count = data.classes.len();
    let done: Vec<Mutex<Option<Result<Option<Ensemble>>>>> = (0..count).map(|_| Mutex::new(None)).collect();
    let (next, finished) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        loop {
            let label = next.fetch_add(1, Ordering::Relaxed);
            if label >= count {
                return;
            }
            let trained = Ensemble::train(data, settings, label, view);
            if trained.is_err() {
                // The others need not finish.
                next.store(count, Ordering::Relaxed);
            }
            *done[label].lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(trained);
            view.progress(finished.fetch_add(1, Ordering::Relaxed) + 1, count);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS).min(count);
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    let mut all = Vec::with_capacity(count);
    let mut error = None;
    for slot in done {
        match slot.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
            Some(Ok(ensemble)) => all.push(ensemble),
            Some(Err(first)) => error = error.or(Some(first)),
            None => all.push(None),
        }
    }
    error.map_or(Ok(all), Err)
}

#[cfg(test)]
mod tests;
