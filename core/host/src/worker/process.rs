//! One worker: started, watched, and killed with all its children.

use super::death::{Death, LOST, NOT_STARTED};
use super::heard::Heard;
use super::limits::{Limits, group_of, own_memory};
use super::message::{FromWorker, ToWorker};
use super::stderr::Stderr;
use super::{Workers, shared};
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::RawFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// How often a waiting engine looks whether it should stop, and what the worker uses.
const LOOK: Duration = Duration::from_millis(20);
/// Every so many looks, memory is added up, and every so many of those with that of children.
const LOOKS: (u32, u32) = (4, 5);
/// How long a worker that was asked to stop may take.
const GRACE: Duration = Duration::from_millis(100);
/// How long a process may take to end after it closed its output or was killed.
const REAPED: Duration = Duration::from_millis(1000);
/// Messages that wait to be read; each may be as long as a line may be.
const QUEUE: usize = 16;
/// The most processes of a worker, itself included.
const PROCESSES: usize = 1000;

/// What a program did that closed its output, or its input, before its end.
pub(super) const CLOSED_OUTPUT: &str =
    "closed its standard output without a result (it stays open until the message done)";
const CLOSED_INPUT: &str = "closed its standard input, through which the answers to its requests come,";

/// What a worker is to run.
#[derive(Debug, Clone)]
pub(crate) enum Job {
    /// A detector of a library.
    Library(PathBuf),
    /// A program in a folder.
    Program {
        /// Its name or path, and its arguments.
        command: Vec<String>,
        /// Where it runs.
        folder: PathBuf,
    },
}

/// A running worker. It is killed when this is dropped.
pub(crate) struct Worker {
    child: Child,
    pid: u32,
    token: String,
    lines: Receiver<Line>,
    input: Option<SyncSender<Vec<u8>>>,
    /// Whether its input could not be written to any more.
    deaf: Arc<AtomicBool>,
    /// Whether it is a library in our own process, and no program.
    library: bool,
    said: Arc<Stderr>,
    heard: Heard,
    allowed: Allowed,
    /// How long it had the word, without the time that the engine took for its answers.
    used: Duration,
    looks: u32,
    /// When its limits were last looked at.
    looked: Instant,
    /// The file that it writes to, which is memory of its own.
    writes: Option<File>,
    /// The most memory that it was seen to have to itself.
    most: u64,
    /// What to do about a limit of time, and about one of memory.
    advice: (String, String),
}

/// What it may use.
struct Allowed {
    time: Duration,
    silence: Duration,
    memory: u64,
    output: u64,
}

/// What a run hears and tells: a process, or in tests what one wrote.
pub(super) trait Partner {
    /// Sends a message, unless `stop` says so while it does not read.
    ///
    /// # Errors
    /// When it does not read what it is sent, or had to be ended meanwhile.
    fn send(&mut self, message: &ToWorker, stop: &dyn Fn() -> bool) -> Result<(), Death>;

    /// Waits for its next message; `None` if `stop` says so.
    ///
    /// # Errors
    /// When it ended, or had to be ended.
    fn next(&mut self, stop: &dyn Fn() -> bool) -> Result<Option<FromWorker>, Death>;

    /// Ends it if this many bytes are too many.
    ///
    /// # Errors
    /// Then.
    fn check_memory(&mut self, bytes: u64) -> Result<(), Death>;

    /// Ends it for something that it did.
    fn end_for(&mut self, why: &str) -> Death;
}

impl Partner for Worker {
    fn send(&mut self, message: &ToWorker, stop: &dyn Fn() -> bool) -> Result<(), Death> {
        Worker::send(self, message, stop)
    }

    fn next(&mut self, stop: &dyn Fn() -> bool) -> Result<Option<FromWorker>, Death> {
        Worker::next(self, stop)
    }

    fn check_memory(&mut self, bytes: u64) -> Result<(), Death> {
        Worker::check_memory(self, bytes)
    }

    fn end_for(&mut self, why: &str) -> Death {
        Worker::end_for(self, why)
    }
}

enum Line {
    Text(Vec<u8>),
    /// Longer than a line may be.
    Long,
    /// More output than there may be.
    Flood,
    /// The output ended, with what was written of another line.
    End(Vec<u8>),
}

