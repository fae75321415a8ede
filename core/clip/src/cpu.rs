//! The transformer on the CPU: the same arithmetic as `layers`, on plain numbers.
//!
//! A few sequences go through all layers on one thread, so that threads never wait for each other inside a layer, the
//! numbers stay in that thread's cache, and no layer takes fresh memory from the system. Every row is computed
//! independently of the others: results depend neither on the batch nor on the number of threads.

use crate::ops::{Activation, activate, exp};
use crate::tiles;
use chaffinch_compute::linear::matmul_transposed;
use chaffinch_compute::vector::{Kernel, wide as vectors};
use rayon::prelude::*;
use std::sync::{Mutex, PoisonError};

/// Maximum rows per thread at a time, unless one sequence is longer. A product packs its weights again for every part,
/// so larger parts are faster as long as there are enough for all threads.
const ROWS: usize = 1024;
/// The same for tiles, whose weights are already packed, so that intermediate results can stay in the cache.
const ROWS_IN_TILES: usize = 640;
/// Numbers activated together if rows are shorter.
const TOGETHER: usize = 1024;
/// Numbers summed in parallel: the width of a vector register.
const LANES: usize = 8;

/// `x W^T + b`.
pub(crate) struct CpuLinear {
    weight: Weight,
    bias: Vec<f32>,
}

/// `[outputs, inputs]`.
enum Weight {
    Single(Vec<f32>),
    Tiles(tiles::Weights),
}

/// Layer normalization.
pub(crate) struct CpuNorm {
    pub(crate) weight: Vec<f32>,
    pub(crate) bias: Vec<f32>,
    pub(crate) eps: f32,
}

/// One layer.
pub(crate) struct CpuLayer {
    pub(crate) norm1: CpuNorm,
    /// Query (already scaled), key and value stacked.
    pub(crate) qkv: CpuLinear,
    pub(crate) out: CpuLinear,
    pub(crate) norm2: CpuNorm,
    pub(crate) first: CpuLinear,
    pub(crate) second: CpuLinear,
    pub(crate) activation: Activation,
}

/// A stack of layers.
pub(crate) struct CpuEncoder {
    pub(crate) layers: Vec<CpuLayer>,
    pub(crate) heads: usize,
    pub(crate) causal: bool,
    /// Maximum rows per thread at a time.
    rows: usize,
    /// Free buffers, reused between batches.
    room: Mutex<Vec<Room>>,
}

/// One thread's buffers between the steps.
#[derive(Default)]
struct Room {
    normed: Vec<f32>,
    wide: Vec<f32>,
    mixed: Vec<f32>,
    packed: [tiles::Left; 2],
    head: HeadBuffers,
}

/// The same for one head of one sequence.
#[derive(Default)]
struct HeadBuffers {
    query: Vec<f32>,
    key: Vec<f32>,
    /// Transposed: `[size, tokens]`.
    value: Vec<f32>,
    attention: Vec<f32>,
    mixed: Vec<f32>,
}

impl CpuEncoder {
    pub(crate) fn new(layers: Vec<CpuLayer>, heads: usize, causal: bool) -> CpuEncoder {
        let in_tiles = layers.iter().any(|layer| matches!(layer.qkv.weight, Weight::Tiles(_)));
        let rows = if in_tiles { ROWS_IN_TILES } else { ROWS };
        CpuEncoder { layers, heads, causal, rows, room: Mutex::default() }
    }

    /// Sequences of `tokens` rows of `width` numbers, in place.
    pub(crate) fn forward(&self, x: &mut [f32], tokens: usize, width: usize) {
        let (tokens, all) = (tokens.max(1), x.len() / (tokens * width).max(1));
        let share = (all / rayon::current_num_threads()).max(1);
        let sequences = (self.rows / tokens).clamp(1, share);
        // A power of two splits the usual batches evenly among threads.
        let sequences = 1 << sequences.ilog2();
        let length = (sequences * tokens * width).max(1);
        x.par_chunks_mut(length).with_max_len(1).for_each(|rows| {
            let mut room = self.room.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
            for layer in &self.layers {
                layer.forward(rows, tokens, width, self.heads, self.causal, &mut room);
            }
            self.room.lock().unwrap_or_else(PoisonError::into_inner).push(room);
        });
    }
}

