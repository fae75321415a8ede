//! What the interface and the engine say to each other: commands in, events out.
//!
//! Everything here is plain serialisable data, so that the same messages pass over a channel inside one program and
//! over a socket between two. A client never sees a score being computed; it asks for windows of rows and for the
//! details of one sample, and shows them. Queries and pictures carry a ticket, so that a late answer to an old
//! question can be told from the current one and dropped.
//!
//! Its tests alone: `cargo test --release -p chaffinch-protocol`.

mod command;
pub mod decision;
pub mod display;
pub mod ensemble;
mod event;
mod overview;
mod query;
mod row;
pub mod sample;
mod ticket;
mod views;

pub use command::{Command, PROTOCOL_VERSION};
pub use ensemble::EnsembleRule;
pub use event::{DetectorSummary, Event, Picture, Progress, Saved, SavedKind, ScanReport, SessionSummary};
pub use overview::{
    BINS, Confused, DetectorForm, DetectorReview, FormKind, FormParam, Histogram, Overview, Overviewed,
    Statistics, edge,
};
pub use query::{Query, Sort};
pub use row::{Candidate, Detail, DetailIssue, DetailRelated, Row};
pub use ticket::Ticket;
pub use views::{Area, Axes, ClusterView, GroupMember, GroupView, MapPoint, MapView, ViewCommand, ViewEvent};
