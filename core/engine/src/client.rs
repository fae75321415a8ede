//! Starting an engine and talking to it.

use crate::service::Service;
use crate::{Error, Result, Setup};
use chaffinch_protocol::{Command, Event};
use crossbeam_channel::{Receiver, Select, Sender, unbounded};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// One end of a running engine.
pub struct Client {
    /// Commands go in here. Dropping it stops the engine.
    pub commands: Sender<Command>,
    /// Events come out here; the first is [`Event::Session`].
    pub events: Receiver<Event>,
    pub(crate) thread: JoinHandle<Result<()>>,
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
        joined(self.thread)
    }

    /// Asks the engine to stop and waits until it has, however long that takes.
    ///
    /// # Errors
    /// When decisions are not on disk, or the engine's thread panicked.
    pub fn stop(self) -> Result<()> {
        let _ = self.commands.send(Command::Stop);
        drop(self.commands);
        joined(self.thread)
    }

    /// The same within a time, after which it is left to end by itself.
    ///
    /// # Errors
    /// When decisions are not on disk, as far as is known by then, or the engine's thread panicked.
    pub fn stop_within(self, time: Duration) -> Result<Stopped> {
        let _ = self.commands.send(Command::Stop);
        drop(self.commands);
        let limit = Instant::now() + time;
        let mut said_bye = false;
        while !self.thread.is_finished() && Instant::now() < limit {
            match self.events.recv_timeout(STEP) {
                Ok(Event::Bye { unsaved }) if unsaved.is_empty() => said_bye = true,
                Ok(Event::Bye { unsaved }) => return Err(Error::Invalid(unsaved)),
                Ok(_) => {}
                // It has closed its end, but its thread may take a moment.
                Err(_) => std::thread::sleep(STEP / 10),
            }
        }
        match (self.thread.is_finished(), said_bye) {
            (true, _) => joined(self.thread).map(|()| Stopped::Whole),
            (false, true) => Ok(Stopped::Ending),
            (false, false) => Ok(Stopped::Silent),
        }
    }
}

/// How far an engine has stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// It has ended.
    Whole,
    /// All decisions are on disk, and it is still ending what it was doing.
    Ending,
    /// It has not answered.
    Silent,
}

/// How often it is looked whether an engine has ended.
const STEP: Duration = Duration::from_millis(10);

fn joined(thread: JoinHandle<Result<()>>) -> Result<()> {
    let crashed = |_| Error::Invalid("the engine crashed; everything shown as saved is on disk".into());
    thread.join().map_err(crashed)?
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
