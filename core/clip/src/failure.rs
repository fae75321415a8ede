//! What a failing device says.

use chaffinch_compute::embedding::EmbedError;

/// What candle says, told apart: a device without memory can go on with less.
pub(crate) fn failed(device: &str, error: &candle_core::Error, batch: usize) -> EmbedError {
    let reason = error.to_string();
    // What follows the first line is a backtrace.
    let reason = reason.lines().next().unwrap_or_default();
    let lower = reason.to_ascii_lowercase();
    if lower.contains("out of memory") || lower.contains("out_of_memory") {
        return EmbedError::OutOfMemory { device: device.to_owned(), batch };
    }
    EmbedError::Model(format!("{device} failed: {reason}"))
}
