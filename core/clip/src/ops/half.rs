//! The steps between the products of a transformer in half precision. Each reads and writes its numbers once, and computes in
//! single precision: on a GPU as the kernels in `kernels.cu`, on the CPU the same, where tests run them.

use super::{Activation, activate, in_rows, softmax_row};
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};
use half::f16;
use rayon::prelude::*;

#[cfg(feature = "cuda")]
pub(crate) mod card;

/// Pictures as bytes `[images, 3, size, size]` to normalized patches `[images, patches, 3 * patch * patch]`: each byte times the
/// factor of its channel, plus its term. Pixels beyond the last complete patch are ignored.
pub(crate) fn patches(bytes: &Tensor, patch: usize, line: [[f32; 2]; 3]) -> Result<Tensor> {
    bytes.apply_op1_no_bwd(&Patches { patch, line })
}

/// The first tokens `[images, tokens, width]` from products `[images, patches, width]`. Token t is row t of `table`, plus the patch if
/// it has one: those without come first. With `norm`, its weights and biases `[2, width]` and epsilon, they are normalized.
pub(crate) fn tokens(products: &Tensor, table: &Tensor, norm: Option<(&Tensor, f32)>) -> Result<Tensor> {
    let eps = norm.map(|(_, eps)| eps);
    products.apply_op3_no_bwd(table, norm.map_or(table, |(norm, _)| norm), &Tokens { eps })
}

/// `[images * tokens, parts * width]` with a bias for each column to `[parts, images, heads, tokens, width / heads]`.
pub(crate) fn split(x: &Tensor, bias: &Tensor, [images, parts, heads]: [usize; 3]) -> Result<Tensor> {
    x.apply_op2_no_bwd(bias, &Split { images, parts, heads })
}

/// `[images, heads, tokens, size]` to `[images * tokens, heads * size]`.
pub(crate) fn merge(x: &Tensor) -> Result<Tensor> {
    x.apply_op1_no_bwd(&Merge)
}

/// Of rows `[rows, width]`: `product + bias + residual`, and that normalized, as `[2, rows / every, width]`; of every row or only
/// of one in `every`. `with` has the bias and the norm's weights and biases: `[3, width]`.
pub(crate) fn sum_norm(
    product: &Tensor,
    residual: &Tensor,
    with: &Tensor,
    eps: f32,
    every: usize,
) -> Result<Tensor> {
    product.apply_op3_no_bwd(residual, with, &SumNorm { eps, every })
}

/// The numbers of a tensor on the CPU.
fn halves<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f16]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F16(numbers), Some((start, end))) => Ok(&numbers[start..end]),
        _ => candle_core::bail!("this needs contiguous numbers in half precision"),
    }
}

/// Calls `work` with complete rows in single precision and where they start; what it leaves is rounded.
fn in_single(x: &mut [f16], width: usize, work: impl Fn(usize, &mut [f32]) + Sync) {
    in_rows(x, width, |start, rows| {
        let mut row = vec![0.0; width];
        for (index, numbers) in rows.chunks_exact_mut(width.max(1)).enumerate() {
            row.iter_mut().zip(&*numbers).for_each(|(single, half)| *single = half.to_f32());
            work(start + index * width, &mut row);
            numbers.iter_mut().zip(&row).for_each(|(half, single)| *half = f16::from_f32(*single));
        }
    });
}

/// `activation(x + bias)` in place.
pub(super) fn bias(
    x: &mut CpuStorage,
    at: &Layout,
    bias: &CpuStorage,
    of: &Layout,
    with: Option<Activation>,
) -> Result<()> {
    let bias = halves(bias, of)?;
    in_single(halves_mut(x, at)?, bias.len(), |_, row| {
        row.iter_mut().zip(bias).for_each(|(x, bias)| *x += bias.to_f32());
        if let Some(activation) = with {
            activate(row, activation);
        }
    });
    Ok(())
}

