#![doc = include_str!("docs.md")]
//!
//! Run its tests: `cargo test --release -p chaffinch-pollution`.

mod classes;
mod ensemble;
mod examples;
mod member;
mod rng;
mod saved;
mod stablelabel;
mod templates;
mod texts;
mod words;

use chaffinch_plugin::abi::Str;
use chaffinch_plugin::prelude::*;
use ensemble::{Ensemble, HeldOut};
use examples::Data;
use member::{Features, Kind, Member};
use saved::Saved;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use texts::Texts;

/// Threads that train at once.
const MAX_THREADS: usize = 8;

/// The default threshold.
const THRESHOLD: f32 = 0.48;

/// Trains classifiers of what is typical for each class.
pub struct Pollution;

impl Detector for Pollution {
    const INFO: Info = Info::new("pollution", "Trains classifiers of each class and flags what they reject")
        .version(env!("CARGO_PKG_VERSION"))
        .docs(include_str!("docs.md"))
        .needs(Needs::EMBEDDINGS.and(Needs::TEXTS).and(Needs::LABELS).and(Needs::DECISIONS))
        .threshold(THRESHOLD)
        .params(&[
            Param::integer("members", 5, 1, 50, "Classifiers per class"),
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
            Param::number("clean-share", 0.98, 0.5, 0.999, "Assumed share of clean samples"),
            Param::choice(
                "features",
                &[Str::new("embedding"), Str::new("engineered"), Str::new("both")],
                "What the classifiers look at",
            ),
            Param::integer("max-training", 2000, 50, 100_000, "Maximum examples per classifier"),
            Param::choice(
                "method",
                &[Str::new("logistic"), Str::new("stablelabel")],
                "How to train classifiers: logistic regressions, or the neural networks of StableLabel",
            ),
            Param::number(
                "polluted-above",
                0.48,
                0.05,
                0.95,
                "P(polluted) above which a member of StableLabel's ensemble rejects a sample",
            ),
            Param::flag("support-vectors", true, "Add a support vector classifier to StableLabel's ensemble"),
            Param::integer("folds", 5, 0, 20, "Folds of the cross-validation; 0 = none"),
            Param::integer("model", 0, 0, 1_000_000, "Version of a kept model to use; 0 = train a new one"),
        ]);

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        let settings = Settings::read(view)?;
        let rows = view.embeddings()?;
        let classes = classes::read(view, rows)?;
        if classes.iter().all(|class| class.ids.len() < classes::MIN_CLASS) {
            let least = classes::MIN_CLASS;
            return Err(Error::new(format!(
                "no class has {least} labeled images, so there is nothing to learn from"
            )));
        }
        let texts = Texts::read(view, settings.method)?;
        let data = Data { rows, classes: &classes, texts: texts.as_ref() };
        let kept = if settings.model > 0 { Some(kept(view, &data, settings.model)?) } else { None };
        let judged = judge_all(view, &data, &settings, kept.as_ref())?;
        let mut scores = vec![f32::NAN; view.len()];
        let (mut all, mut held) = (Vec::new(), Vec::new());
        for (class, judged) in classes.iter().zip(judged) {
            let (ensemble, left_out) = judged.map_or((None, Vec::new()), |(e, held)| (Some(e), held));
            let said = ensemble.iter().flat_map(|ensemble| &ensemble.scores);
            class.ids.iter().zip(said).for_each(|(&id, &score)| scores[id as usize] = score);
            all.push(ensemble);
            held.extend(left_out);
        }
        report.scores(&scores)?;
        words::notes(view, report, &data, &all, &settings.features)?;
        let version = match settings.model {
            0 => keep(view, report, &data, &all)?,
            version => Some(version),
        };
        report.note("model", &words::model(view, &settings, version, &held))?;
        words::issues(view, report, &data, &all)
    }
}

/// Keeps the trained model; returns no version if it is too large to keep.
fn keep(
    view: &View<'_>,
    report: &Report<'_>,
    data: &Data<'_>,
    all: &[Option<Ensemble>],
) -> Result<Option<u32>> {
    let members =
        |ensemble: &Option<Ensemble>| ensemble.as_ref().map_or_else(Vec::new, |e| e.members.clone());
    let name = |label: usize| view.class_name(label as u32).to_owned();
    let classes = all.iter().enumerate().map(|(label, ensemble)| (name(label), members(ensemble))).collect();
    let bytes = Saved { dim: data.rows.cols(), classes }.to_bytes();
    match report.keep(saved::NAME, &bytes) {
        Ok(version) => Ok(Some(version)),
        Err(error) if error.is_stopped() => Err(error),
        Err(error) => {
            view.log(&format!("the model was not kept: {error}"));
            Ok(None)
        }
    }
}

