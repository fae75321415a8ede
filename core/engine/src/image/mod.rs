//! Images: decoding, exact resampling and perceptual hashes.

pub mod resample;

/// 8-bit RGB pixels, row by row.
pub use image::RgbImage;
