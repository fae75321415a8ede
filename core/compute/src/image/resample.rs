//! Resampling that gives the same bytes as Pillow.
//!
//! Fixed point with 22 bits, and the first pass rounded to 8 bits before the second one, as in Pillow's `Resample.c`;
//! reproduced from its documented behavior and checked against its output. A pass whose size does not change is
//! skipped, as in Pillow. The horizontal pass comes first, unless the height shrinks much more than the width: in that
//! case Pillow 13 starts with the vertical pass (older versions never did), and so does this.

mod plan;

use crate::vector::{Kernel, wide};
use image::RgbImage;
pub use plan::{Pass, Plan, plan};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

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

/// A rectangle inside the resized picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Columns left of it.
    pub left: u32,
    /// Rows above it.
    pub top: u32,
    /// Its columns.
    pub width: u32,
    /// Its rows.
    pub height: u32,
}

/// The resized picture, like Pillow's `Image.resize`.
///
/// A picture or a size without pixels gives black pixels.
pub fn resize(image: &RgbImage, width: u32, height: u32, filter: Filter) -> RgbImage {
    resize_window(image, width, height, Window { left: 0, top: 0, width, height }, filter)
}

/// A part of the resized picture: the same bytes as cropping the result of [`resize`], but only they are
/// computed. A window outside the resized picture gives black pixels.
pub fn resize_window(image: &RgbImage, width: u32, height: u32, window: Window, filter: Filter) -> RgbImage {
    let size = Size { from: image.dimensions(), to: (width, height) };
    let pixels = resampled::<3>(image.as_raw(), size, window, filter);
    RgbImage::from_raw(window.width, window.height, pixels).unwrap_or_default()
}

/// Gray pixels resized, row by row, like Pillow's `Image.resize` for an image of mode `L`.
///
/// `pixels` holds `width * height` numbers; anything else gives black pixels.
pub fn resize_gray(
    pixels: &[u8],
    width: u32,
    height: u32,
    new_width: u32,
    new_height: u32,
    filter: Filter,
) -> Vec<u8> {
    let size = Size { from: (width, height), to: (new_width, new_height) };
    let window = Window { left: 0, top: 0, width: new_width, height: new_height };
    resampled::<1>(pixels, size, window, filter)
}

/// Columns and rows before and after.
#[derive(Clone, Copy)]
struct Size {
    from: (u32, u32),
    to: (u32, u32),
}

const PRECISION_BITS: u32 = 32 - 8 - 2;
const HALF: i32 = 1 << (PRECISION_BITS - 1);

fn resampled<const CHANNELS: usize>(pixels: &[u8], size: Size, window: Window, filter: Filter) -> Vec<u8> {
    let (width, height) = (size.from.0 as usize, size.from.1 as usize);
    let (out_width, out_height) = (window.width as usize, window.height as usize);
    let usable = width > 0 && height > 0 && pixels.len() == width * height * CHANNELS;
    if !usable || !inside(size, window) || out_width == 0 || out_height == 0 {
        return vec![0; out_width * out_height * CHANNELS];
    }
    let columns = Taps::of(size.from.0, size.to.0, window.left, window.width, filter);
    let rows = Taps::of(size.from.1, size.to.1, window.top, window.height, filter);
    let (same_width, same_height) = (size.from.0 == size.to.0, size.from.1 == size.to.1);
    if !same_width && vertical_first(size) {
        return horizontal::<CHANNELS>(&vertical(pixels, width * CHANNELS, 0, &rows), width, &columns);
    }
    // Only the rows that the vertical pass will read go through the horizontal one.
    let (first, last) =
        if same_height { (window.top as usize, window.top as usize + out_height) } else { rows.range() };
    let source = &pixels[first * width * CHANNELS..last * width * CHANNELS];
    let middle = if !same_width {
        Cow::Owned(horizontal::<CHANNELS>(source, width, &columns))
    } else if out_width == width {
        Cow::Borrowed(source)
    } else {
        let left = window.left as usize * CHANNELS;
        let part = |row: &[u8]| row[left..left + out_width * CHANNELS].to_vec();
        source.chunks_exact(width * CHANNELS).flat_map(part).collect()
    };
    if same_height { middle.into_owned() } else { vertical(&middle, out_width * CHANNELS, first, &rows) }
}

