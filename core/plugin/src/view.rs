//! Safe reading of what the host lends: the dataset, the embeddings, and the heavy work it does on request.
#![allow(unsafe_code)] // Calls the host's function table.

use crate::abi::{
    DatasetTable, HostTable, KeptRecord, MatrixTable, NeighborsTable, PixelsTable, ProbabilitiesTable, Slice,
    Status, Str,
};
use crate::values::{
    Decided, Dimensions, HashKind, HashPair, Matrix, NO_LABEL, Neighbors, OwnedMatrix, Pixels, Split,
};
use crate::{Detector, Error, Result};
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

/// Turns a host status into a result with the host's own sentence.
pub(crate) fn check(host: &HostTable, status: Status) -> Result<()> {
    match status {
        Status::OK => Ok(()),
        Status::STOPPED => Err(Error::stopped()),
        Status(status) => {
            // SAFETY: the host keeps the sentence alive until the next call on this thread; it is copied here.
            let message = unsafe { (host.message)(host.ctx).as_str() };
            Err(if Status(status) == Status::MISSING { Error::missing(message) } else { Error::new(message) })
        }
    }
}

/// The dataset and everything the host computes for detectors.
///
/// Borrowed slices live as long as the run. Every method may be called from several threads.
pub struct View<'h> {
    host: &'h HostTable,
    data: DatasetTable,
}

// SAFETY: the host promises that its functions may be called from any thread, and the tables are immutable.
unsafe impl Send for View<'_> {}
// SAFETY: as above.
unsafe impl Sync for View<'_> {}

impl<'h> View<'h> {
    /// Reads the dataset's arrays once and checks that they are of one length.
    pub(crate) fn new(host: &'h HostTable) -> Result<View<'h>> {
        let mut data = DatasetTable {
            count: 0,
            labels: Slice::empty(),
            splits: Slice::empty(),
            decodable: Slice::empty(),
            hashes: Slice::empty(),
            dimensions: Slice::empty(),
            classes: Slice::empty(),
            decisions: Slice::empty(),
            relabels: Slice::empty(),
        };
        // SAFETY: the table's functions and `ctx` are valid until `run` returns; `data` outlives the call.
        check(host, unsafe { (host.dataset)(host.ctx, &raw mut data) })?;
        let lengths = [
            data.labels.len,
            data.splits.len,
            data.decodable.len,
            data.hashes.len,
            data.dimensions.len,
            data.decisions.len,
            data.relabels.len,
        ];
        if lengths.iter().any(|&len| len != data.count) {
            return Err(Error::new("the host's dataset arrays differ in length"));
        }
        Ok(View { host, data })
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.data.count
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.data.count == 0
    }

    /// The given label of each sample, [`NO_LABEL`] where it has none.
    pub fn labels(&self) -> &'h [u32] {
        // SAFETY: lent by the host until `run` returns, which `'h` cannot outlive.
        unsafe { self.data.labels.as_slice() }
    }

    /// Number of classes.
    pub fn class_count(&self) -> usize {
        self.data.classes.len
    }

