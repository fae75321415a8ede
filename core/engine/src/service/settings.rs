//! What is the session's and not one terminal's: thresholds, parameters, the rule. Who changes it is told to the others.

use super::Service;
use super::detectors::not_loaded;
use super::scans::Wanted;
use crate::{Error, Result, Setup};
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::issue::is_built_in;
use chaffinch_data::packing::is_address;
use chaffinch_data::session::Settings;
use chaffinch_data::set_value::SetValue;
use chaffinch_formats::dataset;
use chaffinch_host::{by_name, resolve_params};
use chaffinch_protocol::display::safe_text;
use chaffinch_protocol::{EnsembleRule, Event};
use std::collections::BTreeMap;

/// Parameters that were set in a session, by detector and name.
pub(super) type Params = BTreeMap<String, BTreeMap<String, SetValue>>;

impl Service {
    /// Parameters that the detector would reject are not stored: they would break every later scan.
    pub(super) fn rerun(&mut self, at: u64, detector: String, params: &BTreeMap<String, f64>) {
        let registry = self.setup.detectors.now();
        let Some(known) = registry.find(&detector) else {
            let why = match is_built_in(&detector) {
                true => format!(
                    "'{detector}' is what reading the files found, and no detector: scan to read them again"
                ),
                false => not_loaded(&detector, &registry),
            };
            return self.refuse(at, &Error::Invalid(why));
        };
        if let Err(error) = resolve_params(known, params) {
            return self.refuse(at, &error);
        }
        // What the detector does not take any more goes with this.
        let moved = self.moved_params(known, params);
        let before = self.known.params.get(&detector).cloned().unwrap_or_default();
        if before != moved {
            self.notice(at, &format!("changed the parameters of {}", safe_text(&detector)));
            if self.state.findings.results.contains_key(&detector) && self.job.is_none() {
                self.rerun = Some((detector.clone(), before));
            }
        }
        self.known.params.insert(detector.clone(), moved);
        self.save_settings(at);
        self.scan(Some(at), Wanted { force: true, ..Wanted::of(vec![detector]) });
    }

    pub(super) fn set_threshold(&mut self, at: u64, detector: String, threshold: f32) {
        if !(0.0..=1.0).contains(&threshold) {
            self.refuse(at, &Error::Invalid(format!("the threshold {threshold} is not in the range 0..=1")));
        } else if !self.state.findings.results.contains_key(&detector) {
            self.refuse(at, &Error::Invalid(format!("there are no results from a detector '{detector}'")));
        } else {
            let what = format!("moved the threshold of {} to {threshold}", safe_text(&detector));
            // At its default nothing is set: a default that changes later counts.
            match self.setup.config.thresholds().get(&detector).copied() {
                None if self.is_default(&detector, threshold) => _ = self.moved.remove(&detector),
                _ => _ = self.moved.insert(detector, threshold),
            }
            self.rank(self.state.findings.clone());
            self.notice(at, &what);
            // Only now: the client is waiting for the list, and no decision is lost by saving later.
            self.save_settings(at);
        }
    }

    /// Whether a detector has this threshold by itself.
    fn is_default(&self, detector: &str, threshold: f32) -> bool {
        let result = self.state.findings.results.get(detector);
        let registry = self.setup.detectors.now();
        let now = registry.find(detector).map(|known| known.info().default_threshold());
        now.or_else(|| Some(result?.record().threshold)) == Some(threshold)
    }

    pub(super) fn set_ensemble(&mut self, at: u64, rule: EnsembleRule) {
        let what = format!("combines the detectors by the rule {}", rule.name());
        self.rule = rule;
        self.save_settings(at);
        self.rank(self.state.findings.clone());
        self.notice(at, &what);
    }

    pub(super) fn save_settings(&self, at: u64) {
        if let Err(error) = self.store_settings() {
            self.refuse(at, &error);
        }
    }

    /// The same without telling of it.
    pub(super) fn store_settings(&self) -> Result<()> {
        if !self.setup.session.is_writable() {
            // What is moved counts until it is closed.
            return Ok(());
        }
        // What the configuration says is its own, and may change there.
        let configured = self.setup.config.thresholds();
        let is_own = |(name, threshold): &(&String, &f32)| configured.get(*name) != Some(*threshold);
        let thresholds = self.moved.iter().filter(is_own);
        let settings = Settings {
            ensemble: Some(self.rule.clone()),
            thresholds: thresholds.map(|(name, threshold)| (name.clone(), *threshold)).collect(),
            params: self.known.params.clone(),
            enabled: self.known.enabled.clone(),
        };
        self.setup.session.save_settings(&settings)
    }

    pub(super) fn remember(&mut self, at: u64, state: String) {
        let Some(desk) = self.desks.get(&at) else { return };
        let saved = if !self.setup.session.is_writable() {
            Ok(())
        } else if state.len() > 64 * 1024 {
            Err(Error::Invalid("the view state is too large to save".into()))
        } else {
            self.setup.session.save_view(&desk.reviewer, &state)
        };
        if let Err(error) = saved {
            // Nobody asked for it: it is no answer to what was.
            self.tell(at, Event::Trouble { about: "view".into(), message: error.to_string() });
            return;
        }
        if let Some(seat) = self.seats.get_mut(&desk.reviewer) {
            seat.remembered = state;
        }
    }
}

/// The parameters of a session with choices by their names, where they were kept by number and the detector is there.
pub(super) fn named_params(mut all: Params, setup: &Setup) -> Params {
    let registry = setup.detectors.now();
    for (name, params) in &mut all {
        if let Some(detector) = registry.find(name) {
            let info = detector.info();
            let by_number = |(name, value): (&String, &SetValue)| match value {
                SetValue::Number(number) => Some((name.clone(), *number)),
                SetValue::Choice(_) => None,
            };
            params.extend(by_name(info, &params.iter().filter_map(by_number).collect()));
        }
    }
    all
}

/// Dataset options stay in effect until they are changed: opening a session without the options it was scanned with
/// must not read a different dataset.
pub(super) fn settle_reading(setup: &mut Setup) -> Result<()> {
    let session = &setup.session;
    if setup.dataset_options == DatasetOptions::default() {
        if let Some(known) = session.load_reading()? {
            setup.dataset_options = known;
        }
        return Ok(());
    }
    if let Some(root) = setup.dataset_options.root.as_ref().filter(|root| !is_address(root)) {
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
