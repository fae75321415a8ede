//! A small generated dataset with typical oddities, for `plugins check` and `models check`.

use anyhow::{Context, Result};
use chaffinch_compute::image::RgbImage;
use chaffinch_protocol::display::safe_path;
use std::fs;
use std::path::Path;

/// Number of pictures per class and split.
const EACH: u32 = 8;

/// One picture: the pattern depends on the class, its colors and position on the number.
pub(super) fn picture(class: u32, number: u32, width: u32, height: u32) -> RgbImage {
    let mut state = u64::from(class * 1000 + number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = |below: u32| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % u64::from(below.max(1))) as u32
    };
    let (shift, period) = (next(width), 4 + next(12));
    let (light, dark) = ([next(96) + 150, next(96) + 150, next(96) + 150], [next(100), next(100), next(100)]);
    pixels(width, height, |x, y| {
        let (cx, cy) = (x.abs_diff(width / 2), y.abs_diff(height / 2));
        let inside = match class {
            0 => cx * cx + cy * cy < (width / 3 + shift / 8).pow(2),
            1 => ((x + shift) / period) % 2 == 0,
            2 => ((y + shift) / period) % 2 == 0,
            _ => ((x + shift) / period + y / period) % 2 == 0,
        };
        let grain = next(24);
        if inside { light } else { dark }.map(|value| (value + grain) as u8)
    })
}

fn pixels(width: u32, height: u32, mut color: impl FnMut(u32, u32) -> [u8; 3]) -> RgbImage {
    let mut image = RgbImage::new(width, height);
    for (x, y, pixel) in image.enumerate_pixels_mut() {
        pixel.0 = color(x, y);
    }
    image
}

/// Writes the dataset: two splits with four classes, an exact copy, a gray picture, one of a single pixel, a very wide
/// one, and a file that is not a picture.
pub(super) fn write(root: &Path) -> Result<()> {
    for split in ["train", "test"] {
        for (class, name) in ["circles", "columns", "rows", "squares"].iter().enumerate() {
            let folder = root.join(split).join(name);
            fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", safe_path(&folder)))?;
            for number in 0..EACH {
                let seed = if split == "train" { number } else { number + EACH };
                save(
                    &picture(class as u32, seed, 48 + 4 * number, 48),
                    &folder.join(format!("{number}.png")),
                )?;
            }
        }
    }
    let train = root.join("train/circles");
    fs::copy(train.join("0.png"), train.join("copy.png")).context("cannot copy a test picture")?;
    save(&pixels(40, 40, |_, _| [128; 3]), &train.join("gray.png"))?;
    save(&pixels(1, 1, |_, _| [250, 0, 0]), &train.join("pixel.png"))?;
    save(&picture(1, 99, 600, 6), &train.join("wide.png"))?;
    fs::write(train.join("broken.png"), b"no picture").context("cannot write a test file")
}

/// Writes a dataset of one picture.
pub(super) fn write_one(root: &Path) -> Result<()> {
    let folder = root.join("circles");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", safe_path(&folder)))?;
    save(&picture(0, 0, 48, 48), &folder.join("0.png"))
}

fn save(picture: &RgbImage, path: &Path) -> Result<()> {
    picture.save(path).with_context(|| format!("cannot write {}", safe_path(path)))
}
