//! Numbers of JSON as they are written. A number in memory has neither more digits than a double nor its own spelling, so that
//! `12345678901234567890123`, `1e3` and `1.10` would come out as others. Where that is so, the value is a text that stands
//! for the number, which only this module makes and reads.

use super::json_keys;
use serde_json::{Number, Value};
use std::borrow::Cow;

/// Begins a text that stands for a number. Texts of files that have it are read without such texts.
const MARK: char = '\0';
/// How a file has it.
const ESCAPED: &[u8] = b"\\u0000";
/// Whole numbers with as many digits are what they are.
const SURE: usize = 15;

/// Reads a JSON text in which no object has a key twice, with its numbers as they are written.
///
/// # Errors
/// When one has, or the text is not JSON, with the line and the column.
pub(crate) fn read(text: &[u8]) -> serde_json::Result<Value> {
    json_keys::check(text)?;
    serde_json::from_slice(&kept(text))
}

/// The spelling of a number that is kept as a text; `None` of anything else.
pub(crate) fn spelling(value: &Value) -> Option<&str> {
    let rest = value.as_str()?.strip_prefix(MARK)?;
    (!rest.is_empty() && rest.bytes().all(|byte| is_of_number(&byte))).then_some(rest)
}

/// Whether a value is a number, kept as a text or not.
pub(crate) fn is_number(value: &Value) -> bool {
    value.is_number() || spelling(value).is_some()
}

/// A value as JSON, with its numbers as they were written.
pub(crate) fn json(value: &Value) -> String {
    match value {
        Value::Array(all) => format!("[{}]", all.iter().map(json).collect::<Vec<_>>().join(",")),
        Value::Object(fields) => {
            let field =
                |(key, value): (&String, &Value)| format!("{}:{}", Value::from(key.as_str()), json(value));
            format!("{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(","))
        }
        other => spelling(other).map_or_else(|| other.to_string(), str::to_owned),
    }
}

/// A value as the text of a cell: null is empty, a text is itself, and all else is JSON.
pub(crate) fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => value.and_then(spelling).unwrap_or(text).to_owned(),
        Some(other) => json(other),
    }
}

fn is_of_number(byte: &u8) -> bool {
    byte.is_ascii_digit() || b"+-.eE".contains(byte)
}

/// A valid text with a text in the place of each number that would be written in another way.
fn kept(text: &[u8]) -> Cow<'_, [u8]> {
    if text.windows(ESCAPED.len()).any(|window| window == ESCAPED) {
        return Cow::Borrowed(text);
    }
    let mut out: Option<Vec<u8>> = None;
    let (mut at, mut done) = (0, 0);
    while at < text.len() {
        let start = at;
        match text[at] {
            b'"' => {
                at += 1;
                while at < text.len() && text[at] != b'"' {
                    at += if text[at] == b'\\' { 2 } else { 1 };
                }
                at += 1;
            }
            b'-' | b'0'..=b'9' => {
                at += text[at..].iter().take_while(|byte| is_of_number(byte)).count();
                let number = &text[start..at];
                if !is_sure(number) {
                    let out = out.get_or_insert_with(Vec::new);
                    out.extend_from_slice(&text[done..start]);
                    out.push(b'"');
                    out.extend_from_slice(ESCAPED);
                    out.extend_from_slice(number);
                    out.push(b'"');
                    done = at;
                }
            }
            _ => at += 1,
        }
    }
    match out {
        Some(mut out) => {
            out.extend_from_slice(&text[done..]);
            Cow::Owned(out)
        }
        None => Cow::Borrowed(text),
    }
}

/// Whether a number in memory is written as it is here.
fn is_sure(number: &[u8]) -> bool {
    if number.len() <= SURE && number.iter().all(u8::is_ascii_digit) {
        return true;
    }
    let text = std::str::from_utf8(number).unwrap_or_default();
    serde_json::from_str::<Number>(text).map_or(true, |known| known.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_they_were() {
        let text = r#"{"a":[1,1.0,1e3,-0,0.1,1.10,{"b":12345678901234567890123}],"c":"1e3 \" 007","d":null,"e":9007199254740993,"f":1e-05}"#;
        let value = read(text.as_bytes()).unwrap();
        assert_eq!(json(&value), text);
        let of = |key: &str| cell(value.get(key));
        assert_eq!(
            (of("c"), of("d"), of("e"), of("f")),
            ("1e3 \" 007".into(), String::new(), "9007199254740993".into(), "1e-05".into())
        );
        assert!(is_number(&value["f"]) && is_number(&value["e"]) && !is_number(&value["c"]));
        assert!(read(br#"{"a": 1e3, "a": 2}"#).is_err() && read(b"{\"a\": 01}").is_err());
    }

    #[test]
    fn no_text_of_a_file_is_taken_for_a_number() {
        let text = r#"{"a": "\u00001e3", "b": 1e3}"#;
        assert_eq!(read(text.as_bytes()).unwrap()["b"], Value::from(1000.0));
        assert!(read(r#"{"a": "1e3"}"#.as_bytes()).is_ok_and(|value| spelling(&value["a"]).is_none()));
    }
}
