//! The C functions that a detector calls, generated for any host: each reads its arguments, calls the host through the
//! checks, and turns errors and panics into a status, because nothing may unwind across the boundary.
#![allow(unsafe_code)] // The host's half of the boundary.

mod said;

use super::checked::Checked;
use super::{HostServices, Reported};
use crate::abi::{
    ABI_VERSION, DatasetTable, HashPairRecord, HostTable, IssueRecord, KeptRecord, MatrixTable,
    NeighborsTable, PixelSink, PixelsTable, ProbabilitiesTable, Slice, Status, Str,
};
use crate::export::work_caught;
use crate::{Error, Info, Matrix, Pixels, Report, Result, View, panic};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    /// The message of the last error on this thread, for [`HostTable::message`].
    static MESSAGE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Lends a host's services to a detector; `call` calls the detector's function with the table. `params` come from
/// [`resolve_params`](super::resolve_params).
///
/// # Errors
/// [`Error::stopped`] if the detector says that it was stopped; otherwise the first reason to reject its report: something
/// invalid that it wrote, or its own error message.
pub fn run_detector<S: HostServices>(
    services: &S,
    info: &Info,
    params: &BTreeMap<String, f64>,
    call: impl FnOnce(&HostTable) -> Status,
) -> Result<()> {
    let run = Checked::new(services, info, params);
    let status = call(&table(&run));
    let silent = run.silent();
    match (status, run.into_failure()) {
        (Status::STOPPED, _) => Err(Error::stopped()),
        (_, Some(reason)) => Err(Error::new(reason)),
        (Status::OK, None) => Ok(()),
        (Status::ERROR | Status::PANIC | Status::MISSING, None) => Err(Error::new(silent)),
        (Status(other), None) => Err(Error::new(format!("returned the unknown status {other}"))),
    }
}

/// The same for a detector whose work the host does itself, in safe Rust: one that only describes what to look for, or one
/// that runs in another process. It sees what a library sees, and is refused what a library is refused.
///
/// # Errors
/// As for [`run_detector`], and the error of `work`.
pub fn run_here<S: HostServices>(
    services: &S,
    info: &Info,
    params: &BTreeMap<String, f64>,
    work: impl FnOnce(&View<'_>, &Report<'_>) -> Result<()>,
) -> Result<()> {
    run_detector(services, info, params, |table| work_caught(table, work))
}

/// The table; its functions may be called as long as `run` is alive.
fn table<S: HostServices>(run: &Checked<'_, S>) -> HostTable {
    HostTable {
        abi: ABI_VERSION,
        size: size_of::<HostTable>() as u32,
        ctx: std::ptr::from_ref(run).cast_mut().cast(),
        log: log::<S>,
        fail: fail::<S>,
        message,
        progress: progress::<S>,
        stopped: stopped::<S>,
        number: number::<S>,
        dataset: dataset::<S>,
        embeddings: embeddings::<S>,
        neighbors: neighbors::<S>,
        similarities: similarities::<S>,
        block: block::<S>,
        embed_texts: embed_texts::<S>,
        model: model::<S>,
        prompts: prompts::<S>,
        hashes: hashes::<S>,
        near_hashes: near_hashes::<S>,
        pixels: pixels::<S>,
        each_pixels: each_pixels::<S>,
        issue: issue::<S>,
        scores: scores::<S>,
        note: note::<S>,
        probabilities: probabilities::<S>,
        kept: kept::<S>,
        keep: keep::<S>,
        measures: measures::<S>,
        column: said::column::<S>,
        column_numbers: said::column_numbers::<S>,
        labels_of: said::labels_of::<S>,
        scores_of: said::scores_of::<S>,
        attribute: said::attribute::<S>,
        finding: said::finding::<S>,
        regions: said::regions::<S>,
    }
}

/// Turns a result or a panic into a status and records the message.
fn answer(work: impl FnOnce() -> Result<()>) -> Status {
    let outcome = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        let reason = panic::said(payload);
        Err(Error::new(format!("the host panicked while serving a detector: {reason}")))
    });
    let Err(error) = outcome else { return Status::OK };
    if error.is_stopped() {
        return Status::STOPPED;
    }
    MESSAGE.with(|message| *message.borrow_mut() = error.to_string());
    if error.is_missing() { Status::MISSING } else { Status::ERROR }
}

