//! The C functions of the in-memory host.
#![allow(unsafe_code)] // The host's half of the border.

use super::{Lent, MemoryHost, Outcome, OwnedIssue, dot, normalise, shrink};
use crate::abi::{
    ABI_VERSION, DatasetTable, HashPairRecord, HostTable, IssueRecord, KeptRecord, MatrixTable,
    NeighborsTable, PixelSink, PixelsTable, ProbabilitiesTable, Slice, Status, Str,
};
use crate::{Detector, Error, NO_LABEL, Needs, Orientation, PanicMessage, Pixels, Report, View};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

thread_local! {
    /// The sentence of the last error on this thread.
    static MESSAGE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// What a run writes, and what it was lent and must keep.
#[derive(Default)]
struct State {
    outcome: Outcome,
    issues: BTreeMap<usize, OwnedIssue>,
    neighbors: Vec<(Vec<u32>, Vec<f32>)>,
    pairs: Vec<Vec<HashPairRecord>>,
    prompts: Vec<(Vec<String>, Vec<Str>)>,
    measures: Vec<Vec<u8>>,
    checks: usize,
}

struct Run<'a> {
    host: &'a MemoryHost,
    lent: &'a Lent<'a>,
    needs: Needs,
    params: BTreeMap<String, f64>,
    /// Measures one picture, where the detector does.
    measure: &'a dyn Fn(&PixelsTable, &mut [u8]) -> Result<(), String>,
    measure_bytes: usize,
    measure_side: u32,
    state: Mutex<State>,
}

impl Run<'_> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the first reason why this run cannot be trusted.
    fn refuse(&self, sentence: String) -> Result<(), String> {
        self.state().outcome.error.get_or_insert_with(|| sentence.clone());
        Err(sentence)
    }

    fn usable(&self, sample: usize) -> bool {
        self.lent.decodable[sample] == 1
    }

    fn declared(&self, need: Needs, what: &str) -> Result<(), String> {
        if self.needs.contains(need) {
            Ok(())
        } else {
            Err(format!("it asks for {what} but has not declared the need"))
        }
    }

    fn hashes(&self, kind: u32) -> Result<&[u64], String> {
        self.declared(Needs::HASHES, "perceptual hashes")?;
        let hashes = match kind {
            0 | 2 => &self.host.hashes[0],
            1 => &self.host.hashes[1],
            _ => return Err(format!("there is no perceptual hash number {kind}")),
        };
        hashes.as_deref().ok_or_else(|| "this dataset has no perceptual hashes".into())
    }

    fn send(
        &self,
        sample: usize,
        max_side: u32,
        sink: *mut c_void,
        receive: PixelSink,
    ) -> Result<(), String> {
        self.shown(sample, max_side, |table| {
            // SAFETY: the detector's own function with its own context; the table outlives the call.
            match unsafe { receive(sink, sample as u32, table) } {
                Status::OK => Ok(()),
                _ => Err("the detector failed on an image".into()),
            }
        })
    }

    /// Shows one sample's pixels.
    fn shown(
        &self,
        sample: usize,
        max_side: u32,
        look: impl FnOnce(&PixelsTable) -> Result<(), String>,
    ) -> Result<(), String> {
        self.declared(Needs::PIXELS, "pixels")?;
        let pictures = self.host.pictures.as_ref().ok_or("this dataset has no pixels")?;
        let full = pictures
            .get(sample)
            .filter(|_| self.usable(sample))
            .ok_or(format!("sample {sample} has no pixels"))?;
        let small = shrink(full, max_side);
        let table = PixelsTable {
            rgb: Slice::new(&small.rgb),
            width: small.width,
            height: small.height,
            full_width: full.width,
            full_height: full.height,
            source: self.host.sources.as_ref().and_then(|all| all.get(sample)).copied().unwrap_or_default(),
        };
        look(&table)
    }
}