impl Worker {
    /// Starts one on a dataset of this size. `lend` are descriptors of the files that it gets, in the order of
    /// [`shared`]'s numbers.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn start(
        workers: &Workers,
        job: &Job,
        limits: &Limits,
        samples: usize,
        lend: &[RawFd],
    ) -> Result<Worker, Death> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let token = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let mut command = Command::new(&workers.program);
        command.args(arguments(job, limits, lend)).env(TOKEN, &token).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let spawned = command.spawn();
        let mut child = spawned
            .map_err(|error| Death::of_circumstances(format!("its process could not be started: {error}")))?;
        let said = Arc::new(Stderr::default());
        let deaf = Arc::new(AtomicBool::new(false));
        let (lines_in, lines) = sync_channel(QUEUE);
        let (input, input_out) = sync_channel::<Vec<u8>>(16);
        if let Some(out) = child.stdout.take() {
            thread::spawn(move || read_lines(out, samples, &lines_in));
        }
        if let Some(err) = child.stderr.take() {
            let said = said.clone();
            thread::spawn(move || said.listen(err));
        }
        if let Some(stdin) = child.stdin.take() {
            let deaf = deaf.clone();
            thread::spawn(move || write_lines(stdin, &input_out, &deaf));
        }
        let allowed = Allowed {
            time: limits.time_for(samples),
            silence: limits.silence_for(samples),
            memory: limits.memory(),
            output: Limits::output(samples),
        };
        Ok(Worker {
            pid: child.id(),
            child,
            token,
            lines,
            input: Some(input),
            deaf,
            library: matches!(job, Job::Library(_)),
            said,
            heard: Heard::default(),
            allowed,
            used: Duration::ZERO,
            looks: 0,
            looked: Instant::now(),
            writes: None,
            most: 0,
            advice: limits.advice(),
        })
    }

    /// It only says what is in its library, for which no setting gives it more time.
    pub(super) fn only_loads(&mut self) {
        self.advice.0 = " to load".into();
    }

    /// Counts what it writes to this file as memory of its own.
    pub(super) fn writes_to(&mut self, file: File) {
        self.writes = Some(file);
    }

    /// Sends a message, unless `stop` says so while it does not read.
    ///
    /// # Errors
    /// When it does not read what it is sent, or had to be ended meanwhile.
    pub(crate) fn send(&mut self, message: &ToWorker, stop: &dyn Fn() -> bool) -> Result<(), Death> {
        let mut line =
            serde_json::to_vec(message).map_err(|error| Death::of_circumstances(error.to_string()))?;
        line.push(b'\n');
        let started = Instant::now();
        loop {
            let Some(input) = self.input.as_ref().filter(|_| !stop()) else { return Ok(()) };
            match input.try_send(line) {
                Ok(()) => return Ok(()),
                // It closed its input or ended; what it says or how it ended explains it.
                Err(TrySendError::Disconnected(_)) => return Ok(()),
                Err(TrySendError::Full(back)) if started.elapsed() < self.allowed.silence => line = back,
                Err(TrySendError::Full(_)) => {
                    return Err(self.end_for("did not read the answers to its requests"));
                }
            }
            thread::sleep(LOOK);
            self.look(self.used + started.elapsed())?;
        }
    }

    /// Waits for its next message; `None` if `stop` says so. The first is its greeting, which is checked here.
    ///
    /// # Errors
    /// When it ended, or had to be ended.
    pub(crate) fn next(&mut self, stop: &dyn Fn() -> bool) -> Result<Option<FromWorker>, Death> {
        let started = Instant::now();
        let (mut exited, mut deaf): (Option<Instant>, Option<Instant>) = (None, None);
        loop {
            if stop() {
                return Ok(None);
            }
            // Also if there is always another message.
            self.look(self.used + started.elapsed())?;
            match self.lines.recv_timeout(LOOK) {
                Ok(Line::Text(line)) => {
                    self.used += started.elapsed();
                    return self.read(&line).map(Some);
                }
                Ok(Line::Long) => return Err(self.end_for("wrote a line that is too long for a message")),
                Ok(Line::Flood) => return Err(self.end_for("flooded its output")),
                Ok(Line::End(rest)) => return Err(self.ended(&rest)),
                Err(RecvTimeoutError::Disconnected) => return Err(self.ended(&[])),
                Err(RecvTimeoutError::Timeout) => {}
            }
            // A child of it may keep its output open for ever.
            match self.child.try_wait() {
                Ok(Some(_)) if exited.is_some_and(|at| at.elapsed() > GRACE) => return Err(self.ended(&[])),
                Ok(Some(_)) => _ = exited.get_or_insert_with(Instant::now),
                _ => {}
            }
            // One that ends has closed its input as well, and how it ended says more.
            if self.heard.asked && self.deaf.load(Ordering::Relaxed) {
                let since = *deaf.get_or_insert_with(Instant::now);
                if exited.is_none() && since.elapsed() > GRACE {
                    return Err(self.end_for(if self.library { LOST } else { CLOSED_INPUT }));
                }
            }
            let waited = started.elapsed();
            self.in_time(self.used + waited)?;
            if waited > self.allowed.silence {
                let limit = seconds(self.allowed.silence);
                let advice = match self.heard.greeted || self.library {
                    true => "a message of its progress in every long loop shows that it works",
                    false => "flush the standard output after each message",
                };
                let why = format!("hung: it was silent for {limit} s ({advice})");
                return Err(self.end_for(&why));
            }
        }
    }

    /// Ends it if it uses more than it may. Looks at that every so often.
    fn look(&mut self, used: Duration) -> Result<(), Death> {
        if self.looked.elapsed() < LOOK {
            return Ok(());
        }
        self.looked = Instant::now();
        self.in_time(used)?;
        if self.said.written() > self.allowed.output {
            return Err(self.end_for("flooded its output"));
        }
        self.looks += 1;
        if !self.looks.is_multiple_of(LOOKS.0) {
            return Ok(());
        }
        let mut memory = own_memory(self.pid).unwrap_or(0) + self.writes.as_ref().map_or(0, held);
        if self.looks.is_multiple_of(LOOKS.0 * LOOKS.1) {
            let others = group_of(self.pid);
            if others.len() >= PROCESSES {
                return Err(self.end_for(&format!("started more than {PROCESSES} processes")));
            }
            memory += others.into_iter().filter_map(own_memory).sum::<u64>();
        }
        self.most = self.most.max(memory);
        self.check_memory(memory)
    }

    /// Ends it if it has used more time than it may.
    fn in_time(&mut self, used: Duration) -> Result<(), Death> {
        if used <= self.allowed.time {
            return Ok(());
        }
        let limit = seconds(self.allowed.time);
        // What a program has written may not have left it.
        let unheard = match self.heard.greeted || self.library {
            true => "",
            false => ", and nothing was heard of it (flush the standard output after each message),",
        };
        let why = format!("took longer than {limit} s{}{unheard}", self.advice.0);
        Err(self.end_for(&why))
    }

    /// The most memory that it was seen to have to itself, with its children, in bytes. One that was never waited for long
    /// is looked at now.
    pub(crate) fn most_memory(&self) -> u64 {
        self.most.max(own_memory(self.pid).unwrap_or(0))
    }

    /// Ends it if this many bytes are too many.
    ///
    /// # Errors
    /// Then.
    pub(crate) fn check_memory(&mut self, bytes: u64) -> Result<(), Death> {
        if bytes <= self.allowed.memory {
            return Ok(());
        }
        let limit = self.allowed.memory >> 20;
        let why = format!("used more than {limit} MiB of memory{}", self.advice.1);
        Err(self.end_for(&why))
    }

    fn read(&mut self, line: &[u8]) -> Result<FromWorker, Death> {
        self.heard.read(line).map_err(|why| self.end_for(&why))
    }

    /// It closed its output, with this of another line: says how it ended.
    fn ended(&mut self, rest: &[u8]) -> Death {
        let status = self.reap(REAPED);
        let said = self.said();
        let last = self.heard.at_end(rest);
        match status {
            Some(status) if !self.heard.greeted && status.code() == Some(NOT_STARTED.into()) => {
                Death::of_circumstances(format!("its process could not be started: {}", said.trim()))
            }
            Some(status) => Death::by_itself(status, self.library, &last, &said),
            None => {
                self.kill();
                Death::ended(if self.library { LOST } else { CLOSED_OUTPUT }, &last, &said)
            }
        }
    }

    /// Kills it for something that it did.
    pub(crate) fn end_for(&mut self, why: &str) -> Death {
        let said = self.said();
        self.kill();
        Death::ended(why, &self.heard.last, &said)
    }

    /// Asks it to stop, and kills it if it has not ended in a moment.
    pub(crate) fn stop(mut self) {
        if let Some(input) = self.input.take() {
            let mut line = serde_json::to_vec(&ToWorker::Stop).unwrap_or_default();
            line.push(b'\n');
            let _ = input.try_send(line);
        }
        self.reap(GRACE);
    }

    /// Closes its input after its last message, which ends it.
    pub(crate) fn finish(mut self) {
        self.input = None;
        self.reap(GRACE);
    }

    /// What it prints, which can be read once it is gone.
    pub(super) fn output(&self) -> Arc<Stderr> {
        self.said.clone()
    }

    fn said(&self) -> String {
        // What it wrote right before its end may still be on its way.
        thread::sleep(LOOK);
        self.said.end()
    }

    fn reap(&mut self, patience: Duration) -> Option<std::process::ExitStatus> {
        let started = Instant::now();
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if started.elapsed() < patience => thread::sleep(Duration::from_millis(2)),
                _ => return None,
            }
        }
    }

    /// Kills the process, its group, and everything it started elsewhere.
    fn kill(&mut self) {
        if let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(pid, Signal::KILL);
        }
        let _ = self.child.kill();
        self.reap(REAPED);
        kill_marked(&self.token);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.input = None;
        self.kill();
    }
}

