//! A session's results as rows, for `rank` and the summary of `demo`.

use super::args::Global;
use super::finders::FINDERS;
use super::output::warning;
use super::{place, prompt_set, settings};
use anyhow::{Result, bail};
use chaffinch_compute::job::Job;
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::config::Flags;
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::issue::is_built_in;
use chaffinch_data::journal::{Journal, codes};
use chaffinch_data::manifest::Manifest;
use chaffinch_data::nearest;
use chaffinch_data::session::Session;
use chaffinch_data::store;
use chaffinch_engine as engine;
use chaffinch_engine::outdated::Now;
use chaffinch_engine::outputs::{self, BLIND, Outputs};
use chaffinch_engine::{outdated, unloaded};
use chaffinch_formats::repair;
use chaffinch_host::code_at;
use chaffinch_protocol::display::{quoted, safe_path, safe_text};
use chaffinch_protocol::ensemble::thresholds_under;
use chaffinch_protocol::sample::{LabelId, SampleId};
use chaffinch_protocol::{EnsembleRule, Ledger, Query, Sort};
use chaffinch_report::{About, Subject};
use chaffinch_review::atlas::Atlas;
use chaffinch_review::dataset::Beside;
use chaffinch_review::learned::Learned;
use chaffinch_review::query;
use chaffinch_review::query::Source;
use chaffinch_review::ranking;
use chaffinch_review::ranking::Ranking;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The results and decisions of a session, read without starting an engine.
pub(super) struct Listing {
    pub(super) manifest: Arc<Manifest>,
    pub(super) file_metadata: Arc<FileMetadata>,
    pub(super) results: BTreeMap<String, Arc<DetectorResult>>,
    /// Those of the runs before.
    previous: BTreeMap<String, Arc<DetectorResult>>,
    /// The thresholds that apply under the rule, and as configured.
    pub(super) thresholds: BTreeMap<String, f32>,
    pub(super) set: BTreeMap<String, f32>,
    /// Weights for the rule `weighted`.
    pub(super) weights: BTreeMap<String, f32>,
    pub(super) rule: EnsembleRule,
    pub(super) ranking: Ranking,
    pub(super) journal: Journal,
    /// What was left out, guessed or is doubtful about the dataset.
    pub(super) reading: Ledger,
    /// Where it is from, for reports.
    pub(super) about: About,
    /// The dataset, and how it is read.
    dataset: PathBuf,
    options: DatasetOptions,
    session: Session,
    /// Read when it is first needed.
    beside: OnceLock<Beside>,
}

/// What is asked of the dataset on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DatasetState {
    /// It may be half changed, which is said on stderr.
    Any,
    /// It must not be half changed: what is written from it would lack samples.
    Whole,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Entry {
    pub(super) rank: u64,
    pub(super) path: String,
    pub(super) label: String,
    pub(super) suggested_label: String,
    pub(super) score: Option<f32>,
    pub(super) detectors: Vec<String>,
    pub(super) split: &'static str,
    pub(super) decision: String,
    pub(super) reason: String,
}

impl Listing {
    /// Reads a session, given its dataset or folder, without locking it, since it may be in use.
    pub(super) fn open(target: &Path, global: &Global) -> Result<Listing> {
        Listing::open_with(target, global, Flags::default(), DatasetState::Any)
    }

    /// The same, ranked by the given rule instead of the session's.
    pub(super) fn open_by(target: &Path, global: &Global, rule: Option<&str>) -> Result<Listing> {
        let flags = Flags { ensemble: rule.map(str::to_owned), ..Flags::default() };
        Listing::open_with(target, global, flags, DatasetState::Any)
    }

