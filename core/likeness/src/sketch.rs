//! A picture as a thousand bytes.

/// Cells of gray, each way.
pub(crate) const SIDE: usize = 32;
/// Cells of color, each way.
pub(crate) const COLORS: usize = 8;

const GRAY_AT: usize = 24;
const COLOR_AT: usize = GRAY_AT + SIDE * SIDE;
/// Length of a sketch.
pub const BYTES: usize = COLOR_AT + 2 * COLORS * COLORS;

/// Writes the sketch of a picture (RGB, row by row) into [`BYTES`] bytes: a digest of its pixels, its size, and the means of
/// 32 x 32 cells of gray and 8 x 8 of color. Zeros if the bytes are not those of a picture of this size.
pub fn sketch(rgb: &[u8], width: usize, height: usize, record: &mut [u8]) {
    record.fill(0);
    let fits = width > 0
        && height > 0
        && width.checked_mul(height).and_then(|count| count.checked_mul(3)) == Some(rgb.len());
    if !fits || record.len() < BYTES {
        return;
    }
    let digest = digest(rgb, width, height);
    record[..8].copy_from_slice(&digest[0].to_le_bytes());
    record[8..16].copy_from_slice(&digest[1].to_le_bytes());
    record[16..20].copy_from_slice(&(width.min(u32::MAX as usize) as u32).to_le_bytes());
    record[20..24].copy_from_slice(&(height.min(u32::MAX as usize) as u32).to_le_bytes());
    let cells = cells(rgb, width, height);
    let area = (width * height) as f64;
    let mean = |sum: [u64; 3], cells: f64| sum.map(|sum| sum as f64 / (area * cells));
    for (gray, &sum) in record[GRAY_AT..COLOR_AT].iter_mut().zip(&cells) {
        let [r, g, b] = mean(sum, 1.0);
        *gray = (0.299 * r + 0.587 * g + 0.114 * b).round() as u8;
    }
    let step = SIDE / COLORS;
    for cell in 0..COLORS * COLORS {
        let (x, y) = (cell % COLORS * step, cell / COLORS * step);
        let mut sum = [0; 3];
        for inside in 0..step * step {
            let one = cells[(y + inside / step) * SIDE + x + inside % step];
            (0..3).for_each(|channel| sum[channel] += one[channel]);
        }
        let [r, g, b] = mean(sum, (step * step) as f64);
        let luma = 0.299 * r + 0.587 * g + 0.114 * b;
        record[COLOR_AT + 2 * cell] = (128.0 + (b - luma) * 0.564).round() as u8;
        record[COLOR_AT + 2 * cell + 1] = (128.0 + (r - luma) * 0.713).round() as u8;
    }
}

/// The sum over the area of each cell, in 1024ths of a pixel's area times `SIDE`²: divided by the picture's area it is the
/// cell's mean. A pixel on the border of two cells counts for both by its shares.
fn cells(rgb: &[u8], width: usize, height: usize) -> Vec<[u64; 3]> {
    let mut cells = vec![[0_u64; 3]; SIDE * SIDE];
    let across = Parts::new(width);
    let mut in_row = [[0_u64; 3]; SIDE];
    for (y, row) in rgb.chunks_exact(3 * width).enumerate() {
        for (cell, sum) in across.0.iter().zip(&mut in_row) {
            *sum = cell.sum(row);
        }
        // The row's own height in each row of cells, in 32nds.
        let (top, bottom) = (y * SIDE, (y + 1) * SIDE);
        for down in top / height..=((bottom - 1) / height).min(SIDE - 1) {
            let share = bottom.min((down + 1) * height) - top.max(down * height);
            for (cell, sum) in cells[down * SIDE..].iter_mut().zip(&in_row) {
                (0..3).for_each(|channel| cell[channel] += sum[channel] * share as u64);
            }
        }
    }
    cells
}

/// The parts of a row that belong to each cell.
struct Parts(Vec<Part>);

/// Whole pixels, and the pixels at both ends with their shares in 32nds.
struct Part {
    first: (usize, u64),
    whole: std::ops::Range<usize>,
    last: (usize, u64),
}

