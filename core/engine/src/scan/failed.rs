//! What becomes of a detector that failed, and why: what it found before stays, as it does for one that did not run.

use super::{Scan, ScanPlan};
use crate::findings::Findings;
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::issue::is_built_in;
use chaffinch_data::moved::is_from_before;
use chaffinch_host::LoadedDetector;
use chaffinch_protocol::display::{quoted, safe_text};
use std::sync::Arc;

impl Scan<'_> {
    /// A detector failed; the others continue. What it found before stays, which is said: it is not an answer about what it was run
    /// for now, but nothing that was found is lost by a run that finds nothing.
    pub(super) fn fail(&mut self, name: &str, reason: &str, findings: &Findings) {
        let before = findings.results.get(name).filter(|_| !self.tries);
        let time = || self.setup.session.result_time(name).map(|time| format!(" (results from {time})"));
        let from = before.and_then(|_| time()).unwrap_or_default();
        let stays = match before {
            None => String::new(),
            Some(result) if is_from_before(result) => {
                format!(
                    "; what it found before the dataset changed stays with its pictures{from}, and new ones were not looked at"
                )
            }
            Some(_) => format!("; what it found before stays{from}"),
        };
        (self.reporter.trouble)(name, &format!("{reason}{stays}"));
        self.report.failed.push((name.to_owned(), reason.to_owned()));
    }

    /// A detector has nothing to look at: what it found before is about something else.
    pub(super) fn drop_result(&mut self, name: &str, reason: &str, findings: &mut Findings) {
        self.report.failed.push((name.to_owned(), reason.to_owned()));
        if self.tries {
            return;
        }
        if let Some(before) = findings.results.remove(name) {
            findings.previous.insert(name.to_owned(), before);
        }
        if let Err(error) = self.setup.session.keep_previous(name) {
            (self.reporter.trouble)(name, &error.to_string());
        }
    }

    /// Which of the detectors that a detector reads have no result, and what gives them one; empty if all have.
    pub(super) fn lacking(&self, detector: &LoadedDetector, plan: &ScanPlan, findings: &Findings) -> String {
        let read = follows(detector, plan, findings);
        let has = |name: &str| read.iter().any(|(known, _)| *known == name);
        let why = |name: &str| {
            let shown = safe_text(name);
            if plan.enabled.get(name) == Some(&false) {
                let session = quoted(self.setup.session.dir());
                let enable = format!("chaffinch plugins enable {session} {shown}");
                return format!("; {shown} is disabled in this session, which {enable} ends");
            }
            if self.registry.has_changed(name) {
                return format!(
                    "; {shown} does not run, since its code has changed (chaffinch plugins let-in {shown})"
                );
            }
            if self.registry.find(name).is_none() {
                return format!("; {shown} is not loaded");
            }
            match self.report.failed.iter().any(|(failed, _)| failed == name) {
                true => format!("; {shown} has failed"),
                false => format!("; {shown} did not run: name it, too, or run all of them"),
            }
        };
        detector.after().into_iter().filter(|name| !has(name) && !is_built_in(name)).map(why).collect()
    }
}

/// The results that a detector reads, of those that there are. Those of a disabled one count nowhere.
pub(super) fn follows(
    detector: &LoadedDetector,
    plan: &ScanPlan,
    findings: &Findings,
) -> Vec<(&'static str, Arc<DetectorResult>)> {
    let count = findings.manifest.len();
    let enabled = |name: &&str| plan.enabled.get(*name) != Some(&false);
    let found =
        |name| Some((name, findings.results.get(name).filter(|result| result.len() == count)?.clone()));
    detector.after().into_iter().filter(enabled).filter_map(found).collect()
}
