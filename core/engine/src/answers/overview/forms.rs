//! Parameter forms of the detectors, from their declarations.

use super::{Known, about};
use crate::Setup;
use chaffinch_host::params_in_force;
use chaffinch_plugin::{Param, ParamKind};
use chaffinch_protocol::display::safe_text;
use chaffinch_protocol::{DetectorForm, FormKind, FormParam};
use chaffinch_review::query::Source;

/// One form per detector, in registry order, then what is not loaded.
pub(crate) fn forms(setup: &Setup, source: &Source<'_>, known: &Known) -> Vec<DetectorForm> {
    let registry = setup.detectors.now();
    let forms = registry.detectors().iter().map(|detector| {
        let info = detector.info();
        let name = info.name();
        let given = params_in_force(info, &setup.config, known.params.get(name)).values;
        let param = |param: &Param| form(param, given.get(param.name()).copied());
        let enabled = known.enabled.get(name).copied().unwrap_or_else(|| setup.config.detector_enabled(name));
        DetectorForm {
            name: name.to_owned(),
            version: safe_text(info.version_text()).into_owned(),
            summary: safe_text(info.summary()).into_owned(),
            enabled,
            ran: source.results.contains_key(name),
            threshold: Some(info.default_threshold()),
            params: info.parameters().iter().map(param).collect(),
            about: about::about(detector, enabled, source, known),
        }
    });
    let refused = registry.refused().iter().flat_map(|refused| about::refused(refused, source, known));
    let refused: Vec<DetectorForm> = refused.collect();
    // What cannot be loaded any more is one detector, and not two.
    let is_refused = |name: &str| refused.iter().any(|form| form.name == name);
    let absent = known.absent.iter().filter(|one| !is_refused(&one.result.record().name));
    let absent: Vec<DetectorForm> =
        absent.map(|one| about::absent(one, &setup.session, source, known)).collect();
    let configured = setup.config.thresholds();
    let as_configured = |form: DetectorForm| {
        let threshold = configured.get(&form.name).copied().or(form.threshold);
        DetectorForm { threshold, ..form }
    };
    forms.chain(refused).chain(absent).map(as_configured).collect()
}

/// One parameter of a detector, if it is loaded.
pub(super) fn param(setup: &Setup, known: &Known, detector: &str, name: &str) -> Option<FormParam> {
    let registry = setup.detectors.now();
    let info = registry.find(detector)?.info();
    let given = params_in_force(info, &setup.config, known.params.get(detector)).values;
    let param = info.parameters().iter().find(|param| param.name() == name)?;
    Some(form(param, given.get(name).copied()))
}

fn form(param: &Param, value: Option<f64>) -> FormParam {
    let (min, max) = param.bounds();
    FormParam {
        name: param.name().to_owned(),
        help: safe_text(param.help()).into_owned(),
        kind: match param.kind() {
            ParamKind::Number => FormKind::Number,
            ParamKind::Integer => FormKind::Integer,
            ParamKind::Flag => FormKind::Flag,
            ParamKind::Choice => FormKind::Choice,
        },
        default: param.default(),
        value: value.unwrap_or(param.default()),
        min,
        max,
        choices: param.choices().into_iter().map(|name| safe_text(name).into_owned()).collect(),
    }
}
