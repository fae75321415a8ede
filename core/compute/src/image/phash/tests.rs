use super::*;
use serde::Deserialize;
use std::path::PathBuf;

#[derive(Deserialize)]
struct Fixture {
    kind: String,
    seed: u32,
    width: u32,
    height: u32,
    phash: String,
    dhash: String,
}

/// A triangle wave between 0 and 255.
fn wave(position: u32, period: u32) -> u32 {
    let place = position % (2 * period);
    (if place < period { place } else { 2 * period - place }) * 255 / period
}

/// The picture that `make_hash_fixtures.py` makes.
fn made(seed: u32, width: u32, height: u32) -> RgbImage {
    let mut state = seed.wrapping_mul(2_654_435_761);
    let mut roll = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 8
    };
    let mut four =
        || [(); 4].map(|()| (roll() % 7, roll() % 7, 20 + roll() % (width + height), roll() % 500));
    let waves = [four(), four(), four()];
    let mut image = RgbImage::new(width, height);
    for (x, y, pixel) in image.enumerate_pixels_mut() {
        for (value, color) in pixel.0.iter_mut().zip(&waves) {
            let total: u32 =
                color.iter().map(|&(a, b, period, start)| wave(x * a + y * b + start, period)).sum();
            *value = ((total * 15 + (roll() % 256) * 4) / 64) as u8;
        }
    }
    image
}

#[test]
fn hashes_are_imagehash_s_bit_for_bit() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/hashes.json");
    let fixtures: Vec<Fixture> = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert!(fixtures.len() >= 60);
    for fixture in fixtures {
        let image = match fixture.kind.as_str() {
            "flat" => {
                RgbImage::from_pixel(fixture.width, fixture.height, image::Rgb([fixture.seed as u8; 3]))
            }
            _ => made(fixture.seed, fixture.width, fixture.height),
        };
        let what = format!("{} {} ({} x {})", fixture.kind, fixture.seed, fixture.width, fixture.height);
        assert_eq!(format!("{:016x}", phash(&image)), fixture.phash, "phash of {what}");
        assert_eq!(format!("{:016x}", dhash(&image)), fixture.dhash, "dhash of {what}");
    }
}

#[test]
fn luma_is_pillow_s() {
    let image = RgbImage::from_raw(2, 2, vec![255, 255, 255, 1, 2, 3, 255, 0, 0, 0, 0, 255]).unwrap();
    assert_eq!(luma(&image), [255, 2, 76, 29]);
}
