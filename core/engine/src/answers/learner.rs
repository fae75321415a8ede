//! Finds out while one decides whether the decisions teach a better order than the rank. Only the newest request is answered, and
//! nothing waits for it.

use super::internal::Internal;
use super::worker_queue::WorkerQueue;
use crate::state::State;
use chaffinch_data::journal::Decisions;
use chaffinch_protocol::Event;
use chaffinch_review::learned::Learned;
use crossbeam_channel::{Receiver, Sender};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Decisions after which it is looked again.
const STEP: u64 = 10;

/// What is learned from.
pub(crate) struct LearnQuestion {
    pub(crate) state: Arc<State>,
    pub(crate) decisions: Decisions,
    /// Whether those of others are left out.
    pub(crate) blind: bool,
}

/// The queue, and what stops its work.
pub(crate) struct Learner {
    queue: WorkerQueue<LearnQuestion>,
    stop: Arc<AtomicBool>,
    /// How many decisions there were when it was asked last, and whether those of others were left out.
    asked: (u64, bool),
}

impl Learner {
    /// Starts the queue of the terminal with this number.
    pub(crate) fn start(number: u64, internal: &Sender<Internal>) -> Learner {
        let internal = internal.clone();
        let stop = Arc::new(AtomicBool::new(false));
        let flag = stop.clone();
        let queue = WorkerQueue::start(move |inbox| serve(inbox, number, &internal, &flag));
        Learner { queue, stop, asked: (0, false) }
    }

    /// Asks, if enough was decided since it was asked last.
    pub(crate) fn ask(&mut self, question: LearnQuestion) {
        let now = (question.decisions.decided() as u64, question.blind);
        if now.1 != self.asked.1 || now.0.abs_diff(self.asked.0) >= STEP {
            self.asked = now;
            self.queue.ask(question);
        }
    }

    /// Gives up what it is doing.
    pub(crate) fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.queue.stop();
    }
}

fn serve(inbox: &Receiver<LearnQuestion>, number: u64, internal: &Sender<Internal>, stop: &AtomicBool) {
    let unwanted = || stop.load(Ordering::Relaxed);
    while let Ok(mut question) = inbox.recv() {
        while let Ok(newer) = inbox.try_recv() {
            question = newer;
        }
        let evidence = question.state.source(&question.decisions).evidence();
        // It fails only when it is to stop.
        let Ok(learned) = Learned::of(evidence, &question.decisions, &unwanted) else { return };
        let (decisions, better) = (learned.decisions() as u64, learned.is_better());
        let event = Event::Learned { decisions, better, note: learned.note() };
        if internal.send(Internal::Learned(number, question.blind, Box::new(event))).is_err() {
            return;
        }
    }
}
