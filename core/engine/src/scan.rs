//! One scan: bring the index, the embeddings and the detectors' results up to date, each piece at most once.

mod carried;
mod counts;
mod detectors;
mod failed;
mod shard;
mod stores;

use crate::digest::{InputDigest, uses_model};
use crate::findings::Findings;
use crate::given::StandIn;
use crate::meaning::kept_texts;
use crate::models::NoModel;
use crate::outdated::Now;
use crate::{Error, Result};
use crate::{Given, Setup, decided, given, imports, kept, models, remarks, unloaded};
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::embedding::Embedder;
use chaffinch_compute::image::decode::decodings;
use chaffinch_compute::job::Job;
use chaffinch_compute::memory;
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::faults;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::index;
use chaffinch_data::index::{Keep, Pass};
use chaffinch_data::issue::is_built_in;
use chaffinch_data::journal::codes;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::measures::{Measurer, Measures};
use chaffinch_data::moved;
use chaffinch_data::prompts::PromptSet;
use chaffinch_data::set_value::SetValue;
use chaffinch_data::store;
use chaffinch_data::store::EmbeddingStore;
use chaffinch_data::uses::EmbeddingFiles;
use chaffinch_formats::dataset;
use chaffinch_formats::embeddings::{TextVectors, Vectors};
use chaffinch_formats::probabilities::GivenModel;
use chaffinch_formats::repair;
use chaffinch_host::class_vectors::ClassVectors;
use chaffinch_host::{DatasetServices, Measuring, Registry, TextCache, in_order, needs_of};
use chaffinch_plugin::Needs;
use chaffinch_protocol::ScanReport;
use chaffinch_protocol::display::quoted;
use chaffinch_protocol::sample::SampleId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// Callbacks of a scan. All functions are cheap and may be called from any thread.
pub(crate) struct Reporter<'a> {
    pub(crate) stop: &'a AtomicBool,
    /// Stage, done, total, and step (number and total).
    pub(crate) progress: &'a (dyn Fn(&str, u64, u64, (u32, u32)) + Sync),
    /// Subject and message.
    pub(crate) trouble: &'a (dyn Fn(&str, &str) + Sync),
    pub(crate) log: &'a (dyn Fn(&str) + Sync),
    pub(crate) publish: &'a (dyn Fn(&Findings) + Sync),
}

/// What to run.
pub(crate) struct ScanPlan {
    /// Detectors to run; empty means all that are enabled.
    pub(crate) detectors: Vec<String>,
    /// Run these again even if nothing changed (after decisions, which some are trained on).
    pub(crate) force: bool,
    /// Leave alone what is out of date only because more was decided.
    pub(crate) opening: bool,
    /// Parameters that override the configuration, by detector.
    pub(crate) params: BTreeMap<String, BTreeMap<String, SetValue>>,
    /// Detectors that were enabled or disabled in the session.
    pub(crate) enabled: BTreeMap<String, bool>,
    /// Detectors whose last run failed.
    pub(crate) failed: BTreeSet<String>,
    /// Whether the detectors run only to see what they would find: nothing of it is stored.
    pub(crate) trial: bool,
    /// The prompts that are tried; `None` for those in use.
    pub(crate) prompts: Option<PromptSet>,
    /// The model of the trial before, which need not be loaded again, and its vectors of texts.
    pub(crate) known: Option<KnownModel>,
    /// Decisions so far, as contract codes.
    pub(crate) decided: Vec<(SampleId, u8, u32)>,
    /// As whom everything is read that the scan learns of decisions, and whether only that reviewer's are; `None` if it learns
    /// nothing of them.
    pub(crate) learns_of: Option<(String, bool)>,
}

/// A loaded model and the store of its vectors.
struct Model {
    embedder: Arc<dyn Embedder>,
    store: EmbeddingStore,
    /// Vectors from elsewhere that are not in the store yet.
    given: Option<Vectors>,
}

/// A model that one trial hands to the next.
#[derive(Clone)]
pub(crate) struct KnownModel {
    embedder: Arc<dyn Embedder>,
    texts: TextCache,
}

/// What reading all files brought, beside what is known of them.
struct Read {
    /// The model, or why it could not be loaded.
    model: Option<std::result::Result<Model, NoModel>>,
    /// Records by detector.
    measures: BTreeMap<String, Measured>,
    /// Probabilities that were named.
    probabilities: Option<Vec<GivenModel>>,
}

