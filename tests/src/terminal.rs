//! A pseudo-terminal with an emulated screen, and the program running in it.
//!
//! The program sees a real terminal: its own session, a controlling terminal, signals, a window size. Its output
//! goes to an emulated screen, and byte for byte to a tap, so that a test can look for what must
//! never be written. Tests always wait for something on the screen, with a generous timeout.

use crate::answers::{Answers, Manner};
use crate::link::{Link, Way};
use crate::process;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};
use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long to wait for something on the screen before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(60);

struct Shared {
    screen: vt100::Parser,
    tap: Vec<u8>,
    /// When how much of the tap was there.
    stamps: Vec<(Instant, usize)>,
    ended: bool,
}

/// Both directions of the link between the terminal and the program.
struct Line {
    to_program: Way,
    to_terminal: Way,
}

/// What a terminal has received so far, with times.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Every byte.
    pub bytes: Vec<u8>,
    /// When how many of them were there, in order.
    pub stamps: Vec<(Instant, usize)>,
}

impl Record {
    /// When this byte arrived.
    ///
    /// # Panics
    /// If it has not.
    pub fn came(&self, place: usize) -> Instant {
        let stamp = self.stamps.partition_point(|(_, length)| *length <= place);
        self.stamps[stamp].0
    }

    /// Ends of frames: when, and the place behind the last byte.
    pub fn frames(&self) -> Vec<(Instant, usize)> {
        const END: &[u8] = b"\x1b[?2026l";
        let windows = self.bytes.windows(END.len()).enumerate();
        let ends = windows.filter(|(_, window)| *window == END).map(|(place, _)| place + END.len());
        ends.map(|end| (self.came(end - 1), end)).collect()
    }
}

/// A program in a terminal.
pub struct Terminal {
    child: Child,
    master: Option<Arc<OwnedFd>>,
    /// Kept open, so that the terminal's modes can be read after the program has gone.
    slave: Option<OwnedFd>,
    shared: Arc<Mutex<Shared>>,
    /// The simulated link, if any.
    line: Option<Arc<Mutex<Line>>>,
    closing: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
    before: Termios,
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A side of the screen, which is never 0.
fn cells(side: u16) -> NonZero<u16> {
    NonZero::new(side).expect("a terminal needs rows and columns")
}

impl Terminal {
    /// Starts a command in a new terminal of this size. The command's environment is taken unchanged, with `TERM`
    /// added if it has none.
    pub fn start(command: &Command, columns: u16, rows: u16) -> Terminal {
        Terminal::start_as(command, columns, rows, Manner::default())
    }

    /// The same with a terminal of a certain kind.
    pub fn start_as(command: &Command, columns: u16, rows: u16, manner: Manner) -> Terminal {
        Terminal::begin(command, (columns, rows), manner, None)
    }

    /// The same at the other end of a line.
    pub fn start_over(command: &Command, size: (u16, u16), manner: Manner, link: Link) -> Terminal {
        Terminal::begin(command, size, manner, Some(link))
    }

