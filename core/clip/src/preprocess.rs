//! Converts pictures to the image tower's input: resize and center crop on the threads that decode, normalize where the tower
//! runs.
//!
//! Like the reference implementation with Pillow (`CLIPImageProcessorPil`): the resized bytes are exact, the normalized
//! numbers agree to 1e-6. Only the pixels that the crop keeps are computed.

use crate::config::{CLIP_MEAN, CLIP_STD, Family};
use crate::error::ClipError;
use candle_core::{DType, Tensor};
use chaffinch_compute::image::RgbImage;
use chaffinch_compute::image::resample::{Filter, Window, resize_window};
use rayon::prelude::*;
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

/// Part of every fingerprint: incremented whenever the same picture may give different numbers.
pub const PREPROCESSING_VERSION: &str = "p1";

const IMAGENET_MEAN: [f64; 3] = [0.485, 0.456, 0.406];
const IMAGENET_STD: [f64; 3] = [0.229, 0.224, 0.225];

/// How a picture is resized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resize {
    /// Not at all.
    Keep,
    /// The shorter side gets this length, the other one follows.
    Shortest(u32),
    /// To width and height, ignoring the aspect ratio.
    Exact(u32, u32),
}

/// A checkpoint's preprocessing.
#[derive(Clone)]
pub(crate) struct Preprocessing {
    resize: Resize,
    filter: Filter,
    /// Side of the center crop.
    crop: Option<u32>,
    /// Whether half a pixel at the crop's edge is rounded to the even side, as torchvision does, not down.
    to_even: bool,
    /// The number for each byte of each channel.
    table: [Vec<f32>; 3],
    /// Nearly the same as a factor and a term for each channel.
    line: [[f32; 2]; 3],
    size: u32,
    /// A text form of all of the above, for the fingerprint.
    words: String,
}

#[derive(Deserialize, Default)]
struct Raw {
    do_resize: Option<bool>,
    size: Option<Value>,
    resample: Option<u8>,
    do_center_crop: Option<bool>,
    crop_size: Option<Value>,
    do_rescale: Option<bool>,
    rescale_factor: Option<f64>,
    do_normalize: Option<bool>,
    image_mean: Option<[f64; 3]>,
    image_std: Option<[f64; 3]>,
    /// Ours, for OpenCLIP.
    crop_rounds_to_even: Option<bool>,
}

