//! Keys as a person presses and writes them: `j`, `G`, `<C-d>`, `<PageUp>`.

use std::fmt;

/// What was pressed, without modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// A character; capitals arrive as capitals.
    Char(char),
    /// A function key.
    F(u8),
    /// Enter or Return.
    Enter,
    /// Tab.
    Tab,
    /// Shift and Tab.
    BackTab,
    /// Escape.
    Esc,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Insert.
    Insert,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
}

/// A key with its modifiers. Shift is part of the character and is kept only for keys without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What was pressed.
    pub code: Code,
    /// With Control.
    pub ctrl: bool,
    /// With Alt or Meta.
    pub alt: bool,
    /// With Shift, for keys that are no characters.
    pub shift: bool,
}

impl Key {
    /// A key without modifiers.
    pub const fn plain(code: Code) -> Key {
        Key { code, ctrl: false, alt: false, shift: false }
    }

    /// A character without modifiers.
    pub const fn char(c: char) -> Key {
        Key::plain(Code::Char(c))
    }

    /// A character with Control.
    pub const fn ctrl(c: char) -> Key {
        Key { code: Code::Char(c), ctrl: true, alt: false, shift: false }
    }

    /// The character it types, if it types one.
    pub fn typed(&self) -> Option<char> {
        match self.code {
            Code::Char(c) if !self.ctrl && !self.alt => Some(c),
            _ => None,
        }
    }
}

const NAMES: &[(&str, Code)] = &[
    ("Space", Code::Char(' ')),
    ("lt", Code::Char('<')),
    ("Enter", Code::Enter),
    ("Tab", Code::Tab),
    ("BackTab", Code::BackTab),
    ("Esc", Code::Esc),
    ("Backspace", Code::Backspace),
    ("Delete", Code::Delete),
    ("Insert", Code::Insert),
    ("Home", Code::Home),
    ("End", Code::End),
    ("PageUp", Code::PageUp),
    ("PageDown", Code::PageDown),
    ("Up", Code::Up),
    ("Down", Code::Down),
    ("Left", Code::Left),
    ("Right", Code::Right),
];

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(_, code)| *code == self.code).map(|(name, _)| *name);
        if let (Code::Char(c), None, false, false) = (self.code, name, self.ctrl, self.alt) {
            return write!(f, "{c}");
        }
        f.write_str("<")?;
        for (held, letter) in [(self.ctrl, "C-"), (self.alt, "A-"), (self.shift, "S-")] {
            if held {
                f.write_str(letter)?;
            }
        }
        match (name, self.code) {
            (Some(name), _) => f.write_str(name)?,
            (None, Code::Char(c)) => write!(f, "{c}")?,
            (None, Code::F(n)) => write!(f, "F{n}")?,
            (None, other) => write!(f, "{other:?}")?,
        }
        f.write_str(">")
    }
}

/// Writes a sequence of keys the way a keymap file does.
pub fn notation(keys: &[Key]) -> String {
    keys.iter().map(Key::to_string).collect()
}

/// Writes a sequence for a person: without brackets where that leaves no doubt, and with short names.
pub fn shown(keys: &[Key]) -> String {
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

/// Reads a sequence of keys: `gg`, `,s`, `<C-d>`, `g<Tab>`.
///
/// # Errors
/// Says what cannot be read, in words.
pub fn parse_sequence(text: &str) -> Result<Vec<Key>, String> {
    let mut keys = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '<' {
            let end = rest.find('>').ok_or_else(|| {
                format!("'{text}' has a '<' without '>': write <lt> for the character itself")
            })?;
            keys.push(parse_named(&rest[1..end])?);
            rest = &rest[end + 1..];
        } else {
            keys.push(Key::char(c));
            rest = &rest[c.len_utf8()..];
        }
    }
    if keys.is_empty() { Err("a key is missing".to_owned()) } else { Ok(keys) }
}

fn parse_named(inner: &str) -> Result<Key, String> {
    let (mut ctrl, mut alt, mut shift) = (false, false, false);
    let mut rest = inner;
    while rest.len() > 2 && rest.as_bytes()[1] == b'-' {
        match rest.as_bytes()[0].to_ascii_uppercase() {
            b'C' => ctrl = true,
            b'A' | b'M' => alt = true,
            b'S' => shift = true,
            _ => return Err(format!("<{inner}> has an unknown modifier: use C-, A- or S-")),
        }
        rest = &rest[2..];
    }
    let mut chars = rest.chars();
    let code = match (chars.next(), chars.next()) {
        (Some(c), None) => Code::Char(if ctrl { c.to_ascii_lowercase() } else { c }),
        _ => named(rest).ok_or_else(|| {
            let near = NAMES.iter().max_by_key(|(name, _)| (strsim::jaro_winkler(name, rest) * 1e6) as i64);
            format!("<{inner}> is no key: did you mean <{}>?", near.map_or("Esc", |(name, _)| name))
        })?,
    };
    if ctrl && !alt && matches!(code, Code::Char(c) if c.is_ascii_digit()) {
        return Err(format!("<{inner}> cannot be sent by most terminals: choose another key"));
    }
    if matches!(code, Code::Tab) && shift {
        return Ok(Key::plain(Code::BackTab));
    }
    Ok(Key { code, ctrl, alt, shift })
}

fn named(name: &str) -> Option<Code> {
    if let Some(number) = name.strip_prefix(['F', 'f']).and_then(|n| n.parse::<u8>().ok()) {
        return (1..=24).contains(&number).then_some(Code::F(number));
    }
    NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, code)| *code)
}
