//! iTerm2's inline pictures: a whole file in one sequence.

use super::{Pixels, palette};
use crate::text::base64;
use image::ExtendedColorType::Rgb8;
use image::codecs::jpeg::JpegEncoder;

/// A JPEG of this quality.
///
/// # Errors
/// If the picture has no pixels.
pub(super) fn jpeg(pixels: &Pixels, quality: u8) -> image::ImageResult<Vec<u8>> {
    let mut out = Vec::new();
    JpegEncoder::new_with_quality(&mut out, quality).encode(
        &pixels.rgb,
        pixels.width,
        pixels.height,
        Rgb8,
    )?;
    Ok(out)
}

/// A file that shows exactly these pixels.
pub(super) fn exact(pixels: &Pixels) -> Option<Vec<u8>> {
    palette::true_png(pixels).ok()
}

/// The sequence that draws a file over so many cells, from where the cursor is.
pub(super) fn sequence(file: &[u8], columns: u16, rows: u16) -> String {
    format!(
        "\x1b]1337;File=inline=1;size={};width={columns};height={rows};preserveAspectRatio=0;\
         doNotMoveCursor=1:{}\x07",
        file.len(),
        base64(file)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::tests::{distance, photo};

    #[test]
    fn the_file_decodes_to_the_picture() {
        let pixels = photo(120, 80);
        for (quality, limit) in [(50, 12.0), (80, 8.0)] {
            let file = jpeg(&pixels, quality).unwrap();
            let image = image::load_from_memory(&file).unwrap().into_rgb8();
            let got = Pixels { width: image.width(), height: image.height(), rgb: image.into_raw() };
            assert!(distance(&got, &pixels) < limit, "quality {quality}: {}", distance(&got, &pixels));
        }
        let image = image::load_from_memory(&exact(&pixels).unwrap()).unwrap().into_rgb8();
        assert_eq!(image.into_raw(), pixels.rgb);
    }

    #[test]
    fn the_sequence_names_cells_and_size() {
        let text = sequence(b"abc", 30, 15);
        assert!(text.starts_with("\x1b]1337;File=inline=1;size=3;width=30;height=15;"), "{text:?}");
        assert!(text.ends_with(":YWJj\x07"), "{text:?}");
    }
}
