//! What is measured of a picture, and its record.
//!
//! The definitions of the first are those of CleanVision 0.3.7, re-derived from its documented results; see `docs.md`.

use crate::bars::bars;
use crate::counts::{Counts, deviation};
use crate::focus::softness;
use crate::grain::grain;
use crate::grid::grid;
use crate::sharpness::sharpness;
use chaffinch_plugin::prelude::*;

/// The measurements of one sample. Those defined by CleanVision are its scores: low = bad.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
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
    /// Difference between the 99th and the 1st percentile of the pixels' brightness, 0..=1.
    pub contrast: f32,
    /// Standard deviation of the noise, in levels; 0 where no part is even enough to tell.
    pub noise: f32,
    /// Share of pixels that are black or white and stand out from all around them, 0..=1.
    pub specks: f32,
    /// How much finer the picture is along one direction than across it, the least of all directions: 0..=1, 1 = alike.
    pub direction: f32,
    /// How soft it is: 0..=1, 1 = without any detail; 0 where there is too little to judge.
    pub soft: f32,
    /// Steps between the 8 x 8 blocks of a JPEG in multiples of those beside them; 1 where there are too few blocks.
    pub blocks: f32,
    /// Share of the picture at its bottom that a decoder filled in, 0..=1.
    pub cut: f32,
    /// Share of the picture that is bars of one color at its edges, 0..=1.
    pub bars: f32,
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
        let grain = grain(pixels.rgb, pixels.width, pixels.height);
        let bars = bars(pixels.rgb, pixels.width, pixels.height);
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
            contrast: (brightness(99.0) - brightness(1.0)).clamp(0.0, 1.0) as f32,
            noise: grain.noise,
            specks: grain.specks,
            direction: grain.direction,
            soft: softness(pixels.rgb, pixels.width, pixels.height),
            blocks: grid(pixels.rgb, pixels.width, pixels.height),
            cut: bars.cut,
            bars: bars.bars,
            source: pixels.source,
        }
    }

    /// Words of a record.
    const WORDS: usize = 21;
    /// Length of a written record.
    pub const BYTES: usize = Measures::WORDS * 4;

    /// Writes all of it into [`Measures::BYTES`] bytes.
    pub(crate) fn write(&self, record: &mut [u8]) {
        let Source { format, named, channels, orientation, frames } = self.source;
        let mut own = *self;
        let numbers = own.numbers().map(|number| number.to_bits());
        let words = [self.width, self.height].into_iter().chain(numbers);
        let words = words.chain([format, named, channels, orientation, frames]);
        for (to, word) in record.chunks_exact_mut(4).zip(words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
    }

    /// Reads what [`Measures::write`] wrote; zeros if there is less.
    pub(crate) fn read(record: &[u8]) -> Measures {
        let mut words = [0; Measures::WORDS];
        for (word, bytes) in words.iter_mut().zip(record.as_chunks().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        let [width, height, numbers @ .., format, named, channels, orientation, frames] = words;
        let source = Source { format, named, channels, orientation, frames };
        let mut seen = Measures { width, height, source, ..Measures::default() };
        seen.numbers().into_iter().zip(numbers).for_each(|(to, word)| *to = f32::from_bits(word));
        seen
    }

    /// The measured numbers, in the order of the record.
    fn numbers(&mut self) -> [&mut f32; 14] {
        [
            &mut self.dark,
            &mut self.light,
            &mut self.entropy,
            &mut self.sharpness,
            &mut self.variation,
            &mut self.colored,
            &mut self.contrast,
            &mut self.noise,
            &mut self.specks,
            &mut self.direction,
            &mut self.soft,
            &mut self.blocks,
            &mut self.cut,
            &mut self.bars,
        ]
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
    fn nothing_and_next_to_nothing_are_measured() {
        for (width, height) in [(0, 0), (1, 1), (1, 2), (70, 1), (1, 200)] {
            let seen = pixels(&vec![200; width * height * 3], width, height, 3);
            let mut copy = seen;
            assert!(copy.numbers().iter().all(|number| number.is_finite()), "{width} x {height}: {seen:?}");
            assert!(seen.aspect().is_finite());
            let mut record = [0; Measures::BYTES];
            seen.write(&mut record);
            assert_eq!(Measures::read(&record), seen);
        }
    }
}
