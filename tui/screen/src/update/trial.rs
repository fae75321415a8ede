//! What a detector would flag with the values on the screen: the engine is asked once no value is changed any more, if the
//! detector is fast, and at a key.

use super::{Effects, say, send};
use crate::action::Action;
use crate::key::shown;
use crate::model::{Basis, Level, Model};
use crate::text::count;
use chaffinch_protocol::{Command, Tried};

/// Milliseconds without a change before a detector is tried.
const PAUSE: u64 = 600;
/// A detector is tried by itself if its last run took no more seconds than this.
const FAST: f64 = 10.0;

/// A value was changed.
pub(crate) fn edited(model: &mut Model, detector: &str) {
    model.panels.trial.answer = None;
    model.panels.trial.due = fast(model, detector).then_some(model.time.now + PAUSE);
}

/// The threshold of a detector was moved: what is counted is not what it would flag now.
pub(super) fn moved(model: &mut Model, detector: &str) {
    if !params(model, detector).is_empty() {
        edited(model, detector);
    }
}

fn fast(model: &Model, detector: &str) -> bool {
    let seconds = model.panels.form(detector).and_then(|form| form.about.seconds);
    seconds.is_some_and(|seconds| seconds <= FAST)
}

/// The values on the screen apply, or count for nothing any more.
pub(crate) fn forget(model: &mut Model) {
    let trial = &mut model.panels.trial;
    (trial.due, trial.answer, trial.awaited) = (None, None, false);
    // Its answer is for values that are history.
    trial.ticket += 1;
}

/// Time has passed.
pub(super) fn tick(model: &mut Model, fx: &mut Effects) {
    if model.panels.trial.due.is_some_and(|due| due <= model.time.now) {
        model.panels.trial.due = None;
        let scanning = model.jobs.progress.is_some() && !model.panels.trial.awaited;
        if !scanning && model.tuned().is_some_and(|name| !params(model, name).is_empty()) {
            ask(model, fx);
        }
    }
}

/// Asks what the chosen detector would flag.
pub(crate) fn ask(model: &mut Model, fx: &mut Effects) {
    let Some(detector) = model.tuned().map(str::to_owned) else { return };
    let params = params(model, &detector);
    if params.is_empty() {
        return say(model, Level::Info, "change a parameter first: what is flagged now is in the table");
    }
    // The engine counts with the threshold on the screen.
    if let Some((detector, threshold, _)) = model.time.threshold.take() {
        send(fx, Command::SetThreshold { detector, threshold });
    }
    let basis = basis(model, &detector);
    let trial = &mut model.panels.trial;
    (trial.ticket, trial.due, trial.awaited, trial.answer) = (trial.ticket + 1, None, true, None);
    trial.basis = basis;
    let ticket = trial.ticket;
    send(fx, Command::Try { ticket, detector, params, prompts: None });
}

/// What a detector flags now, if it has results.
fn basis(model: &Model, detector: &str) -> Option<Basis> {
    let known = model.session.as_ref()?.detectors.iter().find(|one| one.name == detector)?;
    let params = model.panels.form(detector).map(|form| form.params.as_slice()).unwrap_or_default();
    let values = params.iter().map(|param| param.value).collect();
    Some(Basis { threshold: known.threshold, seconds: known.seconds, scored: known.scored, values })
}

/// The session or the forms are other ones: what was counted is tried anew if another terminal ran the detector, moved its threshold
/// or set its parameters meanwhile.
pub(super) fn renewed(model: &mut Model) {
    forget_gone(model);
    let Some(name) = model.tuned().map(str::to_owned) else { return };
    let trial = &model.panels.trial;
    let counted = trial.awaited || trial.answer.as_ref().is_some_and(|answer| answer.detector == name);
    if counted && trial.basis != basis(model, &name) && !params(model, &name).is_empty() {
        forget(model);
        edited(model, &name);
    }
}

/// Forgets changed values of parameters that a detector no longer has: they are not shown, and nothing is counted with them.
fn forget_gone(model: &mut Model) {
    let Some(forms) = &model.panels.forms else { return };
    let gone = |(detector, name): &(String, String)| {
        let form = forms.iter().find(|form| form.name == *detector);
        !form.is_some_and(|form| form.params.iter().any(|param| param.name == *name))
    };
    model.panels.edited.retain(|place, _| !gone(place));
}

/// The values of a detector that were changed.
fn params(model: &Model, detector: &str) -> std::collections::BTreeMap<String, f64> {
    let edited = model.panels.edited.iter().filter(|((of, _), _)| of == detector);
    edited.map(|((_, name), value)| (name.clone(), *value)).collect()
}

/// The engine's answer.
pub(super) fn tried(model: &mut Model, tried: Tried) {
    model.jobs.progress = None;
    if tried.ticket == model.panels.trial.ticket {
        model.panels.trial.awaited = false;
        model.panels.trial.answer = Some(tried);
    }
}

/// What is known of it, in words; empty if nothing was changed.
pub(crate) fn words(model: &Model, detector: &str) -> String {
    let trial = &model.panels.trial;
    if params(model, detector).is_empty() {
        return String::new();
    }
    // Another terminal may have moved it, or run the detector.
    let answer = trial.answer.as_ref().filter(|_| trial.basis == basis(model, detector));
    match answer {
        Some(tried) if tried.detector == detector && tried.failed.is_empty() => {
            let flags = format!("would flag {}", count(tried.flagged));
            match tried.compared {
                Some(compared) => {
                    format!("{flags}: {} more, {} fewer", count(compared.newly), count(compared.formerly))
                }
                None => flags,
            }
        }
        Some(tried) if tried.detector == detector => format!("cannot count: {}", tried.failed),
        _ if trial.awaited => "counting…".to_owned(),
        _ if trial.due.is_some() => String::new(),
        _ => {
            let key = model.keymap.key_for(Action::PanelTry).map(shown).unwrap_or_default();
            format!("{key}: count what it would flag")
        }
    }
}