/// The model of an earlier run, which must match these classes and this embedding.
fn kept(view: &View<'_>, data: &Data<'_>, version: u32) -> Result<Saved> {
    let Some((_, bytes)) = view.kept(saved::NAME, Some(version))? else {
        let newest = view.kept(saved::NAME, None)?.map_or_else(
            || "no version is kept yet".to_owned(),
            |(newest, _)| format!("the newest is {newest}"),
        );
        return Err(Error::new(format!("there is no model version {version}: {newest}")));
    };
    let saved = Saved::from_bytes(bytes)?;
    let names = (0..view.class_count()).map(|label| view.class_name(label as u32));
    if saved.dim != data.rows.cols() || !saved.classes.iter().map(|(name, _)| name.as_str()).eq(names) {
        return Err(Error::new(format!(
            "model version {version} has other classes or another embedding; train a new one with model = 0"
        )));
    }
    Ok(saved)
}

export_detector!(Pollution);

/// How classifiers are trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// Logistic regressions, each against typical samples of the other classes.
    Logistic,
    /// Small neural networks against texts and random vectors, as published.
    StableLabel,
}

impl Method {
    pub(crate) fn kind(self) -> Kind {
        match self {
            Method::Logistic => Kind::Logistic,
            Method::StableLabel => Kind::Network,
        }
    }
}

/// The parameters of a run.
pub(crate) struct Settings {
    method: Method,
    members: usize,
    gate: f32,
    threshold: f32,
    clean_share: f32,
    polluted_above: f32,
    support_vectors: bool,
    features: Vec<Features>,
    max_training: usize,
    folds: usize,
    model: u32,
}

impl Settings {
    fn read(view: &View<'_>) -> Result<Settings> {
        Ok(Settings {
            method: if view.choice("method")? == 0 { Method::Logistic } else { Method::StableLabel },
            members: view.count("members")?,
            gate: view.number("gate")? as f32,
            threshold: view.number("member-threshold")? as f32,
            clean_share: view.number("clean-share")? as f32,
            polluted_above: view.number("polluted-above")? as f32,
            support_vectors: view.flag("support-vectors")?,
            features: match view.choice("features")? {
                0 => vec![Features::Embedding],
                1 => vec![Features::Engineered],
                _ => vec![Features::Embedding, Features::Engineered],
            },
            max_training: view.count("max-training")?,
            folds: view.count("folds")?,
            model: u32::try_from(view.count("model")?).unwrap_or(u32::MAX),
        })
    }

    /// Added to the members' logits: how much more common clean samples are than among the examples.
    pub(crate) fn prior(&self) -> f32 {
        match self.method {
            Method::Logistic => logit(self.clean_share),
            Method::StableLabel => 0.0,
        }
    }

    /// The logit below which a member rejects a sample.
    pub(crate) fn limit(&self) -> f32 {
        match self.method {
            Method::Logistic => logit(self.threshold),
            Method::StableLabel => logit(1.0 - self.polluted_above),
        }
    }

    /// Added to the strictest member's logit for the score: the published rule's limit is moved to the default
    /// threshold.
    pub(crate) fn shift(&self) -> f32 {
        match self.method {
            Method::Logistic => 0.0,
            Method::StableLabel => logit(THRESHOLD) - self.limit(),
        }
    }
}

fn logit(share: f32) -> f32 {
    (share / (1.0 - share)).ln()
}

/// The results for one class and its cross-validation; `None` for a class that is too small.
type Judged = Option<(Ensemble, Vec<HeldOut>)>;

/// Trains and judges the classes in parallel. Each depends on its own number only, so the result does not depend on
/// the number of threads.
fn judge_all(
    view: &View<'_>,
    data: &Data<'_>,
    settings: &Settings,
    kept: Option<&Saved>,
) -> Result<Vec<Judged>> {
    let judge = |label: usize| -> Result<Judged> {
        let members: Vec<Member> = match kept {
            Some(saved) => saved.classes[label].1.clone(),
            None => ensemble::train(data, settings, label, view)?,
        };
        if members.is_empty() || data.classes[label].ids.is_empty() {
            return Ok(None);
        }
        let ensemble = Ensemble::judge(data, settings, label, members);
        let held = match kept {
            Some(_) => Vec::new(),
            None => ensemble::cross_validate(data, settings, label, view)?,
        };
        Ok(Some((ensemble, held)))
    };
    let count = data.classes.len();
    let done: Vec<Mutex<Option<Result<Judged>>>> = (0..count).map(|_| Mutex::new(None)).collect();
    let (next, finished) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        loop {
            let label = next.fetch_add(1, Ordering::Relaxed);
            if label >= count {
                return;
            }
            let judged = judge(label);
            if judged.is_err() {
                // The others need not finish.
                next.store(count, Ordering::Relaxed);
            }
            *done[label].lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(judged);
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
            Some(Ok(judged)) => all.push(judged),
            Some(Err(first)) => error = error.or(Some(first)),
            None => all.push(None),
        }
    }
    error.map_or(Ok(all), Err)
}

#[cfg(test)]
mod tests;
