//! Measuring a picture: one pass over its pixels, and a small copy for the sharpness.
//!
//! The definitions are those of CleanVision 0.3.7, re-derived from its documented results; see `docs.md`.

use crate::shrink::{fitted, shrink};
use crate::wide::{Kernel, wide};
use chaffinch_plugin::prelude::*;

/// Sharpness is judged on pictures whose longer side is not above this.
const SHARP_SIDE: usize = 64;
/// Levels between the strongest and the weakest channel of a pixel up to which it counts as gray. JPEG leaves up to
/// about ten in pictures that were gray before.
const GRAY_LEVELS: u8 = 12;

/// The measurements of one sample. Those defined by CleanVision are its scores: low = bad.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measures {
    /// Width in the file, after EXIF orientation, in pixels.
    pub width: u32,
    /// Height in the file, after EXIF orientation, in pixels.
    pub height: u32,
    /// The 99th percentile of the pixels' brightness, 0..=1.
    pub dark: f32,
    /// 1 - the 5th percentile of the pixels' brightness, 0..=1.
    pub light: f32,
    /// Entropy of the values of all channels together, in bits, 0..=9.6.
    pub entropy: f32,
    /// Sharpness, 0..=1.
    pub sharpness: f32,
    /// The largest standard deviation of a channel, in levels of 0..=127.5.
    pub variation: f32,
    /// Share of pixels that have a color, 0..=1.
    pub colored: f32,
    /// How the file stores it.
    pub source: Source,
}

impl Measures {
    /// Measures one picture. One without pixels measures as black.
    pub fn of(pixels: &Pixels<'_>) -> Measures {
        let gray = matches!(pixels.source.channels, 1 | 2);
        let counts = Counts::of(pixels.rgb);
        let brightness = |percent: f64| {
            if gray { counts.gray_percentile(percent) } else { counts.percentile(percent) }
        };
        Measures {
            width: pixels.full_width as u32,
            height: pixels.full_height as u32,
            dark: brightness(99.0).clamp(0.0, 1.0) as f32,
            // Steps are rounded, so that pure white may lie a little above 1.
            light: (1.0 - brightness(5.0)).clamp(0.0, 1.0) as f32,
            entropy: counts.entropy(if gray { 1 } else { 3 }) as f32,
            sharpness: sharpness(pixels) as f32,
            variation: counts.channels.iter().map(|channel| deviation(channel)).fold(0.0, f64::max) as f32,
            colored: counts.colored as f32 / counts.pixels().max(1) as f32,
            source: pixels.source,
        }
    }

    /// Length of a written record.
    pub const BYTES: usize = 13 * 4;

