//! A result's columns before conversion to Arrow.

/// The value for "none" in a column of numbers.
pub(super) const NONE: u32 = u32::MAX;

/// Plain columns to be converted to Arrow.
pub(super) struct PlainColumns {
    pub(super) suggested: Vec<u32>,
    pub(super) group: Vec<u32>,
    pub(super) related: Vec<u32>,
    pub(super) similarity: Vec<f32>,
    pub(super) related_offsets: Vec<i64>,
    pub(super) reasons: String,
    pub(super) reason_offsets: Vec<i64>,
}

impl PlainColumns {
    pub(super) fn new(count: usize) -> PlainColumns {
        let mut columns = PlainColumns {
            suggested: vec![NONE; count],
            group: vec![NONE; count],
            related: Vec::new(),
            similarity: Vec::new(),
            related_offsets: Vec::with_capacity(count + 1),
            reasons: String::new(),
            reason_offsets: Vec::with_capacity(count + 1),
        };
        columns.related_offsets.push(0);
        columns.reason_offsets.push(0);
        columns
    }

    /// Ends the lists of all rows before `row`.
    pub(super) fn fill_to(&mut self, next: &mut usize, row: usize) {
        while *next < row {
            self.related_offsets.push(self.related.len() as i64);
            self.reason_offsets.push(self.reasons.len() as i64);
            *next += 1;
        }
    }
}
