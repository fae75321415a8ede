//! How many of 16 bits a dataset's pictures use: what camera and scanner write into the lower part of each value.

use super::pixels_of;
use image::{DynamicImage, ImageFormat, ImageReader};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io::{BufRead, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The depths that sensors have, in bits.
const DEPTHS: [u8; 5] = [8, 10, 12, 14, 16];

/// The depths that the 16-bit pictures of a dataset use.
///
/// Pictures of one sensor do not all use its whole range, and two that are nearly the same must not differ in brightness
/// because one of them has a brighter pixel. Depths next to each other in 8, 10, 12, 14, 16 that all occur are therefore
/// one source, which is shown by its greatest; a depth that does not occur divides two sources.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Depths(u8);

impl Depths {
    /// Adds the depth that a picture uses.
    pub fn add(&mut self, bits: u8) {
        if let Some(place) = DEPTHS.iter().position(|&depth| depth == bits) {
            self.0 |= 1 << place;
        }
    }

    /// The depth by which a picture that uses so many bits is shown.
    pub fn range(self, bits: u8) -> u8 {
        let Some(mut place) = DEPTHS.iter().position(|&depth| depth == bits) else { return bits };
        while place + 1 < DEPTHS.len() && self.0 & 1 << (place + 1) != 0 {
            place += 1;
        }
        DEPTHS[place]
    }

    /// Whether every picture is shown by the depth that it uses itself.
    pub fn are_apart(self) -> bool {
        self.0 & self.0 << 1 == 0
    }
}

impl fmt::Display for Depths {
    /// `10-12`; empty if there is no picture of 16 bits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let used = DEPTHS.iter().enumerate().filter(|(place, _)| self.0 & 1 << place != 0);
        let words: Vec<String> = used.map(|(_, depth)| depth.to_string()).collect();
        f.write_str(&words.join("-"))
    }
}

/// The least of the depths that holds all values.
pub(super) fn of(values: impl Iterator<Item = u16>) -> u8 {
    let highest = values.max().unwrap_or(0);
    match highest {
        // Black in whichever way.
        0 => 16,
        _ => DEPTHS.into_iter().find(|&depth| u32::from(highest) < 1 << depth).unwrap_or(16),
    }
}

/// The depth that a file uses; `None` if it is not a PNG or TIFF of 16 bits per channel, is black, or cannot be decoded.
/// Only the head is read of any other file.
pub fn depth_of(mut file: impl BufRead + Seek) -> Option<u8> {
    let format = match file.fill_buf().ok()? {
        [0x89, b'P', b'N', b'G', ..] => ImageFormat::Png,
        [b'I', b'I', b'*' | b'+', 0, ..] | [b'M', b'M', 0, b'*' | b'+', ..] => ImageFormat::Tiff,
        _ => return None,
    };
    catch_unwind(AssertUnwindSafe(|| {
        let image = pixels_of(ImageReader::with_format(file, format), |color| {
            color.bytes_per_pixel() == 2 * color.channel_count()
        });
        let (image, _held) = image.ok().flatten()?;
        match image {
            DynamicImage::ImageLuma16(image) => highest(image.iter().copied()),
            DynamicImage::ImageRgb16(image) => highest(image.iter().copied()),
            DynamicImage::ImageLumaA16(image) => highest(image.pixels().map(|pixel| pixel.0[0])),
            DynamicImage::ImageRgba16(image) => {
                highest(image.pixels().flat_map(|pixel| pixel.0.into_iter().take(3)))
            }
            _ => None,
        }
    }))
    .ok()
    .flatten()
}

fn highest(values: impl Iterator<Item = u16> + Clone) -> Option<u8> {
    values.clone().any(|value| value > 0).then(|| of(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighboring_depths_are_one_source() {
        let of = |used: &[u8]| {
            let mut depths = Depths::default();
            used.iter().for_each(|&bits| depths.add(bits));
            depths
        };
        let sensor = of(&[10, 12, 12, 8]);
        assert_eq!([8, 10, 12].map(|bits| sensor.range(bits)), [12; 3]);
        assert_eq!((sensor.to_string().as_str(), sensor.are_apart()), ("8-10-12", false));
        // What a thermal camera stores beside photographs.
        let two = of(&[16, 8]);
        assert_eq!(([8, 16].map(|bits| two.range(bits)), two.are_apart()), ([8, 16], true));
        assert_eq!((Depths::default().range(12), Depths::default().to_string().as_str()), (12, ""));
    }
}
