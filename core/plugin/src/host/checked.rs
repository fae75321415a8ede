//! The checks that every host shares: what a detector may request, what it passes, and what it writes.

mod said;

pub(super) use said::region;

use super::{Dataset, HostServices, Look, MAX_RADIUS, Memo, OutOfSample, Reported, columns, needs_of};
use crate::abi::{Slice, Str};
use crate::{Error, HashKind, HashPair, Info, Matrix, NO_LABEL, Needs, Neighbors, Result};
use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};

/// The error for a detector that needs embeddings if there are none.
pub const NO_EMBEDDINGS: &str = "this dataset has no embeddings";

/// The note that names samples whose scores were rejected.
pub const NOT_SCORED: &str = "not scored";

/// The most bytes kept under one name.
const MAX_KEPT_BYTES: usize = 64 << 20;

/// A host's services during one run, behind the checks.
pub(super) struct Checked<'a, S> {
    pub(super) services: &'a S,
    pub(super) data: Dataset<'a>,
    /// Decisions for a detector that does not declare that it reads them: its results do not follow them.
    undecided: (Vec<u8>, Vec<u32>),
    pub(super) classes: Vec<Str>,
    needs: Needs,
    params: &'a BTreeMap<String, f64>,
    /// The columns and the scores that it may request.
    columns: Vec<&'static str>,
    follows: Vec<&'static str>,
    /// Columns as they cross the boundary.
    texts: Memo<String, Vec<Str>>,
    numbers: Memo<String, Vec<f64>>,
    labels: Memo<String, Vec<u32>>,
    /// How much it has said of the dataset.
    said: Mutex<said::Said>,
    /// The prompts of each class as they cross the boundary, followed by those of the alternatives.
    prompts: Vec<OnceLock<Vec<Str>>>,
    /// The first reason to reject this run.
    failure: Mutex<Option<String>>,
    /// The last error that a request was answered with.
    answered: Mutex<Option<String>>,
}

/// The error for a request whose need was not declared, with what declares it in each language. It takes the names of the needs that
/// would allow it, in capitals.
pub fn undeclared(what: &str, any_of: &[&str]) -> Error {
    let each = |words: &dyn Fn(&str) -> String| {
        any_of.iter().map(|name| words(name)).collect::<Vec<String>>().join(" or ")
    };
    Error::new(format!(
        "the detector requests {what} but does not declare the need: {} in detector.toml, {} in Rust, {} in C",
        each(&|name| format!("needs = [\"{}\"]", name.to_lowercase())),
        each(&|name| format!("Needs::{name}")),
        each(&|name| format!("CHAFFINCH_{name}")),
    ))
}

