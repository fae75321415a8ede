//! The prompts of the session: keeping others, and going back.

use super::Service;
use super::detectors::not_loaded;
use crate::{Error, Result};
use chaffinch_data::set_value::SetValue;
use chaffinch_host::{params_in_force, resolve_params};
use chaffinch_protocol::display::safe_text;
use chaffinch_protocol::{Event, PromptWords, PromptsSet, TEMPERATURE, Ticket};
use std::collections::BTreeMap;

impl Service {
    /// Keeps prompts and a temperature, or drops those of the session. Either both are on disk then, or nothing is changed.
    pub(super) fn set_prompts(
        &mut self,
        at: u64,
        ticket: Ticket,
        (prompts, temperature): (Option<&PromptWords>, Option<f64>),
    ) {
        let refused = match self.store_prompts(prompts, temperature) {
            Ok(()) => String::new(),
            Err(error) => safe_text(&error.to_string()).into_owned(),
        };
        let done = refused.is_empty();
        self.tell(at, Event::PromptsSet(PromptsSet { ticket, refused }));
        if done {
            self.notice(at, "changed the prompts");
            for number in self.desks.keys() {
                self.tell_session(*number);
            }
        }
    }

    fn store_prompts(&mut self, prompts: Option<&PromptWords>, temperature: Option<f64>) -> Result<()> {
        let session = &self.setup.session;
        session.writable()?;
        if self.is_scanning() {
            let why = "a scan is running with the prompts of its start; save once it has ended, or cancel it";
            return Err(Error::Invalid(why.into()));
        }
        let configured = &self.setup.prompts;
        // A set that is the configured one follows the configuration.
        let prompts = prompts.filter(|words| **words != configured.edited());
        if let Some(words) = prompts {
            let unknown = configured.unknown_class(words, self.state.findings.manifest.classes());
            unknown.map_or(Ok(()), |why| Err(Error::Invalid(why)))?;
        }
        let params = self.with_temperature(temperature)?;
        // A file that cannot be read is no reason to keep it.
        let before = session.load_prompts().unwrap_or_default();
        session.save_prompts(prompts)?;
        let params = std::mem::replace(&mut self.known.params, params);
        self.store_settings().inspect_err(|_| {
            self.known.params = params;
            // It fails as that did, or does not: what is reported is why nothing is kept.
            let _ = self.setup.session.save_prompts(before.as_ref());
        })
    }

    /// The parameters of the session with this temperature; `None` for the configured one.
    fn with_temperature(
        &self,
        temperature: Option<f64>,
    ) -> Result<BTreeMap<String, BTreeMap<String, SetValue>>> {
        let mut all = self.known.params.clone();
        let registry = self.setup.detectors.now();
        let name = self.setup.finders.prompts;
        let detector = registry.find(name);
        let own = match (temperature, detector) {
            (Some(_), None) => return Err(Error::Invalid(not_loaded(name, &registry))),
            (Some(value), Some(detector)) => {
                resolve_params(detector, &BTreeMap::from([(TEMPERATURE.to_owned(), value)]))?;
                let info = detector.info();
                let default = info.parameters().iter().find(|param| param.name() == TEMPERATURE);
                let configured = params_in_force(info, &self.setup.config, None).values;
                let configured =
                    configured.get(TEMPERATURE).copied().or(default.map(|param| param.default()));
                Some(value).filter(|value| configured != Some(*value))
            }
            (None, _) => None,
        };
        let params = all.entry(name.to_owned()).or_default();
        match own {
            Some(value) => _ = params.insert(TEMPERATURE.to_owned(), SetValue::Number(value)),
            None => _ = params.remove(TEMPERATURE),
        }
        if params.is_empty() {
            all.remove(name);
        }
        Ok(all)
    }
}