impl CpuEncoder {
    /// Sends one sequence through all layers, in place, and returns what each token adds to the first one in the attention of the
    /// layers from this one on: `[tokens, width]`.
    pub(crate) fn given(&self, x: &mut [f32], (tokens, width): (usize, usize), from: usize) -> Vec<f32> {
        let mut room = Room::default();
        let mut all = vec![0.0; x.len()];
        for (index, layer) in self.layers.iter().enumerate() {
            if index >= from {
                let given = layer.given(x, (tokens, width), self.heads, &mut room);
                all.iter_mut().zip(&given).for_each(|(all, x)| *all += x);
            }
            layer.forward(x, tokens, width, self.heads, self.causal, &mut room);
        }
        all
    }
}

impl CpuLayer {
    /// What each token's values add to the first token: their share of its attention, through the attention's output.
    fn given(&self, x: &[f32], (tokens, width): (usize, usize), heads: usize, room: &mut Room) -> Vec<f32> {
        let Room { normed, wide, packed, .. } = room;
        self.norm1.apply(x, width, normed);
        self.qkv.product(normed, tokens, &mut packed[0], None, wide);
        let size = width / heads.max(1);
        let part = |token: usize, which: usize, head: usize| {
            &wide[token * 3 * width + which * width + head * size..][..size]
        };
        let mut shared = vec![0.0; tokens * width];
        for head in 0..heads {
            let likeness =
                |token| part(0, 0, head).iter().zip(part(token, 1, head)).map(|(a, b)| a * b).sum();
            let mut attention: Vec<f32> = (0..tokens).map(likeness).collect();
            softmax(&mut attention);
            for (token, share) in attention.iter().enumerate() {
                let to = &mut shared[token * width + head * size..][..size];
                to.iter_mut().zip(part(token, 2, head)).for_each(|(to, value)| *to = share * value);
            }
        }
        let mut given = Vec::new();
        self.out.product(&shared, tokens, &mut packed[0], None, &mut given);
        // The bias is not a token's.
        for row in given.chunks_exact_mut(width.max(1)) {
            row.iter_mut().zip(&self.out.bias).for_each(|(x, bias)| *x -= bias);
        }
        given
    }

    fn forward(
        &self,
        x: &mut [f32],
        tokens: usize,
        width: usize,
        heads: usize,
        causal: bool,
        room: &mut Room,
    ) {
        let rows = x.len() / width.max(1);
        let Room { normed, wide, mixed, packed, head } = room;
        self.norm1.apply(x, width, normed);
        self.qkv.product(normed, rows, &mut packed[0], None, wide);
        mixed.resize(x.len(), 0.0);
        let sequences = wide.chunks_exact(3 * tokens * width).zip(mixed.chunks_exact_mut(tokens * width));
        for (qkv, mixed) in sequences {
            for index in 0..heads {
                head.attend(qkv, mixed, Part { tokens, width, size: width / heads, index }, causal);
            }
        }
        self.out.add_to(x, mixed, rows, &mut packed[0], normed);
        self.norm2.apply(x, width, normed);
        self.perceptron(x, normed, wide, rows, packed);
    }

