//! Decoding of untrusted files.

use super::source::Stored;
use image::error::ImageError;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};
use std::fmt;
use std::io::{self, Cursor};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

/// The largest picture that is decoded, in pixels: the limit of Pillow.
pub const MAX_PIXELS: u64 = 178_956_970;

/// The most memory that one picture may take while it is decoded.
const MAX_MEMORY: u64 = 1 << 30;

const CUT_SHORT: &str = "the file ends before the picture does";

/// A decoded picture.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// The pixels as shown: EXIF orientation applied, RGB, 8 bits. Transparency is dropped, not blended, and 16-bit
    /// channels keep their upper byte, both as in Pillow's `convert("RGB")`.
    pub image: RgbImage,
    /// The format by content, regardless of the file name: `JPEG`, `PNG`, `GIF`, `WebP`, `BMP` or `TIFF`.
    pub format: &'static str,
    /// How the file stores it.
    pub stored: Stored,
}

/// Why a file is not a picture: one sentence without its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError(String);

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DecodeError {}

impl DecodeError {
    fn new(sentence: impl Into<String>) -> DecodeError {
        DecodeError(sentence.into())
    }
}

/// Files whose decoding this program has begun.
static DECODED: AtomicU64 = AtomicU64::new(0);

/// How often this program has decoded a file so far.
pub fn decodings() -> u64 {
    DECODED.load(Ordering::Relaxed)
}

/// Decodes a picture; of an animation, its first frame. Truncated files are refused rather than shown half gray,
/// pictures beyond [`MAX_PIXELS`] are refused before memory is taken, and a decoder that panics is an error like any
/// other.
///
/// # Errors
/// A sentence that says what is wrong with the file.
pub fn decode(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    if bytes.is_empty() {
        return Err(DecodeError::new("the file is empty"));
    }
    let (format, name) = recognise(bytes)?;
    let whole = match format {
        ImageFormat::Jpeg => jpeg_is_whole(bytes),
        ImageFormat::WebP => webp_is_whole(bytes),
        _ => true, // These decoders notice it themselves.
    };
    if !whole {
        return Err(DecodeError::new(CUT_SHORT));
    }
    DECODED.fetch_add(1, Ordering::Relaxed);
    let decoded = catch_unwind(AssertUnwindSafe(|| pixels(bytes, format)));
    match decoded {
        Ok(Ok((image, stored))) => Ok(Decoded { image, format: name, stored }),
        Ok(Err(error)) => Err(DecodeError(sentence(name, &error))),
        Err(_) => Err(DecodeError(format!("the {name} decoder failed on it"))),
    }
}

/// By the first bytes.
fn recognise(bytes: &[u8]) -> Result<(ImageFormat, &'static str), DecodeError> {
    let format = image::guess_format(bytes).ok();
    let name = match format {
        Some(ImageFormat::Jpeg) => "JPEG",
        Some(ImageFormat::Png) => "PNG",
        Some(ImageFormat::Gif) => "GIF",
        Some(ImageFormat::WebP) => "WebP",
        Some(ImageFormat::Bmp) => "BMP",
        Some(ImageFormat::Tiff) => "TIFF",
        _ => "",
    };
    match format {
        Some(format) if !name.is_empty() => Ok((format, name)),
        _ => Err(DecodeError::new("the file is not a picture: it is no JPEG, PNG, GIF, WebP, BMP or TIFF")),
    }
}

fn pixels(bytes: &[u8], format: ImageFormat) -> Result<(RgbImage, Stored), ImageError> {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_MEMORY);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(ImageError::IoError(io::Error::other("it has no pixels")));
    }
    if u64::from(width) * u64::from(height) > MAX_PIXELS || decoder.total_bytes() > MAX_MEMORY {
        let sentence = format!("its {width} x {height} pixels are more than Chaffinch decodes");
        return Err(ImageError::IoError(io::Error::other(sentence)));
    }
    // Broken metadata is no reason to lose the picture.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let stored = Stored::new(bytes, format, decoder.color_type(), orientation);
    let mut image = DynamicImage::ImageRgb8(into_rgb(DynamicImage::from_decoder(decoder)?));
    image.apply_orientation(orientation);
    Ok((image.into_rgb8(), stored))
}

/// Converts to 8-bit RGB like Pillow.
fn into_rgb(image: DynamicImage) -> RgbImage {
    let (width, height) = (image.width(), image.height());
    let upper = |value: u16| (value >> 8) as u8;
    let bytes: Vec<u8> = match image {
        DynamicImage::ImageLuma16(image) => {
            image.into_raw().into_iter().flat_map(|grey| [upper(grey); 3]).collect()
        }
        DynamicImage::ImageLumaA16(image) => {
            image.pixels().flat_map(|pixel| [upper(pixel.0[0]); 3]).collect()
        }
        DynamicImage::ImageRgb16(image) => image.into_raw().into_iter().map(upper).collect(),
        DynamicImage::ImageRgba16(image) => {
            image.pixels().flat_map(|pixel| [0, 1, 2].map(|c| upper(pixel.0[c]))).collect()
        }
        other => return other.into_rgb8(),
    };
    RgbImage::from_raw(width, height, bytes).unwrap_or_default()
}

/// Turns a decoder's error into a sentence.
fn sentence(name: &str, error: &ImageError) -> String {
    match error {
        ImageError::Limits(_) => return format!("the {name} needs more memory than a picture may"),
        ImageError::Unsupported(_) => return format!("this kind of {name} is not supported: {error}"),
        ImageError::IoError(error) if error.kind() == io::ErrorKind::Other => return error.to_string(),
        _ => {}
    }
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    if let ImageError::IoError(error) = error {
        cause = Some(error);
    }
    while let Some(error) = cause {
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::UnexpectedEof)
        {
            return CUT_SHORT.into();
        }
        cause = error.source();
    }
    let text = error.to_string();
    let lower = text.to_ascii_lowercase();
    if ["unexpected end", "unexpectedeof", "eof", "truncated", "exhausted data"]
        .iter()
        .any(|word| lower.contains(word))
    {
        return CUT_SHORT.into();
    }
    format!("the {name} cannot be decoded: {text}")
}

/// Whether the compressed data of a JPEG continues to its end marker. Decoders fill missing parts with gray, which
/// would pass for a picture; bytes after the end marker do no harm.
fn jpeg_is_whole(bytes: &[u8]) -> bool {
    let mut at = 2;
    loop {
        // Between segments, and in compressed data, a marker is 0xff followed by anything but 0 or 0xff.
        let Some(found) = bytes[at.min(bytes.len())..]
            .windows(2)
            .position(|pair| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0x01 | 0xd0..=0xd8 | 0xff))
        else {
            return false;
        };
        at += found;
        if bytes[at + 1] == 0xd9 {
            return true;
        }
        // Other markers have a length; compressed data after some of them is skipped as above.
        let Some(length) = bytes.get(at + 2..at + 4) else { return false };
        at += 2 + usize::from(u16::from_be_bytes([length[0], length[1]])).max(2);
    }
}

/// Whether a WebP is as long as it says.
fn webp_is_whole(bytes: &[u8]) -> bool {
    let length = bytes.get(4..8).and_then(|four| <[u8; 4]>::try_from(four).ok()).map(u32::from_le_bytes);
    length.is_some_and(|length| bytes.len() as u64 >= u64::from(length) + 8)
}

#[cfg(test)]
mod tests;
