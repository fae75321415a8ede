//! The command loop. It never does long computations itself: scans, queries and pictures run on their own threads, and
//! their results come back here as [`Internal`] messages.
//!
//! Several terminals may be attached. Each has a `desk` with its list and its queues, and sits or watches at the `seat` of a
//! reviewer, which has the journal and all that depends on what this reviewer sees. Findings and settings are the session's:
//! all share them.

mod attach;
mod blind;
mod deciding;
mod desk;
mod detectors;
mod lists;
mod meter;
mod outputs;
mod prompts;
mod scan_thread;
mod scans;
mod seat;
mod settings;
mod views;
mod watch;
mod watching;

pub(crate) use attach::Roster;

use crate::Setup;
use crate::answers::internal::Internal;
use crate::answers::overview::Known;
use crate::answers::pictures::Request;
use crate::findings::Findings;
use crate::kept;
use crate::meaning::Reader;
use crate::outlet::{Hall, Outlet};
use crate::scan::KnownModel;
use crate::state::State;
use crate::{Error, Result, outdated, unloaded};
use chaffinch_compute::free_memory;
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::journal::Decisions;
use chaffinch_data::set_value::SetValue;
use chaffinch_formats::dataset;
use chaffinch_protocol::display;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{
    BlindWish, Command, DetectorSummary, EnsembleRule, Event, How, Join, PROTOCOL_VERSION, SavedKind,
    ScanReport, SessionSummary,
};
use crossbeam_channel::{Receiver, Sender, bounded, select, unbounded};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use desk::Desk;
use detectors::Trial;
use scans::Wanted;
use seat::Seat;

/// How long an engine that terminals can attach to waits for the first one.
const FIRST: Duration = Duration::from_secs(60);
/// How long nothing comes before free memory is given back.
const REST: Duration = Duration::from_secs(1);

/// What reaches the command loop from outside.
pub(crate) enum Inward {
    /// A terminal wants to take part; it is told whether it does.
    Join { number: u64, join: Join, outlet: Outlet, answer: Sender<Result<()>> },
    /// A terminal said something.
    Heard(u64, Command),
    /// A terminal is gone.
    Left(u64),
}

/// What the job is that is running.
enum Work {
    /// A scan, which concerns all terminals.
    Scan,
    /// A trial for one.
    Trial(Trial),
    /// Something that one writes.
    Output(u64),
}

pub(crate) struct Service {
    setup: Arc<Setup>,
    hall: Hall,
    roster: Roster,
    internal: (Sender<Internal>, Receiver<Internal>),
    /// The findings that all share, ranked without decisions; what a reviewer sees is at the seat.
    state: Arc<State>,
    seats: BTreeMap<String, Seat>,
    /// By their numbers, which grow.
    desks: BTreeMap<u64, Desk>,
    moved: BTreeMap<String, f32>,
    known: Known,
    /// The model for searches by meaning.
    reader: Arc<Reader>,
    /// The results of disabled detectors.
    parked: BTreeMap<String, Arc<DetectorResult>>,
    /// Results that were taken out and can be put back.
    removed: BTreeMap<String, Arc<DetectorResult>>,
    rule: EnsembleRule,
    job: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
    work: Option<Work>,
    /// What is tried after that.
    next_trial: Option<Trial>,
    /// The model that prompts were tried with last, until the next scan.
    tried_model: Option<KnownModel>,
    /// What is scanned after it, and at whose wish.
    next_scan: Option<(Option<u64>, Wanted)>,
    /// A detector that runs with other parameters, and those from before.
    rerun: Option<(String, BTreeMap<String, SetValue>)>,
    /// What the last scan did.
    report: Option<ScanReport>,
    /// Dropped with the service, which ends the thread that looks at the folders of detectors.
    _ended: Sender<()>,
    /// Whether the last scan covers all enabled detectors.
    whole: bool,
    stale: bool,
    /// Differs when numbers of samples mean others than before.
    numbering: u64,
    /// Why a scan could not bring the session up to date; empty if nothing is known to be in the way.
    obstacle: String,
    /// What the first terminal is told.
    greetings: Vec<Event>,
    /// Whether any terminal has come.
    came: bool,
    /// Whether it finishes its work without a terminal, so that another one can come.
    lasting: bool,
    /// The first failure to see to it that the decisions of a terminal that left are on disk.
    unsettled: Option<Error>,
}

