//! Decoding of untrusted files.

mod convert;
mod depth;
mod formats;
mod hole;
mod jpeg;
mod jpeg_pixels;
mod jpeg_xl;
mod no_picture;
mod png_rows;
mod remark;

pub use convert::{Ground, Rendering};
pub use depth::{Depths, depth_of};
pub use remark::{Damage, Remark};

use super::source::Stored;
use crate::memory::{self, Permit, TooLarge};
use formats::{Format, Kind};
use image::error::ImageError;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};
use jpeg::Extent;
use std::borrow::Cow;
use std::fmt;
use std::io::{self, Cursor};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The largest picture that is decoded, in pixels: the limit of Pillow.
pub const MAX_PIXELS: u64 = 178_956_970;

/// The most memory that one picture may take while it is decoded.
const MAX_MEMORY: u64 = 1 << 30;

const CUT_SHORT: &str = "the file ends before the picture does";

/// A decoded picture.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// The pixels as shown: EXIF orientation applied, RGB, 8 bits, as Pillow's `convert("RGB")` gives them, but that 16-bit
    /// channels that use a part of their range are stretched; of JPEGs, the very bytes. Transparency is dropped, not blended, unless there is a
    /// [`Ground`] to put it on.
    pub image: RgbImage,
    /// The format by content, regardless of the file name: `JPEG`, `PNG`, `GIF`, `WebP`, `BMP`, `TIFF` or `JPEG XL`.
    pub format: &'static str,
    /// How the file stores it.
    pub stored: Stored,
    /// What the pixels do not say.
    pub remarks: Vec<Remark>,
    /// Its part of the memory budget.
    _held: Arc<Permit>,
}

/// Why a file is not a picture: one sentence without its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    sentence: String,
    /// The format, if it is one that is not read.
    not_read: Option<String>,
    /// Whether there is too little memory for it.
    too_large: bool,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for DecodeError {}

impl DecodeError {
    fn new(sentence: impl Into<String>) -> DecodeError {
        DecodeError { sentence: sentence.into(), not_read: None, too_large: false }
    }

    fn not_read(format: &str) -> DecodeError {
        let sentence = Remark::NotRead(format.to_owned()).sentence();
        DecodeError { sentence, not_read: Some(format.to_owned()), too_large: false }
    }

    /// [`Remark::NotRead`], if the file is a picture in a format that is not read rather than a broken one.
    pub fn remark(&self) -> Option<Remark> {
        self.not_read.clone().map(Remark::NotRead)
    }

    /// Whether the memory budget is too small for it, which says nothing of the file.
    pub fn is_too_large(&self) -> bool {
        self.too_large
    }
}

impl From<TooLarge> for DecodeError {
    fn from(error: TooLarge) -> DecodeError {
        DecodeError { too_large: true, ..DecodeError::new(error.to_string()) }
    }
}

/// Files whose decoding this program has begun.
static DECODED: AtomicU64 = AtomicU64::new(0);

/// How often this program has decoded a file so far.
pub fn decodings() -> u64 {
    DECODED.load(Ordering::Relaxed)
}

/// As [`decode_on`], with transparency dropped.
///
/// # Errors
/// As there.
pub fn decode(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    decode_on(bytes, Ground::default())
}

/// Decodes a picture; of an animation, its first frame. Of a JPEG or PNG that is damaged, and of any file with a hole of
/// zeros at its end, what is left is decoded, and a remark says how much is lost; other damaged files are refused. Pictures beyond [`MAX_PIXELS`] are refused before memory
/// is taken, and a decoder that panics is an error like any other.
///
/// # Errors
/// A sentence that says what is wrong with the file.
pub fn decode_on(bytes: &[u8], rendering: impl Into<Rendering>) -> Result<Decoded, DecodeError> {
    let rendering = rendering.into();
    if bytes.is_empty() {
        return Err(DecodeError::new("the file is empty"));
    }
    let format = match formats::of(bytes) {
        Kind::Read(format) => format,
        Kind::NotRead(name) => return Err(DecodeError::not_read(name)),
        Kind::Unknown => return Err(DecodeError::new(no_picture::sentence(bytes))),
    };
    let mut remarks = Vec::new();
    let whole = match format {
        Format::Image(ImageFormat::Jpeg, _) => whole_jpeg(bytes, &mut remarks)?,
        Format::Image(ImageFormat::WebP, _) if !webp_is_whole(bytes) => {
            return Err(DecodeError::new(CUT_SHORT));
        }
        _ => Cow::Borrowed(bytes), // These decoders notice it themselves.
    };
    let hole = match format {
        Format::Image(ImageFormat::WebP, _) => hole::in_webp(bytes),
        Format::Image(ImageFormat::Gif, _) => hole::in_gif(bytes),
        _ => None,
    };
    remarks.extend(hole.map(Remark::Damaged));
    DECODED.fetch_add(1, Ordering::Relaxed);
    let decoded = catch_unwind(AssertUnwindSafe(|| match format {
        Format::Image(ImageFormat::Jpeg, _) => jpeg_pixels::pixels(&whole, &mut remarks),
        Format::Image(ImageFormat::Png, name) => pixels(&whole, ImageFormat::Png, rendering, &mut remarks)
            .or_else(|error| {
                if is_too_large(&error) {
                    return Err(refused(name, &error));
                }
                remarks.clear();
                png_rows::rescued(&whole, rendering, &mut remarks).ok_or_else(|| refused(name, &error))
            }),
        Format::Image(format, name) => {
            pixels(&whole, format, rendering, &mut remarks).map_err(|error| refused(name, &error))
        }
        Format::JpegXl => jpeg_xl::pixels(&whole, rendering, &mut remarks),
    }));
    let name = format.name();
    let (image, stored, mut held) =
        decoded.unwrap_or_else(|_| Err(DecodeError::new(format!("the {name} decoder failed on it"))))?;
    held.keep(image.as_raw().len() as u64);
    Ok(Decoded { image, format: name, stored, remarks, _held: Arc::new(held) })
}