impl Parts {
    fn new(width: usize) -> Parts {
        let part = |cell: usize| {
            let (start, end) = (cell * width, (cell + 1) * width);
            let (first, last) = (start / SIDE, (end - 1) / SIDE);
            if first == last {
                return Part { first: (first, (end - start) as u64), whole: 0..0, last: (first, 0) };
            }
            Part {
                first: (first, (SIDE - start % SIDE) as u64),
                whole: first + 1..last,
                last: (last, (end - last * SIDE) as u64),
            }
        };
        Parts((0..SIDE).map(part).collect())
    }
}

impl Part {
    fn sum(&self, row: &[u8]) -> [u64; 3] {
        let mut whole = [0_u32; 3];
        for pixel in row[3 * self.whole.start..3 * self.whole.end].chunks_exact(3) {
            (0..3).for_each(|channel| whole[channel] += u32::from(pixel[channel]));
        }
        let mut sum = whole.map(|sum| u64::from(sum) * SIDE as u64);
        for (pixel, share) in [self.first, self.last] {
            (0..3).for_each(|channel| sum[channel] += u64::from(row[3 * pixel + channel]) * share);
        }
        sum
    }
}

/// 128 bits that differ if the pixels or the size do.
fn digest(rgb: &[u8], width: usize, height: usize) -> [u64; 2] {
    const KEYS: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xd6e8_feb8_6659_fd93];
    let fold = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        product as u64 ^ (product >> 64) as u64
    };
    let mut state = [width as u64 ^ KEYS[1], height as u64 ^ KEYS[0]];
    let (words, rest) = rgb.as_chunks::<16>();
    let mut tail = [0; 16];
    tail[..rest.len()].copy_from_slice(rest);
    for word in words.iter().chain([&tail]) {
        let (low, high) = word.split_at(8);
        let number = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_le_bytes);
        let (low, high) = (number(low), number(high));
        state = [fold(state[0] ^ low, KEYS[0] ^ high), fold(state[1].rotate_left(23) ^ high, KEYS[1] ^ low)];
    }
    state
}

/// A sketch as it is read.
pub(crate) struct Read<'a> {
    /// Digest and size.
    pub(crate) pixels: &'a [u8],
    /// Pixels of the shorter side.
    pub(crate) shortest: usize,
    /// Width and height in pixels.
    pub(crate) size: (usize, usize),
    gray: &'a [u8],
    color: &'a [u8],
}

impl<'a> Read<'a> {
    /// `None` if nothing was sketched.
    pub(crate) fn new(record: &'a [u8]) -> Option<Read<'a>> {
        let size = |at: usize| Some(u32::from_le_bytes(record.get(at..at + 4)?.try_into().ok()?) as usize);
        let size = (size(16)?, size(20)?);
        let shortest = size.0.min(size.1);
        let (gray, color) = (record.get(GRAY_AT..COLOR_AT)?, record.get(COLOR_AT..BYTES)?);
        (shortest > 0).then(|| Read { pixels: &record[..GRAY_AT], shortest, size, gray, color })
    }

    /// The means of all cells of gray, row by row.
    pub(crate) fn cells(&self) -> &'a [u8] {
        self.gray
    }

    /// The cells of gray less their mean.
    pub(crate) fn contrast(&self) -> Vec<f32> {
        let mean = self.gray.iter().map(|&cell| f32::from(cell)).sum::<f32>() / self.gray.len() as f32;
        self.gray.iter().map(|&cell| f32::from(cell) - mean).collect()
    }

    /// The mean of a cell, if there are `side` each way.
    pub(crate) fn gray(&self, x: usize, y: usize, side: usize) -> f32 {
        let step = SIDE / side;
        let inside = (0..step * step).map(|cell| (y * step + cell / step) * SIDE + x * step + cell % step);
        inside.map(|cell| f32::from(self.gray[cell])).sum::<f32>() / (step * step) as f32
    }

    /// The color of a cell, as two differences from gray.
    pub(crate) fn color(&self, x: usize, y: usize) -> (f32, f32) {
        let at = 2 * (y * COLORS + x);
        (f32::from(self.color[at]) - 128.0, f32::from(self.color[at + 1]) - 128.0)
    }

    /// How far the picture is from gray, in levels.
    pub(crate) fn colorfulness(&self) -> f32 {
        self.color.iter().map(|&value| (f32::from(value) - 128.0).abs()).sum::<f32>()
            / self.color.len() as f32
    }
}
