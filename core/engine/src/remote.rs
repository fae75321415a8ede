//! The protocol over a Unix socket, for an engine in a separate process: it keeps working when its terminal is lost,
//! and another terminal can connect.
//!
//! A terminal and the engine first tell each other which version of the protocol they speak (`handshake`); before that, a
//! connection changes nothing and replaces no one. What a terminal does not read is kept up to a limit (`outbox`).
//!
//! A message starts with two little-endian 32-bit lengths, followed by JSON text and raw bytes of these lengths. The
//! raw bytes are pixels, which would be four times as long in JSON.

mod handshake;
mod outbox;

use crate::Client;
use crate::{Error, Result};
use chaffinch_protocol::{Command, Event, OutputCommand, OutputEvent, Progress, ScanReport, SessionSummary};
use crossbeam_channel::{Receiver, Sender, bounded, never, select, unbounded};
use outbox::Outbox;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread::JoinHandle;
use std::time::Duration;

/// Maximum length of a part of a message; anything longer is invalid.
const MOST: u32 = 256 << 20;

/// How long an engine waits for its first terminal.
const FIRST: Duration = Duration::from_secs(60);

/// How long an engine that was told to stop may take to end what it was doing. A scan loses nothing by being cut off.
const STOPPING: Duration = Duration::from_secs(5);

/// How many commands may wait for the engine before a terminal's next ones are left in its connection, which then does not
/// take more: whoever sends faster than the engine answers waits.
const WAITING: usize = 1024;

/// How soon a full engine is looked at again.
const SOON: Duration = Duration::from_millis(5);

/// How long a terminal that was replaced may take to receive that.
const ENDING: Duration = Duration::from_millis(500);

fn write_message(out: &mut impl Write, message: &impl Serialize, raw: &[u8]) -> io::Result<()> {
    let text = serde_json::to_vec(message)?;
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).ok().filter(|length| *length <= MOST);
    let (Some(text_len), Some(raw_len)) = (length(&text), length(raw)) else {
        return Err(io::Error::other("the message is too long"));
    };
    out.write_all(&text_len.to_le_bytes())?;
    out.write_all(&raw_len.to_le_bytes())?;
    out.write_all(&text)?;
    out.write_all(raw)?;
    out.flush()
}

