use super::*;
use crate::Stopped;
use crate::client::{Engine, WAITING, inbox};
use crate::outlet::Outlet;
use crate::service::{Inward, Roster};
use chaffinch_protocol::{How, PROTOCOL_VERSION};
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const WITHIN: Duration = Duration::from_secs(20);

type Outlets = Arc<Mutex<BTreeMap<u64, Outlet>>>;

/// An engine that lets reviewers in, but for one named `barred`, and records what it hears. The first `Stop` ends it.
fn fake(unsaved: &'static str) -> (Engine, Receiver<(u64, Command)>, Outlets) {
    let ((inward, inbox), (tell, told)) = (inbox(), unbounded());
    let (said, farewell): (Sender<String>, _) = unbounded();
    let outlets = Outlets::default();
    let all = outlets.clone();
    let thread = std::thread::spawn(move || {
        for message in inbox {
            match message {
                Inward::Join { join, answer, .. } if join.reviewer == "barred" => {
                    let _ = answer.send(Err(Error::Invalid("there is no room".into())));
                }
                Inward::Join { number, outlet, answer, .. } => {
                    let _ = outlet.send(Event::Session(Box::default()));
                    all.lock().unwrap().insert(number, outlet);
                    let _ = answer.send(Ok(()));
                }
                Inward::Heard(number, command) => {
                    let stops = command == Command::Stop;
                    let _ = tell.send((number, command));
                    if stops {
                        break;
                    }
                }
                Inward::Left(number) => drop(all.lock().unwrap().remove(&number)),
            }
        }
        for outlet in all.lock().unwrap().values() {
            let _ = outlet.send(Event::Bye { unsaved: unsaved.into() });
        }
        let _ = said.send(unsaved.into());
        if unsaved.is_empty() { Ok(()) } else { Err(Error::Invalid(unsaved.into())) }
    });
    (Engine { inward, roster: Roster::default(), farewell, thread }, told, outlets)
}

/// A socket in a folder of its own.
fn socket() -> (tempfile::TempDir, std::path::PathBuf, UnixListener) {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("engine.sock");
    let listener = UnixListener::bind(&path).unwrap();
    (temp, path, listener)
}

fn next(client: &Client) -> Event {
    client.events.recv_timeout(WITHIN).unwrap()
}

fn log(line: &str) -> Event {
    Event::Log { line: line.into() }
}

#[test]
fn terminals_are_told_apart() {
    let (_temp, path, listener) = socket();
    let (engine, told, outlets) = fake("");
    let server = std::thread::spawn(move || serve(engine, listener));
    let anna = connect(&path, Join::review("anna")).unwrap();
    assert!(matches!(next(&anna), Event::Session(_)));
    let ben = connect(&path, Join { how: How::Watch, ..Join::review("ben") }).unwrap();
    assert!(matches!(next(&ben), Event::Session(_)));
    anna.commands.send(Command::Undo).unwrap();
    let (first, command) = told.recv_timeout(WITHIN).unwrap();
    assert_eq!(command, Command::Undo);
    ben.commands.send(Command::Redo).unwrap();
    let (second, command) = told.recv_timeout(WITHIN).unwrap();
    assert_eq!(command, Command::Redo);
    assert!(first < second, "numbers grow");
    for (number, line) in [(first, "for anna"), (second, "for ben")] {
        let _ = outlets.lock().unwrap()[&number].send(log(line));
    }
    assert_eq!((next(&anna), next(&ben)), (log("for anna"), log("for ben")));
    // One leaves, and the other one is served on.
    anna.leave().unwrap();
    ben.commands.send(Command::Cancel).unwrap();
    assert_eq!(told.recv_timeout(WITHIN).unwrap(), (second, Command::Cancel));
    ben.stop().unwrap();
    server.join().unwrap().unwrap();
}

#[test]
fn who_cannot_take_part_is_told_why() {
    let (_temp, path, listener) = socket();
    let (engine, _told, _outlets) = fake("");
    let server = std::thread::spawn(move || serve(engine, listener));
    let error = connect(&path, Join::review("barred")).map(drop).unwrap_err();
    assert!(matches!(&error, Error::Invalid(why) if why == "there is no room"), "{error:?}");
    assert_eq!(look(&path).unwrap(), []);
    connect(&path, Join::review("anna")).unwrap().stop().unwrap();
    server.join().unwrap().unwrap();
    let _ = std::fs::remove_file(&path);
    assert!(look(&path).is_err() && connect(&path, Join::review("anna")).is_err(), "nobody listens");
}

#[test]
fn a_terminal_that_is_dismissed_hears_why_and_nothing_else() {
    let (_temp, path, listener) = socket();
    let (engine, told, outlets) = fake("");
    let server = std::thread::spawn(move || serve(engine, listener));
    let first = connect(&path, Join::review("anna")).unwrap();
    assert!(matches!(next(&first), Event::Session(_)));
    let second = connect(&path, Join::review("ben")).unwrap();
    assert!(matches!(next(&second), Event::Session(_)));
    let number = *outlets.lock().unwrap().keys().next().unwrap();
    let outlet = outlets.lock().unwrap().remove(&number).unwrap();
    let _ = outlet.send(Event::Dismissed { why: "taken over".into() });
    assert!(outlet.send(log("more")).is_err(), "nothing follows");
    assert_eq!(next(&first), Event::Dismissed { why: "taken over".into() });
    assert!(first.events.recv_timeout(WITHIN).is_err(), "the connection ends");
    second.stop().unwrap();
    server.join().unwrap().unwrap();
    assert!(told.iter().all(|(other, _)| other != number));
}

