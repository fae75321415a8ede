//! Which rows a search finds.

use super::{Hits, Model};
use crate::text;
use chaffinch_protocol::Row;

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
        !self.list.search.is_empty() && self.has_text(row, &self.list.search.to_lowercase())
    }

    /// Whether a row has this text, in small letters, in its path or its labels.
    pub fn has_text(&self, row: &Row, wanted: &str) -> bool {
        // A leading tilde makes it fuzzy: the letters in order, with others in between.
        if let Some(loose) = wanted.strip_prefix('~').filter(|loose| !loose.is_empty()) {
            return crate::fuzzy::matches(loose, &row.path)
                || self.class(row.label).is_some_and(|name| crate::fuzzy::matches(loose, name));
        }
        let has = |name: &str| name.to_lowercase().contains(wanted);
        has(&row.path) || self.class(row.label).is_some_and(has) || self.class(row.suggested).is_some_and(has)
    }
}
