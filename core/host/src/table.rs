//! The C functions a detector calls. Each one reads its arguments, does the work in [`RunContext`], and turns
//! errors and panics into a status: nothing may unwind across the border.
#![allow(unsafe_code)] // The host's half of the border.

use super::LoadedDetector;
use super::context::{RunContext, lock, pixels_of};
use crate::{Error, Result};
use chaffinch_compute::embedding::EmbedError;
use chaffinch_compute::neighbors;
use chaffinch_compute::neighbors::RECALL_AT;
use chaffinch_plugin::abi::{
    ABI_VERSION, DatasetTable, HashPairRecord, HostTable, IssueRecord, KeptRecord, MatrixTable,
    NeighborsTable, PixelSink, ProbabilitiesTable, Slice, Status, Str,
};
use chaffinch_protocol::sample::SampleId;
use rayon::prelude::*;
use std::cell::RefCell;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

thread_local! {
    /// The sentence of the last error on this thread, for [`HostTable::message`].
    static MESSAGE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs a detector with a table made for this context.
pub(super) fn call(context: &RunContext<'_>, detector: &LoadedDetector) -> Status {
    let table = HostTable {
        abi: ABI_VERSION,
        size: size_of::<HostTable>() as u32,
        ctx: std::ptr::from_ref(context).cast_mut().cast(),
        log,
        fail,
        message,
        progress,
        stopped,
        number,
        dataset,
        embeddings,
        neighbors,
        similarities,
        block,
        embed_texts,
        model,
        prompts,
        hashes,
        near_hashes,
        pixels,
        each_pixels,
        issue,
        scores,
        note,
        probabilities,
        kept,
        keep,
        measures,
    };
    // SAFETY: every function is set, and table and context live until the call returns.
    unsafe { detector.call(&table) }
}

/// # Safety
/// `ctx` must be the context of a running [`call`].
unsafe fn context<'a>(ctx: *mut c_void) -> &'a RunContext<'a> {
    // SAFETY: `call` put a live context there, and it stays until the detector returns.
    unsafe { &*ctx.cast::<RunContext<'a>>() }
}

/// Turns a result, or a panic, into a status.
fn status(work: impl FnOnce() -> Result<()>) -> Status {
    let outcome = catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Error::Invalid("the host failed while serving a detector".into())));
    match outcome {
        Ok(()) => Status::OK,
        Err(Error::Stopped) => Status::STOPPED,
        Err(error) => {
            MESSAGE.with(|message| *message.borrow_mut() = error.to_string());
            match error {
                Error::Embed(EmbedError::NoTextTower(_)) => Status::MISSING,
                _ => Status::ERROR,
            }
        }
    }
}

/// # Safety
/// `out` must be null or valid for a write.
unsafe fn put<T>(out: *mut T, value: T) -> Result<()> {
    if out.is_null() {
        return Err(Error::Invalid("a detector passed a null pointer".into()));
    }
    // SAFETY: not null, and the detector answers for the rest.
    unsafe { out.write(value) };
    Ok(())
}

/// # Safety
/// `out` must be null or valid for `len` writes.
unsafe fn fill(out: *mut f32, len: usize, values: &[f32]) -> Result<()> {
    if len != values.len() || (out.is_null() && len > 0) {
        return Err(Error::Invalid(format!(
            "a detector's buffer holds {len} numbers, {} are needed",
            values.len()
        )));
    }
    // SAFETY: lengths agree and the detector answers for the memory.
    unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), out, len) };
    Ok(())
}

// SAFETY of all functions below: `ctx` is the context that `call` put into the table, and pointers the detector
// passes are valid for the time of the call, as the contract says.

unsafe extern "C" fn log(ctx: *mut c_void, level: u32, text: Str) {
    // SAFETY: see above.
    let (run, text) = unsafe { (context(ctx), text.as_str()) };
    let _ = status(|| {
        (run.log)(level, text);
        Ok(())
    });
}

unsafe extern "C" fn fail(ctx: *mut c_void, text: Str) {
    // SAFETY: see above.
    let (run, text) = unsafe { (context(ctx), text.as_str()) };
    let _ = status(|| Err(run.refuse(text.to_owned())));
}

unsafe extern "C" fn message(_: *mut c_void) -> Str {
    // The view stays valid until the next error on this thread, which is what the contract says.
    MESSAGE.with(|message| Str::new(&message.borrow()))
}

