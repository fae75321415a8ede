//! Pictures for the screen, decoded on threads of their own. A newer request for a slot replaces an older one
//! that has not started, so that a held key never builds a queue.

use crate::display;
use crate::image::{decode, thumbnail};
use crate::manifest::Manifest;
use crate::protocol::{Event, Picture, Ticket};
use crate::sample::SampleId;
use crossbeam_channel::Sender;
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// One wish.
pub(super) struct Request {
    pub(super) manifest: Arc<Manifest>,
    pub(super) ticket: Ticket,
    pub(super) slot: u32,
    pub(super) sample: SampleId,
    pub(super) fit: (u32, u32),
}

#[derive(Default)]
struct Queue {
    /// Newest request by slot; slot 0 is the main picture and goes first.
    waiting: BTreeMap<u32, Request>,
    closed: bool,
}

/// The desk where pictures are asked for.
pub(super) struct Pictures {
    queue: Arc<(Mutex<Queue>, Condvar)>,
    threads: Vec<JoinHandle<()>>,
}

const THREADS: usize = 2;

/// Greatest side that is sent to a client: more than any terminal shows, little enough for a socket.
const MAX_SIDE: u32 = 2048;

impl Pictures {
    pub(super) fn start(events: &Sender<Event>) -> Pictures {
        let queue: Arc<(Mutex<Queue>, Condvar)> = Arc::default();
        let threads = (0..THREADS)
            .map(|_| {
                let (queue, events) = (queue.clone(), events.clone());
                thread::spawn(move || serve(&queue, &events))
            })
            .collect();
        Pictures { queue, threads }
    }

    pub(super) fn ask(&self, request: Request) {
        let (queue, wake) = &*self.queue;
        queue.lock().unwrap_or_else(PoisonError::into_inner).waiting.insert(request.slot, request);
        wake.notify_one();
    }

    pub(super) fn stop(self) {
        let (queue, wake) = &*self.queue;
        {
            let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.closed = true;
            queue.waiting.clear();
        }
        wake.notify_all();
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

fn serve(queue: &(Mutex<Queue>, Condvar), events: &Sender<Event>) {
    loop {
        let request = {
            let mut guard = queue.0.lock().unwrap_or_else(PoisonError::into_inner);
            loop {
                if guard.closed {
                    return;
                }
                if let Some((_, request)) = guard.waiting.pop_first() {
                    break request;
                }
                guard = queue.1.wait(guard).unwrap_or_else(PoisonError::into_inner);
            }
        };
        if events.send(Event::Picture(paint(&request))).is_err() {
            return;
        }
    }
}

fn paint(request: &Request) -> Picture {
    let mut picture = Picture {
        ticket: request.ticket,
        slot: request.slot,
        sample: request.sample,
        width: 0,
        height: 0,
        rgb: Vec::new(),
        error: None,
    };
    if request.sample.index() >= request.manifest.len() {
        picture.error = Some("there is no such sample".into());
        return picture;
    }
    let path = request.manifest.full_path(request.sample);
    let decoded = std::fs::read(&path)
        .map_err(|error| error.to_string())
        .and_then(|bytes| decode::decode(&bytes).map_err(|error| error.to_string()));
    match decoded {
        Ok(decoded) => {
            let (width, height) = (request.fit.0.clamp(1, MAX_SIDE), request.fit.1.clamp(1, MAX_SIDE));
            let fitted = thumbnail::fit(&decoded.image, width, height);
            (picture.width, picture.height) = fitted.dimensions();
            picture.rgb = fitted.into_raw();
        }
        Err(error) => picture.error = Some(display::safe_text(&error).into_owned()),
    }
    picture
}