/// Whether the window is a part of the resized picture.
fn inside(size: Size, window: Window) -> bool {
    let fits = |start: u32, length: u32, whole: u32| u64::from(start) + u64::from(length) <= u64::from(whole);
    fits(window.left, window.width, size.to.0) && fits(window.top, window.height, size.to.1)
}

/// Whether Pillow 13 starts with the rows: it does if the height shrinks by more than twice as much as the width.
fn vertical_first(size: Size) -> bool {
    let lost = |from: u32, to: u32| i64::from(from) - i64::from(to);
    let (columns, rows) = (lost(size.from.0, size.to.0), lost(size.from.1, size.to.1));
    rows > 0 && rows > 2 * columns
}

fn horizontal<const CHANNELS: usize>(source: &[u8], width: usize, taps: &Taps) -> Vec<u8> {
    wide(Horizontal::<CHANNELS> { source, width, taps })
}

struct Horizontal<'a, const CHANNELS: usize> {
    source: &'a [u8],
    width: usize,
    taps: &'a Taps,
}

impl<const CHANNELS: usize> Kernel for Horizontal<'_, CHANNELS> {
    type Output = Vec<u8>;

    #[inline(always)]
    fn call(self) -> Vec<u8> {
        let Horizontal { source, width, taps } = self;
        let mut out = Vec::with_capacity(source.len() / (width * CHANNELS) * taps.starts.len() * CHANNELS);
        let mut planes: [Vec<u8>; CHANNELS] = std::array::from_fn(|_| vec![0; width]);
        for row in source.chunks_exact(width * CHANNELS) {
            // Channel by channel, because sums of adjacent bytes vectorize well.
            for (channel, plane) in planes.iter_mut().enumerate() {
                plane
                    .iter_mut()
                    .zip(row.as_chunks::<CHANNELS>().0)
                    .for_each(|(to, pixel)| *to = pixel[channel]);
            }
            for (start, weights) in taps.iter() {
                for plane in &planes {
                    let under = &plane[start..start + weights.len()];
                    out.push(to_byte(sum_of_products(under, weights)));
                }
            }
        }
        out
    }
}

/// Rounded; overflowing sums wrap around, so that their order does not matter.
#[inline(always)]
fn sum_of_products(values: &[u8], weights: &[i32]) -> i32 {
    const LANES: usize = 16;
    let mut lanes = [0_i32; LANES];
    let ((values, value_rest), (weights, weight_rest)) =
        (values.as_chunks::<LANES>(), weights.as_chunks::<LANES>());
    for (values, weights) in values.iter().zip(weights) {
        for lane in 0..LANES {
            lanes[lane] = lanes[lane].wrapping_add(i32::from(values[lane]).wrapping_mul(weights[lane]));
        }
    }
    let mut sum = lanes.into_iter().fold(HALF, i32::wrapping_add);
    for (&value, &weight) in value_rest.iter().zip(weight_rest) {
        sum = sum.wrapping_add(i32::from(value).wrapping_mul(weight));
    }
    sum
}

/// `first` is the row of the picture at which `source` begins.
fn vertical(source: &[u8], stride: usize, first: usize, taps: &Taps) -> Vec<u8> {
    wide(Vertical { source, stride, first, taps })
}

struct Vertical<'a> {
    source: &'a [u8],
    stride: usize,
    first: usize,
    taps: &'a Taps,
}

impl Kernel for Vertical<'_> {
    type Output = Vec<u8>;

    #[inline(always)]
    fn call(self) -> Vec<u8> {
        let Vertical { source, stride, first, taps } = self;
        let mut out = Vec::with_capacity(stride * taps.starts.len());
        let mut sums = vec![0_i32; stride];
        for (start, weights) in taps.iter() {
            sums.fill(HALF);
            let under = source[(start - first) * stride..].chunks_exact(stride);
            for (row, &weight) in under.zip(weights) {
                for (sum, &value) in sums.iter_mut().zip(row) {
                    *sum = sum.wrapping_add(i32::from(value).wrapping_mul(weight));
                }
            }
            out.extend(sums.iter().map(|&sum| to_byte(sum)));
        }
        out
    }
}

#[inline(always)]
fn to_byte(sum: i32) -> u8 {
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
}

/// Cached weights per thread: pictures of one dataset often have the same size.
const KEPT: usize = 16;

type Lengths = (u32, u32, u32, u32, Filter);