unsafe extern "C" fn progress(ctx: *mut c_void, done: u64, total: u64) {
    // SAFETY: see above.
    let run = unsafe { context(ctx) };
    let _ = status(|| {
        run.job.progress(done, total);
        Ok(())
    });
}

unsafe extern "C" fn stopped(ctx: *mut c_void) -> u32 {
    // SAFETY: see above.
    u32::from(unsafe { context(ctx) }.job.stopped())
}

unsafe extern "C" fn number(ctx: *mut c_void, name: Str, out: *mut f64) -> Status {
    // SAFETY: see above.
    let (run, name) = unsafe { (context(ctx), name.as_str()) };
    // SAFETY: see above.
    status(|| unsafe { put(out, run.number(name)?) })
}

unsafe extern "C" fn dataset(ctx: *mut c_void, out: *mut DatasetTable) -> Status {
    // SAFETY: see above.
    let shared = unsafe { context(ctx) }.shared;
    status(|| {
        let table = DatasetTable {
            count: shared.manifest.len(),
            labels: Slice::new(shared.manifest.labels()),
            splits: Slice::new(shared.manifest.splits()),
            decodable: Slice::new(&shared.decodable),
            hashes: Slice::new(bytemuck::cast_slice(&shared.file_metadata.hashes)),
            dimensions: Slice::new(shared.dimensions()),
            classes: Slice::new(&shared.classes.views),
            decisions: Slice::new(&shared.decisions),
            relabels: Slice::new(&shared.relabels),
        };
        // SAFETY: see above.
        unsafe { put(out, table) }
    })
}

unsafe extern "C" fn embeddings(ctx: *mut c_void, out: *mut MatrixTable) -> Status {
    // SAFETY: see above.
    let shared = unsafe { context(ctx) }.shared;
    status(|| {
        let matrix = shared.matrix()?;
        let table =
            MatrixTable { data: Slice::new(matrix.as_slice()), rows: matrix.rows(), cols: matrix.cols() };
        // SAFETY: see above.
        unsafe { put(out, table) }
    })
}

unsafe extern "C" fn neighbors(ctx: *mut c_void, k: usize, out: *mut NeighborsTable) -> Status {
    // SAFETY: see above.
    let run = unsafe { context(ctx) };
    status(|| {
        // The shared cache keeps the lists until every run is over.
        let lists = run.shared.neighbors(k, &run.job, run.log)?;
        if let Some(recall) = lists.recall {
            let percent = 100.0 * recall;
            let text = format!(
                "searched among similar samples only: {percent:.1} % of the {RECALL_AT} nearest were found on a sample"
            );
            run.note("neighbours", &text);
        }
        let table = NeighborsTable {
            indices: Slice::new(&lists.indices),
            similarities: Slice::new(&lists.similarities),
            k: lists.k,
        };
        // SAFETY: see above.
        unsafe { put(out, table) }
    })
}

unsafe extern "C" fn similarities(
    ctx: *mut c_void,
    vectors: *const f32,
    count: usize,
    out: *mut f32,
    out_len: usize,
) -> Status {
    // SAFETY: see above.
    let shared = unsafe { context(ctx) }.shared;
    status(|| {
        let matrix = shared.matrix()?;
        let len =
            count.checked_mul(matrix.cols()).ok_or_else(|| Error::Invalid("too many vectors".into()))?;
        // SAFETY: see above; the detector's side checks the length before it calls.
        let vectors = unsafe { Slice { ptr: vectors, len }.as_slice() };
        if vectors.len() != len {
            return Err(Error::Invalid("a detector passed no vectors".into()));
        }
        let mut unit = vectors.to_vec();
        for vector in unit.chunks_exact_mut(matrix.cols().max(1)) {
            let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
            if norm > 0.0 {
                vector.iter_mut().for_each(|x| *x /= norm);
            }
        }
        // SAFETY: see above.
        unsafe { fill(out, out_len, &neighbors::similarities(matrix, &unit, count)) }
    })
}

