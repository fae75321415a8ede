//! Why a list has no rows, and what to do about it.

use super::Model;
use crate::action::Action;

/// Why a list has no rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emptiness {
    /// Why, in words.
    pub why: String,
    /// What can be done: the action, and what it does, as in `lists all samples`.
    pub ways: Vec<(Action, &'static str)>,
}

impl Model {
    /// Why the list has no rows. The same on the screen and in line mode.
    pub fn emptiness(&self) -> Emptiness {
        let because =
            |why: &str, ways: &[(Action, &'static str)]| Emptiness { why: why.to_owned(), ways: ways.into() };
        let all = (Action::ToggleAll, "lists all samples");
        let Some(session) = &self.session else { return because("waiting for the engine…", &[]) };
        if self.list.ticket == 0 {
            return because("loading the list…", &[]);
        }
        if !self.list.query.filter.is_empty() {
            let wider = (Action::ToggleAll, "looks at all samples, not only at suspects");
            let clear = (Action::ClearFilter, "clears it");
            let ways = if self.list.query.all { vec![clear] } else { vec![wider, clear] };
            return because("nothing matches this filter", &ways);
        }
        if self.jobs.progress.is_some() {
            return because("suspects appear once the detectors have run", &[]);
        }
        if session.samples == 0 {
            return because("the dataset has no samples", &[]);
        }
        if session.detectors.iter().all(|detector| detector.built_in) {
            let why = "no detector has run yet, so nothing is known of most faults";
            return because(why, &[(Action::Scan, "starts a scan"), all]);
        }
        match session.reading.caveat() {
            Some(caveat) => because(
                &format!("no suspects, but {caveat}"),
                &[(Action::Reading, "shows how the dataset was read"), all],
            ),
            None => because("no suspects: the dataset looks clean", &[all]),
        }
    }
}