impl Preprocessing {
    /// From the text of a `preprocessor_config.json`, or the family's defaults without one. `image_size` is the
    /// side of the tower's input; DINOv2 takes any, so there the file decides.
    ///
    /// # Errors
    /// When it is not valid JSON, requires something unsupported, or its result does not match the tower.
    pub(crate) fn new(
        text: Option<&str>,
        path: &Path,
        family: Family,
        image_size: usize,
    ) -> Result<Preprocessing, ClipError> {
        let wrong = |reason: String| ClipError::Config { path: path.into(), reason };
        let size = u32::try_from(image_size).map_err(|_| wrong(format!("an image size of {image_size}")))?;
        let raw: Raw = match text {
            Some(text) => serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?,
            None => Raw::default(),
        };
        // Without a file, use the tower's size; with one, the reference implementation's default.
        let default = if text.is_some() { 224 } else { size };
        let free = family == Family::Dinov2;
        let default = if free { 224 } else { default };
        let clip = family == Family::Clip || free;
        let resize = match (raw.do_resize.unwrap_or(true), &raw.size) {
            (false, _) => Resize::Keep,
            // As published; the reference implementation's default, with a file that does not say, is smaller.
            (true, None) if free && text.is_none() => Resize::Shortest(256),
            (true, None) if clip => Resize::Shortest(default),
            (true, None) => Resize::Exact(default, default),
            (true, Some(value)) => {
                resize_of(value).ok_or_else(|| wrong(format!("size {value} is not supported")))?
            }
        };
        let crop = match (raw.do_center_crop.unwrap_or(clip), &raw.crop_size) {
            (false, _) => None,
            (true, None) => Some(default),
            (true, Some(value)) => Some(
                square(value)
                    .ok_or_else(|| wrong(format!("crop_size {value} is not supported: not a square")))?,
            ),
        };
        let result = crop.or(match resize {
            Resize::Exact(width, height) if width == height => Some(width),
            _ => None,
        });
        let side = if free { result } else { Some(size) };
        let Some(size) = side.filter(|_| result == side) else {
            let found =
                result.map_or("of no fixed square size".into(), |side| format!("of {side} x {side} pixels"));
            let takes = if free { "squares".to_owned() } else { format!("{size} x {size}") };
            return Err(wrong(format!("it produces images {found}, but the model takes {takes}")));
        };
        let resample = if family == Family::Vit { 2 } else { 3 };
        let filter = match raw.resample.unwrap_or(resample) {
            1 => Filter::Lanczos,
            2 => Filter::Bilinear,
            3 => Filter::Bicubic,
            4 => Filter::Box,
            other => return Err(wrong(format!("resample {other} is not supported, use 1, 2, 3 or 4"))),
        };
        let factor =
            if raw.do_rescale.unwrap_or(true) { raw.rescale_factor.unwrap_or(1.0 / 255.0) } else { 1.0 };
        let (mean, std) = match family {
            Family::Dinov2 if text.is_none() => (IMAGENET_MEAN, IMAGENET_STD),
            Family::Clip | Family::Dinov2 => (CLIP_MEAN, CLIP_STD),
            Family::Siglip | Family::Vit => ([0.5; 3], [0.5; 3]),
        };
        let (mean, std) = match raw.do_normalize.unwrap_or(true) {
            true => (raw.image_mean.unwrap_or(mean), raw.image_std.unwrap_or(std)),
            false => ([0.0; 3], [1.0; 3]),
        };
        if std.iter().any(|&std| std.is_nan() || std <= 0.0) {
            return Err(wrong(format!("image_std {std:?} is not positive")));
        }
        // Rounded where numpy rounds.
        let number = |channel: usize, byte: u8| {
            ((f64::from(byte) * factor) as f32 - mean[channel] as f32) / std[channel] as f32
        };
        let table = [0, 1, 2].map(|channel| (0..=255).map(|byte| number(channel, byte)).collect());
        let line = [0, 1, 2].map(|at| [factor / std[at], -mean[at] / std[at]].map(|number| number as f32));
        let to_even = raw.crop_rounds_to_even.unwrap_or(false);
        let mut words = format!("{resize:?} {filter:?} {crop:?} {factor:e} {mean:?} {std:?}");
        if to_even {
            words += " to even";
        }
        Ok(Preprocessing { resize, filter, crop, to_even, table, line, size, words })
    }

    /// Everything that affects its result, for the fingerprint.
    pub(crate) fn words(&self) -> &str {
        &self.words
    }

    /// Side of the result in pixels.
    pub(crate) fn side(&self) -> usize {
        self.size as usize
    }

    /// Bytes of one picture: `3 * size * size`.
    pub(crate) fn len(&self) -> usize {
        3 * self.size as usize * self.size as usize
    }

    /// `[3, size, size]`, channel by channel.
    pub(crate) fn apply(&self, image: &RgbImage) -> Vec<u8> {
        let image = self.pixels(image);
        let plane = image.len() / 3;
        let mut out = vec![0; self.len()];
        for (channel, out) in out.chunks_exact_mut(plane.max(1)).enumerate() {
            let bytes = image.iter().skip(channel).step_by(3);
            out.iter_mut().zip(bytes).for_each(|(out, &byte)| *out = byte);
        }
        out
    }

    /// The numbers of pictures that [`Preprocessing::apply`] made.
    pub(crate) fn normalized(&self, pictures: &[u8]) -> Vec<f32> {
        let plane = (self.len() / 3).max(1);
        let mut out = vec![0.0; pictures.len()];
        out.par_chunks_mut(plane).zip(pictures.par_chunks(plane)).enumerate().for_each(
            |(at, (out, bytes))| {
                let table = &self.table[at % 3];
                out.iter_mut().zip(bytes).for_each(|(out, &byte)| *out = table[usize::from(byte)]);
            },
        );
        out
    }

    /// The factor and the term of each channel that make a number of a byte, nearly the same one.
    pub(crate) fn line(&self) -> [[f32; 2]; 3] {
        self.line
    }

