//! Noise, specks and motion blur, from differences between neighboring pixels in parts of a picture.
//!
//! Only the green channel is read ([`crate::green`]). In a large picture some parts stand for the rest, so that the cost does not
//! grow with it.

use crate::counts::percentile;
use crate::green::Green;
use crate::wide::{Kernel, wide};

/// What the parts of a picture show.
pub(crate) struct Grain {
    /// Standard deviation of the noise, in levels.
    pub(crate) noise: f32,
    /// Share of pixels that are black or white and stand out from all around them.
    pub(crate) specks: f32,
    /// How alike the picture is along a direction and across it, the least of all directions: 0..=1.
    pub(crate) direction: f32,
}

/// Sides of a part, and what is read around it.
const SIDE: usize = 8;
const MARGIN: usize = 2;
const WHOLE: usize = SIDE + 2 * MARGIN;
/// Parts that are looked at, roughly.
const PARTS: usize = 160;
/// Parts without which nothing is said.
const LEAST: usize = 4;

/// The four pairs of directions at a right angle, as steps of x and y.
const PAIRS: [[(isize, isize); 2]; 4] =
    [[(1, 0), (0, 1)], [(1, 1), (1, -1)], [(2, 1), (1, -2)], [(1, 2), (2, -1)]];
/// Mean step in levels, but for a trend, that a direction needs to be compared.
const STEP: f64 = 1.0;
/// Levels by which a speck stands out from each of its eight neighbors, and those it is black or white by.
const STANDS_OUT: i16 = 30;
const BLACK: i16 = 2;
const WHITE: i16 = 253;
/// Share of a part that may be cut to black or white, where noise cannot be seen.
const CUT: f64 = 0.25;
/// The percentile of the noise of all parts: the even ones show noise alone, the others also what is pictured.
const EVEN: f64 = 10.0;

/// Looks at the parts of a picture of `width * height` pixels.
pub(crate) fn grain(rgb: &[u8], width: usize, height: usize) -> Grain {
    let seen = wide(Look(Green::whole(rgb, width, height)));
    let fitted = Green::fitted(rgb, width, height);
    let direction = match fitted.is_whole() {
        true => seen.direction(),
        false => wide(Look(fitted)).direction(),
    };
    let specks = seen.specks as f32 / seen.pixels.max(1) as f32;
    Grain { noise: seen.noise(), specks, direction }
}

/// What was added up over the parts.
#[derive(Default)]
struct Seen {
    /// Immerkær's noise of each part that is not cut to black or white.
    noise: Vec<f64>,
    pixels: usize,
    specks: u32,
    /// First differences along each direction, the same but for the trend of their part, and second differences.
    steps: [[u64; 2]; 4],
    details: [[u64; 2]; 4],
    bends: [[u64; 2]; 4],
}

impl Seen {
    fn noise(mut self) -> f32 {
        if self.noise.len() < LEAST {
            return 0.0;
        }
        self.noise.sort_unstable_by(f64::total_cmp);
        percentile(self.noise.len() as u64, EVEN, |index| self.noise[index as usize]) as f32
    }

    /// Motion blurs along its direction only: there the second differences, which fine detail makes, are small beside the
    /// first ones, and across it they are not.
    fn direction(&self) -> f32 {
        if self.pixels < LEAST * SIDE * SIDE {
            return 1.0;
        }
        let pixels = self.pixels as f64;
        let alike = self.steps.iter().zip(&self.bends).zip(&self.details).map(|((steps, bends), details)| {
            if details.iter().any(|&sum| sum as f64 <= STEP * pixels) {
                return 1.0;
            }
            let fine = [0, 1].map(|way| bends[way] as f64 / steps[way] as f64);
            let most = fine[0].max(fine[1]);
            if most > 0.0 { fine[0].min(fine[1]) / most } else { 1.0 }
        });
        alike.fold(1.0, f64::min) as f32
    }
}

struct Look<'a>(Green<'a>);

type Part = [[i16; WHOLE]; WHOLE];

impl Kernel for Look<'_> {
    type Output = Seen;

    #[inline(always)]
    fn call(self) -> Seen {
        let parts = |length: usize| length.saturating_sub(2 * MARGIN) / SIDE;
        let (across, down) = (parts(self.0.width()), parts(self.0.height()));
        let mut each = 1;
        while across.div_ceil(each) * down.div_ceil(each) > PARTS {
            each += 1;
        }
        let mut seen = Seen::default();
        for row in (0..down).step_by(each) {
            for column in (0..across).step_by(each) {
                let part = self.part(column * SIDE, row * SIDE);
                seen.add(&part);
            }
        }
        seen
    }
}

