//! Means over any part of a picture.

use crate::sketch::{Read, SIDE};
use crate::spectrum::Window;
use crate::turn;

/// Sums of gray from the first cell to each corner of the cells.
pub(crate) struct Area(Vec<f32>);

const CORNERS: usize = SIDE + 1;

impl Area {
    /// Of a picture seen through a turn.
    pub(crate) fn new(picture: &Read<'_>, turn: u8) -> Area {
        let mut sums = vec![0.0; CORNERS * CORNERS];
        for y in 0..SIDE {
            let mut row = 0.0;
            for x in 0..SIDE {
                let (u, v) = turn::cell(turn, (x, y), SIDE);
                row += f32::from(picture.cells()[v * SIDE + u]);
                sums[(y + 1) * CORNERS + x + 1] = sums[y * CORNERS + x + 1] + row;
            }
        }
        Area(sums)
    }

    /// The means of `side` x `side` cells of a window, row by row.
    pub(crate) fn cells(&self, window: Window, side: usize) -> Vec<f32> {
        let corners = |span: (f32, f32)| -> Vec<f32> {
            (0..=side).map(|corner| span.0 + (span.1 - span.0) * corner as f32 / side as f32).collect()
        };
        self.between(&corners(window.across), &corners(window.down))
    }

    /// The means between the corners of a grid (shares of the sides), row by row.
    pub(crate) fn between(&self, across: &[f32], down: &[f32]) -> Vec<f32> {
        let sums: Vec<Vec<f32>> = down
            .iter()
            .map(|&y| across.iter().map(|&x| self.sum(x * SIDE as f32, y * SIDE as f32)).collect())
            .collect();
        let mut means = Vec::with_capacity(sums.len() * across.len());
        for (rows, y) in sums.windows(2).zip(down.windows(2)) {
            for (at, x) in across.windows(2).enumerate() {
                let sum = rows[1][at + 1] - rows[0][at + 1] - rows[1][at] + rows[0][at];
                means.push(sum / ((x[1] - x[0]) * (y[1] - y[0]) * (SIDE * SIDE) as f32));
            }
        }
        means
    }

    /// The sum from the first cell to a place, in cells. Within a cell, gray is taken as flat.
    fn sum(&self, x: f32, y: f32) -> f32 {
        let (x, y) = (x.clamp(0.0, SIDE as f32), y.clamp(0.0, SIDE as f32));
        let (column, row) = ((x as usize).min(SIDE - 1), (y as usize).min(SIDE - 1));
        let (right, below) = (x - column as f32, y - row as f32);
        let at = row * CORNERS + column;
        let above = self.0[at] + (self.0[at + 1] - self.0[at]) * right;
        let under = self.0[at + CORNERS] + (self.0[at + CORNERS + 1] - self.0[at + CORNERS]) * right;
        above + (under - above) * below
    }
}
