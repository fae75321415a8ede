//! The pixels of a JPEG: byte for byte those of libjpeg-turbo, and so those that Pillow, and what is built on it, sees.

use super::remark::{Damage, Remark};
use super::{CUT_SHORT, DecodeError, MAX_MEMORY, MAX_PIXELS, Rendering, admit, check_size};
use crate::image::source::Stored;
use crate::memory::Permit;
use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ImageFormat, RgbImage};
use libjpeg_turbo_rs::{DecodeLimits, DecodeWarning, Decoder, JpegError, PixelFormat};

/// The longest side that the format can say.
const MAX_SIDE: usize = 65_535;
/// Scans above this number are an attack: a few hundred bytes each would take as long as the whole picture.
const MAX_SCANS: usize = 1_000;
/// Coefficients of a progressive picture are held beside its pixels.
const MAX_WORKING_MEMORY: u64 = 2 * MAX_MEMORY;

/// Decodes a JPEG. Parts without usable data are gray; if the walk through its data has not said so already, a remark does.
pub(super) fn pixels(
    bytes: &[u8],
    remarks: &mut Vec<Remark>,
) -> Result<(RgbImage, Stored, Permit), DecodeError> {
    let limits = DecodeLimits {
        max_width: MAX_SIDE,
        max_height: MAX_SIDE,
        max_pixels: MAX_PIXELS,
        max_scans: MAX_SCANS,
        max_memory: Some(MAX_WORKING_MEMORY),
    };
    // Its own limit of pixels would be reported without their number.
    let headers = DecodeLimits { max_pixels: u64::MAX, ..limits };
    let mut decoder = Decoder::new_with_limits(bytes, headers).map_err(refused)?;
    let header = decoder.header();
    let (width, height) = (u32::from(header.width), u32::from(header.height));
    check_size(width, height, 3 * u64::from(width) * u64::from(height)).map_err(DecodeError::new)?;
    let (format, color) = match header.components.len() {
        1 => (PixelFormat::Grayscale, ColorType::L8),
        3 => (PixelFormat::Rgb, ColorType::Rgb8),
        4 => (PixelFormat::Cmyk, ColorType::Rgb8),
        channels => return Err(DecodeError::not_read(&format!("JPEG of {channels} channels"))),
    };
    let sampling =
        |at: usize| header.components.get(at).map(|one| (one.horizontal_sampling, one.vertical_sampling));
    if format == PixelFormat::Cmyk && (1..4).any(|channel| sampling(channel) != sampling(0)) {
        // It does not scale the smaller ones of four channels up.
        let (image, stored, held) = super::pixels(bytes, ImageFormat::Jpeg, Rendering::default(), remarks)
            .map_err(|error| super::refused("JPEG", &error))?;
        return Ok((image, Stored { channels: Stored::PRINT, ..stored }, held));
    }
    // Coefficients of two bytes for up to four channels, where they are all read before the first pixel is known.
    let all = if header.is_progressive { 8 } else { 0 };
    let held = admit((8 + all) * u64::from(width) * u64::from(height))?;
    decoder.set_limits(limits);
    decoder.set_output_format(format);
    decoder.set_lenient(true);
    // Broken metadata is no reason to lose the picture.
    let orientation =
        decoder.exif_orientation().and_then(Orientation::from_exif).unwrap_or(Orientation::NoTransforms);
    let decoded = decoder.decode_image().map_err(refused)?;
    if decoded.warnings.iter().any(is_loss)
        && !remarks.iter().any(|remark| matches!(remark, Remark::Damaged(_)))
    {
        let unknown = Damage { share: 0.0, from: 0.0, at_end: false, garbled: true, detail: false };
        remarks.push(Remark::Damaged(unknown));
    }
    let rgb = match format {
        PixelFormat::Grayscale => decoded.data.iter().flat_map(|&gray| [gray; 3]).collect(),
        PixelFormat::Cmyk => decoded.data.as_chunks().0.iter().flat_map(|&pixel| from_cmyk(pixel)).collect(),
        _ => decoded.data,
    };
    let image = RgbImage::from_raw(width, height, rgb)
        .ok_or_else(|| DecodeError::new("the JPEG cannot be decoded: it has fewer pixels than it says"))?;
    let mut stored = Stored::new(bytes, ImageFormat::Jpeg, color, orientation);
    if format == PixelFormat::Cmyk {
        stored.channels = Stored::PRINT;
    }
    let mut image = DynamicImage::ImageRgb8(image);
    image.apply_orientation(orientation);
    Ok((image.into_rgb8(), stored, held))
}

/// From the colors of print, which Adobe's programs, and after them all others, store inverted; by Pillow's whole numbers.
fn from_cmyk([cyan, magenta, yellow, light]: [u8; 4]) -> [u8; 3] {
    [cyan, magenta, yellow].map(|without| {
        let scaled = (255 - u32::from(without)) * u32::from(light) + 128;
        light.saturating_sub(((scaled + (scaled >> 8)) >> 8) as u8)
    })
}

/// Whether it says that a part of the picture is not what was stored.
fn is_loss(warning: &DecodeWarning) -> bool {
    matches!(warning, DecodeWarning::HuffmanError { .. } | DecodeWarning::TruncatedData { .. })
}

/// What the decoder's error means.
fn refused(error: JpegError) -> DecodeError {
    match error {
        JpegError::LimitExceeded { .. } | JpegError::AllocationFailed { .. } => {
            DecodeError::new("the JPEG needs more memory than a picture may")
        }
        JpegError::Unsupported(what) => DecodeError {
            sentence: format!("this kind of JPEG is not supported: {what}"),
            not_read: Some("JPEG (this kind of it)".to_owned()),
            too_large: false,
        },
        JpegError::UnexpectedEof => DecodeError::new(CUT_SHORT),
        error => DecodeError::new(format!("the JPEG cannot be decoded: {error}")),
    }
}

#[cfg(test)]
mod tests;
