//! Scans, and what becomes of their findings.

use super::{Service, Work, scan_thread};
use crate::Error;
use crate::findings::Findings;
use crate::outlet::Outlet;
use crate::scan::{Done, ScanPlan, same_rows};
use crate::state::State;
use chaffinch_protocol::display::safe_text;
use chaffinch_protocol::{Event, ScanReport};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a scan is asked to do.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    /// Detectors to run; empty means all that are enabled.
    pub(super) detectors: Vec<String>,
    /// Whether they run again even if nothing changed.
    pub(super) force: bool,
    /// Whether what is out of date only because more was decided is left alone.
    pub(super) opening: bool,
}

impl Wanted {
    pub(super) fn of(detectors: Vec<String>) -> Wanted {
        Wanted { detectors, ..Wanted::default() }
    }
}

impl Service {
    /// Begins a scan, which concerns all terminals, at the wish of one.
    pub(super) fn scan(&mut self, at: Option<u64>, wanted: Wanted) {
        // A trial is only a question: what is wanted goes first.
        if let (Some((stop, _)), Some(Work::Trial(_))) = (&self.job, &self.work) {
            stop.store(true, Ordering::Relaxed);
            (self.next_trial, self.next_scan) = (None, Some((at, wanted)));
            return;
        }
        if self.job.is_some() {
            self.refuse_or_tell(at, &Error::Invalid("a job is already running; cancel it first".into()));
            return;
        }
        if let Err(error) = self.setup.session.writable() {
            let why = safe_text(&error.to_string()).into_owned();
            let report = ScanReport { failed: vec![("scan".into(), why)], ..ScanReport::default() };
            let event = Event::ScanDone(Box::new(report));
            return match at {
                Some(at) => self.tell(at, event),
                None => self.hall.tell(&event),
            };
        }
        self.tried_model = None;
        self.whole = wanted.detectors.is_empty();
        let plan = self.plan(at, wanted);
        if let Some(at) = at {
            self.notice(at, "started a scan");
        }
        self.work = Some(Work::Scan);
        self.start(plan, self.hall.outlet());
    }

    pub(super) fn plan(&self, at: Option<u64>, wanted: Wanted) -> ScanPlan {
        let Wanted { detectors, force, opening } = wanted;
        let common = self.common_view(at);
        ScanPlan {
            detectors,
            force,
            opening,
            params: self.known.params.clone(),
            enabled: self.known.enabled.clone(),
            failed: self.known.failed.keys().cloned().collect(),
            trial: false,
            prompts: None,
            known: None,
            decided: common.map_or_else(Vec::new, |(_, journal)| journal.codes()),
            learns_of: common.map(|(reviewer, journal)| (reviewer.to_owned(), journal.is_blind())),
        }
    }

    pub(super) fn start(&mut self, plan: ScanPlan, events: Outlet) {
        let stop = Arc::new(AtomicBool::new(false));
        let (setup, findings) = (self.setup.clone(), self.state.findings.clone());
        let (internal, flag) = (self.internal.0.clone(), stop.clone());
        let spawned = std::thread::Builder::new().name("scan".into()).spawn(move || {
            let done = scan_thread::run(&setup, &plan, findings, &events, &internal, &flag);
            let _ = internal.send(crate::answers::internal::Internal::ScanDone(Box::new(done)));
        });
        match spawned {
            Ok(thread) => self.job = Some((stop, thread)),
            Err(error) => {
                self.work = None;
                let why = format!("cannot start a thread for the scan: {error}");
                self.refuse_or_tell(None, &Error::Invalid(why));
            }
        }
    }

    /// A scan or a trial has ended.
    pub(super) fn scan_done(&mut self, done: Done) {
        if let Some((_, job)) = self.job.take() {
            let _ = job.join();
        }
        if let Some(Work::Trial(trial)) = self.work.take() {
            return self.trial_done(&trial, done);
        }
        self.account(&done);
        let Done { mut report, findings, .. } = done;
        let taken_back = self.take_back_parameters(&report);
        self.judge(&report);
        self.take_findings(findings);
        self.keep_rank();
        report.reading = self.state.reading();
        self.hall.over();
        for number in self.desks.keys() {
            self.tell_report(*number, report.clone());
        }
        self.report = Some(report);
        if let Some(event) = taken_back {
            self.hall.tell(&event);
        }
    }

