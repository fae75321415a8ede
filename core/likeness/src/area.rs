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
        let places: Vec<(usize, f32)> = across.iter().map(|&x| place(x)).collect();
        let mut means = Vec::with_capacity(across.len() * down.len());
        let (mut above, mut below) = (Vec::with_capacity(across.len()), Vec::with_capacity(across.len()));
        for (number, &y) in down.iter().enumerate() {
            std::mem::swap(&mut above, &mut below);
            self.sums(&places, y, &mut below);
            let Some(height) = number.checked_sub(1).map(|above| y - down[above]) else { continue };
            for (at, x) in across.windows(2).enumerate() {
                let sum = below[at + 1] - above[at + 1] - below[at] + above[at];
                means.push(sum / ((x[1] - x[0]) * height * (SIDE * SIDE) as f32));
            }
        }
        means
    }

    /// The sums from the first cell to places on one line. Within a cell, gray is taken as flat.
    fn sums(&self, places: &[(usize, f32)], y: f32, sums: &mut Vec<f32>) {
        let (row, down) = place(y);
        let (upper, lower) = self.0[row * CORNERS..(row + 2) * CORNERS].split_at(CORNERS);
        sums.clear();
        sums.extend(places.iter().map(|&(column, right)| {
            let above = upper[column] + (upper[column + 1] - upper[column]) * right;
            let under = lower[column] + (lower[column + 1] - lower[column]) * right;
            above + (under - above) * down
        }));
    }
}

/// The cell of a share of a side, and how far into the cell it is.
fn place(share: f32) -> (usize, f32) {
    let place = share.clamp(0.0, 1.0) * SIDE as f32;
    let cell = (place as usize).min(SIDE - 1);
    (cell, place - cell as f32)
}
