//! JSON as text: where each value stands, so that one can be changed and every other byte stays.

use serde_json::Value;
use std::ops::Range;

/// A value in a text of valid JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'a> {
    whole: &'a str,
    start: usize,
    end: usize,
}

/// A field of an object.
#[derive(Clone, Debug)]
pub(crate) struct Field<'a> {
    pub(crate) key: String,
    /// From the key to the end of the value.
    pub(crate) span: Range<usize>,
    pub(crate) value: Part<'a>,
}

impl<'a> Part<'a> {
    /// The value that a text is.
    ///
    /// # Errors
    /// When it is not valid JSON.
    pub(crate) fn of(text: &'a str) -> Result<Part<'a>, serde_json::Error> {
        serde_json::from_str::<serde::de::IgnoredAny>(text)?;
        Ok(Part::within(text, 0..text.len()))
    }

    /// The value in a range of a text.
    pub(crate) fn within(whole: &'a str, range: Range<usize>) -> Part<'a> {
        let text = &whole[range.clone()];
        let start = range.start + text.len() - text.trim_start().len();
        Part { whole, start, end: start + whole[start..range.end].trim_end().len() }
    }

    pub(crate) fn span(&self) -> Range<usize> {
        self.start..self.end
    }

    pub(crate) fn text(&self) -> &'a str {
        &self.whole[self.start..self.end]
    }

    /// The value itself.
    pub(crate) fn value(&self) -> Value {
        serde_json::from_str(self.text()).unwrap_or_default()
    }

    pub(crate) fn is_array(&self) -> bool {
        self.text().starts_with('[')
    }

    pub(crate) fn is_object(&self) -> bool {
        self.text().starts_with('{')
    }

    pub(crate) fn is_number(&self) -> bool {
        self.text().starts_with(|first: char| first == '-' || first.is_ascii_digit())
    }

    /// The elements of an array; none of anything else.
    pub(crate) fn items(&self) -> Vec<Part<'a>> {
        if !self.is_array() {
            return Vec::new();
        }
        self.pieces().into_iter().map(|(range, _)| Part::within(self.whole, range)).collect()
    }

    /// The fields of an object; none of anything else.
    pub(crate) fn fields(&self) -> Vec<Field<'a>> {
        if !self.is_object() {
            return Vec::new();
        }
        let field = |(range, colon): (Range<usize>, Option<usize>)| {
            let colon = colon?;
            let key = Part::within(self.whole, range.start..colon);
            let value = Part::within(self.whole, colon + 1..range.end);
            let name = serde_json::from_str(key.text()).ok()?;
            Some(Field { key: name, span: key.start..value.end, value })
        };
        self.pieces().into_iter().filter_map(field).collect()
    }

    /// The value of a key: that of the last one if it is there twice, as readers take it.
    pub(crate) fn get(&self, key: &str) -> Option<Part<'a>> {
        self.fields().into_iter().rfind(|field| field.key == key).map(|field| field.value)
    }

    /// What stands between the commas, each with its first colon.
    fn pieces(&self) -> Vec<(Range<usize>, Option<usize>)> {
        let bytes = self.whole.as_bytes();
        let (mut all, mut depth, mut at) = (Vec::new(), 0_usize, self.start);
        let (mut from, mut colon) = (self.start + 1, None);
        while at < self.end {
            match bytes[at] {
                b'"' => {
                    at += 1;
                    while at < self.end && bytes[at] != b'"' {
                        at += if bytes[at] == b'\\' { 2 } else { 1 };
                    }
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        if !self.whole[from..at].trim().is_empty() {
                            all.push((from..at, colon));
                        }
                        break;
                    }
                }
                b':' if depth == 1 && colon.is_none() => colon = Some(at),
                b',' if depth == 1 => {
                    all.push((from..at, colon.take()));
                    from = at + 1;
                }
                _ => {}
            }
            at += 1;
        }
        all
    }
}

/// Changes to a text.
#[derive(Debug, Default)]
pub(crate) struct Patch(Vec<(Range<usize>, String)>);

impl Patch {
    /// Puts something in the place of a range.
    pub(crate) fn replace(&mut self, range: Range<usize>, text: impl Into<String>) {
        self.0.push((range, text.into()));
    }

    /// Puts something between two bytes.
    pub(crate) fn insert(&mut self, at: usize, text: impl Into<String>) {
        self.replace(at..at, text);
    }

    /// Puts a value in the place of another one.
    pub(crate) fn set(&mut self, part: Part<'_>, value: &Value) {
        self.replace(part.span(), value.to_string());
    }

    /// Sets a key of an object, which is added as its last one if it is not there.
    pub(crate) fn set_key(&mut self, object: Part<'_>, key: &str, value: &Value) {
        match object.get(key) {
            Some(old) => self.set(old, value),
            None => {
                let spans: Vec<Range<usize>> = object.fields().into_iter().map(|field| field.span).collect();
                self.push(object, &spans, format!("{}: {value}", Value::from(key)));
            }
        }
    }