    /// Writes all of it into [`Measures::BYTES`] bytes.
    pub(crate) fn write(&self, record: &mut [u8]) {
        let Source { format, named, channels, orientation, frames } = self.source;
        let numbers = [self.dark, self.light, self.entropy, self.sharpness, self.variation, self.colored]
            .map(f32::to_bits);
        let [dark, light, entropy, sharpness, variation, colored] = numbers;
        let words = [
            self.width,
            self.height,
            dark,
            light,
            entropy,
            sharpness,
            variation,
            colored,
            format,
            named,
            channels,
            orientation,
            frames,
        ];
        for (to, word) in record.chunks_exact_mut(4).zip(words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
    }

    /// Reads what [`Measures::write`] wrote; zeros if there is less.
    pub(crate) fn read(record: &[u8]) -> Measures {
        let mut words = [0; 13];
        for (word, bytes) in words.iter_mut().zip(record.as_chunks().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        let [width, height, numbers @ .., format, named, channels, orientation, frames] = words;
        let [dark, light, entropy, sharpness, variation, colored] = numbers.map(f32::from_bits);
        let source = Source { format, named, channels, orientation, frames };
        Measures { width, height, dark, light, entropy, sharpness, variation, colored, source }
    }

    /// Whether the file has no color channels.
    pub fn stored_gray(&self) -> bool {
        matches!(self.source.channels, 1 | 2)
    }

    /// CleanVision's low-information score: a tenth of the entropy, at most 1.
    pub fn information(&self) -> f32 {
        (self.entropy * 0.1).min(1.0)
    }

    /// The shorter side divided by the longer one, 0..=1.
    pub fn aspect(&self) -> f32 {
        let (short, long) = (self.width.min(self.height), self.width.max(self.height));
        if long == 0 { 0.0 } else { (f64::from(short) / f64::from(long)) as f32 }
    }

    /// Pixels in millions.
    pub fn megapixels(&self) -> f32 {
        (f64::from(self.width) * f64::from(self.height) / 1e6) as f32
    }
}

/// Steps of brightness: the square root of 1000 * 255^2, in halves. A percentile taken from them is right to 0.00004.
const STEPS: usize = 16_129;
/// The largest brightness squared.
const MOST: f64 = 65_025_000.0;
/// Up to this many pixels, sorting them is faster than going over all the steps.
const SORTED: usize = 2048;

/// Pixels that are looked at before they are counted.
const RUN: usize = 512;

/// What a run of pixels shows.
struct Seen {
    /// Brightness squared: whole numbers up to 65,025,000.
    squares: [u32; RUN],
    /// Brightness in steps.
    steps: [u16; RUN],
    /// Pixels of all runs so far that have a color.
    colored: u32,
}

struct Look<'a> {
    run: &'a [[u8; 3]],
    seen: &'a mut Seen,
}

impl Kernel for Look<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Look { run, seen } = self;
        for ([r, g, b], squared) in run.iter().zip(&mut seen.squares) {
            let square = |value: u8| u32::from(value) * u32::from(value);
            // The square root of CleanVision's expression, times 1000 * 255^2.
            *squared = 241 * square(*r) + 691 * square(*g) + 68 * square(*b);
        }
        for (step, &squared) in seen.steps.iter_mut().zip(&seen.squares[..run.len()]) {
            // Cut to a whole number by way of 2^23, whose neighbors are whole numbers: unlike a cast, which checks its
            // range, processors do that for many numbers at once.
            const WHOLE: f32 = 8_388_608.0;
            let raised = 2.0 * (squared as i32 as f32).sqrt() + 0.5;
            let nearest = raised + WHOLE;
            let above = u32::from(nearest - WHOLE > raised);
            *step = ((nearest.to_bits() & 0x7f_ffff) - above) as u16;
        }
        let colored = run.iter().map(|&[r, g, b]| u32::from(r.max(g).max(b) - r.min(g).min(b) > GRAY_LEVELS));
        seen.colored += colored.sum::<u32>();
    }
}

/// How often each value occurs.
struct Counts {
    /// Red, green, blue by level.
    channels: [[u32; 256]; 3],
    /// Pixels by brightness in steps; of a small picture each pixel's brightness squared, in order.
    brightness: Vec<u32>,
    /// Whether the picture is a small one.
    small: bool,
    /// Pixels that are not gray.
    colored: u32,
}

impl Counts {
    fn of(rgb: &[u8]) -> Counts {
        let small = rgb.len() / 3 <= SORTED;
        let brightness = if small { Vec::with_capacity(SORTED) } else { vec![0; STEPS] };
        let mut counts = Counts { channels: [[0; 256]; 3], brightness, small, colored: 0 };
        // Adjacent values are similar: counting in several tables in turn avoids waiting for the previous increment.
        let mut tables = [[[0_u32; 256]; 3]; 4];
        let mut seen = Seen { squares: [0; RUN], steps: [0; RUN], colored: 0 };
        for run in rgb.as_chunks::<3>().0.chunks(RUN) {
            wide(Look { run, seen: &mut seen });
            if small {
                counts.brightness.extend_from_slice(&seen.squares[..run.len()]);
            } else {
                for &step in &seen.steps[..run.len()] {
                    counts.brightness[usize::from(step)] += 1;
                }
            }
            let (fours, rest) = run.as_chunks::<4>();
            for some in fours.iter().map(<[_; 4]>::as_slice).chain([rest]) {
                for ([r, g, b], [red, green, blue]) in some.iter().zip(&mut tables) {
                    red[usize::from(*r)] += 1;
                    green[usize::from(*g)] += 1;
                    blue[usize::from(*b)] += 1;
                }
            }
        }
        counts.colored = seen.colored;
        counts.channels = std::array::from_fn(|channel| {
            std::array::from_fn(|value| tables.iter().map(|table| table[channel][value]).sum())
        });
        if small {
            counts.brightness.sort_unstable();
        }
        counts
    }

