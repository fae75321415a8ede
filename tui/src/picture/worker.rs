//! A thread that makes pictures ready, so that neither keys nor frames wait for it. Of several requests for one
//! place on the screen only the newest is served.

use super::{Encoded, PictureEncoder, Pixels};
use chaffinch_core::protocol::Ticket;
use chaffinch_core::sample::SampleId;
use crossbeam_channel::{Receiver, Sender, unbounded};
use ratatui::layout::Size;
use std::thread::JoinHandle;

/// Pixels to be made ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodeJob {
    /// The place on the screen.
    pub slot: u32,
    /// The ticket of the request.
    pub ticket: Ticket,
    /// The sample.
    pub sample: SampleId,
    /// The cells it has to fit into.
    pub cells: Size,
    /// The pixels.
    pub pixels: Pixels,
}

/// A picture that is ready.
#[derive(Clone, Debug)]
pub struct EncodeResult {
    /// The place on the screen.
    pub slot: u32,
    /// The ticket of the request.
    pub ticket: Ticket,
    /// The sample.
    pub sample: SampleId,
    /// The cells it was made for.
    pub cells: Size,
    /// The picture.
    pub encoded: Encoded,
}

/// The thread and the way to it. Ends when it is dropped.
pub struct Worker {
    jobs: Option<Sender<EncodeJob>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts the thread; `done` is called on it for every picture.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(
        mut encoder: Box<dyn PictureEncoder>,
        done: impl Fn(EncodeResult) + Send + 'static,
    ) -> std::io::Result<Worker> {
        let (jobs, queue) = unbounded::<EncodeJob>();
        let thread = std::thread::Builder::new().name("picture".to_owned()).spawn(move || {
            let mut waiting: Vec<EncodeJob> = Vec::new();
            while refill(&queue, &mut waiting) {
                let EncodeJob { slot, ticket, sample, cells, pixels } = waiting.remove(0);
                let encoded = encoder.encode(slot, &pixels, cells);
                done(EncodeResult { slot, ticket, sample, cells, encoded });
            }
        })?;
        Ok(Worker { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Hands a job over.
    pub fn send(&self, job: EncodeJob) {
        if let Some(jobs) = &self.jobs {
            // The thread is gone only after a panic, which has been reported by then.
            let _ = jobs.send(job);
        }
    }
}

/// Waits until there is something to do; a newer job takes the place of an older one for the same slot.
fn refill(queue: &Receiver<EncodeJob>, waiting: &mut Vec<EncodeJob>) -> bool {
    if waiting.is_empty() {
        match queue.recv() {
            Ok(job) => waiting.push(job),
            Err(_) => return false,
        }
    }
    for job in queue.try_iter() {
        waiting.retain(|older| older.slot != job.slot);
        waiting.push(job);
    }
    // The sample under the cursor before its neighbours.
    waiting.sort_by_key(|job| job.slot);
    true
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
