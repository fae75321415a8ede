//! Safe access to what the host lends: here the dataset and the parameters of the run, in `columns` what else is known of
//! the samples, in `computed` what the host computes on request, in `pixels` the pictures.
#![allow(unsafe_code)] // Calls the host's function table.

mod columns;
mod computed;
mod pixels;

use crate::abi::{DatasetTable, HostTable, KeptRecord, Slice, Status, Str};
use crate::{Decided, Dimensions, Error, Result, Split};

/// Turns a host status into a result with the host's error message.
pub(crate) fn check(host: &HostTable, status: Status) -> Result<()> {
    match status {
        Status::OK => Ok(()),
        Status::STOPPED => Err(Error::stopped()),
        Status(status) => {
            // SAFETY: the host keeps the message alive until the next call on this thread; it is copied here.
            let message = unsafe { (host.message)(host.ctx).as_str() };
            Err(if Status(status) == Status::MISSING { Error::missing(message) } else { Error::new(message) })
        }
    }
}

/// The dataset and everything the host computes for detectors.
///
/// Borrowed slices are valid until the run ends. Every method may be called from several threads.
pub struct View<'h> {
    host: &'h HostTable,
    data: DatasetTable,
}

// SAFETY: the host promises that its functions may be called from any thread, and the tables are immutable.
unsafe impl Send for View<'_> {}
// SAFETY: as above.
unsafe impl Sync for View<'_> {}

impl<'h> View<'h> {
    /// Reads the dataset's arrays once and checks that they have the same length.
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
            return Err(Error::new("the host's dataset arrays have different lengths"));
        }
        Ok(View { host, data })
    }

    /// A slice that the host lent in a table.
    fn lent<T>(&self, slice: Slice<T>) -> &'h [T] {
        // SAFETY: only called with slices that the host filled, which it lends until `run` returns; `'h` cannot outlive
        // that.
        unsafe { slice.as_slice() }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.data.count
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.data.count == 0
    }

    /// The given label of each sample, [`NO_LABEL`](crate::NO_LABEL) if it has none.
    pub fn labels(&self) -> &'h [u32] {
        self.lent(self.data.labels)
    }

    /// Number of classes.
    pub fn class_count(&self) -> usize {
        self.data.classes.len
    }

    /// The name of a class, or the empty string if there is no such class.
    pub fn class_name(&self, label: u32) -> &'h str {
        // SAFETY: lent like the slices.
        self.lent(self.data.classes).get(label as usize).map_or("", |name| unsafe { name.as_str() })
    }

    /// The decodable samples of each class, in order; samples without a label are in no class.
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

    /// The same samples, each class in the order of content hashes, and equal contents in order. For methods whose result
    /// depends on the order of their input: renaming or shuffling the files must not change a score.
    pub fn members_by_content(&self) -> Vec<Vec<usize>> {
        let mut members = self.members();
        members.iter_mut().for_each(|class| self.sort_by_content(class));
        members
    }

    /// Sorts samples by content hash, and those of equal content by number.
    pub fn sort_by_content(&self, samples: &mut [usize]) {
        let hashes = self.content_hashes();
        samples.sort_unstable_by_key(|&sample| (hashes.get(sample), sample));
    }

    /// The split of one sample.
    pub fn split(&self, sample: usize) -> Split {
        match self.lent(self.data.splits).get(sample) {
            Some(1) => Split::Train,
            Some(2) => Split::Validation,
            Some(3) => Split::Test,
            _ => Split::None,
        }
    }

    /// Whether the image could be decoded. If not, it has no embedding, hash or pixels, and the host has
    /// already reported it.
    pub fn decodable(&self, sample: usize) -> bool {
        self.lent(self.data.decodable).get(sample) == Some(&1)
    }

    /// The content hash of each file.
    pub fn content_hashes(&self) -> &'h [[u8; 32]] {
        self.lent(self.data.hashes)
    }

    /// Width, height and file size of each image.
    pub fn dimensions(&self) -> &'h [Dimensions] {
        self.lent(self.data.dimensions)
    }

    /// The reviewer's decision about a sample so far. Needs [`Needs::DECISIONS`](crate::Needs::DECISIONS): without it, nothing is
    /// decided.
    pub fn decision(&self, sample: usize) -> Option<Decided> {
        match self.lent(self.data.decisions).get(sample)? {
            1 => Some(Decided::Keep),
            2 => Some(Decided::Remove),
            3 => Some(Decided::Relabel(self.lent(self.data.relabels)[sample])),
            4 => Some(Decided::Unsure),
            _ => None,
        }
    }

    /// A parameter of this detector: the number or integer, 0 or 1 for a flag, the index for a choice.
    ///
    /// # Errors
    /// When the detector has not declared it.
    pub fn number(&self, name: &str) -> Result<f64> {
        let mut value = 0.0;
        // SAFETY: the value outlives the call.
        check(self.host, unsafe { (self.host.number)(self.host.ctx, Str::new(name), &raw mut value) })?;
        Ok(value)
    }

    /// A non-negative integer parameter of this detector.
    ///
    /// # Errors
    /// When the detector has not declared it.
    pub fn count(&self, name: &str) -> Result<usize> {
        Ok(self.number(name)?.max(0.0) as usize)
    }

    /// An on-off parameter of this detector.
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
    /// with its version; the newest if `version` is `None`.
    ///
    /// # Errors
    /// When the name is invalid, or the host cannot read it.
    pub fn kept(&self, name: &str, version: Option<u32>) -> Result<Option<(u32, &'h [u8])>> {
        let mut record = KeptRecord { bytes: Slice::empty(), version: 0, reserved: 0 };
        let wanted = version.unwrap_or(0);
        // SAFETY: the record and the name outlive the call.
        let status = unsafe { (self.host.kept)(self.host.ctx, Str::new(name), wanted, &raw mut record) };
        check(self.host, status)?;
        if record.version == 0 {
            return Ok(None);
        }
        Ok(Some((record.version, self.lent(record.bytes))))
    }

    /// Reports the progress of this detector's own loop.
    pub fn progress(&self, done: usize, total: usize) {
        // SAFETY: the table's functions and `ctx` are valid until `run` returns.
        unsafe { (self.host.progress)(self.host.ctx, done as u64, total as u64) };
    }

    /// Returns an error if the user requested a stop; call it in every long loop.
    ///
    /// # Errors
    /// [`Error::stopped`] if the detector should stop.
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
