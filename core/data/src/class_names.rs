//! Names of classes: which spellings are one name, which words mean that there is no label, and how a name that is not
//! text is kept.
//!
//! A class is a `String` everywhere. A folder whose name is not valid UTF-8 still has a name of its own: its odd bytes
//! are written as `\xff`, as on the screen, and [`bytes()`] gives back exactly what [`of_bytes`] was given.

use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// The name for these bytes of a folder or a table: the text itself, with bytes that are not UTF-8 as `\xff`. Where the
/// text already reads like such an escape, its backslash is escaped, so that two names never become one.
pub fn of_bytes(bytes: &[u8]) -> String {
    let mut name = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let mut rest = chunk.valid();
        while let Some(at) = rest.find('\\') {
            name.push_str(&rest[..at]);
            name.push_str(if escaped(&rest.as_bytes()[at..]).is_some() { "\\x5c" } else { "\\" });
            rest = &rest[at + 1..];
        }
        name.push_str(rest);
        for byte in chunk.invalid() {
            name.push_str(&format!("\\x{byte:02x}"));
        }
    }
    name
}

/// The bytes that a name stands for: the inverse of [`of_bytes`].
pub fn bytes(name: &str) -> Cow<'_, [u8]> {
    let all = name.as_bytes();
    if !name.contains("\\x") {
        return Cow::Borrowed(all);
    }
    let mut out = Vec::with_capacity(all.len());
    let mut at = 0;
    while at < all.len() {
        match escaped(&all[at..]) {
            Some(byte) => {
                out.push(byte);
                at += 4;
            }
            None => {
                out.push(all[at]);
                at += 1;
            }
        }
    }
    Cow::Owned(out)
}

/// The byte that these begin with as `\xff`.
fn escaped(bytes: &[u8]) -> Option<u8> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    match *bytes {
        [b'\\', b'x', high, low, ..] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    }
}

/// The spelling by which names are compared: composed (NFC), without blanks and invisible characters at its ends.
pub fn clean(name: &str) -> Cow<'_, str> {
    let trimmed = name.trim_matches(is_blank);
    match is_nfc(trimmed) {
        true => Cow::Borrowed(trimmed),
        false => Cow::Owned(trimmed.nfc().collect()),
    }
}

/// Whether two spellings are the same class.
pub fn same(one: &str, other: &str) -> bool {
    one == other || clean(one) == clean(other)
}

/// Blanks of any kind, and characters that take no room.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}')
}

/// Words that programs write where there is no value: pandas, NumPy, R, SQL, JSON, spreadsheets.
const MISSING: [&str; 16] = [
    "nan", "-nan", "nat", "<na>", "n/a", "#n/a", "#n/a n/a", "#na", "#value!", "null", "nil", "1.#ind",
    "-1.#ind", "1.#qnan", "-1.#qnan", "(null)",
];
/// Words with which people say that there is no label.
const UNLABELED: [&str; 9] = [
    "unlabeled",
    "unlabelled",
    "_unlabeled",
    "not labeled",
    "not_labeled",
    "no label",
    "no_label",
    "no-label",
    "nolabel",
];
/// Words that mean either; the other classes tell.
const EITHER: [&str; 5] = ["none", "na", "unknown", "undefined", "?"];

/// Signs that people write into a cell where there is no value. `+` is none of them, nor are brackets.
fn is_placeholder(name: &str) -> bool {
    let sign =
        |c: char| "-_?.*/#~".contains(c) || matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2026}');
    !name.is_empty() && name.chars().all(sign)
}

/// Whether classes are signs and letters, as where characters are recognized: then a hyphen is a class.
fn are_characters(names: &[&str]) -> bool {
    let single = |name: &&&str| name.chars().count() == 1;
    let letter = |name: &&str| name.chars().count() == 1 && !name.chars().all(|c| c.is_ascii_digit());
    let sign = |name: &&str| !name.is_empty() && !name.chars().any(char::is_alphanumeric);
    names.iter().any(sign)
        || (names.iter().any(letter) && names.iter().filter(single).count() * 2 > names.len())
}

/// What a class name says of whether there is a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It is a class.
    Class,
    /// There is no label.
    NoLabel,
    /// A class, although the word often means that there is no label.
    Doubtful,
}

