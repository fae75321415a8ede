//! Pictures made poor: blurred, dark, noisy, damaged.

use super::Fault;
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Quality of the JPEG that a changed picture becomes, unless its fault is the compression.
const FINE: u8 = 92;
const REENCODED: u8 = 60;
const RESIZED: u8 = 90;
const BLOCKS: u8 = 8;
/// Standard deviation of the noise, in levels, and share of black and white pixels.
const NOISE: f64 = 30.0;
const SPECKS: f64 = 0.04;
/// What is left of the contrast.
const CONTRAST: f64 = 0.12;

/// The picture with a fault, and the quality to compress it with. Every second re-encoded copy is `resized`; `seed` chooses
/// the random numbers.
pub(super) fn poor(picture: RgbImage, fault: Fault, resized: bool, seed: u64) -> (RgbImage, u8) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (width, height) = picture.dimensions();
    let side = f32::from(u16::try_from(width.min(height)).unwrap_or(u16::MAX));
    match fault {
        Fault::Reencoded if resized => {
            let grown = |side: u32| (side * 5).div_ceil(4);
            (imageops::resize(&picture, grown(width), grown(height), FilterType::CatmullRom), RESIZED)
        }
        // A twelfth of the shorter side hides small details and keeps large shapes.
        Fault::Blurred => (imageops::blur(&picture, (side / 12.0).max(1.0)), FINE),
        Fault::Dark => (changed(picture, |level| level / 8), FINE),
        Fault::Noise => {
            (changed(picture, |level| clamped(f64::from(level) + NOISE * normal(&mut random))), FINE)
        }
        Fault::Specks => {
            let mut picture = picture;
            for pixel in picture.pixels_mut() {
                match random.random::<f64>() {
                    drawn if drawn < SPECKS / 2.0 => *pixel = Rgb([0; 3]),
                    drawn if drawn < SPECKS => *pixel = Rgb([255; 3]),
                    _ => {}
                }
            }
            (picture, FINE)
        }
        Fault::Blocks => (picture, BLOCKS),
        Fault::LowContrast => {
            let all = picture.as_raw();
            let mean = all.iter().map(|&level| f64::from(level)).sum::<f64>() / all.len().max(1) as f64;
            (changed(picture, |level| clamped(mean + CONTRAST * (f64::from(level) - mean))), FINE)
        }
        Fault::MotionBlur => (moved(&picture, (side / 10.0).max(5.0) as u32), FINE),
        Fault::Cut => (filled(picture, [128; 3], |_, y| y >= height - height / 3), FINE),
        Fault::Bars => {
            let bar = (height / 8).max(1);
            (filled(picture, [0; 3], |_, y| y < bar || y + bar >= height), FINE)
        }
        _ => (picture, REENCODED),
    }
}

fn changed(mut picture: RgbImage, mut change: impl FnMut(u8) -> u8) -> RgbImage {
    picture.as_mut().iter_mut().for_each(|level| *level = change(*level));
    picture
}

fn filled(mut picture: RgbImage, color: [u8; 3], inside: impl Fn(u32, u32) -> bool) -> RgbImage {
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        if inside(x, y) {
            *pixel = Rgb(color);
        }
    }
    picture
}

/// The mean of each pixel and those to the right of it.
fn moved(picture: &RgbImage, length: u32) -> RgbImage {
    let last = picture.width().saturating_sub(1);
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let mut sums = [0_u32; 3];
        for step in 0..length {
            let pixel = picture.get_pixel((x + step).min(last), y);
            sums.iter_mut().zip(pixel.0).for_each(|(sum, level)| *sum += u32::from(level));
        }
        Rgb(sums.map(|sum| (sum / length) as u8))
    })
}

fn clamped(level: f64) -> u8 {
    level.round().clamp(0.0, 255.0) as u8
}

/// A normal random number: twelve even ones, less their mean.
fn normal(random: &mut ChaCha8Rng) -> f64 {
    (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0
}
