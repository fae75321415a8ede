//! Messages from the engine's own threads to its loop.

use crate::answers::list_result::ListResult;
use crate::findings::Findings;
use chaffinch_protocol::{OutputEvent, ScanReport, Ticket};
use std::sync::Arc;

/// A message from one of the engine's own threads to its loop.
pub(crate) enum Internal {
    Published(Box<Findings>),
    ScanDone(Box<(ScanReport, Findings)>),
    Output(Box<OutputEvent>),
    Listed(Ticket, Arc<ListResult>),
    ListFailed(Ticket, chaffinch_data::Error),
}