/// Runs `detector` with a table made for this host.
pub(super) fn run<D: Detector>(
    host: &MemoryHost,
    lent: &Lent<'_>,
    needs: Needs,
    params: BTreeMap<String, f64>,
    detector: &D,
) -> Outcome {
    let count = lent.decodable.len();
    let state =
        State { outcome: Outcome { scores: vec![None; count], ..Outcome::default() }, ..State::default() };
    let measure = |table: &PixelsTable, record: &mut [u8]| {
        // SAFETY: the table's bytes outlive the call.
        let pixels = unsafe { Pixels::lent(table) };
        catch_unwind(AssertUnwindSafe(|| detector.measure(&pixels, record)))
            .unwrap_or_else(|payload| Err(Error::new(format!("panicked: {}", PanicMessage(&*payload)))))
            .map_err(|error| error.to_string())
    };
    let run = Run {
        host,
        lent,
        needs,
        params,
        measure: &measure,
        measure_bytes: D::MEASURE_BYTES,
        measure_side: D::MEASURE_SIDE,
        state: Mutex::new(state),
    };
    let table = HostTable {
        abi: ABI_VERSION,
        size: size_of::<HostTable>() as u32,
        ctx: std::ptr::from_ref(&run).cast_mut().cast(),
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
    // Not the exported guard: its panic hook would also silence the assertions of the tests themselves.
    let ended = catch_unwind(AssertUnwindSafe(|| detector.detect(&View::new(&table)?, &Report::new(&table))));
    let state = run.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut outcome = state.outcome;
    outcome.issues = state.issues.into_values().collect();
    let failure = match ended {
        Ok(Ok(())) => None,
        Ok(Err(error)) if error.is_stopped() => {
            outcome.stopped = true;
            None
        }
        Ok(Err(error)) => Some(error.to_string()),
        Err(payload) => Some(format!("panicked: {}", PanicMessage(&*payload))),
    };
    // The first reason counts, which may be the host's refusal.
    outcome.error = outcome.error.or(failure);
    if outcome.error.is_some() || outcome.stopped {
        outcome.kept.clear();
    }
    outcome
}

/// # Safety
/// `ctx` must be the context of a running [`run`].
unsafe fn context<'a>(ctx: *mut c_void) -> &'a Run<'a> {
    // SAFETY: `run` put a live context there, and it stays until the detector returns.
    unsafe { &*ctx.cast::<Run<'a>>() }
}

fn status(outcome: Result<(), String>) -> Status {
    match outcome {
        Ok(()) => Status::OK,
        Err(sentence) => {
            MESSAGE.with(|message| *message.borrow_mut() = sentence);
            Status::ERROR
        }
    }
}

/// # Safety
/// `out` must be valid for `len` writes.
unsafe fn fill(out: *mut f32, len: usize, values: &[f32]) -> Result<(), String> {
    if len != values.len() {
        return Err(format!("a detector's buffer holds {len} numbers, {} are needed", values.len()));
    }
    // SAFETY: lengths agree and the caller answers for the memory.
    unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), out, len) };
    Ok(())
}

// SAFETY of all functions below: `ctx` is the context that `run` put into the table, and pointers the detector
// passes are valid for the time of the call, as the contract says. Lent data is kept in the run's state, whose
// heap allocations do not move.

unsafe extern "C" fn log(ctx: *mut c_void, _level: u32, text: Str) {
    // SAFETY: see above.
    let (run, text) = unsafe { (context(ctx), text.as_str()) };
    run.state().outcome.log.push(text.to_owned());
}

unsafe extern "C" fn fail(ctx: *mut c_void, text: Str) {
    // SAFETY: see above.
    let (run, text) = unsafe { (context(ctx), text.as_str()) };
    let _ = run.refuse(text.to_owned());
}

unsafe extern "C" fn message(_: *mut c_void) -> Str {
    MESSAGE.with(|message| Str::new(&message.borrow()))
}

unsafe extern "C" fn progress(_: *mut c_void, _done: u64, _total: u64) {}

unsafe extern "C" fn stopped(ctx: *mut c_void) -> u32 {
    // SAFETY: see above.
    let run = unsafe { context(ctx) };
    let mut state = run.state();
    state.checks += 1;
    u32::from(run.host.stop_after.is_some_and(|limit| state.checks > limit))
}

unsafe extern "C" fn number(ctx: *mut c_void, name: Str, out: *mut f64) -> Status {
    // SAFETY: see above.
    let (run, name) = unsafe { (context(ctx), name.as_str()) };
    status(match run.params.get(name) {
        // SAFETY: see above.
        Some(&value) => unsafe {
            out.write(value);
            Ok(())
        },
        None => Err(format!("the parameter '{name}' is not declared")),
    })
}

unsafe extern "C" fn dataset(ctx: *mut c_void, out: *mut DatasetTable) -> Status {
    // SAFETY: see above.
    unsafe { out.write(context(ctx).lent.table()) };
    Status::OK
}

unsafe extern "C" fn embeddings(ctx: *mut c_void, out: *mut MatrixTable) -> Status {
    // SAFETY: see above.
    let run = unsafe { context(ctx) };
    status(run.lent.embeddings(run.needs).map(|(data, cols)| {
        let table = MatrixTable { data: Slice::new(data), rows: data.len() / cols.max(1), cols };
        // SAFETY: see above.
        unsafe { out.write(table) };
    }))
}