    /// Adds an element to an array.
    pub(crate) fn append(&mut self, array: Part<'_>, text: &str) {
        let spans: Vec<Range<usize>> = array.items().iter().map(Part::span).collect();
        self.push(array, &spans, text.to_owned());
    }

    /// Adds something after the last of these, with what stands between the two before it.
    fn push(&mut self, outer: Part<'_>, spans: &[Range<usize>], text: String) {
        match spans {
            [] => self.replace(outer.start + 1..outer.end - 1, text),
            [.., before, last] => {
                let between = &outer.whole[before.end..last.start];
                self.replace(last.end..last.end, format!("{between}{text}"));
            }
            [last] => {
                // The blanks before the only one stand before the next one, too.
                let blanks = &outer.whole[outer.start + 1..last.start];
                let blanks = if blanks.is_empty() { " " } else { blanks };
                self.replace(last.end..last.end, format!(",{blanks}{text}"));
            }
        }
    }

    /// Takes away some of the elements of an array or the fields of an object, with their commas.
    pub(crate) fn remove(&mut self, spans: &[Range<usize>], gone: impl Fn(usize) -> bool) {
        let kept = (0..spans.len()).rfind(|&at| !gone(at));
        let tail = kept.map_or(0, |kept| kept + 1);
        for at in (0..tail).filter(|&at| gone(at)) {
            self.replace(spans[at].start..spans[at + 1].start, "");
        }
        if let (Some(first), Some(last)) = (spans.get(tail), spans.last()) {
            let from = kept.map_or(first.start, |kept| spans[kept].end);
            self.replace(from..last.end, "");
        }
    }

    /// The text with all changes. Where two overlap, the one that begins first and is longer counts.
    pub(crate) fn applied(mut self, text: &str) -> String {
        self.0.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
        let (mut out, mut at) = (String::with_capacity(text.len()), 0);
        for (range, new) in &self.0 {
            if range.start < at {
                continue;
            }
            out.push_str(&text[at..range.start]);
            out.push_str(new);
            at = range.end;
        }
        out.push_str(&text[at..]);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn parts_are_where_they_stand() {
        let text = " {\"a\\\"\": [1, {\"b\": \"]}\"} , []], \"c\" : 1e-3 , \"d\":{}} ";
        let whole = Part::of(text).unwrap();
        let keys: Vec<String> = whole.fields().into_iter().map(|field| field.key).collect();
        assert_eq!(keys, ["a\"", "c", "d"]);
        let items: Vec<&str> = whole.get("a\"").unwrap().items().iter().map(Part::text).collect();
        assert_eq!(items, ["1", "{\"b\": \"]}\"}", "[]"]);
        assert_eq!(whole.get("c").unwrap().text(), "1e-3");
        assert!(whole.get("d").unwrap().fields().is_empty());
        assert!(Part::of("{\"a\": }").is_err());
    }

    #[test]
    fn elements_go_with_their_commas() {
        let gone = |text: &str, gone: &[usize]| {
            let array = Part::of(text).unwrap();
            let spans: Vec<Range<usize>> = array.items().iter().map(Part::span).collect();
            let mut patch = Patch::default();
            patch.remove(&spans, |at| gone.contains(&at));
            patch.applied(text)
        };
        assert_eq!(gone("[1, 2, 3]", &[]), "[1, 2, 3]");
        assert_eq!(gone("[1, 2, 3]", &[0]), "[2, 3]");
        assert_eq!(gone("[1, 2, 3]", &[1]), "[1, 3]");
        assert_eq!(gone("[\n 1,\n 2,\n 3\n]", &[1, 2]), "[\n 1\n]");
        assert_eq!(gone("[1, 2, 3]", &[0, 2]), "[2]");
        assert_eq!(gone("[ 1, 2 ]", &[0, 1]), "[  ]");
    }

    #[test]
    fn what_is_added_looks_like_what_is_there() {
        let text = "{\"a\": [\n  1,\n  2\n], \"b\": [], \"c\": {\"d\": 1}, \"e\": [7]}";
        let whole = Part::of(text).unwrap();
        let mut patch = Patch::default();
        patch.append(whole.get("a").unwrap(), "3");
        patch.append(whole.get("b").unwrap(), "4");
        patch.append(whole.get("e").unwrap(), "8");
        patch.set_key(whole.get("c").unwrap(), "new", &json!("x"));
        patch.set_key(whole.get("c").unwrap(), "d", &json!(2));
        assert_eq!(
            patch.applied(text),
            "{\"a\": [\n  1,\n  2,\n  3\n], \"b\": [4], \"c\": {\"d\": 2, \"new\": \"x\"}, \"e\": [7, 8]}"
        );
    }
}
