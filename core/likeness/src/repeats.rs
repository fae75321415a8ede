//! Pictures that repeat themselves: stripes, checks, lines of text. A part of one fits in many places, and in other such pictures,
//! too, so that its place says nothing.

use crate::area::Area;
use crate::sketch::Read;
use crate::spectrum::Window;

/// Cells each way.
const SIDE: usize = 16;
/// The farthest shift, in cells.
const FAR: i32 = 8;
/// The nearest shift that says something, and the fewest cells that both have.
const NEAR: i32 = 2;
const OVERLAP: i32 = 112;
/// How much worse a picture fits itself between two places of something that it repeats.
const VALLEY: f32 = 0.15;
/// The correlation with itself, shifted, from which on a picture repeats itself.
const REPEATS: f32 = 0.85;

/// Whether the picture fits itself at another place nearly as well as at its own: the correlation with itself has a second peak
/// that is nearly as high.
pub(crate) fn repeats(picture: &Read<'_>) -> bool {
    second_peak(picture) >= REPEATS
}

/// The highest correlation of a picture with itself, shifted, among the shifts on the way to which it fits clearly worse.
pub(crate) fn second_peak(picture: &Read<'_>) -> f32 {
    let cells = Area::new(picture, 0).cells(Window::WHOLE, SIDE);
    let wide = 2 * FAR + 1;
    // A shift and its opposite say the same, so that half of the plane is enough.
    let all: Vec<f32> = (0..wide * (FAR + 1)).map(|at| shifted(&cells, at % wide - FAR, at / wide)).collect();
    let at = |x: i32, y: i32| all[(y * wide + x + FAR) as usize];
    let mut highest = -1.0_f32;
    for (x, y) in (0..=FAR).flat_map(|y| (-FAR..=FAR).map(move |x| (x, y))) {
        let steps = x.abs().max(y);
        let overlap = (SIDE as i32 - x.abs()) * (SIDE as i32 - y);
        if steps < NEAR || overlap < OVERLAP {
            continue;
        }
        let on_the_way = |step: i32| {
            let along = |whole: i32| (whole as f32 * step as f32 / steps as f32).round() as i32;
            at(along(x), along(y))
        };
        let lowest = (1..steps).map(on_the_way).fold(f32::INFINITY, f32::min);
        if at(x, y) >= lowest + VALLEY {
            highest = highest.max(at(x, y));
        }
    }
    highest
}

/// The correlation of the cells with themselves, shifted: of what both have.
fn shifted(cells: &[f32], x: i32, y: i32) -> f32 {
    let side = SIDE as i32;
    let columns = x.max(0)..side + x.min(0);
    let (mut sums, mut squares, mut both, mut count) = ((0.0, 0.0), (0.0, 0.0), 0.0, 0.0_f32);
    for row in y.max(0)..side + y.min(0) {
        for column in columns.clone() {
            let own = cells[(row * side + column) as usize];
            let other = cells[((row - y) * side + column - x) as usize];
            sums = (sums.0 + own, sums.1 + other);
            squares = (squares.0 + own * own, squares.1 + other * other);
            both += own * other;
            count += 1.0;
        }
    }
    let spread = |sum: f32, square: f32| square - sum * sum / count;
    let spreads = spread(sums.0, squares.0) * spread(sums.1, squares.1);
    if spreads > 0.0 { (both - sums.0 * sums.1 / count) / spreads.sqrt() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{Picture, letter, of, scene, sketched};

    fn repeats_itself(picture: &Picture) -> bool {
        repeats(&Read::new(&sketched(picture)).unwrap())
    }

    #[test]
    fn stripes_and_checks_repeat_and_scenes_do_not() {
        let stripes = of(96, 96, |x, _| if x / 12 % 2 == 0 { [30; 3] } else { [220; 3] });
        let checks = of(96, 96, |x, y| if (x / 16 + y / 16) % 2 == 0 { [30; 3] } else { [220; 3] });
        assert!(repeats_itself(&stripes) && repeats_itself(&checks));
        let edge = of(96, 96, |x, _| if x < 40 { [30; 3] } else { [220; 3] });
        assert!(!repeats_itself(&edge), "a straight edge fits along itself");
        for seed in 0..40 {
            assert!(!repeats_itself(&scene(96, 96, seed)), "scene {seed}");
            assert!(!repeats_itself(&letter(90, 120, seed)), "letter {seed}: its lines differ");
        }
    }
}
