//! Runs the engine in a separate process, and connects to it.
//!
//! `open` starts `chaffinch engine`, which is detached from the terminal. It holds the session's lock and listens on a
//! socket in the user's runtime folder, accessible only to that user. If that is not possible, or `$CHAFFINCH_ENGINE` is
//! `inside`, the engine runs in the same process as the interface.

use super::args::{DatasetArgs, EngineArgs, Global};
use super::attach::refuse_to_watch;
use super::open::Open;
use super::setup;
use anyhow::{Context, Result, bail};
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::free_memory;
use chaffinch_data::Error;
use chaffinch_data::dataset::{Folders, LabelFiles};
use chaffinch_engine as engine;
use chaffinch_engine::{Client, Stopped, remote};
use chaffinch_protocol::display::safe_text;
use chaffinch_protocol::{Attached, Command as Order, Event, Join};
use clap::Args;
use crossbeam_channel::{Receiver, Sender, select, unbounded};
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Run the engine for `open`
#[derive(Debug, Args)]
#[command(hide = true)]
pub(super) struct Engine {
    /// Socket to listen on
    #[arg(long, value_name = "FILE")]
    socket: PathBuf,
    /// End if standard input ends before the session is open
    #[arg(long)]
    awaited: bool,
    #[command(flatten)]
    open: Open,
}

/// How long a new engine may take to open its session.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long a listening engine may take to send its greeting.
const GREETING: Duration = Duration::from_secs(10);

/// How long someone who quits waits for the engine to end.
const SOON: Duration = Duration::from_millis(700);

/// How long they wait for an engine that is still being started.
const HANDED: Duration = Duration::from_millis(900);

/// Maximum length of a socket's path.
const LONGEST: usize = 100;

/// The engine that a terminal is connected to.
enum Connection {
    /// In this process.
    Inside(Client),
    /// In another process, possibly with a scan already running.
    Outside { client: Client, fresh: bool },
}

impl Connection {
    /// Commands in, events out.
    pub(super) fn client(&self) -> &Client {
        match self {
            Connection::Inside(client) | Connection::Outside { client, .. } => client,
        }
    }

    /// Starts computing what is missing, unless that is already running.
    pub(super) fn scan(&self) -> Result<()> {
        if !matches!(self, Connection::Outside { fresh: false, .. }) {
            let scan = Order::Scan { detectors: Vec::new(), opening: true };
            self.client().commands.send(scan).ok().context("the engine exited immediately")?;
        }
        Ok(())
    }

    /// Stops it, and waits for that a moment.
    pub(super) fn stop(self) -> Result<Stopped> {
        match self {
            Connection::Inside(client) | Connection::Outside { client, .. } => Ok(client.stop_within(SOON)?),
        }
    }

    /// Lets it continue without us if possible. When this returns, it has received all decisions.
    pub(super) fn leave(self) -> Result<Stopped> {
        match self {
            Connection::Inside(client) => Ok(client.stop_within(SOON)?),
            Connection::Outside { client, .. } => Ok(client.leave().map(|()| Stopped::Whole)?),
        }
    }
}

/// A folder for sockets that no other user can access.
fn folder() -> Option<PathBuf> {
    let uid = rustix::process::geteuid().as_raw();
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = match runtime {
        Some(runtime) => runtime.join("chaffinch"),
        None => std::env::temp_dir().join(format!("chaffinch-{uid}")),
    };
    let _ = DirBuilder::new().mode(0o700).create(&folder);
    let metadata = fs::symlink_metadata(&folder).ok()?;
    (metadata.is_dir() && metadata.uid() == uid && metadata.mode() & 0o077 == 0).then_some(folder)
}

/// The socket of a session's engine.
fn socket(session: &Path) -> Option<PathBuf> {
    let session = fs::canonicalize(session).or_else(|_| std::path::absolute(session)).ok()?;
    let digest = ContentHash::of(session.as_os_str().as_bytes()).to_string();
    let path = folder()?.join(format!("{}.sock", &digest[..32]));
    (path.as_os_str().len() <= LONGEST).then_some(path)
}

/// The arguments for starting an engine.
pub(super) struct Plan {
    /// A dataset or a session.
    pub(super) target: PathBuf,
    /// The session's folder.
    pub(super) session: PathBuf,
    pub(super) global: Global,
    pub(super) engine: EngineArgs,
    pub(super) reading: DatasetArgs,
    /// How the terminal takes part.
    pub(super) join: Join,
}

