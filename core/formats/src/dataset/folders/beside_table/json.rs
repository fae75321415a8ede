//! Changes one value of a JSON object in its text.

use serde_json::Value;
use std::ops::Range;

/// A text as a value that takes the place of another one: a number or a truth value where that is one. `bare` if that is also so
/// where there is no value, and null for an empty text.
pub(crate) fn json_like(old: Option<&Value>, text: &str, bare: bool) -> Value {
    let read: Value = serde_json::from_str(text).unwrap_or_default();
    let holds = |value: &Value| value.is_array() || value.is_object();
    match old {
        // A list stays a list, and an object an object.
        Some(old) if holds(old) && holds(&read) && old.is_array() == read.is_array() => return read,
        Some(Value::Array(old)) if old.len() == 1 && old[0].is_string() && !text.is_empty() => {
            return Value::from(vec![text]);
        }
        None | Some(Value::Null) if bare && holds(&read) => return read,
        _ => {}
    }
    let alike = match old {
        None | Some(Value::Null) => bare && (read.is_number() || read.is_boolean()),
        Some(old) => (read.is_number() && old.is_number()) || (read.is_boolean() && old.is_boolean()),
    };
    // Only what is spelled the same way again is the same value.
    let written = read.to_string();
    match alike && written == text {
        true => read,
        false if bare && text.is_empty() => Value::Null,
        false => Value::from(text),
    }
}

/// A JSON object in one line with another value for a key, which is added if it is not there. Everything else stays as
/// it was written.
pub(crate) fn json_set(object: &str, key: &str, value: &Value) -> String {
    match json_value(object, key) {
        Some(span) => format!("{}{value}{}", &object[..span.start], &object[span.end..]),
        None => {
            let at = object.find('{').map_or(0, |at| at + 1);
            let empty = object[at..].trim_start().starts_with('}');
            let comma = if empty { "" } else { ", " };
            format!("{}{}: {value}{comma}{}", &object[..at], Value::from(key), &object[at..])
        }
    }
}

/// Where the value of a key of an object is; that of the last one if the key is there twice, as readers take it.
fn json_value(object: &str, key: &str) -> Option<Range<usize>> {
    let bytes = object.as_bytes();
    let (mut at, mut depth, mut found) = (0, 0_usize, None);
    // The start of the value that is being read, and whether it is that of the key.
    let mut value: Option<(usize, bool)> = None;
    let mut last_text: Option<Range<usize>> = None;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                let start = at;
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                if depth == 1 {
                    last_text = object.get(start..=at).map(|_| start..at + 1);
                }
            }
            b'{' | b'[' => depth += 1,
            b':' if depth == 1 && value.is_none() => {
                let name =
                    last_text.take().and_then(|span| serde_json::from_str::<String>(&object[span]).ok());
                value = Some((at + 1, name.as_deref() == Some(key)));
            }
            b',' | b'}' if depth == 1 => {
                if let Some((start, true)) = value.take() {
                    let text = &object[start..at];
                    let skipped = text.len() - text.trim_start().len();
                    found = Some(start + skipped..start + text.trim_end().len());
                }
                depth -= usize::from(bytes[at] == b'}');
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_keeps_the_kind_of_the_one_in_whose_place_it_is() {
        let of = |old: Value, text: &str| json_like(Some(&old), text, true);
        assert_eq!(of(json!(["cat"]), "[\"ship\"]"), json!(["ship"]));
        assert_eq!(of(json!([3]), "[8]"), json!([8]));
        assert_eq!(of(json!({"id": 3}), "{\"id\": 8}"), json!({"id": 8}));
        assert_eq!(of(json!(["cat"]), "ship"), json!(["ship"]));
        assert_eq!(of(Value::Null, "[8]"), json!([8]));
        assert_eq!(of(json!(3), "8"), json!(8));
        // A text that reads like something else stays a text.
        assert_eq!(of(json!("3"), "8"), json!("8"));
        assert_eq!(of(json!("[3]"), "[8]"), json!("[8]"));
        assert_eq!(of(json!(3), "08"), json!("08"));
    }
}
