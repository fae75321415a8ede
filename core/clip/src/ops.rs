//! Elementwise steps of a transformer, fused.
//!
//! In single precision on the CPU each of them is a single in-place pass, with an exponential that vectorizes, and so it is in half
//! precision; elsewhere they are candle's operations. Rows are independent, so results do not depend on the number of threads.

pub(crate) mod half;

#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{
    CpuStorage, D, DType, Device, InplaceOp1, InplaceOp2, InplaceOp3, Layout, Result, Storage, Tensor,
};
use chaffinch_compute::linear::matmul_transposed;
use rayon::prelude::*;

/// Minimum numbers per thread at a time.
const GRAIN: usize = 1 << 14;

/// The activation between the two layers of a perceptron.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activation {
    /// `x * sigmoid(1.702 x)`.
    QuickGelu,
    /// `x * Phi(x)`, exactly.
    Gelu,
    /// `x * Phi(x)` by the usual formula with `tanh`.
    GeluTanh,
}

impl Activation {
    /// By its name in a configuration.
    pub(crate) fn from_name(name: &str) -> Option<Activation> {
        match name {
            "quick_gelu" => Some(Activation::QuickGelu),
            "gelu" => Some(Activation::Gelu),
            "gelu_pytorch_tanh" | "gelu_new" => Some(Activation::GeluTanh),
            _ => None,
        }
    }
}

/// `x + bias`, in place where possible.
pub(crate) fn add_bias(x: Tensor, bias: &Tensor) -> Result<Tensor> {
    if fused(&x, || x.inplace_op2(bias, &Bias(None)))? {
        return Ok(x);
    }
    x.broadcast_add(bias)
}

/// `activation(x + bias)`, in place where possible.
pub(crate) fn add_bias_activated(x: Tensor, bias: &Tensor, activation: Activation) -> Result<Tensor> {
    if fused(&x, || x.inplace_op2(bias, &Bias(Some(activation))))? {
        return Ok(x);
    }
    let x = x.broadcast_add(bias)?;
    match activation {
        Activation::QuickGelu => &x * candle_nn::ops::sigmoid(&(&x * 1.702)?)?,
        Activation::Gelu => x.gelu_erf(),
        Activation::GeluTanh => x.gelu(),
    }
}

/// `residual + x + bias`, in place where possible.
pub(crate) fn add_bias_residual(x: Tensor, bias: &Tensor, residual: &Tensor) -> Result<Tensor> {
    if x.dtype() != DType::F16 && fused(&x, || x.inplace_op3(bias, residual, &BiasResidual))? {
        return Ok(x);
    }
    add_bias(x, bias)? + residual
}

/// Softmax over the last dimension of `[.., queries, keys]`, in place where possible. With `causal`, a query sees
/// only the keys up to its own position.
pub(crate) fn softmax(x: Tensor, causal: bool) -> Result<Tensor> {
    if fused(&x, || x.inplace_op1(&Softmax { causal }))? {
        return Ok(x);
    }
    if !causal {
        return candle_nn::ops::softmax_last_dim(&x);
    }
    let (queries, keys) = (x.dim(D::Minus2)?, x.dim(D::Minus1)?);
    let hidden = |i: usize| if i % keys > i / keys { f32::NEG_INFINITY } else { 0.0 };
    let mask: Vec<f32> = (0..queries * keys).map(hidden).collect();
    let mask = Tensor::from_vec(mask, (queries, keys), x.device())?.to_dtype(x.dtype())?;
    candle_nn::ops::softmax_last_dim(&x.broadcast_add(&mask)?)
}

/// Copies of `x` along the first dimension, of which it has one. Candle's own repetition copies once for each.
pub(crate) fn repeated(x: &Tensor, count: usize) -> Result<Tensor> {
    let mut dims = x.dims().to_vec();
    if let Some(first) = dims.first_mut() {
        *first = count;
    }
    x.broadcast_as(dims)?.contiguous()
}