    /// The name of a class, empty where there is no such class.
    pub fn class_name(&self, label: u32) -> &'h str {
        // SAFETY: as for `labels`; the names are lent likewise.
        unsafe { self.data.classes.as_slice().get(label as usize).map_or("", |name| name.as_str()) }
    }

    /// The samples of each class that can be decoded, in order; samples without a label are in none.
    pub fn members(&self) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.class_count()];
        for (sample, &label) in self.labels().iter().enumerate() {
            if self.decodable(sample)
                && let Some(class) = members.get_mut(label as usize)
            {
                class.push(sample);
            }
        }
        members
    }

    /// The split of one sample.
    pub fn split(&self, sample: usize) -> Split {
        // SAFETY: as for `labels`.
        match unsafe { self.data.splits.as_slice() }.get(sample) {
            Some(1) => Split::Train,
            Some(2) => Split::Validation,
            Some(3) => Split::Test,
            _ => Split::None,
        }
    }

    /// Whether the image could be decoded. Where not, it has no embedding, hash or pixels, and the host has
    /// reported it already.
    pub fn decodable(&self, sample: usize) -> bool {
        // SAFETY: as for `labels`.
        unsafe { self.data.decodable.as_slice() }.get(sample) == Some(&1)
    }

    /// The content hash of each file.
    pub fn content_hashes(&self) -> &'h [[u8; 32]] {
        // SAFETY: as for `labels`.
        unsafe { self.data.hashes.as_slice() }
    }

    /// Width, height and file size of each image.
    pub fn dimensions(&self) -> &'h [Dimensions] {
        // SAFETY: as for `labels`.
        unsafe { self.data.dimensions.as_slice() }
    }

    /// What a person has decided about a sample so far.
    pub fn decision(&self, sample: usize) -> Option<Decided> {
        // SAFETY: as for `labels`.
        let (decisions, relabels) =
            unsafe { (self.data.decisions.as_slice(), self.data.relabels.as_slice()) };
        match decisions.get(sample)? {
            1 => Some(Decided::Keep),
            2 => Some(Decided::Remove),
            3 => Some(Decided::Relabel(relabels[sample])),
            4 => Some(Decided::Unsure),
            _ => None,
        }
    }

    /// One unit-length embedding a sample; zeros where it could not be decoded. Needs
    /// [`Needs::EMBEDDINGS`](crate::Needs::EMBEDDINGS).
    ///
    /// # Errors
    /// When the host has none.
    pub fn embeddings(&self) -> Result<Matrix<'h>> {
        let mut table = MatrixTable { data: Slice::empty(), rows: 0, cols: 0 };
        // SAFETY: the table outlives the call.
        check(self.host, unsafe { (self.host.embeddings)(self.host.ctx, &raw mut table) })?;
        // SAFETY: as for `labels`.
        let data = unsafe { table.data.as_slice() };
        if data.len() != table.rows * table.cols || table.rows != self.len() {
            return Err(Error::new("the host's embedding matrix has the wrong size"));
        }
        Ok(Matrix { data, rows: table.rows, cols: table.cols })
    }

    /// The `k` nearest neighbours of every sample by cosine, computed once for all who ask.
    ///
    /// # Errors
    /// When the host has no embeddings, or was stopped.
    pub fn neighbors(&self, k: usize) -> Result<Neighbors<'h>> {
        let mut table = NeighborsTable { indices: Slice::empty(), similarities: Slice::empty(), k: 0 };
        // SAFETY: the table outlives the call.
        check(self.host, unsafe { (self.host.neighbors)(self.host.ctx, k, &raw mut table) })?;
        // SAFETY: as for `labels`.
        let (indices, similarities) = unsafe { (table.indices.as_slice(), table.similarities.as_slice()) };
        if indices.len() != self.len() * table.k || similarities.len() != indices.len() {
            return Err(Error::new("the host's neighbour lists have the wrong size"));
        }
        Ok(Neighbors { indices, similarities, k: table.k })
    }

    /// Probabilities of the classes for every sample, one row a sample and one column a class, by a model that was
    /// **not** trained on that sample; computed once for all who ask. Rows sum to one, or are zero where the image
    /// could not be decoded. Needs [`Needs::PROBABILITIES`](crate::Needs::PROBABILITIES).
    ///
    /// # Errors
    /// When the host has no embeddings, fewer than two classes can be told apart, or it was stopped.
    pub fn probabilities(&self) -> Result<Matrix<'h>> {
        let table = self.out_of_sample()?;
        let matrix = table.matrix;
        // SAFETY: as for `labels`.
        let data = unsafe { matrix.data.as_slice() };
        Ok(Matrix { data, rows: matrix.rows, cols: matrix.cols })
    }

    /// Which fold each sample is in: its row of [`View::probabilities`] is by the model that was trained on the other
    /// folds. `u32::MAX` where it has no row.
    ///
    /// # Errors
    /// As for [`View::probabilities`].
    pub fn folds(&self) -> Result<&'h [u32]> {
        let table = self.out_of_sample()?;
        // SAFETY: as for `labels`.
        Ok(unsafe { table.folds.as_slice() })
    }

    /// The power to which every row of [`View::probabilities`] was raised, and divided by its sum, so that it is as sure as
    /// it is right: `p.powf(1.0 / sharpness)` is in proportion to what the model gave. 1 where none was.
    ///
    /// # Errors
    /// As for [`View::probabilities`].
    pub fn sharpness(&self) -> Result<f32> {
        Ok(self.out_of_sample()?.sharpness)
    }

    fn out_of_sample(&self) -> Result<ProbabilitiesTable> {
        let matrix = MatrixTable { data: Slice::empty(), rows: 0, cols: 0 };
        let mut table = ProbabilitiesTable { matrix, folds: Slice::empty(), sharpness: 1.0, reserved: 0 };
        // SAFETY: the table outlives the call.
        check(self.host, unsafe { (self.host.probabilities)(self.host.ctx, &raw mut table) })?;
        let MatrixTable { data, rows, cols } = table.matrix;
        let right = data.len == rows * cols && rows == self.len() && cols == self.class_count();
        if !right || table.folds.len != self.len() {
            return Err(Error::new("the host's probabilities have the wrong size"));
        }
        Ok(table)
    }

    /// Cosines of all samples with some vectors (row-major, any length): `result[sample * count + vector]`.
    ///
    /// # Errors
    /// When the width is not the embeddings', or the host has none.
    pub fn similarities(&self, vectors: &[f32], count: usize) -> Result<Vec<f32>> {
        let mut out = vec![0.0; self.len() * count];
        if vectors.len() != count * self.model()?.0 {
            return Err(Error::new("the vectors are not as wide as the embeddings"));
        }
        // SAFETY: both buffers outlive the call and their lengths are passed or were just checked.
        let status = unsafe {
            (self.host.similarities)(self.host.ctx, vectors.as_ptr(), count, out.as_mut_ptr(), out.len())
        };
        check(self.host, status)?;
        Ok(out)
    }

    /// Cosines of some samples with some others, as one matrix product: `result[row * cols.len() + col]`.
    ///
    /// # Errors
    /// When the host has no embeddings or no such sample.
    pub fn block(&self, rows: &[u32], cols: &[u32]) -> Result<Vec<f32>> {
        let mut out = vec![0.0; rows.len() * cols.len()];
        // SAFETY: all buffers outlive the call and carry their lengths.
        let status = unsafe {
            (self.host.block)(self.host.ctx, Slice::new(rows), Slice::new(cols), out.as_mut_ptr(), out.len())
        };
        check(self.host, status)?;
        Ok(out)
    }

    /// Width of an embedding, and the model's logit scale (100 for OpenAI's CLIP).
    ///
    /// # Errors
    /// When the host has no model.
    pub fn model(&self) -> Result<(usize, f32)> {
        let (mut dim, mut scale) = (0, 0.0);
        // SAFETY: both outlive the call.
        check(self.host, unsafe { (self.host.model)(self.host.ctx, &raw mut dim, &raw mut scale) })?;
        Ok((dim, scale))
    }

    /// Unit-length embeddings of some texts, one row each.
    ///
    /// # Errors
    /// When the model has no text tower, which [`Error::is_missing`] tells, or the device fails.
    pub fn embed_texts<S: AsRef<str>>(&self, texts: &[S]) -> Result<OwnedMatrix> {
        let cols = self.model()?.0;
        let views: Vec<Str> = texts.iter().map(|text| Str::new(text.as_ref())).collect();
        let mut data = vec![0.0; texts.len() * cols];
        // SAFETY: all buffers outlive the call and carry their lengths.
        let status = unsafe {
            (self.host.embed_texts)(self.host.ctx, Slice::new(&views), data.as_mut_ptr(), data.len())
        };
        check(self.host, status)?;
        Ok(OwnedMatrix { data, cols })
    }

    /// The prompts that describe a class, from the prompt sets: every template with every synonym.
    ///
    /// # Errors
    /// When there is no such class.
    pub fn prompts(&self, label: u32) -> Result<Vec<String>> {
        let mut table = Slice::empty();
        // SAFETY: the table outlives the call.
        check(self.host, unsafe { (self.host.prompts)(self.host.ctx, label, &raw mut table) })?;
        // SAFETY: as for `labels`.
        Ok(unsafe { table.as_slice().iter().map(|text| text.as_str().to_owned()).collect() })
    }

    /// The prompts that describe anything else ("a photo of something"), which stand against a class's own.
    ///
    /// # Errors
    /// When the host has no prompt sets.
    pub fn alternatives(&self) -> Result<Vec<String>> {
        self.prompts(NO_LABEL)
    }

    /// What the model takes each class for: the normalised mean of its prompts' embeddings, one row a class.
    ///
    /// # Errors
    /// When a class has no prompt or the model no text tower, which [`Error::is_missing`] tells; when the device fails.
    pub fn class_vectors(&self) -> Result<OwnedMatrix> {
        let cols = self.model()?.0;
        let mut data = Vec::with_capacity(self.class_count() * cols);
        for label in 0..self.class_count() as u32 {
            self.checkpoint()?;
            let texts = self.prompts(label)?;
            if texts.is_empty() {
                let name = self.class_name(label);
                return Err(Error::missing(format!("the prompt set has no prompt for {name}")));
            }
            data.extend(self.embed_texts(&texts)?.mean_direction());
        }
        Ok(OwnedMatrix { data, cols })
    }

    /// Perceptual hashes, one a sample, 0 where it could not be decoded.
    ///
    /// # Errors
    /// When the host has none.
    pub fn hashes(&self, kind: HashKind) -> Result<&'h [u64]> {
        let mut table = Slice::empty();
        // SAFETY: the table outlives the call.
        check(self.host, unsafe { (self.host.hashes)(self.host.ctx, kind.code(), &raw mut table) })?;
        // SAFETY: as for `labels`.
        Ok(unsafe { table.as_slice() })
    }

    /// All pairs of samples whose hashes differ in at most `radius` bits (0..=16), sorted.
    ///
    /// # Errors
    /// When the host has no hashes, or the radius is too large.
    pub fn near_hashes(&self, kind: HashKind, radius: u32) -> Result<&'h [HashPair]> {
        let mut table = Slice::empty();
        // SAFETY: the table outlives the call.
        check(self.host, unsafe {
            (self.host.near_hashes)(self.host.ctx, kind.code(), radius, &raw mut table)
        })?;
        // SAFETY: as for `labels`.
        Ok(unsafe { table.as_slice() })
    }

    /// Decodes one sample, made smaller to fit `max_side` (0 = full size), and looks at it.
    ///
    /// # Errors
    /// When it cannot be decoded, or `look` fails.
    pub fn pixels<T: Send>(
        &self,
        sample: usize,
        max_side: u32,
        look: impl Fn(&Pixels<'_>) -> Result<T> + Sync,
    ) -> Result<T> {
        let seen = Mutex::new(None);
        let keep = |_: usize, pixels: &Pixels<'_>| {
            let value = look(pixels)?;
            *seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(value);
            Ok(())
        };
        let sink = Sink { look: &keep, error: Mutex::new(None) };
        let sample = u32::try_from(sample).map_err(|_| Error::new("sample number beyond 32 bits"))?;
        // SAFETY: `sink` outlives the call and `receive` is the function that knows its type.
        let status = unsafe { (self.host.pixels)(self.host.ctx, sample, max_side, sink.as_ctx(), receive) };
        sink.finish(self.host, status)?;
        let seen = seen.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        seen.ok_or_else(|| Error::new("the host delivered no pixels"))
    }

    /// Decodes every decodable sample on the host's threads and looks at each, in any order.
    ///
    /// # Errors
    /// The first error of `look`, or the host's.
    pub fn each_pixels(
        &self,
        max_side: u32,
        look: &(dyn Fn(usize, &Pixels<'_>) -> Result<()> + Sync),
    ) -> Result<()> {
        let sink = Sink { look, error: Mutex::new(None) };
        // SAFETY: `sink` outlives the call and `receive` is the function that knows its type.
        let status = unsafe { (self.host.each_pixels)(self.host.ctx, max_side, sink.as_ctx(), receive) };
        sink.finish(self.host, status)
    }

    /// What [`Detector::measure`](crate::Detector::measure) wrote of each sample, in their order; zeros where it could
    /// not be decoded. Needs [`Needs::PIXELS`](crate::Needs::PIXELS). No picture is decoded for it that was measured
    /// before and has not changed.
    ///
    /// # Errors
    /// When the detector measures nothing, a picture could not be measured, or the host was stopped.
    pub fn measures<D: Detector>(&self, _: &D) -> Result<std::slice::ChunksExact<'h, u8>> {
        let mut table = Slice::empty();
        // SAFETY: the table outlives the call.
        check(self.host, unsafe { (self.host.measures)(self.host.ctx, &raw mut table) })?;
        // SAFETY: as for `labels`.
        let records = unsafe { table.as_slice() };
        if D::MEASURE_BYTES == 0 || records.len() != self.len() * D::MEASURE_BYTES {
            return Err(Error::new("the host's measured records have the wrong size"));
        }
        Ok(records.chunks_exact(D::MEASURE_BYTES))
    }

    /// A parameter of this detector: the number, the whole number, 0 or 1 of a flag, the index of a choice.
    ///
    /// # Errors
    /// When the detector has not declared it.
    pub fn number(&self, name: &str) -> Result<f64> {
        let mut value = 0.0;
        // SAFETY: the value outlives the call.
        check(self.host, unsafe { (self.host.number)(self.host.ctx, Str::new(name), &raw mut value) })?;
        Ok(value)
    }

    /// A whole-number parameter of this detector, not below zero.
    ///
    /// # Errors
    /// When the detector has not declared it.
    pub fn count(&self, name: &str) -> Result<usize> {
        Ok(self.number(name)?.max(0.0) as usize)
    }

    /// A yes-or-no parameter of this detector.
    ///
    /// # Errors
    /// When the detector has not declared it.
    pub fn flag(&self, name: &str) -> Result<bool> {
        Ok(self.number(name)? != 0.0)
    }

    /// A choice parameter of this detector: the index of the chosen name.
    ///
    /// # Errors
    /// When the detector has not declared it.
    pub fn choice(&self, name: &str) -> Result<usize> {
        self.count(name)
    }

    /// What this detector kept under a name in an earlier run on this dataset (see [`Report::keep`](crate::Report::keep)),
    /// with its version; the newest where `version` is `None`.
    ///
    /// # Errors
    /// When the name is none, or the host cannot read it.
    pub fn kept(&self, name: &str, version: Option<u32>) -> Result<Option<(u32, &'h [u8])>> {
        let mut record = KeptRecord { bytes: Slice::empty(), version: 0, reserved: 0 };
        let wanted = version.unwrap_or(0);
        // SAFETY: the record and the name outlive the call.
        let status = unsafe { (self.host.kept)(self.host.ctx, Str::new(name), wanted, &raw mut record) };
        check(self.host, status)?;
        if record.version == 0 {
            return Ok(None);
        }
        // SAFETY: as for `labels`.
        Ok(Some((record.version, unsafe { record.bytes.as_slice() })))
    }

    /// Reports progress of this detector's own loop.
    pub fn progress(&self, done: usize, total: usize) {
        // SAFETY: the table's functions and `ctx` are valid until `run` returns.
        unsafe { (self.host.progress)(self.host.ctx, done as u64, total as u64) };
    }

    /// Returns an error when the person asked to stop; call it in every long loop.
    ///
    /// # Errors
    /// [`Error::stopped`] when it is time to go.
    pub fn checkpoint(&self) -> Result<()> {
        // SAFETY: as above.
        if unsafe { (self.host.stopped)(self.host.ctx) } != 0 { Err(Error::stopped()) } else { Ok(()) }
    }

    /// Writes a line to the host's log.
    pub fn log(&self, text: &str) {
        // SAFETY: as above; the text outlives the call.
        unsafe { (self.host.log)(self.host.ctx, 1, Str::new(text)) };
    }
}

