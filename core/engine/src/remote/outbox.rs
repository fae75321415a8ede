//! What is on its way to a terminal that may read slowly or not at all.

use super::message::write_event;
use chaffinch_compute::memory;
use chaffinch_protocol::Event;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bytes beyond which a terminal no longer gets what it can do without.
const ENOUGH: usize = 8 << 20;

/// Bytes beyond which a terminal is let go, by the memory budget. Answers to its own requests are bounded by what it asked
/// for; one that goes on asking and never reads gets here, and one that is stopped while others decide a great deal.
fn too_much() -> usize {
    memory::shares().events()
}

/// Why a terminal is let go.
const LET_GO: &str = "this terminal has not read for so long that the engine let it go; everything shown as saved is on disk, \
                      so open the session again to continue";

/// The events for one terminal, sent on a thread of their own.
pub(super) struct Outbox {
    inside: Mutex<Inside>,
    /// Something was added, or written.
    wake: Condvar,
    stream: UnixStream,
}

#[derive(Default)]
struct Inside {
    queue: VecDeque<Vec<u8>>,
    /// Bytes in the queue, and those that are being written.
    waiting: usize,
    writing: bool,
    /// Nothing follows what is in the queue.
    closed: bool,
}

impl Outbox {
    /// Of a connection; nothing is sent before [`Outbox::start`].
    pub(super) fn new(stream: UnixStream) -> Outbox {
        Outbox { inside: Mutex::default(), wake: Condvar::new(), stream }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts sending.
    pub(super) fn start(self: &Arc<Outbox>) -> io::Result<()> {
        let outbox = self.clone();
        std::thread::Builder::new().name("events".into()).spawn(move || outbox.write())?;
        Ok(())
    }

    fn write(&self) {
        let mut out = &self.stream;
        loop {
            let mut inside = self.inside();
            let message = loop {
                if let Some(message) = inside.queue.pop_front() {
                    break message;
                }
                if inside.closed {
                    drop(inside);
                    let _ = self.stream.shutdown(Shutdown::Both);
                    return;
                }
                inside = self.wake.wait(inside).unwrap_or_else(PoisonError::into_inner);
            };
            inside.writing = true;
            drop(inside);
            let written = out.write_all(&message);
            let mut inside = self.inside();
            inside.writing = false;
            inside.waiting = inside.waiting.saturating_sub(message.len());
            if written.is_err() {
                (inside.closed, inside.waiting) = (true, 0);
                inside.queue.clear();
            }
            drop(inside);
            self.wake.notify_all();
        }
    }

    /// Sends an event; `false` if the terminal takes nothing any more, or has read nothing for so long that it is let go.
    pub(super) fn send(&self, event: Event) -> bool {
        {
            let mut inside = self.inside();
            if inside.closed {
                return false;
            }
            if inside.waiting > too_much() {
                self.let_go(&mut inside);
                return false;
            }
            if inside.waiting > ENOUGH && matches!(event, Event::Progress(_) | Event::Log { .. }) {
                return true;
            }
        }
        let last = matches!(event, Event::Bye { .. } | Event::Dismissed { .. });
        let mut message = Vec::new();
        // An event too long to be sent is one that no terminal asked for.
        let fits = write_event(&mut message, event).is_ok();
        let mut inside = self.inside();
        if fits && !inside.closed {
            inside.waiting += message.len();
            inside.queue.push_back(message);
        }
        inside.closed |= last;
        drop(inside);
        self.wake.notify_all();
        true
    }

    /// Drops what waits, hears nothing from this terminal any more, and leaves it the reason in case it reads again.
    fn let_go(&self, inside: &mut Inside) {
        inside.queue.clear();
        let mut message = Vec::new();
        if write_event(&mut message, Event::Dismissed { why: LET_GO.to_owned() }).is_ok() {
            inside.waiting = message.len();
            inside.queue.push_back(message);
        }
        inside.closed = true;
        let _ = self.stream.shutdown(Shutdown::Read);
        self.wake.notify_all();
    }

    /// Sends what is there, and then closes the connection.
    pub(super) fn close(&self) {
        self.inside().closed = true;
        self.wake.notify_all();
    }

    /// Waits until everything is sent, but not for longer than this.
    pub(super) fn drain(&self, limit: Duration) {
        let busy = |inside: &mut Inside| inside.writing || !inside.queue.is_empty();
        drop(self.wake.wait_timeout_while(self.inside(), limit, busy));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::read_event;
    use chaffinch_protocol::Picture;
    use chaffinch_protocol::Progress;
    use chaffinch_protocol::sample::SampleId;
    use std::io::Write;

    #[test]
    fn a_terminal_that_never_reads_costs_no_more_than_the_limit() {
        let (terminal, engine) = UnixStream::pair().unwrap();
        let outbox = Arc::new(Outbox::new(engine));
        outbox.start().unwrap();
        let picture = |slot| {
            let rgb = vec![7; 3 << 20];
            Event::Picture(Picture {
                ticket: 1,
                slot,
                sample: SampleId(0),
                width: 1024,
                height: 1024,
                whole: (1024, 1024),
                rgb,
                error: None,
            })
        };
        let sent = (0..1000).take_while(|slot| outbox.send(picture(*slot))).count();
        assert!((too_much() / (3 << 20)..too_much() / (3 << 20) + 3).contains(&sent), "{sent}");
        assert!(outbox.inside().waiting < 1 << 20, "what it did not read is dropped");
        assert!((&terminal).write_all(b"x").is_err(), "nor is it heard any more");
        // Should it read again, it learns why after the message that was on its way.
        let mut input = &terminal;
        let first = read_event(&mut input).unwrap();
        assert!(matches!(first, Event::Picture(_)));
        let Ok(Event::Dismissed { why }) = read_event(&mut input) else { panic!("no reason") };
        assert!(why.contains("has not read"), "{why}");
        assert!(read_event(&mut input).is_err(), "and the connection ends");
    }

    #[test]
    fn what_a_terminal_can_do_without_is_left_out_before() {
        let (_terminal, engine) = UnixStream::pair().unwrap();
        let outbox = Arc::new(Outbox::new(engine));
        outbox.start().unwrap();
        let line = "x".repeat(1 << 20);
        for _ in 0..1000 {
            assert!(outbox.send(Event::Log { line: line.clone() }), "a log line lets no terminal go");
            assert!(outbox.send(Event::Progress(Progress::default())));
        }
        assert!(outbox.inside().waiting <= ENOUGH + (2 << 20));
    }
}
