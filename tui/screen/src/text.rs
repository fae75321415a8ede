//! Text that is safe and fits: nothing from a file may move the cursor or reorder the line.

pub use chaffinch_protocol::display::{counted, thousands as count};

use std::borrow::Cow;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Whether a character could change more than its own cell: controls, bidirectional marks, invisible ones.
fn harmful(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061c}' | '\u{180e}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{feff}' | '\u{00ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// The text with everything harmful written out, `\x1b` or `\u{202e}`, so that it is seen and does nothing.
pub fn safe(text: &str) -> Cow<'_, str> {
    if !text.chars().any(harmful) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if !harmful(c) {
            out.push(c);
        } else if (c as u32) < 0x100 {
            out.push_str(&format!("\\x{:02x}", c as u32));
        } else {
            out.push_str(&format!("\\u{{{:x}}}", c as u32));
        }
    }
    Cow::Owned(out)
}

/// Cells that the text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// As much of the front as fits into `cells`, with `…` where something was left out.
pub fn fit(text: &str, cells: usize) -> Cow<'_, str> {
    let text = safe(text);
    if text.width() <= cells {
        return text;
    }
    if cells == 0 {
        return Cow::Borrowed("");
    }
    let mut out = front(&text, cells - 1).to_owned();
    out.push('…');
    Cow::Owned(out)
}

/// The text with its middle left out, so that it fits into `cells`. The end of a path says most, so it gets
/// two thirds.
pub fn fit_middle(text: &str, cells: usize) -> Cow<'_, str> {
    let text = safe(text);
    if text.width() <= cells {
        return text;
    }
    if cells < 4 {
        return Cow::Owned(back(&text, cells).to_owned());
    }
    let room = cells - 1;
    let head = front(&text, room / 3);
    let tail = back(&text, room - head.width());
    Cow::Owned(format!("{head}…{tail}"))
}

/// A sentence that fits into `cells`: the path in it gives way first, down to its last name or so, so that what stands
/// behind it is seen.
pub fn fit_path(text: &str, cells: usize) -> Cow<'_, str> {
    /// Cells of a path that say something.
    const LEAST: usize = 16;
    let mut text = safe(text);
    loop {
        let over = text.width().saturating_sub(cells);
        if over == 0 {
            return text;
        }
        let paths = text.split(' ').filter(|word| word.contains('/') && word.width() > LEAST);
        let Some(path) = paths.max_by_key(|word| word.width()) else {
            return Cow::Owned(fit(&text, cells).into_owned());
        };
        let short = fit_middle(path, path.width().saturating_sub(over).max(LEAST)).into_owned();
        text = Cow::Owned(text.replacen(path, &short, 1));
    }
}

fn front(text: &str, cells: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > cells {
            return &text[..at];
        }
    }
    text
}

fn back(text: &str, cells: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices().rev() {
        used += c.width().unwrap_or(0);
        if used > cells {
            return &text[at + c.len_utf8()..];
        }
    }
    text
}

/// The text broken in two: what fits into `cells`, and the rest. Breaks at a space unless that leaves less than half of the cells in use.
pub fn split(text: &str, cells: usize) -> (&str, &str) {
    let head = front(text, cells);
    let whole = text[head.len()..].is_empty() || text[head.len()..].starts_with(' ');
    let at = if whole {
        head.len()
    } else {
        head.rfind(' ').filter(|&at| head[..at].width() >= cells.div_ceil(2)).unwrap_or(head.len())
    };
    (text[..at].trim_end(), text[at..].trim_start())
}

/// The text broken into lines of at most `cells`, at spaces where there are some. Its own lines stay apart.
pub fn wrap(text: &str, cells: usize) -> Vec<String> {
    text.lines().flat_map(|line| wrap_line(line, cells.max(1))).collect()
}

