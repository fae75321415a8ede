//! A small computation with a known result, before a device is trusted: it loads the kernels, multiplies, and copies both
//! ways, which are the steps that fail on a card that the program has no code for, or that is broken.

use candle_core::{DType, Device, Result, Tensor};

/// Rows and columns of the product.
const SIDE: usize = 48;
/// Numbers that are summed.
const DEPTH: usize = 96;

/// Why a device is not to be trusted.
pub(crate) enum Distrust {
    /// A step failed.
    Failed(candle_core::Error),
    /// All steps worked, and the result is wrong.
    Wrong,
}

/// Small whole numbers, of which products and sums are exact in half precision.
fn number(at: usize) -> i32 {
    ((at as u32).wrapping_mul(2_654_435_761) >> 7) as i32 % 5 - 2
}

/// Runs the computation in `dtype`.
///
/// # Errors
/// When a step fails or the result is wrong.
pub(crate) fn check(device: &Device, dtype: DType) -> std::result::Result<(), Distrust> {
    let found = compute(device, dtype).map_err(Distrust::Failed)?;
    let expected = (0..SIDE * SIDE).map(|at| {
        let (row, column) = (at / SIDE, at % SIDE);
        let products = (0..DEPTH).map(|d| number(row * DEPTH + d) * number(column * DEPTH + d + 7));
        // The row's number is added, and a row of equal numbers has equal shares.
        (products.sum::<i32>() + row as i32) as f32 + (SIDE as f32).recip()
    });
    let close = |(found, expected): (&f32, f32)| (found - expected).abs() <= 0.5;
    if found.len() == SIDE * SIDE && found.iter().zip(expected).all(close) {
        Ok(())
    } else {
        Err(Distrust::Wrong)
    }
}

fn compute(device: &Device, dtype: DType) -> Result<Vec<f32>> {
    // As bytes, which is what pictures are sent as.
    let matrix = |shift: usize| {
        let bytes: Vec<u8> = (0..SIDE * DEPTH).map(|at| (number(at + shift) + 2) as u8).collect();
        (Tensor::from_vec(bytes, (SIDE, DEPTH), device)?.to_dtype(DType::F32)? - 2.0)?.to_dtype(dtype)
    };
    let product = matrix(0)?.matmul(&matrix(7)?.t()?)?;
    let rows: Vec<f32> = (0..SIDE).map(|row| row as f32).collect();
    let rows = Tensor::from_vec(rows, (SIDE, 1), device)?.to_dtype(dtype)?;
    let equal = candle_nn::ops::softmax_last_dim(&Tensor::zeros((SIDE, SIDE), dtype, device)?)?;
    product.broadcast_add(&rows)?.broadcast_add(&equal)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_trusted_in_every_precision() {
        for dtype in [DType::F32, DType::F16, DType::BF16] {
            assert!(check(&Device::Cpu, dtype).is_ok(), "{dtype:?}");
        }
        let largest: i32 = (0..DEPTH).map(|_| 4).sum();
        assert!(largest + (SIDE as i32) < 512, "exact in half precision to a quarter");
    }
}