fn read_message<T: DeserializeOwned>(input: &mut impl Read) -> io::Result<(T, Vec<u8>)> {
    let mut head = [[0; 4]; 2];
    input.read_exact(&mut head[0])?;
    input.read_exact(&mut head[1])?;
    let mut part = |head: [u8; 4]| {
        let length = u32::from_le_bytes(head);
        if length > MOST {
            return Err(io::Error::other("the message is too long"));
        }
        let mut bytes = Vec::new();
        match input.by_ref().take(u64::from(length)).read_to_end(&mut bytes)? {
            read if read == length as usize => Ok(bytes),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    };
    let (text, raw) = (part(head[0])?, part(head[1])?);
    Ok((serde_json::from_slice(&text)?, raw))
}

/// Writes a message of an engine.
///
/// # Errors
/// When the connection ends, or it is too long.
pub fn write_event(out: &mut impl Write, mut event: Event) -> io::Result<()> {
    let raw = match &mut event {
        Event::Picture(picture) => std::mem::take(&mut picture.rgb),
        _ => Vec::new(),
    };
    write_message(out, &event, &raw)
}

/// Reads a message of an engine.
///
/// # Errors
/// When the connection ends, or it is none.
pub fn read_event(input: &mut impl Read) -> io::Result<Event> {
    let (mut event, raw) = read_message(input)?;
    if let Event::Picture(picture) = &mut event {
        picture.rgb = raw;
    }
    Ok(event)
}

/// Reads a message of a terminal.
///
/// # Errors
/// When the connection ends, or it is none.
pub fn read_command(input: &mut impl Read) -> io::Result<Command> {
    read_message(input).map(|(command, _)| command)
}

/// Connects to the engine behind a socket.
///
/// # Errors
/// When no engine is listening there, or it speaks another version of the protocol, which is an [`Error::Invalid`].
pub fn connect(path: &Path) -> Result<Client> {
    let failed = Error::io("connect to", path);
    let open = || {
        let stream = UnixStream::connect(path)?;
        let reading = stream.try_clone()?;
        io::Result::Ok((stream, reading))
    };
    let (stream, reading) = open().map_err(failed)?;
    handshake::offer(&stream).map_err(|refused| refused.into_error(path))?;
    let (commands, inbox) = unbounded::<Command>();
    let (outbox, events) = unbounded();
    let thread = std::thread::Builder::new().name("engine".into()).spawn(move || {
        let reader = std::thread::Builder::new().name("events".into()).spawn(move || {
            let mut input = BufReader::with_capacity(1 << 16, reading);
            let mut lost = String::new();
            while let Ok(event) = read_event(&mut input) {
                if let Event::Bye { unsaved } = &event {
                    lost.clone_from(unsaved);
                }
                if outbox.send(event).is_err() {
                    break;
                }
            }
            lost
        });
        let mut stopped = false;
        let mut out = BufWriter::new(&stream);
        for command in inbox {
            stopped = command == Command::Stop;
            if write_message(&mut out, &command, &[]).is_err() || stopped {
                break;
            }
        }
        drop(out);
        if !stopped {
            // Only disconnect: the engine keeps working.
            let _ = stream.shutdown(Shutdown::Both);
        }
        match reader.map(JoinHandle::join) {
            Ok(Ok(lost)) if !lost.is_empty() => Err(Error::Invalid(lost)),
            _ => Ok(()),
        }
    });
    let thread = thread.map_err(Error::io("start", "the engine connection thread"))?;
    Ok(Client { commands, events, thread })
}

/// One connection.
struct Guest {
    number: u64,
    stream: UnixStream,
    outbox: Outbox,
}

impl Guest {
    fn welcome(number: u64, stream: UnixStream, heard: &Sender<(u64, Option<Command>)>) -> io::Result<Guest> {
        let (reading, writing) = (stream.try_clone()?, stream.try_clone()?);
        let heard = heard.clone();
        std::thread::Builder::new().name("commands".into()).spawn(move || {
            let mut input = BufReader::new(reading);
            while let Ok(command) = read_command(&mut input) {
                if heard.send((number, Some(command))).is_err() {
                    return;
                }
            }
            let _ = heard.send((number, None));
        })?;
        Ok(Guest { number, stream, outbox: Outbox::start(writing)? })
    }

    /// Tells a terminal that another one takes its place. It is not heard from then on, and if it does not take the
    /// message, because its connection hangs, it is let go without.
    fn replaced(self) {
        let _ = self.stream.shutdown(Shutdown::Read);
        let _ = self.outbox.send(Event::Replaced);
        drop(self.outbox);
        let stream = self.stream;
        let ending = std::thread::Builder::new().name("ending".into()).spawn(move || {
            std::thread::sleep(ENDING);
            let _ = stream.shutdown(Shutdown::Both);
        });
        drop(ending);
    }
}

/// What a new client is sent first.
#[derive(Default)]
struct Known {
    summary: Option<Box<SessionSummary>>,
    progress: Option<Progress>,
    /// A scan was requested and is not finished.
    scanning: bool,
    /// Something is being written.
    writing: bool,
    /// What the last scan did.
    report: Option<Box<ScanReport>>,
}

impl Known {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Session(summary) => self.summary = Some(summary.clone()),
            Event::Progress(progress) => self.progress = Some(progress.clone()),
            Event::ScanDone(report) => {
                (self.progress, self.scanning) = (None, false);
                self.report = Some(report.clone());
            }
            Event::Output(event)
                if matches!(**event, OutputEvent::Written { .. } | OutputEvent::NotWritten { .. }) =>
            {
                self.writing = false;
                if !self.scanning {
                    self.progress = None;
                }
            }
            Event::Saved(saved) => {
                if let Some(summary) = &mut self.summary {
                    summary.decided = saved.decided;
                }
            }
            _ => {}
        }
    }

    fn command(&mut self, command: &Command) {
        match command {
            Command::Scan { .. } | Command::Rerun { .. } => self.scanning = true,
            Command::Output(OutputCommand::Write { .. }) => self.writing = true,
            Command::Remember { state } => {
                if let Some(summary) = &mut self.summary {
                    summary.remembered.clone_from(state);
                }
            }
            _ => {}
        }
    }
}

