//! What each part of a picture adds to its likeness with a text.

use crate::Result;
use chaffinch_compute::embedding::{Embedder, Parts};
use chaffinch_compute::image::RgbImage;

/// Cells of at least this share of the largest relevance are where the relevance lies.
const STRONG: f32 = 0.5;

/// What each part of a picture adds to its likeness with a text, as a grid over what the model saw of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// Cells from top to bottom.
    pub rows: usize,
    /// Cells from left to right.
    pub columns: usize,
    /// A number for each cell, row by row; 0 where the picture speaks against the text.
    pub values: Vec<f32>,
    /// What the grid covers of the picture: left, top, right and bottom as shares of its sides. It may be more than all of it.
    pub seen: [f32; 4],
}

/// Maps of a picture for some directions, such as the vectors of texts.
///
/// # Errors
/// When the model cannot say it, or its device fails.
pub fn explain(
    embedder: &dyn Embedder,
    picture: &RgbImage,
    directions: &[impl AsRef<[f32]>],
) -> Result<Vec<Map>> {
    let parts = embedder.parts(&embedder.preprocess(picture))?;
    let seen = embedder.seen(picture.width(), picture.height());
    Ok(directions.iter().map(|direction| Map::of(&parts, direction.as_ref(), seen)).collect())
}

impl Map {
    /// The products of the parts with a direction, of which only those count that speak for it.
    ///
    /// Source: R. R. Selvaraju et al., ICCV 2017, "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization".
    pub fn of(parts: &Parts, direction: &[f32], seen: [f32; 4]) -> Map {
        let product = |part: &[f32]| part.iter().zip(direction).map(|(a, b)| a * b).sum::<f32>().max(0.0);
        let values = parts.vectors.chunks_exact(direction.len().max(1)).map(product).collect();
        Map { rows: parts.rows, columns: parts.columns, values, seen }
    }

    /// The largest relevance; 0 if no part speaks for the text.
    pub fn largest(&self) -> f32 {
        self.values.iter().copied().fold(0.0, f32::max)
    }

    /// The relevance of a cell as a share of the largest one, from 0 to 1.
    pub fn share(&self, row: usize, column: usize) -> f32 {
        let largest = self.largest();
        let value = self.values.get(row * self.columns + column).copied().unwrap_or(0.0);
        if largest > 0.0 { (value / largest).clamp(0.0, 1.0) } else { 0.0 }
    }

    /// The rectangle of a cell: left, top, right and bottom as shares of the picture's sides.
    pub fn cell(&self, row: usize, column: usize) -> [f32; 4] {
        let [left, top, right, bottom] = self.seen;
        let (wide, high) = ((right - left) / self.columns as f32, (bottom - top) / self.rows as f32);
        let (x, y) = (left + column as f32 * wide, top + row as f32 * high);
        [x, y, x + wide, y + high]
    }

    /// The same for a part of the picture: the sizes of whole and part in pixels, and the part's upper left corner in the whole.
    pub fn within(&self, whole: (u32, u32), corner: (u32, u32), part: (u32, u32)) -> Map {
        let along = |place: f32, whole: u32, corner: u32, part: u32| {
            (place * whole as f32 - corner as f32) / part.max(1) as f32
        };
        let [left, top, right, bottom] = self.seen;
        let x = |place| along(place, whole.0, corner.0, part.0);
        let y = |place| along(place, whole.1, corner.1, part.1);
        Map { seen: [x(left), y(top), x(right), y(bottom)], ..self.clone() }
    }

    /// Where in the picture most of the relevance lies, in words; `None` if no part speaks for the text.
    pub fn place(&self) -> Option<&'static str> {
        let (mut x, mut y, mut all) = (0.0, 0.0, 0.0);
        for (row, column) in (0..self.rows).flat_map(|row| (0..self.columns).map(move |column| (row, column)))
        {
            let share = self.share(row, column);
            if share >= STRONG {
                let [left, top, right, bottom] = self.cell(row, column);
                x += share * (left + right) / 2.0;
                y += share * (top + bottom) / 2.0;
                all += share;
            }
        }
        if all <= 0.0 {
            return None;
        }
        const PLACES: [[&str; 3]; 3] = [
            ["the upper left", "the top", "the upper right"],
            ["the left", "the middle", "the right"],
            ["the lower left", "the bottom", "the lower right"],
        ];
        let third = |place: f32| if place < 0.4 { 0 } else { usize::from(place > 0.6) + 1 };
        Some(PLACES[third(y / all)][third(x / all)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(values: &[f32], columns: usize, seen: [f32; 4]) -> Map {
        Map { rows: values.len() / columns, columns, values: values.to_vec(), seen }
    }

    #[test]
    fn a_part_counts_by_its_product_with_the_text() {
        let parts = Parts { rows: 1, columns: 2, vectors: vec![1.0, 2.0, -3.0, 0.5] };
        let map = Map::of(&parts, &[2.0, 1.0], [0.0, 0.0, 1.0, 1.0]);
        assert_eq!(map.values, [4.0, 0.0]);
        assert_eq!((map.largest(), map.share(0, 0), map.share(0, 1)), (4.0, 1.0, 0.0));
        assert_eq!(map.cell(0, 1), [0.5, 0.0, 1.0, 1.0]);
    }

    #[test]
    fn places_are_those_of_the_whole_picture() {
        let whole = [0.0, 0.0, 1.0, 1.0];
        let corner = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0];
        assert_eq!(map(&corner, 3, whole).place(), Some("the lower left"));
        // Of a wide picture, the model saw the right half only.
        assert_eq!(map(&corner, 3, [0.5, 0.0, 1.0, 1.0]).place(), Some("the bottom"));
        assert_eq!(map(&[0.2; 9], 3, whole).place(), Some("the middle"));
        assert_eq!(map(&[-1.0; 9], 3, whole).place(), None);
        let part = map(&corner, 3, whole).within((100, 50), (50, 0), (50, 50));
        assert_eq!(part.seen, [-1.0, 0.0, 1.0, 1.0]);
    }
}