impl<'a, S: HostServices> Checked<'a, S> {
    pub(super) fn new(services: &'a S, info: &Info, params: &'a BTreeMap<String, f64>) -> Checked<'a, S> {
        let data = services.dataset();
        let needs = needs_of(info, params);
        let undecided = match needs.contains(Needs::DECISIONS) {
            true => (Vec::new(), Vec::new()),
            false => (vec![0; data.decisions.len()], vec![NO_LABEL; data.relabels.len()]),
        };
        Checked {
            services,
            data,
            undecided,
            classes: data.classes.iter().map(|name| Str::new(name)).collect(),
            needs,
            params,
            columns: info.needed_columns(),
            follows: info.follows(),
            texts: Memo::default(),
            numbers: Memo::default(),
            labels: Memo::default(),
            said: Mutex::default(),
            prompts: data.classes.iter().map(|_| OnceLock::new()).chain([OnceLock::new()]).collect(),
            failure: Mutex::default(),
            answered: Mutex::default(),
        }
    }

    /// A request is answered with an error: whoever passes on its status alone has not said why.
    pub(super) fn answered(&self, error: &Error) {
        let mut last = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some(error.to_string());
    }

    /// Why a run failed that did not say it itself.
    pub(super) fn silent(&self) -> String {
        let last = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        match last.as_deref() {
            None => "failed without an error message".to_owned(),
            Some(answer) => {
                format!("failed without an error message of its own, after this answer: {answer}")
            }
        }
    }

    /// Records the first reason to reject this run.
    pub(super) fn refuse(&self, reason: impl Into<String>) -> Error {
        let reason = reason.into();
        let mut first = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| reason.clone());
        Error::new(reason)
    }

    pub(super) fn into_failure(self) -> Option<String> {
        self.failure.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses a service unless one of the needs that allow it was declared. It makes no difference whether another
    /// detector has already had it computed; otherwise a detector would work only alongside that one.
    fn declared(&self, what: &str, any_of: &[(Needs, &str)]) -> Result<()> {
        if any_of.iter().any(|(need, _)| self.needs.contains(*need)) {
            return Ok(());
        }
        let names: Vec<&str> = any_of.iter().map(|(_, name)| *name).collect();
        Err(undeclared(what, &names))
    }

    /// The decisions as this detector sees them, and the new labels.
    pub(super) fn decided(&self) -> (&[u8], &[u32]) {
        match self.needs.contains(Needs::DECISIONS) {
            true => (self.data.decisions, self.data.relabels),
            false => (&self.undecided.0, &self.undecided.1),
        }
    }

    pub(super) fn number(&self, name: &str) -> Result<f64> {
        let value = self.params.get(name).copied();
        value.ok_or_else(|| Error::new(format!("the parameter '{}' is not declared", name.escape_debug())))
    }

    pub(super) fn embeddings(&self) -> Result<Matrix<'a>> {
        self.declared("embeddings", &[(Needs::EMBEDDINGS, "EMBEDDINGS")])?;
        self.services.embeddings()
    }

    pub(super) fn neighbors(&self, k: usize) -> Result<Neighbors<'a>> {
        self.declared("neighbors", &[(Needs::NEIGHBORS, "NEIGHBORS")])?;
        self.services.neighbors(k)
    }

    /// Takes vectors of any length.
    pub(super) fn similarities(&self, vectors: &[f32], count: usize) -> Result<Vec<f32>> {
        let width = self.embeddings()?.cols();
        if count.checked_mul(width) != Some(vectors.len()) {
            return Err(Error::new(format!(
                "the detector passed {} numbers instead of {count} vectors of {width}",
                vectors.len()
            )));
        }
        let mut unit = vectors.to_vec();
        for vector in unit.chunks_exact_mut(width.max(1)) {
            let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
            if norm > 0.0 {
                vector.iter_mut().for_each(|x| *x /= norm);
            }
        }
        self.services.similarities(&unit, count)
    }

    pub(super) fn block(&self, rows: &[u32], cols: &[u32]) -> Result<Vec<f32>> {
        self.declared("similarities", &[(Needs::EMBEDDINGS, "EMBEDDINGS")])?;
        let count = self.data.labels.len();
        match rows.iter().chain(cols).find(|&&sample| sample as usize >= count) {
            Some(sample) => Err(Error::new(format!("the detector requested sample {sample} of {count}"))),
            None => self.services.block(rows, cols),
        }
    }

    pub(super) fn model(&self) -> Result<(usize, f32)> {
        self.declared("the model", &[(Needs::EMBEDDINGS, "EMBEDDINGS"), (Needs::TEXTS, "TEXTS")])?;
        self.services.model()
    }

    pub(super) fn embed_texts(&self, texts: &[&str]) -> Result<Vec<f32>> {
        self.declared("text embeddings", &[(Needs::TEXTS, "TEXTS")])?;
        self.services.embed_texts(texts)
    }

    pub(super) fn prompts(&self, label: u32) -> Result<Slice<Str>> {
        self.declared("prompts", &[(Needs::TEXTS, "TEXTS")])?;
        let class = (label != NO_LABEL).then_some(label);
        let index = class.map_or(self.classes.len(), |class| class as usize);
        if class.is_some() && index >= self.classes.len() {
            return Err(Error::new(format!("there is no class {label}")));
        }
        let texts = self.services.prompts(class)?;
        let views = || texts.iter().map(|text| Str::new(text)).collect();
        Ok(Slice::new(self.prompts[index].get_or_init(views)))
    }

    pub(super) fn hashes(&self, kind: u32) -> Result<&'a [u64]> {
        self.declared("perceptual hashes", &[(Needs::HASHES, "HASHES")])?;
        match hash_kind(kind)? {
            HashKind::TurnedPhash => self.services.hashes(HashKind::Phash),
            kind => self.services.hashes(kind),
        }
    }

    pub(super) fn near_hashes(&self, kind: u32, radius: u32) -> Result<&'a [HashPair]> {
        self.declared("perceptual hashes", &[(Needs::HASHES, "HASHES")])?;
        let kind = hash_kind(kind)?;
        if radius > MAX_RADIUS {
            return Err(Error::new(format!(
                "the radius {radius} is too large; use at most {MAX_RADIUS} bits"
            )));
        }
        self.services.near_hashes(kind, radius)
    }

    pub(super) fn probabilities(&self) -> Result<OutOfSample<'a>> {
        self.declared("class probabilities", &[(Needs::PROBABILITIES, "PROBABILITIES")])?;
        self.services.probabilities()
    }

    pub(super) fn pixels(&self, sample: u32, max_side: u32, look: Look<'_>) -> Result<()> {
        self.declared("pixels", &[(Needs::PIXELS, "PIXELS")])?;
        if !self.decodable(sample as usize) {
            return Err(Error::new(format!("sample {sample} has no pixels")));
        }
        self.services.pixels(sample as usize, max_side, look)
    }

    pub(super) fn each_pixels(&self, max_side: u32, look: Look<'_>) -> Result<()> {
        self.declared("pixels", &[(Needs::PIXELS, "PIXELS")])?;
        self.services.each_pixels(max_side, look)
    }

    pub(super) fn measures(&self) -> Result<&'a [u8]> {
        self.declared("measures", &[(Needs::PIXELS, "PIXELS")])?;
        self.services.measures()
    }

    pub(super) fn kept(&self, name: &str, version: u32) -> Result<Option<(u32, &'a [u8])>> {
        check_kept_name(name)?;
        self.services.kept(name, (version > 0).then_some(version))
    }

    pub(super) fn keep(&self, name: &str, bytes: &[u8]) -> Result<u32> {
        check_kept_name(name)?;
        let (len, most) = (bytes.len(), MAX_KEPT_BYTES >> 20);
        if len > MAX_KEPT_BYTES {
            return Err(Error::new(format!("{len} bytes are too many to keep; the limit is {most} MiB")));
        }
        self.services.keep(name, bytes)
    }

    fn declared_column(&self, name: &str) -> Result<()> {
        if self.columns.contains(&name) {
            return Ok(());
        }
        let name = name.escape_debug();
        Err(Error::new(format!(
            "the detector requests the column {name} but does not declare it (columns = [\"{name}\"])"
        )))
    }

    pub(super) fn column(&self, name: &str) -> Result<Slice<Str>> {
        self.declared_column(name)?;
        let views = || {
            let texts = self.services.column(name)?;
            Ok::<_, Error>(texts.iter().map(|text| Str::new(text)).collect())
        };
        Ok(Slice::new(self.texts.get_or_compute(name.to_owned(), views)?))
    }

    pub(super) fn column_numbers(&self, name: &str) -> Result<&[f64]> {
        self.declared_column(name)?;
        let numbers = || Ok::<_, Error>(columns::numbers(self.services.column(name)?));
        Ok(self.numbers.get_or_compute(name.to_owned(), numbers)?)
    }

    pub(super) fn labels_of(&self, name: &str) -> Result<&[u32]> {
        self.declared_column(name)?;
        let labels = || Ok::<_, Error>(columns::labels(self.services.column(name)?, self.data.classes));
        Ok(self.labels.get_or_compute(name.to_owned(), labels)?)
    }

    pub(super) fn scores_of(&self, detector: &str) -> Result<&'a [f32]> {
        if self.follows.contains(&detector) {
            return self.services.scores_of(detector);
        }
        let name = detector.escape_debug();
        Err(Error::new(format!(
            "the detector requests the scores of {name} but does not declare it (after = [\"{name}\"])"
        )))
    }

    /// An impossible value rejects the whole report: a detector that gets one sample number wrong may have all of them
    /// wrong.
    pub(super) fn issue(&self, issue: Reported<'_>) -> Result<()> {
        let (count, classes) = (self.data.labels.len(), self.classes.len());
        let Reported { sample, score, related, .. } = issue;
        if sample >= count {
            return Err(self.refuse(format!("names sample {sample} of {count}")));
        }
        if !is_score(score) {
            return Err(
                self.refuse(format!("gives sample {sample} the score {score}, which is not between 0 and 1"))
            );
        }
        if let Some(class) = issue.suggested.filter(|&class| class as usize >= classes) {
            return Err(self.refuse(format!("suggests class {class} of {classes}")));
        }
        if let Some(other) = related.iter().find(|other| other.sample as usize >= count) {
            return Err(self.refuse(format!("names sample {} of {count} as evidence", other.sample)));
        }
        if let Some(other) = related.iter().find(|other| !other.similarity.is_finite()) {
            let (other, similarity) = (other.sample, other.similarity);
            return Err(self.refuse(format!("gives sample {other} the similarity {similarity} as evidence")));
        }
        // Undecodable files already have an issue.
        if self.decodable(sample) {
            self.services.issue(issue);
        }
        Ok(())
    }

    pub(super) fn scores(&self, scores: &[f32]) -> Result<()> {
        let count = self.data.labels.len();
        if scores.len() != count {
            return Err(self.refuse(format!("wrote {} scores for {count} samples", scores.len())));
        }
        let given = || scores.iter().enumerate().filter(|(_, score)| !score.is_nan());
        let mut wrong = given().filter(|(_, score)| !is_score(**score));
        if let Some((sample, score)) = wrong.next() {
            let others = wrong.count();
            // One picture that a method has no answer to is no reason to lose the others.
            if 2 * (others + 1) > given().count() {
                return Err(self.refuse(format!(
                    "gives sample {sample} the score {score}, which is not between 0 and 1"
                )));
            }
            let more = if others > 0 { format!(", and {others} more") } else { String::new() };
            let text = format!("sample {sample}, whose score of {score} is not between 0 and 1{more}");
            self.services.note(NOT_SCORED, &text);
            self.services.log(2, &format!("not scored: {text}"));
        }
        let valid = |sample, score| is_score(score) && self.decodable(sample);
        let of_decodable = |(sample, &score)| if valid(sample, score) { score } else { f32::NAN };
        self.services.scores(&scores.iter().enumerate().map(of_decodable).collect::<Vec<f32>>());
        Ok(())
    }

    fn decodable(&self, sample: usize) -> bool {
        self.data.decodable.get(sample) == Some(&1)
    }
}

fn is_score(value: f32) -> bool {
    (0.0..=1.0).contains(&value)
}

fn hash_kind(code: u32) -> Result<HashKind> {
    let kinds = [HashKind::Phash, HashKind::Dhash, HashKind::TurnedPhash];
    let found = kinds.into_iter().find(|kind| kind.code() == code);
    found.ok_or_else(|| Error::new(format!("there is no perceptual hash of kind {code}")))
}

/// Refuses names that are not safe as file names.
fn check_kept_name(name: &str) -> Result<()> {
    let proper = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() || name.len() > 64 || !name.bytes().all(proper) {
        let name = name.escape_debug();
        return Err(Error::new(format!(
            "'{name}' is not a valid name to keep bytes under; use a-z, 0-9 and -"
        )));
    }
    Ok(())
}