/// Bytes of memory that a memory file takes, whatever length it claims.
pub(super) fn held(file: &File) -> u64 {
    file.metadata().map_or(0, |metadata| metadata.blocks() * 512)
}

/// The variable by which processes of a worker are known, wherever they hide.
const TOKEN: &str = "CHAFFINCH_WORKER";

/// Kills processes that have the token of a worker in their environment: children that left its group.
fn kill_marked(token: &str) {
    let wanted = format!("{TOKEN}={token}");
    let Ok(entries) = std::fs::read_dir("/proc") else { return };
    for entry in entries.filter_map(Result::ok) {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let variables = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        if variables.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
            && let Some(pid) = Pid::from_raw(pid)
        {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// The arguments of our own program with which it becomes a worker.
fn arguments(job: &Job, limits: &Limits, lend: &[RawFd]) -> Vec<OsString> {
    let lend: Vec<String> = lend.iter().map(RawFd::to_string).collect();
    let mut arguments: Vec<OsString> =
        vec!["worker".into(), "--engine".into(), std::process::id().to_string().into()];
    if !lend.is_empty() {
        arguments.extend(["--lend".into(), lend.join(",").into()]);
    }
    if limits.network {
        arguments.push("--network".into());
    }
    let add = |arguments: &mut Vec<OsString>, name: &str, path: &Path| {
        arguments.extend([name.into(), path.as_os_str().to_owned()]);
    };
    match job {
        Job::Library(path) => add(&mut arguments, "--library", path),
        Job::Program { command, folder } => {
            add(&mut arguments, "--folder", folder);
            arguments.push("--".into());
            arguments.extend(command.iter().map(OsString::from));
        }
    }
    arguments
}

fn seconds(duration: Duration) -> u64 {
    duration.as_secs()
}

/// Passes lines on until the output ends, is too long or too much. What nobody takes fills the pipe, so that the worker
/// waits.
fn read_lines(mut out: ChildStdout, samples: usize, lines: &SyncSender<Line>) {
    let (longest, most) = (Limits::line(samples), Limits::output(samples));
    let (mut line, mut total) = (Vec::new(), 0_u64);
    let mut chunk = vec![0; 64 << 10];
    loop {
        let count = match out.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        total += count as u64;
        if total > most {
            let _ = lines.send(Line::Flood);
            return;
        }
        for part in chunk[..count].split_inclusive(|byte| *byte == b'\n') {
            line.extend_from_slice(part);
            if line.len() > longest {
                let _ = lines.send(Line::Long);
                return;
            }
            if part.ends_with(b"\n") && lines.send(Line::Text(std::mem::take(&mut line))).is_err() {
                return;
            }
        }
    }
    let _ = lines.send(Line::End(line));
}

fn write_lines(mut stdin: ChildStdin, lines: &Receiver<Vec<u8>>, deaf: &AtomicBool) {
    for line in lines {
        if stdin.write_all(&line).and_then(|()| stdin.flush()).is_err() {
            return deaf.store(true, Ordering::Relaxed);
        }
    }
}

/// The descriptors to lend, by what they are.
pub(super) struct Lending {
    pub(super) data: RawFd,
    pub(super) answers: RawFd,
    pub(super) brief: RawFd,
    pub(super) out: RawFd,
    pub(super) embeddings: Option<RawFd>,
}

impl Lending {
    /// In the order of their numbers in the worker.
    pub(super) fn in_order(&self) -> Vec<RawFd> {
        debug_assert!(
            [shared::DATA, shared::ANSWERS, shared::BRIEF, shared::OUT, shared::EMBEDDINGS].is_sorted()
        );
        [self.data, self.answers, self.brief, self.out].into_iter().chain(self.embeddings).collect()
    }
}
