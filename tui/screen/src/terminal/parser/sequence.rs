//! One key, answer or report at the beginning of some bytes.

use crate::terminal::input::Input;
use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

/// What the first bytes are.
pub(super) enum Step {
    /// This many bytes are one input, or nothing.
    Done(usize, Option<Input>),
    /// The sequence is not complete.
    More,
}

/// Looks at the first bytes, of which there is at least one.
pub(super) fn step(bytes: &[u8]) -> Step {
    match bytes[0] {
        0x1b => escape(bytes),
        b'\r' => key(1, KeyCode::Enter),
        b'\t' => key(1, KeyCode::Tab),
        0x7f => key(1, KeyCode::Backspace),
        0 => ctrl(' '),
        c @ 1..=26 => ctrl(char::from(c - 1 + b'a')),
        // By their names (`C-\`): crossterm has them as C-4 to C-7, which are hard to recognize.
        c @ 28..=31 => ctrl(char::from(c - 28 + b'\\')),
        _ => character(bytes),
    }
}

fn key(used: usize, code: impl Into<KeyEvent>) -> Step {
    Step::Done(used, Some(Input::from(code.into())))
}

fn ctrl(c: char) -> Step {
    key(1, KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL))
}

/// A character as it was typed: capitals come with Shift, as crossterm has them.
fn typed(c: char) -> KeyEvent {
    let modifiers = if c.is_uppercase() { KeyModifiers::SHIFT } else { KeyModifiers::NONE };
    KeyEvent::new(KeyCode::Char(c), modifiers)
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
            Some(c) => key(len, typed(c)),
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
            Some(last) => match named(*last) {
                Some(code) => key(3, code),
                None => Step::Done(3, Some(Input::Reply(bytes[..3].to_vec()))),
            },
        },
        Some(b'P' | b'_' | b']' | b'^' | b'X') => string(bytes),
        Some(0x1b) => key(1, KeyCode::Esc),
        Some(_) => match step(&bytes[1..]) {
            Step::Done(used, Some(Input::Event(Event::Key(inner)))) => {
                key(used + 1, KeyEvent { modifiers: inner.modifiers | KeyModifiers::ALT, ..inner })
            }
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
            Some(c @ b'A'..=b'E') => key(4, KeyCode::F(c - b'A' + 1)),
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
    let code = match last {
        b'I' if params.is_empty() => return Some(Input::Event(Event::FocusGained)),
        b'O' if params.is_empty() => return Some(Input::Event(Event::FocusLost)),
        b'Z' => return Some(KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT).into()),
        b'~' => match numbers.first()? {
            1 | 7 => KeyCode::Home,
            2 => KeyCode::Insert,
            3 => KeyCode::Delete,
            4 | 8 => KeyCode::End,
            5 => KeyCode::PageUp,
            6 => KeyCode::PageDown,
            n @ 11..=15 => KeyCode::F((n - 10) as u8),
            n @ 17..=21 => KeyCode::F((n - 11) as u8),
            n @ 23..=24 => KeyCode::F((n - 12) as u8),
            _ => return None,
        },
        b'u' => match *numbers.first()? {
            13 => KeyCode::Enter,
            9 => KeyCode::Tab,
            27 => KeyCode::Esc,
            127 => KeyCode::Backspace,
            n => KeyCode::Char(char::from_u32(n).filter(|c| !c.is_control())?),
        },
        // `R` with two numbers is the cursor's position, an answer.
        b'R' => return None,
        _ => named(last)?,
    };
    let modifiers = modifiers(numbers.get(1).map_or(0, |mask| mask.saturating_sub(1)));
    Some(KeyEvent::new_with_kind(code, modifiers, kind(params)).into())
}

/// The key for a final letter, after `CSI` or `SS3`.
fn named(last: u8) -> Option<KeyCode> {
    Some(match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'H' => KeyCode::Home,
        b'F' => KeyCode::End,
        b'P' => KeyCode::F(1),
        b'Q' => KeyCode::F(2),
        b'R' => KeyCode::F(3),
        b'S' => KeyCode::F(4),
        b'M' => KeyCode::Enter,
        _ => return None,
    })
}

fn modifiers(mask: u32) -> KeyModifiers {
    let bits = [
        KeyModifiers::SHIFT,
        KeyModifiers::ALT,
        KeyModifiers::CONTROL,
        KeyModifiers::SUPER,
        KeyModifiers::HYPER,
        KeyModifiers::META,
    ];
    let held = bits.into_iter().enumerate().filter(|(bit, _)| mask & (1 << bit) != 0);
    held.fold(KeyModifiers::NONE, |all, (_, modifier)| all | modifier)
}

/// What kitty's keyboard protocol adds after the modifiers, if an earlier program left it enabled.
fn kind(params: &[u8]) -> KeyEventKind {
    let second = params.split(|byte| *byte == b';').nth(1);
    match second.and_then(|second| second.split(|byte| *byte == b':').nth(1)) {
        Some(b"2") => KeyEventKind::Repeat,
        Some(b"3") => KeyEventKind::Release,
        _ => KeyEventKind::Press,
    }
}

fn mouse(params: &[u8], last: u8) -> Option<Input> {
    let [buttons, x, y] = numbers(params)?[..] else { return None };
    let at = |number: u32| u16::try_from(number).ok().map(|number| number.saturating_sub(1));
    let button = match buttons & 3 {
        0 => MouseButton::Left,
        1 => MouseButton::Middle,
        _ => MouseButton::Right,
    };
    let kind = match (buttons & 0b1100_0011, buttons & 32 != 0, last) {
        (0..=2, false, b'M') => MouseEventKind::Down(button),
        (0..=2, false, b'm') => MouseEventKind::Up(button),
        (0..=2, true, _) => MouseEventKind::Drag(button),
        (3, true, _) => MouseEventKind::Moved,
        (64, false, b'M') => MouseEventKind::ScrollUp,
        (65, false, b'M') => MouseEventKind::ScrollDown,
        (66, false, b'M') => MouseEventKind::ScrollLeft,
        (67, false, b'M') => MouseEventKind::ScrollRight,
        _ => return None,
    };
    let modifiers = modifiers((buttons >> 2) & 0b111);
    Some(Input::Event(Event::Mouse(MouseEvent { kind, column: at(x)?, row: at(y)?, modifiers })))
}