    fn pixels(&self) -> u64 {
        self.channels[0].iter().map(|&count| u64::from(count)).sum()
    }

    /// A percentile of brightness, 0..=1.
    fn percentile(&self, percent: f64) -> f64 {
        if self.small {
            let nth = |index: u64| f64::from(self.brightness[index as usize]).sqrt();
            percentile(self.pixels(), percent, nth) / MOST.sqrt()
        } else {
            percentile(self.pixels(), percent, |index| nth(&self.brightness, index)) / (2.0 * MOST.sqrt())
        }
    }

    /// The same where all channels are equal, without rounding.
    fn gray_percentile(&self, percent: f64) -> f64 {
        percentile(self.pixels(), percent, |index| nth(&self.channels[0], index)) / 255.0
    }

    /// Entropy of the first `channels` together, in bits.
    fn entropy(&self, channels: usize) -> f64 {
        let counts = || self.channels[..channels].iter().flatten().filter(|&&count| count > 0);
        let total: f64 = counts().map(|&count| f64::from(count)).sum();
        let bits: f64 = counts().map(|&count| f64::from(count) / total).map(|p| -p * p.log2()).sum();
        // A picture of one value has -0 bits.
        bits.max(0.0)
    }
}

/// A percentile of that many values as in NumPy, with linear interpolation; 0 if there are none. `nth` returns the value
/// at a rank, from 0.
pub(crate) fn percentile(count: u64, percent: f64, nth: impl Fn(u64) -> f64) -> f64 {
    let Some(last) = count.checked_sub(1) else { return 0.0 };
    let position = last as f64 * percent / 100.0;
    let below = nth(position as u64);
    let above = nth((position as u64 + 1).min(last));
    below + (above - below) * position.fract()
}

/// The value at a rank, from 0.
fn nth(counts: &[u32], index: u64) -> f64 {
    let mut passed = 0;
    let found = counts.iter().position(|&count| {
        passed += u64::from(count);
        passed > index
    });
    found.unwrap_or(0) as f64
}

/// The standard deviation of values that occur so often.
fn deviation(counts: &[u32]) -> f64 {
    let (mut count, mut sum, mut squares) = (0_u64, 0_u64, 0_u64);
    for (value, &times) in (0_u64..).zip(counts) {
        count += u64::from(times);
        sum += u64::from(times) * value;
        squares += u64::from(times) * value * value;
    }
    spread(count, sum, squares)
}

/// The population's standard deviation from sums of whole numbers.
fn spread(count: u64, sum: u64, squares: u64) -> f64 {
    if count == 0 {
        return 0.0;
    }
    let mean = sum as f64 / count as f64;
    (squares as f64 / count as f64 - mean * mean).max(0.0).sqrt()
}

/// CleanVision's blurry score: how much the edges of the small gray picture vary, and how unevenly its levels are
/// filled, which keeps drawings and flat backgrounds from being taken for blur.
fn sharpness(pixels: &Pixels<'_>) -> f64 {
    let to = fitted(pixels.width, pixels.height, SHARP_SIDE);
    let gray = if to == (pixels.width, pixels.height) {
        luma(pixels.rgb)
    } else {
        luma(&shrink(pixels.rgb, pixels.width, pixels.height, to))
    };
    let mut levels = [0_u32; 256];
    for &level in &gray {
        levels[usize::from(level)] += 1;
    }
    let times: u64 = levels.iter().map(|&count| u64::from(count)).sum();
    let squares = levels.iter().map(|&count| u64::from(count) * u64::from(count)).sum();
    let grows = |deviation: f64| 1.0 - (-0.01 * deviation).exp();
    let uneven = grows(spread(256, times, squares));
    let uneven = if uneven <= 0.18 { 0.0 } else { uneven };
    (grows(edge_deviation(&gray, to.0, to.1)) + uneven).min(1.0)
}

/// Pillow's `convert("L")`.
fn luma(rgb: &[u8]) -> Vec<u8> {
    let gray = |pixel: &[u8]| {
        (u32::from(pixel[0]) * 19_595 + u32::from(pixel[1]) * 38_470 + u32::from(pixel[2]) * 7_471 + 0x8000)
            >> 16
    };
    rgb.chunks_exact(3).map(|pixel| gray(pixel) as u8).collect()
}