    /// The same, with the decisions of the given reviewer taking precedence over those of others.
    ///
    /// # Errors
    /// Also if there are no decisions of this reviewer, or the dataset is not as it must be.
    pub(super) fn open_as(
        target: &Path,
        global: &Global,
        reviewer: Option<&str>,
        state: DatasetState,
    ) -> Result<Listing> {
        let flags = Flags { reviewer: reviewer.map(str::to_owned), ..Flags::default() };
        let listing = Listing::open_with(target, global, flags, state)?;
        if listing.journal.is_blind() {
            bail!(
                "{}: {BLIND} (gB in chaffinch open, or the line toggle-blind in chaffinch open --plain)",
                safe_path(listing.session.dir())
            );
        }
        if let Some(name) = reviewer.filter(|_| listing.journal.entries().is_empty()) {
            let others = &listing.journal.decisions().reviewers()[1..];
            let hint = nearest::hint(name, others.iter().map(String::as_str));
            match others {
                [] => {
                    bail!("nobody has decided anything in this session yet, so '{}' has not", safe_text(name))
                }
                others => bail!(
                    "there are no decisions by '{}' in this session, only by {}{hint}",
                    safe_text(name),
                    safe_text(&others.join(", "))
                ),
            }
        }
        Ok(listing)
    }

    fn open_with(target: &Path, global: &Global, flags: Flags, state: DatasetState) -> Result<Listing> {
        let location = place::find(target, global)?;
        place::scanned(&location, global)?;
        match state {
            DatasetState::Any => place::warn_of_half_changed(&location),
            DatasetState::Whole => repair::require_whole(&location.dataset)?,
        }
        let session = Session::open_to_read(&location.dir)?;
        let Some((manifest, file_metadata)) = session.load_samples()? else {
            return Err(place::no_results(&session));
        };
        let (results, damaged) = session.load_results(manifest.len(), manifest.classes());
        for text in damaged {
            warning("session", &text);
        }
        let mut results: BTreeMap<_, _> =
            results.into_iter().map(|(name, result)| (name, Arc::new(result))).collect();
        let settings = session.load_settings()?;
        results.retain(|name, _| !settings.is_off(name));
        let previous = session.load_previous(manifest.len(), manifest.classes());
        let previous = previous.into_iter().map(|(name, result)| (name, Arc::new(result))).collect();
        let read = engine::built_in(&file_metadata, manifest.classes());
        results.extend(read.into_iter().map(|result| (result.record().name.clone(), Arc::new(result))));
        if results.keys().all(|name| is_built_in(name)) {
            warning(
                "session",
                "no detector has results yet, so nothing is known of most faults; run chaffinch scan",
            );
        }
        let ledger = session.ledger_of(&manifest, &file_metadata)?;
        let reading = engine::reading(&ledger, &results, &manifest);
        let config = settings::config(global, Some(&location.dir))?.with_flags(flags);
        let mut thresholds: BTreeMap<String, f32> =
            results.iter().map(|(name, result)| (name.clone(), result.record().threshold)).collect();
        thresholds.extend(config.thresholds());
        thresholds.extend(settings.thresholds);
        thresholds.retain(|name, _| results.contains_key(name));
        let rule = config.ensemble_over(settings.ensemble);
        let dataset = session.dataset();
        let about = outputs::about(&dataset, super::named_version(), session.uses());
        let options = session.load_reading()?.unwrap_or_default();
        let (manifest, file_metadata) = (Arc::new(manifest), Arc::new(file_metadata));
        let mut journal = Journal::open(&session.decisions_dir(), &config.reviewer())?;
        journal.notes().iter().for_each(|note| warning("decisions", note));
        let blind = session.load_blind(&config.reviewer()).is_some();
        journal.set_blind(blind);
        journal.bind(&manifest, Some(&file_metadata));
        if blind {
            let reviewer = config.reviewer();
            let name = safe_text(&reviewer);
            warning("decisions", &format!("the review of {name} is blind: what others decided is left out"));
        }
        let set = thresholds;
        let thresholds = thresholds_under(&rule, set.clone());
        let reviewed = ranking::reviewed(&rule, journal.decisions());
        let ranking = ranking::rank_reviewed(
            &results,
            &thresholds,
            &rule,
            manifest.len(),
            &reviewed,
            &manifest.places(),
        );
        if !ranking.note.is_empty() {
            warning("ensemble", &ranking.note);
        }
        Ok(Listing {
            manifest,
            file_metadata,
            results,
            previous,
            thresholds,
            set,
            weights: config.weights(),
            rule,
            ranking,
            journal,
            reading,
            about,
            dataset: location.dataset,
            options,
            session,
            beside: OnceLock::new(),
        })
    }