impl Look<'_> {
    /// The green of a part with what is around it.
    #[inline(always)]
    fn part(&self, left: usize, top: usize) -> Part {
        let mut part = [[0; WHOLE]; WHOLE];
        for (y, line) in part.iter_mut().enumerate() {
            self.0.read(left, top + y, line);
        }
        part
    }
}

/// Eight pixels in a row.
type Lane = [i16; SIDE];

#[inline(always)]
fn lane(part: &Part, y: usize, x: usize) -> Lane {
    std::array::from_fn(|at| part[y][x + at])
}

#[inline(always)]
fn each(f: impl Fn(usize) -> i16) -> Lane {
    std::array::from_fn(f)
}

#[inline(always)]
fn total(lane: &Lane) -> u64 {
    lane.iter().map(|&value| value as u64).sum()
}

/// The mean step along each direction: a slope of brightness has no detail.
#[inline(always)]
fn trends(part: &Part) -> [[i16; 2]; 4] {
    PAIRS.map(|ways| {
        ways.map(|(dx, dy)| {
            let mut sums = [0; SIDE];
            for y in MARGIN..MARGIN + SIDE {
                let own = lane(part, y, MARGIN);
                let ahead = lane(part, y.wrapping_add_signed(dy), MARGIN.wrapping_add_signed(dx));
                sums = each(|at| sums[at] + ahead[at] - own[at]);
            }
            let sum: i32 = sums.iter().map(|&sum| i32::from(sum)).sum();
            (f64::from(sum) / (SIDE * SIDE) as f64).round() as i16
        })
    })
}

