//! The protocol between the interface and the engine: commands in, events out.
//!
//! Everything here is plain serializable data, so that the same messages work over a channel inside one program and
//! over a socket between two. A client computes no score; it asks for windows of rows and for the details of one
//! sample, and shows them. Queries and pictures carry a ticket, so that a late answer to an old request can be
//! recognized and dropped.
//!
//! Its tests alone: `cargo test --release -p chaffinch-protocol`.

mod attach;
mod command;
pub mod dataset;
pub mod decision;
mod detectors;
pub mod display;
pub mod ensemble;
mod event;
pub mod ledger;
mod output;
mod overview;
mod prompts;
mod query;
mod row;
pub mod sample;
pub mod search;
mod share;
mod ticket;
mod views;

pub use attach::{Attached, BlindWish, Elsewhere, How, Join};
pub use command::{Command, PROTOCOL_VERSION};
pub use detectors::{BUSY, ChangedDetector, Compared, DetectorAbout, DetectorState, STOPPED, Tried};
pub use ensemble::EnsembleRule;
pub use event::{
    Blind, DetectorSummary, Event, Picture, Progress, Saved, SavedKind, ScanReport, SessionSummary,
};
pub use ledger::{Doubt, Ledger, Remark, RemarkKind};
pub use output::{
    OutputChoice, OutputCommand, OutputEvent, OutputField, OutputForm, OutputKind, OutputLine, OutputMark,
};
pub use overview::{
    BINS, ClassReview, Confused, DetectorForm, DetectorReview, Expected, FormKind, FormParam, Histogram,
    Overview, Overviewed, PastDecision, PromptSheet, Proposal, Statistics, edge,
};
pub use prompts::{ClassWords, PromptTally, PromptWords, PromptsSet, SpokenClass, TEMPERATURE};
pub use query::{ListCounts, Query, Sort};
pub use row::{
    Candidate, Detail, DetailAttribute, DetailEntry, DetailIssue, DetailRegion, DetailRelated, ListedRow, Row,
};
pub use share::Share;
pub use ticket::Ticket;
pub use views::{
    Area, Axes, ClusterView, GroupBest, GroupMember, GroupView, Likeness, MapPoint, MapView, ViewCommand,
    ViewEvent,
};
