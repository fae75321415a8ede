//! Products in bf16 on the tile registers of AMX, which Intel's server processors have from Sapphire Rapids on: factors
//! rounded to eight binary digits, sums in single precision, at several times the rate of single precision.
//!
//! Both factors are packed in register layout: blocks of 32 rows (or columns) and 32 numbers, two tiles each. Every sum
//! runs over its own row and column in the same order, so a result depends neither on other rows nor on threads.
//!
//! Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, chapter "Programming with Intel AMX".

#[cfg_attr(all(target_arch = "x86_64", target_os = "linux"), path = "tiles/amx.rs")]
#[cfg_attr(not(all(target_arch = "x86_64", target_os = "linux")), path = "tiles/plain.rs")]
mod instructions;

pub use instructions::available;
use instructions::block;

use chaffinch_compute::vector::{Kernel, wide};
use half::bf16;
use rayon::prelude::*;

/// Rows and columns of a result block, and numbers of a row multiplied per step.
const SIDE: usize = 32;
/// Rows per thread at a time.
const TOGETHER: usize = 13 * SIDE;
/// Rows of a tile.
const ROWS: usize = 16;

/// A tile register: 16 rows of 64 bytes.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Tile([bf16; ROWS * SIDE]);

impl Tile {
    const ZERO: Tile = Tile([bf16::ZERO; ROWS * SIDE]);
}

/// A block of 32 x 32 results.
#[repr(C, align(64))]
pub(crate) struct Block([f32; SIDE * SIDE]);

impl Block {
    /// The concatenated rows, and their length.
    pub(crate) fn rows_mut(&mut self) -> (&mut [f32], usize) {
        (&mut self.0, SIDE)
    }
}

/// The packed left side of products, kept to reuse its memory.
#[derive(Default)]
pub(crate) struct Left {
    tiles: Vec<Tile>,
    rows: usize,
    depth: usize,
}

impl Left {
    /// Makes room for `rows` rows of `depth` numbers. Old content may remain beyond the last row, whose results are not
    /// read.
    pub(crate) fn resize(&mut self, rows: usize, depth: usize) {
        self.tiles.resize(rows.div_ceil(SIDE) * steps(depth) * 2, Tile::ZERO);
        (self.rows, self.depth) = (rows, depth);
    }

    /// Packs `rows` rows of `depth` numbers.
    pub(crate) fn pack(&mut self, x: &[f32], rows: usize, depth: usize) {
        self.resize(rows, depth);
        let used = depth.max(1);
        wide(Take { left: self, row: 0, column: 0, numbers: &x[..rows * depth], width: used, used });
    }

    /// Packs a result block into rows from `row` on and columns from `column` on.
    pub(crate) fn put(&mut self, row: usize, column: usize, block: &Block) {
        let used = SIDE.min(self.depth - column);
        wide(Take { left: self, row, column, numbers: &block.0, width: SIDE, used });
    }

    /// The numbers of a row that are multiplied in one step.
    #[inline(always)]
    fn part(&mut self, row: usize, step: usize) -> &mut [bf16] {
        let tile = (row / SIDE * steps(self.depth) + step) * 2 + row % SIDE / ROWS;
        &mut self.tiles[tile].0[row % ROWS * SIDE..][..SIDE]
    }
}

/// Packs the first `used` numbers of rows of `width`, as those from `column` on of the rows from `row` on.
struct Take<'a> {
    left: &'a mut Left,
    row: usize,
    column: usize,
    numbers: &'a [f32],
    width: usize,
    used: usize,
}

impl Kernel for Take<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Take { left, row, column, numbers, width, used } = self;
        for (row, numbers) in (row..).zip(numbers.chunks_exact(width)) {
            for (step, numbers) in (column / SIDE..).zip(numbers[..used].chunks(SIDE)) {
                let to = left.part(row, step);
                to.iter_mut().zip(numbers).for_each(|(to, number)| *to = rounded(*number));
                to[numbers.len()..].fill(bf16::ZERO);
            }
        }
    }
}

/// Number of steps for this many numbers per row.
fn steps(depth: usize) -> usize {
    depth.div_ceil(SIDE)
}

/// To the nearest, ties to even.
#[inline(always)]
fn rounded(number: f32) -> bf16 {
    let bits = number.to_bits();
    let nearest = (bits.wrapping_add(0x7FFF + (bits >> 16 & 1)) >> 16) as u16;
    // Rounding could carry a NaN into another number.
    bf16::from_bits(if number.is_nan() { 0x7FC0 } else { nearest })
}

/// The right side, packed once: the weights of a layer.
pub(crate) struct Weights {
    tiles: Vec<Tile>,
    outputs: usize,
    inputs: usize,
}

impl Weights {
    /// Of a matrix `[outputs, inputs]`.
    pub(crate) fn new(weight: &[f32], outputs: usize) -> Weights {
        let inputs = weight.len() / outputs.max(1);
        let steps = steps(inputs);
        let mut tiles = vec![Tile::ZERO; outputs.div_ceil(SIDE) * steps * 2];
        for (output, row) in weight.chunks_exact(inputs.max(1)).enumerate() {
            let first = output / SIDE * steps * 2 + output % SIDE / ROWS;
            for (input, &number) in row.iter().enumerate() {
                // Pairs of numbers stacked, since a step multiplies two of them at once.
                let (pair, half) = (input % SIDE / 2, input % 2);
                tiles[first + input / SIDE * 2].0[pair * SIDE + output % ROWS * 2 + half] = rounded(number);
            }
        }
        Weights { tiles, outputs, inputs }
    }

