//! How fine the detail of a picture is, and what is none: noise, and the blocks of a JPEG.
//!
//! Noise and blocks change every pixel, and with them whatever is measured in single pixels. The slopes of the strongest edges at
//! half size they hardly change. Of 60 photographs of 200 x 200 pixels, JPEG of quality 10 to 90 left at least .97 and at most 1.04
//! of them, and noise of 20 levels .93 to 1.03; a blur of one pixel left .81 to .91. Which of two sizes is an enlargement of the other,
//! half the size cannot say: that is told by the finest detail, which falls with the square of the factor where nothing was added.

/// Sides of a part that is looked at, on the grid of a JPEG, and what is read around it.
const PART: usize = 16;
const MARGIN: usize = 2;
const WHOLE: usize = PART + 2 * MARGIN;
const HALF: usize = WHOLE / 2;
/// Parts that are looked at, each way: in a large picture some stand for the rest, so that the cost does not grow with it.
const PARTS: usize = 20;
/// The steepest slopes that count, as a share of all: the edges.
const EDGES: f64 = 0.02;
/// The evenest parts, as a share of all, which show noise alone (Olsen, 1993).
const EVEN: f64 = 0.1;
/// Sides of a block.
const BLOCK: usize = 8;

/// Steepness of the edges from which on one of two copies of one size has more detail.
const SHARPER: f32 = 1.12;
/// Factor between two widths up to which they are one size.
const ONE_SIZE: f32 = 1.15;
/// The finest detail of an enlargement is below the factor to this power, of 60 photographs: .61 of 1.3 times, .30 of twice and .15 of
/// three times the size. What a reduction lacks is above: .71 of .75, .46 of half the size.
const ENLARGED: f32 = -1.4;
/// Parts from which on noise is told from fine detail, which fills small pictures.
const ENOUGH: usize = 16;
/// Levels of noise, and times that of a copy, from which on one was made noisy. JPEG of quality 10 and a blur of a pixel take 1.2
/// levels from a photograph at most, and noise of 8 levels, saved as JPEG, adds 2.3 in the middle.
const NOISIER: f32 = 1.5;
const TIMES_NOISIER: f32 = 1.5;
/// The same where the other has harder blocks: compression takes noise away where it makes blocks, and noise hides those that are there,
/// but so much is not taken away.
const FAR_NOISIER: f32 = 4.0;
/// Levels of noise that hide blocks.
const HIDING: f32 = 1.2;
/// How much steeper edges noise leaves at most: where they are steeper, the other was blurred.
const AS_STEEP: f32 = 1.03;
/// Steps between blocks in steps beside them, more than those of a copy, from which on one was compressed until blocks show. Quality
/// 70 takes .02 to .10 from a photograph that is a JPEG, 40 adds at least .24.
const BLOCKIER: f32 = 0.2;

/// Length of a record.
pub(crate) const BYTES: usize = 8;

/// What was measured.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Detail {
    /// The slope of the edges at half size, in the picture's own contrast.
    edges: f32,
    /// The strongest curvature between neighbors, in the same.
    finest: f32,
    /// Standard deviation of the noise, in levels, by Immerkær's difference of two Laplacians (1996).
    noise: f32,
    /// Steps between blocks in multiples of those beside them.
    blocks: f32,
}

impl Detail {
    /// Of a picture in RGB, row by row.
    pub(crate) fn of(pixels: &[[u8; 3]], width: usize, height: usize) -> Detail {
        let (across, down) =
            (width.saturating_sub(2 * MARGIN) / PART, height.saturating_sub(2 * MARGIN) / PART);
        let mut seen = Seen::default();
        let (right, below) = (across.div_ceil(PARTS).max(1), down.div_ceil(PARTS).max(1));
        for y in (0..down).step_by(below) {
            for x in (0..across).step_by(right) {
                let part: Part = std::array::from_fn(|row| {
                    let start = (y * PART + row) * width + x * PART;
                    std::array::from_fn(|column| pixels[start + column])
                });
                seen.add(&part);
            }
        }
        seen.detail(blocks(pixels, width, height))
    }

    /// As bytes.
    pub(crate) fn write(&self, record: &mut [u8]) {
        let fixed = |value: f32, unit: f32| ((value * unit).round().clamp(0.0, 65535.0) as u16).to_le_bytes();
        let all = [
            fixed(self.edges, 4096.0),
            fixed(self.finest, 2048.0),
            fixed(self.noise, 256.0),
            fixed(self.blocks, 256.0),
        ];
        record.iter_mut().zip(all.as_flattened()).for_each(|(to, byte)| *to = *byte);
    }