    fn begin(command: &Command, (columns, rows): (u16, u16), manner: Manner, link: Option<Link>) -> Terminal {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let open = || {
            rustix::fs::open(&*name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap()
        };
        let slave = open();
        tcsetwinsize(&slave, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let before = tcgetattr(&slave).unwrap();

        // `setsid --ctty` becomes the program itself, with the terminal as its own; the process number stays.
        let mut start = Command::new("setsid");
        start.arg("--ctty").arg(command.get_program()).args(command.get_args()).env_clear();
        for (key, value) in command.get_envs() {
            value.map(|value| start.env(key, value));
        }
        if !command.get_envs().any(|(key, _)| key == "TERM") {
            start.env("TERM", "xterm-256color").env("COLORTERM", "truecolor");
        }
        if let Some(folder) = command.get_current_dir() {
            start.current_dir(folder);
        }
        let stdio = || Stdio::from(open());
        let child =
            start.stdin(stdio()).stdout(stdio()).stderr(stdio()).spawn().expect("setsid of util-linux");

        let shared = Shared {
            screen: vt100::Parser::new(cells(rows), cells(columns), 0),
            tap: Vec::new(),
            stamps: Vec::new(),
            ended: false,
        };
        let line = link.map(|link| {
            Arc::new(Mutex::new(Line { to_program: Way::new(link), to_terminal: Way::new(link) }))
        });
        let (master, shared) = (Arc::new(master), Arc::new(Mutex::new(shared)));
        let closing = Arc::new(AtomicBool::new(false));
        let reader = std::thread::spawn({
            let (master, shared, closing) = (master.clone(), shared.clone(), closing.clone());
            let line = line.clone();
            move || match line {
                Some(line) => carry_all(&master, &shared, &line, &closing, manner),
                None => read_all(&master, &shared, &closing, manner),
            }
        });
        Terminal {
            child,
            master: Some(master),
            slave: Some(slave),
            shared,
            line,
            closing,
            reader: Some(reader),
            before,
        }
    }

    /// The program's process number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Types these bytes.
    pub fn keys(&self, text: &str) {
        if let Some(line) = &self.line {
            return lock(line).to_program.push(text.as_bytes(), Instant::now());
        }
        let master = self.master.as_ref().expect("the terminal is open");
        let mut bytes = text.as_bytes();
        while !bytes.is_empty() {
            let written = rustix::io::write(master, bytes).expect("the terminal accepts keys");
            bytes = &bytes[written..];
        }
    }

    /// What the screen shows, line by line.
    pub fn screen(&self) -> String {
        let shared = lock(&self.shared);
        let screen = shared.screen.screen();
        screen.rows(0, screen.size().1.get()).collect::<Vec<_>>().join("\n")
    }

    /// One line of the screen.
    pub fn line(&self, row: u16) -> String {
        self.screen().lines().nth(usize::from(row)).unwrap_or_default().to_owned()
    }

    /// The rows of the screen that hold this text, from the top.
    pub fn rows_with(&self, text: &str) -> Vec<u16> {
        let lines = self.screen();
        lines.lines().enumerate().filter(|(_, line)| line.contains(text)).map(|(row, _)| row as u16).collect()
    }

    /// Looks at the emulated screen itself: colors, modes, the cursor.
    pub fn look<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(lock(&self.shared).screen.screen())
    }

    /// Every byte the program has written so far.
    pub fn tap(&self) -> Vec<u8> {
        lock(&self.shared).tap.clone()
    }

    /// Every byte with its time.
    pub fn record(&self) -> Record {
        let shared = lock(&self.shared);
        Record { bytes: shared.tap.clone(), stamps: shared.stamps.clone() }
    }

    /// Whether the program and its children have closed the terminal, so that nothing more will come.
    pub fn ended(&self) -> bool {
        lock(&self.shared).ended
    }

    /// The maximum number of bytes in flight to the terminal since the last call.
    pub fn most_on_the_way(&self) -> usize {
        self.line.as_ref().map_or(0, |line| lock(line).to_terminal.most())
    }

    /// Waits until the screen shows something.
    ///
    /// # Panics
    /// With the screen, if it does not within [`PATIENCE`].
    pub fn wait(&self, what: &str, mut shows: impl FnMut(&str) -> bool) -> Duration {
        match process::wait_for(PATIENCE, || shows(&self.screen())) {
            Ok(after) => after,
            Err(_) => panic!("timed out waiting for {what}; the screen shows\n{}", self.screen()),
        }
    }

    /// Waits until the screen shows a text.
    pub fn wait_text(&self, text: &str) -> Duration {
        self.wait(&format!("'{text}'"), |screen| screen.contains(text))
    }

    /// Waits until the output satisfies a condition, and returns it.
    ///
    /// # Panics
    /// With the screen, if it does not within [`PATIENCE`].
    pub fn wait_tap<T>(&self, what: &str, read: impl Fn(&[u8]) -> Option<T>) -> T {
        let mut got = None;
        let waited = process::wait_for(PATIENCE, || {
            got = read(&self.tap());
            got.is_some()
        });
        assert!(waited.is_ok(), "waited in vain for {what}; the screen shows\n{}", self.screen());
        got.unwrap()
    }

    /// Quits the program from any view and returns its complete output.
    ///
    /// # Panics
    /// If it does not exit cleanly, or leaves the terminal changed.
    pub fn quit(mut self) -> Vec<u8> {
        // From wherever it is: `q` only goes back one level.
        self.keys(":quit\r");
        assert_eq!(self.end(Duration::from_secs(10)), Some(0), "{}", self.screen());
        assert_eq!(self.left_behind(), Vec::<String>::new());
        self.tap()
    }

    /// Waits until nothing was written for a while.
    pub fn settle(&self, quiet: Duration) {
        let (mut length, mut since) = (self.tap().len(), Instant::now());
        let started = Instant::now();
        while since.elapsed() < quiet && started.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(10));
            let now = lock(&self.shared).tap.len();
            if now != length {
                (length, since) = (now, Instant::now());
            }
        }
    }

