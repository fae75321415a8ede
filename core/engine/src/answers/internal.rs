//! What the engine's own threads tell its loop.

use crate::answers::list_result::ListResult;
use crate::findings::Findings;
use chaffinch_protocol::{ScanReport, Ticket};
use std::sync::Arc;

/// What the engine's own threads say to the loop.
pub(crate) enum Internal {
    Published(Box<Findings>),
    ScanDone(Box<(ScanReport, Findings)>),
    Listed(Ticket, Arc<ListResult>),
    ListFailed(String),
}
