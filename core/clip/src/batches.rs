//! How many images or prompts go through a tower at a time.
//!
//! How a device divides the sums of a product, and so how they are rounded, depends on the product's shape. So every batch
//! is filled up to one size, and a vector depends neither on its batch nor on how much memory there is.

use chaffinch_compute::embedding::EmbedError;
use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Minimum number of rows of a matrix product. A product with a single row takes a different path through the kernels
/// and sums in a different order, so the same image would get different bits alone than in a batch.
pub(crate) const LEAST_ROWS: usize = 32;

/// The size of batches.
pub(crate) enum Batches {
    /// At most this many, filled up to [`LEAST_ROWS`]: on the CPU, larger products have the same sums.
    AtMost(usize),
    /// Always this many. Halved when the device runs out of memory.
    Always(AtomicUsize),
}

impl Batches {
    /// Most rows of one batch.
    pub(crate) fn size(&self) -> usize {
        match self {
            Batches::AtMost(size) => *size,
            Batches::Always(size) => size.load(Ordering::Relaxed),
        }
    }

    /// Rows of one call that keep the device busy.
    pub(crate) fn call(&self) -> usize {
        match self {
            Batches::AtMost(size) => *size,
            Batches::Always(_) => (256 / self.size().max(1)).max(1) * self.size(),
        }
    }

    /// Starts `work` on rows of `length` values, batch by batch, and returns what it returns. It gets the rows of a batch, how many
    /// they are, and to how many they are to be filled up. When the device runs out of memory, `relieve` is called, and batches are
    /// halved from then on, down to a single row; unless they must not be, because another device can do them: then the same
    /// batch is tried once more.
    ///
    /// # Errors
    /// Those of `work`.
    pub(crate) fn start<T, R>(
        &self,
        values: &[T],
        length: usize,
        work: impl Fn(&[T], usize, usize) -> Result<R, EmbedError>,
        relieve: impl Fn(),
        may_halve: bool,
    ) -> Result<Vec<R>, EmbedError> {
        let length = length.max(1);
        let count = values.len() / length;
        let mut relieved = false;
        let (mut done, mut started) = (0, Vec::new());
        while done < count {
            let size = self.size().clamp(1, count - done);
            match work(&values[done * length..(done + size) * length], size, self.filled().max(size)) {
                Ok(result) => {
                    started.push(result);
                    done += size;
                }
                Err(error @ EmbedError::OutOfMemory { .. }) => {
                    relieve();
                    let again = if may_halve { self.halve() } else { !relieved };
                    if !again {
                        return Err(error);
                    }
                    relieved = true;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(started)
    }

    fn filled(&self) -> usize {
        match self {
            Batches::AtMost(_) => LEAST_ROWS,
            Batches::Always(size) => size.load(Ordering::Relaxed),
        }
    }

    /// Sets the size of a device's batches.
    #[cfg(test)]
    pub(crate) fn resize(&self, to: usize) {
        if let Batches::Always(size) = self {
            size.store(to, Ordering::Relaxed);
        }
    }

    /// Whether there is a smaller size.
    fn halve(&self) -> bool {
        let Batches::Always(size) = self else { return false };
        let halved = |size: usize| (size > 1).then_some(size / 2);
        size.fetch_update(Ordering::Relaxed, Ordering::Relaxed, halved).is_ok()
    }
}

/// The batch, filled up with its first row.
pub(crate) fn filled_up<T: Copy>(batch: &[T], count: usize, rows: usize) -> Cow<'_, [T]> {
    if count == 0 || count >= rows {
        return batch.into();
    }
    let mut filled = batch.to_vec();
    fill_up(&batch[..batch.len() / count], &mut filled, rows);
    filled.into()
}

/// Appends a row until there are `rows`.
fn fill_up<T: Copy>(row: &[T], filled: &mut Vec<T>, rows: usize) {
    while filled.len() < rows * row.len() {
        filled.extend_from_slice(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::{Cell, RefCell};

    /// Runs numbers through batches on a device with room for `room` rows, and returns what came out, the sizes of the
    /// batches that ran, and how often memory was relieved.
    fn run(
        batches: &Batches,
        count: u32,
        room: usize,
    ) -> (Result<(), EmbedError>, Vec<u32>, Vec<usize>, usize) {
        run_where(batches, count, room, true)
    }

    fn run_where(
        batches: &Batches,
        count: u32,
        room: usize,
        may_halve: bool,
    ) -> (Result<(), EmbedError>, Vec<u32>, Vec<usize>, usize) {
        let (sizes, relieved) = (RefCell::new(Vec::new()), Cell::new(0));
        let values: Vec<u32> = (0..2 * count).map(|at| at / 2).collect();
        let work = |batch: &[u32], count: usize, rows: usize| {
            let batch = filled_up(batch, count, rows);
            assert_eq!(batch.len(), 2 * rows);
            if rows > room {
                return Err(EmbedError::OutOfMemory { device: "it".into(), batch: count });
            }
            sizes.borrow_mut().push(rows);
            Ok(batch.iter().step_by(2).take(count).copied().collect::<Vec<u32>>())
        };
        let result = batches.start(&values, 2, work, || relieved.set(relieved.get() + 1), may_halve);
        let (result, found) = match result {
            Ok(found) => (Ok(()), found.concat()),
            Err(error) => (Err(error), Vec::new()),
        };
        (result, found, sizes.into_inner(), relieved.get())
    }

    #[test]
    fn on_a_device_every_batch_has_one_size() {
        let batches = Batches::Always(AtomicUsize::new(64));
        let (result, found, sizes, _) = run(&batches, 150, usize::MAX);
        assert!(result.is_ok() && found == (0..150).collect::<Vec<u32>>());
        assert_eq!(sizes, [64, 64, 64]);
        assert_eq!((batches.size(), batches.call()), (64, 256));
        assert_eq!(run(&batches, 1, usize::MAX).2, [64]);
        assert_eq!(Batches::Always(AtomicUsize::new(3)).call(), 255);
    }

    #[test]
    fn on_the_processor_small_batches_are_filled_up() {
        let batches = Batches::AtMost(48);
        assert_eq!(run(&batches, 50, usize::MAX).2, [48, 32]);
        assert_eq!(run(&batches, 0, usize::MAX).2, [0; 0]);
    }

    #[test]
    fn out_of_memory_halves_batches_below_32_too_and_loses_none() {
        let batches = Batches::Always(AtomicUsize::new(64));
        let (result, found, sizes, relieved) = run(&batches, 20, 5);
        assert!(result.is_ok() && found == (0..20).collect::<Vec<u32>>());
        assert_eq!((sizes, relieved), (vec![4; 5], 4));
        assert_eq!(batches.size(), 4, "later batches are as small");
        let (result, _, sizes, _) = run(&Batches::Always(AtomicUsize::new(8)), 3, 0);
        assert!(matches!(result, Err(EmbedError::OutOfMemory { .. })) && sizes.is_empty());
    }

    #[test]
    fn where_another_device_can_do_them_batches_keep_their_size() {
        let batches = Batches::Always(AtomicUsize::new(64));
        let (result, _, sizes, relieved) = run_where(&batches, 20, 5, false);
        assert!(matches!(result, Err(EmbedError::OutOfMemory { .. })) && sizes.is_empty());
        assert_eq!((relieved, batches.size()), (2, 64));
    }
}