fn wrap_line(text: &str, cells: usize) -> Vec<String> {
    // A tab is a blank here.
    let text = text.replace('\t', " ");
    let text = safe(&text);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let mut word = word;
        if !line.is_empty() && line.width() + 1 + word.width() > cells {
            lines.push(std::mem::take(&mut line));
        }
        // The width of the rest is not asked for: a word of a million characters would be measured a million times.
        loop {
            let head = front(word, cells);
            if head.is_empty() || head.len() == word.len() {
                break;
            }
            lines.push(head.to_owned());
            word = &word[head.len()..];
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// A size in bytes for display: `34 kB`.
pub fn bytes(number: u64) -> String {
    match number {
        0..1_000 => format!("{number} B"),
        1_000..1_000_000 => format!("{} kB", number / 1_000),
        1_000_000..1_000_000_000 => format!("{:.1} MB", number as f64 / 1e6),
        _ => format!("{:.1} GB", number as f64 / 1e9),
    }
}

/// A duration for display: `0:42`, `1:02:03`.
pub fn clock(seconds: f64) -> String {
    let total = if seconds.is_finite() { seconds.clamp(0.0, 1e9) as u64 } else { 0 };
    let (h, m, s) = (total / 3600, total / 60 % 60, total % 60);
    if h > 0 { format!("{h}:{m:02}:{s:02}") } else { format!("{m}:{s:02}") }
}

/// A score in four cells: `0.03`, `1.00`, or ` –  ` where there is none.
pub fn score(score: Option<f32>) -> String {
    match score {
        Some(score) if score.is_finite() => format!("{:.2}", score.clamp(0.0, 9.99)),
        _ => " –  ".to_owned(),
    }
}

/// A number of any size in four cells where it fits; a dash if there is none.
pub fn value(value: Option<f32>) -> String {
    let Some(value) = value.filter(|value| value.is_finite()) else { return " –  ".to_owned() };
    match value.abs() {
        size if size >= 1e6 || (size > 0.0 && size < 0.005) => format!("{value:.0e}"),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// A cosine in four cells, below zero too: `0.31`, `-.05`.
pub fn cosine(value: Option<f32>) -> String {
    match value.filter(|value| value.is_finite()) {
        None => " –  ".to_owned(),
        Some(value) if value <= -0.995 => "-1.0".to_owned(),
        Some(value) if value <= -0.005 => format!("{value:.2}").replacen("-0", "-", 1),
        Some(value) => format!("{:.2}", value.abs()),
    }
}

/// Bytes in base 64, for sequences to the terminal.
pub fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for index in 0..4 {
            let sign = SIGNS[(word >> (18 - 6 * index)) as usize & 63];
            out.push(if index <= chunk.len() { char::from(sign) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_a_million_characters_is_wrapped() {
        let lines = wrap(&"z".repeat(1_000_000), 80);
        assert_eq!(lines.len(), 12_500);
        assert!(lines.iter().all(|line| line.len() == 80));
    }

    #[test]
    fn nothing_harmful_survives() {
        let text = safe("a\x1b[31m\u{202e}gpj.exe\u{200b}\n\u{9b}");
        assert_eq!(text, "a\\x1b[31m\\u{202e}gpj.exe\\u{200b}\\x0a\\x9b");
        assert_eq!(safe("Größe 猫.png"), "Größe 猫.png");
    }

    #[test]
    fn truncation_counts_cells() {
        assert_eq!(fit("abcdef", 4), "abc…");
        assert_eq!(fit_middle("train/n0123/picture-0001.jpg", 16), "train…e-0001.jpg");
        for cells in 0..12 {
            assert!(width(&fit_middle("猫猫猫猫猫猫猫猫", cells)) <= cells);
            assert!(width(&fit("猫猫猫猫猫猫猫猫", cells)) <= cells);
        }
    }

    #[test]
    fn wrapping_keeps_every_word() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert!(wrap("", 5).is_empty());
        assert_eq!(wrap("one:\n\ttwo three\r\n", 9), ["one:", "two three"]);
    }

    #[test]
    fn a_sentence_is_split_at_a_space_without_a_loss() {
        assert_eq!(split("one two three", 7), ("one two", "three"));
        assert_eq!(split("one two three", 6), ("one", "two three"));
        assert_eq!(split("abcdefgh", 3), ("abc", "defgh"));
        assert_eq!(split("one", 7), ("one", ""));
        let said = "! 猫猫猫 cannot write /a/long/path: no space";
        for cells in 0..50 {
            let (first, rest) = split(said, cells);
            assert!(first.width() <= cells, "{first}");
            let letters = |text: &str| text.replace(' ', "");
            assert_eq!(letters(first) + &letters(rest), letters(said));
        }
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(12), "12");
        assert_eq!(bytes(34_567), "34 kB");
        assert_eq!(clock(62.0), "1:02");
        assert_eq!(clock(f64::NAN), "0:00");
        assert_eq!(score(Some(0.034)), "0.03");
    }

    #[test]
    fn base_64_of_the_standard() {
        let pairs = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (plain, coded) in pairs {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn the_path_of_a_sentence_gives_way_first() {
        let said = "remove train/horse/a_long_name_of_a_file_0000001.jpg   u undo";
        assert_eq!(fit_path(said, 80), said);
        for cells in [32, 40, 50] {
            let shown = fit_path(said, cells);
            assert!(shown.width() <= cells, "{shown}");
            assert!(shown.starts_with("remove t") && shown.ends_with("1.jpg   u undo"), "{shown}");
        }
        assert!(fit_path(said, 12).width() <= 12);
        assert!(fit_path("no path in it, and too long", 12).width() <= 12);
    }
}
