//! Generated pictures: ten kinds of pattern, every picture different, the same on every run.

use crate::random::Random;
use image::{ImageFormat, Rgb, RgbImage};
use std::path::{Path, PathBuf};

/// Names of the ten patterns, which are also class names that the bundled model knows.
pub const CLASSES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// One picture of a pattern: two colors of the class, and a place, size and noise of its own.
pub fn picture(class: usize, number: u64, side: u32) -> RgbImage {
    let mut random = Random::new(number.wrapping_mul(31).wrapping_add(class as u64));
    let hue = class as f32 * 25.0;
    let ground = [40.0 + hue, 200.0 - 1.5 * hue / 2.5, 90.0 + (class % 3) as f32 * 60.0];
    let figure = [220.0 - 0.6 * hue, 30.0 + 0.7 * hue, 160.0 - (class % 4) as f32 * 40.0];
    let (x0, y0) = (random.between(0.3, 0.7), random.between(0.3, 0.7));
    let (size, turn) = (random.between(0.15, 0.3), random.between(-0.3, 0.3));
    RgbImage::from_fn(side, side, |x, y| {
        let (u, v) = (x as f32 / side as f32 - x0, y as f32 / side as f32 - y0);
        let (u, v) = (u * turn.cos() - v * turn.sin(), u * turn.sin() + v * turn.cos());
        let inside = match class {
            0 => u.abs() < size / 3.0 || v.abs() < size / 3.0,
            1 => u.abs().max(v.abs()) < size,
            2 => u.hypot(v) < size,
            3 => (u * 20.0).sin() > 0.0,
            4 => (v * 20.0).sin() > 0.0,
            5 => (u * 18.0).sin() * (v * 18.0).sin() > 0.0,
            6 => (size * 0.5..size).contains(&u.hypot(v)),
            7 => u + v > 0.0,
            8 => u.abs() + v.abs() < size,
            _ => (u.hypot(v) * 30.0).sin() > 0.0,
        };
        let base = if inside { figure } else { ground };
        Rgb(base.map(|value| (value + random.between(-18.0, 18.0)).clamp(0.0, 255.0) as u8))
    })
}

/// Writes `each` pictures for each of the first `classes` classes into class folders, alternately as JPEG and PNG,
/// and returns their paths in `folder`.
pub fn dataset(folder: &Path, classes: usize, each: usize, side: u32) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for (class, name) in CLASSES.iter().enumerate().take(classes) {
        std::fs::create_dir_all(folder.join(name)).unwrap();
        for number in 0..each {
            let extension = if number % 2 == 0 { "png" } else { "jpg" };
            let path = PathBuf::from(format!("{name}/{number:04}.{extension}"));
            picture(class, number as u64, side).save(folder.join(&path)).unwrap();
            paths.push(path);
        }
    }
    paths
}

/// The bytes of a picture in some format.
pub fn encoded(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}
