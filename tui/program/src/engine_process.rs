//! The engine in a process of its own, and the way to it.
//!
//! `chaffinch engine` is started by `open` and belongs to no terminal. It holds the session's lock, and listens at a
//! socket in the user's runtime folder that only this user can reach. Where that cannot be had, and where
//! `$CHAFFINCH_ENGINE` is `inside`, the engine runs within the program that shows it.

use super::args::{DatasetArgs, EngineArgs, Global};
use super::open::Open;
use super::setup;
use anyhow::{Context, Result, bail};
use chaffinch_compute::content::ContentHash;
use chaffinch_engine as engine;
use chaffinch_engine::{Client, remote};
use chaffinch_protocol::{Command as Order, Event};
use clap::Args;
use crossbeam_channel::{Receiver, Sender, select, unbounded};
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What `open` starts behind the screen
#[derive(Debug, Args)]
#[command(hide = true)]
pub(super) struct Engine {
    /// Where to listen for terminals
    #[arg(long, value_name = "FILE")]
    socket: PathBuf,
    #[command(flatten)]
    open: Open,
}

/// How long a new engine may take to open its session.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long an engine that listens may take to say what it is.
const GREETING: Duration = Duration::from_secs(10);

/// How long an engine that has nothing more to do may take to let go of its session.
const ENDING: Duration = Duration::from_secs(2);

/// Longest path of a socket.
const LONGEST: usize = 100;

/// The engine that a terminal speaks to.
enum Connection {
    /// In this process.
    Inside(Client),
    /// In another one, perhaps with a scan that was begun before.
    Outside { client: Client, fresh: bool },
}

impl Connection {
    /// Commands in, events out.
    pub(super) fn client(&self) -> &Client {
        match self {
            Connection::Inside(client) | Connection::Outside { client, .. } => client,
        }
    }

    /// Has it compute what is missing, unless it does already.
    pub(super) fn scan(&self) -> Result<()> {
        if !matches!(self, Connection::Outside { fresh: false, .. }) {
            let scan = Order::Scan { detectors: Vec::new() };
            self.client().commands.send(scan).ok().context("the engine ended at once")?;
        }
        Ok(())
    }

    /// Ends it and waits for that.
    pub(super) fn stop(self) -> Result<()> {
        match self {
            Connection::Inside(client) | Connection::Outside { client, .. } => Ok(client.stop()?),
        }
    }

    /// Lets it go on without us, where it can. What was decided has been handed over when this returns.
    pub(super) fn leave(self) -> Result<()> {
        match self {
            Connection::Inside(client) => Ok(client.stop()?),
            Connection::Outside { client, .. } => Ok(client.leave()?),
        }
    }
}

/// A folder for sockets that nobody else can reach.
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

/// What an engine is started with.
pub(super) struct Plan {
    /// The dataset or the session.
    pub(super) target: PathBuf,
    /// The session's folder.
    pub(super) session: PathBuf,
    pub(super) global: Global,
    pub(super) engine: EngineArgs,
    pub(super) reading: DatasetArgs,
}

/// An engine that is being reached while the screen is there already.
pub(super) struct Waiting {
    commands: Sender<Order>,
    events: Receiver<Event>,
    leaving: Arc<AtomicBool>,
    thread: JoinHandle<Result<()>>,
}

impl Waiting {
    /// Begins to reach it.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub(super) fn reach(plan: Plan) -> Result<Waiting> {
        let (commands, orders) = unbounded();
        let (tell, events) = unbounded();
        let leaving = Arc::new(AtomicBool::new(false));
        let leaves = leaving.clone();
        let thread = std::thread::Builder::new().name("reach".to_owned()).spawn(move || {
            let (engine, said) = plan.reach()?;
            said.into_iter().for_each(|line| drop(tell.send(Event::Log { line })));
            // Does nothing where nothing is missing; the interface shows its progress.
            engine.scan()?;
            let client = engine.client();
            loop {
                select! {
                    recv(orders) -> order => match order {
                        Ok(order) => drop(client.commands.send(order)),
                        Err(_) => break,
                    },
                    recv(client.events) -> event => match event {
                        Ok(event) => drop(tell.send(event)),
                        Err(_) => break,
                    },
                }
            }
            if leaves.load(Ordering::SeqCst) { engine.leave() } else { engine.stop() }
        });
        let thread = thread.context("no thread for the engine")?;
        Ok(Waiting { commands, events, leaving, thread })
    }

    /// Commands in, events out.
    pub(super) fn ends(&self) -> (Sender<Order>, Receiver<Event>) {
        (self.commands.clone(), self.events.clone())
    }

    /// Ends the engine, or leaves it to itself.
    ///
    /// # Errors
    /// When it could not be reached, or failed.
    pub(super) fn end(self, leave: bool) -> Result<()> {
        self.leaving.store(leave, Ordering::SeqCst);
        drop(self.commands);
        self.thread.join().unwrap_or_else(|_| bail!("the engine could not be spoken to"))
    }
}

