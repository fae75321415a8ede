//! Columns of a table of labels that may name the images, compared.

use super::ways::{By, Way};
use crate::ends::Place;
use crate::text::Sheet;

/// A column that may name the images.
pub(super) struct Candidate {
    pub(super) column: usize,
    pub(super) way: Way,
}

impl Candidate {
    /// Whether most rows name an image each.
    pub(super) fn joins(&self, sheet: &Sheet) -> bool {
        self.way.found > 0 && self.way.found * 2 >= sheet.len()
    }

    /// Whether every row that names an image names one of its own, and no fewer than another column does.
    pub(super) fn is_surer(&self, other: &Candidate) -> bool {
        let unclear = |place: &Place| matches!(place, Place::Again(_) | Place::Several);
        !self.way.places.iter().any(unclear) && self.way.found >= other.way.found
    }

    /// Whether it may as well count something else.
    pub(super) fn is_weak(&self, sheet: &Sheet) -> bool {
        let is_number = |row| sheet.text(row, self.column).parse::<f64>().is_ok();
        !self.way.is_shared && (self.way.by == By::Number || (0..sheet.len()).all(is_number))
    }
}
