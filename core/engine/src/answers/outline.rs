//! The parts of a picture that matter to detectors, drawn over it as frames.

use chaffinch_data::issue::Boxed;
use image::{Rgb, RgbImage};

/// A frame and its color.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outline {
    edges: [f32; 4],
    color: [u8; 3],
}

/// One color for each detector, in turn: bright ones that photographs seldom have.
const COLORS: [[u8; 3]; 6] =
    [[255, 230, 0], [0, 230, 255], [255, 0, 200], [120, 255, 0], [255, 120, 0], [150, 120, 255]];
/// Of this many pixels of the shorter side, one is the width of a line.
const LINE: u32 = 160;

impl Outline {
    /// The frame of a region of the detector at this place.
    pub(crate) fn new(region: &Boxed, place: usize) -> Outline {
        Outline { edges: region.edges, color: COLORS[place % COLORS.len()] }
    }
}

/// Draws frames over a picture, which is all or, from `corner` on, a part of one of the size `whole`.
pub(super) fn draw(image: &mut RgbImage, outlines: &[Outline], whole: (u32, u32), corner: (u32, u32)) {
    let (width, height) = (i64::from(image.width()), i64::from(image.height()));
    let line = i64::from((image.width().min(image.height()) / LINE).max(1));
    for Outline { edges: [left, top, right, bottom], color } in outlines {
        let pixel = |share: f32, whole: u32, corner: u32| {
            (f64::from(share) * f64::from(whole)).round() as i64 - i64::from(corner)
        };
        // The last pixel inside: a region up to the edge has its line on the picture.
        let (x0, x1) = (pixel(*left, whole.0, corner.0), pixel(*right, whole.0, corner.0) - 1);
        let (y0, y1) = (pixel(*top, whole.1, corner.1), pixel(*bottom, whole.1, corner.1) - 1);
        let (x1, y1) = (x1.max(x0), y1.max(y0));
        let mut fill = |xs: (i64, i64), ys: (i64, i64)| {
            for y in ys.0.max(0)..=ys.1.min(height - 1) {
                for x in xs.0.max(0)..=xs.1.min(width - 1) {
                    image.put_pixel(x as u32, y as u32, Rgb(*color));
                }
            }
        };
        fill((x0, x1), (y0, (y0 + line - 1).min(y1)));
        fill((x0, x1), ((y1 - line + 1).max(y0), y1));
        fill((x0, (x0 + line - 1).min(x1)), (y0, y1));
        fill(((x1 - line + 1).max(x0), x1), (y0, y1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(size: (u32, u32), edges: [f32; 4], whole: (u32, u32), corner: (u32, u32)) -> Vec<String> {
        let mut image = RgbImage::new(size.0, size.1);
        let outline = Outline::new(&Boxed { edges, label: String::new() }, 0);
        draw(&mut image, &[outline], whole, corner);
        let row =
            |y| (0..size.0).map(|x| if image.get_pixel(x, y).0 == COLORS[0] { '#' } else { '.' }).collect();
        (0..size.1).map(row).collect()
    }

    #[test]
    fn a_frame_is_drawn_where_the_region_is() {
        let frame = drawn((8, 6), [0.25, 0.5, 0.75, 1.0], (8, 6), (0, 0));
        assert_eq!(frame, ["........", "........", "........", "..####..", "..#..#..", "..####.."]);
    }

    #[test]
    fn a_part_shows_the_part_of_the_frame_that_is_in_it() {
        let frame = drawn((4, 4), [0.25, 0.5, 0.75, 1.0], (8, 6), (4, 2));
        assert_eq!(frame, ["....", "##..", ".#..", "##.."]);
        assert_eq!(drawn((4, 2), [0.25, 0.5, 0.75, 1.0], (8, 6), (4, 0)), ["....", "...."]);
    }

    #[test]
    fn the_smallest_region_is_still_seen() {
        assert_eq!(drawn((4, 2), [0.5, 0.0, 0.501, 0.001], (4, 2), (0, 0)), ["..#.", "...."]);
    }
}
