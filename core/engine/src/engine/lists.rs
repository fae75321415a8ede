//! Runs queries on a thread of their own; only the newest one is worth finishing.

use super::service::Internal;
use super::state::State;
use crate::decision::Choice;
use crate::journal::Decisions;
use crate::protocol::{Query, Ticket};
use crate::query;
use crate::sample::SampleId;
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::sync::Arc;
use std::thread::JoinHandle;

/// A finished list.
pub(super) struct Order {
    pub(super) rows: Vec<u32>,
    pub(super) by_choice: [u64; 4],
}

impl Order {
    /// The row of a sample.
    pub(super) fn position(&self, id: SampleId) -> Option<u64> {
        self.rows.iter().position(|&row| row == id.0).map(|place| place as u64)
    }

    /// The next row after `from` (or the one before it) that `wanted` accepts.
    pub(super) fn find(&self, from: u64, forward: bool, wanted: impl Fn(SampleId) -> bool) -> Option<u64> {
        let from = usize::try_from(from).ok()?.min(self.rows.len());
        let place = if forward {
            let start = (from + 1).min(self.rows.len());
            self.rows[start..].iter().position(|&row| wanted(SampleId(row))).map(|offset| start + offset)
        } else {
            self.rows[..from].iter().rposition(|&row| wanted(SampleId(row)))
        };
        place.map(|place| place as u64)
    }
}

struct Question {
    ticket: Ticket,
    query: Query,
    state: Arc<State>,
    decisions: Decisions,
}

/// The desk where lists are asked for.
pub(super) struct Lists {
    questions: Option<Sender<Question>>,
    thread: Option<JoinHandle<()>>,
}

impl Lists {
    pub(super) fn start(internal: &Sender<Internal>) -> Lists {
        let (questions, inbox) = unbounded();
        let internal = internal.clone();
        let thread = std::thread::spawn(move || serve(&inbox, &internal));
        Lists { questions: Some(questions), thread: Some(thread) }
    }

    pub(super) fn ask(&self, ticket: Ticket, query: Query, state: Arc<State>, decisions: Decisions) {
        if let Some(questions) = &self.questions {
            let _ = questions.send(Question { ticket, query, state, decisions });
        }
    }

    pub(super) fn stop(mut self) {
        drop(self.questions.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(inbox: &Receiver<Question>, internal: &Sender<Internal>) {
    while let Ok(mut question) = inbox.recv() {
        while let Ok(newer) = inbox.try_recv() {
            question = newer;
        }
        let message = match answer(&question) {
            Ok(order) => Internal::Listed(question.ticket, Arc::new(order)),
            Err(error) => Internal::ListFailed(error.to_string()),
        };
        if internal.send(message).is_err() {
            return;
        }
    }
}

fn answer(question: &Question) -> crate::Result<Order> {
    let state = &question.state;
    let source = query::Source {
        manifest: &state.findings.manifest,
        facts: &state.findings.facts,
        results: &state.findings.results,
        thresholds: &state.thresholds,
        ranking: &state.ranking,
        decisions: &question.decisions,
        atlas: state.findings.atlas.as_deref(),
    };
    let rows = query::select(&source, &question.query)?;
    let mut by_choice = [0; 4];
    for &row in &rows {
        if let Some(decision) = question.decisions.get(SampleId(row)) {
            let place = match decision.choice {
                Choice::Keep => 0,
                Choice::Remove => 1,
                Choice::Relabel(_) => 2,
                Choice::Unsure => 3,
            };
            by_choice[place] += 1;
        }
    }
    Ok(Order { rows, by_choice })
}
