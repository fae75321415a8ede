//! One key, answer or report at the beginning of some bytes.

use super::Input;
use crate::key::{Code, Key};

/// What the first bytes are.
pub(super) enum Step {
    /// So many bytes are one input, or nothing.
    Done(usize, Option<Input>),
    /// The sequence is not complete.
    More,
}

/// Looks at the first bytes, of which there is at least one.
pub(super) fn step(bytes: &[u8]) -> Step {
    match bytes[0] {
        0x1b => escape(bytes),
        b'\r' => key(1, Key::plain(Code::Enter)),
        b'\t' => key(1, Key::plain(Code::Tab)),
        0x7f => key(1, Key::plain(Code::Backspace)),
        0 => key(1, Key::ctrl(' ')),
        c @ 1..=26 => key(1, Key::ctrl(char::from(c - 1 + b'a'))),
        c @ 28..=31 => key(1, Key::ctrl(char::from(c - 28 + b'\\'))),
        _ => character(bytes),
    }
}

fn key(used: usize, key: Key) -> Step {
    Step::Done(used, Some(Input::Key(key)))
}

fn character(bytes: &[u8]) -> Step {
    let len = match bytes[0] {
        0x20..=0x7e => 1,
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return Step::Done(1, None),
    };
    let piece = &bytes[..len.min(bytes.len())];
    match std::str::from_utf8(piece) {
        Ok(text) => match text.chars().next().filter(|c| !c.is_control()) {
            Some(c) => key(len, Key::char(c)),
            None => Step::Done(len, None),
        },
        Err(error) if error.error_len().is_none() && bytes.len() < len => Step::More,
        Err(_) => Step::Done(1, None),
    }
}

fn escape(bytes: &[u8]) -> Step {
    match bytes.get(1) {
        None => Step::More,
        Some(b'[') => control(bytes),
        Some(b'O') => match bytes.get(2) {
            None => Step::More,
            Some(c) => Step::Done(3, Some(arrow(*c, 0).unwrap_or_else(|| Input::Reply(bytes[..3].to_vec())))),
        },
        Some(b'P' | b'_' | b']' | b'^' | b'X') => string(bytes),
        Some(0x1b) => key(1, Key::plain(Code::Esc)),
        Some(_) => match step(&bytes[1..]) {
            Step::Done(used, Some(Input::Key(inner))) => key(used + 1, Key { alt: true, ..inner }),
            Step::Done(used, _) => Step::Done(used + 1, None),
            Step::More => Step::More,
        },
    }
}

/// A string of the terminal, up to its end: answers to questions, never text.
fn string(bytes: &[u8]) -> Step {
    let mut at = 2;
    while at < bytes.len() {
        match bytes[at] {
            0x07 => return Step::Done(at + 1, Some(Input::Reply(bytes[..=at].to_vec()))),
            0x1b => match bytes.get(at + 1) {
                None => return Step::More,
                Some(b'\\') => return Step::Done(at + 2, Some(Input::Reply(bytes[..at + 2].to_vec()))),
                // Another sequence begins: this one was cut off.
                Some(_) => return Step::Done(at, None),
            },
            _ => at += 1,
        }
    }
    Step::More
}

fn control(bytes: &[u8]) -> Step {
    let mut end = 2;
    if bytes.get(2) == Some(&b'[') {
        // The Linux console's function keys.
        return match bytes.get(3) {
            None => Step::More,
            Some(c @ b'A'..=b'E') => key(4, Key::plain(Code::F(c - b'A' + 1))),
            Some(_) => Step::Done(4, None),
        };
    }
    loop {
        match bytes.get(end) {
            None => return Step::More,
            Some(0x20..=0x3f) => end += 1,
            Some(0x40..=0x7e) => break,
            // A byte that cannot stand here: the sequence was cut off.
            Some(_) => return Step::Done(end, None),
        }
    }
    let used = end + 1;
    let (params, last) = (&bytes[2..end], bytes[end]);
    if last == b'M' && params.is_empty() {
        // The oldest mouse report: three more bytes of any value.
        return if bytes.len() < used + 3 { Step::More } else { Step::Done(used + 3, None) };
    }
    if let Some(b'<') = params.first() {
        return Step::Done(used, mouse(&params[1..], last));
    }
    let input = plain_control(params, last).unwrap_or_else(|| Input::Reply(bytes[..used].to_vec()));
    Step::Done(used, Some(input))
}

fn numbers(params: &[u8]) -> Option<Vec<u32>> {
    let text = std::str::from_utf8(params).ok()?;
    if text.is_empty() {
        return Some(Vec::new());
    }
    // What follows a colon says more than is needed.
    text.split(';').map(|part| part.split(':').next().unwrap_or("").parse().ok()).collect()
}

fn plain_control(params: &[u8], last: u8) -> Option<Input> {
    let numbers = numbers(params)?;
    let modifier = numbers.get(1).map_or(0, |m| m.saturating_sub(1));
    match last {
        b'I' if params.is_empty() => Some(Input::Focus(true)),
        b'O' if params.is_empty() => Some(Input::Focus(false)),
        b'Z' => Some(Input::Key(Key::plain(Code::BackTab))),
        b'~' => {
            let code = match numbers.first()? {
                1 | 7 => Code::Home,
                2 => Code::Insert,
                3 => Code::Delete,
                4 | 8 => Code::End,
                5 => Code::PageUp,
                6 => Code::PageDown,
                n @ 11..=15 => Code::F((n - 10) as u8),
                n @ 17..=21 => Code::F((n - 11) as u8),
                n @ 23..=24 => Code::F((n - 12) as u8),
                _ => return None,
            };
            Some(Input::Key(with(code, modifier)))
        }
        b'u' => {
            let code = match *numbers.first()? {
                13 => Code::Enter,
                9 => Code::Tab,
                27 => Code::Esc,
                127 => Code::Backspace,
                n => Code::Char(char::from_u32(n).filter(|c| !c.is_control())?),
            };
            Some(Input::Key(with(code, modifier)))
        }
        // `R` with two numbers is the cursor's position, an answer.
        b'R' => None,
        _ => arrow(last, modifier),
    }
}

fn arrow(last: u8, modifier: u32) -> Option<Input> {
    let code = match last {
        b'A' => Code::Up,
        b'B' => Code::Down,
        b'C' => Code::Right,
        b'D' => Code::Left,
        b'H' => Code::Home,
        b'F' => Code::End,
        b'P' => Code::F(1),
        b'Q' => Code::F(2),
        b'R' => Code::F(3),
        b'S' => Code::F(4),
        b'M' => Code::Enter,
        _ => return None,
    };
    Some(Input::Key(with(code, modifier)))
}

fn with(code: Code, modifier: u32) -> Key {
    let character = matches!(code, Code::Char(_));
    Key { code, shift: modifier & 1 != 0 && !character, alt: modifier & 2 != 0, ctrl: modifier & 4 != 0 }
}

fn mouse(params: &[u8], last: u8) -> Option<Input> {
    let numbers = numbers(params)?;
    let [button, x, y] = numbers[..] else { return None };
    let (x, y) = (u16::try_from(x).ok()?.saturating_sub(1), u16::try_from(y).ok()?.saturating_sub(1));
    match (button & 0b1100_0011, last) {
        (0, b'M') if button & 32 == 0 => Some(Input::Click(x, y)),
        (64, b'M') => Some(Input::Wheel(-3, x, y)),
        (65, b'M') => Some(Input::Wheel(3, x, y)),
        _ => None,
    }
}
