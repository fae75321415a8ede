//! Messages from the engine's own threads to its loop.

use crate::answers::list_result::ListResult;
use crate::findings::Findings;
use crate::scan::Done;
use chaffinch_host::Registry;
use chaffinch_protocol::{OutputEvent, Ticket};
use std::sync::Arc;

/// A message from one of the engine's own threads to its loop.
pub(crate) enum Internal {
    Published(Box<Findings>),
    ScanDone(Box<Done>),
    Output(Box<OutputEvent>),
    /// The detectors were loaded anew, and these are to run.
    Loaded(Arc<Registry>, Vec<String>),
    /// A detector was not let in, and why.
    NotLetIn(String),
    Listed(Ticket, Arc<ListResult>),
    ListFailed(Ticket, chaffinch_data::Error),
}