    /// A detector that fails with other parameters than before has those back, with which it found what it found.
    fn take_back_parameters(&mut self, report: &ScanReport) -> Option<Event> {
        let (detector, before) = self.rerun.take()?;
        if !report.failed.iter().any(|(name, _)| *name == detector) {
            return None;
        }
        match before.is_empty() {
            true => _ = self.known.params.remove(&detector),
            false => _ = self.known.params.insert(detector.clone(), before),
        }
        let message = match self.store_settings() {
            Ok(()) => {
                "it has its parameters from before back, since it failed with these; what it found before stays"
                    .to_owned()
            }
            Err(error) => error.to_string(),
        };
        Some(Event::Trouble { about: detector, message })
    }

    /// Tells what a scan did, with the rank that the terminal sees.
    pub(super) fn tell_report(&self, at: u64, mut report: ScanReport) {
        let state = self.state_of(at);
        report.suspects = state.ranking.order.len() as u64;
        report.detectors.clone_from(&state.detectors);
        self.tell(at, Event::ScanDone(Box::new(report)));
    }

    /// Whether a scan is running that concerns all.
    pub(super) fn is_scanning(&self) -> bool {
        self.job.is_some() && matches!(self.work, Some(Work::Scan))
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

    /// Whether numbers of samples mean other samples in these findings than now.
    fn renumbers(&self, findings: &Findings) -> bool {
        let (old, new) = (&self.state.findings, findings);
        !Arc::ptr_eq(&old.manifest, &new.manifest)
            && !same_rows(&old.manifest, &old.file_metadata, &new.manifest, &new.file_metadata)
    }

    pub(super) fn take_findings(&mut self, mut findings: Findings) {
        let renumbered = self.renumbers(&findings);
        self.numbering += u64::from(renumbered);
        self.park(&mut findings, renumbered);
        let file_metadata = (!findings.file_metadata.is_empty()).then(|| findings.file_metadata.clone());
        for seat in self.seats.values_mut() {
            seat.journal.bind(&findings.manifest, file_metadata.as_ref());
        }
        self.rank(findings);
        let reviewers: Vec<String> = self.seats.keys().cloned().collect();
        for reviewer in reviewers {
            self.draw(&reviewer);
        }
    }

    /// Makes new snapshots and notifies the clients that lists have changed.
    pub(super) fn rank(&mut self, findings: Findings) {
        let nothing = chaffinch_data::journal::Decisions::default();
        let renewed = Arc::new(self.state.renewed(findings, &self.moved, &self.rule, &nothing));
        let old = std::mem::replace(&mut self.state, renewed);
        self.spread();
        // Freeing the columns of ten million rows takes a while.
        rayon::spawn(move || drop(old));
        for (number, desk) in &self.desks {
            let note = self.seats.get(&desk.reviewer).map_or("", |seat| seat.state.ranking.note.as_str());
            if !note.is_empty() {
                self.tell(*number, Event::Trouble { about: "ensemble".into(), message: note.to_owned() });
            }
            self.tell_session(*number);
        }
    }

    /// Caches the rank with the session. One that is learned is that of the first reviewer who sees all decisions.
    pub(super) fn keep_rank(&self) {
        let state: Option<&Arc<State>> = match self.rule.learns() {
            true => self.seats.values().find(|seat| !seat.journal.is_blind()).map(|seat| &seat.state),
            false => Some(&self.state),
        };
        if let Some(state) = state.filter(|state| !state.found) {
            state.keep_rank(&self.setup);
        }
    }

    /// Stops the job that is running, at the wish of a terminal.
    pub(super) fn cancel(&mut self, at: u64) {
        // What is looked at is only in the way of the one who asked for it.
        if self.desks.get_mut(&at).is_some_and(|desk| desk.forms.cancel()) {
            return;
        }
        let Some((stop, _)) = &self.job else { return };
        match &self.work {
            Some(Work::Trial(trial)) if trial.at != at => return,
            Some(Work::Output(owner)) if *owner != at => {
                let why = "what another terminal writes can only be stopped there";
                return self.refuse(at, &Error::Invalid(why.into()));
            }
            _ => stop.store(true, Ordering::Relaxed),
        }
        if self.is_scanning() {
            self.notice(at, "stopped the scan");
        }
    }

    /// Stops the job of a terminal that quits, if nothing but it is waiting for that.
    pub(super) fn end_work_of(&mut self, at: u64) {
        let own = match &self.work {
            Some(Work::Trial(trial)) => trial.at == at,
            Some(Work::Output(owner)) => *owner == at,
            Some(Work::Scan) | None => false,
        };
        if let Some((stop, _)) = self.job.as_ref().filter(|_| own) {
            stop.store(true, Ordering::Relaxed);
        }
        self.next_trial = self.next_trial.take().filter(|trial| trial.at != at);
    }
}
