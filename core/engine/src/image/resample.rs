//! Resampling that gives the same bytes as Pillow.
//!
//! Fixed point with 22 bits, horizontal pass first and rounded to 8 bits, then vertical, as in Pillow's
//! `Resample.c`; reproduced from its documented behaviour and checked against its output.

use image::RgbImage;

/// The kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Cubic with a = -0.5, support 2.
    Bicubic,
    /// Sinc windowed by sinc, support 3.
    Lanczos,
    /// Triangle, support 1.
    Bilinear,
    /// Mean over the covered area, support 0.5.
    Box,
}
