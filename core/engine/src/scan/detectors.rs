//! The detectors of a scan: which run, with what, and what becomes of their results.

use super::failed::follows;
use super::{Known, Measured, Scan, ScanPlan};
use crate::digest::InputDigest;
use crate::findings::Findings;
use crate::numbered::with_paths;
use crate::outdated::{self, Now, Outdated};
use crate::{Error, Result};
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::issue::is_built_in;
use chaffinch_data::manifest::NO_LABEL;
use chaffinch_host::{
    DatasetServices, InForce, KeepFolder, LoadedDetector, Origin, PluginError, RunContext, RunFailure,
    needs_of, params_in_force, resolve_params,
};
use chaffinch_plugin::Needs;
use chaffinch_protocol::display::listed;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

impl<'a> Scan<'a> {
    /// The parameters that were set for a detector; what it does not take is told when its turn comes.
    pub(super) fn given(&self, detector: &LoadedDetector, plan: &ScanPlan) -> InForce {
        let info = detector.info();
        params_in_force(info, &self.setup.config, plan.params.get(info.name()))
    }

    /// The detectors to run, in name order.
    pub(super) fn choose(&self, plan: &ScanPlan) -> Result<Vec<&'a LoadedDetector>> {
        let registry = self.registry;
        if plan.detectors.is_empty() {
            let enabled = |detector: &&LoadedDetector| self.enabled(detector.info().name(), plan);
            return Ok(registry.detectors().iter().filter(enabled).collect());
        }
        plan.detectors
            .iter()
            .filter(|name| registry.find(name).is_some() || !registry.has_changed(name))
            .map(|name| {
                registry.find(name).ok_or_else(|| {
                    let known: Vec<&str> = registry.detectors().iter().map(|d| d.info().name()).collect();
                    Error::Invalid(format!("there is no detector '{name}' (available: {})", known.join(", ")))
                })
            })
            .collect()
    }

    /// The same with all that read their scores and have results that count, which would be about other scores than those that are
    /// there now, or that failed, which may be for want of these scores.
    pub(super) fn with_readers(
        &self,
        mut chosen: Vec<&'a LoadedDetector>,
        plan: &ScanPlan,
        findings: &Findings,
    ) -> Vec<&'a LoadedDetector> {
        if plan.detectors.is_empty() || plan.trial {
            return chosen;
        }
        let mut at = 0;
        while let Some(read) = chosen.get(at).map(|detector| detector.info().name()) {
            let is_new = |detector: &&LoadedDetector| {
                let name = detector.info().name();
                let has = findings.results.contains_key(name)
                    || plan.failed.contains(name)
                    || self.setup.session.result_modified(name).is_some();
                has && detector.after().contains(&read)
                    && plan.enabled.get(name) != Some(&false)
                    && chosen.iter().all(|other| other.info().name() != name)
            };
            let readers: Vec<&LoadedDetector> = self.registry.detectors().iter().filter(is_new).collect();
            for reader in &readers {
                let name = reader.info().name();
                (self.reporter.log)(&format!("{name} reads the scores of {read} and runs as well"));
            }
            chosen.extend(readers);
            at += 1;
        }
        chosen
    }

    pub(super) fn enabled(&self, name: &str, plan: &ScanPlan) -> bool {
        plan.enabled.get(name).copied().unwrap_or_else(|| self.setup.config.detector_enabled(name))
    }

    /// Says which detectors do not run because their code has changed. What it found before it did is kept.
    pub(super) fn report_changed(&mut self, plan: &ScanPlan) {
        let refused = self.registry.refused().iter();
        let changed = refused.filter_map(|refused| match &refused.error {
            PluginError::Changed { names, .. } => Some((names, refused.error.to_string())),
            _ => None,
        });
        for (names, reason) in changed {
            let wanted = |name: &&String| match plan.detectors.is_empty() {
                true => self.enabled(name, plan),
                false => plan.detectors.contains(name),
            };
            let failed: Vec<&String> = names.iter().filter(wanted).collect();
            for name in failed {
                (self.reporter.trouble)(name, &reason);
                self.report.failed.push((name.clone(), reason.clone()));
            }
        }
    }

    /// Says which detectors read the scores of an unknown one: they may do without, and it would not be noticed.
    pub(super) fn report_unknown(&self, detectors: &[&LoadedDetector], findings: &Findings) {
        for detector in detectors {
            for other in detector.after() {
                // What reading finds has a result only where there is something to say.
                let is_known = is_built_in(other)
                    || findings.results.contains_key(other)
                    || self.registry.has_changed(other);
                if let Some(words) = self.registry.unknown(other).filter(|_| !is_known) {
                    let text = format!("reads the scores of '{other}', as it says under after: {words}");
                    (self.reporter.trouble)(detector.info().name(), &text);
                }
            }
        }
    }

    pub(super) fn detect(
        &mut self,
        detector: &LoadedDetector,
        plan: &ScanPlan,
        (services, measures): (&DatasetServices, Option<Measured>),
        before: Known<'_>,
        findings: &mut Findings,
    ) -> Result<()> {
        let name = detector.info().name();
        let InForce { values: given, left_out } = self.given(detector, plan);
        if !plan.trial {
            left_out.iter().for_each(|words| (self.reporter.trouble)(name, words));
        }
        let params = match resolve_params(detector, &given) {
            Ok(params) => params,
            Err(error) => {
                self.fail(name, &error.to_string(), findings);
                return Ok(());
            }
        };
        let follows = follows(detector, plan, findings);
        let outdated: Vec<&str> = follows
            .iter()
            .filter(|(_, result)| self.is_outdated(result, before.base))
            .map(|read| read.0)
            .collect();
        let scores =
            || follows.iter().map(|(name, result)| (*name, result.scores(), outdated.contains(name)));
        let needs = needs_of(detector, &given);
        let digest_of = |decided: &str| before.base.of(detector, &params, needs, decided, scores());
        let digest = digest_of(before.base.decisions(needs));
        let is_of = |result: &DetectorResult| {
            let record = result.record();
            record.is_settled() && record.input_digest == digest
        };
        let of_earlier = |result: &DetectorResult| {
            let record = result.record();
            plan.opening && record.is_settled() && record.input_digest == digest_of(&record.decisions)
        };
        if !outdated.is_empty() {
            let verb = if outdated.len() == 1 { "is" } else { "are" };
            let text = format!("reads the scores of {}, which {verb} out of date", listed(&outdated, "and"));
            (self.reporter.trouble)(name, &text);
        }
        let known = findings.results.get(name).is_some_and(|result| is_of(result) || of_earlier(result));
        if known && !plan.force && !plan.trial {
            self.step.0 += 1;
            self.current.insert(name.to_owned());
            if let Some(result) = findings.results.get(name) {
                self.tell_scoreless(detector, result);
            }
            return Ok(());
        }
        let again = plan.force || plan.trial;
        let earlier = before.earlier.filter(|result| is_of(result) && !again);
        if let Some(result) = earlier {
            self.step.0 += 1;
            self.current.insert(name.to_owned());
            self.setup.session.save_result(result)?;
            findings.results.insert(name.to_owned(), result.clone());
            (self.reporter.publish)(findings);
            return Ok(());
        }
        self.stage(name, |scan, job| {
            let reporter = scan.reporter;
            let manifest = findings.manifest.clone();
            let log = |level: u32, text: &str| {
                if level >= 2 {
                    (reporter.trouble)(name, &with_paths(text, &manifest));
                } else {
                    (reporter.log)(&format!("{name}: {text}"));
                }
            };
            let printed = Mutex::new(String::new());
            let print =
                |text: &str| text.clone_into(&mut printed.lock().unwrap_or_else(PoisonError::into_inner));
            let mut context = RunContext::new(services, detector, &given, *job, &log)?
                .after(scores().map(|(name, scores, _)| (name, scores)).collect())
                .reading_outdated(!outdated.is_empty())
                .deciding(before.base.decisions(needs).to_owned())
                .prompted(before.base.prompts(needs).to_owned())
                .trying(plan.trial)
                .printing(&print);
            if !plan.trial {
                context = context.keeping(KeepFolder::new(scan.setup.session.kept_dir(name)?));
            }
            match measures {
                Some(Ok(measures)) => context = context.measured(measures),
                Some(Err(reason)) => {
                    scan.fail(name, &reason, findings);
                    return Ok(());
                }
                None => {}
            }
            let ended = context.run(digest);
            let printed = std::mem::take(&mut *printed.lock().unwrap_or_else(PoisonError::into_inner));
            scan.printed.insert(name.to_owned(), printed);
            match ended {
                Ok(result) if plan.trial => {
                    scan.trial = Some(result);
                    Ok(())
                }
                Ok(result) => {
                    scan.tell_scoreless(detector, &result);
                    scan.setup.session.keep_previous(name)?;
                    scan.setup.session.save_result(&result)?;
                    scan.current.insert(name.to_owned());
                    if let Some(before) = findings.results.insert(name.to_owned(), Arc::new(result)) {
                        findings.previous.insert(name.to_owned(), before);
                    }
                    (reporter.publish)(findings);
                    Ok(())
                }
                Err(RunFailure::Stopped) => Err(Error::Stopped),
                Err(RunFailure::Failed(reason)) => {
                    let reason = with_paths(&reason, &findings.manifest);
                    let lacking = scan.lacking(detector, plan, findings);
                    scan.fail(name, &format!("{reason}{lacking}"), findings);
                    Ok(())
                }
            }
        })
    }

    /// Whether a result that a detector reads is out of date: its detector neither ran in this scan nor needed to.
    fn is_outdated(&self, result: &DetectorResult, base: &InputDigest) -> bool {
        let name = &result.record().name;
        let code = outdated::code_now(self.registry, name);
        let failed = || self.report.failed.iter().any(|(failed, _)| failed == name);
        let now = Now { decisions: base.decisions(Needs::DECISIONS), prompts: base.prompts(Needs::TEXTS) };
        let why = || outdated::why(result, code, now);
        let ran = self.current.contains(name);
        !result.record().is_settled() || !ran && (failed() || why().is_some())
    }

    /// Says that a detector of somebody else scored nothing, in each scan: that it flags nothing looks as if all were well.
    fn tell_scoreless(&self, detector: &LoadedDetector, result: &DetectorResult) {
        let own = matches!(detector.origin(), Origin::Program | Origin::Beside);
        if !own && !result.is_empty() && result.scores().iter().all(|score| score.is_nan()) {
            (self.reporter.trouble)(detector.info().name(), "it scored no sample, so it flags none");
        }
    }

    /// Says once which detectors have nothing to compare, because no image has a label.
    pub(super) fn without_labels(
        &mut self,
        plan: &ScanPlan,
        detectors: &[&'a LoadedDetector],
        findings: &mut Findings,
    ) -> BTreeSet<&'a str> {
        let labels = findings.manifest.labels();
        if labels.is_empty() || labels.iter().any(|label| *label != NO_LABEL) {
            return BTreeSet::new();
        }
        let compares = |detector: &&&'a LoadedDetector| {
            needs_of(detector, &self.given(detector, plan).values).contains(Needs::LABELS)
        };
        let pointless: BTreeSet<&str> =
            detectors.iter().filter(compares).map(|detector| detector.info().name()).collect();
        if !pointless.is_empty() {
            let names: Vec<&str> = pointless.iter().copied().collect();
            (self.reporter.trouble)(
                "labels",
                &format!(
                    "no image has a label, so {} did not run; to give labels, put the images into a folder per class, or \
                     pass a table with a label column",
                    names.join(", ")
                ),
            );
            names
                .iter()
                .for_each(|name| self.drop_result(name, "no image of the dataset has a label", findings));
        }
        pointless
    }

    /// Says whose results are from before something changed and stay so, since their detectors do not run in this scan.
    pub(super) fn report_carried(
        &self,
        running: &[&'a LoadedDetector],
        plan: &ScanPlan,
        now: Now<'_>,
        findings: &Findings,
    ) {
        let runs = |name: &String| running.iter().any(|detector| detector.info().name() == name);
        let stays = |(name, result): (&String, &Arc<DetectorResult>)| {
            let left = !runs(name) && plan.enabled.get(name) != Some(&false);
            let code = outdated::code_now(self.registry, name);
            let why = outdated::why(result, code, now).filter(|_| left)?;
            Some((name.clone(), why))
        };
        let names: BTreeMap<String, Outdated> = findings.results.iter().filter_map(stays).collect();
        if let Some(words) = outdated::words(&names).filter(|_| !plan.trial) {
            (self.reporter.trouble)("detectors", &words);
        }
    }
}
