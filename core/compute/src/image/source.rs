//! How a file stores its picture, read in addition to the pixels.

use super::gif::{Blocks, IMAGE};
use chaffinch_plugin::{FORMATS, Source};
use image::metadata::Orientation;
use image::{ColorType, ImageFormat};
use std::path::Path;

/// What is lost once the pixels are 8-bit RGB, upright and still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Channels of a pixel: 1 gray, 2 gray and alpha, 3 color, 4 color and alpha, 5 the colors of print (CMYK). Palettes count as
    /// color.
    pub channels: u8,
    /// EXIF orientation, 1..=8; 1 = stored upright.
    pub orientation: u8,
    /// Whether the file is an animation of two frames or more.
    pub animated: bool,
}

impl Stored {
    /// The channels of a picture in the colors of print.
    pub const PRINT: u8 = 5;

    pub(super) fn new(bytes: &[u8], format: ImageFormat, color: ColorType, turn: Orientation) -> Stored {
        let animated = match format {
            ImageFormat::Gif => second_gif_image(bytes).is_some(),
            ImageFormat::Png => png_is_animated(bytes),
            ImageFormat::WebP => webp_is_animated(bytes),
            _ => false,
        };
        Stored { channels: color.channel_count(), orientation: turn.to_exif(), animated }
    }
}

/// The extensions of each of [`FORMATS`].
const EXTENSIONS: [&[&str]; FORMATS.len()] = [
    &["jpg", "jpeg", "jpe", "jfif", "jfi", "jif", "pjpeg", "pjp"],
    &["png", "apng"],
    &["gif"],
    &["webp"],
    &["bmp", "dib", "rle"],
    &["tif", "tiff", "btf", "tf8"],
    &["jxl"],
    &["heic", "heif", "hif", "heics", "heifs"],
    &["avif", "avifs"],
    &["jp2", "j2k", "j2c", "jpc", "jpf", "jpx"],
    &["svg", "svgz"],
    &["pdf"],
    &["psd", "psb"],
    &["tga"],
];

/// Source information for detectors: `format` is the name from decoding, `path` is only used for its extension.
pub fn record(format: &str, path: &Path, stored: Stored) -> Source {
    let number = |found: Option<usize>| found.map_or(0, |found_at| found_at as u32 + 1);
    let extension = path.extension().map(|text| text.to_string_lossy().to_ascii_lowercase());
    Source {
        format: number(FORMATS.iter().position(|name| *name == format)),
        named: number(extension.and_then(|extension| {
            EXTENSIONS.iter().position(|extensions| extensions.contains(&extension.as_str()))
        })),
        channels: stored.channels.into(),
        orientation: stored.orientation.into(),
        frames: if stored.animated { 2 } else { 1 },
    }
}

/// Where the second image of a GIF begins; `None` if there is none, or the file ends first.
fn second_gif_image(bytes: &[u8]) -> Option<usize> {
    let mut blocks = Blocks::new(bytes)?;
    let mut seen = false;
    loop {
        let (at, first) = blocks.here()?;
        if first == IMAGE && std::mem::replace(&mut seen, true) {
            return Some(at);
        }
        blocks.skip()?;
    }
}

/// Whether a PNG has an animation chunk of two frames or more before its pixels.
fn png_is_animated(bytes: &[u8]) -> bool {
    let mut at = 8;
    while let Some(head) = bytes.get(at..at + 12) {
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
        match &head[4..8] {
            b"acTL" => return u32::from_be_bytes([head[8], head[9], head[10], head[11]]) > 1,
            b"IDAT" => return false,
            _ => at += length as usize + 12,
        }
    }
    false
}

/// Whether a WebP has two frames or more.
fn webp_is_animated(bytes: &[u8]) -> bool {
    let mut at = 12;
    let mut frames = 0;
    while let Some(head) = bytes.get(at..at + 8) {
        frames += u32::from(&head[..4] == b"ANMF");
        if frames > 1 {
            return true;
        }
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        at += 8 + length + length % 2;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::decode::decode;
    use image::codecs::gif::GifEncoder;
    use image::{DynamicImage, Frame, RgbaImage};
    use std::io::Cursor;
    use std::path::PathBuf;

    fn gif(frames: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = GifEncoder::new(&mut bytes);
        for frame in 0..frames {
            let image = RgbaImage::from_fn(40, 30, |x, y| {
                image::Rgba([(x * 6) as u8, (y * 8) as u8, (frame * 90) as u8, 255])
            });
            encoder.encode_frame(Frame::new(image)).unwrap();
        }
        drop(encoder);
        bytes
    }

    #[test]
    fn frames_are_counted_without_decoding_them() {
        assert!(!decode(&gif(1)).unwrap().stored.animated);
        assert!(decode(&gif(2)).unwrap().stored.animated);
        let whole = gif(3);
        assert!((0..whole.len()).all(|cut| second_gif_image(&whole[..cut]).is_none_or(|at| at < cut)));

        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/images");
        let webp = std::fs::read(folder.join("animated.webp")).unwrap();
        assert!(webp_is_animated(&webp));
        assert!((0..webp.len()).all(|cut| !webp_is_animated(&webp[..cut]) || cut > 20));

        let mut png = Cursor::new(Vec::new());
        DynamicImage::new_rgb8(3, 3).write_to(&mut png, ImageFormat::Png).unwrap();
        let mut png = png.into_inner();
        assert!(!png_is_animated(&png));
        let chunk =
            |frames: u8| [0, 0, 0, 8, b'a', b'c', b'T', b'L', 0, 0, 0, frames, 0, 0, 0, 0, 1, 2, 3, 4];
        // After the header, which takes 25 bytes after the signature.
        png.splice(33..33, chunk(2));
        assert!(png_is_animated(&png));
        png.splice(33..53, chunk(1));
        assert!(!png_is_animated(&png));
    }

    #[test]
    fn channels_and_names_are_told() {
        let bytes = |image: DynamicImage, format| {
            let mut bytes = Cursor::new(Vec::new());
            image.write_to(&mut bytes, format).unwrap();
            bytes.into_inner()
        };
        for (image, channels) in [
            (DynamicImage::new_luma8(4, 4), 1),
            (DynamicImage::new_luma16(4, 4), 1),
            (DynamicImage::new_luma_a8(4, 4), 2),
            (DynamicImage::new_rgb8(4, 4), 3),
            (DynamicImage::new_rgba8(4, 4), 4),
        ] {
            let decoded = decode(&bytes(image, ImageFormat::Png)).unwrap();
            let expected = Stored { channels, orientation: 1, animated: false };
            assert_eq!(decoded.stored, expected);
        }
        let decoded = decode(&bytes(DynamicImage::new_luma8(4, 4), ImageFormat::Jpeg)).unwrap();
        assert_eq!(decoded.stored.channels, 1);
        let source = record(decoded.format, Path::new("a/b.PNG"), decoded.stored);
        assert_eq!((source.format_name(), source.extension_name()), (Some("JPEG"), Some("PNG")));
        let source = record(decoded.format, Path::new("a/b"), decoded.stored);
        assert_eq!((source.extension_name(), source.frames), (None, 1));
        // Every format that is read has a number, and names of others are known.
        for format in ["JPEG", "PNG", "GIF", "WebP", "BMP", "TIFF", "JPEG XL"] {
            assert_eq!(record(format, Path::new("x.HEIC"), decoded.stored).format_name(), Some(format));
        }
        let source = record("JPEG XL", Path::new("x.HEIC"), decoded.stored);
        assert_eq!(source.extension_name(), Some("HEIC"));
    }
}
