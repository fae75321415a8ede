#![allow(unsafe_code)] // Calls of the driver that cudarc has no safe function for.
//! An NVIDIA GPU, through candle and cudarc.

use super::smoke::{self, Distrust};
use super::{DeviceContext, Gpu, Kind, Place};
use crate::error::ClipError;
use crate::failure::{Meaning, first_line};
use candle_core::cuda_backend::cudarc::driver::{self, CudaContext, sys};
use candle_core::{DType, Device};
use std::ffi::c_int;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::thread::JoinHandle;

/// The oldest version of CUDA that the driver must support, as the driver counts: CUDA 13.0.
const DRIVER: i32 = 13_000;
/// The oldest compute capability whose cards run the kernels.
const CAPABILITY: (i32, i32) = (8, 0);

/// GPUs that the driver shows; 0 if there is none or no driver.
pub(super) fn count() -> usize {
    let count = driver::result::init().and_then(|()| CudaContext::device_count());
    count.ok().and_then(|count| usize::try_from(count).ok()).unwrap_or(0)
}

/// Opens a GPU and checks that it computes.
///
/// # Errors
/// In one sentence, why it cannot be used and what to do.
pub(super) fn open(number: usize) -> Result<DeviceContext, ClipError> {
    let failed = |reason: String| ClipError::Device { device: format!("cuda:{number}"), reason };
    let explained = |text: String| match Meaning::of(&text) {
        Some(meaning) => failed(format!("{} ({text})", meaning.words())),
        None => {
            failed(format!("{text}; check with nvidia-smi that the driver is running and the GPU exists"))
        }
    };
    driver::result::init().map_err(|error| explained(error.to_string()))?;
    if let Some(version) = driver_version().filter(|&version| version < DRIVER) {
        let found = format!("it supports CUDA {}.{}", version / 1000, version % 1000 / 10);
        return Err(failed(format!("{} ({found})", Meaning::OldDriver.words())));
    }
    // One stream for the device. The default of candle is one for each thread, which nothing orders.
    let device = Device::new_cuda_with_stream(number).map_err(|error| explained(first_line(&error)))?;
    let Device::Cuda(cuda) = &device else { return Err(failed("it is not a GPU".into())) };
    // cudarc panics where a handle of cuBLAS cannot be destroyed, as on a card that broke meanwhile. So it is kept until the
    // program ends, which gives everything back.
    std::mem::forget(cuda.clone());
    // SAFETY: everything on this device is used in its one stream, whose order is all that is needed, and other devices have
    // contexts of their own. So no tensor needs two events, and no kernel calls for each of its tensors.
    unsafe { cuda.disable_event_tracking() };
    let context = cuda.cuda_stream().context().clone();
    let kind = Kind {
        model: context.name().unwrap_or_default(),
        capability: context.compute_capability().unwrap_or_default(),
        processors: context
            .attribute(sys::CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)
            .unwrap_or_default(),
    };
    let model = kind.behind();
    let capability = kind.capability;
    if capability < CAPABILITY && capability != (0, 0) {
        let found = format!("this one{model} has {}.{}", capability.0, capability.1);
        return Err(failed(format!("{}; {found}", Meaning::OtherCode.words())));
    }
    smoke::check(&device, DType::F16).map_err(|distrust| match distrust {
        Distrust::Failed(error) => explained(first_line(&error)),
        Distrust::Wrong => failed(
            "it computes wrong numbers in a test; check it with nvidia-smi and the system's log (dmesg, Xid)"
                .into(),
        ),
    })?;
    let free = context.mem_get_info().ok().map(|(free, _)| free as u64);
    Ok(DeviceContext {
        free,
        gpu: Some(Gpu { number, kind }),
        ..DeviceContext::at(Place::Device(device), DType::F16, format!("cuda:{number}{model}"))
    })
}

fn driver_version() -> Option<i32> {
    let mut version = 0;
    // SAFETY: the driver writes one number to the address, which is that of a local variable.
    let result = unsafe { sys::cuDriverGetVersion(&raw mut version) };
    result.result().ok().map(|()| version)
}

/// Gives memory that the device's allocator keeps for later back to other programs.
pub(super) fn trim(device: &Device) {
    let Device::Cuda(cuda) = device else { return };
    let stream = cuda.cuda_stream();
    if stream.synchronize().is_err() {
        return;
    }
    let Ok(ordinal) = i32::try_from(stream.context().ordinal()) else { return };
    let Ok(number) = driver::result::device::get(ordinal) else { return };
    // A pool that cannot be trimmed only keeps memory that it would use later.
    // SAFETY: the device exists, since a stream of it does; its default pool lives as long as the device, and what is in use
    // stays in the pool.
    let _ = unsafe {
        driver::result::device::get_default_mem_pool(number)
            .and_then(|pool| driver::result::mem_pool::trim_to(pool, 0))
    };
}

unsafe extern "C" {
    /// Of the C library: calls a function when the program ends, before those that were named earlier.
    fn atexit(function: extern "C" fn()) -> c_int;
}

/// Threads that use GPUs, and what tells each of them to end.
static THREADS: Mutex<Vec<(Arc<AtomicBool>, JoinHandle<()>)>> = Mutex::new(Vec::new());

/// Lets a thread end before the driver does, which was loaded before: a call of the driver while it ends can crash.
pub(super) fn ends_before_the_driver(stop: Arc<AtomicBool>, thread: JoinHandle<()>) {
    static NAMED: Once = Once::new();
    NAMED.call_once(|| {
        // SAFETY: the function is one of this program, which stays loaded, and does not unwind.
        let _ = unsafe { atexit(end_threads) };
    });
    let mut threads = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
    threads.retain(|(_, thread)| !thread.is_finished());
    threads.push((stop, thread));
}

extern "C" fn end_threads() {
    let threads = std::mem::take(&mut *THREADS.lock().unwrap_or_else(PoisonError::into_inner));
    threads.iter().for_each(|(stop, _)| stop.store(true, Ordering::Relaxed));
    threads.into_iter().for_each(|(_, thread)| drop(thread.join()));
}