    /// From bytes.
    pub(crate) fn read(record: [u8; BYTES]) -> Detail {
        let two = |at: usize, unit: f32| f32::from(u16::from_le_bytes([record[at], record[at + 1]])) / unit;
        Detail { edges: two(0, 4096.0), finest: two(2, 2048.0), noise: two(4, 256.0), blocks: two(6, 256.0) }
    }

    /// Whether this has more detail than a copy, and not only more noise or harder blocks; their areas are in pixels.
    pub(crate) fn is_sharper(&self, area: usize, other: &Detail, other_area: usize) -> bool {
        let factor = (area as f32 / other_area.max(1) as f32).sqrt();
        if (1.0 / ONE_SIZE..=ONE_SIZE).contains(&factor) {
            return self.edges > SHARPER * other.edges;
        }
        match factor < 1.0 {
            true => other.is_enlarged(1.0 / factor, self),
            false => self.finest > 0.0 && !self.is_enlarged(factor, other),
        }
    }

    /// Whether this has no more detail than a copy that is smaller by a factor.
    fn is_enlarged(&self, factor: f32, smaller: &Detail) -> bool {
        self.finest < smaller.finest * factor.powf(ENLARGED)
    }

    /// Whether this is a copy of another one of its size, with noise or with blocks, and else no better; their areas are in pixels.
    pub(crate) fn is_marred(&self, area: usize, other: &Detail, other_area: usize) -> bool {
        let factor = (area as f32 / other_area.max(1) as f32).sqrt();
        if !(1.0 / ONE_SIZE..=ONE_SIZE).contains(&factor) {
            // Scaling changes both.
            return false;
        }
        let noisier = |one: &Detail, other: &Detail, levels: f32| {
            one.noise > other.noise + levels
                && one.noise > TIMES_NOISIER * other.noise
                && one.edges <= AS_STEEP * other.edges
        };
        let blockier = |one: &Detail, other: &Detail| {
            one.blocks > other.blocks + BLOCKIER
                && one.edges <= SHARPER * other.edges
                && other.noise <= one.noise + HIDING
        };
        let levels = if other.blocks > self.blocks + BLOCKIER { FAR_NOISIER } else { NOISIER };
        blockier(self, other) || noisier(self, other, levels)
    }
}

type Part = [[[u8; 3]; WHOLE]; WHOLE];

/// What was seen of the parts.
#[derive(Default)]
struct Seen {
    slopes: Vec<f32>,
    curves: Vec<u16>,
    noise: Vec<f32>,
    /// The sum of all levels and of their squares.
    levels: (f64, f64),
}

impl Seen {
    fn add(&mut self, part: &Part) {
        let level =
            |[r, g, b]: [u8; 3]| (299 * i32::from(r) + 587 * i32::from(g) + 114 * i32::from(b)) / 1000;
        let gray: [[i32; WHOLE]; WHOLE] = part.map(|row| row.map(level));
        let inside = || (0..PART * PART).map(|at| (MARGIN + at % PART, MARGIN + at / PART));
        for (x, y) in inside() {
            let beside = gray[y][x - 1] + gray[y][x + 1] + gray[y - 1][x] + gray[y + 1][x];
            self.curves.push((4 * gray[y][x] - beside).unsigned_abs() as u16);
            let level = f64::from(gray[y][x]);
            self.levels = (self.levels.0 + level, self.levels.1 + level * level);
        }
        let half: [[i32; HALF]; HALF] = std::array::from_fn(|y| {
            let (above, below) = (&gray[2 * y], &gray[2 * y + 1]);
            std::array::from_fn(|x| above[2 * x] + above[2 * x + 1] + below[2 * x] + below[2 * x + 1])
        });
        for (x, y) in (0..(HALF - 2).pow(2)).map(|at| (1 + at % (HALF - 2), 1 + at / (HALF - 2))) {
            let (across, down) = (half[y][x + 1] - half[y][x - 1], half[y + 1][x] - half[y - 1][x]);
            self.slopes.push(((across * across + down * down) as f32).sqrt() / 8.0);
        }
        // Of green alone, which JPEG smooths least.
        let green = |x: usize, y: usize| i32::from(part[y][x][1]);
        let mut rough = 0;
        for (x, y) in inside() {
            let corners =
                green(x - 1, y - 1) + green(x + 1, y - 1) + green(x - 1, y + 1) + green(x + 1, y + 1);
            let sides = green(x - 1, y) + green(x + 1, y) + green(x, y - 1) + green(x, y + 1);
            rough += (corners - 2 * sides + 4 * green(x, y)).abs();
        }
        let mean = rough as f32 / (PART * PART) as f32;
        self.noise.push(std::f32::consts::FRAC_PI_2.sqrt() / 6.0 * mean);
    }

