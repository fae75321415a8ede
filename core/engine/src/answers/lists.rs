//! Runs queries on a separate thread; only the newest one is worth finishing.

use super::list_result::ListResult;
use super::worker_queue::WorkerQueue;
use crate::answers::internal::Internal;
use crate::meaning::{Asking, Reader};
use crate::state::State;
use crate::{Error, Setup};
use chaffinch_compute::sorting::Unwanted;
use chaffinch_data::columns;
use chaffinch_data::journal::Decisions;
use chaffinch_protocol::{Query, Sort, Ticket};
use chaffinch_review::meaning::{Direction, Expression};
use chaffinch_review::query::{self, Source};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// After this long without a query, the user is no longer typing a filter.
const IDLE: Duration = Duration::from_secs(2);

/// A query with everything needed to answer it.
pub(crate) struct ListQuestion {
    pub(crate) ticket: Ticket,
    pub(crate) query: Query,
    pub(crate) state: Arc<State>,
    pub(crate) decisions: Decisions,
    /// The only samples that are listed, whether they are suspects or not.
    pub(crate) only: Option<Arc<BTreeSet<u32>>>,
    pub(crate) setup: Arc<Setup>,
    /// The model, for an order by meaning.
    pub(crate) reader: Arc<Reader>,
}

/// The queue for list queries.
pub(crate) struct Lists {
    desk: WorkerQueue<ListQuestion>,
    /// The ticket of the newest query; work on older ones is canceled.
    newest: Arc<AtomicU64>,
}

impl Lists {
    /// Starts the queue of the terminal with this number.
    pub(crate) fn start(number: u64, internal: &Sender<Internal>) -> Lists {
        let internal = internal.clone();
        let newest = Arc::new(AtomicU64::new(0));
        let desk = WorkerQueue::start({
            let newest = newest.clone();
            move |inbox| serve(inbox, number, &newest, &internal)
        });
        Lists { desk, newest }
    }

    pub(crate) fn ask(&self, question: ListQuestion) {
        self.newest.store(question.ticket, Ordering::Relaxed);
        self.desk.ask(question);
    }

    pub(crate) fn stop(self) {
        self.newest.store(Ticket::MAX, Ordering::Relaxed);
        self.desk.stop();
    }
}

fn serve(inbox: &Receiver<ListQuestion>, number: u64, newest: &AtomicU64, internal: &Sender<Internal>) {
    // Separate threads: a scan keeps the shared pool busy for seconds.
    let threads = std::thread::available_parallelism().map_or(2, |count| count.get().min(8));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    loop {
        let mut question = match inbox.recv_timeout(IDLE) {
            Ok(question) => question,
            Err(RecvTimeoutError::Disconnected) => return,
            // Release mapped files once no more queries come in.
            Err(RecvTimeoutError::Timeout) => {
                columns::release_mapped();
                match inbox.recv() {
                    Ok(question) => question,
                    Err(_) => return,
                }
            }
        };
        while let Ok(newer) = inbox.try_recv() {
            question = newer;
        }
        let unwanted = || newest.load(Ordering::Relaxed) != question.ticket;
        let slow = |why: &str| {
            let _ = internal.send(Internal::Delayed(number, question.ticket, why.to_owned()));
        };
        let cut = |words: &str| {
            let _ = internal.send(Internal::Cut(number, words.to_owned()));
        };
        // A model has threads of its own.
        let direction = direction(&question, (&slow, &cut), &unwanted);
        let answered = direction.and_then(|direction| match &pool {
            Ok(pool) => pool.install(|| answer(&question, direction, &unwanted)),
            Err(_) => answer(&question, direction, &unwanted),
        });
        let message = match answered {
            Ok(order) => Internal::Listed(number, question.ticket, Arc::new(order)),
            Err(Error::Stopped) => continue,
            Err(error) => Internal::ListFailed(number, question.ticket, error),
        };
        if internal.send(message).is_err() {
            return;
        }
    }
}

/// Where an order by meaning points. Waits for the model, as long as the list is wanted.
fn direction(
    question: &ListQuestion,
    (slow, cut): (&(dyn Fn(&str) + Sync), &(dyn Fn(&str) + Sync)),
    unwanted: Unwanted<'_>,
) -> crate::Result<Option<Direction>> {
    let Sort::Meaning(text) = &question.query.sort else { return Ok(None) };
    let findings = &question.state.findings;
    let expression = Expression::parse(text)?;
    let Some(atlas) = findings.atlas.as_deref() else {
        return Err(Error::Invalid("there are no embeddings to search by meaning yet; scan first".into()));
    };
    let loaded = question.setup.session.uses().loaded;
    let common = findings.class_vectors.as_ref().and_then(|vectors| vectors.common());
    let rendering = findings.manifest.rendering();
    let towers = question.reader.towers(Asking { loaded, common, rendering, slow, cut, unwanted });
    Direction::of(&expression, &findings.manifest, atlas, &towers).map(Some)
}

fn answer(
    question: &ListQuestion,
    direction: Option<Direction>,
    unwanted: Unwanted<'_>,
) -> crate::Result<ListResult> {
    let (state, decisions) = (&question.state, &question.decisions);
    let source = Source { direction: direction.as_ref(), ..state.source(decisions) };
    let sort = question.query.sort.clone();
    let Some(only) = &question.only else {
        let rows = query::select_unless(&source, &question.query, unwanted)?;
        return Ok(ListResult::new(rows, sort, direction));
    };
    let query = Query { all: true, ..question.query.clone() };
    let mut rows = query::select_unless(&source, &query, unwanted)?;
    rows.retain(|row| only.contains(row));
    Ok(ListResult::new(rows, sort, direction))
}
