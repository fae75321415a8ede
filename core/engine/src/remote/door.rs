//! Lets terminals in, each on threads of its own, so that one that says or reads nothing keeps no other one waiting.

use super::handshake::{self, Reply, Request};
use super::message::read_command;
use super::outbox::Outbox;
use crate::client::Engine;
use crate::outlet::Outlet;
use crate::service::{Inward, Roster};
use crate::{Error, Result};
use chaffinch_protocol::display::safe_text;
use crossbeam_channel::{Sender, bounded};
use std::io::{self, BufReader};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

/// How long an engine that was told to stop may take to end what it was doing. A scan loses nothing by being cut off.
const STOPPING: Duration = Duration::from_secs(5);

/// How long the last events may take to reach a terminal.
const ENDING: Duration = Duration::from_millis(500);

/// What the threads at the door share.
#[derive(Clone)]
struct Door {
    inward: Sender<Inward>,
    roster: Roster,
    outboxes: Arc<Mutex<Vec<Weak<Outbox>>>>,
}

/// Accepts terminals for this engine. Returns when the last of them has stopped the engine, or when none is connected and
/// nothing is to be finished.
///
/// # Errors
/// When the socket fails, or the engine failed.
pub fn serve(engine: Engine, listener: UnixListener) -> Result<()> {
    let door =
        Door { inward: engine.inward.clone(), roster: engine.roster.clone(), outboxes: Arc::default() };
    let outboxes = door.outboxes.clone();
    std::thread::Builder::new()
        .name("door".into())
        .spawn(move || {
            for (number, stream) in (1..).zip(listener.incoming().flatten()) {
                let door = door.clone();
                let guest = std::thread::Builder::new()
                    .name("guest".into())
                    .spawn(move || door.attend(number, &stream));
                drop(guest);
            }
        })
        .map_err(Error::io("start", "the terminal listener thread"))?;
    let stopped = engine.ended(STOPPING);
    // The last events reach terminals before this process ends.
    let all = std::mem::take(&mut *outboxes.lock().unwrap_or_else(PoisonError::into_inner));
    for outbox in all.iter().filter_map(Weak::upgrade) {
        outbox.drain(ENDING);
    }
    stopped
}

impl Door {
    /// Serves one connection until it ends.
    fn attend(&self, number: u64, stream: &UnixStream) -> io::Result<()> {
        let join = match handshake::accept(stream)? {
            Request::Look => {
                return handshake::reply(stream, &Reply::There { attached: self.roster.now() });
            }
            Request::Join { join } => join,
        };
        let outbox = Arc::new(Outbox::new(stream.try_clone()?));
        let events = outbox.clone();
        let outlet = Outlet::new(move |event| events.send(event));
        let (answer, answered) = bounded(1);
        if self.inward.send(Inward::Join { number, join, outlet, answer }).is_err() {
            return Ok(());
        }
        match answered.recv() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                let message = safe_text(&error.to_string()).into_owned();
                return handshake::reply(stream, &Reply::Refused { message });
            }
            // The engine is ending.
            Err(_) => return Ok(()),
        }
        self.outboxes.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&outbox));
        // Events go out behind the welcome.
        let welcomed = handshake::reply(stream, &Reply::Welcome).and_then(|()| outbox.start());
        if welcomed.is_ok() {
            let mut input = BufReader::new(stream);
            while let Ok(command) = read_command(&mut input) {
                if self.inward.send(Inward::Heard(number, command)).is_err() {
                    break;
                }
            }
        }
        self.roster.gone(number);
        let _ = self.inward.send(Inward::Left(number));
        outbox.close();
        welcomed
    }
}