/// A JPEG that decoders go through to the end of, and what is lost of it.
fn whole_jpeg<'a>(bytes: &'a [u8], remarks: &mut Vec<Remark>) -> Result<Cow<'a, [u8]>, DecodeError> {
    let (extent, usable) = jpeg::extent(bytes);
    match extent {
        Extent::Whole => {}
        Extent::Part(damage) => remarks.push(Remark::Damaged(damage)),
        Extent::Nothing => return Err(DecodeError::new(CUT_SHORT)),
        Extent::NotRead(name) => return Err(DecodeError::not_read(name)),
        Extent::Unknown if jpeg_is_whole(bytes) => {}
        Extent::Unknown => return Err(DecodeError::new(CUT_SHORT)),
    }
    Ok(if jpeg_is_whole(bytes) {
        Cow::Borrowed(bytes)
    } else {
        Cow::Owned([&bytes[..usable], &[0xff, 0xd9]].concat())
    })
}

/// Refuses a picture that is too large, or none.
fn check_size(width: u32, height: u32, memory: u64) -> Result<(), String> {
    if width == 0 || height == 0 {
        return Err("it has no pixels".into());
    }
    if u64::from(width) * u64::from(height) > MAX_PIXELS || memory > MAX_MEMORY {
        return Err(format!("its {width} x {height} pixels are more than Chaffinch decodes"));
    }
    Ok(())
}

fn pixels(
    bytes: &[u8],
    format: ImageFormat,
    rendering: Rendering,
    remarks: &mut Vec<Remark>,
) -> Result<(RgbImage, Stored, Permit), ImageError> {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_MEMORY);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    check_size(width, height, decoder.total_bytes())
        .map_err(|sentence| ImageError::IoError(io::Error::other(sentence)))?;
    let held = admit(needed(format, &decoder)).map_err(no_room)?;
    // Broken metadata is no reason to lose the picture.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let stored = Stored::new(bytes, format, decoder.color_type(), orientation);
    let image = convert::into_rgb(DynamicImage::from_decoder(decoder)?, rendering, remarks);
    if matches!(format, ImageFormat::Bmp | ImageFormat::Tiff) {
        // The height of a bitmap is negative where its rows are stored from the top.
        let bottom_up = format == ImageFormat::Bmp && bytes.get(25).is_some_and(|byte| byte & 0x80 == 0);
        remarks.extend(hole::in_pixels(bytes, &image, bottom_up).map(Remark::Damaged));
    }
    let mut image = DynamicImage::ImageRgb8(image);
    image.apply_orientation(orientation);
    Ok((image.into_rgb8(), stored, held))
}

/// Beside the pixels of any picture: what decoders keep of a file while they read it.
const BESIDE: u64 = 512 << 10;

/// Waits until the memory budget has so many bytes for a picture, and what every decoder needs.
fn admit(needed: u64) -> Result<Permit, TooLarge> {
    memory::shares().pictures().admit(needed + BESIDE)
}

/// The most bytes that a picture takes from the first pixel to the upright RGB, measured in `tests/memory.rs`.
fn needed(format: ImageFormat, decoder: &impl ImageDecoder) -> u64 {
    let (width, height) = decoder.dimensions();
    let (pixels, whole) = (u64::from(width) * u64::from(height), decoder.total_bytes());
    let decoding = whole
        + match format {
            // The canvas, and a frame.
            ImageFormat::Gif => 8 * pixels,
            // Four channels of a lossless picture, or planes of a lossy one with its transparency.
            ImageFormat::WebP => 6 * pixels,
            // A copy of each strip, which may be the whole.
            ImageFormat::Tiff => whole,
            ImageFormat::Jpeg => 8 * pixels,
            _ => 0,
        };
    // As it is stored, beside 8 bits of it or the pixels as shown; and these, while they are turned.
    decoding.max(whole + 4 * pixels).max(7 * pixels)
}

fn no_room(error: TooLarge) -> ImageError {
    ImageError::IoError(io::Error::other(error))
}

fn is_too_large(error: &ImageError) -> bool {
    match error {
        ImageError::IoError(error) => error.get_ref().is_some_and(|inner| inner.is::<TooLarge>()),
        _ => false,
    }
}

/// The pixels of a file as they are stored, if its colors are wanted.
fn pixels_of(
    mut reader: ImageReader<impl io::BufRead + io::Seek>,
    wanted: impl Fn(image::ColorType) -> bool,
) -> Result<Option<(DynamicImage, Permit)>, ImageError> {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_MEMORY);
    reader.limits(limits);
    let decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    let small = check_size(width, height, decoder.total_bytes()).is_ok();
    if !small || !wanted(decoder.color_type()) {
        return Ok(None);
    }
    // Of the formats that have 16 bits, TIFF takes more.
    let held = admit(needed(ImageFormat::Tiff, &decoder)).map_err(no_room)?;
    DECODED.fetch_add(1, Ordering::Relaxed);
    DynamicImage::from_decoder(decoder).map(|image| Some((image, held)))
}

/// What a decoder's error means.
fn refused(name: &str, error: &ImageError) -> DecodeError {
    let not_read = matches!(error, ImageError::Unsupported(_)).then(|| format!("{name} (this kind of it)"));
    DecodeError { sentence: sentence(name, error), not_read, too_large: is_too_large(error) }
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
