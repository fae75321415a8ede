//! Makes outside text safe for a terminal: names of files and classes may contain anything.

use std::borrow::{Borrow, Cow};
use std::ffi::OsStr;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Escapes everything that acts on the terminal instead of being displayed: control characters and escape sequences
/// (`\n`, `\x1b`), bidirectional overrides and isolates, zero-width and other format characters (`\u{202e}`). Ordinary
/// text in any script is unchanged.
pub fn safe_text(text: &str) -> Cow<'_, str> {
    match text.chars().any(acts) {
        false => Cow::Borrowed(text),
        true => {
            let mut out = String::with_capacity(text.len() + 16);
            push_safe(&mut out, text);
            Cow::Owned(out)
        }
    }
}

/// Characters of a value that a sentence shows.
const LONGEST: usize = 120;
/// Bytes of a path that a sentence shows: more than paths have, and less than pictures that are written as text.
const LONGEST_PATH: usize = 400;

/// A value from a file for a sentence: escaped, and cut where it is longer than anything that people write there.
pub fn excerpt(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST) {
        None => safe_text(text),
        Some((end, _)) => {
            Cow::Owned(format!("{}… ({} bytes)", safe_text(&text[..end]), thousands(text.len() as u64)))
        }
    }
}

/// The same for a path that a file names.
pub fn excerpt_path(path: &Path) -> String {
    let bytes = path.as_os_str().as_bytes();
    match bytes.get(..LONGEST_PATH) {
        Some(begin) if bytes.len() > LONGEST_PATH => {
            let begin = safe_path(Path::new(OsStr::from_bytes(begin)));
            format!("{begin}… ({} bytes)", thousands(bytes.len() as u64))
        }
        _ => safe_path(path),
    }
}

/// As [`safe_text`] for a path, with bytes that are not valid UTF-8 as `\xff`.
pub fn safe_path(path: &Path) -> String {
    let bytes = path.as_os_str().as_bytes();
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        push_safe(&mut out, chunk.valid());
        for byte in chunk.invalid() {
            escape(&mut out, format_args!("\\x{byte:02x}"));
        }
    }
    out
}

/// A count with its noun: `1 image`, `1,234 images`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

/// Names as a list in a sentence, the last behind a word such as `and`: `a, b and c`.
pub fn listed<T: Borrow<str>>(names: &[T], word: &str) -> String {
    match names {
        [rest @ .., last] if !rest.is_empty() => {
            let last: &str = last.borrow();
            format!("{} {word} {last}", rest.join(", "))
        }
        names => names.concat(),
    }
}

/// A number with commas as thousands separators.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn push_safe(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if !acts(c) => out.push(c),
            c if c.is_ascii() => escape(out, format_args!("\\x{:02x}", c as u32)),
            c => escape(out, format_args!("\\u{{{:x}}}", c as u32)),
        }
    }
}

fn escape(out: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = out.write_fmt(what);
}

/// Whether a character does anything but display itself: Unicode categories Cc and Cf, line and paragraph separators,
/// and invisible letters.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{34f}'
                | '\u{600}'..='\u{605}'
                | '\u{61c}'
                | '\u{6dd}'
                | '\u{70f}'
                | '\u{890}'..='\u{891}'
                | '\u{8e2}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{110bd}'
                | '\u{110cd}'
                | '\u{13430}'..='\u{1343f}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// A path as shown, quoted so that it can be pasted into a shell.
pub fn quoted(path: &Path) -> String {
    let text = safe_path(path);
    let plain = |c: char| c.is_alphanumeric() || "/._-+=:@,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::PathBuf;

    #[test]
    fn names_are_listed_as_in_a_sentence() {
        let listed = |names: &[&str]| listed(names, "and");
        assert_eq!(
            [&[][..], &["a"], &["a", "b"], &["a", "b", "c"]].map(listed),
            ["", "a", "a and b", "a, b and c"]
        );
    }

    #[test]
    fn ordinary_text_stays() {
        for text in ["cat.123.jpg", "Größe 猫 кот عرب", "a\\b", "👍🏽 ❤\u{fe0f}", ""] {
            assert!(matches!(safe_text(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn what_acts_becomes_visible() {
        assert_eq!(safe_text("a\x1b[2Jb"), "a\\x1b[2Jb");
        assert_eq!(safe_text("gpj.\u{202e}exe\u{2066}"), "gpj.\\u{202e}exe\\u{2066}");
        assert_eq!(safe_text("a\nb\u{85}c\x7f\u{200b}"), "a\\nb\\u{85}c\\x7f\\u{200b}");
        assert_eq!(safe_path(Path::new(OsStr::from_bytes(b"a\xff\xe7\x8cb\x07"))), "a\\xff\\xe7\\x8cb\\x07");
    }

    #[test]
    fn long_values_are_cut_and_short_ones_stay() {
        let cat = "cat".repeat(40);
        assert_eq!(excerpt(&cat), cat);
        let long = "ü\x1b".repeat(1000);
        let shown = excerpt(&long);
        assert!(
            shown.len() < 700 && shown.starts_with("ü\\x1bü") && shown.ends_with("… (3,000 bytes)"),
            "{shown}"
        );
        let path = PathBuf::from("x".repeat(4000));
        assert_eq!(excerpt_path(&path), format!("{}… (4,000 bytes)", "x".repeat(400)));
        assert_eq!(excerpt_path(Path::new("a/b.jpg")), "a/b.jpg");
    }

    proptest! {
        #[test]
        fn nothing_that_acts_comes_out(text in any::<String>(), bytes in any::<Vec<u8>>()) {
            prop_assert!(!safe_text(&text).chars().any(acts));
            prop_assert!(!safe_path(Path::new(OsStr::from_bytes(&bytes))).chars().any(acts));
        }

        #[test]
        fn safe_text_is_left_alone(text in "\\PC*") {
            let once = safe_text(&text).into_owned();
            prop_assert_eq!(safe_text(&once).into_owned(), once.clone());
        }
    }

    #[test]
    fn paths_can_be_pasted() {
        assert_eq!(quoted(Path::new("/data/pets")), "/data/pets");
        assert_eq!(quoted(Path::new("my pets/it's")), "'my pets/it'\\''s'");
    }
}