/// Does some work for the run behind a context pointer.
///
/// # Safety
/// `ctx` must be from a table with this `S` whose run is still alive.
unsafe fn serve<S: HostServices>(
    ctx: *mut c_void,
    work: impl FnOnce(&Checked<'_, S>) -> Result<()>,
) -> Status {
    // SAFETY: the caller guarantees it.
    let run = unsafe { &*ctx.cast::<Checked<'_, S>>() };
    answer(|| work(run).inspect_err(|error| run.answered(error)))
}

/// Does some work for the run behind a context pointer and writes its result to `out`.
///
/// # Safety
/// As for [`serve`], and `out` must be null or valid for a write.
unsafe fn lend<S: HostServices, T>(
    ctx: *mut c_void,
    out: *mut T,
    work: impl FnOnce(&Checked<'_, S>) -> Result<T>,
) -> Status {
    let write = |run: &Checked<'_, S>| {
        if out.is_null() {
            return Err(Error::new("the detector passed a null pointer"));
        }
        let value = work(run)?;
        // SAFETY: not null, and the caller guarantees the rest.
        unsafe { out.write(value) };
        Ok(())
    };
    // SAFETY: the caller guarantees it.
    unsafe { serve(ctx, write) }
}

/// Does some work for the run behind a context pointer and copies the resulting numbers to `out`, which holds `len`.
///
/// # Safety
/// As for [`serve`], and `out` must be null or valid for `len` writes.
unsafe fn fill<S: HostServices>(
    ctx: *mut c_void,
    out: *mut f32,
    len: usize,
    work: impl FnOnce(&Checked<'_, S>) -> Result<Vec<f32>>,
) -> Status {
    let copy = |run: &Checked<'_, S>| {
        let values = work(run)?;
        if len != values.len() || (out.is_null() && len > 0) {
            let due = values.len();
            return Err(Error::new(format!("the detector's buffer holds {len} numbers but needs {due}")));
        }
        if len > 0 {
            // SAFETY: not null, the lengths agree, and the caller guarantees the memory.
            unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), out, len) };
        }
        Ok(())
    };
    // SAFETY: the caller guarantees it.
    unsafe { serve(ctx, copy) }
}

fn matrix_table(matrix: Matrix<'_>) -> MatrixTable {
    MatrixTable { data: Slice::new(matrix.as_slice()), rows: matrix.rows(), cols: matrix.cols() }
}

/// The detector's sink, which the host may call from any thread by contract.
struct Sink {
    ctx: *mut c_void,
    receive: PixelSink,
}

// SAFETY: the contract says that a sink may be called from several threads at once.
unsafe impl Send for Sink {}
// SAFETY: as above.
unsafe impl Sync for Sink {}

impl Sink {
    fn send(&self, sample: usize, pixels: &Pixels<'_>) -> Result<()> {
        let table = PixelsTable::from(*pixels);
        // SAFETY: the detector's own function with its own context; the table outlives the call.
        match unsafe { (self.receive)(self.ctx, sample as u32, &raw const table) } {
            Status::OK => Ok(()),
            Status::STOPPED => Err(Error::stopped()),
            // The detector keeps its own message.
            _ => Err(Error::new("the detector failed on an image")),
        }
    }
}

// SAFETY of all functions below: `ctx` is the pointer that `table` stored with them, whose run is alive until the detector
// returns; pointers passed by the detector are valid for the duration of the call, by contract.

unsafe extern "C" fn log<S: HostServices>(ctx: *mut c_void, level: u32, text: Str) {
    // SAFETY: see above.
    let _ = unsafe {
        serve(ctx, |run: &Checked<'_, S>| {
            run.services.log(level, text.as_str());
            Ok(())
        })
    };
}