    fn detail(mut self, blocks: f32) -> Detail {
        let count = self.curves.len() as f64;
        if count == 0.0 {
            return Detail { blocks, ..Detail::default() };
        }
        let mean = self.levels.0 / count;
        let contrast = ((self.levels.1 / count - mean * mean).max(0.0).sqrt() as f32).max(1.0);
        let last = |count: usize, share: f64| ((count as f64 * share) as usize).min(count - 1);
        let edge = last(self.slopes.len(), 1.0 - EDGES);
        let finest = last(self.curves.len(), 1.0 - EDGES);
        let even = last(self.noise.len(), EVEN);
        let enough = self.noise.len() >= ENOUGH;
        Detail {
            edges: *self.slopes.select_nth_unstable_by(edge, f32::total_cmp).1 / contrast,
            finest: f32::from(*self.curves.select_nth_unstable(finest).1) / contrast,
            noise: if enough { *self.noise.select_nth_unstable_by(even, f32::total_cmp).1 } else { 0.0 },
            blocks,
        }
    }
}

/// Steps across the grid in multiples of the steps beside them, the middle of all lines of the grid (Wang, Sheikh and Bovik, 2002, call
/// the two blockiness and activity); 1 where there are too few.
fn blocks(pixels: &[[u8; 3]], width: usize, height: usize) -> f32 {
    // In small pictures, an edge of what is pictured is a line of the grid.
    const LEAST: usize = 4;
    const LOOKED_AT: usize = 64;
    let green = |x: usize, y: usize| pixels[y * width + x][1];
    let mut ratios = Vec::new();
    let mut lines = |across: usize, along: usize, green: &dyn Fn(usize, usize) -> u8| {
        let all = across.saturating_sub(2) / BLOCK;
        if all < LEAST || along < BLOCK {
            return;
        }
        let (each, place) = (all.div_ceil(LOOKED_AT), along.div_ceil(LOOKED_AT));
        for x in (1..=all).step_by(each).map(|line| line * BLOCK) {
            let (mut between, mut beside) = (0_u32, 0_u32);
            // A step of one level on both sides is not seen.
            for y in (place / 2..along).step_by(place) {
                let [before, last, first, next] = [x - 2, x - 1, x, x + 1].map(|x| green(x, y));
                between += 2 * u32::from(first.abs_diff(last)) + 1;
                beside += u32::from(last.abs_diff(before)) + u32::from(next.abs_diff(first)) + 1;
            }
            ratios.push(between as f32 / beside as f32);
        }
    };
    lines(width, height, &green);
    lines(height, width, &|y, x| green(x, y));
    if ratios.is_empty() {
        return 1.0;
    }
    let middle = ratios.len() / 2;
    *ratios.select_nth_unstable_by(middle, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of `side` pixels of patches of one level each.
    fn patches(side: usize) -> Vec<[u8; 3]> {
        let mut state = 7_u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let seeds: Vec<[u64; 3]> = (0..60).map(|_| [random(160), random(160), 30 + random(190)]).collect();
        let near = |x: u64, y: u64| {
            let distance = |seed: &&[u64; 3]| seed[0].abs_diff(x).pow(2) + seed[1].abs_diff(y).pow(2);
            seeds.iter().min_by_key(distance).map_or(0, |seed| seed[2] as u8)
        };
        let at = |place: usize| (place * 160 / side) as u64;
        (0..side * side).map(|cell| [near(at(cell % side), at(cell / side)); 3]).collect()
    }

    fn of(picture: &[[u8; 3]]) -> Detail {
        let side = picture.len().isqrt();
        Detail::of(picture, side, side)
    }

    fn noisy(picture: &[[u8; 3]], levels: i32) -> Vec<[u8; 3]> {
        let mut state = 3_u64;
        let mut noise = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as i32 % (2 * levels + 1) - levels
        };
        let changed = |level: u8, noise: i32| (i32::from(level) + noise).clamp(0, 255) as u8;
        picture.iter().map(|pixel| pixel.map(|level| changed(level, noise()))).collect()
    }

    /// The means of places around each pixel.
    fn blurred(picture: &[[u8; 3]], reach: usize) -> Vec<[u8; 3]> {
        let side = picture.len().isqrt();
        let mean = |x: usize, y: usize| {
            let (from, to) = (|at: usize| at.saturating_sub(reach), |at: usize| (at + reach).min(side - 1));
            let rows = from(y)..=to(y);
            let inside: Vec<u32> = rows
                .flat_map(|y| (from(x)..=to(x)).map(move |x| (x, y)))
                .map(|(x, y)| u32::from(picture[y * side + x][0]))
                .collect();
            [(inside.iter().sum::<u32>() / inside.len() as u32) as u8; 3]
        };
        (0..side * side).map(|cell| mean(cell % side, cell / side)).collect()
    }

    /// Each block moves to its mean, as coarse quantization does it.
    fn blocky(picture: &[[u8; 3]], part: i32) -> Vec<[u8; 3]> {
        let side = picture.len().isqrt();
        let mean = |x: usize, y: usize| {
            let (left, top) = (x / BLOCK * BLOCK, y / BLOCK * BLOCK);
            let inside = (0..BLOCK * BLOCK).map(|at| (top + at / BLOCK) * side + left + at % BLOCK);
            inside.map(|at| i32::from(picture[at][0])).sum::<i32>() / (BLOCK * BLOCK) as i32
        };
        let toward = |cell: usize| {
            let own = i32::from(picture[cell][0]);
            [((own * (4 - part) + mean(cell % side, cell / side) * part) / 4) as u8; 3]
        };
        (0..side * side).map(toward).collect()
    }

    fn enlarged(picture: &[[u8; 3]], to: usize) -> Vec<[u8; 3]> {
        let side = picture.len().isqrt();
        let at = |place: usize| {
            let place = ((place as f32 + 0.5) * side as f32 / to as f32 - 0.5).clamp(0.0, side as f32 - 1.0);
            (place as usize, (place as usize + 1).min(side - 1), place.fract())
        };
        let mixed = |cell: usize| {
            let ((left, right, across), (above, below, down)) = (at(cell % to), at(cell / to));
            let row = |y: usize| {
                let level = |x: usize| f32::from(picture[y * side + x][0]);
                level(left) * (1.0 - across) + level(right) * across
            };
            [(row(above) * (1.0 - down) + row(below) * down).round() as u8; 3]
        };
        (0..to * to).map(mixed).collect()
    }

    #[test]
    fn noise_and_blocks_are_no_detail_and_blur_takes_some() {
        let picture = patches(160);
        let (own, area) = (of(&picture), picture.len());
        for (what, changed) in [
            ("noise", noisy(&picture, 12)),
            ("more noise", noisy(&picture, 30)),
            ("blocks", blocky(&picture, 1)),
        ] {
            let copy = of(&changed);
            assert!(!copy.is_sharper(area, &own, area), "{what}: {copy:?} {own:?}");
            assert!(copy.is_marred(area, &own, area), "{what}: {copy:?} {own:?}");
            assert!(!own.is_marred(area, &copy, area), "{what}");
        }
        let soft = of(&blurred(&picture, 2));
        assert!(own.is_sharper(area, &soft, area), "{own:?} {soft:?}");
        assert!(!soft.is_sharper(area, &own, area) && !own.is_marred(area, &soft, area));
        // What noise hides is not known to be there.
        assert!(!of(&noisy(&picture, 30)).is_marred(area, &of(&blurred(&picture, 2)), area));
    }

    #[test]
    fn an_enlargement_has_no_more_detail_and_a_reduction_has_less() {
        let small = patches(160);
        for to in [208, 320, 480] {
            let large = enlarged(&small, to);
            let (one, other) = (of(&small), of(&large));
            assert!(one.is_sharper(small.len(), &other, large.len()), "{to}: {one:?} {other:?}");
            assert!(!other.is_sharper(large.len(), &one, small.len()), "{to}");
        }
        let large = patches(320);
        let (one, other) = (of(&large), of(&small));
        assert!(one.is_sharper(large.len(), &other, small.len()), "{one:?} {other:?}");
        assert!(!other.is_sharper(small.len(), &one, large.len()));
    }

    #[test]
    fn records_keep_what_was_measured_and_of_the_smallest_pictures_nothing_is() {
        let own = of(&noisy(&patches(160), 12));
        let mut record = [0; BYTES];
        own.write(&mut record);
        let read = Detail::read(record);
        for (one, other) in [
            (read.edges, own.edges),
            (read.finest, own.finest),
            (read.noise, own.noise),
            (read.blocks, own.blocks),
        ] {
            assert!((one - other).abs() < 0.01, "{read:?} {own:?}");
        }
        let tiny = Detail::of(&[[9; 3]; 64], 8, 8);
        assert_eq!(tiny, Detail { blocks: 1.0, ..Detail::default() });
        assert!(!tiny.is_sharper(64, &tiny, 64) && !tiny.is_marred(64, &tiny, 64));
        let flat = of(&[[90; 3]; 6400]);
        assert!(!flat.is_sharper(6400, &flat, 6400));
    }
}
