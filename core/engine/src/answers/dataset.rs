//! What is wrong with the dataset as a whole, which takes long enough for a thread of its own. The same snapshot is looked at
//! once; only the newest request is answered.

use super::worker_queue::WorkerQueue;
use crate::outlet::Outlet;
use crate::state::State;
use crate::whole::beside;
use crate::{Error, Result, Setup};
use chaffinch_compute::job::Job;
use chaffinch_protocol::dataset::DatasetFindings;
use chaffinch_protocol::{Event, Overviewed, Ticket};
use chaffinch_review::dataset::{self, Inputs};
use crossbeam_channel::Receiver;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A request with everything needed to answer it.
pub(crate) struct DatasetQuestion {
    pub(crate) ticket: Ticket,
    pub(crate) state: Arc<State>,
    pub(crate) setup: Arc<Setup>,
}

/// The queue, and what stops its work.
pub(crate) struct Findings {
    queue: WorkerQueue<DatasetQuestion>,
    stop: Arc<AtomicBool>,
}

impl Findings {
    pub(crate) fn start(events: &Outlet) -> Findings {
        let events = events.clone();
        let stop = Arc::new(AtomicBool::new(false));
        let flag = stop.clone();
        Findings { queue: WorkerQueue::start(move |inbox| serve(inbox, &events, &flag)), stop }
    }

    pub(crate) fn ask(&self, question: DatasetQuestion) {
        self.queue.ask(question);
    }

    /// Gives up what it is doing.
    pub(crate) fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.queue.stop();
    }
}

fn serve(inbox: &Receiver<DatasetQuestion>, events: &Outlet, stop: &AtomicBool) {
    let mut known: Option<(Arc<State>, DatasetFindings)> = None;
    while let Ok(mut question) = inbox.recv() {
        while let Ok(newer) = inbox.try_recv() {
            question = newer;
        }
        let found = match &known {
            Some((state, found)) if is_same(state, &question.state) => Ok(found.clone()),
            _ => find(&question, stop),
        };
        let event = match found {
            Ok(found) => {
                known = Some((question.state, found.clone()));
                Event::Overview { ticket: question.ticket, overview: Overviewed::Findings(found) }
            }
            Err(Error::Stopped) => return,
            Err(error) => Event::Trouble { about: "dataset".into(), message: error.to_string() },
        };
        if events.send(event).is_err() {
            return;
        }
    }
}

/// Whether two snapshots have the same samples, embeddings and results; thresholds and decisions do not matter here.
fn is_same(a: &State, b: &State) -> bool {
    let (a, b) = (&a.findings, &b.findings);
    let matrices = match (&a.matrix, &b.matrix) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (None, None) => true,
        _ => false,
    };
    matrices
        && Arc::ptr_eq(&a.manifest, &b.manifest)
        && Arc::ptr_eq(&a.file_metadata, &b.file_metadata)
        && a.results.len() == b.results.len()
        && a.results.iter().zip(&b.results).all(|(a, b)| a.0 == b.0 && Arc::ptr_eq(a.1, b.1))
}

fn find(question: &DatasetQuestion, stop: &AtomicBool) -> Result<DatasetFindings> {
    let findings = &question.state.findings;
    let beside = beside(&question.setup.session, &findings.manifest, &findings.file_metadata)?;
    let inputs = Inputs {
        manifest: &findings.manifest,
        file_metadata: &findings.file_metadata,
        results: &findings.results,
        matrix: findings.matrix.as_deref(),
        beside: &beside,
    };
    dataset::find(&inputs, &Job::new(stop, &|_, _| {}))
}
