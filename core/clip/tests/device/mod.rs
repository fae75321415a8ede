//! The device that tests run on.

use chaffinch_clip::DeviceChoice;

/// The one that `CHAFFINCH_TEST_DEVICE` names, or the CPU.
pub(crate) fn device() -> DeviceChoice {
    match std::env::var("CHAFFINCH_TEST_DEVICE") {
        Ok(name) => name.parse().unwrap(),
        Err(_) => DeviceChoice::Cpu,
    }
}

/// How far vectors may be from those of the reference: the largest difference and the smallest cosine.
#[allow(dead_code)]
pub(crate) fn tolerance() -> (f32, f64) {
    if device() == DeviceChoice::Cpu { (1e-4, 0.9999) } else { (4e-3, 0.9999) }
}
