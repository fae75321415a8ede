//! Background work.

use super::{Effects, detector, say, send};
use crate::action::Action;
use crate::action::kind::Job;
use crate::key::shown;
use crate::model::{Level, Model};
use chaffinch_protocol::Command;

/// Handles an action on background work.
pub(super) fn act(model: &mut Model, action: Job, fx: &mut Effects) {
    match action {
        Job::Scan => {
            send(fx, Command::Scan { detectors: Vec::new(), opening: false });
            say(model, Level::Info, "scanning");
        }
        Job::CancelJob => cancel(model, fx),
        Job::RerunDetector => rerun(model, fx),
    }
}

/// Cancels the running job.
pub(super) fn cancel(model: &mut Model, fx: &mut Effects) {
    send(fx, Command::Cancel);
    model.jobs.progress = None;
    say(model, Level::Info, "canceling the job; finished work is kept");
}

/// Runs the selected detector again.
pub(crate) fn rerun(model: &mut Model, fx: &mut Effects) {
    if model.chosen().is_some_and(|detector| detector.built_in) {
        let name = model.chosen_name().unwrap_or_default();
        let scan = model.keymap.key_for(Action::Scan).map(shown).unwrap_or_default();
        let text =
            format!("'{name}' is what reading the files found, and no detector: {scan} reads what is new");
        return say(model, Level::Warning, text);
    }
    if let Some(name) = detector::chosen(model) {
        say(model, Level::Info, format!("running {name} again"));
        send(fx, Command::Rerun { detector: name, params: Default::default() });
    }
}