/// A connection being made while the interface is already visible.
pub(super) struct Waiting {
    commands: Sender<Order>,
    events: Receiver<Event>,
    leaving: Arc<AtomicBool>,
    stage: Arc<Mutex<String>>,
    dismissal: Arc<Mutex<String>>,
    thread: JoinHandle<Result<Stopped>>,
}

impl Waiting {
    /// Starts connecting.
    ///
    /// # Errors
    /// If no thread can be started.
    pub(super) fn reach(plan: Plan) -> Result<Waiting> {
        let (commands, orders) = unbounded();
        let (sender, events) = unbounded();
        let leaving = Arc::new(AtomicBool::new(false));
        let leaves = leaving.clone();
        let stage = Arc::new(Mutex::new("opening the session".to_owned()));
        let tells = stage.clone();
        let dismissal = Arc::<Mutex<String>>::default();
        let dismissed = dismissal.clone();
        let thread = std::thread::Builder::new().name("reach".to_owned()).spawn(move || {
            let (engine, output) = plan.reach()?;
            // What is said of a running engine comes after its greeting, which would take it off the screen.
            let mut left_alone = Vec::new();
            for line in output {
                match &engine {
                    Connection::Outside { fresh: false, .. } => {
                        left_alone.push(Event::Trouble { about: "engine".to_owned(), message: line });
                    }
                    _ => drop(sender.send(Event::Log { line })),
                }
            }
            let tell = |stage: &str| {
                stage.clone_into(&mut tells.lock().unwrap_or_else(PoisonError::into_inner));
            };
            tell("");
            // Does nothing if nothing is missing; the interface shows the progress.
            engine.scan()?;
            let client = engine.client();
            loop {
                select! {
                    recv(orders) -> order => match order {
                        Ok(order) => drop(client.commands.send(order)),
                        Err(_) => break,
                    },
                    recv(client.events) -> event => match event {
                        Ok(event) => {
                            match &event {
                                Event::Progress(progress) => tell(&progress.stage),
                                Event::ScanDone(_) => tell(""),
                                Event::Dismissed { why } => {
                                    why.clone_into(&mut dismissed.lock().unwrap_or_else(PoisonError::into_inner));
                                }
                                _ => {}
                            }
                            let greeting = matches!(event, Event::Session(_));
                            drop(sender.send(event));
                            if greeting {
                                left_alone.drain(..).for_each(|event| drop(sender.send(event)));
                            }
                        }
                        Err(_) => break,
                    },
                }
            }
            if leaves.load(Ordering::SeqCst) { engine.leave() } else { engine.stop() }
        });
        let thread = thread.context("cannot start a thread for the engine")?;
        Ok(Waiting { commands, events, leaving, stage, dismissal, thread })
    }

    /// Why the engine is done with this terminal, once it is.
    pub(super) fn dismissal(&self) -> Arc<Mutex<String>> {
        self.dismissal.clone()
    }

    /// Commands in, events out.
    pub(super) fn ends(&self) -> (Sender<Order>, Receiver<Event>) {
        (self.commands.clone(), self.events.clone())
    }

    /// Stops the engine, or lets it continue without us; either way within a second. Returns what is left behind, in a
    /// sentence.
    ///
    /// # Errors
    /// If it could not be reached, or failed, or decisions are not on disk.
    pub(super) fn end(self, leave: bool) -> Result<Option<String>> {
        self.leaving.store(leave, Ordering::SeqCst);
        drop(self.commands);
        let limit = Instant::now() + HANDED;
        while !self.thread.is_finished() && Instant::now() < limit {
            std::thread::sleep(Duration::from_millis(5));
        }
        let stopped = match self.thread.is_finished() {
            true => self.thread.join().unwrap_or_else(|_| bail!("the connection to the engine failed"))?,
            false => Stopped::Ending,
        };
        let stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let doing = match stage.as_str() {
            "" => String::new(),
            stage => format!(" ({})", safe_text(stage)),
        };
        Ok(match stopped {
            Stopped::Whole => None,
            Stopped::Ending => Some(format!(
                "all decisions are on disk; the engine is still ending what it was doing{doing} and stops by itself within \
                 seconds"
            )),
            Stopped::Silent => bail!(
                "the engine did not answer within a second{doing}; what was shown as saved is on disk, and it stops as soon \
                 as it can"
            ),
        })
    }
}

