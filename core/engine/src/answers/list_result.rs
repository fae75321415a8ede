//! The rows that match a query, in order.

use chaffinch_data::journal::Decisions;
use chaffinch_protocol::Sort;
use chaffinch_protocol::sample::SampleId;
use chaffinch_review::learned::Learned;
use chaffinch_review::meaning::Direction;
use std::sync::{Arc, OnceLock};

/// An order that was learned from decisions, for one reviewer.
#[derive(Clone)]
pub(crate) struct LearnedOrder {
    pub(crate) learned: Arc<Learned>,
    /// Whether what others decided was left out.
    pub(crate) blind: bool,
}

/// A finished list.
pub(crate) struct ListResult {
    pub(crate) rows: Vec<u32>,
    /// Their order.
    pub(crate) sort: Sort,
    /// Where it points, if it is ordered by meaning.
    pub(crate) direction: Option<Direction>,
    /// What it was learned from, if it was.
    pub(crate) learned: Option<LearnedOrder>,
    /// A bit for each sample of the dataset that has a row, made when it is first needed.
    members: OnceLock<Vec<u64>>,
}

impl ListResult {
    pub(crate) fn new(
        rows: Vec<u32>,
        sort: Sort,
        direction: Option<Direction>,
        learned: Option<LearnedOrder>,
    ) -> ListResult {
        ListResult { rows, sort, direction, learned, members: OnceLock::new() }
    }

    /// Whether it has a row of the sample, in a dataset of this many.
    pub(crate) fn has(&self, id: SampleId, count: usize) -> bool {
        let members = self.members.get_or_init(|| {
            let mut bits = vec![0_u64; count.div_ceil(64)];
            for &row in &self.rows {
                if let Some(word) = bits.get_mut(row as usize / 64) {
                    *word |= 1 << (row % 64);
                }
            }
            bits
        });
        members.get(id.index() / 64).is_some_and(|word| word >> (id.0 % 64) & 1 == 1)
    }

    /// Rows with a keep, remove, relabel or unsure decision, in this order.
    pub(crate) fn count(&self, decisions: &Decisions, count: usize) -> [u64; 4] {
        if self.rows.len() == count {
            return decisions.by_choice();
        }
        let mut by_choice = [0; 4];
        if decisions.decided() > 0 {
            for (_, decision) in decisions.iter().filter(|(id, _)| self.has(*id, count)) {
                by_choice[decision.choice.index()] += 1;
            }
        }
        by_choice
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_those_with_a_row() {
        let list = ListResult::new(vec![129, 0, 64], Sort::Rank, None, None);
        let members: Vec<u32> = (0..200).filter(|row| list.has(SampleId(*row), 130)).collect();
        assert_eq!(members, [0, 64, 129]);
        assert_eq!(list.count(&Decisions::default(), 130), [0; 4]);
    }
}
