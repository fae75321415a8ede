//! A map over its picture: what is relevant is lit, the rest is dark.

use super::Map;
use chaffinch_compute::image::RgbImage;

/// What is left of the light where nothing is relevant.
const DARK: f32 = 0.35;
/// The light that relevance adds, and how much of it.
const LIGHT: [f32; 3] = [255.0, 140.0, 0.0];
const ADDED: f32 = 0.3;

/// The picture under its map. Between the middles of cells, the map is interpolated; what the model did not see is dark.
pub fn overlay(picture: &RgbImage, map: &Map) -> RgbImage {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let [left, top, right, bottom] = map.seen;
    let shares: Vec<f32> = (0..map.rows * map.columns)
        .map(|cell| map.share(cell / map.columns.max(1), cell % map.columns.max(1)))
        .collect();
    let across = |at: f32, from: f32, to: f32, cells: usize| {
        let place = (at - from) / (to - from);
        (0.0..=1.0).contains(&place).then(|| weights(place, cells))
    };
    let columns: Vec<_> =
        (0..picture.width()).map(|x| across((x as f32 + 0.5) / width, left, right, map.columns)).collect();
    let mut out = picture.clone();
    for (y, row) in out.rows_mut().enumerate() {
        let rows = across((y as f32 + 0.5) / height, top, bottom, map.rows);
        for (pixel, columns) in row.zip(&columns) {
            let share = match (rows, columns) {
                (Some((above, down)), Some((before, along))) => {
                    let in_row = |row: usize| {
                        let at = |column: usize| {
                            let column = column.min(map.columns - 1);
                            shares[row.min(map.rows - 1) * map.columns + column]
                        };
                        at(*before) * (1.0 - along) + at(before + 1) * along
                    };
                    in_row(above) * (1.0 - down) + in_row(above + 1) * down
                }
                _ => 0.0,
            };
            for (value, light) in pixel.0.iter_mut().zip(LIGHT) {
                let under = f32::from(*value) * (DARK + (1.0 - DARK) * share);
                *value = (under + (light - under).max(0.0) * ADDED * share).round().clamp(0.0, 255.0) as u8;
            }
        }
    }
    out
}

/// The cell whose middle lies before a place from 0 to 1, and how far it is to the next one's, from 0 to 1.
fn weights(place: f32, cells: usize) -> (usize, f32) {
    let at = (place * cells as f32 - 0.5).clamp(0.0, cells.saturating_sub(1) as f32);
    (at as usize, at.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_relevant_is_lit_where_it_is_in_the_picture() {
        let picture = RgbImage::from_pixel(80, 40, image::Rgb([100, 100, 100]));
        // The model saw the middle square; its lower right quarter is relevant.
        let map =
            Map { rows: 2, columns: 2, values: vec![0.0, -1.0, 0.0, 2.0], seen: [0.25, 0.0, 0.75, 1.0] };
        let lit = overlay(&picture, &map);
        let at = |x, y| lit.get_pixel(x, y).0;
        assert_eq!((at(5, 35), at(75, 35), at(25, 5)), ([35; 3], [35; 3], [35; 3]));
        let [red, _, blue] = at(55, 35);
        assert!(red > 100 && blue >= 100, "{red} {blue}");
        assert!(at(40, 20)[0] > 35 && at(40, 20)[0] < red, "between the middles of cells");
        let none = Map { values: vec![-1.0; 4], ..map };
        assert_eq!(overlay(&picture, &none).get_pixel(55, 35).0, [35; 3]);
    }
}