/// The standard deviation of Pillow's `FIND_EDGES`: eight times a pixel less its eight neighbors, cut to 0..=255; a
/// pixel on the border stands for itself.
fn edge_deviation(gray: &[u8], width: usize, height: usize) -> f64 {
    let (mut sum, mut squares) = (0_u64, 0_u64);
    let mut add = |value: u64| {
        sum += value;
        squares += value * value;
    };
    for y in 0..height {
        for x in 0..width {
            let at = y * width + x;
            let own = i32::from(gray[at]);
            if x == 0 || y == 0 || x + 1 == width || y + 1 == height {
                add(own as u64);
                continue;
            }
            let three = |middle: usize| -> i32 {
                gray[middle - 1..=middle + 1].iter().map(|&value| i32::from(value)).sum()
            };
            let edge = 9 * own - three(at - width) - three(at) - three(at + width);
            add(edge.clamp(0, 255) as u64);
        }
    }
    spread(gray.len() as u64, sum, squares)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixels(rgb: &[u8], width: usize, height: usize, channels: u32) -> Measures {
        let source = Source { channels, ..Source::default() };
        Measures::of(&Pixels { rgb, width, height, full_width: width, full_height: height, source })
    }

    #[test]
    fn flat_pictures_measure_what_the_formulas_say() {
        let rgb: Vec<u8> = std::iter::repeat_n([51, 102, 204], 20 * 10).flatten().collect();
        let seen = pixels(&rgb, 20, 10, 3);
        let brightness = (0.241 * 0.04 + 0.691 * 0.16 + 0.068 * 0.64_f32).sqrt();
        assert!((seen.dark - brightness).abs() < 4e-5 && (seen.light - 1.0 + brightness).abs() < 4e-5);
        assert!((seen.entropy - 3_f32.log2()).abs() < 1e-6, "three values, each as often");
        assert_eq!((seen.variation, seen.colored, seen.aspect()), (0.0, 1.0, 0.5));

        let gray = vec![51; 20 * 10 * 3];
        let seen = pixels(&gray, 20, 10, 1);
        assert_eq!((seen.dark, seen.light, seen.entropy, seen.colored), (0.2, 0.8, 0.0, 0.0));
        assert!((pixels(&gray, 20, 10, 3).entropy - 3_f32.log2()).abs() < 1e-6, "one value in each channel");
    }

    #[test]
    fn percentiles_lie_between_neighbors() {
        // 0, 10, 20, 30, 40 as levels: the 99th percentile is 0.96 of the way from 30 to 40.
        let rgb: Vec<u8> = [0, 10, 20, 30, 40].into_iter().flat_map(|level| [level; 3]).collect();
        let seen = pixels(&rgb, 5, 1, 1);
        assert!((seen.dark - 39.6 / 255.0).abs() < 1e-6);
        assert!((seen.light - (1.0 - 2.0 / 255.0)).abs() < 1e-6);
        let color = pixels(&rgb, 5, 1, 3);
        assert!((color.dark - seen.dark).abs() < 4e-5 && (color.light - seen.light).abs() < 4e-5);
    }

    #[test]
    fn edges_of_one_bright_point() {
        // 3 x 3 with a bright middle: the border keeps its own zeros, the middle has 8 * 30 = 240.
        let gray = [0, 0, 0, 0, 30, 0, 0, 0, 0];
        let expected = (240.0_f64 * 240.0 / 9.0 - (240.0_f64 / 9.0).powi(2)).sqrt();
        assert!((edge_deviation(&gray, 3, 3) - expected).abs() < 1e-9);
        assert_eq!(edge_deviation(&[9, 9], 2, 1), 0.0);
    }

    #[test]
    fn nothing_and_next_to_nothing_are_measured() {
        for (width, height) in [(0, 0), (1, 1), (1, 2), (70, 1), (1, 200)] {
            let seen = pixels(&vec![200; width * height * 3], width, height, 3);
            let numbers = [seen.dark, seen.light, seen.entropy, seen.sharpness, seen.aspect()];
            assert!(numbers.iter().all(|number| number.is_finite()), "{width} x {height}: {seen:?}");
        }
    }
}
