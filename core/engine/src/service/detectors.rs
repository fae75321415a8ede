//! Managing detectors: enabling, letting in, trying other parameters, and taking those that were loaded anew.

use super::scans::Wanted;
use super::watch::admit;
use super::{Service, Work};
use crate::answers::overview::{Absent, Known};
use crate::outdated::{self, Now};
use crate::scan::Done;
use crate::unloaded::{is_absent, is_of_detector};
use crate::{Error, Result, findings::Findings};
use chaffinch_data::journal::codes;
use chaffinch_data::session::Cost;
use chaffinch_data::set_value::SetValue;
use chaffinch_host::{LoadedDetector, Registry, by_name, resolve_params, still_taken};
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_protocol::{BUSY, ChangedDetector, Event, PromptWords, STOPPED, Ticket, Tried};
use chaffinch_review::query::difference;
use chaffinch_review::{prompt_tallies, verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A detector to try with other parameters.
pub(super) struct Trial {
    /// The terminal that asked.
    pub(super) at: u64,
    pub(super) ticket: Ticket,
    pub(super) detector: String,
    pub(super) params: BTreeMap<String, f64>,
    /// The prompts to try it with; `None` for those in use.
    pub(super) prompts: Option<PromptWords>,
}

impl Service {
    /// Enables a detector and brings its results up to date, or disables it and takes what it found out of the ranking.
    pub(super) fn enable(&mut self, at: u64, detector: String, enabled: bool) {
        let registry = self.setup.detectors.now();
        let known = registry.find(&detector).is_some();
        let has_results =
            self.state.findings.results.contains_key(&detector) || self.parked.contains_key(&detector);
        if !known && !has_results && !registry.has_changed(&detector) {
            return self.refuse(at, &Error::Invalid(not_loaded(&detector, &registry)));
        }
        if self.job.is_some() && !matches!(self.work, Some(Work::Trial(_))) {
            let why = "a scan is running, and uses the detectors of its start; cancel it first";
            return self.refuse(at, &Error::Invalid(why.into()));
        }
        self.known.enabled.insert(detector.clone(), enabled);
        self.save_settings(at);
        let verb = if enabled { "enabled" } else { "disabled" };
        let what = format!("{verb} the detector {}", safe_text(&detector));
        let mut findings = self.state.findings.clone();
        if enabled {
            if let Some(result) = self.parked.remove(&detector) {
                findings.results.insert(detector.clone(), result);
            }
            self.rank(findings);
            self.notice(at, &what);
            if known {
                self.scan(Some(at), Wanted::of(vec![detector]));
            }
        } else {
            if let Some(result) = findings.results.remove(&detector) {
                self.parked.insert(detector, result);
            }
            self.rank(findings);
            self.notice(at, &what);
        }
    }

    /// Takes what a detector that is not loaded found out of the session, or puts it back.
    pub(super) fn remove_results(&mut self, at: u64, detector: String, back: bool) {
        if self.job.is_some() && !matches!(self.work, Some(Work::Trial(_))) {
            let why = "a scan is running; cancel it first, or wait for it";
            return self.refuse(at, &Error::Invalid(why.into()));
        }
        let moved = match back {
            true => self.put_back(&detector),
            false => self.take_out(&detector),
        };
        match moved {
            Err(error) => self.refuse(at, &error),
            Ok(findings) => {
                self.rank(findings);
                let verb = if back { "put back" } else { "removed" };
                self.notice(at, &format!("{verb} the results of {}", safe_text(&detector)));
            }
        }
    }

    fn take_out(&mut self, detector: &str) -> Result<Findings> {
        let mut findings = self.state.findings.clone();
        let found = findings.results.get(detector).or_else(|| self.parked.get(detector)).cloned();
        let registry = self.setup.detectors.now();
        let why = match &found {
            _ if registry.find(detector).is_some() => {
                format!(
                    "the detector '{detector}' is loaded, and the next scan would bring its results back; disable it instead"
                )
            }
            Some(found) if found.record().is_imported() => {
                format!("'{detector}' was imported; chaffinch import --remove {detector} removes it")
            }
            Some(found) if is_of_detector(found) => String::new(),
            _ => format!("there are no results of a detector '{detector}'"),
        };
        let Some(found) = found.filter(|_| why.is_empty()) else { return Err(Error::Invalid(why)) };
        self.setup.session.take_out_result(detector)?;
        findings.results.remove(detector);
        self.parked.remove(detector);
        self.removed.insert(detector.to_owned(), found);
        Ok(findings)
    }

    fn put_back(&mut self, detector: &str) -> Result<Findings> {
        let mut findings = self.state.findings.clone();
        let Some(found) = self.removed.get(detector).cloned() else {
            let why = format!("no results of a detector '{detector}' were removed from this session");
            return Err(Error::Invalid(why));
        };
        self.setup.session.put_back_result(detector)?;
        self.removed.remove(detector);
        match self.known.enabled.get(detector) {
            Some(false) => self.parked.insert(detector.to_owned(), found),
            _ => findings.results.insert(detector.to_owned(), found),
        };
        Ok(findings)
    }

    /// What is known of detectors now, those that are not loaded included.
    pub(super) fn known_now(&self, at: u64) -> Known {
        let registry = self.setup.detectors.now();
        let counted = self.state.findings.results.values().chain(self.parked.values());
        let counted = counted.map(|result| (result, false));
        let removed = self.removed.values().filter(|result| {
            let name = &result.record().name;
            !self.state.findings.results.contains_key(name) && !self.parked.contains_key(name)
        });
        let all = counted.chain(removed.map(|result| (result, true)));
        let absent = all.filter(|(result, _)| is_absent(result, &registry));
        let mut absent: Vec<Absent> =
            absent.map(|(result, removed)| Absent { result: result.clone(), removed }).collect();
        absent.sort_by(|one, other| one.result.record().name.cmp(&other.result.record().name));
        let decided = self.common_view(Some(at)).map_or_else(Vec::new, |(_, journal)| journal.codes());
        let results = self.state.findings.results.values().map(AsRef::as_ref);
        let now = Now { decisions: &codes::digest(&decided), prompts: &self.setup.prompts_digest() };
        let outdated = outdated::all(results, &registry, now);
        Known { absent, outdated, ..self.known.clone() }
    }

    /// Takes the results of disabled detectors out of findings. Those about other samples are of no use any more: all, if
    /// numbers mean other samples in these findings.
    pub(super) fn park(&mut self, findings: &mut Findings, renumbered: bool) {
        if renumbered && !self.state.findings.file_metadata.is_empty() {
            self.parked.clear();
            self.removed.clear();
        }
        // Once a detector has run again, what was removed of it is not put back in the place of that.
        self.removed.retain(|name, _| !findings.results.contains_key(name));
        let off = self.known.enabled.iter().filter(|(_, enabled)| !**enabled);
        for (name, _) in off {
            if let Some(result) = findings.results.remove(name) {
                self.parked.insert(name.clone(), result);
            }
        }
    }

    /// Lets a detector in, on a thread of its own: detectors are loaded anew. `shown` is the digest of the code that was shown, or empty.
    pub(super) fn let_in(&self, at: u64, detector: String, shown: String) {
        let (detectors, internal) = (self.setup.detectors.clone(), self.internal.0.clone());
        let spawned = std::thread::Builder::new()
            .name("let in".into())
            .spawn(move || admit(&detectors, at, (&detector, &shown), &internal));
        if let Err(error) = spawned {
            self.refuse(at, &Error::Invalid(format!("cannot start a thread: {error}")));
        }
    }

    /// Detectors were loaded anew: says what is different, and runs those that were let in.
    pub(super) fn loaded(&mut self, registry: Arc<Registry>, run: Vec<String>) {
        let old = self.setup.detectors.now();
        for line in news(&old, &registry) {
            self.hall.tell(&Event::Log { line });
        }
        for (name, words) in registry.remarks() {
            let line = safe_text(&format!("{name}: {words}")).into_owned();
            self.hall.tell(&Event::Log { line });
        }
        let (run, disabled): (Vec<String>, Vec<String>) = run
            .into_iter()
            .filter(|name| registry.find(name).is_some())
            .partition(|name| self.is_enabled(name));
        for name in disabled {
            let line = format!("{} is let in; it is disabled and does not run", safe_text(&name));
            self.hall.tell(&Event::Log { line });
        }
        self.setup.detectors.set(registry);
        // What was in the way of those that are there now is not any more, and why earlier code failed says nothing of this.
        let registry = self.setup.detectors.now();
        let digest = |registry: &Registry, name: &str| Some(registry.find(name)?.digest().to_owned());
        let is_new = |name: &str| {
            let now = digest(&registry, name);
            now.is_some() && now != digest(&old, name)
        };
        self.known.failed.retain(|name, _| !run.contains(name) && !is_new(name));
        for number in self.desks.keys() {
            self.tell_session(*number);
        }
        if !run.is_empty() && self.job.is_none() {
            self.scan(None, Wanted::of(run));
        }
    }

    /// Whether scans run a detector.
    fn is_enabled(&self, name: &str) -> bool {
        let set = self.known.enabled.get(name).copied();
        set.unwrap_or_else(|| self.setup.config.detector_enabled(name))
    }

    /// Tries a detector with other parameters. A trial that runs is for an older question, and ends.
    pub(super) fn try_out(&mut self, trial: Trial) {
        let registry = self.setup.detectors.now();
        let Some(known) = registry.find(&trial.detector) else {
            let failed = not_loaded(&trial.detector, &registry);
            return self.tried(&trial, Tried { failed, ..Tried::default() });
        };
        if let Err(error) = resolve_params(known, &trial.params) {
            return self.tried(&trial, Tried { failed: error.to_string(), ..Tried::default() });
        }
        if let Some(failed) = trial.prompts.as_ref().and_then(PromptWords::fault) {
            return self.tried(&trial, Tried { failed, ..Tried::default() });
        }
        let params = self.moved_params(known, &trial.params);
        match (&self.job, &self.work) {
            (Some((stop, _)), Some(Work::Trial(_))) => {
                stop.store(true, Ordering::Relaxed);
                if let Some(older) = self.next_trial.replace(trial) {
                    self.tried(&older, Tried { failed: STOPPED.into(), ..Tried::default() });
                }
            }
            (Some(_), _) => {
                self.tried(&trial, Tried { failed: BUSY.into(), ..Tried::default() });
            }
            (None, _) => {
                let mut plan = self.plan(Some(trial.at), Wanted::of(vec![trial.detector.clone()]));
                plan.params.insert(trial.detector.clone(), params);
                plan.trial = true;
                plan.known = self.tried_model.take();
                plan.prompts = trial.prompts.as_ref().map(|words| self.setup.prompts.edit(words));
                let Some(outlet) = self.desks.get(&trial.at).map(|desk| desk.outlet.clone()) else { return };
                self.work = Some(Work::Trial(trial));
                self.start(plan, outlet);
            }
        }
    }

    /// A trial has ended: nothing of it is kept but the answer.
    pub(super) fn trial_done(&mut self, trial: &Trial, done: Done) {
        // Only prompts are tried one after the other.
        self.tried_model = done.model.filter(|_| trial.prompts.is_some());
        let name = &trial.detector;
        let answer = match (done.trial, done.report.failed.first()) {
            (Some(found), _) => {
                let (scores, results) = (found.scores(), &self.state.findings.results);
                let threshold = verdict::threshold(&self.moved, name, &found);
                let flagged = scores.iter().filter(|score| verdict::is_flagged(**score, threshold));
                let now = results.get(name).filter(|now| now.len() == found.len());
                Tried {
                    flagged: flagged.count() as u64,
                    scored: scores.iter().filter(|score| !score.is_nan()).count() as u64,
                    compared: now.map(|now| difference(scores, now.scores(), threshold)),
                    classes: match trial.prompts {
                        Some(_) => {
                            let manifest = &self.state.findings.manifest;
                            prompt_tallies::count(manifest, (&found, now.map(AsRef::as_ref)), threshold)
                        }
                        None => Vec::new(),
                    },
                    ..Tried::default()
                }
            }
            (None, Some((_, why))) => Tried { failed: safe_text(why).into_owned(), ..Tried::default() },
            (None, None) => Tried { failed: STOPPED.into(), ..Tried::default() },
        };
        self.tried(trial, answer);
        if let Some((at, wanted)) = self.next_scan.take() {
            self.scan(at, wanted);
        } else if let Some(next) = self.next_trial.take() {
            self.try_out(next);
        }
    }

    fn tried(&self, trial: &Trial, answer: Tried) {
        let (ticket, detector) = (trial.ticket, trial.detector.clone());
        self.tell(trial.at, Event::Tried(Tried { ticket, detector, ..answer }));
    }

    /// The parameters that were set in the session and that the detector takes, with these on top.
    pub(super) fn moved_params(
        &self,
        detector: &LoadedDetector,
        params: &BTreeMap<String, f64>,
    ) -> BTreeMap<String, SetValue> {
        let info = detector.info();
        let set = self.known.params.get(info.name());
        let mut moved = set.map(|set| still_taken(info, set)).unwrap_or_default();
        moved.extend(by_name(info, params));
        moved
    }

    /// Remembers what became of the detectors of a scan: which failed, and what the others took.
    pub(super) fn account(&mut self, done: &Done) {
        // Code that came while the scan ran is not the code that failed.
        let registry = self.setup.detectors.now();
        let is_same = |name: &str| {
            registry.find(name).is_none_or(|now| done.codes.get(name).is_some_and(|was| was == now.digest()))
        };
        let failed: BTreeMap<String, String> = (done.report.failed.iter())
            .filter(|(name, _)| name != "scan" && is_same(name))
            .cloned()
            .collect();
        let ran = &done.findings.results;
        self.known.failed.retain(|name, _| !done.current.contains(name));
        self.known.failed.extend(failed);
        let before = self.known.costs.clone();
        for (name, result) in ran.iter().filter(|(_, result)| result.record().seconds > 0.0) {
            let record = result.record();
            let known = self.known.costs.get(name).map(|cost| cost.printed.clone()).unwrap_or_default();
            let cost = Cost { seconds: record.seconds, memory: record.memory, printed: known };
            self.known.costs.insert(name.clone(), cost);
        }
        for (name, printed) in &done.printed {
            if !printed.is_empty() || self.known.costs.contains_key(name) {
                self.known.costs.entry(name.clone()).or_default().printed.clone_from(printed);
            }
        }
        if self.known.costs != before
            && let Err(error) = self.setup.session.save_costs(&self.known.costs)
        {
            self.refuse_or_tell(None, &error);
        }
    }

    /// Detectors that do not run because their code has changed.
    pub(super) fn changed(&self) -> Vec<ChangedDetector> {
        let registry = self.setup.detectors.now();
        let changed = registry.changed().map(|changed| ChangedDetector {
            names: changed.names.iter().map(|name| safe_text(name).into_owned()).collect(),
            path: safe_path(changed.path),
            was: changed.was.to_owned(),
            now: changed.now.to_owned(),
            what: safe_text(changed.what).into_owned(),
        });
        changed.collect()
    }
}

/// Why a detector that is not loaded cannot run, and what to do.
pub(super) fn not_loaded(detector: &str, registry: &Registry) -> String {
    match registry.has_changed(detector) {
        true => format!(
            "the code of the detector '{detector}' has changed, so it does not run: gP and a let it in as it is now, and so does \
             chaffinch plugins let-in {detector}"
        ),
        false => format!(
            "the detector '{detector}' is not loaded; chaffinch plugins list shows which are, and why others are not"
        ),
    }
}

/// What is different between detectors before and now.
fn news(old: &Registry, new: &Registry) -> Vec<String> {
    let names = |registry: &Registry| -> BTreeSet<&'static str> {
        registry.detectors().iter().map(|one| one.info().name()).collect()
    };
    let (before, now) = (names(old), names(new));
    let mut lines: Vec<String> =
        now.difference(&before).map(|name| format!("the detector {name} is there now")).collect();
    lines.extend(before.difference(&now).map(|name| format!("the detector {name} is not there any more")));
    let known: BTreeSet<String> = old.refused().iter().map(|one| one.error.to_string()).collect();
    let refused = new.refused().iter().map(|one| one.error.to_string());
    lines.extend(refused.filter(|why| !known.contains(why)).map(|why| safe_text(&why).into_owned()));
    lines
}
