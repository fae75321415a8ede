//! The bytes of a picture: decoding, its depth and size by the header, and what is computed of the pixels.

use crate::fixtures::folder;
use crate::{Target, chosen, input};
use chaffinch_compute::image::decode::{Depths, Ground, Rendering, decode_on, depth_of};
use chaffinch_compute::image::header::shorter_side;
use chaffinch_compute::image::phash::hashes;
use chaffinch_compute::image::thumbnail::fit;
use std::io::Cursor;

/// The target.
pub const TARGET: Target = Target {
    name: "picture",
    reads: "pictures: JPEG, PNG, GIF, WebP, BMP, TIFF, JPEG XL; depth and size by their headers",
    run,
    seeds,
};

/// Pictures of which the header says that the shorter side is longer are left alone: they are slow, not strange.
const LONGEST: u32 = 1024;
/// Pixels of which more is computed.
const MOST: u32 = 1 << 18;

fn run(bytes: &[u8]) {
    let Some((kind, bytes)) = chosen(bytes, 3) else { return };
    if shorter_side(Cursor::new(bytes)).is_some_and(|side| side > LONGEST) {
        return;
    }
    let mut depths = Depths::default();
    if kind == 2 {
        depth_of(Cursor::new(bytes)).into_iter().for_each(|bits| depths.add(bits));
    }
    let ground = if kind == 1 { Ground::Color([255, 0, 7]) } else { Ground::default() };
    let rendering = Rendering { depths, ..Rendering::from(ground) };
    let Ok(decoded) = decode_on(bytes, rendering) else { return };
    let (width, height) = decoded.image.dimensions();
    assert!(width > 0 && height > 0, "a picture without pixels is none");
    if width.saturating_mul(height) <= MOST {
        hashes(&decoded.image);
        fit(&decoded.image, 96, 64);
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let mut files = folder("compute/fixtures/images");
    files.extend(folder("compute/fixtures/jpeg"));
    let pictures = files.iter().filter(|(name, _)| !name.ends_with(".json")).enumerate();
    pictures.map(|(number, (_, bytes))| input(number % 3, bytes)).collect()
}
