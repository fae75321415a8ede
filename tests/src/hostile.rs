//! Pictures that take much memory for few bytes, and many that take little.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use std::fs;
use std::path::Path;

/// The bytes of a black square as a WebP: 36, whatever its side, up to 16,384.
pub fn webp(side: u32) -> Vec<u8> {
    // No transforms, no cache of colors, one group of five codes, each with the only symbol 0.
    let bits = [0, 0, 0].into_iter().chain((0..5).flat_map(|_| [1_u64, 0, 0, 0]));
    let size = u64::from(side - 1);
    let head = size | size << 14;
    let all = bits.enumerate().fold(head, |all, (at, bit)| all | bit << (32 + at));
    let stream = [&[0x2f][..], &all.to_le_bytes()[..8], &[0]].concat();
    let chunk = [b"VP8L", &(stream.len() as u32).to_le_bytes()[..], &stream].concat();
    let riff = 4 + chunk.len() as u32;
    [b"RIFF", &riff.to_le_bytes()[..], b"WEBP", &chunk].concat()
}

/// The bytes of a gray square as a PNG of three channels.
pub fn png(side: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let pixels = vec![90; 3 * side as usize * side as usize];
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::NoFilter)
        .write_image(&pixels, side, side, ExtendedColorType::Rgb8)
        .unwrap();
    bytes
}

/// Writes `small` pictures of 16 × 16 pixels and `large` squares of this side in two classes. All have different bytes:
/// what follows the end of a picture counts, although nothing reads it.
pub fn dataset(folder: &Path, small: usize, large: usize, side: u32) {
    for class in ["cat", "dog"] {
        fs::create_dir_all(folder.join(class)).unwrap();
    }
    let class = |number: usize| ["cat", "dog"][number % 2];
    let tiny = png(16);
    for number in 0..small {
        let bytes = [&tiny[..], &number.to_le_bytes()].concat();
        fs::write(folder.join(class(number)).join(format!("small-{number:06}.png")), bytes).unwrap();
    }
    let kinds = [(png(side), "png"), (webp(side), "webp")];
    for number in 0..large {
        let (bytes, extension) = &kinds[number % 2];
        let bytes = [&bytes[..], &number.to_le_bytes()].concat();
        let name = format!("large-{number:04}.{extension}");
        fs::write(folder.join(class(number / 2)).join(name), bytes).unwrap();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_pictures() {
        for (bytes, color) in [(webp(300), [0; 3]), (png(300), [90; 3])] {
            let image = image::load_from_memory(&bytes).unwrap().into_rgb8();
            assert_eq!((image.dimensions(), image.get_pixel(299, 299).0), ((300, 300), color));
        }
        assert!(webp(12_000).len() < 40);
    }
}
