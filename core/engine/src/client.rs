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
    /// Waits for the first event, and returns whether it arrived.
    pub fn greets(&self, within: Duration) -> bool {
        let mut select = Select::new();
        select.recv(&self.events);
        // A closed channel also counts as ready.
        select.ready_timeout(within).is_ok() && !self.events.is_empty()
    }

    /// Disconnects without stopping an engine that runs in another process. Everything sent before has left this
    /// process when it returns.
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

/// Starts an engine in this process. The results of an earlier scan are available at once.
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