/// Who takes part in a session whose engine is running.
///
/// # Errors
/// If the engine speaks another version of the protocol.
pub(super) fn attached(session: &Path) -> Result<Vec<Attached>> {
    match outside(session).map(|socket| remote::look(&socket)) {
        Some(Ok(attached)) => Ok(attached),
        Some(Err(error @ Error::Invalid(_))) => bail!(error),
        // None is running, or one that is just exiting.
        Some(Err(_)) | None => Ok(Vec::new()),
    }
}

/// Whether the engine of a session is running, so that what it works with is settled.
pub(super) fn is_running(session: &Path) -> bool {
    outside(session).is_some_and(|socket| remote::look(&socket).is_ok())
}

/// That options were left alone because the session is open elsewhere; nothing if none was named.
fn left_alone(named: &[&str]) -> Option<String> {
    let (last, others) = named.split_last()?;
    let (all, were, these) = match others {
        [] => ((*last).to_owned(), "was", "it concerns"),
        others => (format!("{} and {last}", others.join(", ")), "were", "they concern"),
    };
    Some(format!(
        "{all} {were} left alone: {these} the engine that runs for another terminal; end the session there first to change it"
    ))
}

/// The socket of a session's engine, unless the engine is to run in this process.
fn outside(session: &Path) -> Option<PathBuf> {
    let inside = std::env::var_os("CHAFFINCH_ENGINE").is_some_and(|how| how == "inside");
    socket(session).filter(|_| !inside)
}

impl Plan {
    /// Connects to the running engine of the session or starts one, and returns what a new one printed, or what is to be
    /// said about a running one.
    fn reach(&self) -> Result<(Connection, Vec<String>)> {
        let Some(socket) = outside(&self.session) else {
            refuse_to_watch(&self.join, &self.session)?;
            let setup = setup::for_target(&self.target, &self.global, &self.engine, &self.reading)?;
            return Ok((Connection::Inside(engine::spawn_as(setup, self.join.clone())?), Vec::new()));
        };
        match remote::connect(&socket, self.join.clone()) {
            Ok(client) if client.greets(GREETING) => {
                return Ok((Connection::Outside { client, fresh: false }, self.without_effect()));
            }
            Err(error @ Error::Invalid(_)) => bail!(error),
            // An engine that is just exiting no longer answers.
            _ => refuse_to_watch(&self.join, &self.session)?,
        }
        let log = socket.with_extension("log");
        let client = self.wait(&socket, &log)?;
        let output = fs::read_to_string(&log).unwrap_or_default();
        let output = output.lines().map(str::to_owned).collect();
        Ok((Connection::Outside { client, fresh: true }, output))
    }

    /// What was asked for on the command line although an engine is already running.
    fn without_effect(&self) -> Vec<String> {
        // A reviewer is one of several.
        let EngineArgs {
            model,
            embeddings,
            embedding_ids: _,
            text_embeddings: _,
            pred_probs,
            classes: _,
            pred_probs_ids: _,
            device,
            vram_budget,
            detectors,
            ensemble,
            plugins,
            allow_changed,
            reviewer: _,
        } = &self.engine;
        let named = [
            ("--model", model.is_some()),
            ("--embeddings", embeddings.is_some()),
            ("--pred-probs", !pred_probs.is_empty()),
            ("--device", device.is_some()),
            ("--vram-budget", vram_budget.is_some()),
            ("--memory", self.global.memory.is_some()),
            ("--detectors", !detectors.is_empty()),
            ("--ensemble", ensemble.is_some()),
            ("--plugins", !plugins.is_empty()),
            ("--allow-changed", *allow_changed),
        ];
        let named: Vec<&str> = named.into_iter().filter(|(_, named)| *named).map(|(name, _)| name).collect();
        left_alone(&named).into_iter().collect()
    }

