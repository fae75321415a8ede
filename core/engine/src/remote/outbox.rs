//! What is on its way to a terminal that may read slowly or not at all.

use super::write_event;
use chaffinch_compute::memory;
use chaffinch_protocol::Event;
use crossbeam_channel::{Sender, unbounded};
use std::io::{self, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes beyond which a terminal no longer gets what it can do without.
const ENOUGH: usize = 8 << 20;

/// Bytes beyond which a terminal is let go, by the memory budget. Answers to its own requests are bounded by what it asked
/// for; one that goes on asking and never reads gets here.
fn too_much() -> usize {
    memory::shares().events()
}

/// The events for one terminal, sent on a thread of their own.
pub(super) struct Outbox {
    messages: Sender<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
    stream: UnixStream,
}

impl Outbox {
    /// Starts sending.
    pub(super) fn start(stream: UnixStream) -> io::Result<Outbox> {
        let (messages, queue) = unbounded::<Vec<u8>>();
        let waiting = Arc::new(AtomicUsize::new(0));
        let (rest, writing) = (waiting.clone(), stream.try_clone()?);
        std::thread::Builder::new().name("events".into()).spawn(move || {
            let mut out = &writing;
            for message in queue {
                let written = out.write_all(&message);
                rest.fetch_sub(message.len(), Ordering::Relaxed);
                if written.is_err() {
                    break;
                }
            }
            let _ = writing.shutdown(Shutdown::Both);
        })?;
        Ok(Outbox { messages, waiting, stream })
    }

    /// Sends an event; `false` if the terminal has read nothing for so long that it is let go.
    pub(super) fn send(&self, event: Event) -> bool {
        let waiting = self.waiting.load(Ordering::Relaxed);
        if waiting > too_much() {
            let _ = self.stream.shutdown(Shutdown::Both);
            return false;
        }
        if waiting > ENOUGH && matches!(event, Event::Progress(_) | Event::Log { .. }) {
            return true;
        }
        let mut message = Vec::new();
        // An event too long to be sent is one that no terminal asked for.
        if write_event(&mut message, event).is_ok() {
            self.waiting.fetch_add(message.len(), Ordering::Relaxed);
            let _ = self.messages.send(message);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_protocol::Picture;
    use chaffinch_protocol::Progress;
    use chaffinch_protocol::sample::SampleId;

    #[test]
    fn a_terminal_that_never_reads_costs_no_more_than_the_limit() {
        let (_terminal, engine) = UnixStream::pair().unwrap();
        let outbox = Outbox::start(engine).unwrap();
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
    }

    #[test]
    fn what_a_terminal_can_do_without_is_left_out_before() {
        let (_terminal, engine) = UnixStream::pair().unwrap();
        let outbox = Outbox::start(engine).unwrap();
        let line = "x".repeat(1 << 20);
        for _ in 0..1000 {
            assert!(outbox.send(Event::Log { line: line.clone() }), "a log line lets no terminal go");
            assert!(outbox.send(Event::Progress(Progress::default())));
        }
        assert!(outbox.waiting.load(Ordering::Relaxed) <= ENOUGH + (2 << 20));
    }
}
