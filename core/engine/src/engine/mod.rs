//! The engine behind the protocol: holds a session, does all slow work on threads of its own, and answers
//! commands. Clients speak to it over channels here; the words are those of [`crate::protocol`].
//!
//! `scan` brings a session up to date, `state` is an immutable snapshot of what is known, `service` is the loop
//! that takes commands, `kept` saves opening again some work, `answers` makes rows and details, `lists` runs queries,
//! `overview` counts over the whole dataset, `pictures` decodes for the screen, `views` answers views of many samples:
//! groups, clusters and the map. `remote` is the way to an engine in another process.

mod answers;
mod candidates;
mod desk;
mod groups;
mod kept;
mod lists;
mod overview;
mod pictures;
pub mod remote;
mod scan;
mod service;
mod state;
mod views;

pub use scan::{UNREADABLE, unreadable};

use crate::config::Config;
use crate::dataset::DatasetOptions;
use crate::embedding::Embedder;
use crate::host::Registry;
use crate::prompts::PromptSet;
use crate::protocol::{Command, Event};
use crate::session::Session;
use crate::{Error, Result};
use crossbeam_channel::{Receiver, Select, Sender, unbounded};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// Loads the model when a scan needs it; the engine itself knows no model code.
pub type ModelLoader = Arc<dyn Fn() -> Result<Arc<dyn Embedder>> + Send + Sync>;

/// Everything an engine starts from.
pub struct Setup {
    /// The dataset.
    pub dataset: PathBuf,
    /// How to read it.
    pub dataset_options: DatasetOptions,
    /// The session's folder, locked for this program.
    pub session: Session,
    /// Thresholds, parameters, enabled detectors, reviewer.
    pub config: Config,
    /// The detectors.
    pub registry: Arc<Registry>,
    /// The prompts of classes and alternatives.
    pub prompts: PromptSet,
    /// The model.
    pub model: ModelLoader,
}

/// One end of a running engine.
pub struct Client {
    /// Commands go in here. Dropping it stops the engine.
    pub commands: Sender<Command>,
    /// Events come out here; the first is [`Event::Session`].
    pub events: Receiver<Event>,
    thread: JoinHandle<()>,
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
        self.thread.join().map_err(|_| Error::Invalid("the engine failed; decisions are on disk".into()))
    }

    /// Asks the engine to stop and waits until it has.
    ///
    /// # Errors
    /// When the engine's thread panicked; the journal is on disk all the same.
    pub fn stop(self) -> Result<()> {
        let _ = self.commands.send(Command::Stop);
        drop(self.commands);
        self.thread.join().map_err(|_| Error::Invalid("the engine failed; decisions are on disk".into()))
    }
}

/// Starts an engine in this process. What an earlier scan left in the session is there at once.
///
/// # Errors
/// When the session or the journal cannot be read.
pub fn spawn(setup: Setup) -> Result<Client> {
    let (commands, inbox) = unbounded();
    let (outbox, events) = unbounded();
    let service = service::Service::new(setup, outbox)?;
    let thread = std::thread::Builder::new()
        .name("engine".into())
        .spawn(move || service.run(&inbox))
        .map_err(Error::io("start", "the engine's thread"))?;
    Ok(Client { commands, events, thread })
}