thread_local! {
    /// The latest last.
    static TAPS: RefCell<VecDeque<(Lengths, Rc<Taps>)>> = const { RefCell::new(VecDeque::new()) };
}

/// For each output position, its input positions and their weights.
struct Taps {
    starts: Vec<usize>,
    counts: Vec<usize>,
    /// `longest` numbers per output position, of which the first `counts` are used.
    weights: Vec<i32>,
    longest: usize,
}

impl Taps {
    /// The cached weights of this thread, or new ones.
    fn of(from: u32, to: u32, first: u32, count: u32, filter: Filter) -> Rc<Taps> {
        let lengths = (from, to, first, count, filter);
        let known = TAPS.with_borrow(|kept| {
            kept.iter().rev().find(|(known, _)| *known == lengths).map(|(_, taps)| taps.clone())
        });
        known.unwrap_or_else(|| {
            let taps = Rc::new(Taps::new(from, to, first, count, filter));
            TAPS.with_borrow_mut(|kept| {
                if kept.len() == KEPT {
                    kept.pop_front();
                }
                kept.push_back((lengths, taps.clone()));
            });
            taps
        })
    }

    fn new(from: u32, to: u32, first: u32, count: u32, filter: Filter) -> Taps {
        let scale = f64::from(from) / f64::from(to);
        let stretch = scale.max(1.0);
        let support = filter.support() * stretch;
        let longest = support.ceil() as usize * 2 + 1;
        let (mut starts, mut counts) = (Vec::new(), Vec::new());
        let mut weights = vec![0; longest * count as usize];
        let mut exact = Vec::with_capacity(longest);
        for (slot, position) in weights.chunks_exact_mut(longest).zip(first..) {
            let center = (f64::from(position) + 0.5) * scale;
            // Casts truncate toward zero, as in C.
            let start = (center - support + 0.5).max(0.0) as usize;
            let end = ((center + support + 0.5) as usize).min(from as usize);
            let weight = |x: usize| filter.weight((x as f64 - center + 0.5) * (1.0 / stretch));
            exact.clear();
            exact.extend((start..end).map(weight));
            let total: f64 = exact.iter().sum();
            for (slot, weight) in slot.iter_mut().zip(&exact) {
                let weight = if total == 0.0 { *weight } else { weight / total };
                let scaled = weight * f64::from(1_u32 << PRECISION_BITS);
                *slot = (scaled + if weight < 0.0 { -0.5 } else { 0.5 }) as i32;
            }
            starts.push(start);
            counts.push(exact.len());
        }
        Taps { starts, counts, weights, longest }
    }

    fn iter(&self) -> impl Iterator<Item = (usize, &[i32])> {
        let slots = self.weights.chunks_exact(self.longest);
        self.starts
            .iter()
            .zip(&self.counts)
            .zip(slots)
            .map(|((&start, &count), slot)| (start, &slot[..count]))
    }

    /// The first input position in use and the one after the last.
    fn range(&self) -> (usize, usize) {
        let ends = self.starts.iter().zip(&self.counts).map(|(start, count)| start + count);
        (self.starts.iter().copied().min().unwrap_or(0), ends.max().unwrap_or(0))
    }
}

impl Filter {
    fn support(self) -> f64 {
        match self {
            Filter::Box => 0.5,
            Filter::Bilinear => 1.0,
            Filter::Bicubic => 2.0,
            Filter::Lanczos => 3.0,
        }
    }

    fn weight(self, x: f64) -> f64 {
        match self {
            Filter::Box => f64::from(u8::from(x > -0.5 && x <= 0.5)),
            Filter::Bilinear => (1.0 - x.abs()).max(0.0),
            Filter::Bicubic => {
                const A: f64 = -0.5;
                let x = x.abs();
                if x < 1.0 {
                    ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
                } else if x < 2.0 {
                    (((x - 5.0) * x + 8.0) * x - 4.0) * A
                } else {
                    0.0
                }
            }
            Filter::Lanczos if (-3.0..3.0).contains(&x) => sinc(x) * sinc(x / 3.0),
            Filter::Lanczos => 0.0,
        }
    }
}

fn sinc(x: f64) -> f64 {
    let x = x * std::f64::consts::PI;
    if x == 0.0 { 1.0 } else { x.sin() / x }
}

#[cfg(test)]
mod tests;
