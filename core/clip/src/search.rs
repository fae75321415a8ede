//! Vectors on a device without a model, for measuring the neighbor search alone.

use crate::budget::{Memory, MemoryBudget};
use crate::device::{DeviceChoice, DeviceContext, Gpus, Place};
use crate::embedder::keep;
use crate::error::ClipError;
use candle_core::{DType, Device};
use chaffinch_compute::embedding::EmbedError;
use chaffinch_compute::neighbors::DeviceVectors;

/// Where a search filters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SearchDevice {
    /// On that device, the first one of several; not at all on the CPU.
    Of(DeviceChoice),
    /// On the CPU, in half precision, step by step as on a GPU: slow, but it needs none.
    Rehearsed,
}

/// Puts unit vectors that are `dim` wide onto a device; `None` on the CPU, or if its memory does not suffice. The name is for
/// display.
///
/// # Errors
/// When the device cannot be used, or fails.
#[allow(clippy::type_complexity)]
pub fn keep_on_device(
    device: &SearchDevice,
    vectors: &[f32],
    dim: usize,
    budget: Option<MemoryBudget>,
) -> Result<(String, Option<Box<dyn DeviceVectors>>), ClipError> {
    let context = match device {
        SearchDevice::Of(choice) => DeviceContext::first(choice, &mut Gpus::of(choice))?,
        SearchDevice::Rehearsed => {
            DeviceContext::at(Place::Device(Device::Cpu), DType::F16, "cpu, as a device".into())
        }
    };
    if !context.stepwise {
        return Ok((context.name, None));
    }
    let spare = Memory::new(budget, context.free).beside(0);
    let failed =
        |error: EmbedError| ClipError::Device { device: context.name.clone(), reason: error.to_string() };
    let kept = keep(&context, vectors, dim, spare).map_err(failed)?;
    Ok((context.name, kept))
}
