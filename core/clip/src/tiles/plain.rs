//! Fallback for CPUs without AMX.

use super::{Block, ROWS, SIDE, Tile};

/// AMX is never available here.
pub fn available() -> bool {
    false
}

/// `out` = the product of a block of rows and a block of columns, each as pairs of tiles, step by step.
pub(super) fn block(left: &[Tile], right: &[Tile], out: &mut Block) {
    out.0.fill(0.0);
    for (left, right) in left.chunks_exact(2).zip(right.chunks_exact(2)) {
        for (index, sum) in out.0.iter_mut().enumerate() {
            let (row, column) = (index / SIDE, index % SIDE);
            let (left, right) = (&left[row / ROWS].0, &right[column / ROWS].0);
            for number in 0..SIDE {
                let other = right[number / 2 * SIDE + column % ROWS * 2 + number % 2];
                *sum += left[row % ROWS * SIDE + number].to_f32() * other.to_f32();
            }
        }
    }
}
