//! Detectors that do not run until someone lets them: the question whether changed code may, and its answer.

use super::{Effects, say, send};
use crate::model::{Confirm, Consequence, Level, Mode, Model};
use chaffinch_protocol::Command;

/// Asks about code that has changed, once no key is pressed and nothing else has the keys.
pub(super) fn tick(model: &mut Model) {
    let Some(changed) = model.unasked().cloned() else { return };
    let name = changed.names.first().cloned().unwrap_or_else(|| changed.path.clone());
    if model.views.spoken {
        // A script cannot answer what it does not expect.
        model.jobs.asked.insert((changed.path.clone(), changed.now));
        let how = format!("chaffinch plugins let-in {name} runs it as it is now");
        let what = changed.what;
        return say(model, Level::Warning, format!("{name}: {what} since it was first used: {how}"));
    }
    if model.ask_at().is_none_or(|at| at > model.time.now) {
        return;
    }
    model.jobs.asked.insert((changed.path.clone(), changed.now.clone()));
    let short = |digest: &str| digest.get(..12).unwrap_or(digest).to_owned();
    let question = format!(
        "The code of {} has changed since it was first used ({} then, {} now): {}. Run it as it is now?",
        changed.names.join(", "),
        short(&changed.was),
        short(&changed.now),
        changed.what
    );
    model.mode = Mode::Confirm(Confirm { question, yes: Consequence::LetIn(changed.path) });
}

/// Lets a detector in, which runs then.
pub(crate) fn let_in(model: &mut Model, detector: String, fx: &mut Effects) {
    say(model, Level::Info, format!("letting {detector} in"));
    send(fx, Command::LetIn { detector });
}