/// What each of a table's class names means, in their order.
///
/// Words that only programs write (`nan`, `<NA>`, `null`) and `unlabeled` are not labels. `None`, `NA` and `unknown` are
/// classes where they are spelled like the others (`none` beside `scratch`, `NA` beside `DE`), and doubtful then; `NA`
/// and `None` are not labels otherwise. `-1` is not a label among other whole numbers, unless they are only 0 and 1. `-`, `--`,
/// `.`, `_` and other signs that hold the place of a value are not labels, unless the other classes are characters (`a`, `b`,
/// `+`), too; `?` is doubtful.
pub fn meanings(names: &[String]) -> Vec<Meaning> {
    let cleaned: Vec<Cow<'_, str>> = names.iter().map(|name| clean(name)).collect();
    let lower: Vec<String> = cleaned.iter().map(|name| name.to_lowercase()).collect();
    let known = |word: &str| MISSING.contains(&word) || UNLABELED.contains(&word);
    let minus_one = |word: &str| word.parse::<f64>().is_ok_and(|number| number == -1.0);
    let plain = |word: &&str| {
        !word.is_empty()
            && !known(word)
            && !EITHER.contains(word)
            && !minus_one(word)
            && !is_placeholder(word)
    };
    let others: Vec<&str> = (lower.iter().zip(&cleaned))
        .filter(|(lower, _)| plain(&lower.as_str()))
        .map(|(_, name)| name.as_ref())
        .collect();
    let numbers: Option<Vec<f64>> = others.iter().map(|name| name.parse().ok()).collect();
    // Missing values among -1, 0 and 1 are as likely as three answers.
    let counted = numbers.is_some_and(|numbers| {
        numbers.iter().all(|number| *number >= 0.0 && number.fract() == 0.0)
            && numbers.iter().any(|number| *number > 1.0)
    });
    (lower.iter().zip(&cleaned))
        .map(|(word, name)| match word.as_str() {
            "" => Meaning::NoLabel,
            word if known(word) => Meaning::NoLabel,
            "unknown" | "undefined" => Meaning::Doubtful,
            word if word.contains('?') && is_placeholder(word) => Meaning::Doubtful,
            word if is_placeholder(word) => match others.is_empty() || are_characters(&others) {
                true => Meaning::Doubtful,
                false => Meaning::NoLabel,
            },
            "none" | "na" if others.iter().any(|other| spelled_alike(name, other)) => Meaning::Doubtful,
            "none" | "na" => Meaning::NoLabel,
            word if minus_one(word) && counted => Meaning::NoLabel,
            word if minus_one(word) && !others.is_empty() => Meaning::Doubtful,
            _ => Meaning::Class,
        })
        .collect()
}

/// Whether a folder of this name holds pictures without a label. A folder was named by a person, who may well mean a
/// class by `none` or `NA`.
pub fn folder_meaning(name: &str) -> Meaning {
    let word = clean(name).to_lowercase();
    match word.as_str() {
        "" => Meaning::NoLabel,
        word if UNLABELED.contains(&word) => Meaning::NoLabel,
        word if MISSING.contains(&word) || EITHER.contains(&word) || is_placeholder(word) => {
            Meaning::Doubtful
        }
        _ => Meaning::Class,
    }
}

/// Whether two names follow one habit of capitals; short codes such as country codes must also have one length.
fn spelled_alike(one: &str, other: &str) -> bool {
    let habit = |name: &str| {
        let letters = || name.chars().filter(|c| c.is_alphabetic());
        let upper = letters().filter(|c| c.is_uppercase()).count();
        match letters().count() {
            _ if upper == 0 => 0,
            count if upper == count => 1,
            _ => 2,
        }
    };
    let count = |name: &str| name.chars().count();
    let has_letters = other.chars().any(char::is_alphabetic);
    has_letters && habit(one) == habit(other) && (habit(one) != 1 || count(one) == count(other))
}

/// Names that are likely one class in two spellings: they differ in case, in blanks, hyphens and underscores, in
/// full-width or accented forms, or in a plural; and numbers that are written differently, such as 1, 1.0 and 01. Sorted.
pub fn twins(names: &[String]) -> Vec<Vec<String>> {
    let mut alike: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in names {
        // a and A are two letters.
        if name.chars().count() > 1 || number_key(name).is_some() {
            alike.entry(twin_key(name)).or_default().push(name.clone());
        }
    }
    alike.into_values().filter(|names| names.len() > 1).collect()
}

