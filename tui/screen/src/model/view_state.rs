//! Where the reviewer is, saved with the session and restored when it is opened again.

use super::Model;
use chaffinch_protocol::Query;
use chaffinch_protocol::sample::SampleId;
use serde::{Deserialize, Serialize};

/// What the session keeps between two runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ViewState {
    /// The list.
    pub query: Query,
    /// The row of the cursor.
    pub row: u64,
    /// The sample under the cursor, which wins over the row.
    pub sample: Option<SampleId>,
    /// The first row on the screen.
    pub top: u64,
    /// The chosen detector.
    pub detector: String,
    /// Classes used for relabeling, last used first.
    pub recent: Vec<String>,
    /// Whether deciding stays on the sample.
    pub stay: bool,
    /// Whether the list is shown as a grid.
    pub grid: bool,
    /// The grid's columns, where they were chosen.
    pub columns: Option<u16>,
    /// The recorded keys, written as in a keymap.
    pub keys: String,
    /// Tags of the reviewer's own that were used, last used first.
    pub tags: Vec<String>,
}

impl Model {
    /// What a later run needs to return to this point.
    pub fn view_state(&self) -> ViewState {
        let mut state = ViewState {
            query: self.views.borrowed.as_ref().map_or(&self.list.query, |(_, query)| query).clone(),
            row: self.list.cursor,
            sample: self.sample(),
            top: self.list.top,
            detector: self.chosen_name().unwrap_or_default().to_owned(),
            recent: self.review.recent.clone(),
            stay: !self.review.advance,
            grid: false,
            columns: None,
            keys: crate::key::notation(&self.macros.last),
            tags: self.review.tags.clone(),
        };
        for page in self.views.all {
            page.remember(self, &mut state);
        }
        state
    }
}
