//! What the engine keeps for each attached terminal: its part in the session, its list, and its own queues, so that what one
//! terminal asks for delays no other one.

use crate::answers::dataset::Findings;
use crate::answers::internal::Internal;
use crate::answers::learner::Learner;
use crate::answers::list_result::ListResult;
use crate::answers::lists::Lists;
use crate::answers::outputs::Forms;
use crate::answers::overview::{self, OverviewQuestion};
use crate::answers::pictures::Pictures;
use crate::answers::views;
use crate::answers::worker_queue::WorkerQueue;
use crate::outlet::Outlet;
use chaffinch_data::journal::Decisions;
use chaffinch_protocol::display::safe_text;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Attached, ListCounts, Ticket};
use crossbeam_channel::Sender;
use std::sync::Arc;

/// One attached terminal.
pub(super) struct Desk {
    pub(super) outlet: Outlet,
    /// The reviewer whose seat it has, or watches.
    pub(super) reviewer: String,
    /// Whether it decides nothing.
    pub(super) watches: bool,
    /// The name of the terminal; may be empty.
    pub(super) terminal: String,
    /// The numbering of the samples that it knows.
    pub(super) numbering: u64,
    /// The list that it shows.
    pub(super) list: Option<(Ticket, Arc<ListResult>)>,
    /// Rows of the list by their decision.
    pub(super) counts: [u64; 4],
    pub(super) lists: Lists,
    pub(super) learner: Learner,
    pub(super) pictures: Pictures,
    pub(super) views: WorkerQueue<views::ViewQuestion>,
    pub(super) overviews: WorkerQueue<OverviewQuestion>,
    pub(super) findings: Findings,
    pub(super) forms: Forms,
}

impl Desk {
    /// Starts the queues of a terminal.
    pub(super) fn start(number: u64, outlet: Outlet, internal: &Sender<Internal>) -> Desk {
        Desk {
            lists: Lists::start(number, internal),
            learner: Learner::start(number, internal),
            pictures: Pictures::start(&outlet),
            views: views::desk(&outlet),
            overviews: overview::desk(&outlet),
            findings: Findings::start(&outlet),
            forms: Forms::start(&outlet),
            outlet,
            reviewer: String::new(),
            watches: false,
            terminal: String::new(),
            numbering: 0,
            list: None,
            counts: [0; 4],
        }
    }

    /// Ends its queues, and waits for what they are doing.
    pub(super) fn close(self) {
        self.lists.stop();
        self.learner.stop();
        self.pictures.stop();
        self.findings.stop();
        self.overviews.stop();
        self.forms.stop();
        self.views.stop();
    }

    /// Its list, if it is the one with this ticket.
    pub(super) fn order(&self, ticket: Ticket) -> Option<Arc<ListResult>> {
        self.list.as_ref().filter(|(current, _)| *current == ticket).map(|(_, order)| order.clone())
    }

    /// Moves the counts of its list from the decisions before a change to those after it, in a dataset of `count` samples.
    pub(super) fn recount(
        &mut self,
        samples: &[SampleId],
        (before, after): (&Decisions, &Decisions),
        count: usize,
    ) -> Option<ListCounts> {
        let (ticket, order) = self.list.clone()?;
        for id in samples.iter().filter(|id| order.has(**id, count)) {
            if let Some(decision) = before.get(*id) {
                let before = &mut self.counts[decision.choice.index()];
                *before = before.saturating_sub(1);
            }
            if let Some(decision) = after.get(*id) {
                self.counts[decision.choice.index()] += 1;
            }
        }
        Some(ListCounts { ticket, by_choice: self.counts })
    }

    /// As others know it.
    pub(super) fn attached(&self) -> Attached {
        Attached {
            reviewer: safe_text(&self.reviewer).into_owned(),
            terminal: safe_text(&self.terminal).into_owned(),
            watches: self.watches,
            own: false,
        }
    }
}
