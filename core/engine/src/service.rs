//! The command loop. It never does long computations itself: scans, queries and pictures run on their own threads, and
//! their results come back here as [`Internal`] messages.

mod blind;
mod detectors;
mod meter;
mod outputs;
mod scan_thread;
mod views;
mod watch;

use crate::Setup;
use crate::answers::internal::Internal;
use crate::answers::list_result::ListResult;
use crate::answers::lists::Lists;
use crate::answers::outline::Outline;
use crate::answers::outputs::Forms;
use crate::answers::overview::{self, Known, OverviewQuestion};
use crate::answers::pictures::{Pictures, Request};
use crate::answers::worker_queue::WorkerQueue;
use crate::answers::{rows, views as view_answers};
use crate::findings::Findings;
use crate::kept;
use crate::scan::{Done, ScanPlan};
use crate::state::State;
use crate::{Error, Result};
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::issue::is_built_in;
use chaffinch_data::journal::{Applied, Decisions, Journal};
use chaffinch_data::session::Settings;
use chaffinch_formats::dataset;
use chaffinch_host::resolve_params;
use chaffinch_protocol::display;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{
    Command, DetectorSummary, EnsembleRule, Event, ListCounts, ListedRow, PROTOCOL_VERSION, Saved, SavedKind,
    ScanReport, SessionSummary, Ticket,
};
use chaffinch_review::query;
use crossbeam_channel::{Receiver, Sender, bounded, select, unbounded};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use detectors::Trial;

pub(crate) struct Service {
    setup: Arc<Setup>,
    events: Sender<Event>,
    internal: (Sender<Internal>, Receiver<Internal>),
    state: Arc<State>,
    journal: Journal,
    moved: BTreeMap<String, f32>,
    known: Known,
    /// The results of disabled detectors.
    parked: BTreeMap<String, Arc<DetectorResult>>,
    rule: EnsembleRule,
    remembered: String,
    list: Option<(Ticket, Arc<ListResult>)>,
    /// Rows of the list by their decision.
    counts: [u64; 4],
    lists: Lists,
    pictures: Pictures,
    views: WorkerQueue<view_answers::ViewQuestion>,
    overviews: WorkerQueue<OverviewQuestion>,
    forms: Forms,
    blind: blind::BlindReview,
    job: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
    /// What the job tries, if it is a trial.
    trial: Option<Trial>,
    /// What is tried after that.
    next_trial: Option<Trial>,
    /// What is scanned after it: detectors, and whether they run although nothing has changed.
    next_scan: Option<(Vec<String>, bool)>,
    /// Dropped with the service, which ends the thread that looks at the folders of detectors.
    _ended: Sender<()>,
    /// Whether the last scan covers all enabled detectors.
    whole: bool,
    stale: bool,
    /// Why a scan could not bring the session up to date; empty if nothing is known to be in the way.
    obstacle: String,
}

