//! Holes of zeros to which a file was set to its full length but never filled, as downloads and copies leave them, in formats
//! whose decoders take them for pixels.

use super::remark::Damage;
use crate::image::gif::Blocks;
use image::RgbImage;

/// Zeros at the end of compressed data that no encoder writes.
const ZEROS: usize = 32;
/// The least share of the compressed data, or of the pixels, that counts as a hole.
const LEAST: f64 = 0.05;
/// The share of the pixels above a hole that must be other than what is in it.
const DIFFERENT: f64 = 0.9;

/// What is lost at the end of the first picture of a WebP.
pub(super) fn in_webp(bytes: &[u8]) -> Option<Damage> {
    chunks(bytes.get(12..)?).find_map(|(tag, data)| match tag {
        b"VP8 " | b"VP8L" | b"ALPH" => at_end(data),
        // Behind the place, size and duration of a frame.
        b"ANMF" => chunks(data.get(16..)?).find_map(|(_, data)| at_end(data)),
        _ => None,
    })
}

/// The chunks of a WebP up to and including the first frame of an animation.
fn chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let (mut at, mut last) = (0, false);
    std::iter::from_fn(move || {
        let head = bytes.get(at..at + 8).filter(|_| !last)?;
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        let end = (at + 8).checked_add(length)?;
        let data = &bytes[at + 8..end.min(bytes.len())];
        at = end + length % 2;
        last = &head[..4] == b"ANMF";
        Some((&head[..4], data))
    })
}

/// What is lost at the end of a GIF: its blocks must go on to the end mark, or to a byte other than zero.
pub(super) fn in_gif(bytes: &[u8]) -> Option<Damage> {
    let zeros = zeros(bytes);
    let mut blocks = Blocks::new(bytes)?;
    loop {
        let (at, first) = blocks.here()?;
        // No block begins with it.
        if first == 0 && zeros >= bytes.len() - at {
            return lost(zeros, bytes.len());
        }
        blocks.skip()?;
    }
}

/// What is lost at the end of pixels that are stored without compression. Zeros are black there, which a picture may well
/// be; but no picture begins to be black in the middle of a row that is bright right above it.
pub(super) fn in_pixels(bytes: &[u8], image: &RgbImage, bottom_up: bool) -> Option<Damage> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    if zeros(bytes) < ZEROS || width == 0 {
        return None;
    }
    let pixel = |place: usize| {
        let (x, y) = (place % width, place / width);
        let y = if bottom_up { height - 1 - y } else { y };
        image.get_pixel(x as u32, y as u32).0
    };
    let all = width * height;
    let hole = pixel(all - 1);
    let start = (0..all).rev().find(|&place| pixel(place) != hole)? + 1;
    let rest = width - start % width;
    if start < width || rest == width || all - start < rest + width {
        return None;
    }
    let above = start - width..start - width + rest;
    let different = above.filter(|&place| pixel(place) != hole).count();
    if (different as f64) < DIFFERENT * rest as f64 {
        return None;
    }
    let damage = lost(all - start, all)?;
    Some(if bottom_up { Damage { from: 0.0, at_end: false, ..damage } } else { damage })
}

/// What the zeros at the end of compressed data say.
fn at_end(data: &[u8]) -> Option<Damage> {
    let zeros = zeros(data);
    if zeros < ZEROS { None } else { lost(zeros, data.len()) }
}

fn lost(part: usize, whole: usize) -> Option<Damage> {
    let share = part as f64 / whole as f64;
    (share >= LEAST).then_some(Damage {
        share: share as f32,
        from: (1.0 - share) as f32,
        at_end: true,
        garbled: false,
        detail: false,
    })
}

/// Zeros at the end.
fn zeros(bytes: &[u8]) -> usize {
    bytes.iter().rev().take_while(|&&byte| byte == 0).count()
}