/// Softmax of rows in place.
pub(super) fn softmax(x: &mut CpuStorage, layout: &Layout, causal: bool) -> Result<()> {
    let [.., queries, keys] = *layout.dims() else { candle_core::bail!("softmax needs two dimensions") };
    in_single(halves_mut(x, layout)?, keys, |start, row| {
        let query = start / keys % queries;
        let (seen, hidden) = row.split_at_mut(if causal { (query + 1).min(keys) } else { keys });
        softmax_row(seen);
        hidden.fill(0.0);
    });
    Ok(())
}

fn halves_mut<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f16]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F16(numbers), Some((start, end))) => Ok(&mut numbers[start..end]),
        _ => candle_core::bail!("this needs contiguous numbers in half precision"),
    }
}

/// Mean and the reciprocal of the standard deviation.
fn spread(row: &[f32], eps: f32) -> (f32, f32) {
    let mean = row.iter().sum::<f32>() / row.len() as f32;
    let squares = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>();
    (mean, (squares / row.len() as f32 + eps).sqrt().recip())
}

fn normalize(row: &mut [f32], weights: &[f16], biases: &[f16], eps: f32) {
    let (mean, factor) = spread(row, eps);
    for (x, (weight, bias)) in row.iter_mut().zip(weights.iter().zip(biases)) {
        *x = (*x - mean) * factor * weight.to_f32() + bias.to_f32();
    }
}

struct Patches {
    patch: usize,
    line: [[f32; 2]; 3],
}

impl Patches {
    /// Images, side in pixels, patches of a row.
    fn sides(&self, layout: &Layout) -> Result<[usize; 3]> {
        let (images, _, size, _) = layout.shape().dims4()?;
        Ok([images, size, size / self.patch])
    }

    fn shape(&self, [images, _, side]: [usize; 3]) -> Shape {
        (images, side * side, 3 * self.patch * self.patch).into()
    }
}

impl CustomOp1 for Patches {
    fn name(&self) -> &'static str {
        "patches"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (CpuStorage::U8(bytes), Some((start, end))) = (storage, layout.contiguous_offsets()) else {
            candle_core::bail!("patches are made of contiguous bytes");
        };
        let sides @ [_, size, side] = self.sides(layout)?;
        let (bytes, patch) = (&bytes[start..end], self.patch);
        let mut out = vec![f16::ZERO; self.shape(sides).elem_count()];
        for (row, out) in out.chunks_exact_mut(patch).enumerate() {
            let (y, rest) = (row % patch, row / patch);
            let (channel, rest) = (rest % 3, rest / 3);
            let (column, rest) = (rest % side, rest / side);
            let from = ((rest / side * 3 + channel) * size + rest % side * patch + y) * size + column * patch;
            let [factor, term] = self.line[channel];
            for (out, &byte) in out.iter_mut().zip(&bytes[from..from + patch]) {
                *out = f16::from_f32(f32::from(byte) * factor + term);
            }
        }
        Ok((CpuStorage::F16(out), self.shape(sides)))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, storage: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        card::patches(self, storage, layout)
    }
}

struct Tokens {
    /// Of the norm, if there is one.
    eps: Option<f32>,
}