unsafe extern "C" fn fail<S: HostServices>(ctx: *mut c_void, text: Str) {
    // SAFETY: see above.
    let _ = unsafe { serve(ctx, |run: &Checked<'_, S>| Err(run.refuse(text.as_str()))) };
}

unsafe extern "C" fn message(_: *mut c_void) -> Str {
    // The view stays valid until the next error on this thread, as documented in the contract.
    MESSAGE.with(|message| Str::new(&message.borrow()))
}

unsafe extern "C" fn progress<S: HostServices>(ctx: *mut c_void, done: u64, total: u64) {
    // SAFETY: see above.
    let _ = unsafe {
        serve(ctx, |run: &Checked<'_, S>| {
            run.services.progress(done, total);
            Ok(())
        })
    };
}

unsafe extern "C" fn stopped<S: HostServices>(ctx: *mut c_void) -> u32 {
    let look = |run: &Checked<'_, S>| if run.services.stopped() { Err(Error::stopped()) } else { Ok(()) };
    // SAFETY: see above.
    u32::from(unsafe { serve(ctx, look) } == Status::STOPPED)
}

unsafe extern "C" fn number<S: HostServices>(ctx: *mut c_void, name: Str, out: *mut f64) -> Status {
    // SAFETY: see above.
    unsafe { lend(ctx, out, |run: &Checked<'_, S>| run.number(name.as_str())) }
}

unsafe extern "C" fn dataset<S: HostServices>(ctx: *mut c_void, out: *mut DatasetTable) -> Status {
    let table = |run: &Checked<'_, S>| {
        let (data, (decisions, relabels)) = (&run.data, run.decided());
        Ok(DatasetTable {
            count: data.labels.len(),
            labels: Slice::new(data.labels),
            splits: Slice::new(data.splits),
            decodable: Slice::new(data.decodable),
            hashes: Slice::new(data.hashes),
            dimensions: Slice::new(data.dimensions),
            classes: Slice::new(&run.classes),
            decisions: Slice::new(decisions),
            relabels: Slice::new(relabels),
        })
    };
    // SAFETY: see above.
    unsafe { lend(ctx, out, table) }
}

unsafe extern "C" fn embeddings<S: HostServices>(ctx: *mut c_void, out: *mut MatrixTable) -> Status {
    // SAFETY: see above.
    unsafe { lend(ctx, out, |run: &Checked<'_, S>| Ok(matrix_table(run.embeddings()?))) }
}

unsafe extern "C" fn neighbors<S: HostServices>(
    ctx: *mut c_void,
    k: usize,
    out: *mut NeighborsTable,
) -> Status {
    let table = |run: &Checked<'_, S>| {
        let lists = run.neighbors(k)?;
        let (indices, similarities) = (Slice::new(lists.indices), Slice::new(lists.similarities));
        Ok(NeighborsTable { indices, similarities, k: lists.k })
    };
    // SAFETY: see above.
    unsafe { lend(ctx, out, table) }
}

unsafe extern "C" fn similarities<S: HostServices>(
    ctx: *mut c_void,
    vectors: *const f32,
    count: usize,
    out: *mut f32,
    len: usize,
) -> Status {
    let cosines = |run: &Checked<'_, S>| {
        let width = run.embeddings()?.cols();
        let numbers = count.checked_mul(width).ok_or_else(|| Error::new("too many vectors"))?;
        // SAFETY: see above. Null gives an empty slice, which is refused if vectors are expected.
        let vectors = unsafe { Slice { ptr: vectors, len: numbers }.as_slice() };
        run.similarities(vectors, count)
    };
    // SAFETY: see above.
    unsafe { fill(ctx, out, len, cosines) }
}

unsafe extern "C" fn block<S: HostServices>(
    ctx: *mut c_void,
    rows: Slice<u32>,
    cols: Slice<u32>,
    out: *mut f32,
    len: usize,
) -> Status {
    // SAFETY: see above.
    unsafe { fill(ctx, out, len, |run: &Checked<'_, S>| run.block(rows.as_slice(), cols.as_slice())) }
}

unsafe extern "C" fn embed_texts<S: HostServices>(
    ctx: *mut c_void,
    texts: Slice<Str>,
    out: *mut f32,
    len: usize,
) -> Status {
    // SAFETY: see above.
    let texts: Vec<&str> = unsafe { texts.as_slice().iter().map(|text| text.as_str()).collect() };
    // SAFETY: see above.
    unsafe { fill(ctx, out, len, |run: &Checked<'_, S>| run.embed_texts(&texts)) }
}

unsafe extern "C" fn model<S: HostServices>(ctx: *mut c_void, dim: *mut usize, scale: *mut f32) -> Status {
    // SAFETY: see above.
    let status = unsafe { lend(ctx, dim, |run: &Checked<'_, S>| Ok(run.model()?.0)) };
    if status != Status::OK {
        return status;
    }
    // SAFETY: see above.
    unsafe { lend(ctx, scale, |run: &Checked<'_, S>| Ok(run.model()?.1)) }
}

unsafe extern "C" fn prompts<S: HostServices>(ctx: *mut c_void, label: u32, out: *mut Slice<Str>) -> Status {
    // SAFETY: see above.
    unsafe { lend(ctx, out, |run: &Checked<'_, S>| run.prompts(label)) }
}

unsafe extern "C" fn hashes<S: HostServices>(ctx: *mut c_void, kind: u32, out: *mut Slice<u64>) -> Status {
    // SAFETY: see above.
    unsafe { lend(ctx, out, |run: &Checked<'_, S>| Ok(Slice::new(run.hashes(kind)?))) }
}

unsafe extern "C" fn near_hashes<S: HostServices>(
    ctx: *mut c_void,
    kind: u32,
    radius: u32,
    out: *mut Slice<HashPairRecord>,
) -> Status {
    // SAFETY: see above.
    unsafe { lend(ctx, out, |run: &Checked<'_, S>| Ok(Slice::new(run.near_hashes(kind, radius)?))) }
}

unsafe extern "C" fn pixels<S: HostServices>(
    ctx: *mut c_void,
    sample: u32,
    max_side: u32,
    sink: *mut c_void,
    receive: PixelSink,
) -> Status {
    let sink = Sink { ctx: sink, receive };
    let look = |sample: usize, pixels: &Pixels<'_>| sink.send(sample, pixels);
    // SAFETY: see above.
    unsafe { serve(ctx, |run: &Checked<'_, S>| run.pixels(sample, max_side, &look)) }
}

unsafe extern "C" fn each_pixels<S: HostServices>(
    ctx: *mut c_void,
    max_side: u32,
    sink: *mut c_void,
    receive: PixelSink,
) -> Status {
    let sink = Sink { ctx: sink, receive };
    let look = |sample: usize, pixels: &Pixels<'_>| sink.send(sample, pixels);
    // SAFETY: see above.
    unsafe { serve(ctx, |run: &Checked<'_, S>| run.each_pixels(max_side, &look)) }
}

unsafe extern "C" fn issue<S: HostServices>(ctx: *mut c_void, record: *const IssueRecord) -> Status {
    let write = |run: &Checked<'_, S>| {
        // SAFETY: see above.
        let Some(record) = (unsafe { record.as_ref() }) else {
            return Err(run.refuse("wrote a null issue"));
        };
        // SAFETY: see above.
        let (related, reason) = unsafe { (record.related.as_slice(), record.reason.as_str()) };
        run.issue(Reported {
            sample: record.sample as usize,
            score: record.score,
            suggested: (record.suggested != u32::MAX).then_some(record.suggested),
            group: (record.group != u32::MAX).then_some(record.group),
            related,
            reason,
        })
    };
    // SAFETY: see above.
    unsafe { serve(ctx, write) }
}

unsafe extern "C" fn scores<S: HostServices>(ctx: *mut c_void, scores: Slice<f32>) -> Status {
    // SAFETY: see above.
    unsafe { serve(ctx, |run: &Checked<'_, S>| run.scores(scores.as_slice())) }
}

unsafe extern "C" fn note<S: HostServices>(ctx: *mut c_void, name: Str, text: Str) -> Status {
    // SAFETY: see above.
    unsafe {
        serve(ctx, |run: &Checked<'_, S>| {
            run.services.note(name.as_str(), text.as_str());
            Ok(())
        })
    }
}

unsafe extern "C" fn probabilities<S: HostServices>(
    ctx: *mut c_void,
    out: *mut ProbabilitiesTable,
) -> Status {
    let table = |run: &Checked<'_, S>| {
        let found = run.probabilities()?;
        let (folds, inverse_temperature) = (Slice::new(found.folds), found.inverse_temperature);
        Ok(ProbabilitiesTable { matrix: matrix_table(found.matrix), folds, inverse_temperature, reserved: 0 })
    };
    // SAFETY: see above.
    unsafe { lend(ctx, out, table) }
}

unsafe extern "C" fn kept<S: HostServices>(
    ctx: *mut c_void,
    name: Str,
    version: u32,
    out: *mut KeptRecord,
) -> Status {
    let record = |run: &Checked<'_, S>| {
        // SAFETY: see above.
        let found = run.kept(unsafe { name.as_str() }, version)?;
        let (version, bytes) = found.unwrap_or((0, &[]));
        Ok(KeptRecord { bytes: Slice::new(bytes), version, reserved: 0 })
    };
    // SAFETY: see above.
    unsafe { lend(ctx, out, record) }
}

unsafe extern "C" fn keep<S: HostServices>(
    ctx: *mut c_void,
    name: Str,
    bytes: Slice<u8>,
    out: *mut u32,
) -> Status {
    // SAFETY: see above.
    unsafe { lend(ctx, out, |run: &Checked<'_, S>| run.keep(name.as_str(), bytes.as_slice())) }
}

unsafe extern "C" fn measures<S: HostServices>(ctx: *mut c_void, out: *mut Slice<u8>) -> Status {
    // SAFETY: see above.
    unsafe { lend(ctx, out, |run: &Checked<'_, S>| Ok(Slice::new(run.measures()?))) }
}
