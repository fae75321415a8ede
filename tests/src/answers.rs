//! How a terminal responds to queries, how late and in which pieces.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Kinds of terminals.
#[derive(Clone, Debug)]
pub struct Manner {
    /// Understands kitty's graphics.
    pub kitty: bool,
    /// Understands sixels.
    pub sixel: bool,
    /// Reports the cell size, width and height.
    pub cell: Option<(u16, u16)>,
    /// Reports its name.
    pub version: Option<&'static str>,
    /// Reports the color behind its text, as `rgb:ffff/ffff/ffff`.
    pub ground: Option<&'static str>,
    /// Does not respond at all.
    pub mute: bool,
    /// Responds with this delay.
    pub delay: Duration,
    /// Responses come in pieces of this many bytes, a moment apart.
    pub pieces: Option<usize>,
    /// Accepts this many bytes per second.
    pub rate: Option<usize>,
}

impl Default for Manner {
    /// A plain terminal: it reports its identity and the cursor position.
    fn default() -> Manner {
        Manner {
            kitty: false,
            sixel: false,
            cell: None,
            version: None,
            ground: None,
            mute: false,
            delay: Duration::ZERO,
            pieces: None,
            rate: None,
        }
    }
}

impl Manner {
    /// A terminal like kitty, with cells of 10 by 20 pixels.
    pub fn kitty() -> Manner {
        Manner { kitty: true, cell: Some((10, 20)), version: Some("kitty(0.40.1)"), ..Manner::default() }
    }

    /// A terminal with sixels.
    pub fn sixel() -> Manner {
        Manner { sixel: true, cell: Some((10, 20)), ..Manner::default() }
    }
}

/// Reads queries and releases responses when they are due.
pub struct Answers {
    manner: Manner,
    unread: Vec<u8>,
    waiting: VecDeque<(Instant, Vec<u8>)>,
}

/// Time between two pieces of a response.
const MOMENT: Duration = Duration::from_millis(30);

impl Answers {
    /// Without queries so far.
    pub fn new(manner: Manner) -> Answers {
        Answers { manner, unread: Vec::new(), waiting: VecDeque::new() }
    }

    /// Reads the program's output.
    pub fn read(&mut self, bytes: &[u8], cursor: (u16, u16), now: Instant) {
        self.unread.extend_from_slice(bytes);
        let mut at = 0;
        while let Some(start) = self.unread[at..].iter().position(|byte| *byte == 0x1b).map(|n| n + at) {
            let rest = &self.unread[start..];
            let Some(length) = length(rest) else {
                // Not complete yet.
                self.unread.drain(..start);
                return;
            };
            if let Some(answer) = self.answer(&rest[..length], cursor) {
                self.put(answer.into_bytes(), now);
            }
            at = start + length;
        }
        self.unread.clear();
    }

    fn answer(&self, question: &[u8], cursor: (u16, u16)) -> Option<String> {
        let manner = &self.manner;
        if manner.mute {
            return None;
        }
        let text = String::from_utf8_lossy(question);
        if let Some(rest) = text.strip_prefix("\x1b_G") {
            let id = rest.split([',', ';']).find_map(|key| key.strip_prefix("i="))?;
            return (manner.kitty && rest.contains("a=q")).then(|| format!("\x1b_Gi={id};OK\x1b\\"));
        }
        match &*text {
            "\x1b[c" | "\x1b[0c" => Some(format!("\x1b[?62;{}22c", if manner.sixel { "4;" } else { "" })),
            "\x1b[5n" => Some("\x1b[0n".to_owned()),
            "\x1b[6n" => Some(format!("\x1b[{};{}R", cursor.0 + 1, cursor.1 + 1)),
            "\x1b[16t" => manner.cell.map(|(width, height)| format!("\x1b[6;{height};{width}t")),
            "\x1b]11;?\x1b\\" => manner.ground.map(|color| format!("\x1b]11;{color}\x1b\\")),
            "\x1b[>q" => manner.version.map(|name| format!("\x1bP>|{name}\x1b\\")),
            _ => None,
        }
    }

    fn put(&mut self, answer: Vec<u8>, now: Instant) {
        let last = self.waiting.back().map_or(now, |(at, _)| *at);
        let mut at = last.max(now + self.manner.delay);
        let size = self.manner.pieces.unwrap_or(answer.len());
        for piece in answer.chunks(size.max(1)) {
            self.waiting.push_back((at, piece.to_vec()));
            if self.manner.pieces.is_some() {
                at += MOMENT;
            }
        }
    }

    /// What to write to the program now.
    pub fn due(&mut self, now: Instant) -> Vec<Vec<u8>> {
        let count = self.waiting.iter().take_while(|(at, _)| *at <= now).count();
        self.waiting.drain(..count).map(|(_, piece)| piece).collect()
    }
}

/// The length of the escape sequence at the start of these bytes; `None` if it is incomplete.
fn length(bytes: &[u8]) -> Option<usize> {
    match bytes.get(1)? {
        b'[' => bytes[2..].iter().position(|byte| (0x40..=0x7e).contains(byte)).map(|end| end + 3),
        b'_' | b'P' | b']' => {
            let body = &bytes[2..];
            let bell = body.iter().position(|byte| *byte == 7 && bytes[1] == b']').map(|end| end + 3);
            let end = body.windows(2).position(|pair| pair == b"\x1b\\").map(|end| end + 4);
            bell.into_iter().chain(end).min()
        }
        _ => Some(2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_seen_however_they_are_cut() {
        let asked = b"x\x1b_Gi=31,a=q;AAAA\x1b\\\x1b[16t\x1b]52;c;x\x07\x1b[c\x1b[5n";
        for cut in 0..asked.len() {
            let mut answers = Answers::new(Manner::kitty());
            let now = Instant::now();
            answers.read(&asked[..cut], (0, 0), now);
            answers.read(&asked[cut..], (0, 0), now);
            let got = answers.due(now).concat();
            assert_eq!(
                got.escape_ascii().to_string(),
                r"\x1b_Gi=31;OK\x1b\\\x1b[6;20;10t\x1b[?62;22c\x1b[0n"
            );
        }
    }
}
