//! Messages on a socket: two little-endian 32-bit lengths, followed by JSON text and raw bytes of these lengths. The raw bytes
//! are pixels, which would be four times as long in JSON.

use chaffinch_protocol::{Command, Event};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, Read, Write};

/// Maximum length of a part of a message; anything longer is invalid.
const MOST: u32 = 256 << 20;

pub(super) fn write_message(out: &mut impl Write, message: &impl Serialize, raw: &[u8]) -> io::Result<()> {
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

pub(super) fn read_message<T: DeserializeOwned>(input: &mut impl Read) -> io::Result<(T, Vec<u8>)> {
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

#[cfg(test)]
mod tests {
    use super::*;
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