    /// Starts an engine and waits for its greeting.
    fn wait(&self, socket: &Path, log: &Path) -> Result<Client> {
        let limit = Instant::now() + PATIENCE;
        let mut child = self.start(socket, log)?;
        loop {
            match remote::connect(socket, self.join.clone()) {
                Ok(client) if client.greets(GREETING) => return Ok(client),
                Err(error @ Error::Invalid(_)) => bail!(error),
                _ => {}
            }
            if let Some(status) = child.try_wait().context("cannot wait for the engine")? {
                let output = fs::read_to_string(log).unwrap_or_default();
                match output.trim().rsplit("error: ").next() {
                    None | Some("") => bail!("the engine exited while starting ({status})"),
                    Some(reason) => bail!("{reason}"),
                }
            }
            if Instant::now() > limit {
                let waited = PATIENCE.as_secs();
                bail!("the engine did not open the session within {waited} s; see {}", log.display());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn start(&self, socket: &Path, log: &Path) -> Result<std::process::Child> {
        let Plan { target, session, global, engine, reading, join: _ } = self;
        let program = std::env::current_exe().context("cannot find the path of the chaffinch program")?;
        let log = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut args: Vec<OsString> =
            vec!["engine".into(), "--socket".into(), socket.into(), "--session".into(), session.into()];
        args.push("--awaited".into());
        args.extend(global.offline.then(|| OsString::from("--offline")));
        let mut add = |name: &str, value: Option<OsString>| {
            if let Some(value) = value {
                args.extend([OsString::from(name), value]);
            }
        };
        add("--memory", global.memory.clone().map(Into::into));
        add("--config", global.config.clone().map(Into::into));
        add("--model", engine.model.clone().map(Into::into));
        add("--embeddings", engine.embeddings.clone().map(Into::into));
        add("--embedding-ids", engine.embedding_ids.clone().map(Into::into));
        add("--text-embeddings", engine.text_embeddings.clone().map(Into::into));
        engine.pred_probs.iter().for_each(|file| add("--pred-probs", Some(file.into())));
        add("--classes", engine.classes.clone().map(Into::into));
        add("--pred-probs-ids", engine.pred_probs_ids.clone().map(Into::into));
        add("--device", engine.device.clone().map(Into::into));
        add("--vram-budget", engine.vram_budget.clone().map(Into::into));
        add("--detectors", (!engine.detectors.is_empty()).then(|| engine.detectors.join(",").into()));
        add("--ensemble", engine.ensemble.clone().map(Into::into));
        add("--reviewer", engine.reviewer.clone().map(Into::into));
        engine.plugins.iter().for_each(|folder| add("--plugins", Some(folder.into())));
        add("--path-column", reading.own.path_column.clone().map(Into::into));
        add("--label-column", reading.own.label_column.clone().map(Into::into));
        add("--split-column", reading.own.split_column.clone().map(Into::into));
        add("--labels", reading.labels.clone().map(Into::into));
        add("--key", reading.key.clone().map(Into::into));
        add("--label-pattern", reading.label_pattern.clone().map(Into::into));
        add("--root", reading.own.root.clone().map(Into::into));
        add("--ground", reading.own.ground.map(|ground| ground.to_string().into()));
        add("--layout", reading.own.layout.map(|layout| Folders::from(layout).name().into()));
        add("--label-files", reading.own.label_files.map(|wish| LabelFiles::from(wish).name().into()));
        if engine.allow_changed {
            args.push("--allow-changed".into());
        }
        if reading.own.keep_null_labels {
            args.push("--keep-null-labels".into());
        }
        args.push("--".into());
        args.push(target.into());
        let mut command = Command::new(program);
        // The end of the pipe tells it that its terminal no longer waits: it is closed with the child's handle, or with this process.
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log);
        command.spawn().context("cannot start the engine")
    }
}

/// Ends this process when standard input ends, unless the session is open by then. A disk that never answers would keep it for
/// ever, and it has nothing to do yet: work is ordered by the terminal that waits for it.
fn end_with_input(opened: Arc<AtomicBool>) -> Result<()> {
    let watch = move || {
        let _ = io::stdin().read(&mut [0]);
        if !opened.load(Ordering::SeqCst) {
            std::process::exit(1);
        }
    };
    std::thread::Builder::new().name("starter".to_owned()).spawn(watch).context("cannot start a thread")?;
    Ok(())
}

/// `engine`: opens the session and serves terminals until none is left and all work is done.
pub(super) fn run(args: &Engine, global: &Global) -> Result<ExitCode> {
    let Engine { socket, awaited, open } = args;
    free_memory::bound_arenas();
    // Start a new session so that we do not receive signals from the terminal that started us.
    let _ = rustix::process::setsid();
    let opened = Arc::new(AtomicBool::new(false));
    if *awaited {
        end_with_input(opened.clone())?;
    }
    let engine_args = open.engine.by(&open.reviewer);
    let setup = setup::for_target(&open.target, global, &engine_args, &open.reading)?;
    let engine = engine::start(setup)?;
    // We hold the session, so an existing socket is stale.
    let _ = fs::remove_file(socket);
    let listener =
        UnixListener::bind(socket).with_context(|| format!("cannot listen on {}", socket.display()))?;
    opened.store(true, Ordering::SeqCst);
    let served = remote::serve(engine, listener);
    let _ = fs::remove_file(socket);
    served?;
    Ok(ExitCode::SUCCESS)
}