    /// Says on stderr that reviewers disagree, and how to list the samples; nothing if they do not.
    pub(super) fn tell_disputes(&self) {
        if let Some(words) = self.journal.disputes(self.journal.decisions()).words() {
            warning("decisions", &format!("{words}; --filter is:disputed lists them"));
        }
    }

    /// Says on stderr that detectors take part which the last scan did not have, or whose code is gone, and which have not looked
    /// at the dataset as it is now; nothing if there are none.
    pub(super) fn tell_unloaded(&self, global: &Global) {
        let all = self.results.values().map(AsRef::as_ref);
        let own = all.filter(|result| unloaded::is_of_detector(result)).map(|one| one.record().name.as_str());
        let gone: Vec<&str> = own.filter(|name| !self.session.is_loaded(name)).collect();
        if let Some(words) = unloaded::words(&gone, &self.session) {
            warning("detectors", &words);
        }
        let decisions = codes::digest(&self.journal.codes());
        let prompts = prompt_set::digest(&self.session, self.dataset.clone(), global);
        let now = Now { decisions: &decisions, prompts: &prompts };
        let why = |result: &DetectorResult| {
            let name = &result.record().name;
            // Without loading it, which may run it.
            let code = self.session.code_of(name).and_then(|path| code_at(&path)).unwrap_or_default();
            let why = outdated::why(result, &code, now)?;
            Some((safe_text(name).into_owned(), why))
        };
        let before: BTreeMap<_, _> = self.results.values().filter_map(|result| why(result)).collect();
        if let Some(words) = outdated::words(&before) {
            let scan = format!("chaffinch scan {} runs them again", quoted(self.session.dir()));
            warning("detectors", &format!("{words}; {scan}"));
        }
    }

    /// Checks that the detector has results.
    pub(super) fn detector(&self, name: &str) -> Result<String> {
        if self.results.contains_key(name) {
            return Ok(name.to_owned());
        }
        let known: Vec<&str> = self.results.keys().map(String::as_str).collect();
        let hint = nearest::hint(name, known.iter().copied());
        bail!(
            "there are no results from a detector '{}' (available: {}){hint}",
            safe_text(name),
            known.join(", ")
        )
    }

    /// Checks that a detector gives this attribute.
    pub(super) fn attribute(&self, name: &str) -> Result<String> {
        if query::attribute(&self.results, name).is_some() {
            return Ok(name.to_owned());
        }
        let known: Vec<&str> = self.results.values().flat_map(|result| result.attributes()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        bail!("no detector gives the attribute '{}' (available: {known})", safe_text(name))
    }

    /// Everything, as input for queries and exports.
    pub(super) fn source(&self) -> Source<'_> {
        Source {
            manifest: &self.manifest,
            file_metadata: &self.file_metadata,
            results: &self.results,
            previous: &self.previous,
            thresholds: &self.thresholds,
            ranking: &self.ranking,
            decisions: self.journal.decisions(),
            atlas: None,
            direction: None,
            learned: None,
        }
    }

    /// The embeddings of the last scan, if there are any.
    pub(super) fn atlas(&self) -> Option<Atlas> {
        let loaded = self.about.uses.loaded.as_ref()?;
        let model = (loaded.fingerprint.as_str(), loaded.dim);
        let rendering = self.manifest.rendering();
        let matrix =
            store::kept(&self.session.embeddings_dir(), rendering, model, &self.file_metadata.hashes)?;
        Some(Atlas::new(Arc::new(matrix), self.manifest.clone(), self.file_metadata.clone()))
    }

