//! The rows that are left of a damaged PNG.

use super::convert::{self, Rendering};
use super::remark::{Damage, Remark};
use super::{MAX_MEMORY, admit, check_size};
use crate::image::source::Stored;
use crate::memory::Permit;
use image::{DynamicImage, GrayAlphaImage, GrayImage, RgbImage, RgbaImage};
use png::{ColorType, Decoder, DecodingError, Limits, Transformations};
use std::io::Cursor;

/// A value for what is lost, between black and white.
const LOST: u8 = 128;

/// The picture with its lost rows gray; `None` if no row is left, or rows are not stored from top to bottom.
pub(super) fn rescued(
    bytes: &[u8],
    rendering: Rendering,
    remarks: &mut Vec<Remark>,
) -> Option<(RgbImage, Stored, Permit)> {
    let limits = Limits { bytes: usize::try_from(MAX_MEMORY).ok()? };
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.ignore_checksums(true);
    decoder.set_transformations(Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().ok()?;
    let (width, height) = reader.info().size();
    let (color, _) = reader.output_color_type();
    let channels = color.samples();
    let length = width as usize * channels;
    check_size(width, height, (length * height as usize) as u64).ok()?;
    if reader.info().interlaced {
        return None;
    }
    // The first reading was admitted with as much.
    let held = admit(length as u64 * u64::from(height) + 4 * u64::from(width) * u64::from(height)).ok()?;
    let mut rows = vec![LOST; length * height as usize];
    let (mut read, mut garbled) = (0, false);
    for row in rows.chunks_exact_mut(length) {
        match reader.next_row() {
            Ok(Some(decoded)) if decoded.data().len() == length => row.copy_from_slice(decoded.data()),
            Ok(_) => break,
            Err(error) => {
                let ended = matches!(&error, DecodingError::IoError(error)
                    if error.kind() == std::io::ErrorKind::UnexpectedEof);
                garbled = !ended;
                break;
            }
        }
        read += 1;
    }
    if read == 0 {
        return None;
    }
    if matches!(color, ColorType::Rgba | ColorType::GrayscaleAlpha) {
        // Gray, not a hole.
        let lost = rows.chunks_exact_mut(channels).skip(read * width as usize);
        lost.for_each(|pixel| pixel[channels - 1] = 255);
    }
    let image = match color {
        ColorType::Grayscale => DynamicImage::ImageLuma8(GrayImage::from_raw(width, height, rows)?),
        ColorType::GrayscaleAlpha => {
            DynamicImage::ImageLumaA8(GrayAlphaImage::from_raw(width, height, rows)?)
        }
        ColorType::Rgb => DynamicImage::ImageRgb8(RgbImage::from_raw(width, height, rows)?),
        ColorType::Rgba => DynamicImage::ImageRgba8(RgbaImage::from_raw(width, height, rows)?),
        ColorType::Indexed => return None,
    };
    let from = read as f32 / height as f32;
    remarks.push(Remark::Damaged(Damage {
        share: 1.0 - from,
        from,
        at_end: true,
        garbled: garbled || read == height as usize,
        detail: false,
    }));
    let stored = Stored { channels: channels as u8, orientation: 1, animated: false };
    Some((convert::into_rgb(image, rendering, remarks), stored, held))
}