unsafe extern "C" fn neighbors(ctx: *mut c_void, k: usize, out: *mut NeighborsTable) -> Status {
    // SAFETY: see above.
    let run = unsafe { context(ctx) };
    status(run.lent.embeddings(run.needs).map(|(data, dim)| {
        let count = run.lent.decodable.len();
        let row = |sample: usize| &data[sample * dim..(sample + 1) * dim];
        let (mut indices, mut near) = (vec![u32::MAX; count * k], vec![0.0; count * k]);
        for sample in (0..count).filter(|&sample| run.usable(sample)) {
            let others = (0..count).filter(|&other| other != sample && run.usable(other));
            let mut all: Vec<(f32, usize)> =
                others.map(|other| (dot(row(sample), row(other)), other)).collect();
            all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            for (place, &(similarity, other)) in all.iter().take(k).enumerate() {
                indices[sample * k + place] = other as u32;
                near[sample * k + place] = similarity;
            }
        }
        let table = NeighborsTable { indices: Slice::new(&indices), similarities: Slice::new(&near), k };
        run.state().neighbors.push((indices, near));
        // SAFETY: see above.
        unsafe { out.write(table) };
    }))
}

unsafe extern "C" fn similarities(
    ctx: *mut c_void,
    vectors: *const f32,
    count: usize,
    out: *mut f32,
    out_len: usize,
) -> Status {
    // SAFETY: see above.
    let run = unsafe { context(ctx) };
    status(run.lent.embeddings(run.needs).and_then(|(data, dim)| {
        // SAFETY: see above; the detector's side checks the length before it calls.
        let mut unit = unsafe { Slice { ptr: vectors, len: count * dim }.as_slice() }.to_vec();
        unit.chunks_exact_mut(dim.max(1)).for_each(normalise);
        let rows = data.chunks_exact(dim.max(1));
        let values: Vec<f32> =
            rows.flat_map(|row| unit.chunks_exact(dim.max(1)).map(|v| dot(row, v))).collect();
        // SAFETY: see above.
        unsafe { fill(out, out_len, &values) }
    }))
}

unsafe extern "C" fn block(
    ctx: *mut c_void,
    rows: Slice<u32>,
    cols: Slice<u32>,
    out: *mut f32,
    out_len: usize,
) -> Status {
    // SAFETY: see above.
    let (run, rows, cols) = unsafe { (context(ctx), rows.as_slice(), cols.as_slice()) };
    status(run.lent.embeddings(run.needs).and_then(|(data, dim)| {
        if rows.iter().chain(cols).any(|&sample| sample as usize >= run.lent.decodable.len()) {
            return Err("a detector asked for a sample that does not exist".into());
        }
        let row = |sample: u32| &data[sample as usize * dim..(sample as usize + 1) * dim];
        let values: Vec<f32> =
            rows.iter().flat_map(|&r| cols.iter().map(move |&c| dot(row(r), row(c)))).collect();
        // SAFETY: see above.
        unsafe { fill(out, out_len, &values) }
    }))
}

unsafe extern "C" fn embed_texts(
    ctx: *mut c_void,
    texts: Slice<Str>,
    out: *mut f32,
    out_len: usize,
) -> Status {
    // SAFETY: see above.
    let (run, texts) = unsafe { (context(ctx), texts.as_slice()) };
    let Some(embed) = &run.host.texts else {
        MESSAGE.with(|message| *message.borrow_mut() = "the model has no text tower".into());
        return Status::MISSING;
    };
    let work = || {
        let (_, dim) = run.lent.embeddings(run.needs)?;
        let mut values = Vec::with_capacity(texts.len() * dim);
        for text in texts {
            // SAFETY: see above.
            let text = unsafe { text.as_str() };
            let mut vector = embed(text).ok_or_else(|| format!("the text tower does not know '{text}'"))?;
            assert_eq!(vector.len(), dim, "a text is not as wide as the images");
            normalise(&mut vector);
            values.extend(vector);
        }
        // SAFETY: see above.
        unsafe { fill(out, out_len, &values) }
    };
    status(work())
}

unsafe extern "C" fn model(ctx: *mut c_void, dim: *mut usize, scale: *mut f32) -> Status {
    // SAFETY: see above.
    let run = unsafe { context(ctx) };
    status(run.lent.embeddings(run.needs).map(|(_, width)| {
        // SAFETY: see above.
        unsafe {
            dim.write(width);
            scale.write(run.host.logit_scale.unwrap_or(100.0));
        }
    }))
}

