//! Keys as a keymap writes them: `j`, `G`, `<C-d>`, `<PageUp>`. A [`KeyChord`] is crossterm's [`KeyEvent`] with an
//! order and this notation.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;

/// A key press as used in keymaps: a [`KeyEvent`] without what terminals report differently. Shift is part of a
/// character (`G`, not `<S-g>`) and kept only for other keys. With Control, letters have no case, because most
/// terminals send the same for both. Super, Hyper, key state and key kind are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyChord(KeyEvent);

impl KeyChord {
    /// A character without modifiers.
    pub const fn char(c: char) -> KeyChord {
        KeyChord(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE))
    }

    /// A character with Control.
    pub const fn ctrl(c: char) -> KeyChord {
        KeyChord(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL))
    }

    /// The character it types, if it types one.
    pub fn typed(&self) -> Option<char> {
        self.code.as_char().filter(|_| self.modifiers.is_empty())
    }
}

impl From<KeyEvent> for KeyChord {
    fn from(event: KeyEvent) -> KeyChord {
        let mut modifiers =
            event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        let shift = modifiers.contains(KeyModifiers::SHIFT);
        let code = match event.code {
            KeyCode::Char(c) if modifiers.contains(KeyModifiers::CONTROL) => {
                KeyCode::Char(c.to_ascii_lowercase())
            }
            KeyCode::Char(c) if shift => KeyCode::Char(c.to_ascii_uppercase()),
            KeyCode::Tab if shift => KeyCode::BackTab,
            code => code,
        };
        if matches!(code, KeyCode::Char(_) | KeyCode::BackTab) {
            modifiers.remove(KeyModifiers::SHIFT);
        }
        KeyChord(KeyEvent::new(code, modifiers))
    }
}

impl From<KeyCode> for KeyChord {
    fn from(code: KeyCode) -> KeyChord {
        KeyEvent::from(code).into()
    }
}

impl From<KeyChord> for KeyEvent {
    fn from(chord: KeyChord) -> KeyEvent {
        chord.0
    }
}

impl Deref for KeyChord {
    type Target = KeyEvent;

    fn deref(&self) -> &KeyEvent {
        &self.0
    }
}

/// The order in which help lists keys: characters, function keys, then named keys as in [`NAMES`].
fn rank(code: KeyCode) -> (usize, u32) {
    match code {
        KeyCode::Char(c) => (0, u32::from(c)),
        KeyCode::F(n) => (1, u32::from(n)),
        _ => (2 + NAMES.iter().position(|(_, named)| *named == code).unwrap_or(NAMES.len()), 0),
    }
}

impl Ord for KeyChord {
    fn cmp(&self, other: &KeyChord) -> Ordering {
        let key = |chord: &KeyChord| {
            let held = [KeyModifiers::CONTROL, KeyModifiers::ALT, KeyModifiers::SHIFT];
            (rank(chord.code), held.map(|modifier| chord.modifiers.contains(modifier)))
        };
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for KeyChord {
    fn partial_cmp(&self, other: &KeyChord) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

const NAMES: &[(&str, KeyCode)] = &[
    ("Space", KeyCode::Char(' ')),
    ("lt", KeyCode::Char('<')),
    ("Enter", KeyCode::Enter),
    ("Tab", KeyCode::Tab),
    ("BackTab", KeyCode::BackTab),
    ("Esc", KeyCode::Esc),
    ("Backspace", KeyCode::Backspace),
    ("Delete", KeyCode::Delete),
    ("Insert", KeyCode::Insert),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("PageUp", KeyCode::PageUp),
    ("PageDown", KeyCode::PageDown),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
];

impl fmt::Display for KeyChord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(_, code)| *code == self.code).map(|(name, _)| *name);
        if let (Some(c), None) = (self.typed(), name) {
            return write!(f, "{c}");
        }
        f.write_str("<")?;
        for (modifier, letter) in
            [(KeyModifiers::CONTROL, "C-"), (KeyModifiers::ALT, "A-"), (KeyModifiers::SHIFT, "S-")]
        {
            if self.modifiers.contains(modifier) {
                f.write_str(letter)?;
            }
        }
        match (name, self.code) {
            (Some(name), _) => f.write_str(name)?,
            (None, KeyCode::Char(c)) => write!(f, "{c}")?,
            (None, code) => write!(f, "{code}")?,
        }
        f.write_str(">")
    }
}

/// Formats a key sequence in keymap notation.
pub fn notation(keys: &[KeyChord]) -> String {
    keys.iter().map(KeyChord::to_string).collect()
}

/// Formats a sequence for display: with short names, and without brackets where that is unambiguous.
pub fn shown(keys: &[KeyChord]) -> String {
    let mut out = String::new();
    for key in keys {
        let text = key.to_string();
        let bare = text.strip_prefix('<').and_then(|t| t.strip_suffix('>')).unwrap_or(&text);
        if !out.is_empty() && (bare.chars().count() > 1 || out.chars().count() > 1) {
            out.push(' ');
        }
        out.push_str(match bare {
            "lt" => "<",
            "Up" => "↑",
            "Down" => "↓",
            "Left" => "←",
            "Right" => "→",
            "PageUp" => "PgUp",
            "PageDown" => "PgDn",
            "Backspace" => "Bksp",
            other => other,
        });
    }
    out
}

