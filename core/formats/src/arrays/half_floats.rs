//! Numbers of 16 bits, widened to 32 without loss.

use half::{bf16, f16};

fn pairs(bytes: &[u8], big: bool) -> impl Iterator<Item = u16> {
    bytes.chunks_exact(2).map(move |pair| match big {
        true => u16::from_be_bytes([pair[0], pair[1]]),
        false => u16::from_le_bytes([pair[0], pair[1]]),
    })
}

/// Half precision (IEEE 754 binary16).
pub(super) fn f16_bytes(bytes: &[u8], big: bool) -> Vec<f32> {
    pairs(bytes, big).map(|bits| f16::from_bits(bits).to_f32()).collect()
}

/// The upper half of single precision.
pub(super) fn bf16_bytes(bytes: &[u8], big: bool) -> Vec<f32> {
    pairs(bytes, big).map(|bits| bf16::from_bits(bits).to_f32()).collect()
}