/// Accepts terminals for this engine, one at a time: a newer one replaces the previous one. Returns when one of them
/// has stopped the engine, or when none is connected and no scan is running.
///
/// # Errors
/// When the socket fails, or the engine failed.
pub fn serve(client: Client, listener: UnixListener) -> Result<()> {
    let (newcomers, arrivals) = unbounded();
    std::thread::Builder::new()
        .name("door".into())
        .spawn(move || {
            for stream in listener.incoming().flatten() {
                let newcomers = newcomers.clone();
                // Each on a thread of its own: one that says nothing keeps no other one waiting.
                let greeting = std::thread::Builder::new().name("greeting".into()).spawn(move || {
                    if handshake::accept(&stream).is_ok() {
                        let _ = newcomers.send(stream);
                    }
                });
                drop(greeting);
            }
        })
        .map_err(Error::io("start", "the terminal listener thread"))?;
    let (heard, hearing) = bounded::<(u64, Option<Command>)>(WAITING);
    let mut guest: Option<Guest> = None;
    let mut known = Known::default();
    let mut count = 0;
    let no_arrivals: Receiver<UnixStream> = never();
    let nothing_heard: Receiver<(u64, Option<Command>)> = never();
    loop {
        // The first event describes the session; no client is accepted before it is known.
        let door = if known.summary.is_some() { &arrivals } else { &no_arrivals };
        let full = client.commands.len() >= WAITING;
        let ear = if full { &nothing_heard } else { &hearing };
        select! {
            recv(client.events) -> event => {
                let Ok(event) = event else { break };
                known.event(&event);
                let over = matches!(event, Event::Bye { .. });
                if guest.as_ref().is_some_and(|guest| !guest.outbox.send(event)) {
                    // It takes nothing any more; another one can come.
                    drop(guest.take());
                }
                if over {
                    break;
                }
            }
            recv(door) -> stream => {
                let Ok(stream) = stream else { break };
                if let Some(before) = guest.take() {
                    before.replaced();
                }
                count += 1;
                guest = Guest::welcome(count, stream, &heard).ok();
                if let (Some(guest), Some(summary)) = (&guest, &known.summary) {
                    guest.outbox.send(Event::Session(summary.clone()));
                    if let Some(progress) = &known.progress {
                        guest.outbox.send(Event::Progress(progress.clone()));
                    }
                    // It may be waiting for a scan, and none will follow.
                    if let Some(report) = known.report.as_ref().filter(|_| !known.scanning) {
                        guest.outbox.send(Event::ScanDone(report.clone()));
                    }
                }
            }
            recv(ear) -> message => {
                let Ok((number, command)) = message else { break };
                match command {
                    // Commands sent before a terminal disconnected still count.
                    Some(command) => {
                        known.command(&command);
                        let _ = client.commands.send(command);
                    }
                    None if guest.as_ref().is_some_and(|guest| guest.number == number) => guest = None,
                    None => {}
                }
            }
            // The program that started this engine never connected.
            default(if full { SOON } else { FIRST }) => if count == 0 { break },
        }
        if guest.is_none()
            && count > 0
            && !known.scanning
            && !known.writing
            && arrivals.is_empty()
            && hearing.is_empty()
        {
            break;
        }
    }
    let stopped = client.stop_within(STOPPING).map(drop);
    // The last events reach the terminal before this process ends.
    if let Some(guest) = guest {
        drop(guest.outbox);
        let mut rest = [0; 64];
        let _ = guest.stream.set_read_timeout(Some(Duration::from_millis(500)));
        while matches!((&guest.stream).read(&mut rest), Ok(1..)) {}
    }
    stopped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stopped;
    use chaffinch_protocol::Picture;
    use chaffinch_protocol::sample::SampleId;

    #[test]
    fn messages_arrive_as_they_were_sent() {
        let picture = Picture {
            ticket: 7,
            slot: 1,
            sample: SampleId(3),
            width: 2,
            height: 1,
            whole: (2, 1),
            rgb: vec![1, 2, 3, 255, 0, 9],
            error: None,
        };
        let mut bytes = Vec::new();
        write_event(&mut bytes, Event::Picture(picture.clone())).unwrap();
        write_message(&mut bytes, &Command::Undo, &[]).unwrap();
        let mut input = &bytes[..];
        assert_eq!(read_event(&mut input).unwrap(), Event::Picture(picture));
        assert_eq!(read_message::<Command>(&mut input).unwrap().0, Command::Undo);
        assert!(read_event(&mut input).is_err(), "there is no more");
    }

    /// An engine that answers only `Stop`, and records the commands it gets.
    fn fake() -> (Client, Receiver<Command>, Sender<Event>) {
        let (commands, inbox) = unbounded();
        let (outbox, events) = unbounded();
        let (tell, told) = unbounded();
        let out: Sender<Event> = outbox.clone();
        let thread = std::thread::spawn(move || {
            let _ = out.send(Event::Session(Box::default()));
            for command in inbox {
                let over = command == Command::Stop;
                let _ = tell.send(command);
                if over {
                    break;
                }
            }
            let _ = out.send(Event::Bye { unsaved: String::new() });
            Ok(())
        });
        (Client { commands, events, thread }, told, outbox)
    }

    #[test]
    fn a_scan_goes_on_without_a_terminal_and_another_one_can_come() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("engine.sock");
        assert!(connect(&path).is_err(), "nobody listens");
        let listener = UnixListener::bind(&path).unwrap();
        let (client, told, events) = fake();
        let server = std::thread::spawn(move || serve(client, listener));
        let within = Duration::from_secs(20);

        let first = connect(&path).unwrap();
        assert!(first.greets(within));
        assert!(matches!(first.events.recv_timeout(within), Ok(Event::Session(_))));
        first.commands.send(Command::Scan { detectors: Vec::new() }).unwrap();
        first.commands.send(Command::Remember { state: "here".into() }).unwrap();
        first.leave().unwrap();
        assert_eq!(told.recv_timeout(within), Ok(Command::Scan { detectors: Vec::new() }));
        assert_eq!(told.recv_timeout(within), Ok(Command::Remember { state: "here".into() }));

        // It is still running, and remembers what was sent.
        let second = connect(&path).unwrap();
        let Ok(Event::Session(summary)) = second.events.recv_timeout(within) else { panic!("no session") };
        assert_eq!(summary.remembered, "here");
        // A third replaces the second.
        let third = connect(&path).unwrap();
        assert!(matches!(third.events.recv_timeout(within), Ok(Event::Session(_))));
        assert_eq!(second.events.recv_timeout(within), Ok(Event::Replaced), "the second one is told why");
        assert!(second.events.recv_timeout(within).is_err(), "and was let go");
        events.send(Event::Log { line: "on".into() }).unwrap();
        assert_eq!(third.events.recv_timeout(within), Ok(Event::Log { line: "on".into() }));
        // Once the scan is done, it does not wait for a client.
        events.send(Event::ScanDone(Box::default())).unwrap();
        assert!(matches!(third.events.recv_timeout(within), Ok(Event::ScanDone(_))));
        third.leave().unwrap();
        drop(second);
        server.join().unwrap().unwrap();
        assert_eq!(told.recv_timeout(within), Ok(Command::Stop));
    }

    #[test]
    fn stopping_says_the_last_words() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("engine.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let (client, _told, _events) = fake();
        let server = std::thread::spawn(move || serve(client, listener));
        let only = connect(&path).unwrap();
        let events = only.events.clone();
        only.stop().unwrap();
        let all: Vec<Event> = events.iter().collect();
        assert!(matches!(all[..], [Event::Session(_), Event::Bye { .. }]), "{all:?}");
        server.join().unwrap().unwrap();
    }

    #[test]
    fn strangers_replace_no_terminal() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("engine.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let (client, told, events) = fake();
        let server = std::thread::spawn(move || serve(client, listener));
        let within = Duration::from_secs(20);
        let only = connect(&path).unwrap();
        assert!(matches!(only.events.recv_timeout(within), Ok(Event::Session(_))));
        // One says nothing, one says what is no greeting, one begins with a command, one speaks another version.
        let silent = UnixStream::connect(&path).unwrap();
        let mut odd = UnixStream::connect(&path).unwrap();
        odd.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        let mut rude = UnixStream::connect(&path).unwrap();
        write_message(&mut rude, &Command::Stop, &[]).unwrap();
        let mut older = UnixStream::connect(&path).unwrap();
        handshake::offer_version(&mut older, chaffinch_protocol::PROTOCOL_VERSION - 1).unwrap();
        handshake::answer(&older).unwrap();
        for mut stream in [odd, rude, older] {
            stream.set_read_timeout(Some(within)).unwrap();
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest);
            assert!(!String::from_utf8_lossy(&rest).contains("session"), "nothing is told to a stranger");
        }
        events.send(Event::Log { line: "on".into() }).unwrap();
        assert_eq!(only.events.recv_timeout(within), Ok(Event::Log { line: "on".into() }), "not replaced");
        assert!(told.is_empty(), "no command was taken");
        drop(silent);
        only.stop().unwrap();
        server.join().unwrap().unwrap();
    }

    #[test]
    fn another_user_is_refused_with_a_sentence() {
        let (terminal, engine) = UnixStream::pair().unwrap();
        let stranger = handshake::check_user(65_534, 1_000);
        let greeting = std::thread::spawn(move || handshake::accept_from(&engine, stranger));
        let refused = handshake::offer(&terminal).unwrap_err().into_error(Path::new("/run/engine.sock"));
        assert_eq!(
            refused.to_string(),
            "/run/engine.sock: this session is open for the user with the number 1000, and the other process belongs to \
             65534; open it as the same user"
        );
        assert!(greeting.join().unwrap().is_err());
        // This user's own process is let in by what the system says of it.
        let (terminal, engine) = UnixStream::pair().unwrap();
        let greeting = std::thread::spawn(move || handshake::accept(&engine));
        handshake::offer(&terminal).unwrap();
        greeting.join().unwrap().unwrap();
    }

    #[test]
    fn commands_wait_in_the_connection_while_the_engine_is_busy() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("engine.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let (commands, inbox) = unbounded::<Command>();
        let (out, events) = unbounded();
        let _ = out.send(Event::Session(Box::default()));
        let (go, gone) = bounded::<()>(0);
        let taken = inbox.clone();
        // Takes nothing until it is told to go on.
        let thread = std::thread::spawn(move || {
            let _ = gone.recv();
            let got = inbox.iter().take_while(|command| *command != Command::Stop).count();
            let _ = out.send(Event::Log { line: got.to_string() });
            let _ = out.send(Event::Bye { unsaved: String::new() });
            Ok(())
        });
        let server = std::thread::spawn(move || serve(Client { commands, events, thread }, listener));
        let only = connect(&path).unwrap();
        assert!(only.greets(Duration::from_secs(20)));
        let many = 200_000;
        for _ in 0..many {
            only.commands.send(Command::Undo).unwrap();
        }
        // It fills up to its limit and no further.
        while taken.len() < WAITING {
            std::thread::sleep(SOON);
        }
        std::thread::sleep(20 * SOON);
        assert_eq!(taken.len(), WAITING);
        drop(go);
        only.commands.send(Command::Stop).unwrap();
        let got = only.events.iter().find_map(|event| match event {
            Event::Log { line } => Some(line),
            _ => None,
        });
        assert_eq!(got, Some(many.to_string()), "none is lost");
        server.join().unwrap().unwrap();
    }

    #[test]
    fn an_engine_of_another_version_is_named() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("engine.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let engine = std::thread::spawn(move || {
            let (mut newer, _) = listener.accept().unwrap();
            handshake::offer_version(&mut newer, chaffinch_protocol::PROTOCOL_VERSION + 1).unwrap();
            // One from before there were greetings begins with an event.
            let (mut older, _) = listener.accept().unwrap();
            write_event(&mut older, Event::Session(Box::default())).unwrap();
            let _ = [newer, older].map(|mut stream| stream.read_to_end(&mut Vec::new()));
        });
        let newer = chaffinch_protocol::PROTOCOL_VERSION + 1;
        for theirs in [newer.to_string(), "an older one".to_owned()] {
            let error = connect(&path).map(drop).unwrap_err();
            assert!(matches!(error, Error::Invalid(_)), "{error:?}");
            let words = format!("another version of Chaffinch (its protocol is {theirs}");
            assert!(error.to_string().contains(&words), "{error}");
        }
        engine.join().unwrap();
    }

    #[test]
    fn what_is_not_on_disk_at_the_end_is_an_error_over_the_socket_too() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("engine.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let (commands, inbox) = unbounded();
        let (out, events) = unbounded();
        let thread = std::thread::spawn(move || {
            let _ = out.send(Event::Session(Box::default()));
            let _ = inbox.iter().find(|command| *command == Command::Stop);
            let _ = out.send(Event::Bye { unsaved: "anna.jsonl: gone".into() });
            Err(Error::Invalid("anna.jsonl: gone".into()))
        });
        let server = std::thread::spawn(move || serve(Client { commands, events, thread }, listener));
        let only = connect(&path).unwrap();
        assert!(only.greets(Duration::from_secs(20)));
        let error = only.stop_within(Duration::from_secs(20)).unwrap_err();
        assert_eq!(error.to_string(), "anna.jsonl: gone");
        assert!(server.join().unwrap().is_err());
    }

    #[test]
    fn an_engine_that_is_busy_is_left_and_one_that_is_silent_is_told_apart() {
        for (bye, expected) in [(true, Stopped::Ending), (false, Stopped::Silent)] {
            let (commands, inbox) = unbounded::<Command>();
            let (out, events) = unbounded();
            let (done, waits) = unbounded::<()>();
            let thread = std::thread::spawn(move || {
                let _ = inbox.iter().find(|command| *command == Command::Stop);
                if bye {
                    let _ = out.send(Event::Bye { unsaved: String::new() });
                }
                // Until the test is over.
                let _ = waits.recv();
                Ok(())
            });
            let client = Client { commands, events, thread };
            assert_eq!(client.stop_within(Duration::from_millis(100)).unwrap(), expected);
            drop(done);
        }
    }

    #[test]
    fn what_is_no_message_is_an_error() {
        let mut long = u32::MAX.to_le_bytes().to_vec();
        long.extend([0; 20]);
        assert!(read_message::<Command>(&mut &long[..]).is_err());
        let mut cut = Vec::new();
        write_message(&mut cut, &Command::Cancel, &[]).unwrap();
        for end in 0..cut.len() {
            assert!(read_message::<Command>(&mut &cut[..end]).is_err(), "cut at {end}");
        }
    }
}
