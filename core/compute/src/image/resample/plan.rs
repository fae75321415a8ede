//! A resampling as steps for a device: the same sums as on the processor, wherever they are computed.

use super::{Filter, Size, Taps, Window, inside, vertical_first};

/// How a device makes a [`Window`] of a resized picture: passes over bytes, one after the other, and what of their result it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The first reads the picture, row by row in RGB.
    pub passes: Vec<Pass>,
    /// Pixels of a row of the last result, or of the picture if there is no pass.
    pub stride: u32,
    /// Columns left of the window there.
    pub left: u32,
    /// Rows above it there.
    pub top: u32,
}

/// Sums along one direction. The input is `outer` parts of `length` positions of `inner` bytes, behind `skipped` bytes; the result
/// as many parts of as many positions as there are `starts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// Bytes in front of what is read.
    pub skipped: usize,
    /// Parts.
    pub outer: u32,
    /// Positions of a part of the input.
    pub length: u32,
    /// Bytes of a position.
    pub inner: u32,
    /// For each position of the result, the first one of the input that counts.
    pub starts: Vec<u32>,
    /// How many count.
    pub counts: Vec<u32>,
    /// Their weights, `longest` for each position. A byte is the sum of products from [`Pass::HALF`] on, which wraps around, divided by
    /// two to the power of [`Pass::BITS`], and at least 0 and at most 255.
    pub weights: Vec<i32>,
    /// Weights of a position, of which the first ones count.
    pub longest: u32,
}

impl Pass {
    /// Bits of the fraction of weights.
    pub const BITS: u32 = super::PRECISION_BITS;
    /// One half.
    pub const HALF: i32 = super::HALF;

    /// Bytes of the result.
    pub fn len(&self) -> usize {
        self.outer as usize * self.starts.len() * self.inner as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Along a direction with those weights; positions are counted from `first`.
    fn along(taps: &Taps, first: usize, skipped: usize, outer: usize, length: usize, inner: usize) -> Pass {
        Pass {
            skipped,
            outer: outer as u32,
            length: length as u32,
            inner: inner as u32,
            starts: taps.starts.iter().map(|start| (start - first) as u32).collect(),
            counts: taps.counts.iter().map(|&count| count as u32).collect(),
            weights: taps.weights.clone(),
            longest: taps.longest as u32,
        }
    }
}

/// The plan for what [`super::resize_window`] does with a picture of size `from`; `None` if its result is black.
pub fn plan(from: (u32, u32), width: u32, height: u32, window: Window, filter: Filter) -> Option<Plan> {
    const CHANNELS: usize = 3;
    let size = Size { from, to: (width, height) };
    if !inside(size, window) || from.0 == 0 || from.1 == 0 || window.width == 0 || window.height == 0 {
        return None;
    }
    let columns = Taps::of(from.0, width, window.left, window.width, filter);
    let rows = Taps::of(from.1, height, window.top, window.height, filter);
    let (wide, high) = (from.0 as usize, from.1 as usize);
    let (same_width, same_height) = (from.0 == width, from.1 == height);
    if !same_width && vertical_first(size) {
        let first = Pass::along(&rows, 0, 0, 1, high, wide * CHANNELS);
        let second = Pass::along(&columns, 0, 0, window.height as usize, wide, CHANNELS);
        return Some(Plan { passes: vec![first, second], stride: window.width, left: 0, top: 0 });
    }
    let mut plan = Plan { passes: Vec::new(), stride: from.0, left: window.left, top: window.top };
    let mut read = 0..high;
    if !same_width {
        // Only the rows that the other pass will read.
        let (first, last) = if same_height {
            (window.top as usize, (window.top + window.height) as usize)
        } else {
            rows.range()
        };
        read = first..last;
        let skipped = first * wide * CHANNELS;
        plan.passes.push(Pass::along(&columns, 0, skipped, read.len(), wide, CHANNELS));
        plan = Plan { stride: window.width, left: 0, top: 0, ..plan };
    }
    if !same_height {
        let inner = plan.stride as usize * CHANNELS;
        plan.passes.push(Pass::along(&rows, read.start, 0, 1, read.len(), inner));
        plan.top = 0;
    }
    Some(plan)
}