impl CustomOp3 for Tokens {
    fn name(&self) -> &'static str {
        "tokens"
    }

    fn cpu_fwd(
        &self,
        products: &CpuStorage,
        products_at: &Layout,
        table: &CpuStorage,
        table_at: &Layout,
        norm: &CpuStorage,
        norm_at: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (images, patches, width) = products_at.shape().dims3()?;
        let (products, table, norm) =
            (halves(products, products_at)?, halves(table, table_at)?, halves(norm, norm_at)?);
        let tokens = table.len() / width;
        let before = tokens - patches;
        let mut out = vec![f16::ZERO; images * tokens * width];
        in_single(&mut out, width, |start, row| {
            let (image, token) = (start / width / tokens, start / width % tokens);
            row.iter_mut().zip(&table[token * width..]).for_each(|(x, added)| *x = added.to_f32());
            if token >= before {
                let patch = &products[(image * patches + token - before) * width..];
                row.iter_mut().zip(patch).for_each(|(x, added)| *x += added.to_f32());
            }
            if let Some(eps) = self.eps {
                normalize(row, norm, &norm[width..], eps);
            }
        });
        Ok((CpuStorage::F16(out), (images, tokens, width).into()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        products: &CudaStorage,
        products_at: &Layout,
        table: &CudaStorage,
        table_at: &Layout,
        norm: &CudaStorage,
        norm_at: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        card::tokens(self, (products, products_at), (table, table_at), (norm, norm_at))
    }
}

struct Split {
    images: usize,
    parts: usize,
    heads: usize,
}

impl Split {
    /// Tokens, and numbers of a head.
    fn sides(&self, layout: &Layout) -> Result<[usize; 2]> {
        let (rows, columns) = layout.shape().dims2()?;
        Ok([rows / self.images, columns / self.parts / self.heads])
    }

    fn shape(&self, [tokens, size]: [usize; 2]) -> Shape {
        (self.parts, self.images, self.heads, tokens, size).into()
    }
}

impl CustomOp2 for Split {
    fn name(&self) -> &'static str {
        "split"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_at: &Layout,
        bias: &CpuStorage,
        bias_at: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let sides @ [tokens, size] = self.sides(x_at)?;
        let (x, bias) = (halves(x, x_at)?, halves(bias, bias_at)?);
        let mut out = vec![f16::ZERO; x.len()];
        out.par_chunks_exact_mut(size).enumerate().for_each(|(row, out)| {
            let (token, rest) = (row % tokens, row / tokens);
            let (head, rest) = (rest % self.heads, rest / self.heads);
            let (image, part) = (rest % self.images, rest / self.images);
            let column = (part * self.heads + head) * size;
            let from = &x[(image * tokens + token) * bias.len() + column..];
            for (out, (x, bias)) in out.iter_mut().zip(from.iter().zip(&bias[column..])) {
                *out = f16::from_f32(x.to_f32() + bias.to_f32());
            }
        });
        Ok((CpuStorage::F16(out), self.shape(sides)))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_at: &Layout,
        bias: &CudaStorage,
        bias_at: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        card::split(self, (x, x_at), (bias, bias_at))
    }
}

struct Merge;

impl CustomOp1 for Merge {
    fn name(&self) -> &'static str {
        "merge"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (images, heads, tokens, size) = layout.shape().dims4()?;
        let x = halves(x, layout)?;
        let mut out = vec![f16::ZERO; x.len()];
        for (row, out) in out.chunks_exact_mut(size).enumerate() {
            let (head, rest) = (row % heads, row / heads);
            let from = ((rest / tokens * heads + head) * tokens + rest % tokens) * size;
            out.copy_from_slice(&x[from..from + size]);
        }
        Ok((CpuStorage::F16(out), (images * tokens, heads * size).into()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, x: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        card::merge(x, layout)
    }
}

struct SumNorm {
    eps: f32,
    every: usize,
}

impl CustomOp3 for SumNorm {
    fn name(&self) -> &'static str {
        "sum-norm"
    }

    fn cpu_fwd(
        &self,
        product: &CpuStorage,
        product_at: &Layout,
        residual: &CpuStorage,
        residual_at: &Layout,
        with: &CpuStorage,
        with_at: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, width) = product_at.shape().dims2()?;
        let (product, residual, with) =
            (halves(product, product_at)?, halves(residual, residual_at)?, halves(with, with_at)?);
        let rows = rows / self.every;
        let mut out = vec![f16::ZERO; 2 * rows * width];
        let (sums, normed) = out.split_at_mut(rows * width);
        in_single(sums, width, |start, row| {
            let at = start * self.every;
            for (c, x) in row.iter_mut().enumerate() {
                *x = product[at + c].to_f32() + with[c].to_f32() + residual[at + c].to_f32();
            }
        });
        normed.copy_from_slice(sums);
        in_single(normed, width, |_, row| normalize(row, &with[width..], &with[2 * width..], self.eps));
        Ok((CpuStorage::F16(out), (2, rows, width).into()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        product: &CudaStorage,
        product_at: &Layout,
        residual: &CudaStorage,
        residual_at: &Layout,
        with: &CudaStorage,
        with_at: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        card::sum_norm(self, (product, product_at), (residual, residual_at), (with, with_at))
    }
}
