//! The first thing a worker's process does: it confines itself, takes the files that it was lent, and becomes the
//! program of the detector or loads its library.

use super::confine::confine;
use super::death::NOT_STARTED;
use super::{serve, shared};
use chaffinch_protocol::display::quoted;
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Resource, Rlimit, Signal, getppid, nice, set_parent_process_death_signal, setrlimit};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, IntoRawFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// How far a worker stands behind the engine where both want the same processor: the engine gets about three times as much.
const BEHIND: i32 = 5;

/// What a worker's process is to become.
#[derive(Debug, Clone, Default)]
pub struct Launch {
    /// The process of the engine.
    pub engine: u32,
    /// Descriptors of the engine whose files are lent, in the order of their numbers here.
    pub lend: Vec<i32>,
    /// The library to load.
    pub library: Option<PathBuf>,
    /// Or the program to become, with its arguments.
    pub program: Vec<String>,
    /// Where it runs.
    pub folder: Option<PathBuf>,
    /// Whether it may use the network.
    pub network: bool,
}

/// Becomes the worker. Returns only if that failed, or when a library's work is done; messages go to the standard error,
/// which the engine reads.
pub fn launch(launch: &Launch) -> ExitCode {
    match prepare(launch) {
        Ok(()) => {}
        Err(why) => return fail(&why),
    }
    if let Some(library) = &launch.library {
        return serve::library(library);
    }
    let Some((program, arguments)) = launch.program.split_first() else {
        return fail("there is nothing to run");
    };
    let mut command = Command::new(program);
    command.args(arguments);
    if let Some(folder) = &launch.folder {
        command.current_dir(folder);
    }
    let error = command.exec();
    fail(&not_started(program, launch.folder.as_deref().unwrap_or(Path::new(".")), &error))
}

/// Why a program could not be started, and what to do.
fn not_started(program: &str, folder: &Path, error: &io::Error) -> String {
    // Without the `./` of the command in its middle.
    let file: PathBuf = folder.join(program).components().collect();
    let interpreter = format!("or begin command with what runs it, as in [\"python3\", \"{program}\"]");
    match error.kind() {
        io::ErrorKind::NotFound if file.is_file() && program.contains('/') => {
            format!("what the first line of {program} names was not found; change that line, {interpreter}")
        }
        io::ErrorKind::NotFound if file.is_file() => format!(
            "the program {program} was not found in PATH; for that in the folder of detector.toml, write ./{program}, {interpreter}"
        ),
        io::ErrorKind::NotFound => {
            format!("the program {program} was not found; install it, or change command in detector.toml")
        }
        _ if file.is_dir() => {
            format!("{program} is a folder; name a program in it under command in detector.toml")
        }
        io::ErrorKind::PermissionDenied if file.is_file() => {
            format!("{program} is not executable; run: chmod +x {}, {interpreter}", quoted(&file))
        }
        _ => format!("the program {program} cannot be started: {error}; {}", &interpreter[3..]),
    }
}

fn fail(why: &str) -> ExitCode {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{why}");
    ExitCode::from(NOT_STARTED)
}

fn prepare(launch: &Launch) -> Result<(), String> {
    // It must not outlive the engine, however that ends.
    set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|error| format!("cannot follow the engine: {error}"))?;
    let parent = getppid().map(|pid| pid.as_raw_nonzero().get());
    if parent != i32::try_from(launch.engine).ok() {
        return Err("the engine has ended".into());
    }
    // A core dump of gigabytes helps nobody who reviews pictures.
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    setrlimit(Resource::Core, none).map_err(|error| format!("cannot forbid core dumps: {error}"))?;
    // Whoever reviews comes first where processors are few; without it, the process is only less polite.
    let _ = nice(BEHIND);
    // Where memory runs out, the system ends this process and not the engine.
    let _ = std::fs::write("/proc/self/oom_score_adj", "600");
    let lent = launch.lend.iter().zip(shared::FIRST..);
    lent.into_iter().try_for_each(|(&theirs, ours)| take(launch.engine, theirs, ours))?;
    confine(launch.folder.as_deref(), launch.network)
        .map(|_| ())
        .map_err(|error| format!("cannot confine itself: {error}"))
}

/// Opens a file of the engine under a descriptor of this process.
fn take(engine: u32, theirs: RawFd, ours: RawFd) -> Result<(), String> {
    let path = format!("/proc/{engine}/fd/{theirs}");
    let failed = |error: std::io::Error| format!("cannot open what the engine lends ({path}): {error}");
    let file = File::options().read(true).write(ours == shared::OUT).open(&path).map_err(failed)?;
    let copy = rustix::io::fcntl_dupfd_cloexec(&file, ours).map_err(|error| failed(error.into()))?;
    if copy.as_raw_fd() != ours {
        return Err(format!("the descriptor {ours} is taken"));
    }
    fcntl_setfd(&copy, FdFlags::empty()).map_err(|error| failed(error.into()))?;
    // Stays open for what this process becomes.
    let _ = copy.into_raw_fd();
    Ok(())
}