/// Parses a key sequence: `gg`, `,s`, `<C-d>`, `g<Tab>`.
///
/// # Errors
/// Describes what cannot be parsed.
pub fn parse_sequence(text: &str) -> Result<Vec<KeyChord>, String> {
    let mut keys = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '<' {
            let mut end = rest
                .find('>')
                .ok_or_else(|| format!("'{text}' has a '<' without '>': write <lt> for a literal '<'"))?;
            // The key of `<C->>` is '>'.
            if end > 2
                && rest[..end].ends_with('-')
                && !rest[..end].ends_with("--")
                && rest[end + 1..].starts_with('>')
            {
                end += 1;
            }
            keys.push(parse_named(&rest[1..end])?);
            rest = &rest[end + 1..];
        } else {
            keys.push(KeyChord::char(c));
            rest = &rest[c.len_utf8()..];
        }
    }
    if keys.is_empty() { Err("a key is missing".to_owned()) } else { Ok(keys) }
}

fn parse_named(inner: &str) -> Result<KeyChord, String> {
    let mut modifiers = KeyModifiers::NONE;
    let mut rest = inner;
    while rest.len() > 2 && rest.as_bytes()[1] == b'-' {
        modifiers |= match rest.as_bytes()[0].to_ascii_uppercase() {
            b'C' => KeyModifiers::CONTROL,
            b'A' | b'M' => KeyModifiers::ALT,
            b'S' => KeyModifiers::SHIFT,
            _ => return Err(format!("<{inner}> has an unknown modifier: use C-, A- or S-")),
        };
        rest = &rest[2..];
    }
    let ctrl = modifiers.contains(KeyModifiers::CONTROL);
    let mut chars = rest.chars();
    let code = match (chars.next(), chars.next()) {
        (Some(c), None) => KeyCode::Char(c),
        _ => named(rest).ok_or_else(|| {
            let near = NAMES.iter().max_by_key(|(name, _)| (strsim::jaro_winkler(name, rest) * 1e6) as i64);
            format!("<{inner}> is not a key: did you mean <{}>?", near.map_or("Esc", |(name, _)| name))
        })?,
    };
    if ctrl
        && !modifiers.contains(KeyModifiers::ALT)
        && matches!(code, KeyCode::Char(c) if c.is_ascii_digit())
    {
        return Err(format!("<{inner}> cannot be sent by most terminals: use another key"));
    }
    Ok(KeyEvent::new(code, modifiers).into())
}

fn named(name: &str) -> Option<KeyCode> {
    if let Some(number) = name.strip_prefix(['F', 'f']).and_then(|n| n.parse::<u8>().ok()) {
        return (1..=24).contains(&number).then_some(KeyCode::F(number));
    }
    NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, code)| *code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chord(code: KeyCode, modifiers: KeyModifiers) -> String {
        KeyChord::from(KeyEvent::new(code, modifiers)).to_string()
    }

    #[test]
    fn what_is_printed_is_parsed_again() {
        let sequence = "jG<Space><lt><C-d><A-x><C-A-Right><S-Up><BackTab><F12><C-Space>é";
        let keys = parse_sequence(sequence).unwrap();
        assert_eq!(keys.len(), 12);
        assert_eq!(notation(&keys), sequence);
        assert_eq!(
            notation(&parse_sequence("<c-D><m-x><S-Tab><S-g><enter>").unwrap()),
            "<C-d><A-x><BackTab>G<Enter>"
        );
    }

    #[test]
    fn every_chord_that_a_terminal_can_report_is_parsed_again() {
        let plain = ('!'..='~').chain(['é', 'É', 'ß', ' ']).map(KeyCode::Char);
        let codes = plain.chain((1..=24).map(KeyCode::F)).chain(NAMES.iter().map(|(_, code)| *code));
        for code in codes {
            for bits in 0..8 {
                let modifiers = KeyModifiers::from_bits_truncate(bits);
                let key = KeyChord::from(KeyEvent::new(code, modifiers));
                // Refused in keymaps, because most terminals do not send them.
                if key.modifiers == KeyModifiers::CONTROL
                    && key.code.as_char().is_some_and(|c| c.is_ascii_digit())
                {
                    continue;
                }
                assert_eq!(parse_sequence(&key.to_string()), Ok(vec![key]), "{code} {modifiers:?}");
            }
        }
        assert_eq!(parse_sequence("<C-S-a>"), parse_sequence("<C-a>"));
        assert_eq!(notation(&parse_sequence("<C-x>>").unwrap()), "<C-x>>");
    }

    #[test]
    fn events_that_differ_only_in_what_terminals_add_are_one_chord() {
        let shift = KeyModifiers::SHIFT;
        assert_eq!(chord(KeyCode::Char('G'), shift), "G");
        assert_eq!(chord(KeyCode::Char('g'), shift), "G");
        assert_eq!(chord(KeyCode::Char('?'), shift), "?");
        assert_eq!(chord(KeyCode::BackTab, shift), "<BackTab>");
        assert_eq!(chord(KeyCode::Tab, shift), "<BackTab>");
        assert_eq!(chord(KeyCode::Up, shift), "<S-Up>");
        assert_eq!(chord(KeyCode::Char('x'), KeyModifiers::SUPER), "x");
        assert_eq!(chord(KeyCode::Char('r'), KeyModifiers::CONTROL), "<C-r>");
    }

    #[test]
    fn characters_come_before_named_keys() {
        let mut keys = parse_sequence("<Right><Enter><F2><C-a>ba<Space>").unwrap();
        keys.sort();
        assert_eq!(notation(&keys), "<Space>a<C-a>b<F2><Enter><Right>");
    }
}