#[test]
fn stopping_says_the_last_words() {
    let (_temp, path, listener) = socket();
    let (engine, _told, _outlets) = fake("");
    let server = std::thread::spawn(move || serve(engine, listener));
    let only = connect(&path, Join::review("anna")).unwrap();
    let events = only.events.clone();
    only.stop().unwrap();
    let all: Vec<Event> = events.iter().collect();
    assert!(matches!(all[..], [Event::Session(_), Event::Bye { .. }]), "{all:?}");
    server.join().unwrap().unwrap();
}

#[test]
fn strangers_take_no_part() {
    let (_temp, path, listener) = socket();
    let (engine, told, outlets) = fake("");
    let server = std::thread::spawn(move || serve(engine, listener));
    let only = connect(&path, Join::review("anna")).unwrap();
    assert!(matches!(next(&only), Event::Session(_)));
    // One says nothing, one says what is not a greeting, one begins with a command, one speaks an older version, one the right
    // one and then nothing that is a request.
    let silent = UnixStream::connect(&path).unwrap();
    let mut odd = UnixStream::connect(&path).unwrap();
    odd.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut rude = UnixStream::connect(&path).unwrap();
    write_message(&mut rude, &Command::Stop, &[]).unwrap();
    let mut older = UnixStream::connect(&path).unwrap();
    handshake::offer_version(&mut older, PROTOCOL_VERSION - 1).unwrap();
    handshake::answer(&older).unwrap();
    let mut eager = UnixStream::connect(&path).unwrap();
    handshake::offer(&eager).unwrap();
    write_message(&mut eager, &Command::Stop, &[]).unwrap();
    for mut stream in [odd, rude, older, eager] {
        stream.set_read_timeout(Some(WITHIN)).unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert!(!String::from_utf8_lossy(&rest).contains("session"), "nothing is told to a stranger");
    }
    let all: Vec<Outlet> = outlets.lock().unwrap().values().cloned().collect();
    assert_eq!(all.len(), 1);
    let _ = all[0].send(log("on"));
    assert_eq!(next(&only), log("on"));
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
    let greeting = std::thread::spawn(move || {
        let request = handshake::accept(&engine);
        handshake::reply(&engine, &Reply::Welcome).map(|()| request)
    });
    handshake::offer(&terminal).unwrap();
    handshake::request(&terminal, &Request::Look).unwrap();
    assert!(matches!(greeting.join().unwrap().unwrap(), Ok(Request::Look)));
}

#[test]
fn commands_wait_in_the_connection_while_the_engine_is_busy() {
    let (_temp, path, listener) = socket();
    let ((inward, inbox), (said, farewell)) = (inbox(), unbounded());
    let (go, gone) = unbounded::<()>();
    let taken = inbox.clone();
    // Takes no command until it is told to go on.
    let thread = std::thread::spawn(move || {
        let Ok(Inward::Join { outlet, answer, .. }) = inbox.recv() else { panic!("nobody comes") };
        let _ = outlet.send(Event::Session(Box::default()));
        let _ = answer.send(Ok(()));
        let _ = gone.recv();
        let commands = inbox.iter().take_while(|message| !matches!(message, Inward::Heard(_, Command::Stop)));
        let got = commands.filter(|message| matches!(message, Inward::Heard(_, Command::Undo))).count();
        let _ = outlet.send(log(&got.to_string()));
        let _ = outlet.send(Event::Bye { unsaved: String::new() });
        let _ = said.send(String::new());
        Ok(())
    });
    let engine = Engine { inward, roster: Roster::default(), farewell, thread };
    let server = std::thread::spawn(move || serve(engine, listener));
    let only = connect(&path, Join::review("anna")).unwrap();
    assert!(matches!(next(&only), Event::Session(_)));
    let many = 200_000;
    for _ in 0..many {
        only.commands.send(Command::Undo).unwrap();
    }
    // What waits for the engine fills up to its limit and no further.
    let limit = Instant::now() + WITHIN;
    while taken.len() < WAITING && Instant::now() < limit {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(taken.len(), WAITING);
    // Nor does it take up memory elsewhere in the engine: the terminal still has most of it.
    assert!(only.commands.len() > many / 2, "{} are left", only.commands.len());
    drop((go, taken));
    only.commands.send(Command::Stop).unwrap();
    assert_eq!(next(&only), log(&many.to_string()), "none is lost");
    server.join().unwrap().unwrap();
}

#[test]
fn an_engine_of_another_version_is_named() {
    let (_temp, path, listener) = socket();
    let engine = std::thread::spawn(move || {
        let other = |version| {
            let (mut stream, _) = listener.accept().unwrap();
            handshake::offer_version(&mut stream, version).unwrap();
            stream
        };
        let newer = other(PROTOCOL_VERSION + 1);
        let six = other(6);
        // One from before there were greetings begins with an event.
        let (mut older, _) = listener.accept().unwrap();
        write_event(&mut older, Event::Session(Box::default())).unwrap();
        let _ = [newer, six, older].map(|mut stream| stream.read_to_end(&mut Vec::new()));
    });
    for theirs in [(PROTOCOL_VERSION + 1).to_string(), "6".to_owned(), "an older one".to_owned()] {
        let error = connect(&path, Join::review("anna")).map(drop).unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error:?}");
        let words = format!("another version of Chaffinch (its protocol is {theirs}");
        assert!(error.to_string().contains(&words), "{error}");
    }
    engine.join().unwrap();
}

#[test]
fn what_is_not_on_disk_at_the_end_is_an_error_over_the_socket_too() {
    let (_temp, path, listener) = socket();
    let (engine, _told, _outlets) = fake("anna.jsonl: gone");
    let server = std::thread::spawn(move || serve(engine, listener));
    let only = connect(&path, Join::review("anna")).unwrap();
    assert!(only.greets(WITHIN));
    let error = only.stop_within(WITHIN).unwrap_err();
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
