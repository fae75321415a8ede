//! The selected detector, its threshold, and the ensemble rule.

use super::{Effects, motion::touch, say, send, trial};
use crate::action::kind::Detector;
use crate::model::{Level, Model};
use chaffinch_protocol::{Command, EnsembleRule};

/// Handles an action on the selected detector.
pub(super) fn act(model: &mut Model, action: Detector, fx: &mut Effects) {
    match action {
        Detector::NextDetector | Detector::PreviousDetector => {
            next(model, action == Detector::NextDetector);
        }
        Detector::ThresholdUp => threshold(model, 0.01),
        Detector::ThresholdDown => threshold(model, -0.01),
        Detector::CycleEnsemble => ensemble(model, fx),
    }
}

/// The name of the selected detector, or a message that there is none.
pub(super) fn chosen(model: &mut Model) -> Option<String> {
    let name = model.chosen_name().map(str::to_owned);
    if name.is_none() {
        say(model, Level::Warning, "no detector has run yet");
    }
    name
}

/// Selects the next or previous detector.
pub(super) fn next(model: &mut Model, forward: bool) {
    let Some(session) = &model.session else { return };
    let count = session.detectors.len();
    if count == 0 {
        return say(model, Level::Warning, "no detector has run yet");
    }
    model.detector = (model.detector.min(count - 1) + if forward { 1 } else { count - 1 }) % count;
    model.panels.idle = None;
    tell(model);
}

/// Goes to the next or previous detector that has parameters: those that have results, then those that have none. What reading the
/// files found has no parameters.
pub(crate) fn next_tuned(model: &mut Model, forward: bool) {
    let with_results = model.session.iter().flat_map(|session| &session.detectors);
    let with_results = with_results.filter(|detector| !detector.built_in).map(|detector| &detector.name);
    let names: Vec<String> = with_results.chain(model.idle().map(|form| &form.name)).cloned().collect();
    if names.is_empty() {
        return say(model, Level::Warning, "there are no detectors");
    }
    let count = names.len();
    let at = names.iter().position(|name| Some(name.as_str()) == model.tuned());
    let at = match (at, forward) {
        (Some(at), true) => (at + 1) % count,
        (Some(at), false) => (at + count - 1) % count,
        (None, _) => 0,
    };
    tune(model, &names[at]);
}

/// Chooses a detector to set the parameters of.
pub(crate) fn tune(model: &mut Model, name: &str) {
    let place =
        model.session.as_ref().and_then(|session| session.detectors.iter().position(|d| d.name == name));
    match place {
        Some(place) => {
            model.detector = place;
            model.panels.idle = None;
            tell(model);
        }
        None => {
            model.panels.idle = Some(name.to_owned());
            say(model, Level::Info, format!("{name} has no results yet"));
        }
    }
}

/// Says which detector is selected.
fn tell(model: &mut Model) {
    let Some(chosen) = model.chosen() else { return };
    let text = format!("{}: {} (threshold {:.2})", chosen.name, chosen.summary, chosen.threshold);
    say(model, Level::Info, text);
    touch(model);
}

/// Moves the threshold on the screen at once; the engine gets it once no key is pressed.
pub(crate) fn threshold(model: &mut Model, by: f32) {
    let Some(name) = chosen(model) else { return };
    let at = model.time.now + 120;
    let Some(session) = &mut model.session else { return };
    let chosen = &mut session.detectors[model.detector];
    chosen.threshold = ((chosen.threshold + by).clamp(0.0, 1.0) * 1000.0).round() / 1000.0;
    let value = chosen.threshold;
    model.time.threshold = Some((name.clone(), value, at));
    trial::moved(model, &name);
    let digits = if (value * 100.0).fract().abs() < 1e-3 { 2 } else { 3 };
    say(model, Level::Info, format!("{name} flags below {value:.digits$}"));
}

fn ensemble(model: &mut Model, fx: &mut Effects) {
    let Some(session) = &mut model.session else { return };
    // Cycles through the rules without parameters; any other goes back to the first.
    let (rule, text) = match session.ensemble {
        EnsembleRule::Or => (EnsembleRule::Majority, "majority: ranked by how many detectors agree"),
        EnsembleRule::Majority => (EnsembleRule::MeanRank, "mean rank: ranked by the detectors' mean rank"),
        EnsembleRule::MeanRank => (EnsembleRule::Average, "average: ranked by the detectors' mean score"),
        EnsembleRule::Average => {
            (EnsembleRule::Consensus, "consensus: ranked by the detectors that agree most")
        }
        EnsembleRule::Consensus => {
            (EnsembleRule::Stacking, "stacking: ranked by what your decisions have taught")
        }
        EnsembleRule::Stacking => (EnsembleRule::Recall, "recall: ranked as by or, with wider thresholds"),
        EnsembleRule::Recall => {
            (EnsembleRule::Precision, "precision: flagged by two detectors, or surely by one")
        }
        _ => (EnsembleRule::Or, "or: what any detector flags, the likelier it is bad the sooner"),
    };
    // Applied at once, so that the next press continues from here.
    session.ensemble = rule.clone();
    send(fx, Command::SetEnsemble { rule });
    say(model, Level::Info, text);
}
