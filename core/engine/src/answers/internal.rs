//! Messages from the engine's own threads to its loop.

use crate::answers::list_result::ListResult;
use crate::findings::Findings;
use crate::scan::Done;
use chaffinch_host::Registry;
use chaffinch_protocol::{Event, OutputEvent, Ticket};
use std::sync::Arc;

/// A message from one of the engine's own threads to its loop.
pub(crate) enum Internal {
    Published(Box<Findings>),
    ScanDone(Box<Done>),
    /// For the terminal with this number, like those below that name one.
    Output(u64, Box<OutputEvent>),
    /// The detectors were loaded anew, and these are to run.
    Loaded(Arc<Registry>, Vec<String>),
    /// A detector was not let in, and why.
    NotLetIn(u64, String),
    Listed(u64, Ticket, Arc<ListResult>),
    /// A list takes longer, and why.
    Delayed(u64, Ticket, String),
    /// The model reads only the beginning of a text that a terminal searches by.
    Cut(u64, String),
    ListFailed(u64, Ticket, chaffinch_data::Error),
    /// What decisions teach, and whether those of others were left out.
    Learned(u64, bool, Box<Event>),
}