impl Seen {
    /// Adds a part. Eight rows of sums of at most 16 * 255 fit into 16 bits.
    #[inline(always)]
    fn add(&mut self, part: &Part) {
        let (mut rough, mut cut, mut specks) = ([0; SIDE], [0; SIDE], [0; SIDE]);
        let [mut steps, mut details, mut bends] = [[[[0; SIDE]; 2]; 4]; 3];
        let trends = trends(part);
        for y in MARGIN..MARGIN + SIDE {
            let beside =
                |dx: isize, dy: isize| lane(part, y.wrapping_add_signed(dy), MARGIN.wrapping_add_signed(dx));
            let own = lane(part, y, MARGIN);
            let (up, down, left, right) = (beside(0, -1), beside(0, 1), beside(-1, 0), beside(1, 0));
            let corners = [beside(-1, -1), beside(1, -1), beside(-1, 1), beside(1, 1)];
            let [a, b, c, d] = corners;
            // Immerkær's mask: the difference of two Laplacians, blind to planes and to straight edges.
            let mask = each(|at| {
                (a[at] + b[at] + c[at] + d[at] - 2 * (up[at] + down[at] + left[at] + right[at]) + 4 * own[at])
                    .abs()
            });
            rough = each(|at| rough[at] + mask[at]);
            cut = each(|at| cut[at] + i16::from(own[at] <= 1) + i16::from(own[at] >= 254));
            let around = |pick: fn(i16, i16) -> i16| {
                each(|at| {
                    let sides = pick(pick(up[at], down[at]), pick(left[at], right[at]));
                    pick(sides, pick(pick(a[at], b[at]), pick(c[at], d[at])))
                })
            };
            let (least, most) = (around(i16::min), around(i16::max));
            specks = each(|at| {
                let white = own[at] >= WHITE && own[at] > most[at] + STANDS_OUT;
                let black = own[at] <= BLACK && own[at] < least[at] - STANDS_OUT;
                specks[at] + i16::from(white) + i16::from(black)
            });
            for (pair, ways) in PAIRS.iter().enumerate() {
                for (way, &(dx, dy)) in ways.iter().enumerate() {
                    let (ahead, behind) = (beside(dx, dy), beside(-dx, -dy));
                    let (steps, details) = (&mut steps[pair][way], &mut details[pair][way]);
                    let (trend, bends) = (trends[pair][way], &mut bends[pair][way]);
                    *steps = each(|at| steps[at] + (ahead[at] - own[at]).abs());
                    *details = each(|at| details[at] + (ahead[at] - own[at] - trend).abs());
                    *bends = each(|at| bends[at] + (ahead[at] + behind[at] - 2 * own[at]).abs());
                }
            }
        }
        let pixels = SIDE * SIDE;
        self.pixels += pixels;
        self.specks += total(&specks) as u32;
        if total(&cut) as f64 <= CUT * pixels as f64 {
            let mean = total(&rough) as f64 / pixels as f64;
            self.noise.push((std::f64::consts::FRAC_PI_2).sqrt() / 6.0 * mean);
        }
        for (pair, way) in (0..4).flat_map(|pair| [(pair, 0), (pair, 1)]) {
            self.steps[pair][way] += total(&steps[pair][way]);
            self.details[pair][way] += total(&details[pair][way]);
            self.bends[pair][way] += total(&bends[pair][way]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of a function of x and y, in gray.
    fn gray(width: usize, height: usize, level: impl Fn(f64, f64) -> f64) -> Vec<u8> {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        pixels.flat_map(|(x, y)| [level(x as f64, y as f64).round().clamp(0.0, 255.0) as u8; 3]).collect()
    }

    /// Normal noise by the sum of twelve even numbers.
    fn normal() -> impl FnMut() -> f64 {
        let mut state = 12345_u64;
        move || {
            let mut even = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 11) as f64 / (1_u64 << 53) as f64
            };
            (0..12).map(|_| even()).sum::<f64>() - 6.0
        }
    }

    fn waves(x: f64, y: f64) -> f64 {
        128.0 + 40.0 * (x * 0.11).sin() + 40.0 * (y * 0.07 + x * 0.03).cos()
    }

    #[test]
    fn noise_is_measured_in_levels() {
        for sigma in [0.0, 5.0, 20.0] {
            let mut random = normal();
            let noise: Vec<f64> = (0..200 * 120).map(|_| random() * sigma).collect();
            let picture = gray(200, 120, |x, y| waves(x, y) + noise[(y * 200.0 + x) as usize]);
            let seen = grain(&picture, 200, 120);
            // The even tenth of the parts shows a little less than all together.
            let expected = 0.78 * sigma..=1.02 * sigma + 0.5;
            assert!(expected.contains(&f64::from(seen.noise)), "{} of {sigma}", seen.noise);
            assert_eq!(seen.specks, 0.0);
        }
    }

    #[test]
    fn specks_are_counted_and_black_or_white_areas_are_none() {
        let picture = gray(200, 200, |x, y| match (x as usize % 10, y as usize % 10) {
            (3, 3) => 255.0,
            (7, 8) => 0.0,
            _ => waves(x, y),
        });
        let seen = grain(&picture, 200, 200);
        assert!((0.01..0.03).contains(&seen.specks), "{}", seen.specks);
        let areas =
            gray(
                200,
                200,
                |x, y| if (x as usize / 20 + y as usize / 20).is_multiple_of(2) { 0.0 } else { 255.0 },
            );
        assert_eq!(grain(&areas, 200, 200).specks, 0.0);
    }

    #[test]
    fn a_blur_along_one_direction_is_told_from_one_along_all() {
        // Patches of one level, with edges in all directions.
        let mut random = normal();
        let side = 160;
        let seeds: Vec<[f64; 3]> =
            (0..220).map(|_| [80.0 + 45.0 * random(), 80.0 + 45.0 * random(), random()]).collect();
        let near = |x: f64, y: f64| {
            let distance = |seed: &&[f64; 3]| (seed[0] - x).powi(2) + (seed[1] - y).powi(2);
            seeds.iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).map_or(0.0, |seed| seed[2])
        };
        let fine = gray(side, side, |x, y| 128.0 + 50.0 * near(x, y));
        let at = |x: isize, y: isize| {
            let inside = |place: isize| place.clamp(0, side as isize - 1) as usize;
            f64::from(fine[(inside(y) * side + inside(x)) * 3])
        };
        let mean = |x: f64, y: f64, ways: &[(isize, isize)]| {
            let (x, y) = (x as isize, y as isize);
            ways.iter().map(|(dx, dy)| at(x + dx, y + dy)).sum::<f64>() / ways.len() as f64
        };
        let alike =
            |ways: &[(isize, isize)]| grain(&gray(side, side, |x, y| mean(x, y, ways)), side, side).direction;
        let square: Vec<_> = (0..3).flat_map(|x| (0..3).map(move |y| (x, y))).collect();
        let lines: [Vec<_>; 4] = [
            (0..9).map(|t| (t, 0)).collect(),
            (0..9).map(|t| (0, t)).collect(),
            (0..9).map(|t| (t, t)).collect(),
            (0..9).map(|t| (t, -t)).collect(),
        ];
        assert!(alike(&[(0, 0)]) > 0.9 && alike(&square) > 0.8, "{} {}", alike(&[(0, 0)]), alike(&square));
        for line in lines {
            assert!(alike(&line) < 0.55, "{line:?}: {}", alike(&line));
        }
        // A slope has no detail to be blurred.
        assert_eq!(grain(&gray(160, 160, |x, y| x + 0.4 * y), 160, 160).direction, 1.0);
    }

    #[test]
    fn next_to_nothing_shows_nothing() {
        for (width, height) in [(0, 0), (1, 1), (11, 11), (12, 12), (400, 3), (13, 900)] {
            let seen = grain(&vec![90; width * height * 3], width, height);
            assert_eq!((seen.noise, seen.specks, seen.direction), (0.0, 0.0, 1.0), "{width} x {height}");
        }
    }
}
