//! Starting an engine and talking to it.

use crate::service::Service;
use crate::{Error, Result, Setup};
use chaffinch_protocol::{Command, Event};
use crossbeam_channel::{Receiver, Select, Sender, unbounded};
use std::thread::JoinHandle;
use std::time::Duration;

/// One end of a running engine.
pub struct Client {
    /// Commands go in here. Dropping it stops the engine.
    pub commands: Sender<Command>,
    /// Events come out here; the first is [`Event::Session`].
    pub events: Receiver<Event>,
    pub(crate) thread: JoinHandle<()>,
}

impl Client {
    /// Waits for the first event, and says whether it came.
    pub fn greets(&self, within: Duration) -> bool {
        let mut select = Select::new();
        select.recv(&self.events);
        // Ready is also what will never be.
        select.ready_timeout(within).is_ok() && !self.events.is_empty()
    }

    /// Goes without stopping an engine that is in another process. What was sent before has left this process when
    /// it returns.
    ///
    /// # Errors
    /// When the engine's thread panicked.
    pub fn leave(self) -> Result<()> {
        drop(self.commands);
        self.thread.join().map_err(|_| Error::Invalid("the engine crashed; your decisions are saved".into()))
    }

    /// Asks the engine to stop and waits until it has.
    ///
    /// # Errors
    /// When the engine's thread panicked; the journal is on disk all the same.
    pub fn stop(self) -> Result<()> {
        let _ = self.commands.send(Command::Stop);
        drop(self.commands);
        self.thread.join().map_err(|_| Error::Invalid("the engine crashed; your decisions are saved".into()))
    }
}

/// Starts an engine in this process. What an earlier scan left in the session is there at once.
///
/// # Errors
/// When the session or the journal cannot be read.
pub fn spawn(setup: Setup) -> Result<Client> {
    let (commands, inbox) = unbounded();
    let (outbox, events) = unbounded();
    let service = Service::new(setup, outbox)?;
    let thread = std::thread::Builder::new()
        .name("engine".into())
        .spawn(move || service.run(&inbox))
        .map_err(Error::io("start", "the engine thread"))?;
    Ok(Client { commands, events, thread })
}
