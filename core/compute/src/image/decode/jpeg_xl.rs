//! JPEG XL.

use super::convert::{self, Rendering};
use super::remark::Remark;
use super::{CUT_SHORT, DecodeError, MAX_MEMORY, admit, check_size};
use crate::image::source::Stored;
use crate::memory::Permit;
use image::{DynamicImage, GrayAlphaImage, GrayImage, RgbImage, RgbaImage};
use jxl_oxide::{AllocTracker, JxlImage};

/// The first frame.
pub(super) fn pixels(
    bytes: &[u8],
    rendering: Rendering,
    remarks: &mut Vec<Remark>,
) -> Result<(RgbImage, Stored, Permit), DecodeError> {
    let failed =
        |error: &dyn std::fmt::Display| DecodeError::new(format!("the JPEG XL cannot be decoded: {error}"));
    let tracker = AllocTracker::with_limit(usize::try_from(MAX_MEMORY).unwrap_or(usize::MAX));
    let image = JxlImage::builder().alloc_tracker(tracker).read(bytes);
    let image = image.map_err(|error| match error.downcast_ref::<std::io::Error>() {
        Some(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => DecodeError::new(CUT_SHORT),
        _ => failed(&error),
    })?;
    let (width, height) = (image.width(), image.height());
    check_size(width, height, u64::from(width) * u64::from(height) * 4).map_err(DecodeError::new)?;
    if image.num_loaded_keyframes() == 0 || !image.is_loading_done() {
        return Err(DecodeError::new(CUT_SHORT));
    }
    // Channels of four bytes, as they are stored and as they are shown.
    let held = admit(40 * u64::from(width) * u64::from(height))?;
    let frame = image.render_frame(0).map_err(|error| failed(&error))?;
    let mut stream = frame.stream();
    let (width, height, channels) = (stream.width(), stream.height(), stream.channels());
    let mut samples = vec![0_u8; width as usize * height as usize * channels as usize];
    stream.write_to_buffer(&mut samples);
    let decoded = match channels {
        1 => GrayImage::from_raw(width, height, samples).map(DynamicImage::ImageLuma8),
        2 => GrayAlphaImage::from_raw(width, height, samples).map(DynamicImage::ImageLumaA8),
        3 => RgbImage::from_raw(width, height, samples).map(DynamicImage::ImageRgb8),
        4 if !image.pixel_format().has_black() => {
            RgbaImage::from_raw(width, height, samples).map(DynamicImage::ImageRgba8)
        }
        _ => return Err(DecodeError::not_read("CMYK JPEG XL")),
    };
    let decoded = decoded.ok_or_else(|| DecodeError::new("the JPEG XL has fewer pixels than it says"))?;
    let stored =
        Stored { channels: channels as u8, orientation: 1, animated: image.num_loaded_keyframes() > 1 };
    Ok((convert::into_rgb(decoded, rendering, remarks), stored, held))
}