impl Plan {
    /// The engine of the session: the one that runs, or a new one; and what it said as it began.
    fn reach(&self) -> Result<(Connection, Vec<String>)> {
        let inside = std::env::var_os("CHAFFINCH_ENGINE").is_some_and(|how| how == "inside");
        let Some(socket) = socket(&self.session).filter(|_| !inside) else {
            let setup = setup::for_target(&self.target, &self.global, &self.engine, &self.reading)?;
            return Ok((Connection::Inside(engine::spawn(setup)?), Vec::new()));
        };
        // One that was just ending does not speak any more.
        if let Ok(client) = remote::connect(&socket)
            && client.greets(GREETING)
        {
            return Ok((Connection::Outside { client, fresh: false }, Vec::new()));
        }
        let log = socket.with_extension("log");
        let limit = Instant::now() + PATIENCE;
        loop {
            match self.wait(&socket, &log, limit)? {
                Some(client) => {
                    let said = fs::read_to_string(&log).unwrap_or_default();
                    let said = said.lines().map(str::to_owned).collect();
                    return Ok((Connection::Outside { client, fresh: true }, said));
                }
                // The engine before it is still ending.
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// Starts an engine and waits until it speaks; none where another one still holds the session.
    fn wait(&self, socket: &Path, log: &Path, limit: Instant) -> Result<Option<Client>> {
        let begun = Instant::now();
        let mut child = self.start(socket, log)?;
        loop {
            if let Ok(client) = remote::connect(socket)
                && client.greets(GREETING)
            {
                return Ok(Some(client));
            }
            if let Some(status) = child.try_wait().context("the engine cannot be waited for")? {
                let said = fs::read_to_string(log).unwrap_or_default();
                let ending = limit.saturating_duration_since(begun) > PATIENCE - ENDING;
                if ending && said.contains(" is in use by process ") {
                    return Ok(None);
                }
                match said.trim().rsplit("error: ").next() {
                    None | Some("") => bail!("the engine ended as it began ({status})"),
                    Some(reason) => bail!("{reason}"),
                }
            }
            if Instant::now() > limit {
                let waited = PATIENCE.as_secs();
                bail!("the engine has not opened the session after {waited} s; see {}", log.display());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn start(&self, socket: &Path, log: &Path) -> Result<std::process::Child> {
        let Plan { target, session, global, engine, reading } = self;
        let program = std::env::current_exe().context("the program does not find itself")?;
        let log = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut args: Vec<OsString> =
            vec!["engine".into(), "--socket".into(), socket.into(), "--session".into(), session.into()];
        let mut add = |name: &str, value: Option<OsString>| {
            if let Some(value) = value {
                args.extend([OsString::from(name), value]);
            }
        };
        add("--config", global.config.clone().map(Into::into));
        add("--model", engine.model.clone().map(Into::into));
        add("--device", engine.device.clone().map(Into::into));
        add("--vram-budget", engine.vram_budget.clone().map(Into::into));
        add("--detectors", (!engine.detectors.is_empty()).then(|| engine.detectors.join(",").into()));
        add("--ensemble", engine.ensemble.clone().map(Into::into));
        engine.plugins.iter().for_each(|folder| add("--plugins", Some(folder.into())));
        add("--path-column", reading.path_column.clone().map(Into::into));
        add("--label-column", reading.label_column.clone().map(Into::into));
        add("--split-column", reading.split_column.clone().map(Into::into));
        add("--root", reading.root.clone().map(Into::into));
        args.push("--".into());
        args.push(target.into());
        let mut command = Command::new(program);
        command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        command.spawn().context("the engine cannot be started")
    }
}

/// `engine`: opens the session and serves terminals until none is left and nothing is to be done.
pub(super) fn run(args: &Engine, global: &Global) -> Result<ExitCode> {
    let Engine { socket, open } = args;
    // A session of its own: signals of the terminal that started us are not for us.
    let _ = rustix::process::setsid();
    let client = engine::spawn(setup::for_target(&open.target, global, &open.engine, &open.reading)?)?;
    // The session is ours, so a socket that is there is nobody's.
    let _ = fs::remove_file(socket);
    let listener =
        UnixListener::bind(socket).with_context(|| format!("cannot listen at {}", socket.display()))?;
    let served = remote::serve(client, listener);
    let _ = fs::remove_file(socket);
    served?;
    Ok(ExitCode::SUCCESS)
}