    /// Adds the perceptron of `normed` to `x`. The hidden layer is stored in `wide`, or packed.
    fn perceptron(
        &self,
        x: &mut [f32],
        normed: &mut Vec<f32>,
        wide: &mut Vec<f32>,
        rows: usize,
        packed: &mut [tiles::Left; 2],
    ) {
        let (bias, activation) = (&self.first.bias, Some(self.activation));
        match (&self.first.weight, &self.second.weight) {
            (Weight::Tiles(first), Weight::Tiles(second)) => {
                let [outer, inner] = packed;
                outer.pack(normed, rows, self.second.bias.len());
                inner.resize(rows, bias.len());
                first.blocks(outer, |row, column, block| {
                    let (rows, width) = block.rows_mut();
                    vectors(Biased { rows, width, bias: &bias[column..], activation });
                    inner.put(row, column, block);
                });
                second.add(inner, &self.second.bias, x);
            }
            _ => {
                self.first.product(normed, rows, &mut packed[0], activation, wide);
                self.second.add_to(x, wide, rows, &mut packed[0], normed);
            }
        }
    }
}

impl CpuLinear {
    /// From a matrix `[outputs, inputs]`, multiplied in bf16 if `in_tiles` is set.
    pub(crate) fn new(weight: Vec<f32>, bias: Vec<f32>, in_tiles: bool) -> CpuLinear {
        let weight = match in_tiles {
            true => Weight::Tiles(tiles::Weights::new(&weight, bias.len())),
            false => Weight::Single(weight),
        };
        CpuLinear { weight, bias }
    }

    /// `out = activation(x W^T + b)`.
    fn product(
        &self,
        x: &[f32],
        rows: usize,
        packed: &mut tiles::Left,
        activation: Option<Activation>,
        out: &mut Vec<f32>,
    ) {
        let outputs = self.bias.len();
        out.resize(rows * outputs, 0.0);
        match &self.weight {
            Weight::Single(weight) => {
                matmul_transposed(x, rows, weight, outputs, weight.len() / outputs.max(1), out);
                vectors(Biased { rows: out, width: outputs, bias: &self.bias, activation });
            }
            Weight::Tiles(weights) => {
                packed.pack(x, rows, x.len() / rows.max(1));
                weights.apply(packed, &self.bias, out);
                if let Some(activation) = activation {
                    activate(out, activation);
                }
            }
        }
    }

    /// `to = to + x W^T + b`.
    fn add_to(&self, to: &mut [f32], x: &[f32], rows: usize, packed: &mut tiles::Left, room: &mut Vec<f32>) {
        match &self.weight {
            Weight::Single(weight) => {
                room.resize(to.len(), 0.0);
                matmul_transposed(x, rows, weight, self.bias.len(), x.len() / rows.max(1), room);
                vectors(Residual { x: to, product: room, bias: &self.bias });
            }
            Weight::Tiles(weights) => {
                packed.pack(x, rows, x.len() / rows.max(1));
                weights.add(packed, &self.bias, to);
            }
        }
    }
}

impl CpuNorm {
    fn apply(&self, x: &[f32], width: usize, out: &mut Vec<f32>) {
        out.resize(x.len(), 0.0);
        vectors(Normed { norm: self, x, width, out });
    }

    #[inline(always)]
    fn apply_row(&self, row: &[f32], out: &mut [f32]) {
        let count = row.len() as f32;
        let mean = sum(row, |x| x) / count;
        let variance = sum(row, |x| (x - mean) * (x - mean)) / count;
        let scale = (variance + self.eps).sqrt().recip();
        let learned = self.weight.iter().zip(&self.bias);
        for ((out, &x), (weight, bias)) in out.iter_mut().zip(row).zip(learned) {
            *out = (x - mean) * scale * weight + bias;
        }
    }
}

/// The location of one head of one sequence.
#[derive(Clone, Copy)]
struct Part {
    tokens: usize,
    width: usize,
    size: usize,
    index: usize,
}

