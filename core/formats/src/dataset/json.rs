//! JSON files of other programs: what one holds, by its first bytes, and what is in it.

pub(super) use crate::text::json_numbers::cell;
use crate::text::{Document, json_keys, json_numbers};
use crate::{Error, Result};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// How much of a file is looked at. The names of a thousand classes fit.
const LOOKED_AT: u64 = 1 << 18;
/// How many keys of inner objects are kept.
const INNER: usize = 256;

/// What a JSON file is on the outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outer {
    Object,
    Array,
    /// Objects one after the other.
    Lines,
}

/// What a JSON file holds, as far as its beginning says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) outer: Outer,
    /// The keys of the object, or of the first object of an array, in order.
    pub(super) keys: Vec<String>,
    /// The keys of the objects in arrays below these.
    pub(super) inner: BTreeSet<String>,
}

impl Shape {
    /// The shape of a file; `None` if it does not begin like JSON or cannot be read.
    pub(super) fn of_file(file: &Path) -> Option<Shape> {
        let mut head = Vec::new();
        File::open(file).ok()?.take(LOOKED_AT).read_to_end(&mut head).ok()?;
        Shape::of(head)
    }

    fn of(mut head: Vec<u8>) -> Option<Shape> {
        // UTF-16 has a zero in most pairs of bytes.
        head.retain(|&byte| byte != 0);
        let start = head.iter().position(|byte| matches!(byte, b'{' | b'['))?;
        let before = &head[..start];
        let is_mark =
            |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, 0xef | 0xbb | 0xbf | 0xff | 0xfe);
        if !before.iter().all(is_mark) {
            return None;
        }
        let (mut outer, level) = match head[start] {
            b'{' => (Outer::Object, 1),
            _ => (Outer::Array, 2),
        };
        let (mut keys, mut inner) = (Vec::new(), BTreeSet::new());
        let (mut at, mut depth) = (start, 0_usize);
        while at < head.len() {
            match head[at] {
                b'"' => {
                    let from = at;
                    at += 1;
                    while at < head.len() && head[at] != b'"' {
                        at += if head[at] == b'\\' { 2 } else { 1 };
                    }
                    let rest = head.get(at + 1..).unwrap_or_default();
                    let is_key = rest.trim_ascii_start().first() == Some(&b':');
                    if let (true, Some(text)) = (is_key, head.get(from..=at))
                        && let Ok(key) = serde_json::from_slice::<String>(text)
                    {
                        match depth {
                            depth if depth == level => keys.push(key),
                            depth if depth == level + 2 && inner.len() < INNER => _ = inner.insert(key),
                            _ => {}
                        }
                    }
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    if depth + 1 == level {
                        let next = head[at + 1..].trim_ascii_start().first();
                        if outer == Outer::Object && next == Some(&b'{') {
                            outer = Outer::Lines;
                        }
                        break;
                    }
                }
                _ => {}
            }
            at += 1;
        }
        Some(Shape { outer, keys, inner })
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.keys.iter().any(|own| own == key)
    }

    pub(super) fn has_any(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.has(key))
    }
}

/// Reads a file. Keys that `T` does not have are passed over.
///
/// # Errors
/// When it cannot be read, is not JSON, has a key twice in one object, or is not what is expected, with the line.
pub(super) fn read<T: DeserializeOwned>(file: &Path) -> Result<T> {
    let document = Document::read(file)?;
    json_keys::read(document.text()).map_err(|error| broken(file, &error))
}

/// Reads a file with its numbers as they are written.
///
/// # Errors
/// As of [`read`].
pub(super) fn read_as_written(file: &Path) -> Result<Value> {
    let document = Document::read(file)?;
    json_numbers::read(document.text()).map_err(|error| broken(file, &error))
}

fn broken(file: &Path, error: &serde_json::Error) -> Error {
    let message = match error.classify() {
        serde_json::error::Category::Eof => format!("it ends too early, as if it was cut off: {error}"),
        serde_json::error::Category::Data => format!("it is not as expected: {error}"),
        _ => format!("it is not valid JSON: {error}"),
    };
    Error::format(file, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_known_by_the_beginning() {
        let shape = |text: &str| {
            let shape = Shape::of(text.as_bytes().to_vec())?;
            Some((shape.outer, shape.keys.join(" ")))
        };
        let is = |outer, keys: &str| Some((outer, keys.to_owned()));
        assert_eq!(shape("\u{feff} {\"a\": {\"b\": [\"c\"]}, \"d\\\"\": 1}"), is(Outer::Object, "a d\""));
        assert_eq!(shape("[{\"a\": \"x:\", \"b\": {\"c\": 1}}, {\"z\": 1}]"), is(Outer::Array, "a b"));
        assert_eq!(shape("[1, 2]"), is(Outer::Array, ""));
        assert_eq!(shape("{\"a\": 1}\n{\"a\": 2}\n"), is(Outer::Lines, "a"));
        assert_eq!(shape("{\"images\": [{\"id\": 1"), is(Outer::Object, "images"));
        assert_eq!(shape("{\"a"), is(Outer::Object, ""));
        let inner = Shape::of(b"{\"a\": [{\"b\": {\"c\": 1}}, {\"d\": 1}], \"e\": {\"f\": 1}}".to_vec())
            .unwrap()
            .inner;
        assert_eq!(inner.into_iter().collect::<Vec<_>>(), ["b", "d"]);
        assert_eq!((shape("x"), shape(""), shape("path,{")), (None, None, None));
    }
}
