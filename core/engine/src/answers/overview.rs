//! Counts over the whole dataset, computed on a separate thread; only the newest request of each kind is answered.

mod about;
mod forms;
mod history;
mod prompts;

use super::worker_queue::WorkerQueue;
use crate::Setup;
use crate::outdated::Outdated;
use crate::outlet::Outlet;
use crate::state::State;
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::journal::Decisions;
use chaffinch_data::session::Cost;
use chaffinch_data::set_value::SetValue;
use chaffinch_protocol::dataset::DatasetFindings;
use chaffinch_protocol::{Event, Overview, Overviewed, Ticket};
use chaffinch_review::overview;
use crossbeam_channel::Receiver;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A request with everything needed to answer it.
pub(crate) struct OverviewQuestion {
    pub(crate) ticket: Ticket,
    pub(crate) about: Overview,
    pub(crate) state: Arc<State>,
    pub(crate) decisions: Decisions,
    pub(crate) setup: Arc<Setup>,
    pub(crate) known: Known,
}

/// What is known of detectors beside their results.
#[derive(Clone, Default)]
pub(crate) struct Known {
    /// Parameters changed in the session, by detector.
    pub(crate) params: BTreeMap<String, BTreeMap<String, SetValue>>,
    /// Those that were enabled or disabled in the session.
    pub(crate) enabled: BTreeMap<String, bool>,
    /// Why the last run of some failed.
    pub(crate) failed: BTreeMap<String, String>,
    /// What the last runs took.
    pub(crate) costs: BTreeMap<String, Cost>,
    /// Detectors whose results are out of date, and why.
    pub(crate) outdated: BTreeMap<String, Outdated>,
    /// Detectors that are not loaded and have results in the session.
    pub(crate) absent: Vec<Absent>,
}

/// A detector that is not loaded, as its results describe it.
#[derive(Clone)]
pub(crate) struct Absent {
    pub(crate) result: Arc<DetectorResult>,
    /// Whether its results were taken out of the session.
    pub(crate) removed: bool,
}

/// The queue for overviews.
pub(crate) fn desk(events: &Outlet) -> WorkerQueue<OverviewQuestion> {
    let events = events.clone();
    WorkerQueue::start(move |inbox| serve(inbox, &events))
}

fn serve(inbox: &Receiver<OverviewQuestion>, events: &Outlet) {
    while let Ok(first) = inbox.recv() {
        let mut waiting = vec![first];
        while let Ok(newer) = inbox.try_recv() {
            let kind = std::mem::discriminant(&newer.about);
            waiting.retain(|question| std::mem::discriminant(&question.about) != kind);
            waiting.push(newer);
        }
        for question in waiting {
            let event = match answer(&question) {
                Ok(overview) => Event::Overview { ticket: question.ticket, overview },
                Err(error) => Event::Trouble { about: "overview".into(), message: error.to_string() },
            };
            if events.send(event).is_err() {
                return;
            }
        }
    }
}

fn answer(question: &OverviewQuestion) -> crate::Result<Overviewed> {
    let (state, decisions) = (&question.state, &question.decisions);
    let source = state.source(decisions);
    Ok(match &question.about {
        Overview::Histogram(name) => {
            let mut histogram = overview::histogram(&source, question.ticket, name)?;
            if let Some(configured) = question.setup.config.thresholds().get(name) {
                histogram.default = *configured;
            }
            Overviewed::Histogram(histogram)
        }
        Overview::Confusion => Overviewed::Confusion(overview::confusion(&source)),
        Overview::Statistics => Overviewed::Statistics(overview::statistics(&source)),
        Overview::Classes => Overviewed::Classes(overview::classes(&source)),
        Overview::History => Overviewed::History(history::history(state, decisions)),
        // Has a thread of its own.
        Overview::Findings => Overviewed::Findings(DatasetFindings::default()),
        Overview::Prompts => {
            Overviewed::Prompts(Box::new(prompts::sheet(&question.setup, state, &question.known)))
        }
        Overview::Forms => Overviewed::Forms(forms::forms(&question.setup, &source, &question.known)),
    })
}
