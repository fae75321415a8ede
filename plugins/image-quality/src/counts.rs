//! How often each value occurs in a picture: one pass over its pixels.

use crate::wide::{Kernel, wide};

/// Levels between the strongest and the weakest channel of a pixel up to which it counts as gray. JPEG leaves up to
/// about ten in pictures that were gray before.
const GRAY_LEVELS: u8 = 12;

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
pub(crate) struct Counts {
    /// Red, green, blue by level.
    pub(crate) channels: [[u32; 256]; 3],
    /// Pixels by brightness in steps; of a small picture each pixel's brightness squared, in order.
    brightness: Vec<u32>,
    /// Whether the picture is a small one.
    small: bool,
    /// Pixels that are not gray.
    pub(crate) colored: u32,
}

impl Counts {
    pub(crate) fn of(rgb: &[u8]) -> Counts {
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

    pub(crate) fn pixels(&self) -> u64 {
        self.channels[0].iter().map(|&count| u64::from(count)).sum()
    }

    /// A percentile of brightness, 0..=1.
    pub(crate) fn percentile(&self, percent: f64) -> f64 {
        if self.small {
            let nth = |index: u64| f64::from(self.brightness[index as usize]).sqrt();
            percentile(self.pixels(), percent, nth) / MOST.sqrt()
        } else {
            percentile(self.pixels(), percent, |index| nth(&self.brightness, index)) / (2.0 * MOST.sqrt())
        }
    }

    /// The same where all channels are equal, without rounding.
    pub(crate) fn gray_percentile(&self, percent: f64) -> f64 {
        percentile(self.pixels(), percent, |index| nth(&self.channels[0], index)) / 255.0
    }

    /// Entropy of the first `channels` together, in bits.
    pub(crate) fn entropy(&self, channels: usize) -> f64 {
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
pub(crate) fn deviation(counts: &[u32]) -> f64 {
    let (mut count, mut sum, mut squares) = (0_u64, 0_u64, 0_u64);
    for (value, &times) in (0_u64..).zip(counts) {
        count += u64::from(times);
        sum += u64::from(times) * value;
        squares += u64::from(times) * value * value;
    }
    spread(count, sum, squares)
}

/// The population's standard deviation from sums of whole numbers.
pub(crate) fn spread(count: u64, sum: u64, squares: u64) -> f64 {
    if count == 0 {
        return 0.0;
    }
    let mean = sum as f64 / count as f64;
    (squares as f64 / count as f64 - mean * mean).max(0.0).sqrt()
}