/// A closure on its way through the host and back.
struct Sink<'a> {
    look: &'a (dyn Fn(usize, &Pixels<'_>) -> Result<()> + Sync),
    error: Mutex<Option<Error>>,
}

impl Sink<'_> {
    fn as_ctx(&self) -> *mut c_void {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    /// The closure's own error goes before the host's, which only says that the closure failed.
    fn finish(self, host: &HostTable, status: Status) -> Result<()> {
        match self.error.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
            Some(error) => Err(error),
            None => check(host, status),
        }
    }
}

impl<'a> Pixels<'a> {
    /// # Safety
    /// The table's bytes must be alive for `'a`.
    pub(crate) unsafe fn lent(table: &PixelsTable) -> Pixels<'a> {
        Pixels {
            // SAFETY: the caller answers for it.
            rgb: unsafe { table.rgb.as_slice() },
            width: table.width as usize,
            height: table.height as usize,
            full_width: table.full_width as usize,
            full_height: table.full_height as usize,
            source: table.source,
        }
    }
}

/// Called by the host with one image. A panic must not cross the border, so it is caught here and carried on
/// as an error.
unsafe extern "C" fn receive(ctx: *mut c_void, sample: u32, table: *const PixelsTable) -> Status {
    // SAFETY: `ctx` is the `Sink` that `pixels` or `each_pixels` keeps alive during the call.
    let sink = unsafe { &*ctx.cast::<Sink<'_>>() };
    // SAFETY: the host lends the table and its bytes for the time of this call.
    let pixels = unsafe { Pixels::lent(&*table) };
    let outcome = catch_unwind(AssertUnwindSafe(|| (sink.look)(sample as usize, &pixels)))
        .unwrap_or_else(|payload| Err(Error::new(format!("panicked: {}", crate::PanicMessage(&*payload)))));
    match outcome {
        Ok(()) => Status::OK,
        Err(error) => {
            let stopped = error.is_stopped();
            let mut first = sink.error.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            first.get_or_insert(error);
            if stopped { Status::STOPPED } else { Status::ERROR }
        }
    }
}
