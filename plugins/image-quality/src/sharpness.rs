//! CleanVision's sharpness, judged on a small copy of the picture.

use crate::counts::spread;
use crate::shrink::{fitted, shrink};
use chaffinch_plugin::prelude::*;

/// Sharpness is judged on pictures whose longer side is not above this.
const SHARP_SIDE: usize = 64;
/// CleanVision's blurry score: how much the edges of the small gray picture vary, and how unevenly its levels are
/// filled, which keeps drawings and flat backgrounds from being taken for blur.
pub(crate) fn sharpness(pixels: &Pixels<'_>) -> f64 {
    let to = fitted(pixels.width, pixels.height, SHARP_SIDE);
    let gray = if to == (pixels.width, pixels.height) {
        luma(pixels.rgb)
    } else {
        luma(&shrink(pixels.rgb, pixels.width, pixels.height, to))
    };
    let mut levels = [0_u32; 256];
    for &level in &gray {
        levels[usize::from(level)] += 1;
    }
    let times: u64 = levels.iter().map(|&count| u64::from(count)).sum();
    let squares = levels.iter().map(|&count| u64::from(count) * u64::from(count)).sum();
    let grows = |deviation: f64| 1.0 - (-0.01 * deviation).exp();
    let uneven = grows(spread(256, times, squares));
    let uneven = if uneven <= 0.18 { 0.0 } else { uneven };
    (grows(edge_deviation(&gray, to.0, to.1)) + uneven).min(1.0)
}

/// Pillow's `convert("L")`.
fn luma(rgb: &[u8]) -> Vec<u8> {
    let gray = |pixel: &[u8]| {
        (u32::from(pixel[0]) * 19_595 + u32::from(pixel[1]) * 38_470 + u32::from(pixel[2]) * 7_471 + 0x8000)
            >> 16
    };
    rgb.chunks_exact(3).map(|pixel| gray(pixel) as u8).collect()
}

/// The standard deviation of Pillow's `FIND_EDGES`: eight times a pixel less its eight neighbors, cut to 0..=255; a
/// pixel on the border stands for itself.
fn edge_deviation(gray: &[u8], width: usize, height: usize) -> f64 {
    let (mut sum, mut squares) = (0_u64, 0_u64);
    let mut add = |value: u64| {
        sum += value;
        squares += value * value;
    };
    for y in 0..height {
        for x in 0..width {
            let at = y * width + x;
            let own = i32::from(gray[at]);
            if x == 0 || y == 0 || x + 1 == width || y + 1 == height {
                add(own as u64);
                continue;
            }
            let three = |middle: usize| -> i32 {
                gray[middle - 1..=middle + 1].iter().map(|&value| i32::from(value)).sum()
            };
            let edge = 9 * own - three(at - width) - three(at) - three(at + width);
            add(edge.clamp(0, 255) as u64);
        }
    }
    spread(gray.len() as u64, sum, squares)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_of_one_bright_point() {
        // 3 x 3 with a bright middle: the border keeps its own zeros, the middle has 8 * 30 = 240.
        let gray = [0, 0, 0, 0, 30, 0, 0, 0, 0];
        let expected = (240.0_f64 * 240.0 / 9.0 - (240.0_f64 / 9.0).powi(2)).sqrt();
        assert!((edge_deviation(&gray, 3, 3) - expected).abs() < 1e-9);
        assert_eq!(edge_deviation(&[9, 9], 2, 1), 0.0);
    }
}