unsafe extern "C" fn prompts(ctx: *mut c_void, label: u32, out: *mut Slice<Str>) -> Status {
    // SAFETY: see above.
    let run = unsafe { context(ctx) };
    let owned = match (run.host.prompts.get(&label), run.host.classes.get(label as usize)) {
        (Some(texts), _) => texts.clone(),
        (None, Some(class)) => vec![format!("a photo of a {class}")],
        (None, None) if label == NO_LABEL => vec!["a photo of something".into()],
        (None, None) => return status(Err(format!("there is no class number {label}"))),
    };
    let views: Vec<Str> = owned.iter().map(|text| Str::new(text)).collect();
    // SAFETY: see above.
    unsafe { out.write(Slice::new(&views)) };
    run.state().prompts.push((owned, views));
    Status::OK
}

unsafe extern "C" fn hashes(ctx: *mut c_void, kind: u32, out: *mut Slice<u64>) -> Status {
    // SAFETY: see above.
    let run = unsafe { context(ctx) };
    // SAFETY: see above.
    status(run.hashes(kind).map(|hashes| unsafe { out.write(Slice::new(hashes)) }))
}

unsafe extern "C" fn near_hashes(
    ctx: *mut c_void,
    kind: u32,
    radius: u32,
    out: *mut Slice<HashPairRecord>,
) -> Status {
    // SAFETY: see above.
    let run = unsafe { context(ctx) };
    let work = || {
        let hashes = run.hashes(kind)?;
        if radius > 16 {
            return Err("a radius lies in 0..=16".to_owned());
        }
        let usable: Vec<usize> = (0..hashes.len()).filter(|&sample| run.usable(sample)).collect();
        let mut pairs = Vec::new();
        for (place, &first) in usable.iter().enumerate() {
            for &second in &usable[place + 1..] {
                let distance = match kind {
                    2 => Orientation::nearest(hashes[first], hashes[second]).1,
                    _ => (hashes[first] ^ hashes[second]).count_ones(),
                };
                if distance <= radius {
                    pairs.push(HashPairRecord { first: first as u32, second: second as u32, distance });
                }
            }
        }
        // SAFETY: see above.
        unsafe { out.write(Slice::new(&pairs)) };
        run.state().pairs.push(pairs);
        Ok(())
    };
    status(work())
}

unsafe extern "C" fn pixels(
    ctx: *mut c_void,
    sample: u32,
    max_side: u32,
    sink: *mut c_void,
    receive: PixelSink,
) -> Status {
    // SAFETY: see above.
    status(unsafe { context(ctx) }.send(sample as usize, max_side, sink, receive))
}

unsafe extern "C" fn each_pixels(
    ctx: *mut c_void,
    max_side: u32,
    sink: *mut c_void,
    receive: PixelSink,
) -> Status {
    // SAFETY: see above.
    let run = unsafe { context(ctx) };
    let mut samples = (0..run.lent.decodable.len()).filter(|&sample| run.usable(sample));
    status(samples.try_for_each(|sample| run.send(sample, max_side, sink, receive)))
}

unsafe extern "C" fn issue(ctx: *mut c_void, record: *const IssueRecord) -> Status {
    // SAFETY: see above.
    let (run, record) = unsafe { (context(ctx), &*record) };
    // SAFETY: see above.
    let (related, reason) = unsafe { (record.related.as_slice(), record.reason.as_str()) };
    let (count, classes) = (run.lent.decodable.len(), run.lent.classes.len());
    let sample = record.sample as usize;
    if sample >= count {
        return status(run.refuse(format!("names sample {sample} of {count}")));
    }
    if !(0.0..=1.0).contains(&record.score) {
        return status(run.refuse(format!("gives sample {sample} the score {}", record.score)));
    }
    if record.suggested != u32::MAX && record.suggested as usize >= classes {
        return status(run.refuse(format!("suggests class {} of {classes}", record.suggested)));
    }
    if let Some(other) =
        related.iter().find(|other| other.sample as usize >= count || !other.similarity.is_finite())
    {
        return status(run.refuse(format!("names sample {} of {count} as evidence", other.sample)));
    }
    if !run.usable(sample) {
        return Status::OK;
    }
    let owned = OwnedIssue {
        sample,
        score: record.score,
        suggested: (record.suggested != u32::MAX).then_some(record.suggested),
        group: (record.group != u32::MAX).then_some(record.group),
        related: related.iter().map(|other| (other.sample as usize, other.similarity)).collect(),
        reason: reason.to_owned(),
    };
    let mut state = run.state();
    state.outcome.scores[sample] = Some(owned.score);
    state.issues.insert(sample, owned);
    Status::OK
}

