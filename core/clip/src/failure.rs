//! Errors of a failing device.

use chaffinch_compute::embedding::EmbedError;

/// Classifies candle's errors: a device that is out of memory can continue with smaller batches.
pub(crate) fn failed(device: &str, error: &candle_core::Error, batch: usize) -> EmbedError {
    let reason = error.to_string();
    // Anything after the first line is a backtrace.
    let reason = reason.lines().next().unwrap_or_default();
    let lower = reason.to_ascii_lowercase();
    if lower.contains("out of memory") || lower.contains("out_of_memory") {
        return EmbedError::OutOfMemory { device: device.to_owned(), batch };
    }
    EmbedError::Model(format!("{device} failed: {reason}"))
}
