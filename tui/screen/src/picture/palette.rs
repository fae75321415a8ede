//! Palette pictures: fewer colors take fewer bytes.

use super::Pixels;
use color_quant::NeuQuant;
use std::collections::BTreeMap;

/// A picture as places in a list of colors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Indexed {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// The colors, at most 256.
    pub colors: Vec<[u8; 3]>,
    /// A place in the colors for every pixel.
    pub places: Vec<u8>,
    /// Whether every pixel has exactly its own color.
    pub exact: bool,
}

/// Every how many pixels the network learns from: slower is better.
const SAMPLING: i32 = 10;

/// Reduces a picture to at most `most` colors, between 64 and 256. One that has no more keeps its own.
pub(super) fn reduce(pixels: &Pixels, most: usize) -> Indexed {
    let most = most.clamp(64, 256);
    let (width, height) = (pixels.width, pixels.height);
    if let Some((colors, places)) = own_colors(&pixels.rgb, most) {
        return Indexed { width, height, colors, places, exact: true };
    }
    let rgba: Vec<u8> = pixels.rgb.chunks_exact(3).flat_map(|c| [c[0], c[1], c[2], 255]).collect();
    let network = NeuQuant::new(SAMPLING, most, &rgba);
    let colors = network.color_map_rgb().chunks_exact(3).map(|c| [c[0], c[1], c[2]]).collect();
    let mut last = (None, 0);
    let places = rgba.chunks_exact(4).map(|pixel| {
        if last.0 != Some(pixel) {
            last = (Some(pixel), network.index_of(pixel) as u8);
        }
        last.1
    });
    let places = places.collect();
    Indexed { width, height, colors, places, exact: false }
}

/// The picture's own colors in the order of their first use, if they are few.
fn own_colors(rgb: &[u8], most: usize) -> Option<(Vec<[u8; 3]>, Vec<u8>)> {
    let mut known: BTreeMap<[u8; 3], u8> = BTreeMap::new();
    let mut colors = Vec::new();
    let mut places = Vec::with_capacity(rgb.len() / 3);
    for pixel in rgb.chunks_exact(3) {
        let color = [pixel[0], pixel[1], pixel[2]];
        let index = match known.get(&color) {
            Some(index) => *index,
            None if colors.len() == most => return None,
            None => {
                let index = colors.len() as u8;
                colors.push(color);
                known.insert(color, index);
                index
            }
        };
        places.push(index);
    }
    Some((colors, places))
}

/// A PNG with a palette.
///
/// # Errors
/// If the picture has no pixels.
pub(super) fn palette_png(picture: &Indexed) -> Result<Vec<u8>, png::EncodingError> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, picture.width, picture.height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(picture.colors.concat());
    encoder.set_compression(png::Compression::Balanced);
    // Neighboring places in a palette say nothing about each other.
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&picture.places)?;
    writer.finish()?;
    Ok(out)
}

/// A PNG with every color exactly.
///
/// # Errors
/// If the picture has no pixels.
pub(super) fn true_png(pixels: &Pixels) -> Result<Vec<u8>, png::EncodingError> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, pixels.width, pixels.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    encoder.set_filter(png::Filter::Adaptive);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels.rgb)?;
    writer.finish()?;
    Ok(out)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::picture::tests::{distance, photo};

    fn decoded(png: &[u8]) -> Pixels {
        let image = image::load_from_memory(png).unwrap().into_rgb8();
        Pixels { width: image.width(), height: image.height(), rgb: image.into_raw() }
    }

    #[test]
    fn few_colors_stay_exact() {
        let pixels = Pixels { width: 40, height: 5, rgb: (0..200).flat_map(|i| [i as u8, 7, 9]).collect() };
        let indexed = reduce(&pixels, 256);
        assert!(indexed.exact);
        assert_eq!(decoded(&palette_png(&indexed).unwrap()), pixels);
        assert!(!reduce(&pixels, 64).exact);
    }

    #[test]
    fn many_colors_stay_near_and_cost_less() {
        let pixels = photo(300, 200);
        let exact = true_png(&pixels).unwrap();
        assert_eq!(decoded(&exact), pixels);
        let indexed = reduce(&pixels, 256);
        assert!(!indexed.exact && indexed.colors.len() <= 256);
        let png = palette_png(&indexed).unwrap();
        assert!(png.len() * 3 < exact.len() * 2, "{} of {}", png.len(), exact.len());
        assert!(distance(&decoded(&png), &pixels) < 6.0, "{}", distance(&decoded(&png), &pixels));
    }

    #[test]
    fn nothing_is_an_error_and_no_panic() {
        let nothing = Pixels { width: 0, height: 0, rgb: Vec::new() };
        assert!(palette_png(&reduce(&nothing, 256)).is_err());
        assert!(true_png(&nothing).is_err());
    }
}