/// What a detector measured of each sample, or why that failed.
type Measured = std::result::Result<Measures, String>;

/// What need not run again.
#[derive(Clone, Copy)]
struct Known<'a> {
    base: &'a InputDigest,
    /// The result from when this model was last used.
    earlier: Option<&'a Arc<DetectorResult>>,
}

/// What a scan leaves.
pub(crate) struct Done {
    pub(crate) report: ScanReport,
    pub(crate) findings: Findings,
    /// What a detector found in a trial.
    pub(crate) trial: Option<DetectorResult>,
    /// The model that it was tried with.
    pub(crate) model: Option<KnownModel>,
    /// The last lines that each detector printed that ran; empty if it printed nothing.
    pub(crate) printed: BTreeMap<String, String>,
    /// The detectors whose results are up to date with it.
    pub(crate) current: BTreeSet<String>,
    /// The digests of the code that it had, by detector.
    pub(crate) codes: BTreeMap<String, String>,
}

/// The digests of the code of detectors, by name.
pub(crate) fn codes(registry: &Registry) -> BTreeMap<String, String> {
    let all = registry.detectors().iter();
    all.map(|detector| (detector.info().name().to_owned(), detector.digest().to_owned())).collect()
}

/// A running scan.
pub(crate) struct Scan<'a> {
    setup: &'a Setup,
    registry: &'a Registry,
    trial: Option<DetectorResult>,
    model: Option<KnownModel>,
    printed: BTreeMap<String, String>,
    tries: bool,
    /// Detectors whose results are up to date with this scan.
    current: BTreeSet<String>,
    reporter: &'a Reporter<'a>,
    report: ScanReport,
    step: (u32, u32),
    started: Instant,
    /// Decisions on the samples as they were read, where these are not those of the plan.
    decided: Option<Vec<(SampleId, u8, u32)>>,
    /// Files that were already decoded.
    decoded: u64,
    /// As whom decisions are read, as in the plan.
    learns_of: Option<(String, bool)>,
}