/// `x W^T` of `[rows, inputs]` and `[outputs, inputs]`: on the CPU the same numbers on every one, whatever the other rows.
pub(crate) fn times(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    if !on_cpu(x) {
        return x.matmul(&weight.t()?);
    }
    let ((rows, inputs), outputs) = (x.dims2()?, weight.dim(0)?);
    let (x, weight) = (x.contiguous()?, weight.contiguous()?);
    let ((left, left_layout), (right, right_layout)) = (x.storage_and_layout(), weight.storage_and_layout());
    let (Storage::Cpu(left), Storage::Cpu(right)) = (&*left, &*right) else {
        candle_core::bail!("a product of numbers on two devices");
    };
    let (left, right) = (floats(left, left_layout)?, floats(right, right_layout)?);
    let mut out = vec![0.0; rows * outputs];
    let each = rows.div_ceil(rayon::current_num_threads()).max(1);
    let parts = out.par_chunks_mut((each * outputs).max(1)).zip(left.par_chunks((each * inputs).max(1)));
    parts.for_each(|(out, rows)| {
        matmul_transposed(rows, rows.len() / inputs.max(1), right, outputs, inputs, out);
    });
    Tensor::from_vec(out, (rows, outputs), x.device())
}

fn on_cpu(x: &Tensor) -> bool {
    matches!(x.device(), Device::Cpu) && x.dtype() == DType::F32
}

/// Runs a fused operation if there is one for `x`, and returns whether it did: in half precision, and in single precision on the
/// CPU.
fn fused(x: &Tensor, run: impl FnOnce() -> Result<()>) -> Result<bool> {
    match (x.dtype(), x.device()) {
        (DType::F16, _) | (DType::F32, Device::Cpu) => run().map(|()| true),
        _ => Ok(false),
    }
}

struct Bias(Option<Activation>);

impl InplaceOp2 for Bias {
    fn name(&self) -> &'static str {
        "bias-activation"
    }

    fn cpu_fwd(
        &self,
        x: &mut CpuStorage,
        x_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<()> {
        if matches!(x, CpuStorage::F16(_)) {
            return half::bias(x, x_layout, bias, bias_layout, self.0);
        }
        let bias = floats(bias, bias_layout)?;
        let activation = self.0;
        in_rows(floats_mut(x, x_layout)?, bias.len(), |_, rows| {
            for row in rows.chunks_exact_mut(bias.len()) {
                row.iter_mut().zip(bias).for_each(|(x, bias)| *x += bias);
                if let Some(activation) = activation {
                    activate(row, activation);
                }
            }
        });
        Ok(())
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &mut CudaStorage,
        x_layout: &Layout,
        bias: &CudaStorage,
        bias_layout: &Layout,
    ) -> Result<()> {
        half::card::bias((x, x_layout), (bias, bias_layout), self.0)
    }
}

struct BiasResidual;

impl InplaceOp3 for BiasResidual {
    fn name(&self) -> &'static str {
        "bias-residual"
    }

    fn cpu_fwd(
        &self,
        x: &mut CpuStorage,
        x_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
        residual: &CpuStorage,
        residual_layout: &Layout,
    ) -> Result<()> {
        let (bias, residual) = (floats(bias, bias_layout)?, floats(residual, residual_layout)?);
        let x = floats_mut(x, x_layout)?;
        if x.len() != residual.len() {
            candle_core::bail!("a residual of {} numbers for {}", residual.len(), x.len());
        }
        in_rows(x, bias.len(), |start, rows| {
            let residual = &residual[start..start + rows.len()];
            for (row, residual) in rows.chunks_exact_mut(bias.len()).zip(residual.chunks_exact(bias.len())) {
                row.iter_mut()
                    .zip(residual)
                    .zip(bias)
                    .for_each(|((x, residual), bias)| *x += residual + bias);
            }
        });
        Ok(())
    }
}

struct Softmax {
    causal: bool,
}

