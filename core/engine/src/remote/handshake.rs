//! What a terminal and an engine tell each other before anything else: which version of the protocol they speak, and then
//! what the terminal wants. The first message is the same in all versions, so that each can name the other. Both must be
//! processes of the same user.

use super::message::{read_message, write_message};
use crate::Error;
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_protocol::{Attached, Join, PROTOCOL_VERSION};
use rustix::net::sockopt::socket_peercred;
use rustix::process::geteuid;
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long the other side may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long an engine that is busy may take to let a terminal in.
const ADMISSION: Duration = Duration::from_secs(30);

/// The longest greeting; anything longer is none.
const LONGEST: u64 = 1024;

/// The longest request.
const LONGEST_REQUEST: u64 = 16 << 10;

/// Either side's first message.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hello {
    chaffinch: u32,
    /// Why the engine takes no command from this terminal.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    refused: String,
}

impl Hello {
    fn of(version: u32) -> Hello {
        Hello { chaffinch: version, refused: String::new() }
    }
}

/// What a terminal wants, once both speak the same version.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Request {
    /// To know who takes part.
    Look,
    /// To take part.
    Join { join: Join },
}

/// What an engine answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reply {
    /// These take part.
    There { attached: Vec<Attached> },
    /// The terminal takes part; events follow.
    Welcome,
    /// It does not.
    Refused { message: String },
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum Refused {
    /// The other side speaks this version, or one that has no greeting.
    Version(Option<u32>),
    /// It does not answer.
    Silent(io::Error),
    /// It says why, or belongs to somebody else.
    Told(String),
}

impl Refused {
    /// For people.
    pub(super) fn into_error(self, path: &Path) -> Error {
        match self {
            Refused::Silent(error) => Error::io("connect to", path)(error),
            Refused::Told(reason) => Error::Invalid(format!("{}: {}", safe_path(path), safe_text(&reason))),
            Refused::Version(theirs) => {
                let theirs = theirs.map_or_else(|| "an older one".to_owned(), |theirs| theirs.to_string());
                Error::Invalid(format!(
                    "this session is open in another version of Chaffinch (its protocol is {theirs}, this program's is \
                     {PROTOCOL_VERSION}); quit it there first"
                ))
            }
        }
    }
}

/// A terminal's side.
pub(super) fn offer(stream: &UnixStream) -> Result<(), Refused> {
    same_user(stream).map_err(Refused::Told)?;
    // One that refuses may have hung up before; what it said on the way is there all the same.
    match (offer_version(&mut &*stream, PROTOCOL_VERSION), answer(stream)) {
        (Err(error), Ok(()) | Err(Refused::Silent(_))) => Err(Refused::Silent(error)),
        (_, answered) => answered,
    }
}

/// Says which version a terminal speaks.
pub(super) fn offer_version(out: &mut impl Write, version: u32) -> io::Result<()> {
    write_message(out, &Hello::of(version), &[])
}

/// Reads which version an engine speaks.
pub(super) fn answer(stream: &UnixStream) -> Result<(), Refused> {
    match read_hello(stream) {
        Ok(Some(hello)) if !hello.refused.is_empty() => Err(Refused::Told(hello.refused)),
        Ok(Some(Hello { chaffinch: PROTOCOL_VERSION, .. })) => Ok(()),
        Ok(theirs) => Err(Refused::Version(theirs.map(|hello| hello.chaffinch))),
        Err(error) => Err(Refused::Silent(error)),
    }
}

/// Sends a terminal's request, and waits for the answer.
pub(super) fn request(stream: &UnixStream, request: &Request) -> io::Result<Reply> {
    write_message(&mut &*stream, request, &[])?;
    stream.set_read_timeout(Some(ADMISSION))?;
    let reply = read_message::<Reply>(&mut &*stream);
    stream.set_read_timeout(None)?;
    reply.map(|(reply, _)| reply)
}

/// An engine's side: what a terminal wants. One that speaks another version, or is another user's, is told so.
pub(super) fn accept(stream: &UnixStream) -> io::Result<Request> {
    accept_from(stream, same_user(stream))
}

/// The same for a terminal about whose user this is known.
pub(super) fn accept_from(stream: &UnixStream, user: Result<(), String>) -> io::Result<Request> {
    stream.set_write_timeout(Some(PATIENCE))?;
    if let Err(refused) = user {
        write_message(&mut &*stream, &Hello { refused, ..Hello::of(PROTOCOL_VERSION) }, &[])?;
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let Some(theirs) = read_hello(stream)? else { return Err(io::ErrorKind::InvalidData.into()) };
    write_message(&mut &*stream, &Hello::of(PROTOCOL_VERSION), &[])?;
    if theirs.chaffinch != PROTOCOL_VERSION {
        return Err(io::ErrorKind::InvalidData.into());
    }
    stream.set_read_timeout(Some(PATIENCE))?;
    let (request, _) = read_message::<Request>(&mut stream.take(LONGEST_REQUEST))?;
    stream.set_read_timeout(None)?;
    Ok(request)
}

/// Answers a request.
pub(super) fn reply(stream: &UnixStream, reply: &Reply) -> io::Result<()> {
    write_message(&mut &*stream, reply, &[])?;
    stream.set_write_timeout(None)
}

/// Whether the process at the other end is this user's, as the system says.
fn same_user(stream: &UnixStream) -> Result<(), String> {
    let own = geteuid();
    match socket_peercred(stream) {
        Ok(theirs) => check_user(theirs.uid.as_raw(), own.as_raw()),
        Err(error) => Err(format!("the system does not say whose process is at the other end: {error}")),
    }
}

/// Refuses another user, also root: its files would be in the session then.
pub(super) fn check_user(theirs: u32, own: u32) -> Result<(), String> {
    match theirs == own {
        true => Ok(()),
        false => Err(format!(
            "this session is open for the user with the number {own}, and the other process belongs to {theirs}; \
             open it as the same user"
        )),
    }
}

/// A greeting; `None` if the message is none.
fn read_hello(stream: &UnixStream) -> io::Result<Option<Hello>> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut limited = stream.take(LONGEST);
    let hello = read_message::<Hello>(&mut limited);
    stream.set_read_timeout(None)?;
    match hello {
        Ok((hello, _)) => Ok(Some(hello)),
        // Closed without a word, as by an engine that is just ending, or too slow.
        Err(error) if limited.limit() == LONGEST => Err(error),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
            Err(error)
        }
        Err(_) => Ok(None),
    }
}
