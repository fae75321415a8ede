//! Which rows a search finds.

use super::{Hits, Model};
use crate::text;
use chaffinch_protocol::Row;
use chaffinch_protocol::search::SearchText;

impl Hits {
    /// Which of how many it is.
    pub fn words(&self) -> String {
        match self.total {
            0 => "no match".to_owned(),
            total => format!("{} of {}", text::count(self.place), text::count(total)),
        }
    }
}

impl Model {
    /// Whether a row has what was searched for.
    pub fn hit(&self, row: &Row) -> bool {
        let Some(text) = SearchText::new(&self.list.search) else { return false };
        let named = |class| self.class(class).is_some_and(|name| text.is_in(name));
        text.is_in(&row.path) || named(row.label) || named(row.suggested)
    }
}