    /// Resizes the window.
    pub fn resize(&self, columns: u16, rows: u16) {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(self.master.as_ref().expect("the terminal is open"), size).unwrap();
        lock(&self.shared).screen.screen_mut().set_size(cells(rows), cells(columns));
    }

    /// Sends the program a signal.
    pub fn signal(&self, signal: Signal) {
        process::signal(self.pid(), signal);
    }

    /// Hangs up the terminal like a lost connection: every other end is closed.
    pub fn hang_up(&mut self) {
        self.closing.store(true, Ordering::Relaxed);
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.slave = None;
        self.master = None;
    }

    /// Waits for the program's end and returns its exit code, or minus the signal that ended it.
    pub fn end(&mut self, limit: Duration) -> Option<i32> {
        use std::os::unix::process::ExitStatusExt;
        let mut status = None;
        let _ = process::wait_for(limit, || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        // What it wrote last may still be on the way.
        self.settle(Duration::from_millis(50));
        status.map(|status| status.code().unwrap_or_else(|| -status.signal().unwrap_or(0)))
    }

    /// What is wrong with the terminal after the program's end, if anything: line modes that are not what they
    /// were, the alternate screen, a hidden cursor, mouse reports, bracketed paste.
    pub fn left_behind(&self) -> Vec<String> {
        self.settle(Duration::from_millis(100));
        let now = tcgetattr(self.slave.as_ref().expect("the terminal is open")).unwrap();
        let mut wrong = Vec::new();
        let modes = |termios: &Termios| {
            let Termios { input_modes, output_modes, control_modes, local_modes, special_codes, .. } =
                termios;
            format!("{input_modes:?} {output_modes:?} {control_modes:?} {local_modes:?} {special_codes:?}")
        };
        if modes(&now) != modes(&self.before) {
            wrong.push(format!("line modes: {} were {}", modes(&now), modes(&self.before)));
        }
        self.look(|screen| {
            let mut say = |is: bool, what: &str| is.then(|| wrong.push(what.into()));
            say(screen.alternate_screen(), "the alternate screen is still on");
            say(screen.hide_cursor(), "the cursor is hidden");
            say(screen.bracketed_paste(), "bracketed paste is still on");
            say(screen.application_cursor(), "cursor keys are still in application mode");
            say(screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None, "mouse reports are still on");
        });
        for mode in ["?1004", "?1000", "?1002", "?1003", "?1006", "?2004", "?2026", "?2048"] {
            if self.mode_is_on(mode) {
                wrong.push(format!("mode {mode} is still on"));
            }
        }
        wrong
    }

    /// Whether the last switch of a mode in the tap was to on.
    fn mode_is_on(&self, mode: &str) -> bool {
        let tap = self.tap();
        let last = |text: String| {
            tap.windows(text.len()).rposition(|window| window == text.as_bytes()).map_or(0, |place| place + 1)
        };
        last(format!("\x1b[{mode}h")) > last(format!("\x1b[{mode}l"))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Only the process that was started here, whatever the result of the test.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.closing.store(true, Ordering::Relaxed);
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

/// Reads until the other side is gone or the terminal hangs up, and answers queries according to its behavior.
fn read_all(master: &OwnedFd, shared: &Mutex<Shared>, closing: &AtomicBool, manner: Manner) {
    let mut buffer = vec![0; manner.rate.map_or(65536, |rate| (rate / 50).clamp(64, 65536))];
    let wait = Timespec { tv_sec: 0, tv_nsec: if manner.delay.is_zero() { 20_000_000 } else { 2_000_000 } };
    let rate = manner.rate;
    let mut answers = Answers::new(manner);
    while !closing.load(Ordering::Relaxed) {
        for piece in answers.due(Instant::now()) {
            let _ = rustix::io::write(master, &piece);
        }
        let mut ready = [PollFd::new(master, PollFlags::IN)];
        if !matches!(poll(&mut ready, Some(&wait)), Ok(1..)) {
            continue;
        }
        let Ok(length @ 1..) = rustix::io::read(master, &mut buffer) else { break };
        let bytes = &buffer[..length];
        let cursor = show(shared, bytes);
        if let Some(rate) = rate {
            std::thread::sleep(Duration::from_secs_f64(length as f64 / rate as f64));
        }
        answers.read(bytes, cursor, Instant::now());
    }
    lock(shared).ended = true;
}

/// Feeds bytes to the terminal. Returns the cursor position afterwards.
fn show(shared: &Mutex<Shared>, bytes: &[u8]) -> (u16, u16) {
    let now = Instant::now();
    let mut shared = lock(shared);
    shared.tap.extend_from_slice(bytes);
    let length = shared.tap.len();
    shared.stamps.push((now, length));
    shared.screen.process(bytes);
    shared.screen.screen().cursor_position()
}

/// The same as [`read_all`] over a link: everything takes time.
fn carry_all(
    master: &OwnedFd,
    shared: &Mutex<Shared>,
    line: &Mutex<Line>,
    closing: &AtomicBool,
    manner: Manner,
) {
    let mut buffer = vec![0; 65536];
    let mut answers = Answers::new(manner);
    let mut open = true;
    while !closing.load(Ordering::Relaxed) {
        let now = Instant::now();
        let (typed, arrived, next) = {
            let mut line = lock(line);
            for piece in answers.due(now) {
                line.to_program.push(&piece, now);
            }
            (line.to_program.due(now), line.to_terminal.due(now), line.to_terminal.next())
        };
        if !typed.is_empty() && open {
            let _ = rustix::io::write(master, &typed);
        }
        if !arrived.is_empty() {
            let cursor = show(shared, &arrived);
            answers.read(&arrived, cursor, Instant::now());
        }
        if !open && next.is_none() {
            break;
        }
        // Keys are pushed from outside, so this polls often.
        let wait = next
            .map_or(1_000_000, |next| next.saturating_duration_since(now).as_nanos().min(1_000_000) as i64);
        if !open {
            std::thread::sleep(Duration::from_nanos(wait as u64));
            continue;
        }
        let mut ready = [PollFd::new(master, PollFlags::IN)];
        if matches!(poll(&mut ready, Some(&Timespec { tv_sec: 0, tv_nsec: wait })), Ok(1..)) {
            match rustix::io::read(master, &mut buffer) {
                Ok(length @ 1..) => lock(line).to_terminal.push(&buffer[..length], Instant::now()),
                _ => open = false,
            }
        }
    }
    lock(shared).ended = true;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Terminal {
        let mut command = Command::new("sh");
        command.args(["-c", script]).env("PATH", std::env::var("PATH").unwrap_or_default());
        Terminal::start(&command, 60, 10)
    }

    #[test]
    fn keys_go_in_and_the_screen_comes_out() {
        let mut terminal = shell("stty size; read line; printf '\\033[31mgot %s\\n' \"$line\"; exit 3");
        terminal.wait_text("10 60");
        terminal.keys("hello\r");
        terminal.wait_text("got hello");
        assert_eq!(terminal.end(PATIENCE), Some(3));
        assert_eq!(terminal.left_behind(), Vec::<String>::new());
        assert!(terminal.tap().windows(5).any(|window| window == b"\x1b[31m"));
    }

    #[test]
    fn what_is_left_behind_is_seen() {
        let mut terminal = shell("stty raw -echo; printf '\\033[?1049h\\033[?25l\\033[?1004h'");
        assert_eq!(terminal.end(PATIENCE), Some(0));
        assert_eq!(terminal.left_behind().len(), 4, "{:?}", terminal.left_behind());
    }

    #[test]
    fn a_hang_up_ends_what_reads_from_the_terminal() {
        let mut terminal = shell("echo ready; exec cat");
        terminal.wait_text("ready");
        terminal.hang_up();
        assert!(terminal.end(PATIENCE).is_some());
    }
}
