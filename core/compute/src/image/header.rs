//! The size of a picture by its header alone.

use image::{ImageDecoder, ImageReader};
use std::io::{BufReader, Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Pixels of the shorter side, by the picture's header; `None` if it cannot be read. The rest is not looked at, so that the
/// picture may still turn out to be broken.
pub fn shorter_side(bytes: impl Read + Seek) -> Option<u32> {
    let read = || {
        let reader = ImageReader::new(BufReader::new(bytes)).with_guessed_format().ok()?;
        let (width, height) = reader.into_decoder().ok()?.dimensions();
        Some(width.min(height))
    };
    catch_unwind(AssertUnwindSafe(read)).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageFormat, RgbImage};
    use std::io::Cursor;

    #[test]
    fn the_shorter_side_is_read_from_the_header() {
        let mut bytes = Cursor::new(Vec::new());
        RgbImage::new(30, 20).write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.set_position(0);
        assert_eq!(shorter_side(bytes), Some(20));
        assert_eq!(shorter_side(Cursor::new(b"no picture")), None);
    }
}
