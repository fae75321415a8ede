//! What else is known of the samples: columns of the dataset, and what other detectors said.
#![allow(unsafe_code)] // Calls the host's function table.

use super::{View, check};
use crate::abi::{Slice, Str};
use crate::{Error, Result};

impl<'h> View<'h> {
    /// A column of the dataset as text, empty where there is none. It must be one of [`Info::columns`](crate::Info::columns).
    ///
    /// # Errors
    /// When it was not declared, or the dataset does not have it (see [`Error::is_missing`]).
    pub fn column(&self, name: &str) -> Result<Vec<&'h str>> {
        let mut table = Slice::empty();
        // SAFETY: the table and the name outlive the call.
        check(self.host, unsafe { (self.host.column)(self.host.ctx, Str::new(name), &raw mut table) })?;
        // SAFETY: lent like the slice.
        Ok(self.each(table)?.iter().map(|text| unsafe { text.as_str() }).collect())
    }

    /// A column of the dataset as numbers, NaN where there is none.
    ///
    /// # Errors
    /// As for [`View::column`].
    pub fn column_numbers(&self, name: &str) -> Result<&'h [f64]> {
        let mut table = Slice::empty();
        // SAFETY: as above.
        check(self.host, unsafe {
            (self.host.column_numbers)(self.host.ctx, Str::new(name), &raw mut table)
        })?;
        self.each(table)
    }

    /// A column of the dataset as labels, such as those of another annotator: the class of this name for each sample,
    /// [`NO_LABEL`](crate::NO_LABEL) where it names none.
    ///
    /// # Errors
    /// As for [`View::column`].
    pub fn labels_of(&self, column: &str) -> Result<&'h [u32]> {
        let mut table = Slice::empty();
        // SAFETY: as above.
        check(self.host, unsafe { (self.host.labels_of)(self.host.ctx, Str::new(column), &raw mut table) })?;
        self.each(table)
    }

    /// The scores of another detector, NaN where it has none. It must be one of [`Info::after`](crate::Info::after).
    ///
    /// # Errors
    /// When it was not declared, or has no result (see [`Error::is_missing`]).
    pub fn scores_of(&self, detector: &str) -> Result<&'h [f32]> {
        let mut table = Slice::empty();
        // SAFETY: as above.
        check(self.host, unsafe {
            (self.host.scores_of)(self.host.ctx, Str::new(detector), &raw mut table)
        })?;
        self.each(table)
    }

    /// What was lent, of which there must be one for each sample.
    fn each<T>(&self, table: Slice<T>) -> Result<&'h [T]> {
        let lent = self.lent(table);
        if lent.len() == self.len() {
            return Ok(lent);
        }
        Err(Error::new(format!("the host lent {} values for {} samples", lent.len(), self.len())))
    }
}
