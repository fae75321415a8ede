//! The list as a whole: what is listed, where the cursor is, and any walk over it.

use super::{Learning, RowCache};
use crate::action::Action;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{DetectorSummary, EnsembleRule, Query, Sort, Ticket};

/// The list that is shown.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// The ticket of what is shown; 0 before the first answer.
    pub ticket: Ticket,
    /// The last ticket given out.
    pub last_ticket: Ticket,
    /// The last query, shown or pending.
    pub query: Query,
    /// What is shown.
    pub shown: Query,
    /// The rule and the detectors that the engine has last ranked the samples by.
    pub ranked: Option<(EnsembleRule, Vec<DetectorSummary>)>,
    /// Rows in it.
    pub total: u64,
    /// How many of them have a decision.
    pub decided: u64,
    /// Rows with a keep, remove, relabel, unsure decision.
    pub by_choice: [u64; 4],
    /// The row of the cursor.
    pub cursor: u64,
    /// Whether the reviewer has chosen where the cursor is; until then it is on the first row, whichever that is.
    pub placed: bool,
    /// When the sample under the cursor was last replaced by another without a key.
    pub changed_at: Option<u64>,
    /// The first row on the screen.
    pub top: u64,
    /// The next list, until enough of it has arrived to be shown at once.
    pub incoming: Option<Incoming>,
    /// Set while the cursor waits for the engine to find an undecided row, forward or backward.
    pub finding: Option<bool>,
    /// A sample to go to once the engine has reported its row.
    pub locating: Option<SampleId>,
    /// The path of the sample that the cursor was on when samples got other numbers.
    pub sought: Option<String>,
    /// Whether the list on its way is the first with these numbers: what is typed until it is there is about nothing in it.
    pub renumbered: bool,
    /// Whether the page over the list is left when it is there: for a sample that the list does not have, it stays.
    pub leaves: bool,
    /// The rows that are near the cursor.
    pub rows: RowCache,
    /// The last search.
    pub search: String,
    /// What it found.
    pub hits: Option<Hits>,
    /// The question about the search that is not answered yet: its ticket, and the text.
    pub searching: Option<(Ticket, String)>,
    /// A search or a collection of rows in progress.
    pub walk: Option<Walk>,
    /// The order that decisions teach.
    pub learning: Learning,
}

/// The rows that have what was searched for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hits {
    /// The text.
    pub text: String,
    /// The number of the one under the cursor, from 1; 0 if there is none.
    pub place: u64,
    /// How many there are.
    pub total: u64,
}

/// Where the cursor goes in a new list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// To the first row.
    Top,
    /// To its current sample, wherever that is then.
    Stay,
    /// To this sample, else to this row.
    Position(Option<SampleId>, u64),
}

/// A list that was requested and is not shown yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Incoming {
    /// Its ticket.
    pub ticket: Ticket,
    /// Where the cursor goes.
    pub anchor: Anchor,
    /// Whether a key asked for it: keys typed since then mean its rows.
    pub keyed: bool,
    /// The sample that was looked for in it, where the cursor stays on its sample.
    pub here: Option<SampleId>,
    /// Once it is shown, the cursor goes to the next undecided row, forward or backward.
    pub find: Option<bool>,
    /// The counts, once it is ready: rows, decided, by choice.
    pub counts: Option<(u64, u64, [u64; 4])>,
    /// The row of the cursor, once it is known.
    pub cursor: Option<u64>,
    /// What its order was learned from, if it was.
    pub note: String,
    /// Why it takes longer, if the engine has said so.
    pub delayed: Option<String>,
}

/// What a walk over the rows is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Stops at the first row of another class than this one.
    Class(Option<u32>),
    /// Collects all samples up to and including a row.
    Gather {
        /// The last row.
        to: u64,
        /// What was collected.
        samples: Vec<SampleId>,
        /// What follows.
        then: Then,
    },
}

/// What follows when rows have been collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// They are marked.
    Mark,
    /// They are marked, and then this is done.
    Do(Action),
}

/// A walk over more rows than are cached, window by window, without keeping them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    /// What for.
    pub purpose: Purpose,
    /// The next row to look at.
    pub next: u64,
    /// Down or up.
    pub forward: bool,
    /// The first row of the window that was asked for.
    pub awaiting: Option<u64>,
}

/// The name of a sort order.
pub fn sort_name(sort: &Sort) -> &str {
    match sort {
        Sort::Rank => "rank",
        Sort::Detector(name) => name,
        Sort::Class => "class",
        Sort::Path => "path",
        Sort::Random => "random",
        Sort::Uncertain => "uncertain",
        Sort::Diverse => "diverse",
        Sort::Clusters => "clusters",
        Sort::Learned(_) => "learned order",
        Sort::Group => "group",
        Sort::Attribute(name) => name,
        Sort::Meaning(text) => text,
    }
}

impl List {
    /// Moves the cursor, keeping it inside the list, and moves the window so that it contains the cursor. If the
    /// cursor leaves the window, the window jumps by most of a page: over a slow link one jump costs less than
    /// scrolling line by line.
    pub fn go(&mut self, row: u64, height: u64) {
        self.cursor = row.min(self.total.saturating_sub(1));
        self.reveal(height);
    }

    /// Moves the window so that it contains the cursor.
    pub fn reveal(&mut self, height: u64) {
        let height = height.max(1);
        let lead = height / 4;
        if self.cursor < self.top {
            self.top = (self.cursor + lead + 1).saturating_sub(height);
        } else if self.cursor >= self.top + height {
            self.top = self.cursor - lead;
        }
        self.top = self.top.min(self.total.saturating_sub(height));
    }
}

#[cfg(test)]
mod tests {
    use super::List;

    #[test]
    fn the_cursor_is_always_in_the_window() {
        let mut list = List { total: 10_000_000, ..List::default() };
        for (step, height) in [(1, 20), (7, 20), (9_999_999, 20), (3, 1), (500, 33), (0, 20), (10_000_000, 5)]
        {
            list.go(step, height);
            assert!(list.cursor >= list.top && list.cursor < list.top + height);
            assert!(list.top + height <= list.total);
        }
        let mut short = List { total: 3, ..List::default() };
        short.go(99, 20);
        assert_eq!((short.cursor, short.top), (2, 0));
        let mut empty = List::default();
        empty.go(5, 20);
        assert_eq!((empty.cursor, empty.top), (0, 0));
    }
}
