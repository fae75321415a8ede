//! Labels in cells that are lists, such as `['cat', 'fur']`.

use crate::text::is_missing;
use crate::text::json_parts::{Part, Patch};
use serde_json::Value;
use std::borrow::Cow;
use std::ops::Range;

/// What a cell of labels says after the label is changed: a list stays one. What it says of no label stays in it, and of several
/// labels, none of which is that of the picture, the new one takes the place.
pub(crate) fn relabeled<'n>(cell: &str, new: &'n str) -> Cow<'n, str> {
    let text = match Part::of(cell) {
        Ok(list) => in_json(cell, list, new),
        Err(_) => in_brackets(cell, new),
    };
    text.map_or(Cow::Borrowed(new), Cow::Owned)
}

/// The same of JSON; `None` if it is not a list of labels.
fn in_json(cell: &str, list: Part<'_>, new: &str) -> Option<String> {
    // Label Studio has several choices in an object.
    let list = if list.is_object() { list.get("choices")? } else { list };
    let items = list.items();
    let values: Vec<Value> = items.iter().map(Part::value).collect();
    let is_label = |value: &Value| match value {
        Value::String(text) => !is_missing(text),
        value => !value.is_null(),
    };
    let labels: Vec<usize> = (0..items.len()).filter(|&at| is_label(&values[at])).collect();
    if !list.is_array() || values.iter().any(|value| value.is_array() || value.is_object()) {
        return None;
    }
    let numbers = !labels.is_empty() && labels.iter().all(|&at| values[at].is_number());
    let number: Option<Value> = serde_json::from_str(new).ok().filter(|value: &Value| {
        // Only what is spelled the same way again is the same value.
        let spelled = value.to_string();
        numbers && value.is_number() && spelled == new
    });
    let value = number.unwrap_or_else(|| Value::from(new));
    let mut patch = Patch::default();
    match labels.as_slice() {
        [one] => patch.set(items[*one], &value),
        _ => patch.set(list, &Value::from(vec![value])),
    }
    Some(patch.applied(cell))
}

/// The same as Python and NumPy write it; `None` if it is not a list.
fn in_brackets(cell: &str, new: &str) -> Option<String> {
    let start = cell.len() - cell.trim_start().len();
    let end = cell.trim_end().len();
    let inside = cell[start..end].strip_prefix('[')?.strip_suffix(']')?;
    let quoted = quoted(inside);
    // Brackets alone are a part of a name.
    if quoted.is_empty() && !inside.contains(['|', ';', ',']) {
        return inside.trim().is_empty().then(|| format!("['{}']", escaped(new, '\'')));
    }
    let quote =
        if quoted.first().is_some_and(|span| inside[span.clone()].starts_with('"')) { '"' } else { '\'' };
    let value = format!("{quote}{}{quote}", escaped(new, quote));
    let is_label = |span: &&Range<usize>| !is_missing(&inside[span.start + 1..span.end - 1]);
    let mut labels = quoted.iter().filter(is_label);
    let span = match (labels.next(), labels.next()) {
        (Some(one), None) => one.clone(),
        _ => 0..inside.len(),
    };
    let (before, after) = (&inside[..span.start], &inside[span.end..]);
    Some(format!("{}[{before}{value}{after}]{}", &cell[..start], &cell[end..]))
}

/// Where the texts in quotation marks stand, with these.
fn quoted(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let (mut all, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let (start, quote) = (at, bytes[at]);
        at += 1;
        if !matches!(quote, b'\'' | b'"') {
            continue;
        }
        while at < bytes.len() && bytes[at] != quote {
            at += if bytes[at] == b'\\' { 2 } else { 1 };
        }
        if at < bytes.len() {
            at += 1;
            all.push(start..at);
        }
    }
    all
}

fn escaped(text: &str, quote: char) -> String {
    text.replace('\\', "\\\\").replace(quote, &format!("\\{quote}"))
}

#[cfg(test)]
mod tests {
    use super::relabeled;

    #[test]
    fn a_list_stays_a_list_of_its_kind() {
        for (cell, new, expected) in [
            ("['cat']", "dog", "['dog']"),
            ("[ 'cat', 'nan' ]", "dog", "[ 'dog', 'nan' ]"),
            ("['it\\'s']", "y", "['y']"),
            (r#" ["nan","cat"] "#, "o\"wl", r#" ["nan","o\"wl"] "#),
            (r#"["cat", null]"#, "dog", r#"["dog", null]"#),
            ("[3]", "5", "[5]"),
            ("[3]", "dog", r#"["dog"]"#),
            (r#"["3"]"#, "5", r#"["5"]"#),
            (r#"{"choices": ["cat", "dog"]}"#, "owl", r#"{"choices": ["owl"]}"#),
            ("[]", "dog", r#"["dog"]"#),
            // Of several labels, none is that of the picture, which has the new one.
            ("['cat', 'dog']", "owl", "['owl']"),
            ("['cat' 'dog']", "owl", "['owl']"),
            (r#"["cat", "dog"]"#, "owl", r#"["owl"]"#),
            ("[cat, dog]", "owl", "['owl']"),
            ("[3, 4]", "5", "[5]"),
        ] {
            assert_eq!(relabeled(cell, new), expected, "{cell}");
        }
    }

    #[test]
    fn what_is_no_list_is_the_label() {
        for cell in ["", "cat", "cat|dog", "[cat]", "3", "{\"a\": 1}", "[{\"label\": \"cat\"}]"] {
            assert_eq!(relabeled(cell, "dog"), "dog", "{cell}");
        }
    }
}
