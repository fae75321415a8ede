//! Parameter forms of the detectors, from their declarations.

use crate::Setup;
use crate::state::State;
use chaffinch_host::params_in_force;
use chaffinch_plugin::{Param, ParamKind};
use chaffinch_protocol::display::safe_text;
use chaffinch_protocol::{DetectorForm, FormKind, FormParam};
use std::collections::BTreeMap;

/// One form per detector, in registry order.
pub(crate) fn forms(
    setup: &Setup,
    state: &State,
    moved: &BTreeMap<String, BTreeMap<String, f64>>,
) -> Vec<DetectorForm> {
    let forms = setup.registry.detectors().iter().map(|detector| {
        let info = detector.info();
        let given = params_in_force(info, &setup.config, moved.get(info.name())).unwrap_or_default();
        let param = |param: &Param| form(param, given.get(param.name()).copied());
        DetectorForm {
            name: info.name().to_owned(),
            version: safe_text(info.version_text()).into_owned(),
            summary: safe_text(info.summary()).into_owned(),
            enabled: setup.config.detector_enabled(info.name()),
            ran: state.findings.results.contains_key(info.name()),
            threshold: info.default_threshold(),
            params: info.parameters().iter().map(param).collect(),
        }
    });
    forms.collect()
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
