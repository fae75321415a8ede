//! One run of one detector: what it may access, and what it has written so far.

use super::LoadedDetector;
use super::column;
use super::described;
use super::detector::{Away, Code};
use super::gone::{gone, is_gone};
use super::kept::KeepFolder;
use super::measuring::{Measuring, Records};
use super::params::{by_name, needs_of, resolve_params};
use super::services::{DatasetServices, DetectorLog, lock};
use super::worker::{AsideEntry, Ended, Job as Work, Lent, SharedData, converse};
use crate::{Error, Pin, Result};
use chaffinch_compute::embedding::EmbedError;
use chaffinch_compute::job::Job;
use chaffinch_compute::neighbors;
use chaffinch_compute::neighbors::RECALL_AT;
use chaffinch_data::columns::{DetectorResult, ResultBuilder};
use chaffinch_data::issue::{Boxed, Found, Issue, RunRecord};
use chaffinch_data::measures::Measures;
use chaffinch_plugin::host::{
    Dataset, HostServices, Look, Memo, OutOfSample, Reported, no_scores, run_detector, run_here,
};
use chaffinch_plugin::{
    Error as Refusal, HashKind, HashPair, Matrix, Neighbors, Region, Result as Answer, Scope, Severity,
};
use chaffinch_protocol::sample::{LabelId, SampleId};
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

/// How a run ended without a result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunFailure {
    /// The user asked to stop.
    #[error("stopped")]
    Stopped,
    /// The detector failed, panicked or wrote invalid data; the sentence says which.
    #[error("{0}")]
    Failed(String),
}

/// The most log lines of a run: whoever reads them has to keep up, and remembers them.
const LINES: u64 = 1000;

/// The name of the note that says that the model reads only the beginning of a text.
pub const CUT_TEXT: &str = "text cut";

/// One run: the dataset, this detector's parameters, and what it has written so far.
pub struct RunContext<'a> {
    services: &'a DatasetServices,
    job: Job<'a>,
    log: DetectorLog<'a>,
    /// How many lines it has logged.
    lines: AtomicU64,
    detector: &'a LoadedDetector,
    params: BTreeMap<String, f64>,
    /// 1 where a sample has everything that the detector needs.
    judged: Vec<u8>,
    result: Mutex<ResultBuilder>,
    notes: Mutex<Vec<(String, String)>>,
    findings: Mutex<Vec<Found>>,
    /// Texts that it asked about of which the model reads only the beginning.
    cut: Mutex<Vec<String>>,
    folder: Option<KeepFolder>,
    /// The digest of the decisions that it sees; empty if it sees none.
    decisions: String,
    /// The digest of the prompts that it is asked with; empty if it reads none.
    prompts: String,
    /// Whether scores that it reads are out of date.
    reads_outdated: bool,
    /// Scores of detectors that ran before.
    before: BTreeMap<&'a str, &'a [f32]>,
    columns: Memo<String, Cow<'a, [String]>>,
    /// What the detector measured of each sample.
    measures: OnceLock<Records>,
    /// Data lent from earlier runs, by name and version.
    lent: Memo<(String, u32), Option<Vec<u8>>>,
    /// The most memory that its process had to itself.
    memory: AtomicU64,
    /// Takes the last lines that its process printed.
    printed: &'a (dyn Fn(&str) + Sync),
    /// Whether it only tries parameters: that it ends with these says nothing of its code.
    trying: bool,
    /// Whether pictures were away that it was to see.
    missed: AtomicBool,
    /// What to store if this run succeeds.
    kept: Mutex<BTreeMap<String, (u32, Vec<u8>)>>,
}

