//! A model on several devices: each call goes to the one with the least to do, and what one cannot do, another does.

use super::placed::{Basis, Placed};
use crate::budget::Memory;
use crate::device::{self, DeviceContext, Gpus};
use crate::error::ClipError;
use chaffinch_compute::embedding::EmbedError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Images after which other GPUs are opened, which takes seconds for each: for fewer, one is fast enough.
const WORTHWHILE: usize = 512;

/// The devices of a model, which compute the same bits.
pub(super) struct Spread {
    /// The one that was there first.
    first: Arc<Placed>,
    shared: Arc<Shared>,
    /// Those that are still to be opened, and what is put on them.
    others: Mutex<Option<(Gpus, Basis)>>,
    /// Tells the thread that opens them to end.
    stop: Arc<AtomicBool>,
    /// Images that were given to the model.
    given: AtomicUsize,
    /// Memory for copies of images.
    room: Mutex<Vec<Vec<u8>>>,
}

/// What the thread that opens devices changes.
struct Shared {
    state: Mutex<State>,
    settled: Condvar,
}

struct State {
    /// Never empty.
    working: Vec<Arc<Placed>>,
    /// Whether devices can still be added.
    may_grow: bool,
    /// Sentences that have not been shown yet.
    happened: Vec<String>,
}

/// A device that was chosen for a call.
pub(super) struct Chosen {
    pub(super) placed: Arc<Placed>,
    /// Whether another one could do it now.
    has_others: bool,
    /// Whether another one can do it now or later.
    pub(super) may_have_others: bool,
}

/// A device that works on a call.
pub(super) struct Busy(pub(super) Arc<Placed>);

impl Busy {
    pub(super) fn new(placed: Arc<Placed>) -> Busy {
        placed.unfinished.fetch_add(1, Ordering::Relaxed);
        Busy(placed)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.unfinished.fetch_sub(1, Ordering::Relaxed);
    }
}

fn open<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn left_out(error: &ClipError) -> String {
    format!("a GPU is left out: {error}")
}

impl Spread {
    /// Puts a model on that device, or on the GPU that has most memory for it; on all of them, if each was named. Otherwise,
    /// others are opened when there is much to do. Returns sentences about those that are not used, too.
    ///
    /// # Errors
    /// Why no device can be used, or one that was named.
    pub(super) fn new(
        context: DeviceContext,
        mut gpus: Gpus,
        basis: Basis,
    ) -> Result<(Spread, Vec<String>), ClipError> {
        let (first, more) = place(context, &mut gpus, &basis)?;
        let mut notes: Vec<String> = gpus.left_out.drain(..).map(|error| left_out(&error)).collect();
        notes.extend(first.context.notes.iter().cloned());
        let first = Arc::new(first);
        let mut working = vec![first.clone()];
        working.extend(more.into_iter().map(Arc::new));
        let may_grow = !gpus.is_empty();
        let stop = basis.stop.clone();
        let spread = Spread {
            first,
            shared: Arc::new(Shared {
                state: Mutex::new(State { working, may_grow, happened: Vec::new() }),
                settled: Condvar::new(),
            }),
            others: Mutex::new(may_grow.then_some((gpus, basis))),
            stop,
            given: AtomicUsize::new(0),
            room: Mutex::new(Vec::new()),
        };
        Ok((spread, notes))
    }

    /// The one that was there first, for what does not depend on the device.
    pub(super) fn first(&self) -> &Placed {
        &self.first
    }

    /// The first of those that work.
    pub(super) fn leading(&self) -> Arc<Placed> {
        open(&self.shared.state).working.first().unwrap_or(&self.first).clone()
    }

    /// How many work.
    pub(super) fn count(&self) -> usize {
        open(&self.shared.state).working.len()
    }

    /// Those that work, in words.
    pub(super) fn names(&self) -> String {
        let working = open(&self.shared.state).working.clone();
        let contexts: Vec<&DeviceContext> = working.iter().map(|placed| &placed.context).collect();
        device::names(&contexts)
    }

    /// What happened to devices since it was asked last, in sentences.
    pub(super) fn happened(&self) -> Vec<String> {
        std::mem::take(&mut open(&self.shared.state).happened)
    }

    pub(super) fn works(&self, placed: &Arc<Placed>) -> bool {
        open(&self.shared.state).working.iter().any(|one| Arc::ptr_eq(one, placed))
    }

    /// Runs `work` on the device with the least to do, and on another one if it fails there. It is told whether batches may be
    /// halved if memory ends, which changes the last digits: not where another device has memory.
    ///
    /// # Errors
    /// That of the last device.
    pub(super) fn run<R>(
        &self,
        work: impl Fn(&Placed, bool) -> Result<R, EmbedError>,
    ) -> Result<(Chosen, R), EmbedError> {
        loop {
            let chosen = self.choose();
            match work(&chosen.placed, !chosen.has_others) {
                Ok(done) => return Ok((chosen, done)),
                Err(error) => self.fail(&chosen.placed, error)?,
            }
        }
    }

    fn choose(&self) -> Chosen {
        let state = open(&self.shared.state);
        let least = state.working.iter().min_by_key(|placed| placed.unfinished.load(Ordering::Relaxed));
        let has_others = state.working.len() > 1;
        Chosen {
            placed: least.unwrap_or(&self.first).clone(),
            has_others,
            may_have_others: has_others || state.may_grow,
        }
    }