impl InplaceOp1 for Softmax {
    fn name(&self) -> &'static str {
        "causal-softmax"
    }

    fn cpu_fwd(&self, x: &mut CpuStorage, layout: &Layout) -> Result<()> {
        if matches!(x, CpuStorage::F16(_)) {
            return half::softmax(x, layout, self.causal);
        }
        let [.., queries, keys] = *layout.dims() else { candle_core::bail!("softmax needs two dimensions") };
        in_rows(floats_mut(x, layout)?, keys, |start, rows| {
            for (index, row) in rows.chunks_exact_mut(keys).enumerate() {
                let query = (start / keys + index) % queries;
                let (seen, hidden) = row.split_at_mut(if self.causal { (query + 1).min(keys) } else { keys });
                softmax_row(seen);
                hidden.fill(0.0);
            }
        });
        Ok(())
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, x: &mut CudaStorage, layout: &Layout) -> Result<()> {
        half::card::softmax(x, layout, self.causal)
    }
}

fn softmax_row(row: &mut [f32]) {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    row.iter_mut().for_each(|x| *x = exp(*x - largest));
    let factor = row.iter().sum::<f32>().recip();
    row.iter_mut().for_each(|x| *x *= factor);
}

/// Calls `work` with the offset and the numbers of complete rows, several rows at a time, on all threads.
fn in_rows<T: Send>(x: &mut [T], width: usize, work: impl Fn(usize, &mut [T]) + Sync) {
    let width = width.max(1);
    let step = GRAIN.div_ceil(width) * width;
    if x.len() <= step {
        work(0, x);
    } else {
        x.par_chunks_mut(step).enumerate().for_each(|(index, rows)| work(index * step, rows));
    }
}

/// The numbers of a tensor on the CPU.
pub(crate) fn floats<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(numbers), Some((start, end))) => Ok(&numbers[start..end]),
        _ => candle_core::bail!("this needs contiguous single-precision numbers"),
    }
}

fn floats_mut<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(numbers), Some((start, end))) => Ok(&mut numbers[start..end]),
        _ => candle_core::bail!("fused operations need contiguous single-precision numbers"),
    }
}

/// The activation of each number.
#[inline(always)]
pub(crate) fn activate(row: &mut [f32], activation: Activation) {
    match activation {
        Activation::QuickGelu => row.iter_mut().for_each(|x| *x = quick_gelu(*x)),
        Activation::Gelu => row.iter_mut().for_each(|x| *x = gelu(*x)),
        Activation::GeluTanh => row.iter_mut().for_each(|x| *x = gelu_tanh(*x)),
    }
}

#[inline(always)]
fn quick_gelu(x: f32) -> f32 {
    x / (1.0 + exp(-1.702 * x))
}

#[inline(always)]
fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// `0.5 (1 + tanh(y))` is `sigmoid(2 y)`.
#[inline(always)]
fn gelu_tanh(x: f32) -> f32 {
    let y = 0.797_884_6 * (x + 0.044_715 * x * x * x);
    x / (1.0 + exp(-2.0 * y))
}

/// The exponential without branches, within 2e-7 of the true one, relatively: powers of two by shifting, the rest
/// by the polynomial that Cephes uses. Below -86 it stays at 4e-38, above 88 at 2e38.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // Adding and subtracting this leaves the nearest integer, which is also in the lowest bits of the sum.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-86.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    // ln 2 in two pieces, so that the product with the first one is exact.
    let r = x - whole * 0.693_359_4 + whole * 2.121_944_4e-4;
    let p = 1.987_569_2e-4_f32;
    let p = p * r + 1.398_2e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_6e-1;
    let p = p * r + 0.5;
    let p = p * r * r + r + 1.0;
    p * f32::from_bits(shifted.to_bits().wrapping_add(127) << 23)
}