impl<'a> RunContext<'a> {
    /// Prepares a run. Parameters that are not given use the detector's defaults.
    ///
    /// # Errors
    /// For an unknown parameter, or a value out of bounds.
    pub fn new(
        services: &'a DatasetServices,
        detector: &'a LoadedDetector,
        given: &BTreeMap<String, f64>,
        job: Job<'a>,
        log: DetectorLog<'a>,
    ) -> Result<RunContext<'a>> {
        let (judged, notes) = services.judged(needs_of(detector, given));
        Ok(RunContext {
            services,
            job,
            log,
            lines: AtomicU64::new(0),
            detector,
            params: resolve_params(detector, given)?,
            judged,
            result: Mutex::new(ResultBuilder::new(services.manifest().len())),
            notes: Mutex::new(notes),
            findings: Mutex::default(),
            cut: Mutex::default(),
            folder: None,
            decisions: String::new(),
            prompts: String::new(),
            reads_outdated: false,
            before: BTreeMap::new(),
            columns: Memo::default(),
            measures: OnceLock::new(),
            lent: Memo::default(),
            memory: AtomicU64::new(0),
            printed: &|_| (),
            trying: false,
            missed: AtomicBool::new(false),
            kept: Mutex::default(),
        })
    }

    /// The same, with a folder for what the detector stores between runs; without one, it starts from scratch every
    /// time.
    #[must_use]
    pub fn keeping(mut self, folder: KeepFolder) -> RunContext<'a> {
        self.folder = Some(folder);
        self
    }

    /// The same, to try other parameters: it is not set aside if it ends with these.
    #[must_use]
    pub fn trying(self, trying: bool) -> RunContext<'a> {
        RunContext { trying, ..self }
    }

    /// The same; what its process printed last is told, however it ends.
    #[must_use]
    pub fn printing(self, printed: &'a (dyn Fn(&str) + Sync)) -> RunContext<'a> {
        RunContext { printed, ..self }
    }

    /// The same, with what the detector measured for each sample; otherwise that is done on demand.
    #[must_use]
    pub fn measured(self, measures: Measures) -> RunContext<'a> {
        let _ = self.measures.set(Records::Kept(measures));
        self
    }

    /// The same, with the digest of the decisions that the detector sees.
    #[must_use]
    pub fn deciding(self, decisions: String) -> RunContext<'a> {
        RunContext { decisions, ..self }
    }

    /// The same, with the digest of the prompts that the detector reads.
    #[must_use]
    pub fn prompted(self, prompts: String) -> RunContext<'a> {
        RunContext { prompts, ..self }
    }

    /// The same, where scores that it reads are out of date, or not.
    #[must_use]
    pub fn reading_outdated(self, reads_outdated: bool) -> RunContext<'a> {
        RunContext { reads_outdated, ..self }
    }

    /// The same, with the scores of detectors that ran before, by name.
    #[must_use]
    pub fn after(self, before: BTreeMap<&'a str, &'a [f32]>) -> RunContext<'a> {
        RunContext { before, ..self }
    }

    /// Runs the detector and returns its result.
    ///
    /// # Errors
    /// When it was stopped, failed, panicked, or wrote anything invalid.
    pub fn run(self, input_digest: String) -> std::result::Result<DetectorResult, RunFailure> {
        let started = Instant::now();
        let info = self.detector.info();
        if let Some(aside) = self.detector.aside() {
            return Err(RunFailure::Failed(format!(
                "was set aside because {}; it runs again once it has changed, or after: chaffinch plugins let-in {}",
                aside.clause(),
                info.name()
            )));
        }
        let ended = match self.detector.code() {
            Code::Here(exported) => run_detector(&self, info, &self.params, |table| exported.call(table)),
            Code::Host(described) => {
                run_here(&self, info, &self.params, |view, report| described.detect(view, report))
            }
            Code::Worker(away) => self.run_away(away),
        };
        match ended {
            _ if self.job.stopped() => return Err(RunFailure::Stopped),
            Err(refusal) if refusal.is_stopped() => return Err(RunFailure::Stopped),
            Err(refusal) => return Err(RunFailure::Failed(refusal.to_string())),
            Ok(()) => {}
        }
        if let Some(words) = self.services.cut_words(&lock(&self.cut)) {
            self.note(CUT_TEXT, &words);
        }
        let code_changed = self.code_changed();
        let kept = self.kept.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = &self.folder {
            for (name, (version, bytes)) in &kept {
                folder
                    .write(name, *version, bytes)
                    .map_err(|error| RunFailure::Failed(format!("its model could not be saved: {error}")))?;
            }
        }
        let record = RunRecord {
            name: info.name().into(),
            version: info.version_text().into(),
            summary: info.summary().into(),
            groups: info.judged() == Scope::Group,
            threshold: info.default_threshold(),
            params: by_name(info, &self.params),
            seconds: started.elapsed().as_secs_f64(),
            memory: self.memory.load(Ordering::Relaxed),
            notes: self.notes.into_inner().unwrap_or_else(PoisonError::into_inner),
            findings: self.findings.into_inner().unwrap_or_else(PoisonError::into_inner),
            units: BTreeMap::new(),
            imported: String::new(),
            code: self.detector.digest().to_owned(),
            decisions: self.decisions,
            prompts: self.prompts,
            read_outdated: self.reads_outdated,
            missed_pictures: self.missed.into_inner(),
            code_changed,
            input_digest,
        };
        let result = self.result.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(result.finish(record, self.services.manifest().classes()))
    }

    /// So many pictures were not there any more.
    fn missed(&self, count: u64) {
        if count > 0 {
            self.missed.store(true, Ordering::Relaxed);
            self.say(2, &gone(count));
        }
    }

    /// Whether the code is not that any more with which it began: what is imported late is of a later one.
    fn code_changed(&self) -> bool {
        let Code::Worker(away) = self.detector.code() else { return false };
        let changed = digest_now(away).map_or(true, |now| now.0 != self.detector.digest());
        if changed {
            self.say(2, "its code changed while it ran, so it is unclear which version found this; that is out of date until a scan runs it again");
        }
        changed
    }

    /// Writes a line to the log, unless there are too many.
    fn say(&self, level: u32, text: &str) {
        match self.lines.fetch_add(1, Ordering::Relaxed) {
            said if said < LINES => (self.log)(level, text),
            LINES => {
                (self.log)(2, &format!("wrote more than {LINES} lines to the log; the others are left out"))
            }
            _ => {}
        }
    }

    /// Runs a detector in a process of its own; one that dies is set aside.
    fn run_away(&self, away: &Away) -> Answer<()> {
        let info = self.detector.info();
        self.agreed(away)?;
        let refused = |error| Refusal::new(format!("could not be lent the dataset's arrays: {error}"));
        // Where samples lack what this detector needs, it gets its own list of those to judge.
        let own = (self.services.dataset().decodable != self.judged.as_slice())
            .then(|| SharedData::new(&self.dataset()))
            .transpose()
            .map_err(refused)?;
        let data = match &own {
            Some(own) => own,
            None => self.services.lent().map_err(refused)?,
        };
        let lent = Lent {
            workers: &away.workers,
            job: &away.job,
            limits: away.limits.clone(),
            info,
            needs: needs_of(self.detector, &self.params),
            params: &self.params,
            data,
            matrix: self.services.matrix().ok(),
            log: &|level, text| self.say(level, text),
            memory: &self.memory,
            printed: &|text| {
                text.lines().for_each(|line| self.say(0, &format!("printed: {line}")));
                (self.printed)(text);
            },
        };
        run_here(self, info, &self.params, |view, report| {
            converse(&lent, view, report).map_err(|ended| match ended {
                Ended::Refused(error) => error,
                Ended::Died(death) => {
                    if death.to_blame {
                        self.set_aside(away, &death.sentence);
                    }
                    Refusal::new(death.sentence)
                }
            })
        })
    }

    /// Pins code that runs for the first time. Code that has changed since it was looked at does not run: a scan may begin
    /// long after.
    fn agreed(&self, away: &Away) -> Answer<()> {
        let (detector, name) = (self.detector, self.detector.info().name());
        let failed = |error: Error| Refusal::new(error.to_string());
        let (digest, files) = digest_now(away).map_err(failed)?;
        if digest != detector.digest() {
            return Err(Refusal::new(
                "its code has changed since the program looked at it: run it again, unless it writes files into its own folder, which \
                 change its code",
            ));
        }
        if let Work::Program { .. } = &away.job {
            let pin = Pin::new(digest, vec![name.into()]).of_files(files);
            away.workers.pins().first_use(detector.path(), pin).map_err(failed)?;
        }
        Ok(())
    }

    fn set_aside(&self, away: &Away, reason: &str) {
        if self.trying {
            return;
        }
        let entry = AsideEntry {
            name: self.detector.info().name().into(),
            path: self.detector.path().into(),
            reason: reason.into(),
        };
        if let Err(error) = away.workers.aside().add(self.detector.digest(), entry) {
            self.say(2, &format!("it cannot be set aside: {error}"));
        }
    }
}