/// A number without what can be left out: signs, zeros at its ends, a comma for a point, an exponent. `None` for words.
fn number_key(name: &str) -> Option<String> {
    let text: String = clean(name).nfkc().collect();
    let starts =
        text.trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit() || c == '.' || c == ',');
    let known = |c: char| c.is_ascii_digit() || "+-.,eE".contains(c);
    if !starts || !text.chars().all(known) || text.matches(',').count() + text.matches('.').count() > 1 {
        return None;
    }
    // Written out, so that long ids stay what they are.
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let digits = text.trim_start_matches('0');
        return Some(format!("#{}", if digits.is_empty() { "0" } else { digits }));
    }
    let number: f64 = text.replace(',', ".").parse().ok()?;
    let number = if number == 0.0 { 0.0 } else { number };
    (number.abs() < 1e15).then(|| format!("#{number}"))
}

/// Names that are numbers beside ones that are words, as where two tables were joined of which one has the numbers of
/// classes; empty where all are of one kind, or the words are single characters, as where characters are recognized.
pub fn numbers_among_words(names: &[String]) -> Vec<&String> {
    let (numbers, others): (Vec<&String>, Vec<&String>) =
        names.iter().partition(|name| number_key(name).is_some());
    let word = |name: &&String| name.chars().count() > 1 && name.chars().any(char::is_alphabetic);
    if others.into_iter().any(|name| word(&name)) { numbers } else { Vec::new() }
}

/// What a name that has the look of several labels is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Combined {
    /// Several labels of one picture, or one that is written as a list: `cat|dog`, `['cat', 'dog']`, `["cat"]`, `[]`.
    Labels(Vec<String>),
    /// One class, although it reads like several.
    Doubtful,
}

/// Names that read like several labels of one picture, by their place among the names.
///
/// A list in brackets is several labels, and so are names with vertical bars of which a part is known: as a class of its
/// own, or from another such name. Commas and semicolons stand in the names of classes, too (`tench, Tinca tinca`), so
/// that all parts must be known there; where only some are, the name is doubtful.
pub fn combined(names: &[String]) -> Vec<(usize, Combined)> {
    struct Name {
        at: usize,
        parts: Vec<String>,
        listed: bool,
        bars: bool,
    }
    let several: Vec<Name> = (names.iter().enumerate())
        .filter_map(|(at, name)| {
            let text = name.trim();
            if has_objects(text) {
                return None;
            }
            let (body, listed) = match list_body(text) {
                Some(body) => (body, true),
                None => (text, false),
            };
            let parts = parts(body, listed)?;
            Some(Name { at, parts, listed, bars: !listed && body.contains('|') })
        })
        .collect();
    let mut counts: BTreeMap<&str, usize> = names.iter().map(|name| (name.as_str(), 1)).collect();
    for part in several.iter().flat_map(|name| &name.parts) {
        *counts.entry(part).or_default() += 1;
    }
    let known = |part: &String| counts.get(part.as_str()).is_some_and(|count| *count > 1);
    let read = |name: &Name| {
        let (any, all) = (name.parts.iter().any(known), name.parts.iter().all(known));
        match name.listed || all || (any && name.bars) {
            true => Some(Combined::Labels(name.parts.clone())),
            false => any.then_some(Combined::Doubtful),
        }
    };
    several.iter().filter_map(|name| Some((name.at, read(name)?))).collect()
}

/// The labels in a text that is a list, as JSON, Python, NumPy or Label Studio write it; `None` if it is none.
pub fn listed(text: &str) -> Option<Vec<String>> {
    let text = text.trim();
    if has_objects(text) {
        return None;
    }
    parts(list_body(text)?, true)
}

/// Whether a text is an object of JSON or a list with one, the keys of which are not labels. Label Studio's tables have several
/// choices as an object.
fn has_objects(text: &str) -> bool {
    if !text.starts_with(['{', '[']) || !text.contains('{') {
        return false;
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(inner)) => !(inner.len() == 1 && inner.contains_key("choices")),
        Ok(Value::Array(all)) => all.iter().any(Value::is_object),
        _ => false,
    }
}

