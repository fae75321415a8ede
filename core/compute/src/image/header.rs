//! The size of a picture by its header alone.

use image::{ImageDecoder, ImageReader};
use std::fs::File;
use std::io::BufReader;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Pixels of the shorter side, by the file's header; `None` if it cannot be read. The rest of the file is not looked at, so
/// that the picture may still turn out to be broken.
pub fn shorter_side(path: &Path) -> Option<u32> {
    // Opening something else, such as a pipe, could wait forever.
    if !std::fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let file = BufReader::new(File::open(path).ok()?);
    let read = || {
        let reader = ImageReader::new(file).with_guessed_format().ok()?;
        let (width, height) = reader.into_decoder().ok()?.dimensions();
        Some(width.min(height))
    };
    catch_unwind(AssertUnwindSafe(read)).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::RgbImage;

    #[test]
    fn the_shorter_side_is_read_from_the_header() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        RgbImage::new(30, 20).save(&path).unwrap();
        assert_eq!(shorter_side(&path), Some(20));
        std::fs::write(&path, b"no picture").unwrap();
        assert_eq!(shorter_side(&path), None);
        assert_eq!(shorter_side(folder.path()), None);
        assert_eq!(shorter_side(&folder.path().join("gone.png")), None);
    }
}
