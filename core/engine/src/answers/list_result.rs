//! The rows that match a query, in order.

use chaffinch_protocol::sample::SampleId;

/// A finished list.
pub(crate) struct ListResult {
    pub(crate) rows: Vec<u32>,
    pub(crate) by_choice: [u64; 4],
}

impl ListResult {
    /// The row of a sample.
    pub(crate) fn position(&self, id: SampleId) -> Option<u64> {
        self.rows.iter().position(|&row| row == id.0).map(|index| index as u64)
    }

    /// The next row after `from` (or the previous one before it) that `wanted` accepts.
    pub(crate) fn find(&self, from: u64, forward: bool, wanted: impl Fn(SampleId) -> bool) -> Option<u64> {
        let from = usize::try_from(from).ok()?.min(self.rows.len());
        let index = if forward {
            let start = (from + 1).min(self.rows.len());
            self.rows[start..].iter().position(|&row| wanted(SampleId(row))).map(|offset| start + offset)
        } else {
            self.rows[..from].iter().rposition(|&row| wanted(SampleId(row)))
        };
        index.map(|index| index as u64)
    }
}