impl Service {
    pub(crate) fn new(mut setup: Setup, events: Sender<Event>) -> Result<Service> {
        settle_reading(&mut setup)?;
        let session = &setup.session;
        let reviewer = setup.config.reviewer();
        let mut journal = Journal::open(&session.decisions_dir(), &reviewer)?;
        let obstacle = session.read_only().unwrap_or_default().to_owned();
        if !obstacle.is_empty() {
            let _ = events.send(Event::Trouble { about: "session".into(), message: obstacle.clone() });
        }
        let mut findings = Findings { model: session.model_name(), ..Findings::default() };
        let mut stale = true;
        for note in journal.notes() {
            let _ = events.send(Event::Trouble { about: "journal".into(), message: note.clone() });
        }
        if let Some(remark) = session.lock_remark() {
            let _ = events.send(Event::Trouble { about: "session".into(), message: remark.to_owned() });
        }
        if let Some((manifest, file_metadata)) = session.load_samples()? {
            findings.manifest = Arc::new(manifest);
            findings.file_metadata = Arc::new(file_metadata);
            findings.ledger = Arc::new(session.ledger_of(&findings.manifest, &findings.file_metadata)?);
            let (results, damaged) =
                session.load_results(findings.manifest.len(), findings.manifest.classes());
            stale = results.is_empty() || !damaged.is_empty();
            for note in damaged {
                let _ = events.send(Event::Trouble { about: "session".into(), message: note });
            }
            findings.results = results.into_iter().map(|(name, result)| (name, Arc::new(result))).collect();
            let read = kept::built_in(session, &findings.file_metadata, findings.manifest.classes());
            findings.results.extend(read);
            let previous = session.load_previous(findings.manifest.len(), findings.manifest.classes());
            findings.previous = previous.into_iter().map(|(name, result)| (name, Arc::new(result))).collect();
        } else {
            let opened = dataset::open(&setup.dataset, &setup.dataset_options)?;
            findings.manifest = Arc::new(opened.manifest);
            findings.ledger = Arc::new(opened.ledger);
        }
        let file_metadata = (!findings.file_metadata.is_empty()).then(|| findings.file_metadata.clone());
        journal.bind(&findings.manifest, file_metadata.as_ref());
        let settings = session.load_settings()?;
        let mut moved = setup.config.thresholds();
        moved.extend(settings.thresholds);
        let mut parked = BTreeMap::new();
        for (name, _) in settings.enabled.iter().filter(|(_, enabled)| !**enabled) {
            parked.extend(findings.results.remove_entry(name));
        }
        let rule = setup.config.ensemble_over(settings.ensemble);
        let remembered = session.load_view(&reviewer);
        let internal = unbounded();
        let state = Arc::new(State::new(findings, &moved, rule.clone(), journal.decisions(), Some(session)));
        chaffinch_data::columns::release_mapped();
        let setup = Arc::new(setup);
        let (ended, watched) = bounded(0);
        let (looked_at, loaded) = (setup.detectors.clone(), internal.0.clone());
        std::thread::Builder::new()
            .name("detectors".into())
            .spawn(move || watch::watch(&looked_at, &loaded, &watched))
            .map_err(Error::io("start", "the thread that looks at detectors"))?;
        if !state.found {
            state.keep_rank(&setup);
        }
        let known = Known {
            params: settings.params,
            enabled: settings.enabled,
            costs: setup.session.load_costs(),
            ..Known::default()
        };
        Ok(Service {
            lists: Lists::start(&internal.0),
            pictures: Pictures::start(&events),
            views: view_answers::desk(&events),
            overviews: overview::desk(&events),
            forms: Forms::start(&events),
            blind: blind::BlindReview::default(),
            setup,
            events,
            internal,
            state,
            journal,
            moved,
            known,
            parked,
            rule,
            remembered,
            list: None,
            counts: [0; 4],
            job: None,
            trial: None,
            next_trial: None,
            next_scan: None,
            _ended: ended,
            whole: true,
            stale,
            obstacle,
        })
    }

    /// Answers commands until it is told to stop.
    ///
    /// # Errors
    /// When decisions are not on disk then.
    pub(crate) fn run(mut self, inbox: &Receiver<Command>) -> Result<()> {
        self.tell_session();
        let internal = self.internal.1.clone();
        loop {
            select! {
                recv(inbox) -> command => match command {
                    Ok(Command::Stop) | Err(_) => break,
                    Ok(command) => self.obey(command),
                },
                recv(internal) -> message => if let Ok(message) = message { self.absorb(message) },
            }
        }
        if let Some((stop, _)) = &self.job {
            stop.store(true, Ordering::Relaxed);
        }
        // Decisions first: what follows may wait for a slow disk or for a detector, and who quits may not.
        let settled = if self.setup.session.is_writable() { self.journal.settle() } else { Ok(()) };
        self.tell_repairs();
        let unsaved = settled.as_ref().err().map(|error| display::safe_text(&error.to_string()).into_owned());
        self.tell(Event::Bye { unsaved: unsaved.unwrap_or_default() });
        if let Some((_, job)) = self.job.take() {
            let _ = job.join();
        }
        self.lists.stop();
        self.pictures.stop();
        self.overviews.stop();
        self.forms.stop();
        self.views.stop();
        settled
    }

