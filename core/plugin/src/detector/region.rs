//! A part of a picture that matters.

use crate::abi::{RegionRecord, Str};

/// A box in a picture, in fractions of its width and height from the left and the top. It is drawn over the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region<'a> {
    /// The left edge, 0 to 1.
    pub left: f32,
    /// The top edge, 0 to 1.
    pub top: f32,
    /// The right edge, more than the left one.
    pub right: f32,
    /// The bottom edge, more than the top one.
    pub bottom: f32,
    /// What is there, in a word or two, or empty.
    pub label: &'a str,
}

impl<'a> Region<'a> {
    /// A box without a label, from its left, top, right and bottom edges.
    pub fn new(left: f32, top: f32, right: f32, bottom: f32) -> Region<'a> {
        Region { left, top, right, bottom, label: "" }
    }

    /// Adds what is there.
    #[must_use]
    pub fn label(mut self, label: &'a str) -> Region<'a> {
        self.label = label;
        self
    }

    pub(crate) fn record(&self) -> RegionRecord {
        let Region { left, top, right, bottom, label } = *self;
        RegionRecord { left, top, right, bottom, label: Str::new(label) }
    }
}
