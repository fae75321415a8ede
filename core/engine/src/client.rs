//! Starting an engine and talking to it.

use crate::outlet::Outlet;
use crate::service::{Inward, Roster, Service};
use crate::{Error, Result, Setup};
use chaffinch_protocol::{Command, Event, Join};
use crossbeam_channel::{Receiver, Select, Sender, bounded, unbounded};
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

/// How much terminals may have said that waits for the engine. What they say beyond that is left in their connections, which
/// then take no more: whoever sends faster than the engine answers waits.
pub(crate) const WAITING: usize = 1024;

/// The way from the connections of terminals to the engine.
pub(crate) fn inbox() -> (Sender<Inward>, Receiver<Inward>) {
    bounded(WAITING)
}

/// An engine that terminals attach to, with [`serve`](crate::remote::serve).
pub struct Engine {
    pub(crate) inward: Sender<Inward>,
    pub(crate) roster: Roster,
    /// Says when all decisions are on disk, or why they are not.
    pub(crate) farewell: Receiver<String>,
    pub(crate) thread: JoinHandle<Result<()>>,
}

impl Engine {
    /// Waits until it is told to stop, and then so long for its end.
    pub(crate) fn ended(self, time: Duration) -> Result<()> {
        let unsaved = self.farewell.recv().unwrap_or_default();
        let limit = Instant::now() + time;
        while !self.thread.is_finished() && Instant::now() < limit {
            std::thread::sleep(STEP);
        }
        match (self.thread.is_finished(), unsaved.is_empty()) {
            (true, _) => joined(self.thread),
            (false, true) => Ok(()),
            (false, false) => Err(Error::Invalid(unsaved)),
        }
    }
}

/// Starts an engine in this process for terminals that come and go.
///
/// # Errors
/// When the session cannot be read.
pub fn start(setup: Setup) -> Result<Engine> {
    let service = Service::new(setup, true)?;
    let roster = service.roster();
    let ((inward, inbox), (said, farewell)) = (inbox(), unbounded());
    let thread = run(move || service.run(inbox, &said))?;
    Ok(Engine { inward, roster, farewell, thread })
}

/// Starts an engine in this process for the reviewer of the configuration. The results of an earlier scan are available at
/// once.
///
/// # Errors
/// When the session or the journal cannot be read.
pub fn spawn(setup: Setup) -> Result<Client> {
    let join = Join::review(setup.config.reviewer());
    spawn_as(setup, join)
}

/// The same for a client that takes part in this way.
///
/// # Errors
/// When the session or the journal cannot be read, or it cannot take part in this way.
pub fn spawn_as(setup: Setup, join: Join) -> Result<Client> {
    /// The only client's number.
    const ONLY: u64 = 1;
    let ((commands, orders), (outbox, events)) = (unbounded(), unbounded());
    let mut service = Service::new(setup, false)?;
    service.join(ONLY, join, Outlet::from(outbox))?;
    let ((inward, inbox), (said, _)) = (unbounded(), unbounded());
    let thread = run(move || service.run(inbox, &said))?;
    std::thread::Builder::new()
        .name("commands".into())
        .spawn(move || {
            for command in orders {
                if inward.send(Inward::Heard(ONLY, command)).is_err() {
                    return;
                }
            }
            let _ = inward.send(Inward::Left(ONLY));
        })
        .map_err(Error::io("start", "the thread for commands"))?;
    Ok(Client { commands, events, thread })
}

fn run(service: impl FnOnce() -> Result<()> + Send + 'static) -> Result<JoinHandle<Result<()>>> {
    std::thread::Builder::new()
        .name("engine".into())
        .spawn(service)
        .map_err(Error::io("start", "the engine thread"))
}
