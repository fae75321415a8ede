//! Bytes from the terminal to crossterm's events. Anything not understood is a reply to some query and is never
//! taken for something typed. `docs/terminal-input.md` says why this is not crossterm's own parser.

mod sequence;

use super::input::Input;
use crossterm::event::{Event, KeyCode, KeyEvent};
use sequence::{Step, step};

/// Longest answer or unfinished sequence that is waited for.
const LONGEST: usize = 64 * 1024;
/// Longest paste.
const PASTE: usize = 1024 * 1024;
const PASTE_END: &[u8] = b"\x1b[201~";

/// Takes bytes in any pieces.
#[derive(Clone, Debug, Default)]
pub struct Parser {
    buffer: Vec<u8>,
    paste: Option<Vec<u8>>,
    late: bool,
    /// Replies are expected, so a partial one is kept however long the rest takes.
    expecting: bool,
    /// The buffer has survived a long pause.
    lingering: bool,
    /// A single character after an Escape that was already emitted: the rest of a reply, or a key.
    doubtful: bool,
}

impl Parser {
    /// Whether queries to the terminal are pending.
    pub fn expect(&mut self, answers: bool) {
        self.expecting = answers;
    }

    /// Parses bytes; complete inputs are appended to `out`.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<Input>) {
        self.doubtful = false;
        let lingering = std::mem::take(&mut self.lingering);
        if std::mem::take(&mut self.late) && self.buffer.is_empty() {
            // Escape was already given out because the rest of a sequence was late: over a slow link the arrow keys
            // would otherwise type letters, and letters decide about samples.
            let key = bytes.len() > 1 && matches!(bytes[0], b'[' | b'O') && !lingering;
            let answer = self.expecting && could_be_answer(&[b"\x1b", bytes].concat());
            if key || answer {
                self.buffer.push(0x1b);
                self.doubtful = bytes.len() == 1;
            }
        } else if lingering && !could_be_answer(&[&self.buffer, bytes].concat()) {
            self.buffer.clear();
        }
        self.buffer.extend_from_slice(bytes);
        loop {
            if let Some(mut text) = self.paste.take() {
                if !self.pasting(&mut text, out) {
                    self.paste = Some(text);
                    return;
                }
                continue;
            }
            if self.buffer.is_empty() {
                return;
            }
            match step(&self.buffer) {
                Step::More if self.buffer.len() > LONGEST => self.buffer.clear(),
                Step::More => return,
                Step::Done(used, input) => {
                    let started = self.buffer[..used] == *b"\x1b[200~";
                    self.buffer.drain(..used);
                    if started {
                        self.paste = Some(Vec::new());
                    } else {
                        out.extend(input);
                    }
                }
            }
        }
    }

    /// Moves bytes into the paste. Returns whether the end was found.
    fn pasting(&mut self, text: &mut Vec<u8>, out: &mut Vec<Input>) -> bool {
        let end = self.buffer.windows(PASTE_END.len()).position(|window| window == PASTE_END);
        let take = end.unwrap_or_else(|| {
            // The end may be split across two chunks.
            let keep =
                (1..PASTE_END.len()).rev().find(|n| self.buffer.ends_with(&PASTE_END[..*n])).unwrap_or(0);
            self.buffer.len() - keep
        });
        let room = PASTE.saturating_sub(text.len());
        text.extend_from_slice(&self.buffer[..take.min(room)]);
        self.buffer.drain(..take);
        if end.is_some() {
            self.buffer.drain(..PASTE_END.len());
            out.push(Input::Event(Event::Paste(String::from_utf8_lossy(text).into_owned())));
        }
        end.is_some()
    }

    /// Whether something unfinished waits for the rest.
    pub fn pending(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// A short pause: a lone Escape is the key.
    pub fn short_silence(&mut self, out: &mut Vec<Input>) {
        if self.buffer == [0x1b] && self.paste.is_none() {
            self.buffer.clear();
            self.late = true;
            out.push(KeyEvent::from(KeyCode::Esc).into());
        } else if std::mem::take(&mut self.doubtful)
            && let Some(character) = self.buffer.get(1).copied()
        {
            self.buffer.clear();
            out.push(KeyEvent::from(KeyCode::Char(char::from(character))).into());
        }
    }

    /// A long pause: an unfinished sequence will not be completed, unless it may be part of an expected reply.
    pub fn long_silence(&mut self) {
        self.late &= self.expecting;
        self.lingering = self.expecting && (self.late || could_be_answer(&self.buffer));
        if self.paste.is_none() && !self.lingering {
            self.buffer.clear();
        }
    }
}

/// Whether these bytes start like a reply to one of our queries. Strict, so that a partial reply whose rest
/// never arrives swallows no key.
fn could_be_answer(bytes: &[u8]) -> bool {
    const LIMIT: usize = 256;
    let text = |bytes: &[u8]| {
        let end = bytes.iter().position(|byte| *byte < 0x20).unwrap_or(bytes.len());
        end < LIMIT && matches!(bytes.get(end), None | Some(0x1b | 0x07))
    };
    match bytes {
        [0x1b, b'_'] | [0x1b, b'P'] | [0x1b, b'P', b'>'] | [0x1b, b'['] => true,
        [0x1b, b']'] | [0x1b, b']', b'1'] | [0x1b, b']', b'1', b'1'] => true,
        [0x1b, b']', b'1', b'1', b';', rest @ ..] => text(rest),
        [0x1b, b'_', b'G', rest @ ..] | [0x1b, b'P', b'>', b'|', rest @ ..] => text(rest),
        [0x1b, b'[', rest @ ..] => {
            let end = rest.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b';'));
            match (rest[0], end) {
                (b'?', _) => rest[1..]
                    .iter()
                    .find(|byte| !matches!(byte, b'0'..=b'9' | b';'))
                    .is_none_or(|last| *last == b'c'),
                (b'0'..=b'9', Some(end)) => matches!(rest[end], b't' | b'n' | b'c'),
                (b'0'..=b'9', None) => true,
                _ => false,
            }
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