unsafe extern "C" fn block(
    ctx: *mut c_void,
    rows: Slice<u32>,
    cols: Slice<u32>,
    out: *mut f32,
    out_len: usize,
) -> Status {
    // SAFETY: see above.
    let (shared, rows, cols) = unsafe { (context(ctx).shared, rows.as_slice(), cols.as_slice()) };
    status(|| {
        let matrix = shared.matrix()?;
        if rows.iter().chain(cols).any(|&sample| sample as usize >= matrix.rows()) {
            return Err(Error::Invalid("a detector asked for a sample that does not exist".into()));
        }
        // SAFETY: see above.
        unsafe { fill(out, out_len, &neighbors::block(matrix, rows, cols)) }
    })
}

unsafe extern "C" fn embed_texts(
    ctx: *mut c_void,
    texts: Slice<Str>,
    out: *mut f32,
    out_len: usize,
) -> Status {
    // SAFETY: see above.
    let (shared, texts) = unsafe { (context(ctx).shared, texts.as_slice()) };
    status(|| {
        // SAFETY: see above.
        let texts: Vec<&str> = texts.iter().map(|text| unsafe { text.as_str() }).collect();
        // SAFETY: see above.
        unsafe { fill(out, out_len, &shared.embed_texts(&texts)?) }
    })
}

unsafe extern "C" fn model(ctx: *mut c_void, dim: *mut usize, scale: *mut f32) -> Status {
    // SAFETY: see above.
    let shared = unsafe { context(ctx) }.shared;
    status(|| {
        let embedder = shared.embedder()?;
        // SAFETY: see above.
        unsafe {
            put(dim, embedder.dim())?;
            put(scale, embedder.logit_scale())
        }
    })
}

unsafe extern "C" fn prompts(ctx: *mut c_void, label: u32, out: *mut Slice<Str>) -> Status {
    // SAFETY: see above.
    let shared = unsafe { context(ctx) }.shared;
    status(|| {
        let texts = shared.prompts(label)?;
        // SAFETY: see above; the shared cache keeps the texts.
        unsafe { put(out, Slice::new(&texts.views)) }
    })
}

unsafe extern "C" fn hashes(ctx: *mut c_void, kind: u32, out: *mut Slice<u64>) -> Status {
    // SAFETY: see above.
    let shared = unsafe { context(ctx) }.shared;
    // SAFETY: see above.
    status(|| unsafe { put(out, Slice::new(shared.hashes(kind)?)) })
}

unsafe extern "C" fn near_hashes(
    ctx: *mut c_void,
    kind: u32,
    radius: u32,
    out: *mut Slice<HashPairRecord>,
) -> Status {
    // SAFETY: see above.
    let run = unsafe { context(ctx) };
    status(|| {
        let pairs = run.shared.near_hashes(kind, radius, &run.job)?;
        // SAFETY: see above; the shared cache keeps the pairs.
        unsafe { put(out, Slice::new(&pairs)) }
    })
}

/// The detector's sink, which the contract lets the host call from any thread.
#[derive(Clone, Copy)]
struct SinkCall {
    sink: *mut c_void,
    receive: PixelSink,
}

// SAFETY: the contract says that a sink may be called from several threads at once.
unsafe impl Send for SinkCall {}
// SAFETY: as above.
unsafe impl Sync for SinkCall {}

impl SinkCall {
    fn send(&self, run: &RunContext<'_>, id: SampleId, max_side: u32) -> Result<()> {
        run.job.checkpoint()?;
        let seen = run.shared.picture(id, max_side)?;
        let table = pixels_of(&seen.picture, seen.full, seen.source);
        // SAFETY: the detector's own function with its own context; the table outlives the call.
        match unsafe { (self.receive)(self.sink, id.0, &raw const table) } {
            Status::OK => Ok(()),
            Status::STOPPED => Err(Error::Stopped),
            // The detector keeps its own sentence.
            _ => Err(Error::Invalid("the detector failed on an image".into())),
        }
    }
}

unsafe extern "C" fn pixels(
    ctx: *mut c_void,
    sample: u32,
    max_side: u32,
    sink: *mut c_void,
    receive: PixelSink,
) -> Status {
    // SAFETY: see above.
    let run = unsafe { context(ctx) };
    status(|| {
        if run.shared.decodable.get(sample as usize) != Some(&1) {
            return Err(Error::Invalid(format!("sample {sample} has no pixels")));
        }
        SinkCall { sink, receive }.send(run, SampleId(sample), max_side)
    })
}