    /// The same on a device, in that precision: `[batch, 3, size, size]` from bytes, which are all that is sent to it.
    pub(crate) fn normalized_on(&self, bytes: &Tensor, dtype: DType) -> candle_core::Result<Tensor> {
        let channels = |which: usize| {
            let numbers: Vec<f32> = self.line.iter().map(|line| line[which]).collect();
            Tensor::from_vec(numbers, (1, 3, 1, 1), bytes.device())
        };
        let numbers =
            bytes.to_dtype(DType::F32)?.broadcast_mul(&channels(0)?)?.broadcast_add(&channels(1)?)?;
        numbers.to_dtype(dtype)
    }

    /// The bytes of the resized and cropped picture. Parts of a crop outside the picture are black.
    fn pixels(&self, image: &RgbImage) -> RgbImage {
        let (width, height) = self.resized(image.width(), image.height());
        let (Some((left, wide, x)), Some((top, high, y))) = (self.kept(width), self.kept(height)) else {
            return RgbImage::new(self.size, self.size);
        };
        let window = Window { left, top, width: wide, height: high };
        let part = resize_window(image, width, height, window, self.filter);
        if part.dimensions() == (self.size, self.size) {
            return part;
        }
        let mut whole = RgbImage::new(self.size, self.size);
        for (from_x, from_y, pixel) in part.enumerate_pixels() {
            whole.put_pixel(x + from_x, y + from_y, *pixel);
        }
        whole
    }

    /// What of a picture of that size is in the result: left, top, right and bottom as shares of its sides. What lies outside of 0..1 is
    /// black.
    pub(crate) fn seen(&self, width: u32, height: u32) -> [f32; 4] {
        let (width, height) = self.resized(width, height);
        let along = |length: u32| {
            let side = f64::from(self.crop.unwrap_or(length));
            let start = self.kept(length).map_or(0.0, |(from, _, at)| f64::from(from) - f64::from(at));
            let length = f64::from(length.max(1));
            [start / length, (start + side) / length].map(|share| share as f32)
        };
        let ([left, right], [top, bottom]) = (along(width), along(height));
        [left, top, right, bottom]
    }

    fn resized(&self, width: u32, height: u32) -> (u32, u32) {
        match self.resize {
            Resize::Keep => (width, height),
            Resize::Exact(width, height) => (width, height),
            Resize::Shortest(side) => {
                let longer = |long: u32, short: u32| {
                    let exact = u64::from(side) * u64::from(long) / u64::from(short.max(1));
                    u32::try_from(exact).unwrap_or(u32::MAX)
                };
                if width <= height { (side, longer(height, width)) } else { (longer(width, height), side) }
            }
        }
    }

    /// For a side of that length: offset and length of the kept part, and its offset in the result.
    fn kept(&self, length: u32) -> Option<(u32, u32, u32)> {
        let side = self.crop.unwrap_or(length);
        let (length, side) = (i64::from(length), i64::from(side));
        let spare = length - side;
        let half = spare.div_euclid(2);
        let up = self.to_even && spare > 0 && spare % 2 == 1 && half % 2 == 1;
        let offset = half + i64::from(up);
        let (start, end) = (offset.max(0), (offset + side).min(length));
        let number = |n: i64| u32::try_from(n).ok();
        Some((number(start)?, number(end - start)?, number(start - offset)?))
    }
}

/// An integer, `shortest_edge`, or `height` and `width`.
fn resize_of(value: &Value) -> Option<Resize> {
    if let Some(side) = side(value) {
        return Some(Resize::Shortest(side));
    }
    let fields = value.as_object()?;
    match (fields.get("shortest_edge"), fields.get("height"), fields.get("width"), fields.len()) {
        (Some(shortest), None, None, 1) => side(shortest).map(Resize::Shortest),
        (None, Some(height), Some(width), 2) => Some(Resize::Exact(side(width)?, side(height)?)),
        _ => None,
    }
}

fn square(value: &Value) -> Option<u32> {
    if let Some(side) = side(value) {
        return Some(side);
    }
    let (height, width) = (side(value.get("height")?)?, side(value.get("width")?)?);
    (height == width).then_some(width)
}

fn side(value: &Value) -> Option<u32> {
    value.as_u64().filter(|side| (1..=4096).contains(side)).and_then(|side| u32::try_from(side).ok())
}

#[cfg(test)]
mod tests;