    /// Leaves out a device that failed.
    ///
    /// # Errors
    /// With its error, if it is the last one.
    pub(super) fn fail(&self, placed: &Arc<Placed>, error: EmbedError) -> Result<(), EmbedError> {
        let mut state = open(&self.shared.state);
        let Some(place) = state.working.iter().position(|one| Arc::ptr_eq(one, placed)) else {
            return Ok(());
        };
        if state.working.len() == 1 {
            return Err(error);
        }
        state.working.remove(place);
        let words = format!("a GPU is left out from here on, and others embed what it was given: {error}");
        state.happened.push(words);
        Ok(())
    }

    /// Counts images that the model is given. When there are many, other devices are opened, on a thread of its own: meanwhile,
    /// those that are there go on.
    pub(super) fn give(&self, images: usize) {
        let given = self.given.fetch_add(images, Ordering::Relaxed) + images;
        if given > WORTHWHILE
            && let Some((gpus, basis)) = open(&self.others).take()
        {
            self.open_others(gpus, basis);
        }
    }

    fn open_others(&self, gpus: Gpus, basis: Basis) {
        let (settles, first) = (Settles(self.shared.clone()), self.first.clone());
        let work = move || settles.add(gpus, &basis, &first);
        match thread::Builder::new().name("gpus".into()).spawn(work) {
            Ok(thread) => device::ends_before_the_driver(self.stop.clone(), thread),
            Err(error) => {
                let words = format!("only one GPU is used: cannot start a thread that opens others: {error}");
                open(&self.shared.state).happened.push(words);
            }
        }
    }

    /// Waits until all devices that it opens are there.
    pub(super) fn wait(&self) {
        if open(&self.others).is_some() {
            return;
        }
        let state = open(&self.shared.state);
        drop(self.shared.settled.wait_while(state, |state| state.may_grow));
    }

    /// A copy of images, in case that another device has to compute them.
    pub(super) fn copy(&self, pixels: &[u8]) -> Vec<u8> {
        let mut copy = open(&self.room).pop().unwrap_or_default();
        copy.clear();
        copy.extend_from_slice(pixels);
        copy
    }

    /// Takes back a copy once it has served, so that the next one reuses its memory.
    pub(super) fn take_back(&self, copy: Option<Vec<u8>>) {
        open(&self.room).extend(copy);
    }
}

impl Drop for Spread {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Marks that no device will be added, when the thread that adds them ends, however it does.
struct Settles(Arc<Shared>);

impl Settles {
    /// Opens devices one after another and adds those that compute the same bits as the first.
    fn add(&self, mut gpus: Gpus, basis: &Basis, first: &Placed) {
        while !basis.stop.load(Ordering::Relaxed)
            && let Some(opened) = gpus.next()
        {
            let placed = opened.and_then(|context| put(context, basis, Some(first)));
            let mut state = open(&self.0.state);
            match placed {
                Ok(placed) => state.working.push(Arc::new(placed)),
                Err(ClipError::Stopped) => return,
                Err(error) => state.happened.push(left_out(&error)),
            }
        }
    }
}

impl Drop for Settles {
    fn drop(&mut self) {
        open(&self.0.state).may_grow = false;
        self.0.settled.notify_all();
    }
}

/// Puts a model on a device. An error names it.
fn put(context: DeviceContext, basis: &Basis, like: Option<&Placed>) -> Result<Placed, ClipError> {
    let device = context.name.clone();
    Placed::new(context, basis, like).map_err(|error| match error {
        ClipError::Budget { .. } => ClipError::Device { device, reason: error.to_string() },
        error => error,
    })
}

/// Puts a model on the first device that has memory for the largest batches, which leads, and on others if each was named.
fn place(context: DeviceContext, gpus: &mut Gpus, basis: &Basis) -> Result<(Placed, Vec<Placed>), ClipError> {
    if !context.stepwise {
        return Ok((Placed::new(context, basis, None)?, Vec::new()));
    }
    let (config, weights) = (&basis.checkpoint.config, &basis.checkpoint.weights);
    let best = Memory::new(basis.budget, None).batch(config, weights.numbers()).unwrap_or(1);
    let mut found: Vec<Placed> = Vec::new();
    let mut next = Some(Ok(context));
    while let Some(opened) = next.take().or_else(|| gpus.next()) {
        match opened.and_then(|context| put(context, basis, None)) {
            Ok(placed) => {
                let enough = placed.batch >= best;
                found.push(placed);
                if enough && !gpus.are_named() {
                    break;
                }
            }
            Err(error) if gpus.are_named() || !error.is_of_device() => return Err(error),
            Err(error) => gpus.left_out.push(error),
        }
    }
    let most = found.iter().map(|placed| placed.batch).max();
    let Some(place) = found.iter().position(|placed| Some(placed.batch) == most) else {
        return Ok((Placed::new(gpus.instead()?, basis, None)?, Vec::new()));
    };
    let first = found.remove(place);
    let mut more = Vec::new();
    for placed in found {
        match placed.is_like(&first) {
            Ok(()) => more.push(placed),
            Err(error) if gpus.are_named() => return Err(error),
            Err(error) => gpus.left_out.push(error),
        }
    }
    Ok((first, more))
}

#[cfg(test)]
mod tests;