impl Service {
    /// Opens the session. `lasting` says whether terminals come and go.
    pub(crate) fn new(mut setup: Setup, lasting: bool) -> Result<Service> {
        settings::settle_reading(&mut setup)?;
        let session = &setup.session;
        let obstacle = session.read_only().unwrap_or_default().to_owned();
        let trouble = |message: String| Event::Trouble { about: "session".into(), message };
        let mut greetings: Vec<Event> = Vec::new();
        greetings.extend((!obstacle.is_empty()).then(|| trouble(obstacle.clone())));
        let mut findings = Findings { model: session.model_name(), ..Findings::default() };
        let mut stale = true;
        greetings.extend(session.lock_remark().map(|remark| trouble(remark.to_owned())));
        if let Some((manifest, file_metadata)) = session.load_samples()? {
            findings.manifest = Arc::new(manifest);
            findings.file_metadata = Arc::new(file_metadata);
            findings.ledger = Arc::new(session.ledger_of(&findings.manifest, &findings.file_metadata)?);
            let (results, damaged) =
                session.load_results(findings.manifest.len(), findings.manifest.classes());
            stale = results.is_empty() || !damaged.is_empty();
            greetings.extend(damaged.into_iter().map(trouble));
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
        let settings = session.load_settings()?;
        let mut moved = setup.config.thresholds();
        moved.extend(settings.thresholds);
        let (count, classes) = (findings.manifest.len(), findings.manifest.classes());
        let removed = session.load_removed(count, classes);
        let removed = removed.into_iter().map(|(name, result)| (name, Arc::new(result))).collect();
        let mut parked = BTreeMap::new();
        for (name, _) in settings.enabled.iter().filter(|(_, enabled)| !**enabled) {
            parked.extend(findings.results.remove_entry(name));
        }
        let registry = setup.detectors.now();
        let absent = findings.results.values().filter(|result| unloaded::is_absent(result, &registry));
        let absent: Vec<&str> = absent.map(|result| result.record().name.as_str()).collect();
        let words = unloaded::words(&absent, session);
        let results = findings.results.values().map(AsRef::as_ref);
        // What was decided depends on who attaches.
        let now = outdated::Now { prompts: &setup.prompts_digest(), ..Default::default() };
        let before = outdated::words(&outdated::all(results, &registry, now));
        let before = before.map(|words| display::safe_text(&words).into_owned());
        let told = words
            .map(|words| ("detectors", words))
            .into_iter()
            .chain(before.map(|words| (outdated::RESULTS, words)));
        greetings.extend(told.map(|(about, message)| Event::Trouble { about: about.into(), message }));
        let rule = setup.config.ensemble_over(settings.ensemble);
        let internal = unbounded();
        // A rank that is learned from decisions is kept by seat.
        let kept = (!rule.learns()).then_some(session);
        let state = Arc::new(State::new(findings, &moved, rule.clone(), &Decisions::default(), kept));
        chaffinch_data::columns::release_mapped();
        let setup = Arc::new(setup);
        let (ended, watched) = bounded(0);
        let (looked_at, loaded) = (setup.detectors.clone(), internal.0.clone());
        std::thread::Builder::new()
            .name("detectors".into())
            .spawn(move || watch::watch(&looked_at, &loaded, &watched))
            .map_err(Error::io("start", "the thread that looks at detectors"))?;
        if !state.found && !rule.learns() {
            state.keep_rank(&setup);
        }
        let known = Known {
            params: settings::named_params(settings.params, &setup),
            enabled: settings.enabled,
            costs: setup.session.load_costs(),
            ..Known::default()
        };
        let reader = Arc::new(Reader::of_setup(&setup));
        Ok(Service {
            setup,
            hall: Hall::default(),
            roster: Roster::default(),
            internal,
            state,
            seats: BTreeMap::new(),
            desks: BTreeMap::new(),
            moved,
            known,
            reader,
            parked,
            removed,
            rule,
            job: None,
            work: None,
            next_trial: None,
            tried_model: None,
            rerun: None,
            next_scan: None,
            report: None,
            _ended: ended,
            whole: true,
            stale,
            numbering: 0,
            obstacle,
            greetings,
            came: false,
            lasting,
            unsettled: None,
        })
    }

    /// Who is attached, for threads that greet newcomers.
    pub(crate) fn roster(&self) -> Roster {
        self.roster.clone()
    }

    /// Answers commands until the last terminal tells it to stop, or has left and nothing is to be finished. `farewell` is told
    /// when all decisions are on disk, or why they are not.
    ///
    /// # Errors
    /// When decisions are not on disk then.
    pub(crate) fn run(mut self, inbox: Receiver<Inward>, farewell: &Sender<String>) -> Result<()> {
        let internal = self.internal.1.clone();
        let mut rests = false;
        loop {
            let wait = if rests { FIRST } else { REST };
            rests = false;
            select! {
                recv(inbox) -> message => match message {
                    Ok(Inward::Join { number, join, outlet, answer }) => {
                        let decides = join.how != How::Watch;
                        let joined = self.join(number, join, outlet);
                        let refused = joined.is_err() && decides;
                        let _ = answer.send(joined);
                        // The one for which it was started cannot come.
                        if refused && !self.came {
                            break;
                        }
                    }
                    Ok(Inward::Heard(at, Command::Stop)) if self.desks.keys().all(|other| *other == at) => {
                        if self.desks.contains_key(&at) {
                            break;
                        }
                    }
                    Ok(Inward::Heard(at, Command::Stop)) => self.bid_farewell(at),
                    Ok(Inward::Heard(at, command)) => self.obey(at, command),
                    Ok(Inward::Left(at)) => self.left(at),
                    Err(_) => break,
                },
                recv(internal) -> message => if let Ok(message) = message { self.absorb(message) },
                default(wait) => {
                    // The program that started this engine never connected.
                    if !self.came && wait == FIRST {
                        break;
                    }
                    if wait == REST {
                        free_memory::give_back();
                    }
                    rests = true;
                }
            }
            let finishing =
                self.lasting && (self.is_scanning() || matches!(self.work, Some(Work::Output(_))));
            if self.came && self.desks.is_empty() && !finishing && inbox.is_empty() {
                break;
            }
        }
        // Who came too late is not kept waiting.
        drop(inbox);
        self.end(farewell)
    }

    fn end(mut self, farewell: &Sender<String>) -> Result<()> {
        if let Some((stop, _)) = &self.job {
            stop.store(true, Ordering::Relaxed);
        }
        // Decisions first: what follows may wait for a slow disk or for a detector, and who quits may not.
        let reviewers: Vec<String> = self.seats.keys().cloned().collect();
        for reviewer in reviewers {
            if let Err(error) = self.settle(&reviewer) {
                self.unsettled.get_or_insert(error);
            }
        }
        let unsaved =
            self.unsettled.as_ref().map(|error| display::safe_text(&error.to_string()).into_owned());
        let unsaved = unsaved.unwrap_or_default();
        self.setup.session.ends();
        self.hall.tell(&Event::Bye { unsaved: unsaved.clone() });
        let _ = farewell.send(unsaved);
        if let Some((_, job)) = self.job.take() {
            let _ = job.join();
        }
        std::mem::take(&mut self.desks).into_values().for_each(Desk::close);
        self.unsettled.take().map_or(Ok(()), Err)
    }

    fn tell(&self, at: u64, event: Event) {
        if let Some(desk) = self.desks.get(&at) {
            let _ = desk.outlet.send(event);
        }
    }

    fn refuse(&self, at: u64, error: &Error) {
        self.tell(at, Event::Refused { message: display::safe_text(&error.to_string()).into_owned() });
    }

    /// Refuses what one terminal wanted, or tells all why something is not done that no one asked for.
    fn refuse_or_tell(&self, at: Option<u64>, error: &Error) {
        match at {
            Some(at) => self.refuse(at, error),
            None => {
                let message = display::safe_text(&error.to_string()).into_owned();
                self.hall.tell(&Event::Refused { message });
            }
        }
    }

    fn obey(&mut self, at: u64, command: Command) {
        let Some(desk) = self.desks.get(&at) else { return };
        if desk.watches && watching::changes(&command) {
            return self.only_watches(at, command);
        }
        if desk.numbering != self.numbering && deciding::names_samples(&command) {
            let message = "not saved: the dataset has changed; look at the samples again".into();
            return self.tell(at, Event::NotSaved { message });
        }
        match command {
            Command::Scan { detectors, opening } => {
                self.scan(Some(at), Wanted { opening, ..Wanted::of(detectors) })
            }
            Command::Rerun { detector, params } => self.rerun(at, detector, &params),
            Command::Try { ticket, detector, params, prompts } => {
                self.try_out(Trial { at, ticket, detector, params, prompts });
            }
            Command::SetPrompts { ticket, prompts, temperature } => {
                self.set_prompts(at, ticket, (prompts.as_ref(), temperature));
            }
            Command::Enable { detector, enabled } => self.enable(at, detector, enabled),
            Command::RemoveResults { detector, back } => self.remove_results(at, detector, back),
            Command::LetIn { detector, shown } => self.let_in(at, detector, shown),
            Command::Cancel => self.cancel(at),
            Command::List { ticket, query } => self.list(at, ticket, query),
            Command::Rows { ticket, start, len } => self.rows(at, ticket, start, len),
            Command::RowsOf { ticket, samples } => self.rows_of(at, ticket, &samples),
            Command::Locate { ticket, sample } => self.locate(at, ticket, sample),
            Command::Renumbered { numbering } => {
                if let Some(desk) = self.desks.get_mut(&at) {
                    desk.numbering = numbering;
                }
            }
            Command::FindUndecided { ticket, from, forward } => {
                self.find_undecided(at, ticket, from, forward);
            }
            Command::Detail { sample } => self.detail(at, sample),
            Command::Picture { ticket, slot, sample, max_width, max_height, regions, relevance } => {
                let manifest = self.state.findings.manifest.clone();
                let fit = (max_width, max_height);
                let request = Request::new(manifest, (ticket, slot), sample, fit, None);
                self.picture(at, (regions, relevance), request);
            }
            Command::Decide { samples, decision } => {
                self.enter(at, &samples, |journal| journal.decide(&samples, decision));
            }
            Command::DecideEach { decisions } => {
                let samples: Vec<SampleId> = decisions.iter().map(|(id, _)| *id).collect();
                self.enter(at, &samples, |journal| journal.decide_each(&decisions));
            }
            Command::Tag { samples, tags, note } => {
                self.enter(at, &samples, |journal| journal.tag(&samples, &tags, &note));
            }
            Command::Untag { samples, tags, note } => {
                self.enter(at, &samples, |journal| match note {
                    true => journal.remove_note(&samples),
                    false => journal.untag(&samples, &tags),
                });
            }
            Command::Undo => self.step(at, SavedKind::Undo),
            Command::Redo => self.step(at, SavedKind::Redo),
            Command::SetThreshold { detector, threshold } => self.set_threshold(at, detector, threshold),
            Command::SetEnsemble { rule } => self.set_ensemble(at, rule),
            Command::Overview { ticket, about } => self.overview(at, ticket, about),
            Command::Remember { state } => self.remember(at, state),
            Command::View(command) => self.view(at, command),
            Command::Blind { on, sample, seed } => {
                self.set_blind(at, on.then_some(BlindWish { sample, seed }));
            }
            Command::Output(command) => self.output(at, command),
            // Handled by the loop itself.
            Command::Stop => {}
        }
    }

    fn absorb(&mut self, message: Internal) {
        match message {
            Internal::Published(findings) => self.take_findings(*findings),
            Internal::ScanDone(done) => self.scan_done(*done),
            Internal::Output(at, event) => self.output_done(at, *event),
            Internal::Loaded(registry, run) => self.loaded(registry, run),
            Internal::NotLetIn(at, why) => self.refuse(at, &Error::Invalid(why)),
            Internal::Listed(at, ticket, order) => self.listed(at, ticket, order),
            Internal::Delayed(at, ticket, why) => self.tell(at, Event::Delayed { ticket, why }),
            Internal::Cut(at, message) => self.tell(at, Event::Trouble { about: "search".into(), message }),
            Internal::ListFailed(at, ticket, error) => self.not_listed(at, ticket, &error),
            Internal::Learned(at, blind, event) => self.learned(at, blind, *event),
        }
    }

    /// Describes the session to a terminal as its reviewer sees it.
    fn tell_session(&self, at: u64) {
        let (Some(desk), Some(seat)) = (self.desks.get(&at), self.seat(at)) else { return };
        let (state, setup) = (&seat.state, &self.setup);
        let (findings, decisions) = (&state.findings, seat.journal.decisions());
        let shown = |name: &String| display::safe_text(name).into_owned();
        self.tell(
            at,
            Event::Session(Box::new(SessionSummary {
                protocol: PROTOCOL_VERSION,
                dataset: display::safe_path(&setup.dataset),
                session: display::safe_path(setup.session.dir()),
                samples: findings.manifest.len() as u64,
                numbering: self.numbering,
                classes: findings.manifest.classes().to_vec(),
                model: findings.model.clone(),
                detectors: state.detectors.iter().map(|one| self.costed(one)).collect(),
                ensemble: state.rule.clone(),
                reviewer: shown(&desk.reviewer),
                reviewers: decisions.reviewers().iter().map(shown).collect(),
                suspects: state.ranking.order.len() as u64,
                decided: decisions.decided() as u64,
                disputed: decisions.disputed(),
                blind: seat.journal.is_blind().then(|| seat.blind.summary()),
                stale: self.stale,
                obstacle: display::safe_text(&self.obstacle).into_owned(),
                reading: state.reading(),
                changed: self.changed(),
                attached: self.roster_of(Some(at)),
                watches: desk.watches,
                remembered: seat.remembered.clone(),
            })),
        );
    }

    /// The same with what its last run took, also if that was in another process.
    fn costed(&self, detector: &DetectorSummary) -> DetectorSummary {
        let known = self.known.costs.get(&detector.name).filter(|_| detector.seconds == 0.0);
        DetectorSummary { seconds: known.map_or(detector.seconds, |cost| cost.seconds), ..detector.clone() }
    }
}
