#![allow(unsafe_code)] // Fresh page-locked and device memory is not initialized.
//! Page-locked memory: a GPU copies from and to it by itself, while the program goes on.

use super::Fetched;
use candle_core::cuda_backend::cudarc::driver::{CudaEvent, CudaStream, DriverError, PinnedHostSlice, sys};
use candle_core::cuda_backend::{CudaStorage, WrapErr};
use candle_core::op::BackpropOp;
use candle_core::{CudaDevice, Result, Storage, Tensor};
use half::f16;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Batches whose copies may be under way at a time.
const SLOTS: usize = 4;

/// Memory for batches on their way to a GPU and for vectors on their way back.
#[derive(Default)]
pub(super) struct Locked {
    /// Oldest first.
    inputs: Mutex<VecDeque<Slot<u8>>>,
    outputs: Mutex<VecDeque<Slot<f16>>>,
}

struct Slot<T> {
    memory: PinnedHostSlice<T>,
    /// After the last copy from or to it.
    copied: Option<CudaEvent>,
}

impl<T> Slot<T> {
    fn new(stream: &CudaStream, length: usize, flags: u32) -> std::result::Result<Slot<T>, DriverError>
    where
        T: candle_core::cuda_backend::cudarc::driver::DeviceRepr,
    {
        // SAFETY: it is written before it is read: by us on the way there, by the GPU on the way back.
        let memory = unsafe { stream.context().alloc_pinned_with_flags(length, flags)? };
        Ok(Slot { memory, copied: None })
    }

    /// Marks that a copy was started.
    fn mark(&mut self, stream: &CudaStream) -> std::result::Result<(), DriverError> {
        // The thread sleeps while it waits.
        match stream.record_event(Some(sys::CUevent_flags::CU_EVENT_BLOCKING_SYNC)) {
            Ok(event) => self.copied = Some(event),
            Err(_) => stream.synchronize()?,
        }
        Ok(())
    }

    fn wait(&mut self) -> std::result::Result<(), DriverError> {
        self.copied.take().map_or(Ok(()), |event| event.synchronize())
    }
}

impl<T> Drop for Slot<T> {
    fn drop(&mut self) {
        // Memory that a copy still uses is not given back. An error of the device is found by whoever uses it next.
        let _ = self.wait();
    }
}

/// Vectors that are copied when they are computed.
pub(crate) struct Copied(Slot<f16>);

fn open<T>(slots: &Mutex<VecDeque<Slot<T>>>) -> MutexGuard<'_, VecDeque<Slot<T>>> {
    slots.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Locked {
    /// Sends rows, filled up with the first one to the shape.
    pub(super) fn upload(
        &self,
        device: &CudaDevice,
        bytes: &[u8],
        count: usize,
        shape: Vec<usize>,
    ) -> Result<Tensor> {
        let (stream, length) = (device.cuda_stream(), shape.iter().product());
        let mut slot = self.input(&stream, length).w()?;
        let memory = slot.memory.as_mut_slice().w()?;
        let (given, rest) = memory.split_at_mut(bytes.len());
        given.copy_from_slice(bytes);
        let row = &bytes[..bytes.len() / count.max(1)];
        rest.chunks_exact_mut(row.len().max(1)).for_each(|rest| rest.copy_from_slice(row));
        // SAFETY: the copy writes all of it.
        let mut there = unsafe { device.alloc::<u8>(length)? };
        stream.memcpy_htod(&slot.memory, &mut there).w()?;
        slot.mark(&stream).w()?;
        open(&self.inputs).push_back(slot);
        let storage = Storage::Cuda(CudaStorage::wrap_cuda_slice(there, device.clone()));
        Ok(Tensor::from_storage(storage, shape, BackpropOp::none(), false))
    }

    /// Memory that no copy reads any more.
    fn input(&self, stream: &Arc<CudaStream>, length: usize) -> std::result::Result<Slot<u8>, DriverError> {
        let oldest = {
            let mut slots = open(&self.inputs);
            slots.retain(|slot| slot.memory.len() == length);
            if slots.len() < SLOTS { None } else { slots.pop_front() }
        };
        match oldest {
            Some(mut slot) => slot.wait().map(|()| slot),
            // It is only written by this computer, which such memory is made for.
            None => Slot::new(stream, length, sys::CU_MEMHOSTALLOC_WRITECOMBINED),
        }
    }

    /// Starts to copy vectors back.
    pub(super) fn fetch(&self, device: &CudaDevice, vectors: Tensor) -> Result<Fetched> {
        let length = vectors.elem_count();
        let (storage, layout) = vectors.storage_and_layout();
        let (Storage::Cuda(numbers), Some((start, end))) = (&*storage, layout.contiguous_offsets()) else {
            candle_core::bail!("vectors are contiguous, and where they were computed");
        };
        let numbers = numbers.as_cuda_slice::<f16>()?.slice(start..end);
        let stream = device.cuda_stream();
        let free = {
            let mut slots = open(&self.outputs);
            slots.retain(|slot| slot.memory.len() == length);
            slots.pop_front()
        };
        let mut slot = free.map_or_else(|| Slot::new(&stream, length, 0), Ok).w()?;
        stream.memcpy_dtoh(&numbers, &mut slot.memory).w()?;
        slot.mark(&stream).w()?;
        Ok(Fetched::Copied(Copied(slot)))
    }

    /// Waits for vectors; the first `count` numbers of them.
    pub(super) fn wait(&self, Copied(mut slot): Copied, count: usize) -> Result<Vec<f32>> {
        slot.wait().w()?;
        let numbers = slot.memory.as_slice().w()?[..count].iter().map(|number| number.to_f32()).collect();
        let mut slots = open(&self.outputs);
        if slots.len() < SLOTS {
            slots.push_back(slot);
        }
        Ok(numbers)
    }
}
