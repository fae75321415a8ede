//! From what a file stores to upright 8-bit RGB.

use super::depth::{self, Depths};
use super::remark::Remark;
use image::{DynamicImage, RgbImage};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What is put in the place of transparency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ground {
    /// Nothing: transparency is dropped and the color below it shown, as in Pillow's `convert("RGB")`.
    #[default]
    Dropped,
    /// A color, onto which the picture is blended.
    Color([u8; 3]),
}

impl FromStr for Ground {
    type Err = String;

    /// `dropped`, `white`, `black` or a color as `#rrggbb`.
    fn from_str(text: &str) -> Result<Ground, String> {
        let code = match text {
            "dropped" => return Ok(Ground::Dropped),
            "white" => "ffffff",
            "black" => "000000",
            code => code.strip_prefix('#').unwrap_or(code),
        };
        let digits = code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u32::from_str_radix(code, 16).ok().filter(|_| digits);
        let number = number.ok_or_else(|| format!("'{text}' is not a color; use white, black or #rrggbb"))?;
        let [_, r, g, b] = number.to_be_bytes();
        Ok(Ground::Color([r, g, b]))
    }
}

impl fmt::Display for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ground::Dropped => f.write_str("dropped"),
            Ground::Color([r, g, b]) => write!(f, "#{r:02x}{g:02x}{b:02x}"),
        }
    }
}

/// How the pictures of a dataset become 8-bit RGB.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rendering {
    /// What is put in the place of transparency.
    pub ground: Ground,
    /// The depths of its 16-bit pictures; if there is none, each is shown by its own.
    pub depths: Depths,
}

impl From<Ground> for Rendering {
    fn from(ground: Ground) -> Rendering {
        Rendering { ground, ..Rendering::default() }
    }
}

impl Rendering {
    /// What distinguishes vectors of pictures that were rendered in another way: names of folders, one in the other. Vectors
    /// are found by the contents of files, which say nothing of it.
    pub fn folders(&self) -> Vec<String> {
        let ground = match self.ground {
            Ground::Dropped => None,
            color @ Ground::Color(_) => Some(format!("on-{}", color.to_string().trim_start_matches('#'))),
        };
        let depths = (!self.depths.are_apart()).then(|| format!("bits-{}", self.depths));
        ground.into_iter().chain(depths).collect()
    }
}

/// Levels between the brightest and the darkest pixel up to which a channel is flat.
const FLAT: u8 = 2;

/// Converts to 8-bit RGB like Pillow, but for what is said in the remarks.
pub(super) fn into_rgb(image: DynamicImage, rendering: Rendering, remarks: &mut Vec<Remark>) -> RgbImage {
    let Rendering { ground, depths } = rendering;
    let (width, height) = (image.width(), image.height());
    let lower = |bits: u8| move |value: u16| (value >> (bits - 8)) as u8;
    // Channels of a pixel and 8-bit values.
    let (channels, bytes): (usize, Vec<u8>) = match image {
        DynamicImage::ImageRgb8(image) => return image,
        DynamicImage::ImageLuma16(image) => {
            let bits = range(image.iter().copied(), depths, remarks);
            (1, image.into_raw().into_iter().map(lower(bits)).collect())
        }
        DynamicImage::ImageRgb16(image) => {
            let bits = range(image.iter().copied(), depths, remarks);
            (3, image.into_raw().into_iter().map(lower(bits)).collect())
        }
        DynamicImage::ImageLumaA16(image) => {
            let bits = range(image.pixels().map(|pixel| pixel.0[0]), depths, remarks);
            (2, image.pixels().flat_map(|pixel| [lower(bits)(pixel.0[0]), lower(16)(pixel.0[1])]).collect())
        }
        DynamicImage::ImageRgba16(image) => {
            let bits = range(image.pixels().flat_map(|pixel| pixel.0.into_iter().take(3)), depths, remarks);
            let pixel =
                |[r, g, b, a]: [u16; 4]| [lower(bits)(r), lower(bits)(g), lower(bits)(b), lower(16)(a)];
            (4, image.pixels().flat_map(|one| pixel(one.0)).collect())
        }
        DynamicImage::ImageLumaA8(image) => (2, image.into_raw()),
        DynamicImage::ImageRgba8(image) => (4, image.into_raw()),
        other => return other.into_rgb8(),
    };
    let bytes = match channels {
        1 => bytes.into_iter().flat_map(|gray| [gray; 3]).collect(),
        3 => bytes,
        channels => opaque(&bytes, channels, ground, remarks),
    };
    RgbImage::from_raw(width, height, bytes).unwrap_or_default()
}

/// Pixels without their transparency.
fn opaque(bytes: &[u8], channels: usize, ground: Ground, remarks: &mut Vec<Remark>) -> Vec<u8> {
    let color = |pixel: &[u8]| if channels == 2 { [pixel[0]; 3] } else { [pixel[0], pixel[1], pixel[2]] };
    let pixels = || bytes.chunks_exact(channels);
    let rgb: Vec<u8> = match ground {
        Ground::Dropped => pixels().flat_map(color).collect(),
        Ground::Color(ground) => pixels()
            .flat_map(|pixel| {
                let alpha = u32::from(pixel[channels - 1]);
                let blend = |(above, below): (u8, u8)| {
                    ((u32::from(above) * alpha + u32::from(below) * (255 - alpha) + 127) / 255) as u8
                };
                let above = color(pixel);
                [0, 1, 2].map(|channel| blend((above[channel], ground[channel])))
            })
            .collect(),
    };
    let alpha = || pixels().map(|pixel| pixel[channels - 1]);
    if alpha().min() != alpha().max() && is_flat(&rgb) {
        remarks.push(Remark::Flattened);
    }
    rgb
}

fn is_flat(rgb: &[u8]) -> bool {
    let Some((first, rest)) = rgb.split_first_chunk::<3>() else { return false };
    let (mut low, mut high) = (*first, *first);
    for pixel in rest.chunks_exact(3) {
        for channel in 0..3 {
            low[channel] = low[channel].min(pixel[channel]);
            high[channel] = high[channel].max(pixel[channel]);
        }
        if (0..3).any(|channel| high[channel] - low[channel] > FLAT) {
            return false;
        }
    }
    true
}

/// The bits by which 16-bit values are shown, and a remark on how many of them the picture uses.
fn range(values: impl Iterator<Item = u16> + Clone, depths: Depths, remarks: &mut Vec<Remark>) -> u8 {
    if values.clone().all(|value| value == 0) {
        return 16;
    }
    let bits = depth::of(values);
    let range = depths.range(bits);
    remarks.push(Remark::Deep { bits, range });
    range
}