/// The error function without branches, by the quotient of polynomials that Eigen uses; within 5e-7.
#[inline(always)]
fn erf(x: f32) -> f32 {
    let x = x.clamp(-4.0, 4.0);
    let y = x * x;
    let p = -2.726_142_3e-10_f32;
    let p = p * y + 2.770_681_4e-8;
    let p = p * y - 2.101_024e-6;
    let p = p * y - 5.692_506_4e-5;
    let p = p * y - 7.349_906_3e-4;
    let p = p * y - 2.954_6e-3;
    let p = p * y - 1.609_603_3e-2;
    let q = -1.456_607_2e-5_f32;
    let q = q * y - 2.133_740_6e-4;
    let q = q * y - 1.682_827e-3;
    let q = q * y - 7.373_329_2e-3;
    let q = q * y - 1.426_473_9e-2;
    x * p / q
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> impl Iterator<Item = f32> {
        (-120_000..=120_000).map(|i| i as f32 * 1e-3)
    }

    /// By the series, which is precise enough in the range used here.
    fn exact_erf(x: f64) -> f64 {
        if x.abs() > 4.0 {
            return x.signum();
        }
        let (mut term, mut sum) = (x, x);
        for n in 1..200 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        sum * std::f64::consts::FRAC_2_SQRT_PI
    }

    #[test]
    fn exponential_and_error_function_are_close() {
        let relative = |x: f32| (f64::from(exp(x)) / f64::from(x).exp() - 1.0).abs();
        let worst = grid().filter(|x| (-86.0..=88.0).contains(x)).map(relative).fold(0.0, f64::max);
        assert!(worst < 2e-7, "{worst}");
        let absolute = |x: f32| (f64::from(erf(x)) - exact_erf(f64::from(x))).abs();
        let worst = grid().map(absolute).fold(0.0, f64::max);
        assert!(worst < 5e-7, "{worst}");
        assert!(exp(-1000.0) < 5e-38 && exp(0.0) == 1.0 && exp(f32::NAN).is_nan());
    }

    #[test]
    fn fused_steps_equal_the_plain_ones() {
        let device = Device::Cpu;
        let x = Tensor::randn(0.0_f32, 3.0, (3, 5, 700, 40), &device).unwrap();
        let bias = Tensor::randn(0.0_f32, 1.0, 40, &device).unwrap();
        let distance = |a: &Tensor, b: &Tensor| {
            let difference = (a - b).unwrap().abs().unwrap().flatten_all().unwrap();
            difference.max(0).unwrap().to_scalar::<f32>().unwrap()
        };
        let copy = || x.copy().unwrap();
        let sum = x.broadcast_add(&bias).unwrap();
        assert_eq!(distance(&add_bias(copy(), &bias).unwrap(), &sum), 0.0);
        assert!(distance(&add_bias_residual(copy(), &bias, &x).unwrap(), &(&sum + &x).unwrap()) < 4e-6);
        let quick = (&sum * candle_nn::ops::sigmoid(&(&sum * 1.702).unwrap()).unwrap()).unwrap();
        let plain = [quick, sum.gelu_erf().unwrap(), sum.gelu().unwrap()];
        let kinds = [Activation::QuickGelu, Activation::Gelu, Activation::GeluTanh];
        for (kind, plain) in kinds.into_iter().zip(plain) {
            assert!(distance(&add_bias_activated(copy(), &bias, kind).unwrap(), &plain) < 2e-6, "{kind:?}");
        }
        let plain = candle_nn::ops::softmax_last_dim(&x).unwrap();
        assert!(distance(&softmax(copy(), false).unwrap(), &plain) < 1e-6);
        let masked =
            Tensor::from_vec(vec![1.0_f32, 9.0, 9.0, 2.0, 2.0, 9.0, 0.0, 0.0, 0.0], (1, 3, 3), &device);
        let masked = softmax(masked.unwrap(), true).unwrap().to_dtype(DType::F64).unwrap();
        let third = 1.0 / 3.0;
        let wanted = [1.0, 0.0, 0.0, 0.5, 0.5, 0.0, third, third, third];
        let found: Vec<f64> = masked.flatten_all().unwrap().to_vec1().unwrap();
        assert!(found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
    }
}
