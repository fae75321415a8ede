//! Reports of a session: what was found, what was decided, what is left.
//!
//! - `subject` is what a report is about, `facts` is what it says, `counts` are its numbers by name, and `whole` is what is wrong with the dataset as a whole.
//! - `gate` compares counts with limits, which are decimal numbers as they are written (`limit`).
//! - `format` is the table of formats, one file each: `html`, `markdown`, `json`, `card`.
//! - `plots` are drawings as SVG, which any format can use, and `drawn` says which a session has; `words` are sentences; `thumbnails` are the pictures of suspects.
//!
//! Nothing here depends on the time or on the machine: the same session gives the same bytes.
//!
//! Its tests alone: `cargo test --release -p chaffinch-report`.
//!
//! # How to add a format
//!
//! 1. Write `src/NAME.rs` with `pub(crate) const FORMAT: Format`, as in `json.rs`.
//! 2. Add `mod NAME;` below.
//! 3. Add `NAME::FORMAT,` to [`FORMATS`]; its position there is its position in the help.

mod card;
mod counts;
mod drawn;
mod facts;
mod format;
mod gate;
mod html;
mod json;
mod limit;
mod markdown;
mod plots;
mod subject;
mod suspects;
mod thumbnails;
mod whole;
mod words;

pub use chaffinch_data::{Error, Result};
pub use counts::{Count, counts};
pub use facts::{Facts, SCHEMA};
pub use format::{Format, Preview, Request, Written};
pub use gate::{Gate, Judged, Known, judge};
pub use subject::{About, Subject};
pub use whole::{Whole, WholeFinding, WholeKind};

/// All formats, in the order of the help.
pub const FORMATS: &[Format] = &[html::FORMAT, markdown::FORMAT, json::FORMAT, card::FORMAT];
