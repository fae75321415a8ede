//! The protocol over a Unix socket, for an engine in a separate process: it keeps working when its terminal is lost,
//! and other terminals can connect.
//!
//! A terminal and the engine first tell each other which version of the protocol they speak, and then how the terminal wants
//! to take part (`handshake`); before that, a connection changes nothing. `door` lets terminals in. What a terminal does not
//! read is kept up to a limit (`outbox`). `message` is how all of it is written.

mod door;
mod handshake;
mod message;
mod outbox;
#[cfg(test)]
mod tests;

pub use door::serve;
pub use message::{read_command, read_event, write_event};

use crate::Client;
use crate::{Error, Result};
use chaffinch_protocol::{Attached, Command, Event, Join};
use crossbeam_channel::unbounded;
use handshake::{Refused, Reply, Request};
use message::write_message;
use std::io::{BufReader, BufWriter};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread::JoinHandle;

/// Asks the engine behind a socket for something.
fn ask(path: &Path, request: &Request) -> Result<(UnixStream, Reply)> {
    let stream = UnixStream::connect(path).map_err(Error::io("connect to", path))?;
    let reply = handshake::offer(&stream)
        .and_then(|()| handshake::request(&stream, request).map_err(Refused::Silent));
    let reply = reply.map_err(|refused| refused.into_error(path))?;
    Ok((stream, reply))
}

/// Who takes part in the session of the engine behind a socket.
///
/// # Errors
/// When no engine is listening there, or it speaks another version of the protocol, which is an [`Error::Invalid`].
pub fn look(path: &Path) -> Result<Vec<Attached>> {
    match ask(path, &Request::Look)? {
        (_, Reply::There { attached }) => Ok(attached),
        (_, Reply::Refused { message }) => Err(Error::Invalid(message)),
        (_, Reply::Welcome) => Ok(Vec::new()),
    }
}

/// Connects to the engine behind a socket, to take part in its session.
///
/// # Errors
/// When no engine is listening there. When it speaks another version of the protocol, or the terminal cannot take part in this
/// way, that is an [`Error::Invalid`].
pub fn connect(path: &Path, join: Join) -> Result<Client> {
    let (stream, reply) = ask(path, &Request::Join { join })?;
    if let Reply::Refused { message } = reply {
        return Err(Error::Invalid(message));
    }
    let reading = stream.try_clone().map_err(Error::io("connect to", path))?;
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
        let mut out = BufWriter::new(&stream);
        // Where it takes no commands any more, it still says why, and closes the connection itself.
        let goes_on = inbox
            .into_iter()
            .all(|command| write_message(&mut out, &command, &[]).is_ok() && command != Command::Stop);
        drop(out);
        if goes_on {
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