    /// What the dataset as a whole is judged with beside results and embeddings.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn beside(&self) -> Result<&Beside> {
        if self.beside.get().is_none() {
            let read = engine::whole::beside(&self.session, &self.manifest, &self.file_metadata)?;
            let _ = self.beside.set(read);
        }
        Ok(self.beside.get_or_init(Beside::default))
    }

    /// Everything, as input for reports; the dataset as a whole is judged in them once [`Listing::beside`] has been read.
    pub(super) fn subject<'a>(&'a self, atlas: Option<&'a Atlas>) -> Subject<'a> {
        Subject {
            source: Source { atlas, ..self.source() },
            journal: &self.journal,
            ledger: &self.reading,
            rule: &self.rule,
            about: &self.about,
            beside: self.beside.get(),
        }
    }

    /// Everything, as input for what is written.
    pub(super) fn outputs<'a>(&'a self, atlas: Option<&'a Atlas>) -> Result<Outputs<'a>> {
        let subject = self.subject(atlas);
        Ok(Outputs::new(subject, &self.dataset, &self.options, FINDERS, &Job::unwatched())?)
    }

    /// What the decisions teach, for a list in that order.
    ///
    /// # Errors
    /// When it is not better than the rank yet.
    pub(super) fn learned(&self, sort: &Sort) -> Result<Option<Learned>> {
        if !matches!(sort, Sort::Learned(_)) {
            return Ok(None);
        }
        match Learned::better(self.source().evidence(), self.journal.decisions(), &|| false) {
            Ok(learned) => Ok(Some(learned)),
            Err(error) => bail!("{}", safe_text(&error.to_string())),
        }
    }

    /// The samples that match a query, in its order.
    pub(super) fn select(&self, query: &Query, learned: Option<&Learned>) -> Result<Vec<SampleId>> {
        let atlas = if query::needs_embeddings(query) { self.atlas() } else { None };
        let source = Source { atlas: atlas.as_ref(), learned, ..self.source() };
        Ok(query::select(&source, query)?.into_iter().map(SampleId).collect())
    }

    /// All suspects by rank.
    pub(super) fn suspects(&self) -> Vec<Entry> {
        let ids = self.ranking.order.iter().map(|&id| SampleId(id));
        (1..).zip(ids).map(|(rank, id)| self.entry(rank, id, &Sort::Rank)).collect()
    }

    /// One row. In a list by one detector, with its score and reason.
    pub(super) fn entry(&self, rank: u64, id: SampleId, sort: &Sort) -> Entry {
        let verdicts = self.source().verdicts();
        let detectors: Vec<String> = verdicts.flags(id).map(|flag| flag.detector.to_owned()).collect();
        let by = match sort {
            Sort::Detector(name) => Some(name.as_str()),
            _ => None,
        };
        // A list by one detector says what that one says, be it nothing.
        let (suggested, reason) = match by.map(|name| (name, self.results.get(name))) {
            Some((name, Some(result))) => {
                let flagged = verdicts.flags(id).find(|flag| flag.detector == name);
                let reason = flagged.map_or_else(|| result.reason(id).to_owned(), |flag| flag.reason());
                (result.suggested(id), reason)
            }
            _ => (verdicts.suggested(id), verdicts.reason(id)),
        };
        let attribute = match sort {
            Sort::Attribute(name) => query::attribute(&self.results, name),
            _ => None,
        };
        let score = match by {
            _ if attribute.is_some() => attribute.and_then(|(result, name)| result.attribute(name, id)),
            Some(name) => self.results.get(name).map(|result| result.scores()[id.index()]),
            // Every row is listed, so computing all at once is cheaper than one by one.
            None => self.ranking.scores().get(id.index()).copied(),
        };
        Entry {
            rank,
            path: safe_path(self.manifest.path(id)),
            label: safe_text(self.manifest.label_name(id)).into_owned(),
            suggested_label: safe_text(match suggested {
                Some(label) => self.manifest.class(LabelId(label)),
                None if by.is_some() => "",
                None => verdicts.suggested_other(id).unwrap_or_default(),
            })
            .into_owned(),
            score: score.filter(|score| !score.is_nan()),
            detectors,
            split: self.manifest.split(id).name(),
            decision: self.decision(id),
            reason: safe_text(&reason).into_owned(),
        }
    }

    fn decision(&self, id: SampleId) -> String {
        let decided = self.journal.decision(id).map(|decision| decision.choice.to_string());
        safe_text(&decided.unwrap_or_default()).into_owned()
    }
}
