//! Runs queries on a separate thread; only the newest one is worth finishing.

use super::list_result::{LearnedOrder, ListResult};
use super::worker_queue::WorkerQueue;
use crate::answers::internal::Internal;
use crate::meaning::{Asking, Reader};
use crate::state::State;
use crate::{Error, Setup};
use chaffinch_compute::sorting::Unwanted;
use chaffinch_data::columns;
use chaffinch_data::journal::Decisions;
use chaffinch_protocol::{Query, Sort, Ticket};
use chaffinch_review::learned::Learned;
use chaffinch_review::meaning::{Direction, Expression};
use chaffinch_review::query::{self, Source};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use rayon::ThreadPool;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// After this long without a query, the user is no longer typing a filter.
const IDLE: Duration = Duration::from_secs(2);

/// A query with everything needed to answer it.
pub(crate) struct ListQuestion {
    pub(crate) ticket: Ticket,
    pub(crate) query: Query,
    pub(crate) state: Arc<State>,
    pub(crate) decisions: Decisions,
    /// Whether those of others are left out.
    pub(crate) blind: bool,
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

/// Threads for the lists of all terminals: a scan keeps the common ones busy for seconds, and terminals that come and go would
/// leave something of each of their threads behind.
fn pool() -> Option<&'static ThreadPool> {
    static POOL: OnceLock<Option<ThreadPool>> = OnceLock::new();
    let build = || {
        let threads = std::thread::available_parallelism().map_or(2, |count| count.get().min(8));
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().ok()
    };
    POOL.get_or_init(build).as_ref()
}

fn serve(inbox: &Receiver<ListQuestion>, number: u64, newest: &AtomicU64, internal: &Sender<Internal>) {
    let mut orders = Orders::default();
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
        let mut answer = |direction| answer(&question, direction, &mut orders, &unwanted);
        let answered = direction.and_then(|direction| match pool() {
            Some(pool) => pool.install(|| answer(direction)),
            None => answer(direction),
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

/// The orders that were learned for lists of a terminal, by the numbers that it gave them and by whether the review was blind then: the
/// same number is the same order, whatever was decided since.
#[derive(Default)]
struct Orders(BTreeMap<(u64, bool), Arc<Learned>>);

impl Orders {
    /// More are not needed: a terminal shows the newest.
    const KEPT: usize = 8;

    /// The order of a query, learned now if its number is new.
    fn of(&mut self, question: &ListQuestion, unwanted: Unwanted<'_>) -> crate::Result<Option<LearnedOrder>> {
        let Sort::Learned(number) = question.query.sort else { return Ok(None) };
        let blind = question.blind;
        if let Some(learned) = self.0.get(&(number, blind)) {
            return Ok(Some(LearnedOrder { learned: learned.clone(), blind }));
        }
        let evidence = question.state.source(&question.decisions).evidence();
        let learned = Arc::new(Learned::better(evidence, &question.decisions, unwanted)?);
        self.0.insert((number, blind), learned.clone());
        while self.0.len() > Orders::KEPT {
            self.0.pop_first();
        }
        Ok(Some(LearnedOrder { learned, blind }))
    }
}

fn answer(
    question: &ListQuestion,
    direction: Option<Direction>,
    orders: &mut Orders,
    unwanted: Unwanted<'_>,
) -> crate::Result<ListResult> {
    let (state, decisions) = (&question.state, &question.decisions);
    let order = orders.of(question, unwanted)?;
    let learned = order.as_ref().map(|order| &*order.learned);
    let source = Source { direction: direction.as_ref(), learned, ..state.source(decisions) };
    let all = question.query.all || question.only.is_some();
    let mut rows = query::select_unless(&source, &Query { all, ..question.query.clone() }, unwanted)?;
    if let Some(only) = &question.only {
        rows.retain(|row| only.contains(row));
    }
    Ok(ListResult::new(rows, question.query.sort.clone(), direction, order))
}
