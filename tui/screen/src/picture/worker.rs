//! Threads that encode pictures, so that neither keys nor frames wait for it. Of several requests for one slot on
//! the screen only the newest is served. Slow jobs have a separate thread, so that the next picture never waits
//! for the full quality of the last one.

use super::graphic::{self, Geometry};
use super::{Encoded, PictureEncoder, PictureKey, Pixels, Protocol, Quality};
use chaffinch_protocol::Ticket;
use crossbeam_channel::{Receiver, Sender, unbounded};
use ratatui::layout::Size;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

/// Pixels to encode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodeJob {
    /// The slot on the screen.
    pub slot: u32,
    /// The ticket of the request.
    pub ticket: Ticket,
    /// What it is of, and for which cells.
    pub key: PictureKey,
    /// The pixels.
    pub pixels: Arc<Pixels>,
    /// The graphics protocol, where there is one, and the pixels of one cell.
    pub target: Option<(Protocol, (u32, u32))>,
    /// The quality of the cached picture; none if nothing is cached, so that characters are drawn first.
    pub above: Option<Quality>,
    /// About how many bytes the half-size step may take.
    pub budget: Option<usize>,
}

impl EncodeJob {
    /// How good the picture is to be made.
    fn quality(&self) -> Quality {
        self.above.map_or(Quality::Cells, |above| graphic::step_above(above, &self.pixels))
    }

    /// Whether it is about more than the first graphic, and may take as long as several keys.
    pub fn slow(&self) -> bool {
        self.above > Some(Quality::Cells)
    }
}

/// An encoded picture.
#[derive(Clone, Debug)]
pub struct EncodeResult {
    /// The slot on the screen.
    pub slot: u32,
    /// The ticket of the request.
    pub ticket: Ticket,
    /// What it is of, and for which cells.
    pub key: PictureKey,
    /// The picture: characters, or one graphic to be added to them.
    pub encoded: Encoded,
    /// What it was made for.
    pub target: Option<(Protocol, (u32, u32))>,
    /// Whether it adds to a cached picture.
    pub adds: bool,
    /// See [`EncodeJob::slow`].
    pub slow: bool,
}

/// Does a job.
pub fn encode(encoder: &mut dyn PictureEncoder, job: &EncodeJob) -> EncodeResult {
    let EncodeJob { slot, ticket, key, pixels, target, above, budget } = job;
    let room = room(key, pixels, target.map_or(encoder.cell_pixels(), |(_, cell)| cell));
    let cells = &room;
    let encoded = match (target, above) {
        (None, _) => encoder.encode(*slot, pixels, *cells),
        (Some((_, cell)), None) => {
            // The characters take the place that the graphic will have, so that nothing jumps.
            let size = Geometry { room: *cells, cell: *cell }.cells(pixels.width, pixels.height);
            let (across, down) = encoder.cell_pixels();
            let small =
                graphic::scaled(pixels, u32::from(size.width) * across, u32::from(size.height) * down);
            let mut encoded = encoder.draft(*slot, &small, size);
            encoded.source = Some(pixels.clone());
            encoded
        }
        (Some((protocol, cell)), Some(_)) => {
            let geometry = Geometry { room: *cells, cell: *cell };
            let make = || graphic::make(pixels, *protocol, job.quality(), geometry, *budget);
            // A quantizer that fails on some picture leaves the characters.
            let made = catch_unwind(AssertUnwindSafe(make));
            let graphics = made.ok().flatten().map(Arc::new).into_iter().collect();
            Encoded { graphics, ..Encoded::default() }
        }
    };
    let adds = target.is_some() && above.is_some();
    let target = *target;
    EncodeResult { slot: *slot, ticket: *ticket, key: *key, encoded, target, adds, slow: job.slow() }
}

/// The cells that there are for a picture. A part takes no more of them than its pixels do, so that one of its pixels
/// is as many on the screen as it should be.
fn room(key: &PictureKey, pixels: &Pixels, cell: (u32, u32)) -> Size {
    if key.part.is_none() {
        return key.cells;
    }
    let cells = |pixels: u32, cell: u32, most: u16| {
        u16::try_from(pixels.div_ceil(cell.max(1))).unwrap_or(most).clamp(1, most.max(1))
    };
    Size::new(cells(pixels.width, cell.0, key.cells.width), cells(pixels.height, cell.1, key.cells.height))
}

/// The threads and the ways to them. Ends when it is dropped.
pub struct Worker {
    quick: Lane,
    slow: Lane,
}

impl Worker {
    /// Starts the threads, each with an encoder; `done` is called on them for every picture.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(
        encoders: [Box<dyn PictureEncoder>; 2],
        done: impl Fn(EncodeResult) + Clone + Send + 'static,
    ) -> std::io::Result<Worker> {
        let [quick, slow] = encoders;
        Ok(Worker { quick: Lane::start(quick, done.clone())?, slow: Lane::start(slow, done)? })
    }

    /// Queues a job.
    pub fn send(&self, job: EncodeJob) {
        let lane = if job.slow() { &self.slow } else { &self.quick };
        if let Some(jobs) = &lane.jobs {
            // The thread is gone only after a panic, which has been reported by then.
            let _ = jobs.send(job);
        }
    }
}

/// One thread and its queue.
struct Lane {
    jobs: Option<Sender<EncodeJob>>,
    thread: Option<JoinHandle<()>>,
}

impl Lane {
    fn start(
        mut encoder: Box<dyn PictureEncoder>,
        done: impl Fn(EncodeResult) + Send + 'static,
    ) -> std::io::Result<Lane> {
        let (jobs, queue) = unbounded::<EncodeJob>();
        let thread = std::thread::Builder::new().name("picture".to_owned()).spawn(move || {
            let mut waiting: Vec<EncodeJob> = Vec::new();
            while refill(&queue, &mut waiting) {
                let job = waiting.remove(0);
                done(encode(&mut *encoder, &job));
            }
        })?;
        Ok(Lane { jobs: Some(jobs), thread: Some(thread) })
    }
}

/// Waits until there is something to do; a newer job takes the place of an older one of its kind for the same slot. One
/// that makes something better is waited for, so a picture for another sample does not take its place.
fn refill(queue: &Receiver<EncodeJob>, waiting: &mut Vec<EncodeJob>) -> bool {
    if waiting.is_empty() {
        match queue.recv() {
            Ok(job) => waiting.push(job),
            Err(_) => return false,
        }
    }
    for job in queue.try_iter() {
        waiting.retain(|older| older.slot != job.slot || older.above.is_some() != job.above.is_some());
        waiting.push(job);
    }
    // What has nothing to show yet first, and the sample under the cursor before its neighbors.
    waiting.sort_by_key(|job| (job.above.is_some(), job.slot));
    true
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_protocol::sample::SampleId;

    #[test]
    fn newer_ones_replace_older_ones_of_their_kind_only() {
        let (send, queue) = unbounded();
        let job = |sample, above| EncodeJob {
            slot: 7,
            ticket: 0,
            key: (SampleId(sample), Size::new(4, 2)).into(),
            pixels: Arc::new(Pixels { width: 1, height: 1, rgb: vec![1, 2, 3] }),
            target: None,
            above,
            budget: None,
        };
        for job in [job(1, None), job(1, Some(Quality::Cells)), job(2, None), job(3, None)] {
            send.send(job).unwrap();
        }
        let mut waiting = Vec::new();
        assert!(refill(&queue, &mut waiting));
        let left: Vec<(u32, bool)> = waiting.iter().map(|j| (j.key.sample.0, j.above.is_some())).collect();
        assert_eq!(left, [(3, false), (1, true)]);
    }
}
