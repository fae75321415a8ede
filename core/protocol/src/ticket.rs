//! Telling a late answer from the current one.

/// Identifies a request, so that its answer can be told from a later one's.
pub type Ticket = u64;