impl<'a> Scan<'a> {
    pub(crate) fn new(setup: &'a Setup, registry: &'a Registry, reporter: &'a Reporter<'a>) -> Scan<'a> {
        Scan {
            setup,
            registry,
            trial: None,
            model: None,
            printed: BTreeMap::new(),
            tries: false,
            current: BTreeSet::new(),
            reporter,
            report: ScanReport::default(),
            step: (0, 1),
            started: Instant::now(),
            decided: None,
            decoded: decodings(),
            learns_of: None,
        }
    }

    /// Runs to the end, or to the first fatal error. Either way, the report says what was done.
    pub(crate) fn run(mut self, plan: &ScanPlan, mut findings: Findings) -> Done {
        self.tries = plan.trial;
        self.model.clone_from(&plan.known);
        self.learns_of.clone_from(&plan.learns_of);
        let before = self.setup.session.uses().detectors;
        if let Err(error) = self.stages(plan, &mut findings) {
            if !matches!(error, Error::Stopped) {
                (self.reporter.trouble)("scan", &error.to_string());
            }
            self.report.failed.push(("scan".into(), error.to_string()));
        }
        if let Err(error) = models::forget_failed(self.setup, &before, &self.report.failed) {
            (self.reporter.trouble)("session", &error.to_string());
        }
        self.report.decoded = decodings() - self.decoded;
        self.report.seconds = self.started.elapsed().as_secs_f64();
        self.report.peak_memory = memory::peak();
        let Scan { report, trial, model, printed, current, registry, .. } = self;
        Done { report, findings, trial, model, printed, current, codes: codes(registry) }
    }

    fn stages(&mut self, plan: &ScanPlan, findings: &mut Findings) -> Result<()> {
        let detectors = self.with_readers(self.choose(plan)?, plan, findings);
        self.report_changed(plan);
        if !self.tries {
            self.setup.session.save_loaded(&unloaded::loaded(self.registry))?;
        }
        let needs = detectors.iter().fold(Needs::NOTHING, |all, detector| {
            all.and(needs_of(detector, &self.given(detector, plan).values))
        });
        let vectors = uses_model(needs) || self.setup.given.embeddings.is_some();
        self.step = (0, 1 + u32::from(vectors) + detectors.len() as u32);

        let measuring: Vec<Measuring<'_>> =
            detectors.iter().filter_map(|detector| Measuring::of(detector)).collect();
        let Read { model, mut measures, probabilities } =
            self.read((vectors, plan.opening), &measuring, findings)?;
        if self.setup.given.shard.is_some() {
            return Ok(());
        }
        let decisions = codes::digest(self.decided.as_ref().unwrap_or(&plan.decided));
        let prompts = match &plan.prompts {
            Some(tried) => tried.clone(),
            None => self.setup.session.prompts(&self.setup.prompts)?,
        };
        let now = Now { decisions: &decisions, prompts: &prompts.digest() };
        self.report_carried(&detectors, plan, now, findings);
        let (probabilities, digest) = given::probabilities(self.setup, probabilities, findings)?.unzip();
        // Detectors that do not use a model run without it, too.
        let (embedder, unusable) = match model {
            Some(Ok(model)) => (Some(self.embed(model, findings)?), None),
            Some(Err(none)) => (None, Some(models::unusable(self.setup, &none))),
            None => (None, None),
        };
        let earlier = match &embedder {
            Some(embedder) => {
                let depends = |name: &str| self.depends_on_model(name, plan);
                models::settle(self.setup, self.reporter.trouble, embedder.as_ref(), &depends, findings)?
            }
            None => {
                if unusable.is_none() {
                    models::keep_rest(self.setup)?;
                }
                BTreeMap::new()
            }
        };
        let decided = self.decided.as_ref().unwrap_or(&plan.decided);
        let services = DatasetServices::new(
            findings.manifest.clone(),
            findings.file_metadata.clone(),
            findings.matrix.clone().filter(|_| unusable.is_none()),
            embedder.clone(),
            prompts.clone(),
            decided.iter().copied(),
        )
        .with_probabilities(probabilities);
        let services = match (&embedder, plan.trial) {
            (Some(embedder), true) => services.knowing_texts(self.texts_of(embedder)),
            _ => services,
        };
        if let Some(embedder) = &embedder {
            // What is tried is not kept.
            if !plan.trial {
                self.classes(&services, embedder.as_ref(), findings);
            }
            if let Some(words) = services.cut_prompts().filter(|_| !plan.trial) {
                (self.reporter.trouble)("prompts", &words);
            }
        }
        let base = InputDigest::new(findings, &prompts, embedder.as_deref(), digest.as_deref(), decisions);
        let ran: BTreeSet<&str> = detectors.iter().map(|detector| detector.info().name()).collect();
        let pointless = self.without_labels(plan, &detectors, findings);
        self.report_unknown(&detectors, findings);
        let (detectors, circles) = in_order(&detectors);
        for circle in circles {
            self.step.0 += 1;
            self.fail(circle.detector.info().name(), &circle.reason, findings);
        }
        for detector in detectors {
            let name = detector.info().name();
            if pointless.contains(name) {
                self.step.0 += 1;
                continue;
            }
            if unusable.is_some() && self.depends_on_model(name, plan) {
                self.step.0 += 1;
                continue;
            }
            let known = Known { base: &base, earlier: earlier.get(name) };
            self.detect(detector, plan, (&services, measures.remove(name)), known, findings)?;
        }
        match (unusable, embedder) {
            (Some(error), _) => Err(error),
            // All of them are current again, or out of date.
            (None, Some(embedder)) if earlier.keys().all(|name| ran.contains(name.as_str())) => {
                self.setup.session.forget_earlier(embedder.fingerprint().as_str())
            }
            (None, _) => Ok(()),
        }
    }

    /// Whether results of a detector depend on the model; those of an unknown one may.
    fn depends_on_model(&self, name: &str, plan: &ScanPlan) -> bool {
        self.registry
            .find(name)
            .is_none_or(|detector| uses_model(needs_of(detector, &self.given(detector, plan).values)))
    }

    /// Runs one stage, with progress and timing.
    fn stage<T>(&mut self, name: &str, work: impl FnOnce(&mut Self, &Job<'_>) -> Result<T>) -> Result<T> {
        self.step.0 += 1;
        let (step, progress) = (self.step, self.reporter.progress);
        progress(name, 0, 0, step);
        let tell = move |done, total| progress(name, done, total, step);
        let job = Job::new(self.reporter.stop, &tell);
        let started = Instant::now();
        let outcome = work(self, &job);
        self.report.stages.push((name.to_owned(), started.elapsed().as_secs_f64()));
        outcome
    }

    /// Reads all files once: for the file metadata, for the model if vectors are needed, and for detectors that measure
    /// pictures. What was named instead of a model is read before. Who opens a session goes on with the vectors that it has.
    fn read(
        &mut self,
        (vectors, opening): (bool, bool),
        measuring: &[Measuring<'_>],
        findings: &mut Findings,
    ) -> Result<Read> {
        let name = if vectors { "read and embed" } else { "index" };
        self.stage(name, |scan, job| {
            let session = &scan.setup.session;
            // What is in neither place at the moment, be it the dataset itself, would be taken for gone.
            repair::require_whole(&scan.setup.dataset)?;
            present(scan.setup)?;
            let mut opened = dataset::open(&scan.setup.dataset, &scan.setup.dataset_options)?;
            let named = given::open(scan.setup, &opened.manifest)?;
            let known = (findings.file_metadata.len() == findings.manifest.len()
                && !findings.file_metadata.is_empty())
            .then(|| (findings.manifest.clone(), findings.file_metadata.clone()));
            let previous =
                known.as_ref().map(|(manifest, file_metadata)| (manifest.as_ref(), file_metadata.as_ref()));
            let unfinished_depths = session.unfinished_depths_path();
            let depths = index::depths(&opened.manifest, previous, Some(&unfinished_depths), job)?;
            opened.manifest = opened.manifest.with_depths(depths);
            // The files are worth reading even if the model fails to load.
            let mut model = vectors.then(|| scan.load_model(&opened.manifest, named.vectors, opening, job));
            let measurers: Vec<&dyn Measurer> = measuring.iter().map(|one| one as &dyn Measurer).collect();
            let Given { shard, shards, .. } = &scan.setup.given;
            let unfinished = match shard {
                Some(_) => session.shard_rows_path(),
                None => session.unfinished_path(),
            };
            let (dir, shards) = (session.measures_dir(), shard::rows(shards));
            let pass = Pass {
                manifest: &opened.manifest,
                previous,
                measurers: &measurers,
                keep: Some(Keep { measures: &dir, unfinished: &unfinished, shard: *shard, shards: &shards }),
            };
            let into = match &mut model {
                Some(Ok(Model { embedder, store, .. })) if embedder.sees() => {
                    Some(index::Vectors { store, embedder: &**embedder })
                }
                _ => None,
            };
            let passed = pass.run(into, job);
            if let Some(Ok(Model { embedder, .. })) = &model {
                scan.tell_of_devices(embedder.as_ref());
            }
            let passed = passed?;
            if let Some(shard) = *shard {
                return scan.finish_shard(shard, model, &opened.manifest, passed, job);
            }
            refuse_vanished(previous, &passed.file_metadata)?;
            let (manifest, file_metadata) = (Arc::new(opened.manifest), Arc::new(passed.file_metadata));
            scan.count_read(manifest.len(), &file_metadata, passed.report, &passed.filled);
            let mut ledger = opened.ledger;
            faults::enter(&manifest, &file_metadata, &mut ledger);
            remarks::add(&file_metadata, &mut ledger);
            // Rows may have moved: results and decisions for another manifest would refer to the wrong samples.
            let same = previous.is_some_and(|(known, old)| same_rows(known, old, &manifest, &file_metadata));
            let moved = previous.filter(|_| !same).map(|known| {
                (known.0, moved::whereabouts(known, (manifest.as_ref(), file_metadata.as_ref())))
            });
            let moved = moved.as_ref().map(|(known, places)| (*known, places.as_slice()));
            let who = scan.learns_of.clone();
            let who = who.as_ref().map(|(reviewer, blind)| (reviewer.as_str(), *blind));
            match decided::after_reading(session, who, moved, &manifest, &file_metadata, &mut ledger) {
                Ok(_) if same => {}
                Ok(decided) => scan.decided = Some(decided),
                Err(error) => {
                    (scan.reporter.trouble)("decisions", &error.to_string());
                    scan.decided = (!same).then(Vec::new);
                }
            }
            let imports =
                imports::bind(session, &manifest, &file_metadata, &mut ledger, scan.reporter.trouble);
            for remark in &ledger.remarks {
                (scan.reporter.log)(&remark.text);
            }
            let carried = match moved {
                Some((known, places)) => carried::carried(session, known, &manifest, places),
                None => Vec::new(),
            };
            session.save_ledger(&ledger)?;
            if !same {
                // Before the samples are others: what is about the old ones must never be read as if it was about these.
                session.forget_results()?;
            }
            session.save_samples(&manifest, &file_metadata)?;
            for one in &carried {
                session.save_result_of(&one.result, one.found)?;
            }
            index::remove_unfinished(&unfinished)?;
            index::remove_unfinished(&unfinished_depths)?;
            // Keep the same object if nothing changed, so that nothing is ranked again.
            let still = same
                && findings.file_metadata.len() == file_metadata.len()
                && findings.file_metadata.unreadable == file_metadata.unreadable
                && findings.file_metadata.remarks == file_metadata.remarks;
            let known = findings.results.iter().filter(|(name, _)| still && is_built_in(name));
            let mut read: Vec<_> = known.map(|(name, result)| (name.clone(), result.clone())).collect();
            if read.is_empty() {
                read = kept::built_in(session, &file_metadata, manifest.classes());
            }
            findings.manifest = manifest;
            findings.file_metadata = file_metadata;
            findings.ledger = Arc::new(ledger);
            if !same {
                findings.previous.clear();
                findings.results.clear();
                findings.matrix = None;
                findings.atlas = None;
            }
            let carried = carried.into_iter().map(|one| one.result);
            let carried = carried.map(|result| (result.record().name.clone(), Arc::new(result)));
            findings.results.extend(carried);
            findings.results.retain(|name, _| !is_built_in(name));
            findings.results.extend(read);
            imports::keep(session, imports, &mut findings.results)?;
            (scan.reporter.publish)(findings);
            let names = measurers.iter().map(|measurer| measurer.name().to_owned());
            Ok(Read { model, measures: names.zip(passed.measures).collect(), probabilities: named.models })
        })
    }

    fn load_model(
        &self,
        manifest: &Manifest,
        named: Option<(Vectors, Option<TextVectors>)>,
        opening: bool,
        job: &Job<'_>,
    ) -> std::result::Result<Model, NoModel> {
        let (embedder, given) = self.embedder(named)?;
        if opening {
            models::ran_alike(self.setup, embedder.as_ref())?;
        }
        if embedder.sees() {
            (self.reporter.log)(&format!("model {} on {}", embedder.name(), embedder.device()));
        }
        for note in embedder.notes() {
            (self.reporter.trouble)("model", note);
        }
        let mut store = self.open_store(embedder.as_ref(), manifest, job)?;
        self.take_over_shards(&mut store, manifest, job)?;
        for note in store.notes() {
            (self.reporter.trouble)("embedding store", note);
        }
        Ok(Model { embedder, store, given })
    }

    /// The model; or what stands in for one whose vectors were named, or are those of the session.
    fn embedder(
        &self,
        named: Option<(Vectors, Option<TextVectors>)>,
    ) -> Result<(Arc<dyn Embedder>, Option<Vectors>)> {
        let (session, kept) = (&self.setup.session, kept_texts(&self.setup.session));
        match (named, &self.setup.uses.embeddings) {
            (Some((vectors, texts)), files) => {
                let name = files.as_ref().map(EmbeddingFiles::name).unwrap_or_default();
                let stand_in = StandIn::new(name, vectors.fingerprint().clone(), vectors.dim(), texts);
                keep_texts(self.setup, stand_in.texts())?;
                Ok((Arc::new(stand_in), Some(vectors)))
            }
            (None, Some(_)) => Ok((Arc::new(StandIn::kept(session.uses().loaded, kept?)?), None)),
            (None, None) => match &self.model {
                Some(known) => Ok((known.embedder.clone(), None)),
                None => Ok(((self.setup.model)()?, None)),
            },
        }
    }

    /// Embeds what was not embedded during reading, and gathers all vectors.
    fn embed(&mut self, mut model: Model, findings: &mut Findings) -> Result<Arc<dyn Embedder>> {
        self.stage("embed", |scan, job| {
            let mut notes = Vec::new();
            if let Some(vectors) = model.given.take() {
                notes = given::fill(scan.setup, &mut model.store, &vectors, findings, job)?;
            }
            if model.embedder.sees() {
                let (manifest, file_metadata) = (&findings.manifest, &findings.file_metadata);
                scan.fill(&mut model, manifest, file_metadata, job)?;
                if let Some(note) = store::undefined(&model.store, manifest, file_metadata) {
                    (scan.reporter.trouble)("model", &note);
                }
            }
            let Model { embedder, store, .. } = model;
            findings.set_matrix(store.gather(&findings.file_metadata.hashes)?, &scan.setup.session);
            let known = given::report(scan.setup, &store, embedder.as_ref(), notes, findings)?;
            if !embedder.sees() {
                scan.report.reused = known;
            }
            Ok(embedder)
        })
    }

    /// The vectors of texts that a trial may know, which the next one gets with the model.
    fn texts_of(&mut self, embedder: &Arc<dyn Embedder>) -> TextCache {
        /// The most vectors that are handed on.
        const MOST: usize = 1 << 16;
        let few = |texts: &TextCache| texts.lock().is_ok_and(|texts| texts.len() <= MOST);
        let known = self.model.take();
        let known = known.filter(|known| Arc::ptr_eq(&known.embedder, embedder) && few(&known.texts));
        let new = || KnownModel { embedder: embedder.clone(), texts: TextCache::default() };
        self.model.insert(known.unwrap_or_else(new)).texts.clone()
    }

    /// Class vectors are only for display: without them there are fewer candidates, which is no reason to stop.
    fn classes(&self, services: &DatasetServices, embedder: &dyn Embedder, findings: &mut Findings) {
        let path = self.setup.session.class_vectors_path();
        let classes = findings.manifest.classes();
        let outcome = ClassVectors::compute(services, embedder, classes).and_then(|vectors| {
            let bytes = vectors.to_bytes()?;
            chaffinch_data::atomic::write(&path, |out| std::io::Write::write_all(out, &bytes))?;
            Ok(vectors)
        });
        match outcome {
            Ok(vectors) => findings.class_vectors = Some(Arc::new(vectors)),
            Err(Error::Embed(_)) => findings.class_vectors = None,
            Err(error) => (self.reporter.trouble)("class candidates", &error.to_string()),
        }
    }
}

/// Keeps vectors of texts with those of pictures, or removes those that came with others.
fn keep_texts(setup: &Setup, texts: Option<&TextVectors>) -> Result<()> {
    let path = setup.session.text_vectors_path();
    match texts {
        Some(texts) => {
            let folder = setup.session.own_embeddings_dir();
            std::fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
            texts.save(&path)
        }
        None if path.exists() => std::fs::remove_file(&path).map_err(Error::io("remove", &path)),
        None => Ok(()),
    }
}

/// A dataset that is gone is not one without pictures.
fn present(setup: &Setup) -> Result<()> {
    if chaffinch_data::dataset::is_there(&setup.dataset) {
        return Ok(());
    }
    let message = format!(
        "it is gone: moved, deleted, or on a disk that is not mounted. Results and decisions are kept; if it has moved, \
         bind the session to its new place with: chaffinch session move {} NEW",
        quoted(setup.session.dir())
    );
    Err(Error::Dataset { path: setup.dataset.clone(), message })
}

/// If most files vanish at once, a disk is not mounted rather than the pictures deleted: what is known about them is
/// kept until they are back.
fn refuse_vanished(previous: Option<(&Manifest, &FileMetadata)>, file_metadata: &FileMetadata) -> Result<()> {
    let Some((_, old)) = previous else { return Ok(()) };
    let missing = file_metadata.hashes.iter().filter(|hash| **hash == ContentHash::default()).count();
    let were = old.hashes.iter().filter(|hash| **hash == ContentHash::default()).count();
    if missing <= were || missing * 2 <= file_metadata.len() {
        return Ok(());
    }
    Err(Error::Invalid(format!(
        "{missing} of {} files are unreadable, up from {were} in the last scan; is the disk mounted? \
         The session is unchanged",
        file_metadata.len()
    )))
}

/// Whether numbers of the old rows still mean the same samples, and results for them refer to these.
pub(crate) fn same_rows(
    old: &Manifest,
    old_facts: &FileMetadata,
    new: &Manifest,
    new_facts: &FileMetadata,
) -> bool {
    if old_facts.is_empty() {
        // Nothing was read yet, and all that is known of a sample is where it is.
        return old.has_paths_of(new);
    }
    old.labels() == new.labels()
        && old.splits() == new.splits()
        && old.classes() == new.classes()
        && old_facts.hashes == new_facts.hashes
}