/// The digest of the code that is there now, and of its files.
fn digest_now(away: &Away) -> Result<(String, BTreeMap<String, String>)> {
    match &away.job {
        Work::Library(path) => std::fs::read(path)
            .map(|bytes| (blake3::hash(&bytes).to_hex().to_string(), BTreeMap::new()))
            .map_err(Error::io("read", path)),
        Work::Program { command, folder } => described::digest(folder, command),
    }
}

/// An error as a detector sees it.
fn refusal(error: impl Into<Error>) -> Refusal {
    match error.into() {
        Error::Stopped => Refusal::stopped(),
        error @ Error::Embed(EmbedError::NoTextTower(_) | EmbedError::NoTextVector(_)) => {
            Refusal::missing(error.to_string())
        }
        error => Refusal::new(error.to_string()),
    }
}

impl HostServices for RunContext<'_> {
    fn dataset(&self) -> Dataset<'_> {
        Dataset { decodable: &self.judged, ..self.services.dataset() }
    }

    fn log(&self, level: u32, text: &str) {
        self.say(level, text);
    }

    fn progress(&self, done: u64, total: u64) {
        self.job.progress(done, total);
    }

    fn stopped(&self) -> bool {
        self.job.stopped()
    }

    fn embeddings(&self) -> Answer<Matrix<'_>> {
        let matrix = self.services.matrix().map_err(refusal)?;
        Ok(Matrix::new(matrix.as_slice(), matrix.rows(), matrix.cols()))
    }

    fn neighbors(&self, k: usize) -> Answer<Neighbors<'_>> {
        let lists =
            self.services.neighbors(k, &self.job, &|level, text| self.say(level, text)).map_err(refusal)?;
        if let Some(recall) = lists.recall {
            let percent = 100.0 * recall;
            let text = format!(
                "searched among similar samples only: {percent:.1} % of the {RECALL_AT} nearest were found on a sample"
            );
            self.note("neighbors", &text);
        }
        Ok(Neighbors::new(&lists.indices, &lists.similarities, lists.k))
    }

    fn similarities(&self, vectors: &[f32], count: usize) -> Answer<Vec<f32>> {
        Ok(neighbors::similarities(self.services.matrix().map_err(refusal)?, vectors, count))
    }

    fn block(&self, rows: &[u32], cols: &[u32]) -> Answer<Vec<f32>> {
        Ok(neighbors::block(self.services.matrix().map_err(refusal)?, rows, cols))
    }

    fn model(&self) -> Answer<(usize, f32)> {
        let embedder = self.services.embedder().map_err(refusal)?;
        Ok((embedder.dim(), embedder.logit_scale()))
    }

    fn embed_texts(&self, texts: &[&str]) -> Answer<Vec<f32>> {
        let mut cut = lock(&self.cut);
        for text in self.services.cut(texts) {
            if !cut.iter().any(|known| known == text) {
                cut.push(text.to_owned());
            }
        }
        drop(cut);
        self.services.embed_texts(texts).map_err(refusal)
    }

    fn prompts(&self, class: Option<u32>) -> Answer<&[String]> {
        match self.services.nameless() {
            Some(why) if class.is_some() => Err(Refusal::missing(why)),
            _ => Ok(self.services.prompts(class.map(LabelId))),
        }
    }

    fn hashes(&self, kind: HashKind) -> Answer<&[u64]> {
        Ok(self.services.hashes(kind))
    }

    fn near_hashes(&self, kind: HashKind, radius: u32) -> Answer<&[HashPair]> {
        self.services.near_hashes(kind, radius, &self.job).map_err(refusal)
    }

    fn probabilities(&self) -> Answer<OutOfSample<'_>> {
        let found = self.services.probabilities(&self.job).map_err(refusal)?;
        Ok(OutOfSample {
            matrix: Matrix::new(&found.matrix, found.folds.len(), found.classes),
            folds: &found.folds,
            inverse_temperature: found.inverse_temperature,
        })
    }

    fn pixels(&self, sample: usize, max_side: u32, look: Look<'_>) -> Answer<()> {
        self.job.checkpoint().map_err(refusal)?;
        let picture = self.services.picture(SampleId(sample as u32), max_side).map_err(|error| {
            self.missed.fetch_or(is_gone(&error), Ordering::Relaxed);
            refusal(error)
        })?;
        look(sample, &picture.pixels())
    }

    fn each_pixels(&self, max_side: u32, look: Look<'_>) -> Answer<()> {
        let decodable = self.judged.as_slice();
        let total = decodable.iter().filter(|&&flag| flag == 1).count() as u64;
        let (done, changed) = (AtomicU64::new(0), AtomicU64::new(0));
        let usable = decodable.par_iter().enumerate().filter(|(_, flag)| **flag == 1);
        usable.try_for_each(|(sample, _)| {
            self.job.checkpoint().map_err(refusal)?;
            match self.services.picture(SampleId(sample as u32), max_side) {
                Ok(picture) => look(sample, &picture.pixels())?,
                Err(error) if is_gone(&error) => {
                    changed.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => return Err(refusal(error)),
            }
            self.job.progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
            Ok(())
        })?;
        self.missed(changed.into_inner());
        Ok(())
    }

    fn measures(&self) -> Answer<&[u8]> {
        if let Some(records) = self.measures.get() {
            return Ok(records.bytes());
        }
        let measuring = Measuring::of(self.detector)
            .ok_or_else(|| Refusal::new("it asks for measures but measures nothing"))?;
        let (records, missed) = measuring.measure_all(self.services, &self.job).map_err(refusal)?;
        self.missed(missed);
        Ok(self.measures.get_or_init(|| Records::New(records)).bytes())
    }

    fn kept(&self, name: &str, version: Option<u32>) -> Answer<Option<(u32, &[u8])>> {
        let Some(folder) = &self.folder else { return Ok(None) };
        let Some(version) =
            version.map_or_else(|| folder.newest(name), |one| Ok(Some(one))).map_err(refusal)?
        else {
            return Ok(None);
        };
        // What is asked for again is lent again.
        let read = || folder.read(name, version).map_err(refusal);
        let bytes = self.lent.get_or_compute((name.to_owned(), version), read)?;
        Ok(bytes.as_deref().map(|bytes| (version, bytes)))
    }

    fn keep(&self, name: &str, bytes: &[u8]) -> Answer<u32> {
        let version = match &self.folder {
            None => 1,
            Some(folder) => {
                folder
                    .has_room_for(name, lock(&self.kept).keys().map(String::as_str))
                    .map_err(Refusal::new)?;
                folder.version_of(name, bytes).map_err(refusal)?
            }
        };
        lock(&self.kept).insert(name.to_owned(), (version, bytes.to_vec()));
        Ok(version)
    }

    fn issue(&self, issue: Reported<'_>) {
        let Reported { sample, score, suggested, group, related, reason } = issue;
        let related = related.iter().map(|other| (SampleId(other.sample), other.similarity)).collect();
        let issue = Issue { score, suggested, group, related, reason: reason.to_owned() };
        lock(&self.result).issue(SampleId(sample as u32), issue);
    }

    fn scores(&self, scores: &[f32]) {
        lock(&self.result).scores(scores);
    }

    fn note(&self, name: &str, text: &str) {
        let (note, mut notes) = ((name.to_owned(), text.to_owned()), lock(&self.notes));
        // All of one name stay: each says something else.
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    fn column(&self, name: &str) -> Answer<&[String]> {
        let read = || column::values(name, &self.services.dataset(), self.services.manifest());
        Ok(self.columns.get_or_compute(name.to_owned(), read)?)
    }

    fn scores_of(&self, detector: &str) -> Answer<&[f32]> {
        self.before.get(detector).copied().ok_or_else(|| no_scores(detector))
    }

    fn attribute(&self, name: &str, unit: &str, values: &[f32]) {
        lock(&self.result).attribute(name, unit, values);
    }

    fn finding(&self, severity: Severity, text: &str, evidence: &[u32]) {
        let evidence = evidence.to_vec();
        let found = Found { severity: severity.name().into(), text: text.to_owned(), evidence };
        lock(&self.findings).push(found);
    }

    fn regions(&self, sample: usize, regions: &[Region<'_>]) {
        let boxed = |region: &Region<'_>| Boxed {
            edges: [region.left, region.top, region.right, region.bottom],
            label: region.label.to_owned(),
        };
        lock(&self.result).regions(SampleId(sample as u32), regions.iter().map(boxed).collect());
    }
}