unsafe extern "C" fn scores(ctx: *mut c_void, scores: Slice<f32>) -> Status {
    // SAFETY: see above.
    let (run, scores) = unsafe { (context(ctx), scores.as_slice()) };
    let count = run.lent.decodable.len();
    if scores.len() != count {
        return status(run.refuse(format!("wrote {} scores for {count} samples", scores.len())));
    }
    let wrong = scores.iter().enumerate().find(|(_, s)| !(s.is_nan() || (0.0..=1.0).contains(*s)));
    if let Some((sample, score)) = wrong {
        return status(run.refuse(format!("gives sample {sample} the score {score}")));
    }
    let mut state = run.state();
    for (sample, &score) in scores.iter().enumerate() {
        state.outcome.scores[sample] = (run.usable(sample) && !score.is_nan()).then_some(score);
    }
    Status::OK
}

unsafe extern "C" fn note(ctx: *mut c_void, name: Str, text: Str) -> Status {
    // SAFETY: see above.
    let (run, name, text) = unsafe { (context(ctx), name.as_str(), text.as_str()) };
    let mut state = run.state();
    state.outcome.notes.retain(|(known, _)| known != name);
    state.outcome.notes.push((name.to_owned(), text.to_owned()));
    Status::OK
}

unsafe extern "C" fn probabilities(ctx: *mut c_void, out: *mut ProbabilitiesTable) -> Status {
    // SAFETY: see above.
    let run = unsafe { context(ctx) };
    let work = || {
        run.declared(Needs::PROBABILITIES, "class probabilities")?;
        let data = run.host.probabilities.as_ref().ok_or("this dataset has no class probabilities")?;
        let (rows, cols) = (run.lent.decodable.len(), run.lent.classes.len());
        let matrix = MatrixTable { data: Slice::new(data), rows, cols };
        let folds = Slice::new(&run.lent.folds);
        // SAFETY: see above.
        unsafe { out.write(ProbabilitiesTable { matrix, folds, sharpness: 1.0, reserved: 0 }) };
        Ok(())
    };
    status(work())
}

unsafe extern "C" fn kept(ctx: *mut c_void, name: Str, version: u32, out: *mut KeptRecord) -> Status {
    // SAFETY: see above.
    let (run, name) = unsafe { (context(ctx), name.as_str()) };
    let versions = run.host.kept.get(name).map_or(&[][..], Vec::as_slice);
    let version = if version == 0 { versions.len() } else { version as usize };
    let found = version.checked_sub(1).and_then(|place| versions.get(place));
    let record = match found {
        Some(bytes) => KeptRecord { bytes: Slice::new(bytes), version: version as u32, reserved: 0 },
        None => KeptRecord { bytes: Slice::empty(), version: 0, reserved: 0 },
    };
    // SAFETY: see above.
    unsafe { out.write(record) };
    Status::OK
}

unsafe extern "C" fn keep(ctx: *mut c_void, name: Str, bytes: Slice<u8>, out: *mut u32) -> Status {
    // SAFETY: see above.
    let (run, name, bytes) = unsafe { (context(ctx), name.as_str(), bytes.as_slice()) };
    let proper = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() || !name.bytes().all(proper) {
        return status(Err(format!("'{name}' is no name to keep bytes under: use a-z, 0-9 and -")));
    }
    let versions = run.host.kept.get(name).map_or(&[][..], Vec::as_slice);
    let same = versions.last().is_some_and(|newest| newest == bytes);
    run.state().outcome.kept.insert(name.to_owned(), bytes.to_vec());
    // SAFETY: see above.
    unsafe { out.write((versions.len() + usize::from(!same)) as u32) };
    Status::OK
}

unsafe extern "C" fn measures(ctx: *mut c_void, out: *mut Slice<u8>) -> Status {
    // SAFETY: see above.
    let run = unsafe { context(ctx) };
    let work = || {
        if run.measure_bytes == 0 {
            return Err("this detector measures nothing".to_owned());
        }
        let mut records = vec![0; run.lent.decodable.len() * run.measure_bytes];
        for (sample, record) in records.chunks_exact_mut(run.measure_bytes).enumerate() {
            if run.usable(sample) {
                run.shown(sample, run.measure_side, |table| (run.measure)(table, record))?;
            }
        }
        // SAFETY: see above.
        unsafe { out.write(Slice::new(&records)) };
        run.state().measures.push(records);
        Ok(())
    };
    status(work())
}