/// What stands in the brackets of a list.
fn list_body(text: &str) -> Option<&str> {
    // Label Studio's tables have several choices as an object.
    let text = text
        .strip_prefix('{')
        .and_then(|rest| rest.trim_start().strip_prefix("\"choices\""))
        .and_then(|rest| rest.trim_start().strip_prefix(':'))
        .and_then(|rest| rest.strip_suffix('}'))
        .map_or(text, str::trim);
    if let Some(body) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let body = body.trim();
        let quoted = |sign| body.starts_with(sign) && body.ends_with(sign);
        let plain = body.is_empty() || body.parse::<f64>().is_ok();
        let one = plain || quoted('\'') || quoted('"');
        return (one || body.contains(SIGNS)).then_some(body);
    }
    let pairs = [('(', ')'), ('{', '}')];
    let inner = pairs.iter().find_map(|(from, to)| text.strip_prefix(*from)?.strip_suffix(*to))?;
    inner.contains(SIGNS).then_some(inner)
}

/// Signs between labels, the likeliest first.
const SIGNS: [char; 3] = ['|', ';', ','];

/// The labels that a text separates; `None` if it is one, unless it was written as a list.
fn parts(body: &str, listed: bool) -> Option<Vec<String>> {
    let clean = |part: &str| part.trim().trim_matches(['\'', '"']).trim().to_owned();
    if body.is_empty() {
        return listed.then(Vec::new);
    }
    // NumPy writes blanks between texts: `['cat' 'dog']`.
    let array = (listed && body.starts_with('\''))
        .then(|| body.split("' '").map(clean).collect::<Vec<_>>())
        .filter(|parts| parts.len() > 1 && !parts.iter().any(|part| part.contains('\'')));
    let quotes = body.matches('"').count();
    let parts = match SIGNS.into_iter().find(|sign| body.contains(*sign)) {
        _ if array.is_some() => array?,
        // A comma inside the quotation marks of a list separates nothing.
        Some(_) if listed && quotes > 1 && quotes.is_multiple_of(2) => {
            let inside = body.split('"').skip(1).step_by(2);
            inside.map(|part| part.trim().to_owned()).collect()
        }
        Some(sign) => body.split(sign).map(clean).collect(),
        None if listed => vec![clean(body)],
        None => return None,
    };
    parts.iter().all(|part| !part.is_empty()).then_some(parts)
}

fn twin_key(name: &str) -> String {
    if let Some(number) = number_key(name) {
        return number;
    }
    let kept = |c: &char| {
        !is_blank(*c) && !matches!(c, '_' | '-' | '\u{2010}'..='\u{2015}' | '\'' | '\u{2019}' | '.')
    };
    let key: String = name.nfkc().filter(kept).flat_map(char::to_lowercase).nfc().collect();
    // A name of signs only is its own key.
    if key.is_empty() {
        return name.to_owned();
    }
    match key.strip_suffix('s') {
        Some(one) if one.chars().count() >= 3 && one.chars().all(char::is_alphabetic) => one.to_owned(),
        _ => key,
    }
}

/// Whether a name says in words what its class is. Numbers, WordNet ids such as `n01440764`, hexadecimal ids and
/// numbered names such as `class_3` do not.
pub fn is_word(name: &str) -> bool {
    const NUMBERED: [&str; 10] =
        ["class", "label", "category", "cat", "cls", "id", "idx", "folder", "group", "type"];
    let parts = || name.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    let hexadecimal = |part: &str| {
        part.len() >= 6
            && part.bytes().all(|byte| byte.is_ascii_hexdigit())
            && part.bytes().any(|byte| byte.is_ascii_digit())
    };
    let is_code = |part: &str| {
        let digits = part.chars().filter(char::is_ascii_digit).count();
        digits * 2 > part.chars().count() || hexadecimal(part)
    };
    let numbered = parts().any(is_code) || name.ends_with(|c: char| c.is_ascii_digit());
    let says = |part: &str| {
        let letters = part.trim_matches(|c: char| c.is_ascii_digit());
        // One sign can be a word where writing is not alphabetic.
        let enough =
            letters.chars().count() >= 2 || letters.chars().any(|c| c.is_alphabetic() && c as u32 >= 0x2e80);
        let numbering = numbered && NUMBERED.contains(&letters.to_lowercase().as_str());
        enough && letters.chars().any(char::is_alphabetic) && !is_code(part) && !numbering
    };
    // Groups of hexadecimal digits make one id.
    !hexadecimal(&parts().collect::<String>()) && parts().any(says)
}

#[cfg(test)]
mod tests;