unsafe extern "C" fn each_pixels(
    ctx: *mut c_void,
    max_side: u32,
    sink: *mut c_void,
    receive: PixelSink,
) -> Status {
    // SAFETY: see above.
    let run = unsafe { context(ctx) };
    status(|| {
        let call = SinkCall { sink, receive };
        let total = run.shared.decodable.iter().filter(|&&flag| flag == 1).count() as u64;
        let (done, changed) = (AtomicU64::new(0), Mutex::new(0_u64));
        run.shared.decodable.par_iter().enumerate().filter(|(_, flag)| **flag == 1).try_for_each(
            |(index, _)| {
                match call.send(run, SampleId(index as u32), max_side) {
                    // The file was fine when it was indexed: it went away or changed since, which the next scan sees.
                    Err(Error::Io { .. } | Error::Format { .. }) => *lock(&changed) += 1,
                    other => other?,
                }
                run.job.progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
                Ok::<(), Error>(())
            },
        )?;
        let changed = *lock(&changed);
        if changed > 0 {
            (run.log)(
                2,
                &format!("{changed} files changed or went away since they were indexed; scan again"),
            );
        }
        Ok(())
    })
}

unsafe extern "C" fn issue(ctx: *mut c_void, record: *const IssueRecord) -> Status {
    // SAFETY: see above.
    let run = unsafe { context(ctx) };
    status(|| {
        // SAFETY: see above.
        let Some(record) = (unsafe { record.as_ref() }) else {
            return Err(run.refuse("wrote a null issue".into()));
        };
        // SAFETY: see above.
        let (related, reason) = unsafe { (record.related.as_slice(), record.reason.as_str()) };
        let related: Vec<(u32, f32)> = related.iter().map(|other| (other.sample, other.similarity)).collect();
        run.issue(record, &related, reason)
    })
}

unsafe extern "C" fn scores(ctx: *mut c_void, scores: Slice<f32>) -> Status {
    // SAFETY: see above.
    let (run, scores) = unsafe { (context(ctx), scores.as_slice()) };
    status(|| run.scores(scores))
}

unsafe extern "C" fn note(ctx: *mut c_void, name: Str, text: Str) -> Status {
    // SAFETY: see above.
    let (run, name, text) = unsafe { (context(ctx), name.as_str(), text.as_str()) };
    status(|| {
        run.note(name, text);
        Ok(())
    })
}

unsafe extern "C" fn probabilities(ctx: *mut c_void, out: *mut ProbabilitiesTable) -> Status {
    // SAFETY: see above.
    let run = unsafe { context(ctx) };
    status(|| {
        let found = run.shared.probabilities(&run.job)?;
        let matrix =
            MatrixTable { data: Slice::new(&found.matrix), rows: found.folds.len(), cols: found.classes };
        let (folds, sharpness) = (Slice::new(&found.folds), found.sharpness);
        // SAFETY: see above; the shared cache keeps the probabilities.
        unsafe { put(out, ProbabilitiesTable { matrix, folds, sharpness, reserved: 0 }) }
    })
}

unsafe extern "C" fn kept(ctx: *mut c_void, name: Str, version: u32, out: *mut KeptRecord) -> Status {
    // SAFETY: see above.
    let (run, name) = unsafe { (context(ctx), name.as_str()) };
    status(|| {
        let record = match run.kept(name, version)? {
            // The run keeps the bytes until it is over.
            Some((version, bytes)) => KeptRecord { bytes: Slice::new(&bytes), version, reserved: 0 },
            None => KeptRecord { bytes: Slice::empty(), version: 0, reserved: 0 },
        };
        // SAFETY: see above.
        unsafe { put(out, record) }
    })
}

unsafe extern "C" fn measures(ctx: *mut c_void, out: *mut Slice<u8>) -> Status {
    // SAFETY: see above.
    let run = unsafe { context(ctx) };
    status(|| {
        let records = run.measures()?;
        // SAFETY: see above. The run keeps the records until it is over.
        unsafe { put(out, Slice::new(records)) }
    })
}

unsafe extern "C" fn keep(ctx: *mut c_void, name: Str, bytes: Slice<u8>, out: *mut u32) -> Status {
    // SAFETY: see above.
    let (run, name, bytes) = unsafe { (context(ctx), name.as_str(), bytes.as_slice()) };
    status(|| {
        let version = run.keep(name, bytes)?;
        // SAFETY: see above.
        unsafe { put(out, version) }
    })
}
