//! Images: decoding, exact resampling and perceptual hashes.

pub mod decode;
mod gif;
pub mod header;
pub mod phash;
pub mod resample;
pub mod source;
pub mod thumbnail;

/// 8-bit RGB pixels, row by row.
pub use image::RgbImage;