impl HeadBuffers {
    /// One head's attention: `qkv` is `[tokens, 3 * width]`, `out` is `[tokens, width]`.
    fn attend(&mut self, qkv: &[f32], out: &mut [f32], part: Part, causal: bool) {
        let Part { tokens, width, size, index } = part;
        let HeadBuffers { query, key, value, attention, mixed } = self;
        for numbers in [&mut *query, &mut *key, &mut *value, &mut *mixed] {
            numbers.resize(tokens * size, 0.0);
        }
        attention.resize(tokens * tokens, 0.0);
        for (token, row) in qkv.chunks_exact(3 * width).enumerate() {
            let of = |which: usize| &row[which * width + index * size..][..size];
            query[token * size..][..size].copy_from_slice(of(0));
            key[token * size..][..size].copy_from_slice(of(1));
            for (dimension, &number) in of(2).iter().enumerate() {
                value[dimension * tokens + token] = number;
            }
        }
        matmul_transposed(query, tokens, key, tokens, size, attention);
        vectors(Softmax { attention, tokens, causal });
        matmul_transposed(attention, tokens, value, size, tokens, mixed);
        for (row, mixed) in out.chunks_exact_mut(width).zip(mixed.chunks_exact(size)) {
            row[index * size..][..size].copy_from_slice(mixed);
        }
    }
}

/// `x + product + bias`, in place.
pub(crate) struct Residual<'a> {
    pub(crate) x: &'a mut [f32],
    pub(crate) product: &'a [f32],
    pub(crate) bias: &'a [f32],
}

impl Kernel for Residual<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Residual { x, product, bias } = self;
        for (row, product) in x.chunks_exact_mut(bias.len()).zip(product.chunks_exact(bias.len())) {
            for ((x, product), bias) in row.iter_mut().zip(product).zip(bias) {
                *x += product + bias;
            }
        }
    }
}

/// `activation(rows + bias)`, in place.
struct Biased<'a> {
    rows: &'a mut [f32],
    width: usize,
    bias: &'a [f32],
    activation: Option<Activation>,
}

impl Kernel for Biased<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Biased { rows, width, bias, activation } = self;
        // Short rows are activated together: the constants of the activation are loaded once for all.
        for rows in rows.chunks_mut(width * (TOGETHER / width).max(1)) {
            for row in rows.chunks_exact_mut(width) {
                row.iter_mut().zip(bias).for_each(|(x, bias)| *x += bias);
            }
            if let Some(activation) = activation {
                activate(rows, activation);
            }
        }
    }
}

/// [`CpuNorm::apply`].
struct Normed<'a> {
    norm: &'a CpuNorm,
    x: &'a [f32],
    width: usize,
    out: &'a mut [f32],
}

impl Kernel for Normed<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (row, out) in self.x.chunks_exact(self.width).zip(self.out.chunks_exact_mut(self.width)) {
            self.norm.apply_row(row, out);
        }
    }
}

/// The attention weights of each query.
struct Softmax<'a> {
    attention: &'a mut [f32],
    tokens: usize,
    causal: bool,
}

impl Kernel for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Softmax { attention, tokens, causal } = self;
        for (query, row) in attention.chunks_exact_mut(tokens).enumerate() {
            let (seen, hidden) = row.split_at_mut(if causal { query + 1 } else { tokens });
            softmax(seen);
            hidden.fill(0.0);
        }
    }
}

#[inline(always)]
fn softmax(row: &mut [f32]) {
    let mut largest = [f32::NEG_INFINITY; LANES];
    let (whole, rest) = row.as_chunks::<LANES>();
    for part in whole {
        for lane in 0..LANES {
            largest[lane] = if part[lane] > largest[lane] { part[lane] } else { largest[lane] };
        }
    }
    let largest = largest.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max);
    row.iter_mut().for_each(|x| *x = exp(*x - largest));
    let factor = sum(row, |x| x).recip();
    row.iter_mut().for_each(|x| *x *= factor);
}

/// A sum over a function of each number, in an order that only depends on their count.
#[inline(always)]
fn sum(row: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0; LANES];
    let (whole, rest) = row.as_chunks::<LANES>();
    for part in whole {
        for lane in 0..LANES {
            sums[lane] += of(part[lane]);
        }
    }
    let rest: f32 = rest.iter().map(|&x| of(x)).sum();
    sums.iter().sum::<f32>() + rest
}