    /// Says what was written to the journal again, and makes its folder a session again if it was removed.
    fn tell_repairs(&mut self) {
        for message in self.journal.take_remarks() {
            self.tell(Event::Trouble { about: "journal".into(), message });
            if let Err(error) = self.setup.session.restore() {
                self.refuse(&error);
            }
        }
    }

    fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }

    fn refuse(&self, error: &Error) {
        self.tell(Event::Refused { message: display::safe_text(&error.to_string()).into_owned() });
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Scan { detectors } => self.scan(detectors, false),
            Command::Rerun { detector, params } => self.rerun(detector, &params),
            Command::Try { ticket, detector, params } => self.try_out(Trial { ticket, detector, params }),
            Command::Enable { detector, enabled } => self.enable(detector, enabled),
            Command::LetIn { detector } => self.let_in(detector),
            Command::Cancel => {
                if let Some((stop, _)) = &self.job {
                    stop.store(true, Ordering::Relaxed);
                }
            }
            Command::List { ticket, query } => {
                if query::needs_embeddings(&query) {
                    self.open_matrix();
                }
                self.lists.ask(ticket, query, self.state.clone(), self.journal.snapshot(), self.only());
            }
            Command::Rows { ticket, start, len } => self.rows(ticket, start, len),
            Command::RowsOf { ticket, samples } => self.rows_of(ticket, &samples),
            Command::Locate { ticket, sample } => {
                if let Some(order) = self.order(ticket) {
                    let row = order.position(sample);
                    self.tell(Event::Located { ticket, sample, row });
                }
            }
            Command::FindUndecided { ticket, from, forward } => {
                if let Some(order) = self.order(ticket) {
                    let row = order.find(from, forward, |id| self.journal.decision(id).is_none());
                    self.tell(Event::Found { ticket, row });
                }
            }
            Command::Detail { sample } => {
                if sample.index() < self.state.findings.manifest.len() {
                    self.open_matrix();
                    let detail = rows::detail(&self.state, &self.journal, sample);
                    self.tell(Event::Detail(Box::new(detail)));
                }
            }
            Command::Picture { ticket, slot, sample, max_width, max_height, regions } => {
                let manifest = self.state.findings.manifest.clone();
                let (fit, outlines) = ((max_width, max_height), self.outlines(sample, regions));
                self.pictures.ask(Request { manifest, ticket, slot, sample, fit, part: None, outlines });
            }
            Command::Decide { samples, decision } => {
                self.enter(&samples, |journal| journal.decide(&samples, decision));
            }
            Command::DecideEach { decisions } => {
                let samples: Vec<SampleId> = decisions.iter().map(|(id, _)| *id).collect();
                self.enter(&samples, |journal| journal.decide_each(&decisions));
            }
            Command::Tag { samples, tags, note } => {
                self.enter(&samples, |journal| journal.tag(&samples, &tags, &note));
            }
            Command::Untag { samples, tags, note } => {
                self.enter(&samples, |journal| match note {
                    true => journal.remove_note(&samples),
                    false => journal.untag(&samples, &tags),
                });
            }
            Command::Undo => {
                let before = self.journal.snapshot();
                let outcome = self.setup.session.writable().and_then(|()| self.journal.undo());
                self.saved(SavedKind::Undo, outcome, &before);
            }
            Command::Redo => {
                let before = self.journal.snapshot();
                let outcome = self.setup.session.writable().and_then(|()| self.journal.redo());
                self.saved(SavedKind::Redo, outcome, &before);
            }
            Command::SetThreshold { detector, threshold } => self.set_threshold(detector, threshold),
            Command::SetEnsemble { rule } => {
                self.rule = rule;
                self.save_settings();
                self.rank(self.state.findings.clone());
            }
            Command::Overview { ticket, about } => self.overviews.ask(OverviewQuestion {
                ticket,
                about,
                state: self.state.clone(),
                decisions: self.journal.snapshot(),
                setup: self.setup.clone(),
                known: self.known.clone(),
            }),
            Command::Remember { state } => self.remember(state),
            Command::View(command) => self.view(command),
            Command::Blind { on, sample, seed } => self.set_blind(on, sample, seed),
            Command::Output(command) => self.output(command),
            // Handled by the loop itself.
            Command::Stop => {}
        }
    }

    fn absorb(&mut self, message: Internal) {
        match message {
            Internal::Published(findings) => self.take_findings(*findings),
            Internal::ScanDone(done) => {
                if let Some((_, job)) = self.job.take() {
                    let _ = job.join();
                }
                if let Some(trial) = self.trial.take() {
                    return self.trial_done(&trial, *done);
                }
                self.account(&done);
                let Done { mut report, findings, .. } = *done;
                self.judge(&report);
                self.take_findings(findings);
                if !self.state.found {
                    self.state.keep_rank(&self.setup);
                }
                report.suspects = self.state.ranking.order.len() as u64;
                report.detectors = self.state.detectors.clone();
                report.reading = self.state.reading();
                self.tell(Event::ScanDone(Box::new(report)));
            }
            Internal::Output(event) => self.output_done(*event),
            Internal::Loaded(registry, run) => self.loaded(registry, run),
            Internal::NotLetIn(why) => self.refuse(&Error::Invalid(why)),
            Internal::Listed(ticket, order) => {
                // Decisions made since the list was asked for count as well.
                let by_choice = order.count(self.journal.decisions(), self.state.findings.manifest.len());
                self.counts = by_choice;
                self.tell(Event::Listed {
                    ticket,
                    total: order.rows.len() as u64,
                    decided: by_choice.iter().sum(),
                    by_choice,
                });
                self.list = Some((ticket, order));
            }
            Internal::ListFailed(ticket, error) => {
                let at = match &error {
                    Error::Filter { at, .. } => Some((at.0 as u32, at.1 as u32)),
                    _ => None,
                };
                let message = display::safe_text(&error.to_string()).into_owned();
                self.tell(Event::NotListed { ticket, message, at });
            }
        }
    }

    /// Whether another scan would find something to do. A detector that failed would fail again: that is reported when
    /// it happens and is no reason to scan.
    fn judge(&mut self, report: &ScanReport) {
        let failure = report.failed.iter().find(|(about, _)| about == "scan").map(|(_, why)| why.as_str());
        let stopped = Error::Stopped.to_string();
        self.obstacle = failure.filter(|why| *why != stopped).map(str::to_owned).unwrap_or_default();
        if failure.is_some() || self.whole {
            self.stale = failure.is_some();
        }
    }

    fn take_findings(&mut self, mut findings: Findings) {
        self.park(&mut findings);
        let file_metadata = (!findings.file_metadata.is_empty()).then(|| findings.file_metadata.clone());
        self.journal.bind(&findings.manifest, file_metadata.as_ref());
        self.rank(findings);
        self.draw();
    }

    /// Makes a new snapshot and notifies the client that lists have changed.
    fn rank(&mut self, findings: Findings) {
        let decisions = self.journal.decisions();
        let renewed = Arc::new(self.state.renewed(findings, &self.moved, &self.rule, decisions));
        let old = std::mem::replace(&mut self.state, renewed);
        // Freeing the columns of ten million rows takes a while.
        rayon::spawn(move || drop(old));
        if !self.state.ranking.note.is_empty() {
            self.tell(Event::Trouble { about: "ensemble".into(), message: self.state.ranking.note.clone() });
        }
        self.tell_session();
    }

    fn tell_session(&self) {
        let (state, setup) = (&self.state, &self.setup);
        let findings = &state.findings;
        self.tell(Event::Session(Box::new(SessionSummary {
            protocol: PROTOCOL_VERSION,
            dataset: display::safe_path(&setup.dataset),
            session: display::safe_path(setup.session.dir()),
            samples: findings.manifest.len() as u64,
            classes: findings.manifest.classes().to_vec(),
            model: findings.model.clone(),
            detectors: state.detectors.iter().map(|one| self.costed(one)).collect(),
            ensemble: state.rule.clone(),
            reviewer: display::safe_text(&setup.config.reviewer()).into_owned(),
            reviewers: self
                .journal
                .decisions()
                .reviewers()
                .iter()
                .map(|name| display::safe_text(name).into_owned())
                .collect(),
            suspects: state.ranking.order.len() as u64,
            decided: self.journal.decided_count() as u64,
            disputed: self.journal.decisions().disputed(),
            blind: self.blind_summary(),
            stale: self.stale,
            obstacle: display::safe_text(&self.obstacle).into_owned(),
            reading: state.reading(),
            changed: self.changed(),
            remembered: self.remembered.clone(),
        })));
    }

    /// The same with what its last run took, also if that was in another process.
    fn costed(&self, detector: &DetectorSummary) -> DetectorSummary {
        let known = self.known.costs.get(&detector.name).filter(|_| detector.seconds == 0.0);
        DetectorSummary { seconds: known.map_or(detector.seconds, |cost| cost.seconds), ..detector.clone() }
    }

    fn order(&self, ticket: Ticket) -> Option<Arc<ListResult>> {
        self.list.as_ref().filter(|(current, _)| *current == ticket).map(|(_, order)| order.clone())
    }

    fn rows(&self, ticket: Ticket, start: u64, len: u32) {
        // A request for an outdated list gets no answer: the client has a newer ticket.
        if let Some(order) = self.order(ticket) {
            let from = usize::try_from(start).unwrap_or(usize::MAX).min(order.rows.len());
            let to = from.saturating_add(len.min(4096) as usize).min(order.rows.len());
            let rows = order.rows[from..to].iter().map(|&row| {
                rows::row_sorted(&self.state, self.journal.decisions(), SampleId(row), &order.sort)
            });
            self.tell(Event::Rows { ticket, start: from as u64, rows: rows.collect() });
        }
    }

    /// What is drawn over the picture of a sample, if it is wanted.
    fn outlines(&self, sample: SampleId, wanted: bool) -> Vec<Outline> {
        let results = self.state.findings.results.values().filter(|result| wanted && result.has_regions());
        let of = |(place, result): (usize, &Arc<DetectorResult>)| {
            result.regions(sample).iter().map(|region| Outline::new(region, place)).collect::<Vec<_>>()
        };
        results.enumerate().flat_map(of).collect()
    }

    fn rows_of(&self, ticket: Ticket, samples: &[SampleId]) {
        let count = self.state.findings.manifest.len();
        let order = self.list.as_ref().map(|(_, order)| order);
        let row = |id: &SampleId| ListedRow {
            row: rows::row(&self.state, self.journal.decisions(), *id),
            listed: order.is_some_and(|order| order.has(*id, count)),
        };
        let rows = samples.iter().filter(|id| id.index() < count).map(row).collect();
        self.tell(Event::RowsOf { ticket, rows });
    }

    fn known(&self, samples: &[SampleId]) -> Result<()> {
        let count = self.state.findings.manifest.len();
        match samples.iter().find(|id| id.index() >= count) {
            Some(id) => Err(Error::Invalid(format!("there is no sample {}, the dataset has {count}", id.0))),
            None if samples.is_empty() => Err(Error::Invalid("no sample is selected".into())),
            None => Ok(()),
        }
    }

    /// Adds a journal entry for samples that exist, and reports the outcome.
    fn enter(&mut self, samples: &[SampleId], entry: impl FnOnce(&mut Journal) -> Result<Applied>) {
        let before = self.journal.snapshot();
        let allowed = self.setup.session.writable().and_then(|()| self.known(samples));
        let outcome = allowed.and_then(|()| entry(&mut self.journal));
        self.saved(SavedKind::Decision, outcome.map(Some), &before);
    }

    /// Moves the counts of the current list from the decisions before a change to those after it.
    fn recount(&mut self, samples: &[SampleId], before: &Decisions) -> Option<ListCounts> {
        let (ticket, order) = self.list.clone()?;
        let count = self.state.findings.manifest.len();
        for id in samples.iter().filter(|id| order.has(**id, count)) {
            if let Some(decision) = before.get(*id) {
                let before = &mut self.counts[decision.choice.index()];
                *before = before.saturating_sub(1);
            }
            if let Some(decision) = self.journal.decision(*id) {
                self.counts[decision.choice.index()] += 1;
            }
        }
        Some(ListCounts { ticket, by_choice: self.counts })
    }

    fn saved(&mut self, kind: SavedKind, outcome: Result<Option<Applied>>, before: &Decisions) {
        match outcome {
            Ok(Some(applied)) if applied.unchanged => {
                let message = rows::unchanged_text(&self.state.findings.manifest, &self.journal, &applied);
                self.tell(Event::Unchanged { message });
            }
            Ok(Some(applied)) => {
                let listed = self.recount(&applied.samples, before);
                let manifest = &self.state.findings.manifest;
                let text = rows::saved_text(manifest, kind, &applied);
                self.tell(Event::Saved(Saved {
                    kind,
                    decision: applied.samples.first().and_then(|&id| self.journal.decision(id).cloned()),
                    samples: applied.samples,
                    text,
                    undoable: self.journal.undoable() as u64,
                    redoable: self.journal.redoable() as u64,
                    decided: self.journal.decided_count() as u64,
                    disputed: self.journal.decisions().disputed(),
                    listed,
                }));
            }
            Ok(None) => {
                let what = if kind == SavedKind::Undo { "undo" } else { "redo" };
                self.tell(Event::NotSaved { message: format!("nothing to {what}") });
            }
            Err(error) => {
                let message = display::safe_text(&error.to_string()).into_owned();
                self.tell(Event::NotSaved { message });
            }
        }
        // Last, so that it is what one sees.
        self.tell_repairs();
    }

    /// Parameters that the detector would reject are not stored: they would break every later scan.
    fn rerun(&mut self, detector: String, params: &BTreeMap<String, f64>) {
        let moved = self.moved_params(&detector, params);
        let registry = self.setup.detectors.now();
        let Some(known) = registry.find(&detector) else {
            let why = match is_built_in(&detector) {
                true => format!(
                    "'{detector}' is what reading the files found, and no detector: scan to read them again"
                ),
                false => format!(
                    "the detector '{detector}' is not loaded, so it cannot run again; chaffinch plugins list shows which are"
                ),
            };
            return self.refuse(&Error::Invalid(why));
        };
        if let Err(error) = resolve_params(known, &moved) {
            return self.refuse(&error);
        }
        self.known.params.insert(detector.clone(), moved);
        self.save_settings();
        self.scan(vec![detector], true);
    }

    fn set_threshold(&mut self, detector: String, threshold: f32) {
        if !(0.0..=1.0).contains(&threshold) {
            self.refuse(&Error::Invalid(format!("the threshold {threshold} is not in the range 0..=1")));
        } else if !self.state.findings.results.contains_key(&detector) {
            self.refuse(&Error::Invalid(format!("there are no results from a detector '{detector}'")));
        } else {
            self.moved.insert(detector, threshold);
            self.rank(self.state.findings.clone());
            // Only now: the client is waiting for the list, and no decision is lost by saving later.
            self.save_settings();
        }
    }

    fn save_settings(&self) {
        if !self.setup.session.is_writable() {
            // What is moved counts until it is closed.
            return;
        }
        let settings = Settings {
            ensemble: Some(self.rule.clone()),
            thresholds: self.moved.clone(),
            params: self.known.params.clone(),
            enabled: self.known.enabled.clone(),
        };
        if let Err(error) = self.setup.session.save_settings(&settings) {
            self.refuse(&error);
        }
    }

    fn remember(&mut self, state: String) {
        if !self.setup.session.is_writable() {
            self.remembered = state;
        } else if state.len() > 64 * 1024 {
            self.refuse(&Error::Invalid("the view state is too large to save".into()));
        } else if let Err(error) = self.setup.session.save_view(&self.setup.config.reviewer(), &state) {
            self.refuse(&error);
        } else {
            self.remembered = state;
        }
    }

    /// Opens the embeddings of an earlier scan when neighbors are first needed for a detail.
    fn open_matrix(&mut self) {
        let findings = &self.state.findings;
        if findings.matrix.is_some() || findings.file_metadata.is_empty() || self.job.is_some() {
            return;
        }
        if let Some((matrix, vectors)) = rows::open_matrix(&self.setup.session, findings) {
            let mut findings = findings.clone();
            findings.set_matrix(matrix);
            findings.class_vectors = vectors.map(Arc::new);
            self.state = Arc::new(self.state.with_findings(findings));
        }
    }

    fn scan(&mut self, detectors: Vec<String>, force: bool) {
        // A trial is only a question: what is wanted goes first.
        if let (Some((stop, _)), Some(_)) = (&self.job, &self.trial) {
            stop.store(true, Ordering::Relaxed);
            (self.next_trial, self.next_scan) = (None, Some((detectors, force)));
            return;
        }
        if self.job.is_some() {
            self.refuse(&Error::Invalid("a job is already running; cancel it first".into()));
            return;
        }
        if let Err(error) = self.setup.session.writable() {
            let why = display::safe_text(&error.to_string()).into_owned();
            let report = ScanReport { failed: vec![("scan".into(), why)], ..ScanReport::default() };
            return self.tell(Event::ScanDone(Box::new(report)));
        }
        self.whole = detectors.is_empty();
        let plan = self.plan(detectors, force);
        self.start(plan);
    }

    fn plan(&self, detectors: Vec<String>, force: bool) -> ScanPlan {
        ScanPlan {
            detectors,
            force,
            params: self.known.params.clone(),
            enabled: self.known.enabled.clone(),
            trial: false,
            decided: self.journal.codes(),
            blind: self.journal.is_blind(),
        }
    }

    fn start(&mut self, plan: ScanPlan) {
        let stop = Arc::new(AtomicBool::new(false));
        let (setup, findings) = (self.setup.clone(), self.state.findings.clone());
        let (events, internal, flag) = (self.events.clone(), self.internal.0.clone(), stop.clone());
        let spawned = std::thread::Builder::new().name("scan".into()).spawn(move || {
            let done = scan_thread::run(&setup, &plan, findings, &events, &internal, &flag);
            let _ = internal.send(Internal::ScanDone(Box::new(done)));
        });
        match spawned {
            Ok(thread) => self.job = Some((stop, thread)),
            Err(error) => {
                self.refuse(&Error::Invalid(format!("cannot start a thread for the scan: {error}")))
            }
        }
    }
}

/// Dataset options stay in effect until they are changed: opening a session without the options it was scanned with
/// must not read a different dataset.
fn settle_reading(setup: &mut Setup) -> Result<()> {
    let session = &setup.session;
    if setup.dataset_options == DatasetOptions::default() {
        if let Some(known) = session.load_reading()? {
            setup.dataset_options = known;
        }
        return Ok(());
    }
    if let Some(root) = &setup.dataset_options.root {
        // Relative to the working directory at that time, not to the next one.
        setup.dataset_options.root = Some(std::fs::canonicalize(root).map_err(Error::io("open", root))?);
    }
    // What cannot be read must not stay with the session.
    let known = session.load_reading()?.unwrap_or_default();
    let source = |options: &DatasetOptions| {
        (
            options.labels.clone(),
            options.key.clone(),
            options.label_pattern.clone(),
            options.label_column.clone(),
        )
    };
    let options = &setup.dataset_options;
    if (options.labels.is_some() || options.label_pattern.is_some()) && source(options) != source(&known) {
        dataset::open(&setup.dataset, options)?;
    }
    if session.is_writable() { session.save_reading(options) } else { Ok(()) }
}