    /// The products of all rows of `left` with the weights of all outputs, block by block: passes the row and the
    /// output at which each begins. Anything beyond the last of both is meaningless.
    ///
    /// # Panics
    /// When the rows are not as long as the weights of an output.
    #[inline]
    pub(crate) fn blocks(&self, left: &Left, mut each: impl FnMut(usize, usize, &mut Block)) {
        assert_eq!(left.depth, self.inputs, "rows and weights of different length");
        let length = (steps(self.inputs) * 2).max(1);
        let mut result = Block([0.0; SIDE * SIDE]);
        // The weights of a block stay in the L1 cache while all rows are processed.
        for (column, right) in self.tiles.chunks_exact(length).enumerate() {
            for (row, left) in left.tiles.chunks_exact(length).enumerate() {
                block(left, right, &mut result);
                each(row * SIDE, column * SIDE, &mut result);
            }
        }
    }

    /// `x W^T` of all rows of `x`, on all threads.
    pub(crate) fn times(&self, x: &[f32]) -> Vec<f32> {
        let (inputs, outputs) = (self.inputs.max(1), self.outputs.max(1));
        let mut out = vec![0.0; x.len() / inputs * outputs];
        let parts = out.par_chunks_mut(TOGETHER * outputs).zip(x.par_chunks(TOGETHER * inputs));
        let bias = vec![0.0; outputs];
        parts.for_each_init(Left::default, |left, (out, x)| {
            left.pack(x, x.len() / inputs, inputs);
            self.apply(left, &bias, out);
        });
        out
    }

    /// `to = left W^T + bias`.
    ///
    /// # Panics
    /// When a slice is not as long as its shape says.
    pub(crate) fn apply(&self, left: &Left, bias: &[f32], to: &mut [f32]) {
        self.write::<false>(left, bias, to);
    }

    /// `to = to + left W^T + bias`.
    ///
    /// # Panics
    /// When a slice is not as long as its shape says.
    pub(crate) fn add(&self, left: &Left, bias: &[f32], to: &mut [f32]) {
        self.write::<true>(left, bias, to);
    }

    fn write<const ADD: bool>(&self, left: &Left, bias: &[f32], to: &mut [f32]) {
        let outputs = self.outputs;
        assert_eq!((bias.len(), to.len()), (outputs, left.rows * outputs), "results of another shape");
        self.blocks(left, |row, column, block| {
            let to = &mut to[row * outputs..];
            wide(Write::<'_, ADD> { block, outputs, column, bias: &bias[column..], to });
        });
    }
}

/// Writes a block of results into rows of `outputs`, from `column` on, or adds it to what is there.
struct Write<'a, const ADD: bool> {
    block: &'a Block,
    outputs: usize,
    column: usize,
    bias: &'a [f32],
    to: &'a mut [f32],
}

impl<const ADD: bool> Kernel for Write<'_, ADD> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Write { block, outputs, column, bias, to } = self;
        let bias = &bias[..SIDE.min(outputs - column)];
        for (to, numbers) in to.chunks_exact_mut(outputs).zip(block.0.chunks_exact(SIDE)) {
            let to = &mut to[column..column + bias.len()];
            for ((to, number), bias) in to.iter_mut().zip(numbers).zip(bias) {
                let before = if ADD { *to } else { 0.0 };
                *to = before + (number + bias);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_compute::linear::matmul_transposed;

    fn numbers(count: usize, mut state: u32) -> Vec<f32> {
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 16_777_216.0 - 0.5
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn numbers_are_rounded_to_the_nearest() {
        for bits in (0..=u32::MAX).step_by(65_521) {
            let number = f32::from_bits(bits);
            let (own, given) = (rounded(number), bf16::from_f32(number));
            assert!(own == given || own.is_nan() && given.is_nan(), "{number}");
        }
    }

    #[test]
    fn products_are_those_of_the_rounded_factors() {
        if !available() {
            println!("NOT TESTED: this processor has no tiles for bf16");
            return;
        }
        let mut left = Left::default();
        // Larger shapes first: their leftovers must not affect the results.
        for (rows, outputs, inputs) in
            [(70, 100, 200), (32, 32, 32), (33, 31, 65), (1, 1, 1), (5, 40, 7), (0, 3, 4)]
        {
            let (x, weight) = (numbers(rows * inputs, 1), numbers(outputs * inputs, 2));
            let round = |all: &[f32]| all.iter().map(|&x| rounded(x).to_f32()).collect::<Vec<f32>>();
            let mut expected = vec![0.0; rows * outputs];
            matmul_transposed(&round(&x), rows, &round(&weight), outputs, inputs, &mut expected);
            let mut found = vec![f32::NAN; rows * outputs];
            let product = |x: &[f32], rows: usize, left: &mut Left, out: &mut [f32]| {
                left.pack(x, rows, inputs);
                Weights::new(&weight, outputs).apply(left, &vec![0.0; outputs], out);
            };
            let at_once = Weights::new(&weight, outputs).times(&x);
            product(&x, rows, &mut left, &mut found);
            assert_eq!(at_once, found);
            let mut added = vec![1.0; found.len()];
            Weights::new(&weight, outputs).add(&left, &vec![2.0; outputs], &mut added);
            assert!(added.iter().zip(&found).all(|(added, found)| (added - found - 3.0).abs() < 1e-5));
            for (found, expected) in found.iter().zip(&expected) {
                assert!((found - expected).abs() < 1e-4, "{rows} x {outputs} x {inputs}: {found} {expected}");
            }
            // A single row has the same bits as in a batch.
            if rows > 1 {
                let mut alone = vec![0.0; outputs];
                product(&x[inputs..2 * inputs], 1, &mut left, &mut alone);
                assert_eq!(alone, found[outputs..2 * outputs]);
            }
        }
    }
}
